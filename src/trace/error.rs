//! Why a file could not be read: file, place, what was expected, what to do.

use std::io;

/// Nothing of the file may be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be opened.
    #[error("{path}: cannot open it: {source}; check the path and its permissions")]
    Open {
        /// As given.
        path: String,
        /// From the system.
        source: io::Error,
    },
    /// Reading stopped midway.
    #[error("{path}: reading failed after byte {at} of the JSON: {source}; check the disk or the pipe and read again")]
    Read {
        /// As given.
        path: String,
        /// Where.
        at: u64,
        /// From the system.
        source: io::Error,
    },
    /// The compressed data is damaged, so figures would be wrong.
    #[error("{path}: damaged at byte {at} of the JSON: {what}; copy the file again or profile again")]
    Damaged {
        /// As given.
        path: String,
        /// Where in the JSON.
        at: u64,
        /// What is wrong, with the place in the file.
        what: String,
    },
    /// More JSON than a trace may be long.
    #[error(
        "{path}: stopped at byte {at} of the JSON: {what}; if this is a trace all the same, read it with --max-bytes 0"
    )]
    TooLarge {
        /// As given.
        path: String,
        /// Where in the JSON.
        at: u64,
        /// Which limit was passed.
        what: String,
    },
    /// No trace.
    #[error(
        "{path}: no trace: {looks_like}; expected JSON with `traceEvents` as torch.profiler writes it (.json, .json.gz)"
    )]
    NotATrace {
        /// As given.
        path: String,
        /// What it is instead.
        looks_like: String,
    },
    /// A trace, but no JSON from some place on.
    #[error("{path}: broken JSON at byte {at}: expected {expected}, found {found}; mend or export the trace again")]
    Malformed {
        /// As given.
        path: String,
        /// Where in the JSON.
        at: u64,
        /// What JSON allows there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
}
