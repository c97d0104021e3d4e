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
