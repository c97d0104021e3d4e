//! Collectives of all ranks: who came last, how long the others waited for it, and how long the transfer took then.

use std::collections::BTreeMap;

use super::{Clock, CollectiveRow, Facts, RankCount};
use crate::attribution::Stage;
use crate::engine::collective::{self, Ground, Rank, Span, Tied};
use crate::kernel_name::KernelName;
use crate::rules::RuleSet;
use crate::units::{Nanos, percent};

/// Collectives tied across ranks, and what each rank has of them.
pub(super) struct Collectives {
    pub(super) clock: Clock,
    rows: Vec<(Stage, Nanos, CollectiveRow)>,
    of_rank: BTreeMap<(Stage, usize), Waits>,
}

/// What one rank has of the collectives of a stage.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Waits {
    /// Time before the last rank began; none when nothing was tied.
    pub(super) waiting: Option<Nanos>,
    /// How often it was the last of a late one.
    pub(super) last: u64,
}

/// One collective that was tied.
struct One {
    spread: Nanos,
    transfer: Nanos,
    /// Place of the rank that came last, in the row.
    last: usize,
    /// What each rank waited.
    waited: Vec<Nanos>,
}

impl One {
    /// On one clock starts tell. Else the shortest launch does: who comes last waits for nobody.
    fn of(row: &[Span], same_clock: bool) -> Option<Self> {
        let begin = |span: &Span| if same_clock { span.start } else { Nanos::ZERO - span.dur };
        let waits_from = row.iter().map(begin).min()?;
        let (last, until) =
            (row.iter().map(begin).enumerate()).max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)))?;
        let end = row.iter().map(|span| begin(span) + span.dur).max()?;
        Some(Self {
            spread: until - waits_from,
            transfer: end - until,
            last,
            waited: row.iter().map(|span| until - begin(span)).collect(),
        })
    }
}

impl Collectives {
    pub(super) fn of(facts: &[Facts], rules: &RuleSet) -> Self {
        let ranks: Vec<Rank> =
            facts.iter().map(|facts| Rank { number: facts.worker.rank, series: &facts.collectives }).collect();
        let (mut same_clock, mut known_by) = clock(facts);
        let mut ground =
            Ground { same_clock, tp: facts.iter().find_map(|facts| facts.tp), min_pct: rules.report.ranks.tied_pct };
        let mut tied = collective::tie(&ranks, ground);
        if same_clock && !at_once(&tied, ground.min_pct) {
            (same_clock, known_by) =
                (false, "collectives do not run on all ranks at once: the clocks differ, or the groups do".to_owned());
            ground.same_clock = false;
            tied = collective::tie(&ranks, ground);
        }
        let mut out =
            Self { clock: Clock { comparable: same_clock, known_by }, rows: Vec::new(), of_rank: BTreeMap::new() };
        for tied in &tied {
            out.add(tied, facts, rules);
        }
        out.rows.sort_by(|a, b| {
            let name = |row: &CollectiveRow| (row.kernel.clone(), row.size.clone(), row.ranks.clone());
            (a.0, b.1).cmp(&(b.0, a.1)).then_with(|| name(&a.2).cmp(&name(&b.2)))
        });
        out
    }

    pub(super) fn rows(self) -> Vec<CollectiveRow> {
        self.rows.into_iter().map(|(_, _, row)| row).collect()
    }

    pub(super) fn of_stage_rank(&self, stage: Stage, rank: usize) -> Waits {
        self.of_rank.get(&(stage, rank)).copied().unwrap_or_default()
    }

    fn add(&mut self, tied: &Tied, facts: &[Facts], rules: &RuleSet) {
        let bars = rules.report.ranks;
        let same_clock = self.clock.comparable;
        let label = |n: usize| facts[tied.ranks[n]].worker.label.clone();
        let ones: Vec<One> = tied.rows.iter().filter_map(|row| One::of(row, same_clock)).collect();
        let mut waiting = Nanos::ZERO;
        let mut last = vec![0_u64; tied.ranks.len()];
        for one in &ones {
            if one.spread.as_us() >= bars.late_us {
                last[one.last] += 1;
            }
            for (waited, rank) in one.waited.iter().zip(&tied.ranks) {
                waiting += *waited;
                let own = self.of_rank.entry((tied.key.stage, *rank)).or_default();
                own.waiting = Some(own.waiting.unwrap_or_default() + *waited);
            }
        }
        for (times, rank) in last.iter().zip(&tied.ranks) {
            self.of_rank.entry((tied.key.stage, *rank)).or_default().last += times;
        }
        let late: u64 = last.iter().sum();
        let named = (0..last.len()).max_by_key(|n| (last[*n], usize::MAX - n));
        let named = named.filter(|n| late > 0 && last[*n] as f64 * 100.0 >= late as f64 * bars.late_pct);
        let mean = |of: fn(&One) -> Nanos| {
            let sum: Nanos = ones.iter().map(of).sum();
            (!ones.is_empty()).then(|| Nanos(sum.0 / ones.len() as i64).as_us())
        };
        let key = &tied.key;
        let row = CollectiveRow {
            stage: key.stage.id().to_owned(),
            kernel: key.kernel.clone(),
            parts: KernelName::parse(&key.kernel, &rules.names),
            group: key.group.clone(),
            size: key.size.clone(),
            ranks: (0..tied.ranks.len()).map(label).collect(),
            tied: ones.len() as u64,
            alone: tied.alone,
            tied_by: (!ones.is_empty()).then_some(if same_clock { "time" } else { "order" }.into()),
            spread_us: mean(|one| one.spread),
            spread_max_us: ones.iter().map(|one| one.spread).max().map(Nanos::as_us),
            transfer_us: mean(|one| one.transfer),
            waiting_us: (!ones.is_empty()).then(|| waiting.as_us()),
            late,
            late_rank: named.map(label),
            last: (last.iter().enumerate())
                .filter(|(_, times)| **times > 0)
                .map(|(n, times)| RankCount { rank: label(n), times: *times })
                .collect(),
        };
        self.rows.push((key.stage, waiting, row));
    }
}

/// Whether most launches found their partners where nothing but time says so.
fn at_once(tied: &[Tied], min_pct: u64) -> bool {
    let rows: usize = tied.iter().map(|tied| tied.rows.len() * tied.ranks.len()).sum();
    let alone: u64 = tied.iter().map(|tied| tied.alone).sum();
    let all = rows as i64 + alone as i64;
    all == 0 || percent(Nanos(rows as i64), Nanos(all)) >= min_pct as f64
}

/// Ranks share a clock when they run on one host: each has a device of its own number. Equal numbers are devices of
/// several hosts, or of processes that see one device each, which no trace tells apart.
fn clock(facts: &[Facts]) -> (bool, String) {
    let numbers: Option<Vec<i64>> = facts.iter().map(|facts| number(facts.device.as_deref()?)).collect();
    let Some(mut numbers) = numbers else { return (false, "the traces do not number their devices".to_owned()) };
    numbers.sort_unstable();
    let apart = numbers.windows(2).all(|pair| pair[0] != pair[1]);
    if apart {
        (true, "each rank has a device of its own number, so they are of one host".to_owned())
    } else {
        (false, "ranks have equal device numbers, so they may be of several hosts".to_owned())
    }
}

/// The number of a device, which a merged file writes behind the label of its rank.
fn number(device: &str) -> Option<i64> {
    device.rsplit(' ').next()?.parse().ok()
}
