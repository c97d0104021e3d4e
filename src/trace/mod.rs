//! Bytes of a Kineto trace (Chrome trace JSON) in, columns of events ([`Trace`]) out. Times in nanoseconds.
//!
//! ```text
//! source ─> gzip | zstd | plain ─> blocks ─> extract ─> parser (or a learned skeleton) ─> columns ─> Trace
//!           \___ one thread ___________/     \___ the caller's thread ______________________________/
//! ```
//!
//! A large plain file is cut into segments, each of which goes this way on a thread of its own.

mod blocks;
mod class;
mod columns;
mod damage;
mod error;
mod extract;
mod frames;
mod guess;
mod gzip;
mod number;
mod parser;
mod raw_event;
mod reader;
mod scan;
mod segments;
mod settings;
mod skeleton;
mod sniff;
mod source;
mod strings;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod watch;
mod whole;
mod wide;
mod zstd;

pub use error::Error;
pub use frames::Frames;
pub use reader::{read, read_from};
pub use settings::{Arg, Foreign, Limits, Settings, Sign};
pub use sniff::{Looks, Sniff, sniff};
pub use source::Packing;
pub use strings::{StringId, Strings};
pub use table::{
    Annotation, Broken, Collective, CpuOp, EventKind, Frame, FrameLane, GpuEvent, GpuKind, Header, Lane, LaneId,
    ProcessId, RuntimeCall, Skipped, StreamKey, SyncEvent, Trace, Warning,
};
pub use watch::{Role, Seen, Watch, watch};
pub use whole::{Whole, whole};
