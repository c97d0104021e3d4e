//! What is typical of each stage, launch by launch: which streams run what at once, and what hides what.
//!
//! Here: a stretch of it, for text. In `timeline/step.rs`: a whole step, for a page that can be zoomed.
//!
//! A stretch is what the main stream of a step repeats, so one layer of a model, or one group of layers where these are
//! of several kinds. The one of median length is typical.

mod draw;
mod model;
mod repeat;
pub(super) mod step;

use std::collections::BTreeMap;

use super::{Analysis, StageInfo};
use crate::attribution::{LaunchId, StepId, StreamId, Timeline};
use crate::rules::RuleSet;
use crate::units::{Nanos, percent};
pub(super) use draw::{ABOUT, NONE, lines, of_stages, title};
pub use model::*;

/// A stretch of one step.
struct Window<'a> {
    analysis: &'a Analysis<'a>,
    /// Number of the step in the report; none outside steps.
    step: Option<u64>,
    /// Which of the step it is, from 1, and how many these are.
    n: usize,
    of: usize,
    /// Its launches on the main stream.
    own: Vec<LaunchId>,
    start: Nanos,
    end: Nanos,
}

/// The typical stretch of each stage that has one.
pub(super) fn typical(analyses: &[Analysis], stages: &[StageInfo], rules: &RuleSet) -> Vec<TimelineInfo> {
    let mut found = Vec::new();
    for stage in stages.iter().filter(|stage| stage.shown && stage.launches > 0) {
        let mut before = 0;
        let mut windows: Vec<Window> = Vec::new();
        for analysis in analyses {
            windows.extend(of_analysis(analysis, stage, before, rules));
            before += analysis.timeline.steps.len() as u64;
        }
        windows.sort_by_key(|window| (window.end - window.start, window.step, window.start));
        let count = windows.len() as u64;
        if let Some(median) = windows.into_iter().nth((count as usize).saturating_sub(1) / 2) {
            found.push(info(&median, stage, count, rules.overlap.same_stream_min()));
        }
    }
    found
}

/// The stretches of the main stream of each step; where a stage has steps, what is outside them has none.
fn of_analysis<'a>(analysis: &'a Analysis<'a>, stage: &StageInfo, before: u64, rules: &RuleSet) -> Vec<Window<'a>> {
    let timeline = analysis.timeline;
    let settings = &rules.report.timeline;
    let mut sequences: BTreeMap<Option<StepId>, Vec<LaunchId>> = BTreeMap::new();
    for id in timeline.launch_ids().filter(|id| timeline.launch(*id).stage.id() == stage.stage) {
        sequences.entry(timeline.launch(id).step).or_default().push(id);
    }
    if sequences.len() > 1 {
        sequences.remove(&None);
    }
    let (mut windows, mut inside, mut all) = (Vec::new(), Nanos::ZERO, Nanos::ZERO);
    let time = |ids: &[LaunchId]| ids.iter().map(|id| timeline.launch(*id).dur).sum::<Nanos>();
    for (step, launches) in sequences {
        let main = main_stream(timeline, &launches);
        all += time(&main);
        let kernels: Vec<u32> = main.iter().map(|id| timeline.launch(*id).kernel.0).collect();
        let Some(repeats) = repeat::find(&kernels, settings) else { continue };
        let of = repeats.starts.len();
        for (n, at) in repeats.starts.into_iter().enumerate() {
            let own = main[at..at + repeats.length].to_vec();
            let start = timeline.launch(own[0]).start;
            let end = own.iter().map(|id| timeline.launch(*id).end()).max().unwrap_or(start);
            inside += time(&own);
            let step = step.map(|step| before + u64::from(step.0));
            windows.push(Window { analysis, step, n: n + 1, of, own, start, end });
        }
    }
    let several = |window: &Window| {
        let mut kernels: Vec<_> = window.own.iter().map(|id| timeline.launch(*id).kernel).collect();
        kernels.sort_unstable();
        kernels.dedup();
        kernels.len() >= settings.kernels
    };
    windows.retain(several);
    if percent(inside, all) < settings.cover_pct {
        windows.clear();
    }
    windows
}

/// The launches of the stream that has most of them.
fn main_stream(timeline: &Timeline, launches: &[LaunchId]) -> Vec<LaunchId> {
    let mut streams: BTreeMap<StreamId, Vec<LaunchId>> = BTreeMap::new();
    for &id in launches {
        streams.entry(timeline.launch(id).stream).or_default().push(id);
    }
    let most = streams.into_iter().max_by_key(|(stream, own)| (own.len(), std::cmp::Reverse(*stream)));
    most.map_or_else(Vec::new, |(_, own)| own)
}

fn info(window: &Window, stage: &StageInfo, windows: u64, same_stream_min: Nanos) -> TimelineInfo {
    let timeline = window.analysis.timeline;
    let device = |id: LaunchId| &timeline.streams[timeline.launch(id).stream.0 as usize].device;
    let inside = |id: &LaunchId| {
        let launch = timeline.launch(*id);
        launch.start < window.end && launch.end() > window.start && device(*id) == device(window.own[0])
    };
    let ids: Vec<LaunchId> = timeline.launch_ids().filter(inside).collect();
    let mut ends: BTreeMap<StreamId, Nanos> = BTreeMap::new();
    let mut launches = Vec::new();
    for &id in &ids {
        let launch = timeline.launch(id);
        let kernel = timeline.kernel(id);
        let before =
            ends.insert(launch.stream, launch.end().max(ends.get(&launch.stream).copied().unwrap_or_default()));
        let early = before.map_or(Nanos::ZERO, |end| end.min(launch.end()) - launch.start);
        let times = window.analysis.exposure.of(id);
        launches.push(TimelineLaunch {
            kernel: timeline.strings.get(kernel.raw).to_owned(),
            parts: kernel.name.clone(),
            category: window.analysis.classes.name_of(id).to_owned(),
            stream: timeline.streams[launch.stream.0 as usize].number,
            start_us: (launch.start - window.start).as_us(),
            dur_us: launch.dur.as_us(),
            exclusive_us: times.exclusive.as_us(),
            hidden_us: times.hidden.as_us(),
            hidden_by_compute_us: times.hidden_by_compute.as_us(),
            same_stream_us: if early >= same_stream_min { early.max(Nanos::ZERO).as_us() } else { 0.0 },
            beside: beside(timeline, &ids, id),
        });
    }
    TimelineInfo {
        stage: stage.stage.clone(),
        step: window.step,
        module: module(timeline, &window.own),
        n: window.n as u64,
        of: window.of as u64,
        windows,
        dur_us: (window.end - window.start).as_us(),
        idle_us: idle(timeline, &ids, window).as_us(),
        launches,
    }
}

/// Launches of other streams that ran meanwhile, the longest time first.
fn beside(timeline: &Timeline, ids: &[LaunchId], id: LaunchId) -> Vec<Beside> {
    let own = timeline.launch(id);
    let mut found: Vec<(Nanos, usize)> = (ids.iter().enumerate())
        .map(|(n, other)| (timeline.launch(*other), n))
        .filter(|(other, _)| other.stream != own.stream)
        .map(|(other, n)| (other.end().min(own.end()) - other.start.max(own.start), n))
        .filter(|(both, _)| *both > Nanos::ZERO)
        .collect();
    found.sort_by_key(|(both, n)| (std::cmp::Reverse(*both), *n));
    found.into_iter().map(|(both, launch)| Beside { launch, us: both.as_us() }).collect()
}

/// Time of the window in which nothing ran.
fn idle(timeline: &Timeline, ids: &[LaunchId], window: &Window) -> Nanos {
    let (mut idle, mut end) = (Nanos::ZERO, window.start);
    for launch in ids.iter().map(|id| timeline.launch(*id)) {
        idle += (launch.start - end).max(Nanos::ZERO);
        end = end.max(launch.end());
    }
    idle
}

/// The innermost module class around all launches whose module is known.
fn module(timeline: &Timeline, own: &[LaunchId]) -> Option<String> {
    let paths = own.iter().filter_map(|id| timeline.context(*id).module).map(|module| timeline.strings.get(module));
    let mut common: Option<Vec<&str>> = None;
    for path in paths {
        let parts = path.split('.');
        match &mut common {
            None => common = Some(parts.collect()),
            Some(common) => {
                let same = common.iter().zip(parts).take_while(|(a, b)| **a == *b).count();
                common.truncate(same);
            }
        }
    }
    common?.last().map(|class| (*class).to_owned())
}
