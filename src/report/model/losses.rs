//! What of the traces is in no figure, or was not read as it was written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// All that was skipped, repaired or left open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Losses {
    /// Events of known kinds that no figure needs, by category (of those without one: by phase).
    pub not_needed: BTreeMap<String, u64>,
    /// Events of categories that the rules do not know.
    pub unknown_categories: BTreeMap<String, u64>,
    /// Events that could not be read.
    pub broken_events: Vec<BrokenEvents>,
    /// Distinct texts with broken escapes, broken UTF-8 or bare control characters.
    pub repaired_texts: u64,
    /// GPU events whose launch call is not in the trace.
    pub without_launch: u64,
    /// Conditions of rows that nothing in the traces decides.
    pub undecided_gates: Vec<UndecidedGate>,
    /// Families whose chains cost more steps than they may: they have no row, whatever is in the traces.
    #[serde(default)]
    pub given_up: Vec<GivenUp>,
}

/// A family that was not searched for to the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GivenUp {
    /// The trace.
    pub path: String,
    /// Whose chain it is.
    pub family: String,
    /// `fused`, `split`, or `similar` where only what is near it was searched for.
    pub form: String,
}

/// Events of one trace that could not be read, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BrokenEvents {
    /// The trace.
    pub path: String,
    /// Why.
    pub reason: String,
    /// How many.
    pub count: u64,
    /// Place of the first in the list of events, from 0.
    pub first: u64,
}

/// A condition that nothing decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UndecidedGate {
    /// Whose it is.
    pub family: String,
    /// In which stage.
    pub stage: String,
    /// What it asks for.
    pub wants: String,
    /// What was found, and what would decide it.
    pub found: String,
}
