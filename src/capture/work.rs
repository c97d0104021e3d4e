//! Requests of exactly so many tokens in and out, no two with the same first token.

use serde_json::{Value, json};

use super::template::{Holes, render};
use crate::rules::schema::servers::{TokenIds, Work};

/// Prompts, one after another; the same for the same seed.
#[derive(Clone, Debug)]
pub(super) struct Prompts {
    ids: TokenIds,
    random: u64,
    /// First token of the next prompt: caches match from the first token on, so no two prompts may share it.
    first: u64,
}

impl Prompts {
    /// Ids below `vocabulary`, where that is known.
    pub(super) fn new(seed: u64, ids: TokenIds, vocabulary: Option<u64>) -> Self {
        let end = vocabulary.map_or(ids.end, |size| ids.end.min(size)).max(1);
        // A tiny vocabulary has no middle.
        let first = if ids.first < end { ids.first } else { 0 };
        let mut prompts = Self { ids: TokenIds { first, end }, random: seed, first: 0 };
        prompts.first = prompts.next();
        prompts
    }

    /// `SplitMix64`: every seed gives another sequence, and the sequence is the same everywhere.
    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn id(&self, number: u64) -> u64 {
        self.ids.first + number % (self.ids.end - self.ids.first)
    }

    /// The next prompt.
    pub(super) fn ids(&mut self, length: u64) -> Vec<u64> {
        let first = self.first;
        self.first = self.first.wrapping_add(1);
        (0..length)
            .map(|n| {
                if n == 0 {
                    self.id(first)
                } else {
                    let random = self.next();
                    self.id(random)
                }
            })
            .collect()
    }
}

/// What goes into a request.
#[derive(Clone, Debug)]
pub(super) enum Prompt {
    /// Token ids.
    Ids(Vec<u64>),
    /// Text, whose tokens are not known.
    Text(String),
}

/// The body of a request.
pub(super) fn body(work: &Work, prompt: &Prompt, out: u64, model: Option<&str>, stream: bool) -> Value {
    let mut holes = Holes::from([("out", json!(out)), ("stream", json!(stream))]);
    holes.extend(model.map(|model| ("model", json!(model))));
    let template = match prompt {
        Prompt::Ids(ids) => {
            holes.insert("ids", json!(ids));
            &work.ids
        }
        Prompt::Text(text) => {
            holes.insert("prompt", json!(text));
            &work.text
        }
    };
    let mut body = render(template, &holes);
    if let (true, Some(Value::Object(more)), Some(map)) = (stream, &work.streamed, body.as_object_mut()) {
        map.extend(more.clone());
    }
    body
}

/// Tokens in and out, as far as an answer or an event says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) tokens_in: Option<u64>,
    pub(super) tokens_out: Option<u64>,
}

impl Usage {
    pub(super) fn of(answer: &Value, work: &Work) -> Self {
        let number = |places: &[String]| places.iter().find_map(|at| answer.pointer(at)?.as_u64());
        Self { tokens_in: number(&work.tokens_in), tokens_out: number(&work.tokens_out) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: TokenIds = TokenIds { first: 100, end: 20_000 };

    #[test]
    fn prompts_have_the_length_asked_for_and_no_two_begin_alike() {
        let mut prompts = Prompts::new(7, IDS, None);
        let all: Vec<Vec<u64>> = (0..2000).map(|_| prompts.ids(3)).collect();
        let firsts: std::collections::BTreeSet<u64> = all.iter().map(|ids| ids[0]).collect();
        assert_eq!(firsts.len(), all.len());
        assert!(all.iter().flatten().all(|id| (100..20_000).contains(id)));
        assert!(all.iter().all(|ids| ids.len() == 3));
    }

    #[test]
    fn a_seed_repeats_a_run_and_another_one_begins_elsewhere() {
        let of = |seed| Prompts::new(seed, IDS, None).ids(4);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1)[0], of(2)[0]);
    }

    #[test]
    fn ids_stay_inside_a_small_vocabulary() {
        let mut prompts = Prompts::new(1, IDS, Some(50));
        assert!(prompts.ids(1000).iter().all(|id| *id < 50));
        assert!(Prompts::new(1, IDS, Some(300)).ids(1000).iter().all(|id| (100..300).contains(id)));
    }
}
