//! The timeline: what attribution knows of each GPU event, and of the run.

use std::collections::BTreeMap;

use crate::kernel_name::KernelName;
use crate::trace::{GpuKind, Skipped, StringId, Strings, SyncEvent, Warning};
use crate::units::{Maybe, Nanos};

/// One GPU event, in start order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaunchId(pub u32);

/// One distinct kernel: a raw name with its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KernelId(pub u32);

/// One stream of one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u32);

/// One step of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub u32);

/// A node of a [`CallTree`]: a name with all that encloses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// Interned launch context: same ops, frames and input shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextId(pub u32);

/// Part of serving that a GPU event belongs to, by the step that launched it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Prompt tokens only; shown `extend/prefill`.
    Prefill,
    /// One new token a request.
    Decode,
    /// Both in one step.
    Mixed,
    /// Graph capture: no forward pass.
    Capture,
    /// Nothing is known.
    All,
}

impl Stage {
    /// The word in ids, JSON and flags.
    pub fn id(self) -> &'static str {
        match self {
            Self::Prefill => "prefill",
            Self::Decode => "decode",
            Self::Mixed => "mixed",
            Self::Capture => "capture",
            Self::All => "all",
        }
    }

    /// The word in titles.
    pub fn title(self) -> &'static str {
        if self == Self::Prefill { "extend/prefill" } else { self.id() }
    }

    /// The stage of an id (`prefill`, `extend`, `decode`, `mixed`, `capture`, `all`).
    pub fn from_id(id: &str) -> Option<Self> {
        Some(match id {
            "prefill" | "extend" | "extend/prefill" => Self::Prefill,
            "decode" => Self::Decode,
            "mixed" => Self::Mixed,
            "capture" => Self::Capture,
            "all" => Self::All,
            _ => return None,
        })
    }
}

/// What is known of a place in the host's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lookup {
    /// The trace cannot tell (graph replay without capture, no stacks recorded, no launch).
    Unknown,
    /// The trace can tell, and there is none (a launch outside any op).
    Nowhere,
    /// Here.
    At(NodeId),
}

/// How a launch got its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FoundBy {
    /// External id names the CPU op.
    Id,
    /// The launch call lies inside the op or frame in time, on its thread.
    Time,
    /// Position in the graph capture.
    Position,
    /// Alignment with the mapping trace.
    Mapping,
    /// There is a mapping trace, and nothing in it stands for this launch.
    NoCounterpart,
    /// Not found.
    None,
}

impl FoundBy {
    /// The word in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Time => "time",
            Self::Position => "position",
            Self::Mapping => "mapping",
            Self::NoCounterpart => "no-counterpart",
            Self::None => "none",
        }
    }
}

/// Names within names (CPU ops, or Python and nn.Module frames), shared by all launches below them.
#[derive(Clone, Debug, Default)]
pub struct CallTree {
    /// (enclosing node, name) by [`NodeId`]; outermost nodes have no parent.
    pub nodes: Vec<(Option<NodeId>, StringId)>,
}

impl CallTree {
    /// The name of `node`.
    pub fn name(&self, node: NodeId) -> StringId {
        self.nodes[node.0 as usize].1
    }

    /// `node` and all that encloses it, innermost first.
    pub fn path(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(Some(node), |n| self.nodes[n.0 as usize].0)
    }
}

/// Where a launch was made. Interned: launches of one place in one shape share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Context {
    /// Innermost CPU op, a node of [`Timeline::ops`].
    pub op: Lookup,
    /// Innermost Python or nn.Module frame, a node of [`Timeline::frames`].
    pub frame: Lookup,
    /// Input shapes of the innermost op that has them, JSON text.
    pub dims: Option<StringId>,
    /// How the op was found.
    pub op_found_by: FoundBy,
    /// How the frame was found.
    pub frame_found_by: FoundBy,
    /// Call site for people, `path.py:LINE function` with the path cut at the framework's root.
    pub site: Option<StringId>,
    /// nn.Module path for people, outermost first, such as `Qwen3DecoderLayer.Qwen3Attention.RMSNorm` without instance
    /// numbers.
    pub module: Option<StringId>,
}

/// One distinct kernel.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Name as the trace has it.
    pub raw: StringId,
    /// Kernel, copy or set.
    pub kind: GpuKind,
    /// Its parts.
    pub name: KernelName,
}

/// One GPU event with all that is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Launch {
    /// Which kernel.
    pub kernel: KernelId,
    /// On which stream.
    pub stream: StreamId,
    /// Begin on the GPU.
    pub start: Nanos,
    /// Length on the GPU.
    pub dur: Nanos,
    /// When the host called it; none when the trace has no such call.
    pub called: Option<Nanos>,
    /// Where it was launched.
    pub context: ContextId,
    /// The step whose annotation encloses the call.
    pub step: Option<StepId>,
    /// Stage, by the step, else by the sources after it.
    pub stage: Stage,
    /// The graph replay it belongs to: index into [`Timeline::replays`].
    pub replay: Option<u32>,
    /// Joins sync rows.
    pub correlation: Maybe,
    /// `args.grid` as JSON text.
    pub grid: Option<StringId>,
    /// Bytes of a copy or set.
    pub bytes: Maybe,
    /// Innermost nn.Module frame with its instance number, which [`Timeline::frames`] does not keep.
    pub instance: Option<StringId>,
}

impl Launch {
    /// End on the GPU.
    pub fn end(&self) -> Nanos {
        self.start + self.dur
    }
}

/// What the trace says of the collective that a launch is part of; graph replays say nothing.
#[derive(Clone, Copy, Debug)]
pub struct CollectiveFacts {
    /// Which launch.
    pub launch: LaunchId,
    /// Process group, whose name is the same on all its ranks.
    pub group: Option<StringId>,
    /// Elements that it takes in.
    pub elements: Option<i64>,
}

/// One stream.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Rank label or device of the process, as text.
    pub device: String,
    /// Number as the trace has it.
    pub number: i64,
}

/// One graph launch.
#[derive(Clone, Copy, Debug)]
pub struct Replay {
    /// Kernels that ran under it.
    pub kernels: u32,
    /// How many of them were joined with a captured launch.
    pub joined: u32,
}

/// One step of the server: the innermost step annotation and what it launched.
#[derive(Clone, Debug)]
pub struct Step {
    /// Annotation as the trace has it.
    pub name: StringId,
    /// Stage it says.
    pub stage: Stage,
    /// Begin on the host.
    pub start: Nanos,
    /// End on the host.
    pub end: Nanos,
    /// Tokens of the step when the annotation says.
    pub tokens: Option<i64>,
    /// Requests of the step when the annotation says.
    pub requests: Option<i64>,
    /// False when the file begins or ends inside it, so that counts per step would mislead.
    pub whole: bool,
}

/// What the host did from when the GPU had run dry in a step until the call that ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostWork {
    /// What ended it.
    pub launch: LaunchId,
    /// Python frame that fills most of the time, `path.py:LINE function`, the innermost of those that do.
    pub frame: Option<StringId>,
    /// The same of CPU ops.
    pub op: Option<StringId>,
    /// The same of runtime and driver calls.
    pub call: Option<StringId>,
}

/// A fact of the run with where it comes from (`trace frames`, `--tp`, `server_args.json`, ..).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known<T> {
    /// The value.
    pub value: T,
    /// Its source, in words.
    pub source: String,
}

/// What is known of the run as a whole; absent is unknown, and unknown is an answer.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Framework id of `rules/frameworks.yaml`.
    pub framework: Option<Known<String>>,
    /// Its version.
    pub framework_version: Option<Known<String>>,
    /// Model.
    pub model: Option<Known<String>>,
    /// Tensor-parallel size.
    pub tp: Option<Known<i64>>,
    /// Ranks of the run.
    pub world_size: Option<Known<i64>>,
    /// This rank.
    pub rank: Option<Known<i64>>,
    /// Device name.
    pub hardware: Option<Known<String>>,
    /// `nvidia`, `amd`, ..
    pub vendor: Option<Known<String>>,
    /// `sm90`, `gfx942`, ..
    pub arch: Option<Known<String>>,
    /// Server arguments by name, values as JSON text.
    pub server_args: BTreeMap<String, String>,
    /// Where they were read.
    pub server_args_source: Option<String>,
    /// Toggles that the server's log says are on, each with its line.
    pub asked: BTreeMap<String, String>,
    /// Whether Python stacks, shapes and ops were recorded.
    pub with_stack: Option<bool>,
    /// Same for input shapes.
    pub record_shapes: Option<bool>,
}

/// How the launches of the timeline were attributed, and what stayed open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttributionCounts {
    /// GPU events.
    pub launches: u64,
    /// CPU op by External id.
    pub by_id: u64,
    /// CPU op by enclosure in time.
    pub by_time: u64,
    /// By position in the graph capture.
    pub by_position: u64,
    /// By alignment with the mapping trace.
    pub by_mapping: u64,
    /// GPU events whose CPU op stays unknown, those without a launch call included: with the four above, all of them.
    pub without_op: u64,
    /// GPU events without a launch call.
    pub without_launch: u64,
    /// Launch calls made inside a graph capture, in this file: they have no GPU event.
    pub capture_launches: u64,
}

/// GPU time of one device of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceTime {
    /// Device as the trace names it (`pid`).
    pub device: String,
    /// Sum of its GPU events.
    pub total: Nanos,
    /// How many.
    pub launches: u64,
    /// Whether the timeline is made of it.
    pub taken: bool,
}

/// One trace, attributed.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// Path as given.
    pub path: String,
    /// All texts.
    pub strings: Strings,
    /// Distinct kernels by [`KernelId`].
    pub kernels: Vec<Kernel>,
    /// GPU events by [`LaunchId`], in start order (then file order).
    pub launches: Vec<Launch>,
    /// What some of them say of their collectives, in the same order.
    pub collectives: Vec<CollectiveFacts>,
    /// Streams by [`StreamId`].
    pub streams: Vec<Stream>,
    /// Places by [`ContextId`].
    pub contexts: Vec<Context>,
    /// CPU ops within CPU ops.
    pub ops: CallTree,
    /// Python and nn.Module frames within each other.
    pub frames: CallTree,
    /// What the name of an nn.Module frame begins with, class name and instance number after it; empty: no frame is one.
    pub module_prefix: String,
    /// Steps by [`StepId`], in start order.
    pub steps: Vec<Step>,
    /// Graph launches in time order.
    pub replays: Vec<Replay>,
    /// What the host did while the GPU waited for it, by launch.
    pub host: Vec<HostWork>,
    /// Recorded waits.
    pub syncs: Vec<SyncEvent>,
    /// Facts of the run.
    pub run: Run,
    /// How launches were attributed.
    pub counts: AttributionCounts,
    /// Devices of the file.
    pub devices: Vec<DeviceTime>,
    /// What the reader did not keep.
    pub skipped: Skipped,
    /// Warnings of the reader and of attribution (stage sources that disagree, ..).
    pub warnings: Vec<Warning>,
}

impl Timeline {
    /// The kernel of a launch.
    pub fn kernel(&self, launch: LaunchId) -> &Kernel {
        &self.kernels[self.launches[launch.0 as usize].kernel.0 as usize]
    }

    /// The launch.
    pub fn launch(&self, launch: LaunchId) -> &Launch {
        &self.launches[launch.0 as usize]
    }

    /// The place of a launch.
    pub fn context(&self, launch: LaunchId) -> &Context {
        &self.contexts[self.launches[launch.0 as usize].context.0 as usize]
    }

    /// What the host did before a launch that came late.
    pub fn host_before(&self, launch: LaunchId) -> Option<&HostWork> {
        self.host.binary_search_by_key(&launch, |work| work.launch).ok().map(|at| &self.host[at])
    }

    /// All launches in order.
    pub fn launch_ids(&self) -> impl Iterator<Item = LaunchId> + use<> {
        (0..self.launches.len() as u32).map(LaunchId)
    }
}
