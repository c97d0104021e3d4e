//! A typical step of each stage, launch by launch: the step of median span.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{StepFinding, StepKernel, StepLaunch, StepTimeline};
use crate::attribution::{KernelId, LaunchId, Stage, StepId, StreamId, Timeline};
use crate::engine::{Finding, Overlap};
use crate::report::{Analysis, FuseRow, OverlapRow, StageInfo, evidence, fuse, overlap};
use crate::rules::RuleSet;
use crate::units::Nanos;

/// Launches of a step that are kept; who looks at more opens the trace itself.
const MOST: usize = 20_000;

/// Rows of the tables, of which those that are shown are marked.
pub(in crate::report) struct Rows<'a> {
    pub(in crate::report) fuse: &'a [FuseRow],
    pub(in crate::report) overlap: &'a [OverlapRow],
}

/// The typical step of each stage; where a stage has no steps, what ran in it.
pub(in crate::report) fn typical(
    analyses: &[Analysis],
    stages: &[StageInfo],
    rows: &Rows,
    rules: &RuleSet,
) -> Vec<StepTimeline> {
    let stages = stages.iter().filter(|stage| stage.shown && stage.launches > 0);
    stages.filter_map(|stage| of_stage(analyses, stage, rows, rules)).collect()
}

fn of_stage(analyses: &[Analysis], stage: &StageInfo, rows: &Rows, rules: &RuleSet) -> Option<StepTimeline> {
    let at = Stage::from_id(&stage.stage)?;
    let mut steps = Vec::new();
    for (n, analysis) in analyses.iter().enumerate() {
        let timeline = analysis.timeline;
        let mut own: BTreeMap<StepId, Vec<LaunchId>> = BTreeMap::new();
        for id in timeline.launch_ids() {
            if let Some(step) = timeline.launch(id).step.filter(|step| timeline.steps[step.0 as usize].stage == at) {
                own.entry(step).or_default().push(id);
            }
        }
        // A step that the trace cuts off is typical only where there is no whole one.
        steps.extend(own.into_iter().map(|(step, ids)| {
            let (start, end) = evidence::bounds(timeline, ids.into_iter());
            (!timeline.steps[step.0 as usize].whole, end - start, n, step, start, end)
        }));
    }
    steps.sort_unstable();
    let alike = steps.iter().filter(|step| step.0 == steps[0].0).count();
    let Some((_, _, n, step, start, end)) = alike.checked_sub(1).map(|last| steps[last / 2]) else {
        return outside_steps(analyses, stage, at, rows, rules);
    };
    let (own, before) = evidence::of(analyses, analyses[n].timeline)?;
    let inside = |timeline: &Timeline, id: LaunchId| {
        let launch = timeline.launch(id);
        launch.start < end && launch.end() > start
    };
    let number = Some(before + u64::from(step.0));
    Some(draw(own, stage, at, (number, start, end), inside, rows, rules))
}

fn outside_steps(
    analyses: &[Analysis],
    stage: &StageInfo,
    at: Stage,
    rows: &Rows,
    rules: &RuleSet,
) -> Option<StepTimeline> {
    let inside = |timeline: &Timeline, id: LaunchId| timeline.launch(id).stage == at;
    let of = |one: &Analysis| one.timeline.launch_ids().filter(|id| inside(one.timeline, *id)).count();
    let most = analyses.iter().rev().max_by_key(|one| of(one))?;
    let own = most.timeline.launch_ids().filter(|id| inside(most.timeline, *id));
    let (start, end) = evidence::bounds(most.timeline, own.take(MOST));
    Some(draw(most, stage, at, (None, start, end), inside, rows, rules))
}

fn draw(
    analysis: &Analysis,
    stage: &StageInfo,
    at: Stage,
    (step, start, end): (Option<u64>, Nanos, Nanos),
    inside: impl Fn(&Timeline, LaunchId) -> bool,
    rows: &Rows,
    rules: &RuleSet,
) -> StepTimeline {
    let timeline = analysis.timeline;
    let mut ids: Vec<LaunchId> = timeline.launch_ids().filter(|id| inside(timeline, *id)).collect();
    let all = ids.len() as u64;
    ids.truncate(MOST);
    let mut streams: Vec<StreamId> = ids.iter().map(|id| timeline.launch(*id).stream).collect();
    streams.sort_unstable_by_key(|stream| (timeline.streams[stream.0 as usize].number, *stream));
    streams.dedup();
    let lane: FxHashMap<StreamId, usize> = streams.iter().enumerate().map(|(lane, stream)| (*stream, lane)).collect();
    let mut kernels: Vec<StepKernel> = Vec::new();
    let mut known: FxHashMap<(KernelId, &str), usize> = FxHashMap::default();
    let mut launches = Vec::with_capacity(ids.len());
    for &id in &ids {
        let (launch, category) = (timeline.launch(id), analysis.classes.name_of(id));
        let kernel = *known.entry((launch.kernel, category)).or_insert_with(|| {
            let kernel = timeline.kernel(id);
            kernels.push(StepKernel {
                name: timeline.strings.get(kernel.raw).to_owned(),
                parts: kernel.name.clone(),
                category: category.to_owned(),
            });
            kernels.len() - 1
        });
        let (start_us, dur_us) = ((launch.start - start).as_us(), launch.dur.as_us());
        launches.push(StepLaunch { kernel, lane: lane[&launch.stream], start_us, dur_us });
    }
    StepTimeline {
        stage: stage.stage.clone(),
        step,
        steps: stage.steps,
        dur_us: (end - start).as_us(),
        streams: streams.iter().map(|stream| timeline.streams[stream.0 as usize].number).collect(),
        kernels,
        launches,
        launches_total: all,
        findings: findings(analysis, at, &ids, rows, rules),
    }
}

/// Occurrences of rows that lie in the step as a whole.
fn findings(analysis: &Analysis, stage: Stage, ids: &[LaunchId], rows: &Rows, rules: &RuleSet) -> Vec<StepFinding> {
    let at: FxHashMap<LaunchId, usize> = ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
    let all_of = |ids: &[LaunchId]| -> Option<Vec<usize>> { ids.iter().map(|id| at.get(id).copied()).collect() };
    let mut found: BTreeMap<String, Vec<Vec<usize>>> = BTreeMap::new();
    let of = |finding: &&Finding| finding.stage == stage;
    for finding in analysis.findings.iter().filter(of) {
        let occurrences = finding.split.occurrences.iter().chain(&finding.fused.occurrences);
        let row = fuse::row_id(&rules.families[finding.family].id, stage);
        found.entry(row).or_default().extend(occurrences.filter_map(|one| all_of(&one.launches)));
    }
    let of = |row: &&Overlap| row.stage == stage;
    for row in analysis.overlaps.iter().filter(of) {
        let own = row.launches.iter().filter_map(|id| all_of(&[*id]));
        found.entry(overlap::row_id(analysis, row, rules)).or_default().extend(own);
    }
    let shown = (rows.fuse.iter().filter(|row| row.shown).map(|row| &row.id))
        .chain(rows.overlap.iter().filter(|row| row.shown).map(|row| &row.id));
    shown
        .filter_map(|row| {
            let mut occurrences = found.remove(row).filter(|found| !found.is_empty())?;
            occurrences.sort_unstable();
            Some(StepFinding { row: row.clone(), occurrences })
        })
        .collect()
}
