//! Names foretold: a server makes the same calls in each layer and step, so the names before one tell which it is.
//!
//! Four of five guesses are right on real traces. A right one costs a comparison, where finding the end of the name, its
//! hash and its place among the known ones costs five times as much; a wrong one changes nothing.

use super::wide;
use super::{StringId, Strings};

/// Pasts told apart; what falls on the same place is forgotten.
const PASTS: usize = 4096;

/// What came after the last names when they were met before.
#[derive(Debug)]
pub(super) struct Guess {
    /// The last four names, eight bits each.
    past: u32,
    /// By past: id + 1 of the name that followed; zero is none.
    next: Box<[u32; PASTS]>,
}

impl Default for Guess {
    fn default() -> Self {
        Self { past: 0, next: Box::new([0; PASTS]) }
    }
}

impl Guess {
    /// The name that `rest` begins with, and its length, when it is the one foretold: its text up to the quote.
    #[inline]
    pub(super) fn name(&self, rest: &[u8], strings: &Strings) -> Option<(StringId, usize)> {
        let id = StringId::new(self.next[self.place()].checked_sub(1)?);
        let text = strings.bytes(id);
        (wide::begins(rest, text) && rest.get(text.len()) == Some(&b'"')).then_some((id, text.len()))
    }

    /// A name came that was foretold.
    #[inline]
    pub(super) fn right(&mut self, id: StringId) {
        self.past = (self.past << 8) ^ id.index().wrapping_mul(0x9e37_79b1);
    }

    /// Another name came, which is `raw` in the file.
    pub(super) fn wrong(&mut self, id: StringId, raw: &[u8]) {
        // With an escape in it, its text is not what stands in the file.
        let is_plain = memchr::memchr(b'\\', raw).is_none();
        self.next[self.place()] = if is_plain { id.index() + 1 } else { 0 };
        self.right(id);
    }

    fn place(&self) -> usize {
        self.past.wrapping_mul(0x85eb_ca6b) as usize >> 20
    }
}
