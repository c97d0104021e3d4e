//! `rules/attribution.yaml`: how launches are found.

use schemars::JsonSchema;
use serde::Deserialize;

use super::pattern::{PatternText, patterns};
use crate::attribution::{Calls, Settings};
use crate::units::Nanos;

/// The file as written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttributionFile {
    /// Version of the format.
    pub version: u32,
    calls: CallNames,
    #[serde(default)]
    rank_labels: Vec<PatternText>,
    #[serde(default)]
    label_ranks: Vec<PatternText>,
    #[serde(default)]
    tp_labels: Vec<PatternText>,
    slack_ns: i64,
    host_min_ns: i64,
    prefix_percent: usize,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct CallNames {
    graph_launch: Vec<PatternText>,
    capture_begin: Vec<PatternText>,
    capture_end: Vec<PatternText>,
    kernel: Vec<PatternText>,
    copy: Vec<PatternText>,
    set: Vec<PatternText>,
}

impl AttributionFile {
    /// Fills its part of the settings.
    pub fn fill(self, settings: &mut Settings) {
        let calls = self.calls;
        settings.calls = Calls {
            graph_launch: patterns(calls.graph_launch),
            capture_begin: patterns(calls.capture_begin),
            capture_end: patterns(calls.capture_end),
            kernel: patterns(calls.kernel),
            copy: patterns(calls.copy),
            set: patterns(calls.set),
        };
        settings.rank_labels = patterns(self.rank_labels);
        settings.label_ranks = patterns(self.label_ranks);
        settings.tp_labels = patterns(self.tp_labels);
        settings.slack = Nanos(self.slack_ns);
        settings.host_min = Nanos(self.host_min_ns);
        settings.prefix_percent = self.prefix_percent;
    }
}
