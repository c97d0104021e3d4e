//! What becomes of an event, by its phase and category alone; and the counts of those that are not kept.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::raw_event::{Field, RawEvent};
use super::{Broken, EventKind, Skipped, text};

/// What becomes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A row of the table of its kind.
    Keep(EventKind),
    /// A frame, or one more of this count where no launch fits in.
    Frame(Counter),
    /// Names of processes and threads.
    Metadata,
    /// Only counted.
    Count(Counter),
}

/// One count of [`Counts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counter(u32);

/// Why an event is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Why {
    Ignored,
    Unknown,
    Broken,
}

/// Counts of events not kept, and the first of each.
#[derive(Debug, Default)]
pub(super) struct Counts {
    counters: FxHashMap<(Why, String), Counter>,
    counts: Vec<Broken>,
}

impl Counts {
    pub(super) fn counter(&mut self, why: Why, label: &str) -> Counter {
        let next = Counter(self.counts.len() as u32);
        let counter = *self.counters.entry((why, label.to_owned())).or_insert(next);
        if counter == next {
            self.counts.push(Broken::default());
        }
        counter
    }

    /// `at`: place of the event in the list.
    pub(super) fn count(&mut self, counter: Counter, at: u64) {
        let kind = &mut self.counts[counter.0 as usize];
        if kind.count == 0 {
            kind.first = at;
        }
        kind.count += 1;
    }

    pub(super) fn broken(&mut self, reason: &str, at: u64) {
        let counter = self.counter(Why::Broken, reason);
        self.count(counter, at);
    }

    /// Adds the counts of what comes after `before` events.
    pub(super) fn append(&mut self, next: Self, before: u64) {
        // In the order in which they were made, not that of the table.
        let mut counters: Vec<_> = next.counters.into_iter().collect();
        counters.sort_unstable_by_key(|(_, counter)| counter.0);
        for ((why, label), counter) in counters {
            let Broken { count, first } = next.counts[counter.0 as usize];
            let own = self.counter(why, &label);
            let own = &mut self.counts[own.0 as usize];
            if own.count == 0 {
                own.first = before + first;
            }
            own.count += count;
        }
    }

    pub(super) fn into_skipped(self) -> Skipped {
        let all = |why| -> BTreeMap<String, Broken> {
            let counted = self.counters.iter().filter(|((w, _), _)| *w == why);
            counted
                .map(|((_, label), counter)| (label.clone(), self.counts[counter.0 as usize]))
                .filter(|(_, counted)| counted.count > 0)
                .collect()
        };
        let of = |why| all(why).into_iter().map(|(label, counted)| (label, counted.count)).collect();
        Skipped { ignored: of(Why::Ignored), unknown: of(Why::Unknown), broken: all(Why::Broken), repaired: 0 }
    }
}

/// Tells classes by the categories of the settings.
#[derive(Debug)]
pub(super) struct Classes {
    kinds: FxHashMap<Box<[u8]>, EventKind>,
    keep_frames: bool,
}

impl Classes {
    pub(super) fn new(categories: &[(String, EventKind)], keep_frames: bool) -> Self {
        Self { kinds: categories.iter().map(|(cat, kind)| (cat.as_bytes().into(), *kind)).collect(), keep_frames }
    }

    /// Phase `X` is a complete event and `M` metadata; all others mark points, flows and counters.
    pub(super) fn of(&self, event: &RawEvent<'_>, counts: &mut Counts) -> Class {
        let Some(phase) = event.text(Field::PHASE) else {
            return Class::Count(counts.counter(Why::Broken, "ph is absent"));
        };
        let category = event.text(Field::CATEGORY).map(text::decode);
        let label = category.as_ref().map_or_else(|| text::decode(phase).text, |c| c.text.clone());
        let kind = category.as_ref().and_then(|c| self.kinds.get(c.text.as_bytes())).copied();
        match (phase, kind) {
            (b"M", _) => Class::Metadata,
            (b"X", Some(EventKind::Ignored)) => Class::Count(counts.counter(Why::Ignored, &label)),
            (b"X", Some(EventKind::PythonFrame)) if !self.keep_frames => {
                Class::Count(counts.counter(Why::Ignored, &label))
            }
            (b"X", Some(EventKind::PythonFrame)) => {
                Class::Frame(counts.counter(Why::Ignored, &format!("{label} (too short for a launch)")))
            }
            (b"X", Some(kind)) => Class::Keep(kind),
            (b"X", None) => Class::Count(counts.counter(Why::Unknown, &label)),
            (b"B" | b"E", Some(kind)) if kind != EventKind::Ignored => {
                Class::Count(counts.counter(Why::Broken, "begins and ends apart (ph is B or E, not X)"))
            }
            _ => Class::Count(counts.counter(Why::Ignored, &label)),
        }
    }
}
