//! Interned text: each distinct name of a trace is kept once and referred to by a `u32`.

use rustc_hash::FxHashMap;

/// Refers to one text in [`Strings`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StringId(pub u32);

/// The texts of a trace, in order of first appearance.
#[derive(Clone, Debug, Default)]
pub struct Strings {
    texts: Vec<Box<str>>,
    ids: FxHashMap<Box<str>, u32>,
}

impl Strings {
    /// The id of `text`, which is kept if it is new.
    pub fn intern(&mut self, text: &str) -> StringId {
        if let Some(&id) = self.ids.get(text) {
            return StringId(id);
        }
        let id = u32::try_from(self.texts.len()).expect("fewer than 2^32 distinct texts");
        self.texts.push(text.into());
        self.ids.insert(text.into(), id);
        StringId(id)
    }

    /// The text of `id`.
    pub fn get(&self, id: StringId) -> &str {
        &self.texts[id.0 as usize]
    }

    /// The id of `text` when it is known.
    pub fn find(&self, text: &str) -> Option<StringId> {
        self.ids.get(text).copied().map(StringId)
    }

    /// How many distinct texts there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}
