//! The comparison: the JSON contract `llm-prof.compare/1`, field for field.

use schemars::JsonSchema;
use serde::Serialize;

use crate::kernel_name::KernelName;
use crate::runs::CaptureValue;

/// Two runs beside each other.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Comparison {
    /// `llm-prof.compare/1`.
    pub schema: &'static str,
    /// The first run.
    pub before: RunInfo,
    /// The second.
    pub after: RunInfo,
    /// `family`: one framework on both sides; `pattern`: families of two frameworks that say one pattern.
    pub aligned_by: &'static str,
    /// What is not alike in the two runs, and what bends their figures.
    pub differences: Vec<Difference>,
    /// Fuse families, those whose state differs first.
    pub families: Vec<FamilyChange>,
    /// Stages that both runs have.
    pub stages: Vec<StageChange>,
    /// Stages of the first run alone.
    pub only_before: Vec<String>,
    /// Stages of the second run alone.
    pub only_after: Vec<String>,
    /// In a few sentences.
    pub summary: String,
}

/// What is known of a run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RunInfo {
    /// The trace or the report, as given.
    pub path: String,
    /// Framework id; null when unknown.
    pub framework: Option<String>,
    /// As it is written for people.
    #[serde(skip)]
    pub about: String,
    /// Its version.
    pub framework_version: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Tensor-parallel size.
    pub tp: Option<i64>,
    /// Device name.
    pub hardware: Option<String>,
    /// Digest of the rules that made the report.
    pub rules: String,
    /// What the capture beside the trace was asked for.
    pub capture: Vec<CaptureValue>,
}

/// Something that is not alike, or that bends the figures of one run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Difference {
    /// What.
    pub what: String,
    /// In the first run; null when unknown.
    pub before: Option<String>,
    /// In the second.
    pub after: Option<String>,
    /// In words.
    pub text: String,
    /// Whether times then answer no one question: a gate on a baseline cannot look.
    pub gates: bool,
}

/// A fuse family, or a pattern of two frameworks, in one stage.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FamilyChange {
    /// `compare/fuse/<family or pattern>/<stage>`.
    pub id: String,
    /// Stage id.
    pub stage: String,
    /// Family id; across frameworks the name of the pattern.
    pub family: String,
    /// Its title.
    pub title: String,
    /// `regressed`, `partly-regressed`, `now-off-by-design`, `appeared-split`, `vanished`, `newly-fused`, `partly-fused`,
    /// `gates-changed`, `appeared`, `confidence-changed`, `same`: the order in which they are listed.
    pub change: &'static str,
    /// Whether tables show it.
    pub shown: bool,
    /// In the first run; null when it is not there.
    pub before: Option<FamilySide>,
    /// In the second.
    pub after: Option<FamilySide>,
    /// GPU time, in the stage's unit.
    pub time: Change,
    /// Why, and what to do.
    pub text: String,
}

/// A family in one run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FamilySide {
    /// `in-use`, `split`, `partly`, `off-by-design`.
    pub state: String,
    /// `Confirmed` or `Candidate`.
    pub confidence: String,
    /// Ids of its rows in the report.
    pub rows: Vec<String>,
    /// Of the stage's summed GPU time.
    pub share_pct: f64,
    /// Matches per step; null without steps.
    pub per_step: Option<f64>,
    /// What the report says of it.
    pub reasons: Vec<String>,
}

/// A stage of both runs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StageChange {
    /// Stage id.
    pub stage: String,
    /// As titles have it.
    #[serde(skip)]
    pub title: String,
    /// `us_per_step`, or `share_pct` of the stage where a run has no steps: what all figures of the stage are in.
    pub unit: Unit,
    /// Steps of the first run.
    pub steps_before: u64,
    /// Steps of the second.
    pub steps_after: u64,
    /// How much the steps of a run differ, in per cent, the larger of the two; null with fewer than two steps in either.
    pub spread_pct: Option<f64>,
    /// Summed GPU time; no figures without steps.
    pub time: Change,
    /// First to last GPU event of a step, where both runs tell.
    pub span: Change,
    /// Launches a step.
    pub launches: Change,
    /// By kind of work, largest difference first.
    pub categories: Vec<PartChange>,
    /// By part of the model as its modules name them; empty where a run does not tell, and across frameworks.
    pub modules: Vec<PartChange>,
    /// Kernels: slower, faster, vanished, appeared, then the rest, each by size of the difference.
    pub kernels: Vec<KernelChange>,
}

/// What figures are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Microseconds a step.
    UsPerStep,
    /// Per cent of the stage's summed GPU time.
    SharePct,
}

/// A figure in both runs.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Change {
    /// In the first run; null when it is not there or cannot be told.
    pub before: Option<f64>,
    /// In the second.
    pub after: Option<f64>,
    /// Second less first; what is not there counts as nothing.
    pub delta: Option<f64>,
    /// The same in per cent of the first.
    pub delta_pct: Option<f64>,
    /// `slower`, `faster` (of shares `more`, `less`); `same`: too little to matter; `noise`: no more than steps vary;
    /// `vanished`, `appeared`; null when it cannot be told.
    pub verdict: Option<&'static str>,
}

/// GPU time of a part.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PartChange {
    /// Category or module.
    pub name: String,
    /// Its time.
    pub time: Change,
}

/// A kernel, or the kernels that do one thing.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct KernelChange {
    /// `compare/<id of its first row>`.
    pub id: String,
    /// Category.
    pub category: String,
    /// Where most of it is launched: module, else site; null when unknown.
    pub place: Option<String>,
    /// `name`: the same kernel; `identifier`: other template arguments; `shape`: other numbers in its name; `place`: the same
    /// kind of work at the same place; null when one side has none.
    pub paired_by: Option<&'static str>,
    /// In the first run.
    pub before: Vec<KernelSide>,
    /// In the second.
    pub after: Vec<KernelSide>,
    /// Its time.
    pub time: Change,
    /// Launches a step; totals without steps.
    pub launches: Change,
}

/// A kernel of one run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct KernelSide {
    /// Id of its row in the report.
    pub row: String,
    /// As the trace has it.
    pub name: String,
    /// Parts of the name, from which tables make a short form that fits.
    #[serde(skip)]
    pub parts: KernelName,
}
