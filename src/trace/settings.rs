//! What the reader must be told about the format; `rules/trace.yaml` fills it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::EventKind;
use crate::units::Nanos;

/// How to read.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The role of each category (`cat`), spelled exactly as the trace has it.
    pub categories: Vec<(String, EventKind)>,
    /// Keys of `args` that are kept, old spellings too.
    pub args: Vec<(String, Arg)>,
    /// Files that people take for traces.
    pub foreign: Vec<Foreign>,
    /// Whether Python and nn.Module frames are kept; without them reading is quicker and sites are unknown.
    pub keep_frames: bool,
    /// Frames shorter than this are only counted: no launch fits into them, and they are half of a large trace.
    pub shortest_frame: Nanos,
    /// Bytes handed from the unpacking thread to the reading one at once; the result never depends on it.
    pub block_bytes: usize,
    /// A plain file of at least two times this is read by several threads; the result never depends on it.
    pub segment_bytes: u64,
    /// Whether layouts seen before are used to read events quicker; the result never depends on it.
    pub learn: bool,
    /// What is too much to read.
    pub limits: Limits,
    /// Bytes of the files read so far with these settings and their clones, packed as they are.
    pub taken: Arc<AtomicU64>,
}

/// What is too much to read: a small file may unpack to more than any memory or patience holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of JSON; none: what the two fields below say.
    pub bytes: Option<u64>,
    /// Bytes of JSON for each byte of the file ..
    pub ratio: u64,
    /// .. but never fewer than this.
    pub free: u64,
    /// Bytes of one event, or of one value beside the events: it is kept whole until it ends.
    pub event: usize,
}

impl Limits {
    /// No limit.
    pub const NONE: Self = Self { bytes: Some(u64::MAX), ratio: u64::MAX, free: u64::MAX, event: usize::MAX };

    /// How many bytes may come out of so many.
    pub(super) fn most(self, packed: u64) -> u64 {
        self.bytes.unwrap_or_else(|| packed.saturating_mul(self.ratio).max(self.free))
    }
}

impl Default for Settings {
    /// Knows no category, no key and no limit.
    fn default() -> Self {
        Self {
            categories: Vec::new(),
            args: Vec::new(),
            foreign: Vec::new(),
            keep_frames: true,
            shortest_frame: Nanos::ZERO,
            block_bytes: 512 * 1024,
            segment_bytes: 16 * 1024 * 1024,
            learn: true,
            limits: Limits::NONE,
            taken: Arc::default(),
        }
    }
}

/// A kept value of `args`, whatever its spelling is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arg {
    /// Queue of a GPU event or sync row.
    Stream,
    /// Joins launch and GPU event.
    Correlation,
    /// Joins CPU op and what it launched.
    ExternalId,
    /// Launch grid.
    Grid,
    /// Bytes copied or set.
    Bytes,
    /// Direction of a copy.
    CopyKind,
    /// Kernel that a call launches.
    Kernel,
    /// Input shapes of an op.
    InputDims,
    /// Name of a collective.
    Collective,
    /// Group of a collective.
    ProcessGroup,
    /// Elements that a collective takes in.
    MessageElements,
    /// Stream waited for.
    WaitOnStream,
    /// Correlation of the call that recorded the event waited for.
    WaitOnRecord,
    /// Event waited for.
    WaitOnEvent,
    /// Name in process and thread metadata.
    Name,
    /// Labels in process metadata.
    Labels,
}

/// How to recognise a file that is no trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// What to tell people.
    pub looks_like: String,
    /// Its mark.
    pub sign: Sign,
}

/// What marks a foreign file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Its first bytes.
    StartsWith(Vec<u8>),
    /// A key of its top-level object.
    Key(String),
}
