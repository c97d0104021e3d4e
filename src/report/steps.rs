//! What each step did with the GPU, and what each stage is the sum of.

use std::collections::{BTreeMap, BTreeSet};

use super::gaps::{self, Gap};
use super::kernels::{Sums, Tally, share};
use super::{Analysis, CategoryShare, Cut, DeviceInfo, Gpu, SameStreamInfo, StageInfo, StepInfo};
use crate::attribution::{LaunchId, Stage, Step, StreamId, Timeline};
use crate::engine::SameStream;
use crate::rules::RuleSet;
use crate::rules::schema::report::ReportFile;
use crate::units::Nanos;

/// Code of the fitness list that says why idle time is unknown.
const GRAPH_KERNELS_MISSING: &str = "graph-kernels-missing";

/// GPU events of one step while they are swept in start order.
#[derive(Clone, Default)]
struct Sweep {
    first: Option<Nanos>,
    /// Of what has run so far, and the launch that ends there.
    end: Nanos,
    last: Option<LaunchId>,
    busy: Nanos,
    host: Nanos,
    host_known: bool,
    launches: u64,
    communication: Nanos,
    exposed_communication: Nanos,
    gaps: Vec<Gap>,
}

impl Sweep {
    fn add(&mut self, timeline: &Timeline, id: LaunchId) {
        let launch = timeline.launch(id);
        let (start, end) = (launch.start, launch.end());
        self.launches += 1;
        if self.first.is_none() {
            (self.first, self.end, self.host_known) = (Some(start), start, true);
        } else if start > self.end {
            // The GPU ran dry from `self.end` on; it waited for the host only until the call was made.
            let host = launch.called.map(|called| (called.min(start) - self.end).max(Nanos::ZERO));
            match host {
                Some(host) => self.host += host,
                None => self.host_known = false,
            }
            let after = self.last.unwrap_or(id);
            self.gaps.push(Gap { start: self.end, dur: start - self.end, host, after, ended_by: id });
        }
        self.busy += (end - start.max(self.end)).max(Nanos::ZERO);
        if end >= self.end {
            (self.end, self.last) = (end, Some(id));
        }
    }
}

/// Sums and steps of all analyses; `launch_bound_pct` is the bar of [`StepInfo::launch_bound`].
pub(super) fn gpu(analyses: &[Analysis], rules: &RuleSet) -> Gpu {
    let same = |of: fn(&SameStream) -> Nanos| analyses.iter().map(|a| of(&a.exposure.same_stream)).sum::<Nanos>();
    let mut gpu = Gpu {
        total_us: total(analyses).as_us(),
        launches: 0,
        devices: Vec::new(),
        same_stream: SameStreamInfo {
            pairs: analyses.iter().map(|a| a.exposure.same_stream.pairs).sum(),
            us: same(|same| same.time).as_us(),
        },
        steps: Vec::new(),
    };
    for analysis in analyses {
        let timeline = analysis.timeline;
        gpu.launches += timeline.launches.len() as u64;
        gpu.devices.extend(timeline.devices.iter().map(|device| DeviceInfo {
            device: device.device.clone(),
            total_us: device.total.as_us(),
            launches: device.launches,
            taken: device.taken,
        }));
        let graphs_whole = graphs_whole(timeline);
        for (step, sweep) in timeline.steps.iter().zip(sweeps(analysis, rules)) {
            let n = gpu.steps.len() as u64;
            gpu.steps.push(step_info(timeline, step, sweep, n, graphs_whole, &rules.report));
        }
    }
    gpu
}

/// Sum of all GPU events.
pub(super) fn total(analyses: &[Analysis]) -> Nanos {
    analyses.iter().flat_map(|a| &a.timeline.launches).map(|launch| launch.dur).sum()
}

/// Whether every graph launch has its kernels in the trace.
pub(super) fn graphs_whole(timeline: &Timeline) -> bool {
    timeline.replays.iter().all(|replay| replay.kernels > 0)
}

fn sweeps(analysis: &Analysis, rules: &RuleSet) -> Vec<Sweep> {
    let timeline = analysis.timeline;
    let mut sweeps = vec![Sweep::default(); timeline.steps.len()];
    for id in timeline.launch_ids() {
        let launch = timeline.launch(id);
        let Some(step) = launch.step else { continue };
        let sweep = &mut sweeps[step.0 as usize];
        sweep.add(timeline, id);
        if rules.overlap.is_communication(analysis.classes.name_of(id)) {
            sweep.communication += launch.dur;
            sweep.exposed_communication += analysis.exposure.of(id).exclusive;
        }
    }
    sweeps
}

fn step_info(
    timeline: &Timeline,
    step: &Step,
    sweep: Sweep,
    n: u64,
    graphs_whole: bool,
    settings: &ReportFile,
) -> StepInfo {
    let span = sweep.first.map(|first| sweep.end - first);
    let idle = span.filter(|_| graphs_whole).map(|span| span - sweep.busy);
    let host = idle.filter(|_| sweep.host_known).map(|_| sweep.host);
    // Where kernels of graphs are missing, a gap may be full of them.
    let found = if graphs_whole { sweep.gaps } else { Vec::new() };
    let (gaps_total, gaps) = gaps::longest(timeline, sweep.first.unwrap_or_default(), found, &settings.gaps);
    StepInfo {
        stage: step.stage.id().to_owned(),
        n,
        span_us: span.map(Nanos::as_us),
        busy_us: span.map(|_| sweep.busy.as_us()),
        idle_us: idle.map(Nanos::as_us),
        host_bound_us: host.map(Nanos::as_us),
        launches: sweep.launches,
        tokens: step.tokens,
        requests: step.requests,
        launch_bound: host
            .zip(span)
            .map(|(host, span)| span > Nanos::ZERO && share(host, span) >= settings.launch_bound_pct),
        idle_unknown: (!graphs_whole).then_some(GRAPH_KERNELS_MISSING.into()),
        communication_us: sweep.communication.as_us(),
        exposed_communication_us: sweep.exposed_communication.as_us(),
        gaps_total,
        gaps,
    }
}

/// The stages that have GPU events or steps, in order, with their sums; cuts are filled in later.
pub(super) fn stages(analyses: &[Analysis]) -> Vec<StageInfo> {
    let mut sums: BTreeMap<Stage, (Tally, Sums<&str>, u64)> = BTreeMap::new();
    let mut streams: BTreeMap<Stage, BTreeSet<(usize, StreamId)>> = BTreeMap::new();
    let empty = || (Tally::default(), Sums::new(), 0);
    for (n, analysis) in analyses.iter().enumerate() {
        for id in analysis.timeline.launch_ids() {
            let launch = analysis.timeline.launch(id);
            streams.entry(launch.stage).or_default().insert((n, launch.stream));
            let (tally, categories, _) = sums.entry(launch.stage).or_insert_with(empty);
            let one = Tally { time: launch.dur, launches: 1 };
            tally.add(one);
            categories.add(analysis.classes.name_of(id), one);
        }
        for step in &analysis.timeline.steps {
            sums.entry(step.stage).or_insert_with(empty).2 += 1;
        }
    }
    sums.into_iter()
        .map(|(stage, (tally, categories, steps))| StageInfo {
            stage: stage.id().to_owned(),
            title: stage.title(),
            time_us: tally.time.as_us(),
            launches: tally.launches,
            steps,
            time_per_step_us: (steps > 0).then(|| Nanos(tally.time.0 / steps as i64).as_us()),
            categories: (categories.sorted().into_iter())
                .map(|(category, sum)| CategoryShare {
                    category: category.to_owned(),
                    time_us: sum.time.as_us(),
                    share_pct: share(sum.time, tally.time),
                    launches: sum.launches,
                })
                .collect(),
            kernels: Cut::default(),
            fuse: Cut::default(),
            overlap: Cut::default(),
            // Of the trace with most streams: streams of two traces are not streams side by side.
            streams: streams.get(&stage).map_or(0, most_in_one),
            shown: true,
        })
        .collect()
}

fn most_in_one(streams: &BTreeSet<(usize, StreamId)>) -> u64 {
    let mut counts: BTreeMap<usize, u64> = BTreeMap::new();
    for (trace, _) in streams {
        *counts.entry(*trace).or_default() += 1;
    }
    counts.into_values().max().unwrap_or(0)
}
