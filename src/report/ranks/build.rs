//! The rank section: sums of each rank, and who is slower than the others in what.

use std::collections::{BTreeMap, BTreeSet};

use super::{Facts, FuseDiffers, RankRow, RankStage, Ranks, RanksInState, Straggler, collectives};
use crate::attribution::Stage;
use crate::kernel_name::KernelName;
use crate::report::kernels::{Tally, share};
use crate::report::{CategoryShare, StageInfo};
use crate::rules::RuleSet;
use crate::units::{Nanos, percent};

/// The section on ranks in order of their numbers; none when there is no rank.
pub(in crate::report) fn build(facts: &[Facts], shown: &[StageInfo], rules: &RuleSet) -> Option<Ranks> {
    let first = facts.first()?;
    let is_shown = |stage: &str| shown.iter().find(|info| info.stage == stage).is_none_or(|info| info.shown);
    let label = |facts: &Facts| facts.worker.label.clone();
    let stages: BTreeSet<Stage> = facts.iter().flat_map(|facts| facts.stages.keys().copied()).collect();
    let stages: Vec<OneStage> = stages.into_iter().map(|stage| OneStage::of(facts, stage)).collect();
    let collectives = collectives::Collectives::of(facts, rules);
    let mut stragglers: Vec<Straggler> =
        (stages.iter()).filter(|stage| is_shown(stage.stage.id())).flat_map(|stage| stage.stragglers(rules)).collect();
    // Stages in their order; a stable sort keeps it.
    stragglers.sort_by(|a, b| {
        let stage = |row: &Straggler| stages.iter().position(|stage| stage.stage.id() == row.stage);
        stage(a).cmp(&stage(b)).then_with(|| b.over_us.total_cmp(&a.over_us))
    });
    Some(Ranks {
        tables_of: label(first),
        read: facts.iter().map(label).collect(),
        world_size: facts.iter().find_map(|facts| facts.world_size),
        clock: collectives.clock.clone(),
        stages: stages.iter().map(|stage| stage.info(is_shown(stage.stage.id()), &collectives)).collect(),
        stragglers,
        collectives: collectives.rows(),
        differing: differing(facts, rules),
    })
}

/// The lower of the two in the middle, so that of two ranks the slower is compared with the quicker.
fn median<T: Copy + Ord>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied()
}

/// One stage of the ranks that have it.
struct OneStage<'a> {
    stage: Stage,
    ranks: Vec<OfRank<'a>>,
    per_step: bool,
}

/// One rank in the stage.
struct OfRank<'a> {
    /// Place in the list of ranks.
    at: usize,
    facts: &'a Facts,
    steps: u64,
    total: Tally,
    categories: BTreeMap<&'a str, BTreeMap<&'a str, Tally>>,
}

impl OfRank<'_> {
    fn category(&self, category: &str) -> Tally {
        let mut sum = Tally::default();
        self.categories.get(category).into_iter().flat_map(BTreeMap::values).for_each(|tally| sum.add(*tally));
        sum
    }

    fn kernel(&self, category: &str, kernel: &str) -> Tally {
        self.categories.get(category).and_then(|kernels| kernels.get(kernel)).copied().unwrap_or_default()
    }
}

impl<'a> OneStage<'a> {
    fn of(facts: &'a [Facts], stage: Stage) -> Self {
        let alike = one_category(facts, stage);
        let ranks: Vec<OfRank> = (facts.iter().enumerate())
            .filter_map(|(at, facts)| {
                let own = facts.stages.get(&stage)?;
                let mut rank =
                    OfRank { at, facts, steps: own.steps, total: Tally::default(), categories: BTreeMap::new() };
                for (kernel, categories) in &own.kernels {
                    for (category, tally) in categories {
                        let category = alike.get(kernel.as_str()).copied().unwrap_or(category);
                        rank.total.add(*tally);
                        rank.categories.entry(category).or_default().entry(kernel).or_default().add(*tally);
                    }
                }
                Some(rank)
            })
            .collect();
        let per_step = ranks.iter().all(|rank| rank.steps > 0);
        Self { stage, ranks, per_step }
    }

    /// Time of a step, where there are some.
    fn each(&self, rank: &OfRank, time: Nanos) -> Nanos {
        if self.per_step { Nanos(time.0 / rank.steps as i64) } else { time }
    }

    fn median(&self, of: impl Fn(&OfRank) -> Nanos) -> Nanos {
        median(self.ranks.iter().map(|rank| self.each(rank, of(rank)))).unwrap_or_default()
    }

    fn info(&self, shown: bool, collectives: &collectives::Collectives) -> RankStage {
        let median = self.median(|rank| rank.total.time);
        let all: Nanos = self.ranks.iter().map(|rank| rank.total.time).sum();
        let ranks = self.ranks.iter().map(|rank| {
            let over = self.each(rank, rank.total.time) - median;
            let waits = collectives.of_stage_rank(self.stage, rank.at);
            RankRow {
                rank: rank.facts.worker.label.clone(),
                device: rank.facts.device.clone(),
                time_us: rank.total.time.as_us(),
                share_pct: share(rank.total.time, all),
                launches: rank.total.launches,
                steps: rank.steps,
                time_per_step_us: (rank.steps > 0).then(|| Nanos(rank.total.time.0 / rank.steps as i64).as_us()),
                over_median_pct: share(over, median),
                waiting_us: waits.waiting.map(Nanos::as_us),
                last: waits.last,
                categories: shares(rank),
            }
        });
        RankStage {
            stage: self.stage.id().to_owned(),
            title: self.stage.title(),
            shown,
            per_step: self.per_step,
            median_us: median.as_us(),
            ranks: ranks.collect(),
        }
    }

    /// Who is slow in what. Collectives are left out: there, the slow rank is the one that waits least.
    fn stragglers(&self, rules: &RuleSet) -> Vec<Straggler> {
        let bars = rules.report.ranks;
        let whole = self.median(|rank| rank.total.time);
        let categories: BTreeSet<&str> = self.ranks.iter().flat_map(|rank| rank.categories.keys().copied()).collect();
        let mut out = Vec::new();
        for category in categories.into_iter().filter(|category| !rules.overlap.is_communication(category)) {
            let middle = self.median(|rank| rank.category(category).time);
            for rank in &self.ranks {
                let time = self.each(rank, rank.category(category).time);
                let over = time - middle;
                let slow = over > Nanos::ZERO
                    && percent(over, whole) >= bars.share_pct
                    && (middle == Nanos::ZERO || percent(over, middle) >= bars.over_pct);
                if slow {
                    out.push(self.straggler(rank, category, [time, middle], rules));
                }
            }
        }
        out
    }

    fn straggler(&self, rank: &OfRank, category: &str, [time, middle]: [Nanos; 2], rules: &RuleSet) -> Straggler {
        let launches = |rank: &OfRank| {
            let launches = rank.category(category).launches;
            // In thousandths, so that they sort.
            if self.per_step { launches * 1000 / rank.steps } else { launches * 1000 }
        };
        let (mut kernel, mut most) = ("", Nanos(i64::MIN));
        for name in rank.categories.get(category).into_iter().flat_map(BTreeMap::keys) {
            let own = self.each(rank, rank.kernel(category, name).time);
            let over = own - self.median(|rank| rank.kernel(category, name).time);
            if over > most {
                (kernel, most) = (name, over);
            }
        }
        Straggler {
            rank: rank.facts.worker.label.clone(),
            stage: self.stage.id().to_owned(),
            category: category.to_owned(),
            time_us: time.as_us(),
            median_us: middle.as_us(),
            over_pct: (middle > Nanos::ZERO).then(|| share(time - middle, middle)),
            over_us: (time - middle).as_us(),
            launches: launches(rank) as f64 / 1000.0,
            median_launches: median(self.ranks.iter().map(launches)).unwrap_or(0) as f64 / 1000.0,
            kernel: kernel.to_owned(),
            parts: KernelName::parse(kernel, &rules.names),
            kernel_over_us: most.as_us(),
        }
    }
}

/// Categories of a rank, largest first.
fn shares(rank: &OfRank) -> Vec<CategoryShare> {
    let mut sums: Vec<(&str, Tally)> =
        rank.categories.keys().map(|category| (*category, rank.category(category))).collect();
    sums.sort_by(|a, b| b.1.time.cmp(&a.1.time).then_with(|| a.0.cmp(b.0)));
    (sums.into_iter())
        .map(|(category, sum)| CategoryShare {
            category: category.to_owned(),
            time_us: sum.time.as_us(),
            share_pct: share(sum.time, rank.total.time),
            launches: sum.launches,
        })
        .collect()
}

/// Kernels that the ranks do not put into the same categories, with the one that counts: that in which the first rank
/// has most of its time. One rank's trace may tell more of a place than another's, which makes no rank slower.
fn one_category(facts: &[Facts], stage: Stage) -> BTreeMap<&str, &str> {
    let mut known: BTreeMap<&str, (&BTreeMap<String, Tally>, bool)> = BTreeMap::new();
    for kernels in facts.iter().filter_map(|facts| Some(&facts.stages.get(&stage)?.kernels)) {
        for (kernel, categories) in kernels {
            let (first, alike) = known.entry(kernel).or_insert((categories, true));
            *alike &= first.keys().eq(categories.keys());
        }
    }
    (known.into_iter())
        .filter(|(_, (_, alike))| !alike)
        .filter_map(|(kernel, (first, _))| {
            let most = first.iter().max_by(|a, b| a.1.time.cmp(&b.1.time).then_with(|| b.0.cmp(a.0)))?;
            Some((kernel, most.0.as_str()))
        })
        .collect()
}

/// Families whose confirmed state differs among the ranks that have the stage.
fn differing(facts: &[Facts], rules: &RuleSet) -> Vec<FuseDiffers> {
    let keys: BTreeSet<(Stage, usize)> = facts.iter().flat_map(|facts| facts.states.keys().copied()).collect();
    let mut out = Vec::new();
    for (stage, family) in keys {
        let mut states: Vec<RanksInState> = Vec::new();
        for facts in facts.iter().filter(|facts| facts.stages.contains_key(&stage)) {
            let state = facts.states.get(&(stage, family)).map_or("none", |state| state.id());
            let rank = facts.worker.label.clone();
            match states.iter_mut().find(|known| known.state == state) {
                Some(known) => known.ranks.push(rank),
                None => states.push(RanksInState { state: state.to_owned(), ranks: vec![rank] }),
            }
        }
        if states.len() > 1 {
            let family = &rules.families[family];
            let (family, title) = (family.id.clone(), family.title.clone());
            out.push(FuseDiffers { family, title, stage: stage.id().to_owned(), states });
        }
    }
    out
}
