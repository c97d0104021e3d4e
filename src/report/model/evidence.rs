//! What a row rests on: the rule that it comes from, and one occurrence launch by launch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel_name::KernelName;

/// The rule of a row's family, and how its conditions were decided.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RuleInfo {
    /// Why the family is in the catalog, in one sentence.
    pub rationale: String,
    /// `trial`, `stable` or `retired`.
    pub status: String,
    /// First version of the framework with the path; null when all have it.
    pub since: Option<String>,
    /// First version without it.
    pub until: Option<String>,
    /// Date on which it was last checked against the sources.
    pub checked: Option<String>,
    /// Version that it was checked against.
    pub checked_version: Option<String>,
    /// What is matched, in the match language.
    pub clauses: Vec<ClauseInfo>,
    /// How often it must recur to be confirmed: `step`, `layer` or `request`; null for an overlap.
    pub per: Option<String>,
    /// Its conditions.
    pub gates: Vec<GateInfo>,
}

/// One clause of a rule.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ClauseInfo {
    /// Key in the family's file: `fused`, `split`, `after`, `before` or `overlap`.
    pub key: String,
    /// In the match language.
    pub text: String,
}

/// One condition of a rule.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GateInfo {
    /// What it asks for.
    pub wants: String,
    /// `yes`, `no` or `unknown`.
    pub answer: String,
    /// What was found, and where.
    pub found: String,
}

/// One occurrence of a row, the one of median length.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OccurrenceInfo {
    /// `fused` or `split`; of an overlap its verdict.
    pub form: String,
    /// Number of the step; null outside steps.
    pub step: Option<u64>,
    /// First begin to last end.
    pub dur_us: f64,
    /// In start order.
    pub launches: Vec<OccurrenceLaunch>,
}

/// One GPU event of an occurrence.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OccurrenceLaunch {
    /// As the trace has it.
    pub kernel: String,
    /// Parts of the name, from which a short form is made that fits.
    #[serde(skip)]
    pub parts: KernelName,
    /// `counted`; `transparent`: seen through, time apart; `context`: must stand there, not counted. Of an overlap:
    /// `counted`, `partner`, and `near` for what else runs then.
    pub role: String,
    /// Category.
    pub category: String,
    /// Stream as the trace has it.
    pub stream: i64,
    /// From the begin of the occurrence; below 0 for what is near and began before.
    pub start_us: f64,
    /// How long.
    pub dur_us: f64,
}
