//! What each step did with the GPU, and what each stage is the sum of.

use std::collections::BTreeMap;

use super::kernels::{Sums, Tally, share};
use super::{Analysis, CategoryShare, Cut, DeviceInfo, Gpu, StageInfo, StepInfo};
use crate::attribution::{Stage, Step, Timeline};
use crate::units::Nanos;

/// GPU events of one step while they are swept in start order.
#[derive(Clone, Copy, Default)]
struct Sweep {
    first: Option<Nanos>,
    end: Nanos,
    busy: Nanos,
    host: Nanos,
    host_known: bool,
    launches: u64,
}

impl Sweep {
    fn add(&mut self, start: Nanos, end: Nanos, called: Option<Nanos>) {
        self.launches += 1;
        if self.first.is_none() {
            (self.first, self.end, self.host_known) = (Some(start), start, true);
        } else if start > self.end {
            // The GPU ran dry from `self.end` on; it waited for the host only until the call was made.
            match called {
                Some(called) if called > self.end => self.host += called.min(start) - self.end,
                Some(_) => {}
                None => self.host_known = false,
            }
        }
        self.busy += (end - start.max(self.end)).max(Nanos::ZERO);
        self.end = self.end.max(end);
    }
}

/// Sums and steps of all analyses; `launch_bound_pct` is the bar of [`StepInfo::launch_bound`].
pub(super) fn gpu(analyses: &[Analysis], launch_bound_pct: f64) -> Gpu {
    let mut gpu = Gpu { total_us: total(analyses).as_us(), launches: 0, devices: Vec::new(), steps: Vec::new() };
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
        for (step, sweep) in timeline.steps.iter().zip(sweeps(timeline)) {
            let n = gpu.steps.len() as u64;
            gpu.steps.push(step_info(step, &sweep, n, graphs_whole, launch_bound_pct));
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

fn sweeps(timeline: &Timeline) -> Vec<Sweep> {
    let mut sweeps = vec![Sweep::default(); timeline.steps.len()];
    for launch in &timeline.launches {
        if let Some(step) = launch.step {
            sweeps[step.0 as usize].add(launch.start, launch.end(), launch.called);
        }
    }
    sweeps
}

fn step_info(step: &Step, sweep: &Sweep, n: u64, graphs_whole: bool, launch_bound_pct: f64) -> StepInfo {
    let span = sweep.first.map(|first| sweep.end - first);
    let idle = span.filter(|_| graphs_whole).map(|span| span - sweep.busy);
    let host = idle.filter(|_| sweep.host_known).map(|_| sweep.host);
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
        launch_bound: host.zip(span).map(|(host, span)| span > Nanos::ZERO && share(host, span) >= launch_bound_pct),
    }
}

/// The stages that have GPU events or steps, in order, with their sums; cuts are filled in later.
pub(super) fn stages(analyses: &[Analysis]) -> Vec<StageInfo> {
    let mut sums: BTreeMap<Stage, (Tally, Sums<&str>, u64)> = BTreeMap::new();
    let empty = || (Tally::default(), Sums::new(), 0);
    for analysis in analyses {
        for id in analysis.timeline.launch_ids() {
            let launch = analysis.timeline.launch(id);
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
            shown: true,
        })
        .collect()
}
