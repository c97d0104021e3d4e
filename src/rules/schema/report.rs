//! `rules/report.yaml`: how the report reads.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Bars and wordings of the report.
#[derive(Clone, Debug, Default, Deserialize)]
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
    /// Which gaps of a step are listed.
    pub gaps: GapSettings,
    /// What `--timeline` takes for typical.
    pub timeline: TimelineSettings,
    /// Other ways to write a framework, to its id.
    pub aliases: BTreeMap<String, String>,
}

/// What turns graphs on, in some versions and stages.
#[derive(Clone, Debug, Deserialize)]
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

/// Which gaps of a step are listed.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GapSettings {
    /// None shorter than this.
    pub min_us: f64,
    /// At most so many a step, longest first.
    pub most: usize,
}

/// What the summary names.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SummarySettings {
    /// At most so many categories a stage.
    pub categories: usize,
    /// None under so much, the first excepted.
    pub category_min_pct: f64,
}

/// What `--timeline` takes for a stretch that recurs.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimelineSettings {
    /// At most so many launches of one stream.
    pub launches: usize,
    /// At least so many different kernels.
    pub kernels: usize,
    /// All of them take at least this part of the main stream's GPU time.
    pub cover_pct: f64,
}
