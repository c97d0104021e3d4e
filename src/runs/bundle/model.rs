//! Many runs in one document: the JSON contract `llm-prof.bundle/1`, field for field.

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::Report;
use crate::runs::compare::Unit;

/// The document.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Bundle {
    /// `llm-prof.bundle/1`.
    pub schema: &'static str,
    /// As given.
    pub title: String,
    /// Models, by name.
    pub models: Vec<ModelRuns>,
}

/// All runs of a model.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ModelRuns {
    /// The folder or the name given, else the model that the reports say.
    pub id: String,
    /// As titles have it: the longest name that a report says, else the id.
    pub name: String,
    /// Unique in the document.
    pub anchor: String,
    /// Its runs beside each other.
    pub compared: Compared,
    /// By framework, then by path.
    pub runs: Vec<BundledRun>,
}

/// One run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BundledRun {
    /// The trace or the report, as given.
    pub path: String,
    /// As titles have it, unique among the runs of its model.
    pub title: String,
    /// Unique in the document.
    pub anchor: String,
    /// Framework id, from the report, else from the file's name; null when neither says one.
    pub framework: Option<String>,
    /// The whole report.
    pub report: Report,
}

/// The runs of a model beside each other; every list of figures is in the order of the runs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Compared {
    /// Stages, in order.
    pub stages: Vec<ComparedStage>,
    /// Fuse patterns by stage and name.
    pub patterns: Vec<ComparedPattern>,
    /// Why figures should not be read beside each other without care.
    pub remarks: Vec<String>,
}

/// A stage of some runs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ComparedStage {
    /// Stage id.
    pub stage: String,
    /// As titles have it.
    #[serde(skip)]
    pub title: String,
    /// What `time` of the categories is in: shares where a run has no steps.
    pub unit: Unit,
    /// GPU time a step, in microseconds; null where a run has none.
    pub time_per_step_us: Vec<Option<f64>>,
    /// Steps.
    pub steps: Vec<Option<u64>>,
    /// Launches a step, without steps of the whole stage.
    pub launches: Vec<Option<f64>>,
    /// Kinds of work, the largest in any run first.
    pub categories: Vec<ComparedCategory>,
}

/// A kind of work in some runs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ComparedCategory {
    /// Category.
    pub category: String,
    /// In the unit of the stage; null where a run has none of it.
    pub time: Vec<Option<f64>>,
    /// Of the stage's summed GPU time.
    pub share_pct: Vec<Option<f64>>,
}

/// A fuse pattern in some runs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ComparedPattern {
    /// Name of the pattern, the same for equivalent families of several frameworks.
    pub pattern: String,
    /// Stage id.
    pub stage: String,
    /// State and family in each run; null where it is not found.
    pub states: Vec<Option<PatternState>>,
}

/// A pattern in one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PatternState {
    /// `in-use`, `split`, `partly`, `off-by-design`.
    pub state: String,
    /// Whether each of its rows is Confirmed.
    pub confirmed: bool,
    /// Families.
    pub families: Vec<String>,
}
