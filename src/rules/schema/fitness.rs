//! `rules/fitness.yaml`: what makes a trace unfit for a question, in words.

use schemars::JsonSchema;
use serde::Deserialize;

/// The file.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FitnessFile {
    /// Of the format.
    pub version: u32,
    /// Checks in the order in which they are said.
    pub fitness: Vec<FitnessRule>,
}

/// One thing to say.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FitnessRule {
    /// Stable code.
    pub code: String,
    /// How bad it is.
    #[serde(default)]
    pub level: FitnessLevel,
    /// All of these hold.
    pub when: Vec<FitnessCheck>,
    /// Of these categories at least one event was seen and not kept.
    #[serde(default)]
    pub skipped: Vec<String>,
    /// The reader or attribution gave a warning of this code; its words are `{text}`.
    #[serde(default)]
    pub warning: Option<String>,
    /// The share of GPU time that the last check found is over this.
    #[serde(default)]
    pub over_pct: Option<f64>,
    /// The number that the last check found is under this.
    #[serde(default)]
    pub under: Option<u64>,
    /// For checks that compare a step with the others: so many times their median, and no less.
    #[serde(default)]
    pub times: Option<f64>,
    /// For checks of frames: parts of enclosing Python frames, any of them.
    #[serde(default)]
    pub frames: Vec<String>,
    /// None of these codes was said.
    #[serde(default)]
    pub unless: Vec<String>,
    /// What is so.
    pub finding: String,
    /// What to do.
    pub fix: String,
    /// The same where a mapping trace was given already.
    #[serde(default)]
    pub fix_of_pair: Option<String>,
    /// The same in the words of a framework and its version; the first that fits.
    #[serde(default)]
    pub fixes: Vec<FrameworkFix>,
}

/// What to do in one framework.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrameworkFix {
    /// Framework id.
    pub framework: String,
    /// First version.
    #[serde(default)]
    pub since: Option<String>,
    /// First version without it.
    #[serde(default)]
    pub until: Option<String>,
    /// What to do.
    pub fix: String,
}

/// What a finding means for the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FitnessLevel {
    /// The report has nothing to rest on.
    Unfit,
    /// Some of its questions stay open.
    #[default]
    Limits,
    /// Worth knowing; said by `doctor`, not above the tables.
    Note,
}

impl FitnessLevel {
    /// The word in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Unfit => "unfit",
            Self::Limits => "limits",
            Self::Note => "note",
        }
    }
}

/// What the program can look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FitnessCheck {
    /// Nothing is asked.
    Always,
    /// No kernel, copy or set.
    NoGpuEvents,
    /// GPU events of a graph capture only.
    OnlyCapture,
    /// Graph launches without kernels.
    GraphKernelsMissing,
    /// GPU events of graph replays whose place is unknown.
    ReplayWithoutPlaces,
    /// No GPU event has a launch call.
    NoLaunchCalls,
    /// Some have none.
    SomeWithoutLaunch,
    /// No launch has a CPU op.
    NoCpuOps,
    /// No launch has a Python frame.
    NoPythonFrames,
    /// No step annotation.
    NoSteps,
    /// Steps that the file cuts.
    CutSteps,
    /// More ranks than this.
    OneRankOfMany,
    /// More devices than this.
    DevicesLeft,
    /// Framework unknown.
    FrameworkUnknown,
    /// Model unknown.
    ModelUnknown,
    /// Events that were left out since they are broken.
    BrokenEvents,
    /// A file of the process that takes requests was read, for want of another.
    FrontendFile,
    /// Shapes were not recorded though ops were.
    NoShapes,
    /// A step of a stage that takes `times` the median of the others.
    LongStep,
    /// The number of whole steps.
    WholeSteps,
    /// Launches inside one of `frames`.
    Frames,
    /// Launch-bound steps of a trace with Python stacks.
    StacksWhileLaunchBound,
    /// Families that only a place could find, in a trace where places are unknown.
    FamiliesCouldNotLook,
}
