//! `rules/fitness.yaml`: what makes a trace unfit for a question, in words.

use serde::Deserialize;

/// The file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FitnessFile {
    /// Of the format.
    pub version: u32,
    /// Checks in the order in which they are said.
    pub fitness: Vec<FitnessRule>,
}

/// One thing to say.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FitnessRule {
    /// Stable code.
    pub code: String,
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
    /// None of these codes was said.
    #[serde(default)]
    pub unless: Vec<String>,
    /// What is so.
    pub finding: String,
    /// What to do.
    pub fix: String,
}

/// What the program can look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
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
}
