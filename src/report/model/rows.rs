//! Rows of the kernel, overlap and fuse tables.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::{OccurrenceInfo, RuleInfo};
use crate::kernel_name::KernelName;

/// One row of the kernel table.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct KernelRow {
    /// `kernel/<stage>/<hash of the whole name>`.
    pub id: String,
    /// Stage id.
    pub stage: String,
    /// Whether tables show it.
    pub shown: bool,
    /// As the trace has it.
    pub name: String,
    /// Own identifier.
    pub identifier: String,
    /// Parts of the name, from which tables make a short form that fits.
    #[serde(skip)]
    pub parts: KernelName,
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
    /// Places, largest time first.
    pub sites: Vec<Site>,
    /// Launching ops, largest time first.
    pub ops: Vec<String>,
}

/// One place of a kernel.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Site {
    /// Call site; null when unknown.
    pub location: Option<String>,
    /// nn.Module path; null when unknown.
    pub module: Option<String>,
    /// Of the kernel's time.
    pub share_pct: f64,
    /// How it was found.
    pub found_by: String,
}

/// One row of the fuse-pattern table.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FuseRow {
    /// `fuse/<family>/<stage>`.
    pub id: String,
    /// Stage id.
    pub stage: String,
    /// Whether tables show it.
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
    /// Why.
    pub reasons: Vec<String>,
    /// Counted launches.
    pub time_us: f64,
    /// Transparent launches.
    pub transparent_us: f64,
    /// Estimate.
    pub could_save_us: Option<f64>,
    /// Launches saved.
    pub launches_saved: Option<u64>,
    /// Of the stage's summed GPU time.
    pub share_pct: f64,
    /// Matches.
    pub occurrences: u64,
    /// Matches per step; null without steps.
    pub per_step: Option<f64>,
    /// Fused half.
    pub fused: HalfInfo,
    /// Split half.
    pub split: HalfInfo,
    /// Evidence.
    pub kernels: Vec<EvidenceKernel>,
    /// Where it runs now.
    pub locations: Vec<Location>,
    /// Fused path that exists.
    pub candidate: Vec<String>,
    /// Action word.
    pub action: String,
    /// In words.
    pub advice: String,
    /// What to type.
    pub toggles: Vec<ToggleInfo>,
    /// Row id that covers it.
    pub covered_by: Option<String>,
    /// Row ids that share launches.
    pub overlaps_with: Vec<String>,
    /// The rule behind it.
    pub rule: RuleInfo,
    /// One occurrence of each form that was found.
    pub examples: Vec<OccurrenceInfo>,
}

/// One half of a finding.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct HalfInfo {
    /// Matches.
    pub n: u64,
    /// Counted time.
    pub us: f64,
}

/// A kernel of a finding.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceKernel {
    /// As the trace has it.
    pub name: String,
    /// Parts of the name, from which tables make a short form that fits.
    #[serde(skip)]
    pub parts: KernelName,
    /// Its counted time in the finding.
    pub time_us: f64,
    /// Its counted launches in the finding.
    pub launches: u64,
}

/// A place of a finding.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// Call site.
    pub location: String,
    /// How it was found.
    pub found_by: String,
}

/// What to type.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ToggleInfo {
    /// Exact spelling.
    pub spelling: String,
    /// Value.
    pub value: String,
}

/// One row of the overlap-opportunity table.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OverlapRow {
    /// `overlap/<family or verdict>/<stage>`, with a hash of the kernel where no family speaks.
    pub id: String,
    /// Stage id.
    pub stage: String,
    /// Whether tables show it.
    pub shown: bool,
    /// `P1` to `P5`.
    pub priority: String,
    /// Word of `rules/overlap.yaml`.
    pub verdict: String,
    /// Kernel with most time, as the trace has it.
    pub kernel: String,
    /// Parts of its name, from which tables make a short form that fits.
    #[serde(skip)]
    pub parts: KernelName,
    /// Its category.
    pub category: String,
    /// Where most of it is launched; null when unknown.
    pub scope: Option<String>,
    /// How that was found.
    pub found_by: String,
    /// Kernel beside which it could run, or runs.
    pub partner: Option<String>,
    /// Parts of its name.
    #[serde(skip)]
    pub partner_parts: Option<KernelName>,
    /// GPU events.
    pub launches: u64,
    /// Sum.
    pub time_us: f64,
    /// Of the stage's summed GPU time.
    pub share_pct: f64,
    /// Time with nothing on another stream.
    pub exclusive_us: f64,
    /// Time with something on another stream.
    pub hidden_us: f64,
    /// Time with compute on another stream.
    pub hidden_by_compute_us: f64,
    /// low, unclear, high.
    pub risk: String,
    /// Instances by risk.
    pub risk_instances: RiskInstances,
    /// Family id.
    pub family: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// Estimate; null where independence is not borne out.
    pub could_save_us: Option<f64>,
    /// Of collectives: time above the fastest of the same message size, possible waiting for other ranks.
    pub waiting_us: Option<f64>,
    /// `shapes` where these tell the size; `grid` where the launch grid stands for it, so that the time is an upper bound.
    pub waiting_by: Option<Cow<'static, str>>,
    /// What to do.
    pub recommendation: String,
    /// What it rests on.
    pub reasons: Vec<String>,
    /// What to type.
    pub toggles: Vec<ToggleInfo>,
    /// The rule of its family; null where no family speaks.
    pub rule: Option<RuleInfo>,
    /// One instance with what runs near it.
    pub example: Option<OccurrenceInfo>,
}

/// Instances by risk.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct RiskInstances {
    /// Something bears out independence.
    pub low: u64,
    /// Nothing does.
    pub unclear: u64,
    /// Recorded waits order them.
    pub high: u64,
}
