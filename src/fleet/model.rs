//! The five tables of a fleet, column for column: what `llm-prof fleet tables` prints and `DIR/*.ndjson` hold.
//!
//! Columns are added, never renamed within a major version of the tool; what is not known is null. Times are `*_us` floats
//! as in the report that a row comes from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One line of NDJSON: a row with the name of its table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "table", rename_all = "lowercase")]
pub enum Row {
    /// Of `runs`: one a report.
    Runs(Box<RunRow>),
    /// Of `steps`: one a step.
    Steps(Box<StepRow>),
    /// Of `kernels`: one a kernel and stage.
    Kernels(Box<KernelRow>),
    /// Of `findings`: one a family and stage.
    Findings(Box<FindingRow>),
    /// Of `overlap`: one a row of the overlap-opportunity table.
    Overlap(Box<OverlapRow>),
}

/// Names of the tables, in the order in which the rows of a report come.
pub const TABLES: [&str; 5] = ["runs", "steps", "kernels", "findings", "overlap"];

/// What a row is of; the same columns in every table. `trace` and `stage` with `n` or `id` name a row of a fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Key {
    /// The trace that the report is of, as given; of several the first.
    pub trace: String,
    /// What the traces of one run have in common: the path without rank, stage and endings.
    pub run: String,
    /// The host that it was taken on: by the trace, by the file of its capture, by its path.
    pub host: Option<String>,
    /// The host; where it is not known, the run stands for it.
    pub server: String,
    /// Rank.
    pub rank: Option<i64>,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunRow {
    /// What it is of.
    #[serde(flatten)]
    pub key: Key,
    /// When the trace was taken: a moment (`2026-11-24T10:00:00Z`) by the trace's clock, or a day (`2026-11-24`) by its
    /// path.
    pub date: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Tensor-parallel size.
    pub tp: Option<i64>,
    /// Framework id.
    pub framework: Option<String>,
    /// Its version.
    pub framework_version: Option<String>,
    /// Device name.
    pub hardware: Option<String>,
    /// `single-trace` or `mapping-formal`.
    pub mode: String,
    /// Version of llm-prof.
    pub tool_version: String,
    /// Version of the catalog.
    pub rules_version: String,
    /// Digest of all rule files.
    pub rules_digest: String,
    /// Sum of all GPU events.
    pub gpu_us: f64,
    /// GPU events.
    pub launches: u64,
    /// Steps of all stages.
    pub steps: u64,
    /// Stages with GPU events, joined by `, `.
    pub stages: String,
    /// Whether there is nothing to judge.
    pub unfit: bool,
    /// Codes of what makes the trace unfit for a question, joined by `, `.
    pub fitness: String,
    /// Server arguments that matter to a family, as the text of a JSON object.
    pub server_args: String,
    /// One line.
    pub summary: String,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepRow {
    /// What it is of.
    #[serde(flatten)]
    pub key: Key,
    /// Stage id.
    pub stage: String,
    /// Number in the trace, from 0.
    pub n: u64,
    /// First to last GPU event.
    pub span_us: Option<f64>,
    /// Union of its GPU events.
    pub busy_us: Option<f64>,
    /// Span less busy.
    pub idle_us: Option<f64>,
    /// Idle time in which the GPU waited for the host.
    pub host_bound_us: Option<f64>,
    /// Sum of its communication.
    pub communication_us: f64,
    /// What of it has nothing beside it.
    pub exposed_communication_us: f64,
    /// GPU events.
    pub launches: u64,
    /// Tokens, when its annotation says.
    pub tokens: Option<i64>,
    /// Requests, when its annotation says.
    pub requests: Option<i64>,
    /// Whether the host is too slow for the GPU.
    pub launch_bound: Option<bool>,
}

/// A kernel in a stage. All rows of a stage add up to its GPU time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KernelRow {
    /// What it is of.
    #[serde(flatten)]
    pub key: Key,
    /// Stage id.
    pub stage: String,
    /// `kernel/<stage>/<hash of the whole name>`.
    pub id: String,
    /// Whether the report shows it.
    pub shown: bool,
    /// As the trace has it.
    pub name: String,
    /// Own identifier.
    pub identifier: String,
    /// Category.
    pub category: String,
    /// Sum.
    pub time_us: f64,
    /// Of the stage's summed GPU time.
    pub share_pct: f64,
    /// GPU events.
    pub launches: u64,
    /// Time with nothing on another stream.
    pub exclusive_us: Option<f64>,
    /// Time with something on another stream.
    pub hidden_us: Option<f64>,
    /// Time with compute on another stream.
    pub hidden_by_compute_us: Option<f64>,
    /// The call site with most of its time.
    pub location: Option<String>,
    /// The nn.Module of that site.
    pub module: Option<String>,
}

/// A family in a stage: a row of the fuse-pattern table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FindingRow {
    /// What it is of.
    #[serde(flatten)]
    pub key: Key,
    /// Stage id.
    pub stage: String,
    /// `fuse/<family>/<stage>`.
    pub id: String,
    /// Whether the report shows it.
    pub shown: bool,
    /// Family id.
    pub family: String,
    /// Its title.
    pub title: String,
    /// mainline, upstream, inflight.
    pub origin: String,
    /// in-use, split, partly, off-by-design.
    pub state: String,
    /// Confirmed or Candidate.
    pub confidence: String,
    /// Action word.
    pub action: String,
    /// Counted launches.
    pub time_us: f64,
    /// Of the stage's summed GPU time.
    pub share_pct: f64,
    /// GPU time of the stage.
    pub stage_us: f64,
    /// Estimate.
    pub could_save_us: Option<f64>,
    /// The part of that estimate that may be added up over rows: 0 where another row of this report already counts these
    /// launches (`covered_by`, `overlaps_with`), null where there is no estimate.
    pub at_stake_us: Option<f64>,
    /// Launches saved.
    pub launches_saved: Option<u64>,
    /// Matches.
    pub occurrences: u64,
    /// Matches per step.
    pub per_step: Option<f64>,
    /// Matches of the fused form.
    pub fused_n: u64,
    /// Their time.
    pub fused_us: f64,
    /// Matches of the split form.
    pub split_n: u64,
    /// Their time.
    pub split_us: f64,
    /// Id of the row that covers it.
    pub covered_by: Option<String>,
    /// Ids of rows that share launches with it, joined by `, `.
    pub overlaps_with: String,
    /// What to type, joined by `, `.
    pub toggles: String,
    /// In words.
    pub advice: String,
}

/// A row of the overlap-opportunity table. Rows may share launches: their estimates are not to be added up within a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OverlapRow {
    /// What it is of.
    #[serde(flatten)]
    pub key: Key,
    /// Stage id.
    pub stage: String,
    /// `overlap/<family or verdict>/<stage>`, with a hash of the kernel where no family speaks.
    pub id: String,
    /// Whether the report shows it.
    pub shown: bool,
    /// Family id.
    pub family: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// `P1` to `P5`.
    pub priority: String,
    /// Word of `rules/overlap.yaml`.
    pub verdict: String,
    /// Kernel with most time, as the trace has it.
    pub kernel: String,
    /// Its category.
    pub category: String,
    /// Where most of it is launched.
    pub scope: Option<String>,
    /// Kernel beside which it could run, or runs.
    pub partner: Option<String>,
    /// GPU events.
    pub launches: u64,
    /// Sum.
    pub time_us: f64,
    /// Of the stage's summed GPU time.
    pub share_pct: f64,
    /// GPU time of the stage.
    pub stage_us: f64,
    /// Time with nothing on another stream.
    pub exclusive_us: f64,
    /// Time with something on another stream.
    pub hidden_us: f64,
    /// Time with compute on another stream.
    pub hidden_by_compute_us: f64,
    /// low, unclear, high.
    pub risk: String,
    /// Estimate; null where independence is not borne out.
    pub could_save_us: Option<f64>,
    /// Of collectives: possible waiting for other ranks.
    pub waiting_us: Option<f64>,
    /// What to do.
    pub recommendation: String,
    /// What to type, joined by `, `.
    pub toggles: String,
}
