//! What is kept of a trace: one table a kind of event, ids of four bytes, no document tree.

use std::collections::BTreeMap;

use super::{StringId, Strings};
use crate::units::{Maybe, Nanos};

/// One process of the trace (`pid` as text: `251`, `"[TP00] 251"`); a GPU is a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId(pub u32);

/// One host thread: a (`pid`, `tid`) pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneId(pub u32);

/// One GPU queue: the process it belongs to and `args.stream` (else the number in `tid`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamKey {
    /// The device's process.
    pub process: ProcessId,
    /// The stream number as the trace has it.
    pub stream: i64,
}

/// What a GPU event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GpuKind {
    /// A kernel.
    Kernel,
    /// A copy; its direction is in the name and in `args.kind`.
    Memcpy,
    /// A memory set.
    Memset,
}

/// The role that a category (`cat`) of the trace plays; filled from `rules/trace.yaml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// Work of the GPU.
    Gpu(GpuKind),
    /// Runtime or driver call of the host.
    Runtime,
    /// Framework op on the host.
    CpuOp,
    /// Python or nn.Module frame.
    PythonFrame,
    /// User annotation on the host.
    Annotation,
    /// The same, mirrored on the GPU's time line.
    GpuAnnotation,
    /// Wait of a stream or of the host; no work.
    Sync,
    /// Known and not kept (flows, spans, instants, overhead, profiler ranges).
    Ignored,
}

/// Work of the GPU: one launch.
#[derive(Clone, Copy, Debug)]
pub struct GpuEvent {
    /// Kernel name as the trace has it.
    pub name: StringId,
    /// Kernel, copy or set.
    pub kind: GpuKind,
    /// Device and stream.
    pub stream: StreamKey,
    /// Begin.
    pub start: Nanos,
    /// Length; zero counts as a launch all the same.
    pub dur: Nanos,
    /// Joins the launch call.
    pub correlation: Maybe,
    /// Names a CPU op in new traces.
    pub external_id: Maybe,
    /// `args.grid` as JSON text, such as `[8, 16, 5]`.
    pub grid: Option<StringId>,
    /// `args.bytes` of copies and sets.
    pub bytes: Maybe,
    /// `args.kind` of HIP copies (`DtoH`); the activity name can lie, this one does not.
    pub copy_kind: Option<StringId>,
}

/// What a GPU event says of the collective that it is part of; most events say nothing.
#[derive(Clone, Copy, Debug)]
pub struct Collective {
    /// Index of the GPU event.
    pub event: u32,
    /// Name of the process group, which is the same on all its ranks.
    pub group: Option<StringId>,
    /// Elements that it takes in.
    pub elements: Option<i64>,
}

/// Runtime or driver call of the host. All are kept: any of them may launch, record, wait or capture.
#[derive(Clone, Copy, Debug)]
pub struct RuntimeCall {
    /// Such as `cudaLaunchKernel`.
    pub name: StringId,
    /// Calling thread.
    pub lane: LaneId,
    /// Begin.
    pub start: Nanos,
    /// Length.
    pub dur: Nanos,
    /// Joins GPU events, sync rows and flows.
    pub correlation: Maybe,
    /// Names a CPU op in new traces.
    pub external_id: Maybe,
    /// `args.kernel` of HIP launches: the name of the kernel launched (graph captures have it).
    pub kernel: Option<StringId>,
    /// `args.kind` of HIP copies: 1 host to device, 2 device to host, 3 device to device.
    pub copy_kind: Option<StringId>,
    /// `args.stream` when the call has one.
    pub stream: Maybe,
}

/// Framework op on the host.
#[derive(Clone, Copy, Debug)]
pub struct CpuOp {
    /// Such as `aten::mm`.
    pub name: StringId,
    /// Thread.
    pub lane: LaneId,
    /// Begin.
    pub start: Nanos,
    /// Length.
    pub dur: Nanos,
    /// The op's own id, which kernels and calls refer to.
    pub external_id: Maybe,
    /// `args."Input Dims"` as JSON text.
    pub dims: Option<StringId>,
    /// `args."Collective name"` of a communication op, else its process group; plain text.
    pub collective: Option<StringId>,
}

/// User annotation, on the host or mirrored on the GPU.
#[derive(Clone, Copy, Debug)]
pub struct Annotation {
    /// Such as `step[DECODE bs=32]`.
    pub name: StringId,
    /// Thread, or the GPU's (`pid`, `tid`).
    pub lane: LaneId,
    /// Begin.
    pub start: Nanos,
    /// Length.
    pub dur: Nanos,
    /// Own id.
    pub external_id: Maybe,
    /// True when mirrored on the GPU.
    pub gpu: bool,
}

/// A `cuda_sync` row: a wait of a stream or of the host, no work.
#[derive(Clone, Copy, Debug)]
pub struct SyncEvent {
    /// Such as `Stream Wait Event`.
    pub name: StringId,
    /// Device process.
    pub process: ProcessId,
    /// Begin.
    pub start: Nanos,
    /// Length.
    pub dur: Nanos,
    /// The stream that waits (-1: the host).
    pub stream: Maybe,
    /// The stream waited for.
    pub wait_on_stream: Maybe,
    /// Correlation of the call that recorded the event waited for.
    pub wait_on_record: Maybe,
    /// The event waited for.
    pub wait_on_event: Maybe,
    /// Correlation of the waiting call.
    pub correlation: Maybe,
}

/// A (`pid`, `tid`) pair with its texts.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Process.
    pub process: ProcessId,
    /// `tid` as text.
    pub tid: StringId,
    /// `thread_name` metadata.
    pub name: Option<StringId>,
}

/// The Python frames of one thread, packed: see [`FrameLane::frames`].
#[derive(Clone, Debug)]
pub struct FrameLane {
    /// Thread.
    pub lane: LaneId,
    /// How many frames.
    pub len: usize,
    /// Packed as varints: name id, zig-zag start delta, duration. Decode with [`FrameLane::frames`].
    pub packed: Vec<u8>,
    /// True while starts never go back, so that one merge in file order is enough.
    pub sorted: bool,
    /// Start of the last frame pushed.
    pub(super) last_start: Nanos,
}

/// One Python or nn.Module frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Such as `/x/sglang/srt/models/qwen3.py(167): forward` or `nn.Module: Qwen3DecoderLayer_3`.
    pub name: StringId,
    /// Begin.
    pub start: Nanos,
    /// Length.
    pub dur: Nanos,
}

/// Top-level keys of the file, beside the events: JSON text by key (`deviceProperties`, `distributedInfo`, ..).
#[derive(Clone, Debug, Default)]
pub struct Header {
    /// Raw JSON text of each value; values over 1 MiB are left out and counted as skipped.
    pub values: BTreeMap<String, String>,
}

/// Events that were not kept, by what they are; nothing is lost in silence.
#[derive(Clone, Debug, Default)]
pub struct Skipped {
    /// By category (or phase for events without one): known and not needed.
    pub ignored: BTreeMap<String, u64>,
    /// Categories that `rules/trace.yaml` does not know.
    pub unknown: BTreeMap<String, u64>,
    /// Broken events by reason (`ts is no number`, `dur is negative`, ..).
    pub broken: BTreeMap<String, Broken>,
    /// Distinct texts that were kept and had to be repaired.
    pub repaired: u64,
}

/// Broken events of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Broken {
    /// How many.
    pub count: u64,
    /// Place of the first in the list of events, counted from 0.
    pub first: u64,
}

/// What is odd about the file as a whole, in words for people: cut off, control characters repaired, ..
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Stable code, such as `cut-off`.
    pub code: &'static str,
    /// What happened, with the place (byte offset in the JSON), and what it means.
    pub text: String,
}

/// A trace file in columns.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Path as given, `-` for standard input.
    pub path: String,
    /// All texts.
    pub strings: Strings,
    /// `pid` texts by [`ProcessId`].
    pub processes: Vec<StringId>,
    /// `process_name` and `process_labels` metadata by process, in file order.
    pub process_names: Vec<(ProcessId, StringId)>,
    /// Threads by [`LaneId`].
    pub lanes: Vec<Lane>,
    /// GPU events in file order.
    pub gpu: Vec<GpuEvent>,
    /// What some of them say of their collectives, in the same order.
    pub collectives: Vec<Collective>,
    /// Runtime and driver calls in file order.
    pub runtime: Vec<RuntimeCall>,
    /// CPU ops in file order.
    pub ops: Vec<CpuOp>,
    /// Annotations in file order.
    pub annotations: Vec<Annotation>,
    /// Sync rows in file order.
    pub syncs: Vec<SyncEvent>,
    /// Python frames by lane, in order of the lane's first frame.
    pub frames: Vec<FrameLane>,
    /// Top-level keys.
    pub header: Header,
    /// Events seen in all, kept or not.
    pub events: u64,
    /// Events not kept.
    pub skipped: Skipped,
    /// Warnings about the file.
    pub warnings: Vec<Warning>,
}
