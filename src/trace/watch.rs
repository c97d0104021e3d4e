//! A trace once more, event by event, for whoever copies some of them: the reader of this room tells where each stands.

use std::path::Path;

use super::class::Class;
use super::raw_event::{Field, RawEvent};
use super::settings::Arg;
use super::{Error, EventKind, Settings, number, text};
use crate::units::Nanos;

/// One event as it stands in the file, with what copying is decided by.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'b> {
    /// The JSON object.
    pub json: &'b [u8],
    /// What it is.
    pub role: Role,
    event: &'b RawEvent<'b>,
}

/// What becomes of an event when a trace is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A row of a table.
    Row(EventKind),
    /// Names of processes and threads, and their order.
    Metadata,
    /// Nothing.
    Other,
}

impl<'b> Seen<'b> {
    pub(super) fn new(json: &'b [u8], class: Class, event: &'b RawEvent<'b>) -> Self {
        let role = match class {
            Class::Keep(kind) => Role::Row(kind),
            Class::Frame(_) => Role::Row(EventKind::PythonFrame),
            Class::Metadata => Role::Metadata,
            Class::Count(_) => Role::Other,
        };
        Self { json, role, event }
    }

    /// `cat`.
    pub fn category(&self) -> Option<String> {
        self.event.text(Field::CATEGORY).map(|raw| text::decode(raw).text)
    }

    /// `pid` as text.
    pub fn process(&self) -> String {
        self.event.get(Field::PROCESS).map_or_else(String::new, |value| text::decode(value.bytes).text)
    }

    /// Begin.
    pub fn start(&self) -> Option<Nanos> {
        number::nanos(self.event.get(Field::START)?.bytes).ok().map(Nanos)
    }

    /// Length.
    pub fn dur(&self) -> Option<Nanos> {
        number::nanos(self.event.get(Field::DURATION)?.bytes).ok().map(Nanos)
    }

    /// `args.correlation`.
    pub fn correlation(&self) -> Option<i64> {
        number::integer(self.event.arg(Arg::Correlation)?.bytes)
    }
}

/// Takes each event.
pub type Watch<'w> = dyn FnMut(&Seen<'_>) + Send + 'w;

/// Goes through the trace at `path` and shows each event to `watch`, in file order; nothing is kept.
///
/// # Errors
/// As [`super::read`].
pub fn watch(path: &Path, settings: &Settings, watch: &mut Watch<'_>) -> Result<(), Error> {
    super::reader::pass(path, settings, watch)
}
