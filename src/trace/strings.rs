//! Interned text: each distinct name of a trace is kept once and referred to by a `u32`.

use std::hash::Hasher;

use rustc_hash::FxHasher;

/// Refers to one text in [`Strings`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StringId(pub u32);

/// The texts of a trace, in order of first appearance: one buffer, and a table of hashes that points into it.
#[derive(Clone, Debug, Default)]
pub struct Strings {
    buffer: String,
    /// End of each text in the buffer.
    ends: Vec<usize>,
    /// Open addressing, a power of two long: upper half of the hash, then id + 1; zero is free.
    slots: Vec<(u32, u32)>,
}

impl Strings {
    /// The id of `text`, which is kept if it is new.
    pub fn intern(&mut self, text: &str) -> StringId {
        match self.look_up(text.as_bytes()) {
            Ok(id) => id,
            Err(_) => self.push(text),
        }
    }

    /// The text of `id`.
    pub fn get(&self, id: StringId) -> &str {
        let n = id.0 as usize;
        let start = if n == 0 { 0 } else { self.ends[n - 1] };
        &self.buffer[start..self.ends[n]]
    }

    /// The id of `text` when it is known.
    pub fn find(&self, text: &str) -> Option<StringId> {
        self.find_bytes(text.as_bytes())
    }

    /// The same for bytes that may be no text at all.
    pub(super) fn find_bytes(&self, text: &[u8]) -> Option<StringId> {
        self.look_up(text).ok()
    }

    /// How many distinct texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The id, or the free slot where it belongs.
    fn look_up(&self, text: &[u8]) -> Result<StringId, usize> {
        if self.slots.is_empty() {
            return Err(0);
        }
        let (mut at, tag) = self.place(text);
        loop {
            match self.slots[at] {
                (_, 0) => return Err(at),
                (seen, id) if seen == tag && self.get(StringId(id - 1)).as_bytes() == text => {
                    return Ok(StringId(id - 1));
                }
                _ => at = (at + 1) & (self.slots.len() - 1),
            }
        }
    }

    fn place(&self, text: &[u8]) -> (usize, u32) {
        let mut hasher = FxHasher::default();
        hasher.write(text);
        let hash = hasher.finish();
        (hash as usize & (self.slots.len() - 1), (hash >> 32) as u32)
    }

    fn push(&mut self, text: &str) -> StringId {
        let id = u32::try_from(self.ends.len()).expect("fewer than 2^32 distinct texts");
        self.buffer.push_str(text);
        self.ends.push(self.buffer.len());
        if self.ends.len() * 2 > self.slots.len() {
            self.slots = vec![(0, 0); (self.slots.len() * 2).max(64)];
            for id in 0..=id {
                self.settle(StringId(id));
            }
        } else {
            self.settle(StringId(id));
        }
        StringId(id)
    }

    fn settle(&mut self, id: StringId) {
        let text = self.get(id).as_bytes();
        let (_, tag) = self.place(text);
        if let Err(free) = self.look_up(text) {
            self.slots[free] = (tag, id.0 + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_first_appearance_and_survive_growth() {
        let mut strings = Strings::default();
        assert_eq!(strings.find("x"), None);
        for n in 0..1000 {
            assert_eq!(strings.intern(&format!("kernel {n}")), StringId(n));
        }
        assert_eq!(strings.intern("kernel 500"), StringId(500));
        assert_eq!(strings.intern(""), StringId(1000));
        assert_eq!((strings.get(StringId(999)), strings.get(StringId(1000))), ("kernel 999", ""));
        assert_eq!((strings.find("kernel 7"), strings.find("kernel")), (Some(StringId(7)), None));
        assert_eq!(strings.len(), 1001);
    }
}
