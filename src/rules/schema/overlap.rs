//! `rules/overlap.yaml`: when a kernel is worth a row of the overlap table, and what is said of it.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::units::Nanos;

/// Bars, verdicts, priorities and wordings of the overlap table.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverlapFile {
    /// Of the format.
    pub version: u32,
    /// Categories that move data between devices.
    pub communication: Vec<String>,
    /// Overlap within a stream shorter than this is a rounding of the clock.
    pub same_stream_min_us: f64,
    /// How far away in time something is still near enough to run beside a kernel.
    pub within_us: f64,
    /// Part of the shorter side of a family that must run beside the other to say that they overlap.
    pub family_hidden_min_pct: f64,
    /// Verdicts on kernels that no family speaks of; the first that fits is given.
    pub verdicts: Vec<VerdictRule>,
    /// What follows from verdict and risk; the first that fits.
    pub priorities: Vec<PriorityRule>,
    /// Verdict of a family whose sides run apart.
    pub family_exposed: String,
    /// Verdict of a family whose sides run beside each other.
    pub family_hidden: String,
    /// Priority of a row under the bar of the report, whatever its verdict.
    pub small_priority: u8,
    /// What is said of the whole table.
    pub notes: OverlapNotes,
}

/// One verdict.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerdictRule {
    /// Its word.
    pub verdict: String,
    /// On kernels of these categories.
    pub categories: Vec<String>,
    /// At least so much of their time has nothing beside it.
    pub exclusive_min_pct: Option<f64>,
    /// At least so much of their time has something beside it.
    pub hidden_min_pct: Option<f64>,
    /// At least so long in the stage.
    #[serde(default)]
    pub time_min_us: f64,
    /// Only where the trace proves that something near is independent.
    #[serde(default)]
    pub proof: bool,
}

/// One priority.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriorityRule {
    /// Of this verdict.
    pub verdict: String,
    /// At one of these risks; empty: at any.
    #[serde(default)]
    pub risk: Vec<String>,
    /// 1 is looked at first.
    pub priority: u8,
    /// What to do, and why.
    pub recommend: String,
}

/// Sentences of the table.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverlapNotes {
    /// One trace alone.
    pub single_trace: String,
    /// Added where places are unknown.
    pub needs_pair: String,
    /// Added where kernels overlap within a stream; {n} and {time} are filled in.
    pub same_stream: String,
    /// Why there is no row: one stream.
    pub one_stream: String,
    /// Why there is no row: several streams.
    pub several_streams: String,
}

impl OverlapFile {
    /// [`Self::same_stream_min_us`].
    pub fn same_stream_min(&self) -> Nanos {
        of_us(self.same_stream_min_us)
    }

    /// [`Self::within_us`].
    pub fn within(&self) -> Nanos {
        of_us(self.within_us)
    }

    /// Whether a category moves data between devices.
    pub fn is_communication(&self, category: &str) -> bool {
        self.communication.iter().any(|name| name == category)
    }

    /// Verdicts and priorities that speak of each other, or what is missing.
    pub fn check(&self) -> Result<(), String> {
        let verdicts = self.verdicts.iter().map(|rule| &rule.verdict);
        for verdict in verdicts.chain([&self.family_exposed, &self.family_hidden]) {
            for risk in ["low", "unclear", "high"] {
                if self.priority(verdict, risk).is_none() {
                    return Err(format!("no priority for verdict `{verdict}` at risk {risk}"));
                }
            }
        }
        match self.priorities.iter().find(|rule| !(1..=5).contains(&rule.priority)) {
            Some(rule) => Err(format!("priority {} of `{}`: expected 1 to 5", rule.priority, rule.verdict)),
            None => Ok(()),
        }
    }

    /// What follows from a verdict at a risk.
    pub fn priority(&self, verdict: &str, risk: &str) -> Option<&PriorityRule> {
        let at = |rule: &&PriorityRule| rule.risk.is_empty() || rule.risk.iter().any(|one| one == risk);
        self.priorities.iter().filter(|rule| rule.verdict == verdict).find(at)
    }
}

/// Microseconds of a rule file as time.
pub fn of_us(us: f64) -> Nanos {
    Nanos((us * 1000.0).round() as i64)
}
