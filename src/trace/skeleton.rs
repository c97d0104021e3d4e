//! Learned skeletons: the bytes between the values of events seen before, so that most events need no parsing.
//!
//! Writers of traces print each kind of event in one layout. After the general parser has read an event, the bytes
//! between its values (keys, punctuation, blanks, phase, category) are kept as a path through a tree; a later event
//! that follows a path byte by byte is read by finding the ends of its values alone. Ends are found by the same
//! functions as in the parser, and equal bytes before equal shapes are parsed equally, so a path gives exactly what
//! the parser gives. Any difference, and the parser reads the event.

use super::class::Class;
use super::parser::Piece;
use super::raw_event::{Field, RawEvent, Shape, Value};
use super::scan;

/// Bounds what odd files can make us keep; real ones need about a hundred nodes.
const MOST_NODES: usize = 2048;
/// More branches than this at one place are no layout.
const MOST_BRANCHES: usize = 32;
/// Longer stretches between values are no layout.
const LONGEST_LITERAL: usize = 1024;

/// The tree of layouts seen so far.
#[derive(Debug)]
pub(super) struct Skeletons {
    /// The first node has no literal and is where every event begins.
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    /// Bytes before the value.
    literal: Box<[u8]>,
    then: Then,
    /// What may follow the value.
    branches: Vec<usize>,
    /// The branch taken last, tried first.
    hot: usize,
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
        let root = Node { literal: [].into(), then: Then::Value(Shape::Scalar, None), branches: Vec::new(), hot: 0 };
        Self { nodes: vec![root] }
    }

    /// Reads the event at `at` when a known path fits; gives its class and the first byte after it.
    #[inline]
    pub(super) fn event<'b>(
        &mut self,
        bytes: &'b [u8],
        mut at: usize,
        event: &mut RawEvent<'b>,
    ) -> Option<(Class, usize)> {
        event.clear();
        let mut node = 0;
        loop {
            let (next, after) = self.branch(node, bytes, at)?;
            node = next;
            at = after;
            match self.nodes[node].then {
                Then::End(class) => return Some((class, at)),
                Then::Value(shape, field) => {
                    let end = match shape {
                        Shape::Text => scan::text_end(bytes, at)?,
                        Shape::Scalar => scan::scalar_end(bytes, at)?,
                        Shape::List | Shape::Object => scan::container_end(bytes, at)?,
                    };
                    if let Some(field) = field {
                        event.set(field, Value { bytes: &bytes[at..end], shape });
                    }
                    at = end;
                }
            }
        }
    }

    /// The branch that fits at `at`, and the first byte after its literal.
    #[inline]
    fn branch(&mut self, node: usize, bytes: &[u8], at: usize) -> Option<(usize, usize)> {
        let rest = bytes.get(at..)?;
        let Node { branches, hot, .. } = &self.nodes[node];
        let likely = *branches.get(*hot)?;
        if let Some(length) = self.nodes[likely].fits(rest) {
            return Some((likely, at + length));
        }
        let (n, other, length) =
            branches.iter().enumerate().find_map(|(n, &other)| Some((n, other, self.nodes[other].fits(rest)?)))?;
        self.nodes[node].hot = n;
        Some((other, at + length))
    }

    /// Keeps the layout of the event in `bytes` at `start..end`, which the parser read as `pieces`.
    pub(super) fn learn(&mut self, bytes: &[u8], start: usize, end: usize, pieces: &[Piece], class: Class) {
        let mut node = 0;
        let mut at = start;
        for piece in pieces {
            let Some(next) = self.grow(node, &bytes[at..piece.start], Then::Value(piece.shape, piece.field)) else {
                return;
            };
            node = next;
            at = piece.end;
        }
        self.grow(node, &bytes[at..end], Then::End(class));
    }

    /// The branch of `node` with this literal, a new one if need be; `None` when the tree is full.
    fn grow(&mut self, node: usize, literal: &[u8], then: Then) -> Option<usize> {
        let branches = &self.nodes[node].branches;
        let known = branches.iter().find(|&&b| *self.nodes[b].literal == *literal && self.nodes[b].then == then);
        if let Some(&known) = known {
            return Some(known);
        }
        if self.nodes.len() >= MOST_NODES || branches.len() >= MOST_BRANCHES || literal.len() > LONGEST_LITERAL {
            return None;
        }
        let new = self.nodes.len();
        self.nodes.push(Node { literal: literal.into(), then, branches: Vec::new(), hot: 0 });
        self.nodes[node].branches.push(new);
        Some(new)
    }
}

impl Node {
    /// Length of the literal when `rest` begins with it and then with a value of the right shape.
    #[inline]
    fn fits(&self, rest: &[u8]) -> Option<usize> {
        let after = rest.strip_prefix(&*self.literal)?;
        let first = after.first().copied();
        let fits = match self.then {
            // The literal ends with the opening quote, or closes the event.
            Then::Value(Shape::Text, _) | Then::End(_) => true,
            Then::Value(Shape::List, _) => first == Some(b'['),
            Then::Value(Shape::Object, _) => first == Some(b'{'),
            // Anything else the parser would take for a value; a blank belongs to the literal.
            Then::Value(Shape::Scalar, _) => {
                !matches!(first, None | Some(b'"' | b'[' | b'{' | b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t'))
            }
        };
        if fits { Some(self.literal.len()) } else { None }
    }
}
