//! The report: the JSON contract `llm-prof.triage/1`, field for field. All formats print the same report; none computes.
//!
//! Here: the report, its header and what stands around the tables. In `model/rows.rs`: the rows of the three tables.

mod evidence;
mod rows;

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ranks::Ranks;
use super::{StepTimeline, TimelineInfo};
use crate::kernel_name::KernelName;

pub use evidence::*;
pub use rows::*;

/// A whole report.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// `llm-prof.triage/1`.
    pub schema: Cow<'static, str>,
    /// Name and version of the tool.
    pub tool: Tool,
    /// Version, digest and number of families.
    pub rules: RulesInfo,
    /// `single-trace` or `mapping-formal`.
    pub mode: Cow<'static, str>,
    /// Every file looked at.
    pub traces: Vec<TraceInfo>,
    /// What makes the traces unfit for a question, each with the fix.
    pub fitness: Vec<Fitness>,
    /// How launches were attributed.
    pub attribution: Attribution,
    /// Framework id; null when unknown.
    pub framework: Option<String>,
    /// As it is written for people.
    #[serde(skip)]
    pub framework_title: Option<String>,
    /// Its version.
    pub framework_version: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Tensor-parallel size.
    pub tp: Option<i64>,
    /// Device name.
    pub hardware: Option<String>,
    /// Server arguments that matter to a family.
    pub server_args: ServerArgs,
    /// What was asked of the capture; null when the traces have no such file beside them.
    pub capture: Option<CaptureInfo>,
    /// Steps by stage id.
    pub steps: BTreeMap<String, u64>,
    /// GPU time and steps.
    pub gpu: Gpu,
    /// Stages in order, with what the tables are shares of.
    pub stages: Vec<StageInfo>,
    /// Kernel table.
    pub kernels: Vec<KernelRow>,
    /// Fuse-pattern table.
    pub fuse: Vec<FuseRow>,
    /// Overlap-opportunity table.
    pub overlap: Vec<OverlapRow>,
    /// How the overlap table is to be read.
    pub overlap_note: String,
    /// Why a stage has no row in it, by stage id.
    pub overlap_why: BTreeMap<String, String>,
    /// Several ranks beside each other; null when one rank was asked for.
    pub ranks: Option<Ranks>,
    /// How many rows of them a stage has in text and markdown.
    #[serde(skip)]
    pub rank_rows: usize,
    /// A typical stretch of each stage that has one; null unless asked for.
    pub timelines: Option<Vec<TimelineInfo>>,
    /// A typical step of each stage; null unless a timeline or a page was asked for.
    pub typical_steps: Option<Vec<StepTimeline>>,
    /// Rows that the tables hide.
    pub hidden_rows: HiddenRows,
    /// Similarity note.
    pub note: Option<Note>,
    /// Runs of launches near nothing known.
    pub new_candidates: Vec<NewCandidate>,
    /// One line.
    pub summary: String,
}

/// What was asked of a capture, by the file beside its traces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaptureInfo {
    /// The file.
    pub source: String,
    /// Host of the server, by its URL.
    pub host: Option<String>,
    /// When the first profile was begun, such as `2026-11-24T10:00:00Z`.
    pub date: Option<String>,
    /// Tokens in and out of the requests, by stage.
    pub work: String,
    /// Of the prompts.
    pub seed: Option<u64>,
    /// Which requests of a benchmark the work stands for.
    pub bucket: Option<String>,
    /// Words of the user.
    pub note: Option<String>,
}

/// The tool.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `llm-prof`.
    pub name: Cow<'static, str>,
    /// Its version.
    pub version: Cow<'static, str>,
}

/// The rules.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RulesInfo {
    /// Catalog version.
    pub version: String,
    /// Digest of all rule files.
    pub digest: String,
    /// Number of families.
    pub families: usize,
}

/// One file that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceInfo {
    /// As given.
    pub path: String,
    /// `trace`, `formal`, `mapping`, `capture`, `frontend`, `merged`, `not-a-trace`.
    pub role: String,
    /// Stage by folder and file name, when they say one.
    pub stage: Option<String>,
    /// Rank, when known.
    pub rank: Option<i64>,
    /// Host that it was taken on, when its header says.
    pub host: Option<String>,
    /// When its first GPU event ran, such as `2026-11-24T10:00:00Z`; null when its clock does not tell.
    pub date: Option<String>,
    /// Device analysed.
    pub device: Option<String>,
    /// Whether figures come from it.
    pub taken: bool,
    /// Why taken or left.
    pub reason: String,
    /// Warnings of the reader.
    pub warnings: Vec<String>,
}

/// One thing that makes a trace unfit for a question.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Fitness {
    /// Stable code.
    pub code: String,
    /// `unfit`: nothing to judge; `limits`: some questions stay open; `note`: worth knowing.
    pub level: String,
    /// What is so.
    pub finding: String,
    /// What to do.
    pub fix: String,
}

/// How launches were attributed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Attribution {
    /// GPU events.
    pub launches: u64,
    /// CPU op by External id.
    pub by_id: u64,
    /// CPU op by enclosure in time.
    pub by_time: u64,
    /// By position in the graph capture.
    pub by_position: u64,
    /// By alignment with the mapping trace.
    pub by_mapping: u64,
    /// GPU events whose CPU op stays unknown, those without a launch call included: with the four above, all of them.
    pub without_op: u64,
    /// GPU events without a launch call.
    pub without_launch: u64,
    /// Launch calls inside a graph capture.
    pub capture_launches: u64,
}

/// Server arguments.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct ServerArgs {
    /// File they come from.
    pub source: Option<String>,
    /// Name to JSON value.
    pub fields: BTreeMap<String, serde_json::Value>,
}

/// GPU time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Gpu {
    /// Sum of all GPU events.
    pub total_us: f64,
    /// Number of GPU events.
    pub launches: u64,
    /// Each device of each trace taken.
    pub devices: Vec<DeviceInfo>,
    /// Overlap within streams, which hides nothing.
    pub same_stream: SameStreamInfo,
    /// Each step.
    pub steps: Vec<StepInfo>,
}

/// GPU events that began before the one before them on their own stream had ended (programmatic dependent launch).
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct SameStreamInfo {
    /// How many.
    pub pairs: u64,
    /// For how long in all.
    pub us: f64,
}

/// One device of a trace.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DeviceInfo {
    /// As the trace names it.
    pub device: String,
    /// Sum of its GPU events.
    pub total_us: f64,
    /// GPU events.
    pub launches: u64,
    /// Whether the figures are made of it.
    pub taken: bool,
}

/// One stage: the whole that its rows are shares of.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StageInfo {
    /// Stage id.
    pub stage: String,
    /// As titles have it.
    #[serde(skip)]
    pub title: &'static str,
    /// Sum of its GPU events.
    pub time_us: f64,
    /// GPU events.
    pub launches: u64,
    /// Steps of this stage.
    pub steps: u64,
    /// Time a step; null without steps.
    pub time_per_step_us: Option<f64>,
    /// Categories, largest first.
    pub categories: Vec<CategoryShare>,
    /// How many rows of the kernel table are shown, and what the others take.
    pub kernels: Cut,
    /// The same for the fuse-pattern table.
    pub fuse: Cut,
    /// The same for the overlap-opportunity table.
    pub overlap: Cut,
    /// Streams on which its GPU events ran.
    pub streams: u64,
    /// False for GPU events outside every step when they are under the bar: tables leave the section out.
    pub shown: bool,
}

/// GPU time of a category.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CategoryShare {
    /// Category.
    pub category: String,
    /// Sum.
    pub time_us: f64,
    /// Of the stage's summed GPU time.
    pub share_pct: f64,
    /// GPU events.
    pub launches: u64,
}

/// What a table cuts off.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Cut {
    /// Rows there are.
    pub total: u64,
    /// Rows shown.
    pub shown: u64,
    /// Share of the stage in rows that are not shown (rows of fuse patterns may share launches, so theirs is null).
    pub hidden_pct: Option<f64>,
}

/// One step.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StepInfo {
    /// Stage id.
    pub stage: String,
    /// Number in the trace, from 0.
    pub n: u64,
    /// First to last GPU event launched in it; null when it cannot be told.
    pub span_us: Option<f64>,
    /// Union of its GPU events.
    pub busy_us: Option<f64>,
    /// Span less busy.
    pub idle_us: Option<f64>,
    /// Idle time in which nothing was queued: the GPU waited for the host to launch; null when it cannot be told.
    pub host_bound_us: Option<f64>,
    /// GPU events launched in it.
    pub launches: u64,
    /// Tokens of the step, when its annotation says.
    pub tokens: Option<i64>,
    /// Requests of the step, when its annotation says.
    pub requests: Option<i64>,
    /// Whether the host is too slow for the GPU; null when it cannot be told.
    pub launch_bound: Option<bool>,
    /// Why idle time cannot be told: a code of the fitness list; null where it can.
    pub idle_unknown: Option<Cow<'static, str>>,
    /// Sum of its communication.
    pub communication_us: f64,
    /// What of it has nothing beside it.
    pub exposed_communication_us: f64,
    /// Number of gaps over the bar.
    pub gaps_total: u64,
    /// The longest of them.
    pub gaps: Vec<GapInfo>,
}

/// Time in a step in which nothing ran on the GPU.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GapInfo {
    /// From the first GPU event of the step.
    pub start_us: f64,
    /// How long.
    pub dur_us: f64,
    /// `host`: what ends it was launched only when the GPU had run dry; `queued`: it was launched before, and the GPU
    /// waited for something else; `unknown`: no launch call is in the trace.
    pub cause: Cow<'static, str>,
    /// The part before the launch call; null when there is none.
    pub host_us: Option<f64>,
    /// What ran before it.
    pub after: GapEdge,
    /// What ended it.
    pub ended_by: GapEdge,
    /// Where the host was for most of its part: the innermost Python frame.
    pub host_frame: Option<String>,
    /// The innermost CPU op.
    pub host_op: Option<String>,
    /// The runtime or driver call.
    pub host_call: Option<String>,
}

/// One side of a gap.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GapEdge {
    /// As the trace has it.
    pub kernel: String,
    /// Parts of the name, from which lines make a short form that fits.
    #[serde(skip)]
    pub parts: KernelName,
    /// Launching op.
    pub op: Option<String>,
    /// Call site.
    pub location: Option<String>,
}

/// Rows that the tables hide.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct HiddenRows {
    /// Share of the stage under which a row is hidden.
    pub min_share_pct: f64,
    /// Rows a stage beyond which a row of a table without a limit of its own is hidden; null when there is no limit.
    pub limit: Option<usize>,
    /// Kernel table.
    pub kernels: u64,
    /// Fuse-pattern table.
    pub fuse: u64,
    /// Overlap-opportunity table.
    pub overlap: u64,
}

/// Launches that no row explains are similar to a family.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// `high`, `medium` or `low`.
    pub level: Cow<'static, str>,
    /// Id of the family.
    pub family: String,
    /// `mainline`, `upstream` or `inflight`.
    pub origin: Cow<'static, str>,
    /// Stage.
    pub stage: String,
    /// From 0 to 100.
    pub score: u32,
    /// What it rests on.
    pub cues: Vec<String>,
    /// Names of the kernels, as the trace has them, in order.
    pub kernels: Vec<String>,
    /// How often.
    pub occurrences: u64,
    /// Time of all of them.
    pub time_us: f64,
    /// The same of the stage's GPU time.
    pub share_pct: f64,
    /// One flat line.
    pub text: String,
}

/// Launches that run one after the other, explained by no row and near no family.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NewCandidate {
    /// Stage.
    pub stage: String,
    /// Names of the kernels, as the trace has them, in order.
    pub kernels: Vec<String>,
    /// How often.
    pub occurrences: u64,
    /// Time of all of them.
    pub time_us: f64,
    /// The same of the stage's GPU time.
    pub share_pct: f64,
    /// The family that came nearest, if any did.
    pub nearest: Option<String>,
    /// One flat line.
    pub text: String,
}
