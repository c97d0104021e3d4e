//! `rules/report.yaml`: how the report reads.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// Bars and wordings of the report.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportFile {
    /// Of the format.
    pub version: u32,
    /// Share under which rows are hidden unless the user says otherwise.
    pub min_share_pct: f64,
    /// Part of a step's span that the GPU must wait for the host to call the step launch-bound.
    pub launch_bound_pct: f64,
    /// What the summary names.
    pub summary: SummarySettings,
    /// Frameworks as people write them, by id.
    pub titles: BTreeMap<String, String>,
    /// Server arguments shown beside those that families name.
    pub server_args: Vec<String>,
    /// What turns graphs on, by framework id; `other` when the framework is unknown.
    pub graphs: BTreeMap<String, Vec<GraphSwitch>>,
    /// What is said of several ranks.
    pub ranks: RankSettings,
    /// Which gaps of a step are listed.
    pub gaps: GapSettings,
    /// What `--timeline` takes for typical.
    pub timeline: TimelineSettings,
    /// Other ways to write a framework, to its id.
    pub aliases: BTreeMap<String, String>,
}

/// What turns graphs on, in some versions and stages.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GraphSwitch {
    /// First version with this spelling.
    pub since: Option<String>,
    /// First version without it.
    pub until: Option<String>,
    /// In these stages only; empty: in all.
    #[serde(default)]
    pub stages: Vec<String>,
    /// What to do.
    pub say: String,
}

/// What is said of several ranks.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RankSettings {
    /// Time a step of a category over the median of the ranks, in per cent of the median ..
    pub over_pct: f64,
    /// .. and in per cent of the stage, from which on a rank is slow in it.
    pub share_pct: f64,
    /// At most so many rows in text and markdown.
    pub rows: usize,
    /// Launches of a collective that must run on all ranks at once, in per cent, where no group is recorded.
    pub tied_pct: u64,
    /// A collective that begins on one rank this much after it began on another is late there.
    pub late_us: f64,
    /// A rank that is last in so many of the late ones is named.
    pub late_pct: f64,
}

/// Which gaps of a step are listed.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GapSettings {
    /// None shorter than this.
    pub min_us: f64,
    /// At most so many a step, longest first.
    pub most: usize,
}

/// What the summary names.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SummarySettings {
    /// At most so many categories a stage.
    pub categories: usize,
    /// None under so much, the first excepted.
    pub category_min_pct: f64,
}

/// What `--timeline` takes for a stretch that recurs.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimelineSettings {
    /// At most so many launches of one stream.
    pub launches: usize,
    /// At least so many different kernels.
    pub kernels: usize,
    /// All of them take at least this part of the main stream's GPU time.
    pub cover_pct: f64,
    /// A shorter stretch is taken for the one that recurs most when it repeats at least this part of what that one does.
    pub as_good_pct: usize,
    /// Stretches are alike when at least this part of their launches are of the same kernels.
    pub alike_pct: usize,
}
