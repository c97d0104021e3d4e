//! Kernel rows: launches grouped by stage and whole name, with their places and ops.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::{Analysis, KernelRow, Site};
use crate::attribution::{Context, ContextId, FoundBy, KernelId, Lookup, Stage, Timeline};
use crate::engine::Times;
use crate::kernel_name::KernelName;
use crate::units::{Nanos, percent};

/// Time and number of some launches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Sum of their lengths.
    pub(super) time: Nanos,
    /// How many.
    pub(super) launches: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.time += other.time;
        self.launches += other.launches;
    }
}

/// Sums by key. Most have a few keys, which are looked through; only more are looked up.
pub(super) struct Sums<K> {
    rows: Vec<(K, Tally)>,
    at: FxHashMap<K, usize>,
}

impl<K: Copy + Ord + Hash> Sums<K> {
    const FEW: usize = 16;

    pub(super) fn new() -> Self {
        Self { rows: Vec::new(), at: FxHashMap::default() }
    }

    pub(super) fn add(&mut self, key: K, tally: Tally) {
        let few = self.rows.len() <= Self::FEW;
        let at = if few { self.rows.iter().position(|(k, _)| *k == key) } else { self.at.get(&key).copied() };
        if let Some(at) = at {
            return self.rows[at].1.add(tally);
        }
        self.rows.push((key, tally));
        if self.rows.len() > Self::FEW {
            let unknown = self.rows.iter().enumerate().skip(self.at.len());
            self.at.extend(unknown.map(|(at, (key, _))| (*key, at)));
        }
    }

    /// Largest time first, then by key.
    pub(super) fn sorted(mut self) -> Vec<(K, Tally)> {
        self.rows.sort_by(|a, b| b.1.time.cmp(&a.1.time).then_with(|| a.0.cmp(&b.0)));
        self.rows
    }
}

/// Where a launch was made, in words: site, module, how it was found.
type Place<'a> = (Option<&'a str>, Option<&'a str>, &'static str);

/// What launches of one row share, and what the row is told by.
type Key<'a> = (Stage, KernelId, ContextId, &'a str);

struct Row<'a> {
    stage: Stage,
    raw: &'a str,
    name: &'a KernelName,
    total: Tally,
    times: Times,
    categories: Sums<&'a str>,
    places: Sums<Place<'a>>,
    ops: Sums<&'a str>,
}

/// All rows, by stage, then time, then name; `stage_time` is what shares are of.
pub(super) fn rows(analyses: &[Analysis], stage_time: impl Fn(Stage) -> Nanos) -> Vec<KernelRow> {
    let mut rows: Vec<Row> = Vec::new();
    let mut at: FxHashMap<(Stage, &str), usize> = FxHashMap::default();
    for analysis in analyses {
        let timeline = analysis.timeline;
        for ((stage, kernel, context, category), tally, times) in groups(analysis) {
            let kernel = &timeline.kernels[kernel.0 as usize];
            let raw = timeline.strings.get(kernel.raw);
            let index = *at.entry((stage, raw)).or_insert_with(|| {
                rows.push(Row {
                    stage,
                    raw,
                    name: &kernel.name,
                    total: Tally::default(),
                    times: Times::default(),
                    categories: Sums::new(),
                    places: Sums::new(),
                    ops: Sums::new(),
                });
                rows.len() - 1
            });
            let row = &mut rows[index];
            row.total.add(tally);
            row.times.add(times);
            row.categories.add(category, tally);
            let context = &timeline.contexts[context.0 as usize];
            row.places.add(place(timeline, context), tally);
            if let Lookup::At(node) = context.op {
                row.ops.add(timeline.strings.get(timeline.ops.name(node)), tally);
            }
        }
    }
    rows.sort_by(|a, b| (a.stage, b.total.time, a.raw).cmp(&(b.stage, a.total.time, b.raw)));
    rows.into_iter()
        .map(|row| {
            let whole = stage_time(row.stage);
            finish(row, whole)
        })
        .collect()
}

/// Sums of one analysis by what a row needs to know, in order of first appearance.
fn groups<'a>(analysis: &Analysis<'a>) -> Vec<(Key<'a>, Tally, Times)> {
    let mut at = FxHashMap::default();
    let mut groups = Vec::new();
    for id in analysis.timeline.launch_ids() {
        let launch = analysis.timeline.launch(id);
        let key = (launch.stage, launch.kernel, launch.context, analysis.classes.name_of(id));
        let index = *at.entry(key).or_insert_with(|| {
            groups.push((key, Tally::default(), Times::default()));
            groups.len() - 1
        });
        groups[index].1.add(Tally { time: launch.dur, launches: 1 });
        groups[index].2.add(analysis.exposure.of(id));
    }
    groups
}

/// The place of a context in words.
pub(super) fn place<'a>(timeline: &'a Timeline, context: &Context) -> Place<'a> {
    let site = context.site.map(|id| timeline.strings.get(id));
    let module = context.module.map(|id| timeline.strings.get(id));
    let told = site.is_some() || module.is_some() || context.frame_found_by == FoundBy::NoCounterpart;
    let found = if told { context.frame_found_by } else { FoundBy::None };
    (site, module, found.id())
}

/// The id of a kernel row: the same in every run and trace.
fn row_id(stage: Stage, raw: &str) -> String {
    let hash = blake3::hash(raw.as_bytes()).to_hex();
    format!("kernel/{}/{}", stage.id(), &hash[..12])
}

/// Shares as they are written in JSON: four decimals are more than any clock has.
pub(super) fn share(part: Nanos, whole: Nanos) -> f64 {
    (percent(part, whole) * 1e4).round() / 1e4
}

fn finish(row: Row, stage_time: Nanos) -> KernelRow {
    let total = row.total;
    KernelRow {
        id: row_id(row.stage, row.raw),
        stage: row.stage.id().to_owned(),
        shown: false,
        name: row.raw.to_owned(),
        identifier: row.name.identifier.clone(),
        parts: row.name.clone(),
        category: row.categories.sorted().first().map_or_else(String::new, |(name, _)| (*name).to_owned()),
        time_us: total.time.as_us(),
        share_pct: share(total.time, stage_time),
        launches: total.launches,
        exclusive_us: Some(row.times.exclusive.as_us()),
        hidden_us: Some(row.times.hidden.as_us()),
        hidden_by_compute_us: Some(row.times.hidden_by_compute.as_us()),
        sites: (row.places.sorted().into_iter())
            .map(|((site, module, found_by), tally)| Site {
                location: site.map(str::to_owned),
                module: module.map(str::to_owned),
                share_pct: share(tally.time, total.time),
                found_by: found_by.to_owned(),
            })
            .collect(),
        ops: row.ops.sorted().into_iter().map(|(op, _)| op.to_owned()).collect(),
    }
}
