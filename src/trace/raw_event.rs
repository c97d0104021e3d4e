//! One event as raw pieces of the file: what both ways of parsing give, and what the columns are filled from.

use super::StringId;
use super::settings::Arg;

/// One of the values that are kept, of the event itself or of its `args`: the number of its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Field(u8);

const SLOTS: usize = 7 + Arg::Labels as usize + 1;

impl Field {
    pub(super) const PHASE: Self = Self(0);
    pub(super) const CATEGORY: Self = Self(1);
    pub(super) const NAME: Self = Self(2);
    pub(super) const PROCESS: Self = Self(3);
    pub(super) const THREAD: Self = Self(4);
    pub(super) const START: Self = Self(5);
    pub(super) const DURATION: Self = Self(6);

    /// The field of a key of the event itself. `args` is none: it is walked into.
    pub(super) fn of_key(key: &[u8]) -> Option<Self> {
        Some(match key {
            b"ph" => Self::PHASE,
            b"cat" => Self::CATEGORY,
            b"name" => Self::NAME,
            b"pid" => Self::PROCESS,
            b"tid" => Self::THREAD,
            b"ts" => Self::START,
            b"dur" => Self::DURATION,
            _ => return None,
        })
    }

    pub(super) const fn arg(arg: Arg) -> Self {
        Self(7 + arg as u8)
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
    /// Equal keys have equal processes and threads.
    pub(super) lane_key: Option<u32>,
    /// The name, when it was foretold.
    pub(super) name: Option<StringId>,
}

impl<'b> RawEvent<'b> {
    pub(super) fn new() -> Self {
        Self { values: [Value { bytes: &[], shape: Shape::Scalar }; SLOTS], filled: 0, lane_key: None, name: None }
    }

    pub(super) fn clear(&mut self) {
        self.filled = 0;
        self.lane_key = None;
        self.name = None;
    }

    #[inline]
    pub(super) fn set(&mut self, field: Field, value: Value<'b>) {
        self.values[usize::from(field.0)] = value;
        self.filled |= 1 << field.0;
    }

    #[inline]
    pub(super) fn get(&self, field: Field) -> Option<Value<'b>> {
        if self.filled & (1 << field.0) == 0 { None } else { Some(self.values[usize::from(field.0)]) }
    }

    pub(super) fn arg(&self, arg: Arg) -> Option<Value<'b>> {
        self.get(Field::arg(arg))
    }

    /// Raw content of a text.
    pub(super) fn text(&self, field: Field) -> Option<&'b [u8]> {
        self.get(field).filter(|v| v.shape == Shape::Text).map(|v| v.bytes)
    }
}
