//! Bytes of a Kineto trace (Chrome trace JSON) in, columns of events ([`Trace`]) out. Times in nanoseconds.

mod strings;
mod table;

pub use strings::{StringId, Strings};
pub use table::{
    Annotation, CpuOp, EventKind, Frame, FrameLane, GpuEvent, GpuKind, Header, Lane, LaneId, ProcessId, RuntimeCall,
    Skipped, StreamKey, SyncEvent, Trace, Warning,
};
