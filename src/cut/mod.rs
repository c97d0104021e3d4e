//! A trace and what was found in it in, a small trace out that says the same: some steps, without names of hosts, users
//! and paths, and with the findings as a track when asked for.
//!
//! ```text
//! Timeline ─> select ─┐
//! rules/cut.yaml ─> scrub ─┴─> copy (the trace once more, event by event) ─> JSON
//! Findings ─> annotate ────────^
//! ```

mod annotate;
mod copy;
mod event;
mod scrub;
mod select;

#[cfg(test)]
mod tests;

pub use annotate::{Mark, marks};
pub use copy::{Copied, CopyFailed, copy};
pub use scrub::Scrubber;
pub use select::{Extent, NothingToCut, Request, Selection, select};
