//! The general parser: any key order, any layout, any type of value. It is the reference for the learned skeletons.

use rustc_hash::FxHashMap;

use super::raw_event::{Field, RawEvent, Shape, Value};
use super::settings::Arg;
use super::{scan, text};

/// How parsing one event ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Whole; the next byte after it.
    Done(usize),
    /// The bytes end before the event does.
    More,
    /// No JSON object.
    Broken,
}

/// A value whose bytes differ from event to event; all between two of them is literal to a skeleton.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) shape: Shape,
    pub(super) field: Option<Field>,
}

/// Parser of single events; knows which keys of `args` are kept.
#[derive(Debug)]
pub(super) struct Parser {
    args: FxHashMap<Box<[u8]>, Arg>,
    /// The values of the event parsed last, in file order, without phase and category.
    pub(super) pieces: Vec<Piece>,
}

impl Parser {
    pub(super) fn new(args: &[(String, Arg)]) -> Self {
        Self { args: args.iter().map(|(key, arg)| (key.as_bytes().into(), *arg)).collect(), pieces: Vec::new() }
    }

    /// Parses the object that opens at `at`. Only `args` is walked into, so two levels are all there are.
    pub(super) fn event<'b>(&mut self, bytes: &'b [u8], at: usize, event: &mut RawEvent<'b>) -> Step {
        event.clear();
        self.pieces.clear();
        let mut in_args = false;
        let mut at = at + 1;
        loop {
            at = scan::blanks(bytes, at);
            match bytes.get(at) {
                Some(b'"') => {}
                Some(b',') => {
                    at += 1;
                    continue;
                }
                Some(b'}') => {
                    at += 1;
                    if !in_args {
                        return Step::Done(at);
                    }
                    in_args = false;
                    continue;
                }
                Some(_) => return Step::Broken,
                None => return Step::More,
            }
            let Some(key_end) = scan::text_end(bytes, at + 1) else { return Step::More };
            let key = &bytes[at + 1..key_end];
            at = scan::blanks(bytes, key_end + 1);
            match bytes.get(at) {
                Some(b':') => at = scan::blanks(bytes, at + 1),
                Some(_) => return Step::Broken,
                None => return Step::More,
            }
            let Some(&first) = bytes.get(at) else { return Step::More };
            // A key may be spelled with escapes; nobody does, but it is legal.
            let decoded = if key.contains(&b'\\') { Some(text::decode(key).text) } else { None };
            let key = decoded.as_deref().map_or(key, str::as_bytes);
            if first == b'{' && !in_args && key == b"args" {
                in_args = true;
                at += 1;
                continue;
            }
            let field = if in_args { self.args.get(key).copied().map(Field::arg) } else { Field::of_key(key) };
            let Some((value, end)) = value(bytes, at, first) else { return Step::More };
            if end == at {
                return Step::Broken;
            }
            if let Some(field) = field {
                event.set(field, value);
            }
            if field != Some(Field::PHASE) && field != Some(Field::CATEGORY) {
                let start = if value.shape == Shape::Text { at + 1 } else { at };
                self.pieces.push(Piece { start, end: start + value.bytes.len(), shape: value.shape, field });
            }
            at = end;
        }
    }
}

/// The value that begins with `first` at `at`, and the first byte after it.
fn value(bytes: &[u8], at: usize, first: u8) -> Option<(Value<'_>, usize)> {
    Some(match first {
        b'"' => {
            let end = scan::text_end(bytes, at + 1)?;
            (Value { bytes: &bytes[at + 1..end], shape: Shape::Text }, end + 1)
        }
        b'[' | b'{' => {
            let end = scan::container_end(bytes, at)?;
            let shape = if first == b'[' { Shape::List } else { Shape::Object };
            (Value { bytes: &bytes[at..end], shape }, end)
        }
        _ => {
            let end = scan::scalar_end(bytes, at)?;
            (Value { bytes: &bytes[at..end], shape: Shape::Scalar }, end)
        }
    })
}
