//! What the engine found: one row a family and stage, with the launches that prove it.

use crate::attribution::{LaunchId, Stage};
use crate::units::Nanos;

/// State of a family in a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The fused form runs.
    InUse,
    /// The split form runs.
    Split,
    /// Both run.
    Partly,
    /// Split, and a known condition of the fused path is unmet.
    OffByDesign,
}

impl State {
    /// The word in tables and JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::InUse => "in-use",
            Self::Split => "split",
            Self::Partly => "partly",
            Self::OffByDesign => "off-by-design",
        }
    }
}

/// How sure a finding is: about evidence, never about share of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// All decided, and the chain recurs as it should.
    Confirmed,
    /// Something is undecided; the reasons say what.
    Candidate,
}

impl Confidence {
    /// The word in tables and JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Confirmed => "Confirmed",
            Self::Candidate => "Candidate",
        }
    }
}

/// What to do about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Nothing: in use.
    None,
    /// A toggle is known to be off.
    TurnOn,
    /// It should apply; see why not.
    Check,
    /// Was fused before (pair of traces).
    Regressed,
    /// Is fused now (pair of traces).
    NewlyFused,
    /// The version is too old.
    Upgrade,
    /// In an open pull request.
    InFlight,
    /// A condition of the fused path is unmet.
    OffByDesign,
}

impl Action {
    /// The word in tables and JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::TurnOn => "turn-on",
            Self::Check => "check",
            Self::Regressed => "regressed",
            Self::NewlyFused => "newly-fused",
            Self::Upgrade => "upgrade",
            Self::InFlight => "in-flight",
            Self::OffByDesign => "off-by-design",
        }
    }
}

/// One match of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// The launches that count, in order.
    pub launches: Vec<LaunchId>,
    /// Transparent launches inside, and between `after:` and the first link.
    pub transparent: Vec<LaunchId>,
    /// Launches in `[ ]`: shown, not counted.
    pub context: Vec<LaunchId>,
    /// True when some link matched only through an unknown.
    pub unknown: bool,
    /// True when an edge was inferred by time.
    pub inferred: bool,
}

/// Occurrences of one form with their exact sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Half {
    /// Matches in order.
    pub occurrences: Vec<Occurrence>,
    /// Sum of counted launches.
    pub time: Nanos,
    /// Sum of transparent launches.
    pub transparent: Nanos,
}

/// One row of the fuse table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Index of the family in the rule set.
    pub family: usize,
    /// Stage.
    pub stage: Stage,
    /// State.
    pub state: State,
    /// How sure.
    pub confidence: Confidence,
    /// Why it is a Candidate, which condition is unmet, what was inferred: whole sentences without a full stop.
    pub reasons: Vec<String>,
    /// Fused form.
    pub fused: Half,
    /// Split form.
    pub split: Half,
    /// GPU time saved if the fused kernel costs as much as the longest kernel of each occurrence. An estimate.
    pub could_save: Nanos,
    /// Launches saved.
    pub launches_saved: u64,
    /// What to do.
    pub action: Action,
    /// The same in words, in the spelling of the trace's version.
    pub advice: String,
    /// Id of the finding's family that covers it in this stage.
    pub covered_by: Option<usize>,
    /// Families that share some launches, neither within the other.
    pub overlaps_with: Vec<usize>,
}
