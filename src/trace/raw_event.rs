//! One event as raw pieces of the file: what both ways of parsing give, and what the columns are filled from.

use super::settings::Arg;

/// The values that are kept, by name in the file or in `args`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Field {
    Phase,
    Category,
    Name,
    Process,
    Thread,
    Start,
    Duration,
    Arg(Arg),
}

const SLOTS: usize = 7 + Arg::Labels as usize + 1;

impl Field {
    /// The field of a key of the event itself. `args` is none: it is walked into.
    pub(super) fn of_key(key: &[u8]) -> Option<Self> {
        Some(match key {
            b"ph" => Self::Phase,
            b"cat" => Self::Category,
            b"name" => Self::Name,
            b"pid" => Self::Process,
            b"tid" => Self::Thread,
            b"ts" => Self::Start,
            b"dur" => Self::Duration,
            _ => return None,
        })
    }

    const fn slot(self) -> usize {
        match self {
            Self::Phase => 0,
            Self::Category => 1,
            Self::Name => 2,
            Self::Process => 3,
            Self::Thread => 4,
            Self::Start => 5,
            Self::Duration => 6,
            Self::Arg(arg) => 7 + arg as usize,
        }
    }
}

/// Form of a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Between quotes; the quotes are not part of the value.
    Text,
    /// Number, `null`, `true`, ..
    Scalar,
    /// `[..]`
    List,
    /// `{..}`
    Object,
}

/// A value as it stands in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'b> {
    pub(super) bytes: &'b [u8],
    pub(super) shape: Shape,
}

/// The kept values of one event; of a repeated key the last one counts.
#[derive(Clone, Debug)]
pub(super) struct RawEvent<'b> {
    values: [Value<'b>; SLOTS],
    /// One bit a slot that is filled: cheaper to clear than the slots.
    filled: u32,
}

impl<'b> RawEvent<'b> {
    pub(super) fn new() -> Self {
        Self { values: [Value { bytes: &[], shape: Shape::Scalar }; SLOTS], filled: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.filled = 0;
    }

    #[inline]
    pub(super) fn set(&mut self, field: Field, value: Value<'b>) {
        self.values[field.slot()] = value;
        self.filled |= 1 << field.slot();
    }

    #[inline]
    pub(super) fn get(&self, field: Field) -> Option<Value<'b>> {
        if self.filled & (1 << field.slot()) == 0 { None } else { Some(self.values[field.slot()]) }
    }

    pub(super) fn arg(&self, arg: Arg) -> Option<Value<'b>> {
        self.get(Field::Arg(arg))
    }

    /// Raw content of a text.
    pub(super) fn text(&self, field: Field) -> Option<&'b [u8]> {
        self.get(field).filter(|v| v.shape == Shape::Text).map(|v| v.bytes)
    }
}
