//! What attribution is told: filled from `rules/` and from what the user gave.

use std::collections::BTreeMap;

use super::{Pattern, Stage};
use crate::units::Nanos;

/// All that attribution knows of frameworks, runtimes and annotations.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Names of runtime and driver calls.
    pub calls: Calls,
    /// `pid` texts of merged files; `{label:word}` is what the processes of one rank share.
    pub rank_labels: Vec<Pattern>,
    /// Ranks in such a label: `{rank}`.
    pub label_ranks: Vec<Pattern>,
    /// Labels of tensor-parallel ranks: `TP{rank}`.
    pub tp_labels: Vec<Pattern>,
    /// Rounding of the trace: times closer than this count as equal.
    pub slack: Nanos,
    /// Shorter times in which the GPU waited for the host are not looked into.
    pub host_min: Nanos,
    /// A replay is joined with a capture when at least this share (per cent) of its kernels has the capture's names
    /// from the first on.
    pub prefix_percent: usize,
    /// Step annotations, first match wins.
    pub steps: Vec<StepFormat>,
    /// Names near to a step annotation that are none: tests of the formats.
    pub not_steps: Vec<String>,
    /// Which frame is shown for people.
    pub sites: Sites,
    /// Frameworks.
    pub frameworks: Vec<Framework>,
    /// Where facts of the run are read.
    pub facts: FactKeys,
    /// Devices by name, first match wins.
    pub hardware: Vec<Hardware>,
    /// Vendors by runtime calls, for traces without device names.
    pub runtimes: Vec<(Pattern, String)>,
}

/// Names of runtime and driver calls.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    /// Launch a graph.
    pub graph_launch: Vec<Pattern>,
    /// Begin a graph capture on their thread.
    pub capture_begin: Vec<Pattern>,
    /// End it.
    pub capture_end: Vec<Pattern>,
    /// Launch one kernel.
    pub kernel: Vec<Pattern>,
    /// Copy.
    pub copy: Vec<Pattern>,
    /// Set memory.
    pub set: Vec<Pattern>,
}

/// One form of a step annotation.
#[derive(Clone, Debug)]
pub struct StepFormat {
    /// The form. Numbers with a meaning: `context`, `generation`, `requests`, `tokens`, `context_tokens`,
    /// `generation_tokens`.
    pub pattern: Pattern,
    /// What it says of the stage.
    pub stage: StepStage,
    /// The framework that writes it, when only one does.
    pub framework: Option<String>,
    /// Tokens of each request, where the stage decides it and the form does not tell the tokens of the step.
    pub tokens_each: Option<i64>,
    /// Tests.
    pub cases: Vec<StepCase>,
}

/// What a step annotation says of the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepStage {
    /// This one.
    Is(Stage),
    /// By `context` and `generation`: none of one is the other's stage, both are mixed, none of both is no stage.
    ByRequests,
    /// Nothing: it bounds a step.
    Bound,
}

/// A test of a step format.
#[derive(Clone, Debug)]
pub struct StepCase {
    /// Annotation as a trace has it.
    pub name: String,
    /// What must come out.
    pub stage: Stage,
    /// Tokens of the step.
    pub tokens: Option<i64>,
    /// Requests of the step.
    pub requests: Option<i64>,
}

/// Which frame is shown for people: the highest rank of those around the launch, the innermost among equals.
#[derive(Clone, Debug, Default)]
pub struct Sites {
    /// What the names of nn.Module frames begin with.
    pub module_prefix: String,
    /// Modules that name no part of the model.
    pub skipped_modules: Vec<Pattern>,
    /// Frames that are not kept at all.
    pub dropped: Vec<Pattern>,
    /// Folders that packages are installed in; a path is cut after the last one.
    pub install: Vec<String>,
    /// Where packages begin, first match wins.
    pub roots: Vec<Root>,
    /// Frames of a lower rank than their root says; first match wins. Over `path.py(LINE): function`.
    pub demoted: Vec<(Pattern, u32)>,
    /// Rank of any other Python file.
    pub other: u32,
}

/// Where a package begins.
#[derive(Clone, Debug)]
pub struct Root {
    /// Path part, such as `python/sglang/`; it stands at the begin or after a `/`.
    pub path: String,
    /// Rank of its frames.
    pub rank: u32,
    /// What its frames say of the framework.
    pub says: RootSays,
}

/// What frames of a root say of the framework when they are the outermost known ones around a launch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RootSays {
    /// Nothing: a library that many call.
    Nothing,
    /// This framework runs.
    Framework(String),
    /// None of the known frameworks runs.
    Foreign,
}

/// A framework.
#[derive(Clone, Debug)]
pub struct Framework {
    /// Id, such as `vllm`.
    pub id: String,
    /// CPU ops that only it has.
    pub ops: Vec<Pattern>,
    /// Process names that only it has.
    pub processes: Vec<Pattern>,
    /// Server arguments that only it has; any of them.
    pub server_args: Vec<String>,
}

/// Where facts of the run are read. Lists in order of preference.
#[derive(Clone, Debug, Default)]
pub struct FactKeys {
    /// Server arguments that name the model.
    pub model_args: Vec<String>,
    /// Server arguments with the tensor-parallel size.
    pub tp_args: Vec<String>,
    /// Server arguments with the framework's version.
    pub version_args: Vec<String>,
    /// Files of a model, over the path cut at its root: `{model:word}`.
    pub model_files: Vec<Pattern>,
    /// Words that are no model there.
    pub no_models: Vec<String>,
    /// Modules of whole models, such as `*ForCausalLM`.
    pub model_modules: Vec<Pattern>,
    /// Frames that prove tensor parallelism at work.
    pub tp_frames: Vec<Pattern>,
    /// Kernels that prove it.
    pub tp_kernels: Vec<Pattern>,
}

/// A device.
#[derive(Clone, Debug)]
pub struct Hardware {
    /// Device name.
    pub name: Pattern,
    /// Vendor, such as `nvidia`.
    pub vendor: String,
    /// Architecture; `{major}` and `{minor}` stand for the compute capability. None: unknown.
    pub arch: Option<String>,
}

/// What the user said, or what was found beside the trace. It beats the trace.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Framework id.
    pub framework: Option<String>,
    /// Version of the framework.
    pub version: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Tensor-parallel size.
    pub tp: Option<i64>,
    /// Server arguments by name, values as JSON text, and where they were read.
    pub server_args: Option<(BTreeMap<String, String>, String)>,
    /// Device, as the trace names its process.
    pub device: Option<String>,
    /// Rank, in a merged file.
    pub rank: Option<i64>,
    /// Stage that folder and file names say.
    pub stage_hint: Option<Stage>,
    /// Toggles that the server's log says are on, each with its line.
    pub asked: BTreeMap<String, String>,
}
