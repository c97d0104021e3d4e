//! What can be wrong with a compressed file; travels inside an [`io::Error`] so that decoders stay plain readers.

use std::io;

/// What a decoder found; places are bytes of the compressed file.
#[derive(Debug, thiserror::Error)]
pub(super) enum Damage {
    /// The file ends before the stream does.
    #[error("the compressed data ends at byte {at}, before its checksum, which could not be checked")]
    CutOff {
        /// Where the file ends.
        at: u64,
    },
    /// Data and checksum differ.
    #[error("checksum or length of part {part} does not agree with its data (byte {at})")]
    BadChecksum {
        /// Which joined member or frame, from 1.
        part: u64,
        /// Where the checksum stands.
        at: u64,
    },
    /// What stands there is no compressed data.
    #[error("broken compressed data near byte {at}: {what}")]
    BadData {
        /// About where.
        at: u64,
        /// In the decoder's words.
        what: String,
    },
    /// Bytes after the end that are no further member.
    #[error("bytes after the end of the compressed data, from byte {at}")]
    Trailing {
        /// Where they begin.
        at: u64,
    },
    /// More comes out than is allowed.
    #[error("{unpacked} bytes of JSON have come out of {packed} bytes, and the limit is {most}")]
    TooLong {
        /// Bytes of JSON so far.
        unpacked: u64,
        /// Bytes of the file they came from.
        packed: u64,
        /// How many were allowed.
        most: u64,
    },
    /// One event, or one value beside the events, that does not end.
    #[error("an event or a value of more than {most} bytes")]
    NoEnd {
        /// How long it may be.
        most: usize,
    },
}

impl Damage {
    /// The damage inside `error`, when a decoder put one there.
    pub(super) fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl From<Damage> for io::Error {
    fn from(damage: Damage) -> Self {
        io::Error::other(damage)
    }
}
