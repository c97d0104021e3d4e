//! Runs of launches that no row explains and that are near no family.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::run::warms_up;
use super::{Ground, Sighting};
use crate::attribution::{KernelId, LaunchId, Stage};
use crate::graph::{Edge, KernelGraph};
use crate::trace::GpuKind;
use crate::units::{Nanos, percent};

/// A run of kernels that recurs.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Stage.
    pub stage: Stage,
    /// The first time, in order.
    pub launches: Vec<LaunchId>,
    /// How often.
    pub occurrences: usize,
    /// Time of all of them.
    pub time: Nanos,
    /// The same of the stage's GPU time.
    pub share_pct: f64,
    /// Index of the family that came nearest, with its score, when some launch was near any.
    pub nearest: Option<(usize, u32)>,
}

/// Most time first.
pub(super) fn candidates(ground: &Ground, graph: &KernelGraph, sightings: &[Sighting]) -> Vec<Candidate> {
    let rule = &ground.rules.similarity.candidates;
    let transparent = |launch: LaunchId| ground.search.transparent[launch.0 as usize];
    let counted = |run: &[LaunchId]| run.iter().filter(|launch| !transparent(**launch)).count();
    let mut known: BTreeMap<(Stage, Vec<KernelId>), Vec<Vec<LaunchId>>> = BTreeMap::new();
    for run in runs(ground, graph, &transparent) {
        if (rule.min_kernels..=rule.max_kernels).contains(&counted(&run)) {
            let kernels = run.iter().map(|launch| ground.timeline.launch(*launch).kernel).collect();
            known.entry((ground.timeline.launch(run[0]).stage, kernels)).or_default().push(run);
        }
    }
    let near: Vec<FxHashSet<LaunchId>> =
        sightings.iter().map(|sighting| sighting.every.iter().copied().collect()).collect();
    let mut out = Vec::new();
    for ((stage, _), runs) in known {
        let (time, share_pct) = ground.weigh(stage, runs.iter().flatten());
        let longest = runs[0].iter().max_by_key(|launch| ground.timeline.launch(**launch).dur);
        let (longest, _) = ground.weigh(stage, longest.into_iter());
        let (first, _) = ground.weigh(stage, runs[0].iter());
        if runs.len() < rule.min_occurrences
            || share_pct < rule.min_share_pct
            || percent(longest, first) > rule.max_longest_pct
        {
            continue;
        }
        // Best first, so the first that shares a launch is the nearest.
        let shares = |every: &FxHashSet<LaunchId>| runs.iter().flatten().any(|launch| every.contains(launch));
        let nearest = near.iter().position(shares).map(|n| &sightings[n]);
        if nearest.is_some_and(|sighting| sighting.level.is_some()) {
            continue;
        }
        out.push(Candidate {
            stage,
            occurrences: runs.len(),
            time,
            share_pct,
            nearest: nearest.map(|sighting| (sighting.family, sighting.score)),
            launches: runs.into_iter().next().unwrap_or_default(),
        });
    }
    out.sort_by_key(|candidate| (Reverse(candidate.time), candidate.launches.first().copied()));
    out
}

/// Runs of one stream, without what a chain sees through at either end.
fn runs(ground: &Ground, graph: &KernelGraph, transparent: &dyn Fn(LaunchId) -> bool) -> Vec<Vec<LaunchId>> {
    let categories = &ground.rules.similarity.candidates.categories;
    let belongs: Vec<bool> = ground.classes.names.iter().map(|name| categories.contains(name)).collect();
    let warms_up = warms_up(ground.timeline);
    let of_server = ground.timeline.run.framework.is_some();
    let is_free = |id: LaunchId| {
        let launch = ground.timeline.launch(id);
        let class = ground.classes.of_launch[id.0 as usize] as usize;
        // In a run of nobody's server all is near nothing.
        (of_server || launch.stage != Stage::All)
            && (transparent(id) || belongs[class] && ground.timeline.kernel(id).kind == GpuKind::Kernel)
            && ground.explained_by(id).is_none()
            && !warms_up(launch)
    };
    let mut runs: Vec<Vec<LaunchId>> = Vec::new();
    let mut run_of: FxHashMap<LaunchId, usize> = FxHashMap::default();
    for launch in ground.timeline.launch_ids().filter(|launch| is_free(*launch)) {
        let before = graph.predecessors(launch).find(|(_, edge)| *edge == Edge::Stream);
        let run = before.and_then(|(before, _)| run_of.get(&before).copied()).unwrap_or_else(|| {
            runs.push(Vec::new());
            runs.len() - 1
        });
        runs[run].push(launch);
        run_of.insert(launch, run);
    }
    for run in &mut runs {
        let end = run.iter().rposition(|launch| !transparent(*launch)).map_or(0, |last| last + 1);
        run.truncate(end);
        let begin = run.iter().position(|launch| !transparent(*launch)).unwrap_or(0);
        run.drain(..begin);
    }
    runs
}
