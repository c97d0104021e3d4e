//! Many texts looked for at once, found by how they begin.

use rustc_hash::FxHashMap;

/// So many first bytes tell texts apart before they are compared.
const BEGINNING: usize = 4;

/// Texts, each with the number that stands for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Needles {
    texts: Vec<(Box<[u8]>, u32)>,
    /// Indices of the texts that begin so; shorter texts are all beginning.
    by_beginning: FxHashMap<[u8; BEGINNING], Vec<u32>>,
    /// Whether there are beginnings of a length, by the length less one.
    lengths: [bool; BEGINNING],
}

impl Needles {
    /// Looks for `text`, too. An empty text is nowhere.
    pub(super) fn add(&mut self, text: &str, number: u32) {
        let Some(length) = text.len().min(BEGINNING).checked_sub(1) else { return };
        self.lengths[length] = true;
        let index = self.texts.len() as u32;
        self.by_beginning.entry(beginning(text.as_bytes(), length)).or_default().push(index);
        self.texts.push((text.as_bytes().into(), number));
    }

    /// Calls `found` with the length and the number of each text that stands in `whole` at `at`.
    pub(super) fn at(&self, whole: &[u8], at: usize, mut found: impl FnMut(usize, u32)) {
        let rest = &whole[at..];
        for length in (0..BEGINNING.min(rest.len())).filter(|length| self.lengths[*length]) {
            for index in self.by_beginning.get(&beginning(rest, length)).into_iter().flatten() {
                let (text, number) = &self.texts[*index as usize];
                if rest.starts_with(text) {
                    found(text.len(), *number);
                }
            }
        }
    }

    /// Calls `found` with the number of each text in `whole`, once for each place where it stands.
    pub(super) fn within(&self, whole: &str, mut found: impl FnMut(u32)) {
        (0..whole.len()).for_each(|at| self.at(whole.as_bytes(), at, |_, number| found(number)));
    }
}

/// The first bytes, one more than `length`, with zeros up to the full width.
fn beginning(text: &[u8], length: usize) -> [u8; BEGINNING] {
    let mut out = [0; BEGINNING];
    out[..=length].copy_from_slice(&text[..=length]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_length_are_found_where_they_stand() {
        let texts = ["", "a", "ab", "abc", "abcd", "abcde", "cde", "e", "x", "abx"];
        let mut needles = Needles::default();
        for (n, text) in texts.iter().enumerate() {
            needles.add(text, n as u32);
        }
        for whole in ["", "abcde", "aab", "cdex", "\u{e9}abc", "xabxabcd"] {
            let mut found = Vec::new();
            needles.within(whole, |n| found.push(n));
            found.sort_unstable();
            found.dedup();
            let in_whole = |n: &u32| !texts[*n as usize].is_empty() && whole.contains(texts[*n as usize]);
            let expected: Vec<u32> = (0..texts.len() as u32).filter(in_whole).collect();
            assert_eq!(found, expected, "{whole}");
        }
    }
}
