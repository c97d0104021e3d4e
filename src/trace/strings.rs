//! Interned text: each distinct name of a trace is kept once and referred to by a `u32`.

use std::hash::Hasher;
use std::num::NonZeroU32;
use std::ops::Range;

use rustc_hash::FxHasher;

/// Refers to one text in [`Strings`]. It holds the index and one, so that a text that may be missing takes no more room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StringId(NonZeroU32);

impl StringId {
    /// The id of the text at `index`, counted from 0 in order of first appearance.
    pub const fn new(index: u32) -> Self {
        Self(NonZeroU32::MIN.saturating_add(index))
    }

    /// Counted from 0.
    #[inline]
    pub const fn index(self) -> u32 {
        self.0.get() - 1
    }
}

/// The texts of a trace, in order of first appearance: one buffer, and a table of hashes that points into it.
#[derive(Clone, Debug, Default)]
pub struct Strings {
    buffer: String,
    /// End of each text in the buffer.
    ends: Vec<usize>,
    /// Open addressing, a power of two long: hash, then id + 1; zero is free.
    slots: Vec<(u32, u32)>,
}

impl Strings {
    /// The id of `text`, which is kept if it is new.
    pub fn intern(&mut self, text: &str) -> StringId {
        let hash = hash(text.as_bytes());
        self.look_up(text.as_bytes(), hash).unwrap_or_else(|| self.push(text, hash))
    }

    /// The text of `id`.
    pub fn get(&self, id: StringId) -> &str {
        &self.buffer[self.range(id)]
    }

    /// The same as bytes, which need no look at where characters begin.
    #[inline]
    pub(super) fn bytes(&self, id: StringId) -> &[u8] {
        &self.buffer.as_bytes()[self.range(id)]
    }

    #[inline]
    fn range(&self, id: StringId) -> Range<usize> {
        let n = id.index() as usize;
        let start = if n == 0 { 0 } else { self.ends[n - 1] };
        start..self.ends[n]
    }

    /// The id of `text` when it is known.
    pub fn find(&self, text: &str) -> Option<StringId> {
        self.find_bytes(text.as_bytes())
    }

    /// The same for bytes that may be no text at all.
    pub(super) fn find_bytes(&self, text: &[u8]) -> Option<StringId> {
        self.look_up(text, hash(text))
    }

    /// How many distinct texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn look_up(&self, text: &[u8], hash: u32) -> Option<StringId> {
        let mut at = self.first_slot(hash)?;
        loop {
            match self.slots[at] {
                (_, 0) => return None,
                (seen, id) if seen == hash && self.bytes(StringId::new(id - 1)) == text => {
                    return Some(StringId::new(id - 1));
                }
                _ => at = (at + 1) & (self.slots.len() - 1),
            }
        }
    }

    fn push(&mut self, text: &str, hash: u32) -> StringId {
        let id = u32::try_from(self.ends.len())
            .ok()
            .filter(|&id| id < u32::MAX)
            .expect("fewer than 2^32 - 1 distinct texts");
        self.buffer.push_str(text);
        self.ends.push(self.buffer.len());
        if self.ends.len() * 2 > self.slots.len() {
            let larger = vec![(0, 0); (self.slots.len() * 2).max(64)];
            for slot in std::mem::replace(&mut self.slots, larger) {
                self.settle(slot);
            }
        }
        self.settle((hash, id + 1));
        StringId::new(id)
    }

    /// Puts an id that is not there yet into the first free slot.
    fn settle(&mut self, slot: (u32, u32)) {
        let Some(mut at) = self.first_slot(slot.0).filter(|_| slot.1 != 0) else { return };
        while self.slots[at].1 != 0 {
            at = (at + 1) & (self.slots.len() - 1);
        }
        self.slots[at] = slot;
    }

    fn first_slot(&self, hash: u32) -> Option<usize> {
        Some(hash as usize & self.slots.len().checked_sub(1)?)
    }
}

fn hash(text: &[u8]) -> u32 {
    let mut hasher = FxHasher::default();
    hasher.write(text);
    let hash = hasher.finish();
    (hash ^ (hash >> 32)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_first_appearance_and_survive_growth() {
        let mut strings = Strings::default();
        assert_eq!(strings.find("x"), None);
        for n in 0..1000 {
            assert_eq!(strings.intern(&format!("kernel {n}")), StringId::new(n));
        }
        assert_eq!(strings.intern("kernel 500"), StringId::new(500));
        assert_eq!(strings.intern(""), StringId::new(1000));
        assert_eq!((strings.get(StringId::new(999)), strings.get(StringId::new(1000))), ("kernel 999", ""));
        assert_eq!((strings.find("kernel 7"), strings.find("kernel")), (Some(StringId::new(7)), None));
        assert_eq!(strings.len(), 1001);
    }
}
