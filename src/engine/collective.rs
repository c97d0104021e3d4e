//! Collectives of several ranks in, tied one to one across the ranks, out.
//!
//! A collective ends nowhere before it has begun everywhere, so the launches of one run on all its ranks at once. Where
//! the ranks share a clock this ties them, and what fits nowhere is left alone; elsewhere only their order can.

use std::collections::BTreeMap;

use super::Classes;
use crate::attribution::{Stage, Timeline};
use crate::rules::RuleSet;
use crate::units::Nanos;

/// What launches of one collective have alike on all ranks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Stage.
    pub stage: Stage,
    /// Kernel, as the trace has it.
    pub kernel: String,
    /// Process group; none where the trace does not say it, as in graph replays.
    pub group: Option<String>,
    /// What stands for the message size: elements, input shapes, else the launch grid.
    pub size: String,
}

/// One launch on the GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Begin.
    pub start: Nanos,
    /// Length.
    pub dur: Nanos,
}

impl Span {
    fn end(self) -> Nanos {
        self.start + self.dur
    }
}

/// Launches of one rank by their collective, in start order.
pub type Series = BTreeMap<Key, Vec<Span>>;

/// The collectives of one rank.
pub fn series(timeline: &Timeline, classes: &Classes, rules: &RuleSet) -> Series {
    let mut out = Series::new();
    let mut said = timeline.collectives.iter().peekable();
    for id in timeline.launch_ids() {
        let facts = said.next_if(|facts| facts.launch == id);
        if !rules.overlap.is_communication(classes.name_of(id)) {
            continue;
        }
        let launch = timeline.launch(id);
        let text = |id| timeline.strings.get(id).to_owned();
        let elements = facts.and_then(|facts| facts.elements).map(|n| format!("{n} elements"));
        let shapes = || timeline.context(id).dims.map(text);
        let grid = || launch.grid.map(|grid| format!("grid {}", timeline.strings.get(grid)));
        let key = Key {
            stage: launch.stage,
            kernel: text(timeline.kernel(id).raw),
            group: facts.and_then(|facts| facts.group).map(text),
            size: elements.or_else(shapes).or_else(grid).unwrap_or_default(),
        };
        out.entry(key).or_default().push(Span { start: launch.start, dur: launch.dur });
    }
    out
}

/// A rank with its collectives.
#[derive(Clone, Copy, Debug)]
pub struct Rank<'a> {
    /// Its number, when known.
    pub number: Option<i64>,
    /// Its collectives.
    pub series: &'a Series,
}

/// How the ranks of one collective are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ground {
    /// Whether the clocks of all ranks agree.
    pub same_clock: bool,
    /// Ranks of a tensor-parallel group, when known.
    pub tp: Option<i64>,
    /// Per cent of the launches of a rank that must find partners where nothing else says which ranks belong together.
    pub min_pct: u64,
}

/// Collectives of one key, tied across ranks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tied {
    /// What they have alike.
    pub key: Key,
    /// Ranks, by their place in the list given.
    pub ranks: Vec<usize>,
    /// Each collective: one launch a rank, in the order of `ranks`. Empty when they could not be tied.
    pub rows: Vec<Vec<Span>>,
    /// Launches that found no partner on every rank.
    pub alone: u64,
}

/// Ties the collectives of all ranks; in the order of their keys.
pub fn tie(ranks: &[Rank], ground: Ground) -> Vec<Tied> {
    let mut owners: BTreeMap<&Key, Vec<usize>> = BTreeMap::new();
    for (n, rank) in ranks.iter().enumerate() {
        for key in rank.series.keys() {
            owners.entry(key).or_default().push(n);
        }
    }
    let mut out = Vec::new();
    for (key, owners) in owners {
        let launches = |n: usize| ranks[n].series.get(key).map_or(&[][..], Vec::as_slice);
        let tied = |members: &[usize]| -> Tied {
            let all: Vec<&[Span]> = members.iter().map(|n| launches(*n)).collect();
            let rows = if ground.same_clock { by_time(&all) } else { by_order(&all) };
            let launches: usize = all.iter().map(|spans| spans.len()).sum();
            let alone = (launches - rows.len() * members.len()) as u64;
            Tied { key: key.clone(), ranks: members.to_vec(), rows, alone }
        };
        if owners.len() < 2 {
            continue;
        }
        let all = tied(&owners);
        let fewest = owners.iter().map(|n| launches(*n).len()).min().unwrap_or(0) as u64;
        let fits = all.rows.len() as u64 * 100 >= fewest * ground.min_pct;
        let blocks = blocks(&owners, ranks, ground.tp);
        let known = key.group.is_some() || blocks.len() == 1;
        match (known, ground.same_clock) {
            (true, _) => out.push(all),
            (false, true) if fits => out.push(all),
            // Without a common clock nothing bears out that they belong together.
            (false, _) if blocks.is_empty() => {
                let alone = all.alone + (all.rows.len() * owners.len()) as u64;
                out.push(Tied { rows: Vec::new(), alone, ..all });
            }
            (false, _) => out.extend(blocks.iter().filter(|block| block.len() > 1).map(|block| tied(block))),
        }
    }
    out
}

/// Ranks by tensor-parallel group: its ranks have numbers in a row. None when that is not known.
fn blocks(owners: &[usize], ranks: &[Rank], tp: Option<i64>) -> Vec<Vec<usize>> {
    let Some(tp) = tp.filter(|tp| *tp > 1) else { return Vec::new() };
    let mut blocks: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for &n in owners {
        let Some(number) = ranks[n].number else { return Vec::new() };
        blocks.entry(number.div_euclid(tp)).or_default().push(n);
    }
    blocks.into_values().collect()
}

/// The n-th of each rank, when all have equally many.
fn by_order(all: &[&[Span]]) -> Vec<Vec<Span>> {
    let n = all.first().map_or(0, |spans| spans.len());
    if all.iter().any(|spans| spans.len() != n) {
        return Vec::new();
    }
    (0..n).map(|n| all.iter().map(|spans| spans[n]).collect()).collect()
}

/// Those that run at one time on all ranks; one that ends before another begins has no partner.
fn by_time(all: &[&[Span]]) -> Vec<Vec<Span>> {
    let mut rows = Vec::new();
    let mut at = vec![0; all.len()];
    while let Some(heads) =
        all.iter().zip(&at).map(|(spans, at)| spans.get(*at).copied()).collect::<Option<Vec<Span>>>()
    {
        let begun = heads.iter().map(|span| span.start).max();
        let first = (0..heads.len()).min_by_key(|n| (heads[*n].end(), *n));
        let Some((begun, first)) = begun.zip(first) else { break };
        if begun <= heads[first].end() {
            rows.push(heads);
            for at in &mut at {
                *at += 1;
            }
        } else {
            at[first] += 1;
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(group: Option<&str>) -> Key {
        let group = group.map(str::to_owned);
        Key { stage: Stage::Decode, kernel: "all_reduce".to_owned(), group, size: "8 elements".to_owned() }
    }

    fn rank(group: Option<&str>, spans: &[(i64, i64)]) -> Series {
        let spans = spans.iter().map(|&(start, dur)| Span { start: Nanos(start), dur: Nanos(dur) }).collect();
        Series::from([(key(group), spans)])
    }

    fn tied(ranks: &[Series], same_clock: bool, tp: Option<i64>) -> Vec<(Vec<usize>, usize, u64)> {
        let ranks: Vec<Rank> =
            ranks.iter().enumerate().map(|(n, series)| Rank { number: Some(n as i64), series }).collect();
        let tied = tie(&ranks, Ground { same_clock, tp, min_pct: 90 });
        tied.into_iter().map(|tied| (tied.ranks, tied.rows.len(), tied.alone)).collect()
    }

    #[test]
    fn on_one_clock_a_launch_that_another_rank_did_not_record_shifts_nothing() {
        let whole = rank(None, &[(0, 10), (100, 10), (200, 10)]);
        let began_later = rank(None, &[(105, 5), (203, 7)]);
        assert_eq!(tied(&[whole, began_later], true, None), [(vec![0, 1], 2, 1)]);
    }

    #[test]
    fn without_a_clock_only_equal_numbers_in_one_group_are_tied() {
        let two = || rank(Some("3"), &[(0, 10), (100, 10)]);
        let far = || rank(Some("3"), &[(9_000, 10), (9_100, 10)]);
        assert_eq!(tied(&[two(), far()], false, None), [(vec![0, 1], 2, 0)]);
        assert_eq!(tied(&[two(), rank(Some("3"), &[(0, 10)])], false, None), [(vec![0, 1], 0, 3)]);
        let unnamed = || rank(None, &[(0, 10), (100, 10)]);
        assert_eq!(tied(&[unnamed(), unnamed()], false, None), [(vec![0, 1], 0, 4)]);
        assert_eq!(tied(&[unnamed(), unnamed()], false, Some(2)), [(vec![0, 1], 2, 0)]);
    }

    #[test]
    fn groups_that_run_at_other_times_are_not_mixed() {
        let one = || rank(None, &[(0, 10), (100, 10)]);
        let other = || rank(None, &[(50, 10), (150, 10)]);
        let all = [one(), one(), other(), other()];
        assert_eq!(tied(&all, true, Some(2)), [(vec![0, 1], 2, 0), (vec![2, 3], 2, 0)]);
        assert_eq!(tied(&all, true, None), [(vec![0, 1, 2, 3], 0, 8)], "nothing says which belong together");
    }
}
