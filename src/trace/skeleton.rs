//! Learned skeletons: the bytes between the values of events seen before, so that most events need no parsing.
//!
//! Writers of traces print each kind of event in one layout. After the general parser has read an event, the bytes
//! between its values (keys, punctuation, blanks, phase, category) are kept as a path through a tree; a later event
//! that follows a path byte by byte is read by finding the ends of its values alone. Process and thread hardly change
//! from event to event and are kept like the bytes around them, while they are few. Ends are found by the same
//! functions as in the parser, and equal bytes before equal shapes are parsed equally, so a path gives exactly what
//! the parser gives. Any difference, and the parser reads the event.

use std::ops::Range;

use super::class::Class;
use super::guess::Guess;
use super::parser::Piece;
use super::raw_event::{Field, RawEvent, Shape, Value};
use super::wide::{self, Wide};
use super::{Strings, scan};

/// Bounds what odd files can make us keep; real ones need about a hundred nodes.
const MOST_NODES: usize = 2048;
/// More branches than this at one place are no layout.
const MOST_BRANCHES: usize = 32;
/// Processes and threads that are part of the layout; with more of them at one place they are values.
const MOST_LANES: usize = 8;
/// Longer stretches between values are no layout.
const LONGEST_LITERAL: usize = 1024;

/// The tree of layouts seen so far.
#[derive(Debug)]
pub(super) struct Skeletons {
    /// The first node has no literal and is where every event begins.
    nodes: Vec<Node>,
    /// By node, the branch taken last: it is tried first. None is the first node, which is no branch.
    hot: Vec<usize>,
    /// Whether processes and threads are values in some layout: then all are learned that way, too.
    many_lanes: bool,
}

#[derive(Debug)]
struct Node {
    /// Bytes before the value.
    literal: Box<[u8]>,
    /// Values that are part of the literal.
    fixed: Vec<Fixed>,
    /// Whether process and thread are among them, so that the node tells the lane.
    tells_lane: bool,
    /// The first sixteen of them, and which of these count: one comparison tells most layouts apart.
    head: [u8; 16],
    head_mask: u32,
    /// What the first byte of the value may be.
    first: First,
    then: Then,
    /// What may follow the value.
    branches: Vec<usize>,
}

/// A value within a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fixed {
    field: Field,
    shape: Shape,
    start: usize,
    end: usize,
}

/// What follows a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Value(Shape, Option<Field>),
    /// The event is over; its phase and category were in the literals.
    End(Class),
}

impl Skeletons {
    pub(super) fn new() -> Self {
        let first = Node::new(&[], Vec::new(), Then::Value(Shape::Scalar, None));
        Self { nodes: vec![first], hot: vec![0], many_lanes: false }
    }

    /// Reads the event at `at` when a known path fits; gives its class and the first byte after it.
    // Inlined into its long caller it would lose the registers of its short loop.
    #[inline(never)]
    pub(super) fn event<'b>(
        &mut self,
        bytes: &'b [u8],
        mut at: usize,
        event: &mut RawEvent<'b>,
        (guess, strings): (&Guess, &Strings),
    ) -> Option<(Class, usize)> {
        event.clear();
        let nodes = &self.nodes[..];
        let mut node = 0;
        loop {
            let rest = bytes.get(at..)?;
            // Near the end of a window there are fewer bytes than that; the parser reads the event then.
            let head = Wide::load(*rest.first_chunk()?);
            let mut next = self.hot[node];
            let mut this = &nodes[next];
            if next == 0 || !this.fits(head, rest) {
                next = nodes[node].branches.iter().copied().find(|&other| nodes[other].fits(head, rest))?;
                this = &nodes[next];
                self.hot[node] = next;
            }
            node = next;
            for fixed in &this.fixed {
                let value = Value { bytes: &rest[fixed.start..fixed.end], shape: fixed.shape };
                event.set(fixed.field, value);
            }
            if this.tells_lane {
                event.lane_key = Some(node as u32);
            }
            at += this.literal.len();
            let (end, shape, field) = match this.then {
                Then::End(class) => return Some((class, at)),
                Then::Value(shape @ Shape::Text, field @ Some(Field::NAME)) => {
                    let foretold = guess.name(&bytes[at..], strings);
                    event.name = foretold.map(|(id, _)| id);
                    let end = match foretold {
                        Some((_, length)) => at + length,
                        None => scan::text_end(bytes, at)?,
                    };
                    (end, shape, field)
                }
                Then::Value(shape @ Shape::Text, field) => (scan::text_end(bytes, at)?, shape, field),
                Then::Value(shape @ Shape::Scalar, field) => (scan::scalar_end(bytes, at)?, shape, field),
                Then::Value(shape, field) => (scan::container_end(bytes, at)?, shape, field),
            };
            if let Some(field) = field {
                event.set(field, Value { bytes: &bytes[at..end], shape });
            }
            at = end;
        }
    }

    /// Keeps the layout of the event in `bytes` at `start..end`, which the parser read as `pieces`.
    pub(super) fn learn(&mut self, bytes: &[u8], start: usize, end: usize, pieces: &[Piece], class: Class) {
        // Of a repeated key the last one counts; nobody repeats them, so there is no need for a quick way.
        let once = |field| pieces.iter().filter(|piece| piece.field == Some(field)).count() <= 1;
        let simple = once(Field::PROCESS) && once(Field::THREAD);
        let kept = simple && self.learn_path(bytes, start..end, pieces, class, true);
        if !kept || self.many_lanes {
            self.many_lanes = true;
            self.learn_path(bytes, start..end, pieces, class, false);
        }
    }

    /// Whether there was room for all of it.
    fn learn_path(
        &mut self,
        bytes: &[u8],
        range: Range<usize>,
        pieces: &[Piece],
        class: Class,
        fix_lanes: bool,
    ) -> bool {
        let mut node = 0;
        let mut at = range.start;
        let mut fixed: Vec<Fixed> = Vec::new();
        for &Piece { start, end, shape, field } in pieces {
            if fix_lanes
                && let Some(field) = field.filter(|f| [Field::PROCESS, Field::THREAD].contains(f))
                && matches!(shape, Shape::Scalar | Shape::Text)
            {
                fixed.push(Fixed { field, shape, start: start - at, end: end - at });
                continue;
            }
            let then = Then::Value(shape, field);
            let Some(next) = self.grow(node, &bytes[at..start], std::mem::take(&mut fixed), then) else {
                return false;
            };
            node = next;
            at = end;
        }
        self.grow(node, &bytes[at..range.end], fixed, Then::End(class)).is_some()
    }

    /// The branch of `node` with this literal, a new one if need be; `None` when the tree is full.
    fn grow(&mut self, node: usize, literal: &[u8], fixed: Vec<Fixed>, then: Then) -> Option<usize> {
        let branches = &self.nodes[node].branches;
        let known = branches.iter().find(|&&b| {
            let other = &self.nodes[b];
            *other.literal == *literal && other.then == then && other.fixed == fixed
        });
        if let Some(&known) = known {
            return Some(known);
        }
        let lanes = branches.iter().filter(|&&b| !self.nodes[b].fixed.is_empty()).count();
        if self.nodes.len() >= MOST_NODES
            || branches.len() >= MOST_BRANCHES
            || literal.len() > LONGEST_LITERAL
            || (!fixed.is_empty() && lanes >= MOST_LANES)
        {
            return None;
        }
        let new = self.nodes.len();
        self.nodes.push(Node::new(literal, fixed, then));
        self.hot.push(0);
        self.nodes[node].branches.push(new);
        Some(new)
    }
}

impl Node {
    fn new(literal: &[u8], fixed: Vec<Fixed>, then: Then) -> Self {
        let mut head = [0; 16];
        let length = literal.len().min(16);
        head[..length].copy_from_slice(&literal[..length]);
        let first = match then {
            // The literal ends with the opening quote, or closes the event.
            Then::Value(Shape::Text, _) | Then::End(_) => First::ANY,
            Then::Value(Shape::List, _) => First::LIST,
            Then::Value(Shape::Object, _) => First::OBJECT,
            Then::Value(Shape::Scalar, _) => First::SCALAR,
        };
        let head_mask = ((1_u64 << length) - 1) as u32;
        let tells = |field| fixed.iter().any(|f| f.field == field);
        let tells_lane = tells(Field::PROCESS) && tells(Field::THREAD);
        Self { literal: literal.into(), fixed, tells_lane, head, head_mask, first, then, branches: Vec::new() }
    }

    /// Whether `rest`, which begins with `head`, begins with the literal and then with a value of the right shape.
    #[inline]
    fn fits(&self, head: Wide, rest: &[u8]) -> bool {
        let length = self.literal.len();
        head.same(Wide::load(self.head)).bits() & self.head_mask == self.head_mask
            && (length <= 16 || wide::begins(rest, &self.literal))
            && rest.get(length).map_or(self.first == First::ANY, |&byte| self.first.allows(byte))
    }
}

/// A set of bytes that a value may begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct First(u8);

impl First {
    const LIST: Self = Self(1);
    const OBJECT: Self = Self(2);
    /// What the parser takes for a number or word; a blank belongs to the literal.
    const SCALAR: Self = Self(4);
    const ANY: Self = Self(15);
    const OF_BYTE: [u8; 256] = {
        let mut sets = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            sets[byte] = match byte as u8 {
                b'[' => Self::LIST.0,
                b'{' => Self::OBJECT.0,
                other if scan::begins_scalar(other) => Self::SCALAR.0,
                _ => 8,
            };
            byte += 1;
        }
        sets
    };

    #[inline]
    fn allows(self, byte: u8) -> bool {
        self.0 & Self::OF_BYTE[usize::from(byte)] != 0
    }
}
