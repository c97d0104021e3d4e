//! Rows of the overlap table: what runs alone though something near could run beside it, and what is hidden already.
//!
//! A row comes from a catalogued family whose clause matched (`overlap/family.rs`), or from a verdict of
//! `rules/overlap.yaml` on a kernel that no family speaks of (`overlap/verdict.rs`).

mod family;
mod near;
mod verdict;

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use crate::attribution::{KernelId, LaunchId, Stage, Timeline};
use crate::graph::KernelGraph;
use crate::rules::{RuleSet, Status};
use crate::units::Nanos;

use super::exposure::{Exposure, Times};
use super::{Classes, Predicates, advice};
pub(super) use family::Matcher;
use near::Near;

/// How likely a change breaks a dependence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    /// Something bears out that the two are independent.
    Low,
    /// Nothing does.
    Unclear,
    /// Recorded waits order them.
    High,
}

impl Risk {
    /// The word in tables and JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Unclear => "unclear",
            Self::High => "high",
        }
    }
}

/// How many instances have which risk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Risks {
    /// Low.
    pub low: u64,
    /// Unclear.
    pub unclear: u64,
    /// High.
    pub high: u64,
}

impl Risks {
    fn count(&mut self, risk: Risk) {
        match risk {
            Risk::Low => self.low += 1,
            Risk::Unclear => self.unclear += 1,
            Risk::High => self.high += 1,
        }
    }

    /// Of all risks together.
    pub fn pairs(self) -> u64 {
        self.low + self.unclear + self.high
    }

    /// Adds those of another trace.
    pub fn add(&mut self, other: Self) {
        self.low += other.low;
        self.unclear += other.unclear;
        self.high += other.high;
    }

    /// Low only where all are; high where one is.
    pub fn worst(self) -> Risk {
        match self {
            Self { high: 1.., .. } => Risk::High,
            Self { low: 1.., unclear: 0, .. } => Risk::Low,
            _ => Risk::Unclear,
        }
    }
}

/// Time of collectives above the fastest of their size: possible waiting for other ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// How much.
    pub time: Nanos,
    /// Whether sizes are known from the shapes of all; else the launch grid stands for some, and the time is an upper
    /// bound.
    pub sized: bool,
}

/// One row of the overlap table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// Stage.
    pub stage: Stage,
    /// Index of the family in the rule set.
    pub family: Option<usize>,
    /// Word of `rules/overlap.yaml`.
    pub verdict: String,
    /// The kernel with most time in the row.
    pub kernel: KernelId,
    /// The kernel with most time beside which it could run, or runs.
    pub partner: Option<KernelId>,
    /// What the row is about.
    pub launches: Vec<LaunchId>,
    /// Sum of their lengths.
    pub time: Nanos,
    /// Parts of it.
    pub times: Times,
    /// Risk over all instances.
    pub risks: Risks,
    /// Exposed time that fits beside independent work. An estimate; none where independence is not borne out.
    pub could_save: Option<Nanos>,
    /// Of collectives: time above the fastest of the same message size.
    pub waiting: Option<Waiting>,
    /// What the verdict rests on: whole sentences without a full stop.
    pub reasons: Vec<String>,
}

/// What the rows are made of.
pub(super) struct Ground<'a> {
    pub(super) rules: &'a RuleSet,
    pub(super) timeline: &'a Timeline,
    pub(super) classes: &'a Classes,
    pub(super) exposure: &'a Exposure,
    pub(super) near: Near<'a>,
}

impl<'a> Ground<'a> {
    pub(super) fn new(
        rules: &'a RuleSet,
        timeline: &'a Timeline,
        graph: &'a KernelGraph,
        classes: &'a Classes,
        exposure: &'a Exposure,
    ) -> Self {
        Self { rules, timeline, classes, exposure, near: Near::new(timeline, graph) }
    }

    fn sum(&self, launches: &[LaunchId]) -> (Nanos, Times) {
        let mut times = Times::default();
        for &id in launches {
            times.add(self.exposure.of(id));
        }
        (launches.iter().map(|id| self.timeline.launch(*id).dur).sum(), times)
    }

    /// The kernel with most time; the one seen first where two are equal.
    fn heaviest(&self, launches: &[LaunchId]) -> Option<KernelId> {
        let mut sums: Vec<(KernelId, Nanos)> = Vec::new();
        let mut at: FxHashMap<KernelId, usize> = FxHashMap::default();
        for &id in launches {
            let launch = self.timeline.launch(id);
            let at = *at.entry(launch.kernel).or_insert_with(|| {
                sums.push((launch.kernel, Nanos::ZERO));
                sums.len() - 1
            });
            sums[at].1 += launch.dur;
        }
        let mut best: Option<(KernelId, Nanos)> = None;
        for (kernel, sum) in sums {
            if best.is_none_or(|(_, most)| sum > most) {
                best = Some((kernel, sum));
            }
        }
        best.map(|(kernel, _)| kernel)
    }
}

/// The overlap families of some rules, ready to be asked.
pub(super) fn families(rules: &RuleSet) -> Matcher {
    let live = |index: &usize| rules.families[*index].status != Status::Retired;
    Matcher::of(Predicates::new(rules), rules, &(0..rules.families.len()).filter(live).collect::<Vec<_>>())
}

/// All rows: by stage, then by time exposed, then by kernel and family.
pub fn overlaps(
    rules: &RuleSet,
    timeline: &Timeline,
    graph: &KernelGraph,
    classes: &Classes,
    exposure: &Exposure,
) -> Vec<Overlap> {
    overlaps_by(&families(rules), &Ground::new(rules, timeline, graph, classes, exposure))
}

/// The same with the families compiled before.
pub(super) fn overlaps_by(families: &Matcher, ground: &Ground<'_>) -> Vec<Overlap> {
    let found = families.find(ground, &|_| false, true);
    let mut rows: Vec<Overlap> = found.into_iter().filter_map(|found| found.row).collect();
    let spoken_of: Vec<LaunchId> = rows.iter().flat_map(|row| row.launches.iter().copied()).collect();
    rows.extend(verdict::rows(ground, &spoken_of));
    rows.sort_by_key(|row| (row.stage, Reverse(row.times.exclusive), Reverse(row.time), row.kernel, row.family));
    rows
}

/// The switches of a row's family as one types them.
pub fn switches(rules: &RuleSet, timeline: &Timeline, row: &Overlap) -> Vec<String> {
    let family = row.family.map(|index| &rules.families[index]);
    family
        .map_or_else(Vec::new, |family| advice::toggles(family, &timeline.run).into_iter().map(advice::typed).collect())
}

#[cfg(test)]
mod tests;
