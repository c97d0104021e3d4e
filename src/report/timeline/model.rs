//! The stretch of a stage as JSON has it, for whoever draws it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel_name::KernelName;

/// One stretch of a stage: what its main stream repeats, and what other streams do meanwhile.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TimelineInfo {
    /// Stage id.
    pub stage: String,
    /// Number of the step; null outside steps.
    pub step: Option<u64>,
    /// Innermost module class around all of it; null when unknown.
    pub module: Option<String>,
    /// Which of the step it is, from 1.
    pub n: u64,
    /// How many the step has.
    pub of: u64,
    /// How many the stage has, of which this is the one of median length.
    pub windows: u64,
    /// First to last on the main stream.
    pub dur_us: f64,
    /// Time in which nothing ran.
    pub idle_us: f64,
    /// What ran in it, in start order.
    pub launches: Vec<TimelineLaunch>,
}

/// One GPU event of a stretch.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TimelineLaunch {
    /// As the trace has it.
    pub kernel: String,
    /// Parts of the name, from which a short form is made that fits.
    #[serde(skip)]
    pub parts: KernelName,
    /// Category.
    pub category: String,
    /// Stream as the trace has it.
    pub stream: i64,
    /// From the begin of the stretch; below 0 where it began before.
    pub start_us: f64,
    /// How long.
    pub dur_us: f64,
    /// Time with nothing on another stream.
    pub exclusive_us: f64,
    /// Time with something on another stream.
    pub hidden_us: f64,
    /// Time with compute on another stream.
    pub hidden_by_compute_us: f64,
    /// Time in which the one before it on its own stream still ran, which hides nothing.
    pub same_stream_us: f64,
    /// What ran beside it on other streams, the longest time first.
    pub beside: Vec<Beside>,
}

/// What ran beside a GPU event.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Beside {
    /// Index into the launches of the stretch.
    pub launch: usize,
    /// For how long.
    pub us: f64,
}

/// A step of a stage, launch by launch: the one of median span.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StepTimeline {
    /// Stage id.
    pub stage: String,
    /// Number of the step; null for a stage without steps, of which it is all that ran.
    pub step: Option<u64>,
    /// Steps of the stage.
    pub steps: u64,
    /// First begin to last end of what the step launched.
    pub dur_us: f64,
    /// Streams as the trace has them, one a lane.
    pub streams: Vec<i64>,
    /// Each kernel that runs in it.
    pub kernels: Vec<StepKernel>,
    /// What ran then, in start order.
    pub launches: Vec<StepLaunch>,
    /// How many they are; more than are listed in the largest steps.
    pub launches_total: u64,
    /// Rows of the tables that have occurrences in it, in the order of the tables.
    pub findings: Vec<StepFinding>,
}

/// A kernel of a step.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StepKernel {
    /// As the trace has it.
    pub name: String,
    /// Parts of the name, from which a short form is made that fits.
    #[serde(skip)]
    pub parts: KernelName,
    /// Category.
    pub category: String,
}

/// One GPU event of a step.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StepLaunch {
    /// Index into the kernels of the step.
    pub kernel: usize,
    /// Index into its streams.
    pub lane: usize,
    /// From the begin of the step; below 0 where it began before.
    pub start_us: f64,
    /// How long.
    pub dur_us: f64,
}

/// A row of the fuse or the overlap table in a step.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StepFinding {
    /// Id of the row.
    pub row: String,
    /// Its occurrences: indices into the launches of the step.
    pub occurrences: Vec<Vec<usize>>,
}
