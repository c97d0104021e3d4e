//! `rules/cut.yaml`: what a cut of a trace may keep.

use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

/// Keys, names and texts.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CutFile {
    /// Of the format.
    pub version: u32,
    /// Top-level keys that stay.
    pub header: Vec<String>,
    /// Globs over top-level keys whose values are scrubbed wherever they stand.
    pub secret: Vec<String>,
    /// Letters that such a value has at least.
    pub shortest_secret: usize,
    /// Keys of `args` that stay.
    pub args: Vec<String>,
    /// Categories of arrows whose `id` is a correlation.
    pub arrows: Vec<String>,
    /// Globs over names of processes and threads that stay.
    pub names: Vec<String>,
    /// What is put in place of a text.
    pub replace: Vec<Replacement>,
    /// Texts before and after.
    #[serde(default)]
    pub tests: Vec<ScrubTest>,
}

/// What is put in place of a text.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replacement {
    /// Regular expression.
    pub find: String,
    /// The text.
    pub put: String,
    /// What it hides.
    pub about: String,
}

/// A text before and after.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScrubTest {
    /// Before.
    pub text: String,
    /// After; absent: as before.
    #[serde(default)]
    pub scrubbed: Option<String>,
}

impl CutFile {
    /// Whether every expression is one.
    ///
    /// # Errors
    /// Names the first that is none.
    pub fn check(&self) -> Result<(), String> {
        self.replace.iter().try_for_each(|rule| {
            Regex::new(&rule.find).map(drop).map_err(|error| format!("`find: {}`: {error}", rule.find))
        })
    }
}
