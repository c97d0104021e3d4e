//! Things in, kinds of things out: two are of one kind while no atom tells them apart. A rule set asks thousands of
//! atoms, a trace has up to millions of names and places, and yet there are a few hundred kinds of them.

use std::hash::Hash;

use rustc_hash::FxHashMap;

/// Kinds while atoms are asked. A kind is made when an atom tells some of an older kind from the rest of it, so the
/// answers of a kind are those at which it and its ancestors were made; to all other atoms it answers as most do.
pub(super) struct Alike<T> {
    /// By thing.
    kind_of: Vec<u32>,
    /// By kind: which it was made of, at which atom, with which answer.
    made: Vec<Option<(u32, usize, T)>>,
    /// By atom: what most things answer.
    most: Vec<T>,
}

/// Kinds once all atoms are asked.
pub(super) struct Kinds<T> {
    /// By thing.
    pub(super) of: Vec<u32>,
    /// By atom in the order asked, then by kind.
    pub(super) answers: Vec<Vec<T>>,
    /// How many kinds.
    pub(super) len: usize,
}

impl<T: Copy + Eq + Hash> Alike<T> {
    pub(super) fn new(things: usize) -> Self {
        Self { kind_of: vec![0; things], made: vec![None], most: Vec::new() }
    }

    /// Takes the answers to one atom: `most`, but for the things given.
    pub(super) fn ask(&mut self, most: T, others: impl Iterator<Item = (usize, T)>) {
        let atom = self.most.len();
        self.most.push(most);
        let mut known: FxHashMap<(u32, T), u32> = FxHashMap::default();
        for (thing, answer) in others {
            let old = self.kind_of[thing];
            self.kind_of[thing] = *known.entry((old, answer)).or_insert_with(|| {
                self.made.push(Some((old, atom, answer)));
                self.made.len() as u32 - 1
            });
        }
    }

    /// The same for an answer a thing.
    pub(super) fn ask_all(&mut self, answers: &[T], usual: T) {
        self.ask(usual, answers.iter().copied().enumerate().filter(|(_, answer)| *answer != usual));
    }

    /// Numbers the kinds that are left by their first thing.
    pub(super) fn kinds(self) -> Kinds<T> {
        let mut number: Vec<Option<u32>> = vec![None; self.made.len()];
        let mut left: Vec<u32> = Vec::new();
        let of = (self.kind_of.iter())
            .map(|kind| {
                *number[*kind as usize].get_or_insert_with(|| {
                    left.push(*kind);
                    left.len() as u32 - 1
                })
            })
            .collect();
        let mut answers: Vec<Vec<T>> = self.most.iter().map(|most| vec![*most; left.len()]).collect();
        for (number, kind) in left.iter().enumerate() {
            let mut kind = *kind;
            while let Some((older, atom, answer)) = self.made[kind as usize] {
                answers[atom][number] = answer;
                kind = older;
            }
        }
        Kinds { of, answers, len: left.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_answer_as_their_things_did() {
        let asked: [[u8; 6]; 4] = [[0, 0, 1, 1, 0, 2], [0, 0, 0, 0, 0, 0], [5, 5, 5, 7, 5, 5], [0, 1, 1, 1, 0, 1]];
        let mut alike = Alike::new(6);
        for answers in &asked {
            alike.ask_all(answers, answers[0]);
        }
        let kinds = alike.kinds();
        assert_eq!(kinds.len, 5, "the first and the fifth are alike");
        for (atom, answers) in asked.iter().enumerate() {
            let of_kinds: Vec<u8> = kinds.of.iter().map(|kind| kinds.answers[atom][*kind as usize]).collect();
            assert_eq!(of_kinds, answers);
        }
    }
}
