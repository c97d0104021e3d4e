//! Which steps, and which events belong to them.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;

use crate::attribution::{Launch, Stage, StepId, Timeline};
use crate::units::Nanos;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Steps of each stage, neighbours around the middle one; 0 is all.
    pub steps: usize,
    /// Only this stage.
    pub stage: Option<Stage>,
    /// Only GPU events of these streams; none is all.
    pub streams: Vec<i64>,
    /// Instead of steps: from and to, from the first GPU event on.
    pub window: Option<(Nanos, Nanos)>,
}

/// Why there is nothing to cut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NothingToCut {
    /// No steps, and no window was given.
    #[error("no step annotations{}, so there are no steps to choose: give a stretch of time with --window, such as 0ms..50ms", of_stage(*.0))]
    NoSteps(Option<Stage>),
    /// The window or the streams hold no GPU event.
    #[error("no GPU event is in what was asked for; the trace has {launches} from 0ms to {end}, on streams {streams}")]
    NoLaunches {
        /// GPU events.
        launches: usize,
        /// End of the last.
        end: String,
        /// Numbers of the streams.
        streams: String,
    },
}

fn of_stage(stage: Option<Stage>) -> String {
    stage.map_or_else(String::new, |stage| format!(" of {}", stage.id()))
}

/// A stretch of time, its end left out.
pub type Extent = (Nanos, Nanos);

/// What a GPU event is known by: begin, length, stream, correlation.
pub(super) type GpuKey = (Nanos, Nanos, Option<i64>);

/// The events to copy.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Steps by stage.
    pub steps: BTreeMap<Stage, usize>,
    /// GPU events.
    pub launches: usize,
    pub(super) gpu: FxHashSet<GpuKey>,
    /// Of their launch calls.
    pub(super) correlations: FxHashSet<i64>,
    /// In which all of the host is kept, in order, apart from each other.
    pub(super) host: Vec<Extent>,
    /// In which annotations and waits on the GPU are kept.
    pub(super) device: Vec<Extent>,
    /// Processes to copy; none is all.
    pub(super) processes: Option<BTreeSet<String>>,
}

/// Chooses steps or a window, and what goes with it. `captures`: where graphs were captured in the same file, whose
/// launches say what the kernels of a replay are; `processes`: those of the rank.
pub fn select(
    timeline: &Timeline,
    request: &Request,
    captures: &[Extent],
    processes: Option<BTreeSet<String>>,
) -> Result<Selection, NothingToCut> {
    let mut out = Selection { processes, ..Selection::default() };
    let on_stream = |launch: &Launch| {
        request.streams.is_empty() || request.streams.contains(&timeline.streams[launch.stream.0 as usize].number)
    };
    let first = timeline.launches.first().map_or(Nanos::ZERO, |launch| launch.start);
    let chosen: Vec<bool> = if let Some((from, to)) = request.window {
        let (from, to) = (first + from, first + to);
        timeline.launches.iter().map(|launch| launch.start >= from && launch.start < to && on_stream(launch)).collect()
    } else {
        let steps = steps(timeline, request);
        if steps.is_empty() {
            return Err(NothingToCut::NoSteps(request.stage));
        }
        for &step in &steps {
            let step = &timeline.steps[step.0 as usize];
            *out.steps.entry(step.stage).or_default() += 1;
            out.host.push((step.start, step.end));
        }
        let of_steps: Vec<bool> = (timeline.launches.iter())
            .map(|launch| launch.step.is_some_and(|step| steps.binary_search(&step).is_ok()))
            .collect();
        with_company(timeline, &of_steps).into_iter().zip(&timeline.launches).map(|(c, l)| c && on_stream(l)).collect()
    };
    let mut seen: Vec<&Launch> =
        timeline.launches.iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|(l, _)| l).collect();
    if seen.is_empty() {
        let mut streams: Vec<i64> = timeline.streams.iter().map(|stream| stream.number).collect();
        streams.sort_unstable();
        streams.dedup();
        return Err(NothingToCut::NoLaunches {
            launches: timeline.launches.len(),
            end: timeline.launches.iter().map(Launch::end).max().map_or_else(String::new, |end| (end - first).human()),
            streams: streams.iter().map(i64::to_string).collect::<Vec<_>>().join(", "),
        });
    }
    out.launches = seen.len();
    seen.sort_by_key(|launch| launch.start);
    for launch in seen {
        out.gpu.insert((launch.start, launch.dur, launch.correlation.get()));
        out.correlations.extend(launch.correlation.get());
        out.device.push((launch.start, launch.end()));
        if request.window.is_some() {
            out.host.extend(launch.called.map(|called| (called, called + Nanos(1))));
        }
    }
    if request.window.is_some() {
        // What the host did between the first and the last call, too.
        let from = out.host.iter().map(|extent| extent.0).min();
        let to = out.host.iter().map(|extent| extent.1).max();
        out.host = from.zip(to).into_iter().collect();
    }
    out.host.extend(captures);
    out.host = joined(out.host);
    out.device = joined(out.device);
    Ok(out)
}

/// Of each stage, `request.steps` whole ones that follow each other, around the middle of the trace.
fn steps(timeline: &Timeline, request: &Request) -> Vec<StepId> {
    let mut by_stage: BTreeMap<Stage, Vec<StepId>> = BTreeMap::new();
    for (n, step) in timeline.steps.iter().enumerate() {
        if step.whole && request.stage.is_none_or(|stage| stage == step.stage) {
            by_stage.entry(step.stage).or_default().push(StepId(n as u32));
        }
    }
    let mut out: Vec<StepId> = Vec::new();
    for steps in by_stage.values() {
        let count = if request.steps == 0 { steps.len() } else { request.steps.min(steps.len()) };
        let from = (steps.len() - count) / 2;
        out.extend(&steps[from..from + count]);
    }
    out.sort_unstable();
    out
}

/// Launches of the steps, and what ran beside them: a step without it would look less hidden than it was.
fn with_company(timeline: &Timeline, of_steps: &[bool]) -> Vec<bool> {
    let mut spans: BTreeMap<StepId, Extent> = BTreeMap::new();
    for (launch, _) in timeline.launches.iter().zip(of_steps).filter(|(_, chosen)| **chosen) {
        let Some(step) = launch.step else { continue };
        let span = spans.entry(step).or_insert((launch.start, launch.end()));
        *span = (span.0.min(launch.start), span.1.max(launch.end()));
    }
    let spans = joined(spans.into_values().collect());
    let beside = |launch: &Launch| touches(&spans, launch.start, launch.end());
    timeline.launches.iter().zip(of_steps).map(|(launch, chosen)| *chosen || beside(launch)).collect()
}

/// Extents in order, those that overlap made one.
fn joined(mut extents: Vec<Extent>) -> Vec<Extent> {
    extents.sort_unstable();
    let mut out: Vec<Extent> = Vec::new();
    for (from, to) in extents {
        match out.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => out.push((from, to)),
        }
    }
    out
}

/// Whether something from `start` to `end` is in one of them for some time, or begins in it.
pub(super) fn touches(extents: &[Extent], start: Nanos, end: Nanos) -> bool {
    let at = extents.partition_point(|extent| extent.1 <= start);
    extents.get(at).is_some_and(|extent| extent.0 < end || (extent.0 == start && start == end))
}

/// How much of it is in them.
pub(super) fn within(extents: &[Extent], start: Nanos, end: Nanos) -> Nanos {
    let at = extents.partition_point(|extent| extent.1 <= start);
    extents[at..].iter().take_while(|extent| extent.0 < end).map(|e| e.1.min(end) - e.0.max(start)).sum()
}
