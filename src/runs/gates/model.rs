//! What gates say: the JSON contract `llm-prof.check/1`, field for field.

use schemars::JsonSchema;
use serde::Serialize;

/// All gates of one run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Check {
    /// `llm-prof.check/1`.
    pub schema: &'static str,
    /// The trace or the report, as given.
    pub path: String,
    /// What is known of the run, for people.
    #[serde(skip)]
    pub about: String,
    /// The run that gates on a baseline compare with.
    pub baseline: Option<String>,
    /// `failed` when a gate failed, else `unknown` when one could not look, else `passed`.
    pub outcome: Outcome,
    /// Each gate, in the order in which they were asked for.
    pub gates: Vec<Gate>,
    /// In one sentence.
    pub summary: String,
}

/// The end of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It could not look: no gate passes for want of data.
    Unknown,
    /// It does not hold.
    Failed,
}

impl Outcome {
    /// As people read it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Unknown => "could not look",
            Self::Failed => "failed",
        }
    }
}

/// One gate.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Gate {
    /// `require/<family>`, `forbid/<family>`, `budget/<category>`, `baseline/<what>`.
    pub id: String,
    /// What was asked, as it is typed.
    pub asked: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, with the figures it rests on.
    pub text: String,
    /// What to do; null when there is nothing to do.
    pub fix: Option<String>,
    /// Ids of the rows of the report that it rests on.
    pub rows: Vec<String>,
}
