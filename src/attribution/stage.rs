//! Annotations in, steps and stages of launches out: by the call, then by the GPU's own annotations, then by a hint.

use rustc_hash::FxHashMap;

use super::launch::Joined;
use super::{Settings, Stage, Step, StepFormat, StepId, StepStage};
use crate::trace::{Annotation, LaneId, ProcessId, StringId, Strings, Trace};
use crate::units::Nanos;

/// What a step annotation says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepSays {
    /// None: it only bounds a step.
    pub stage: Option<Stage>,
    /// Tokens of the step.
    pub tokens: Option<i64>,
    /// Requests of the step.
    pub requests: Option<i64>,
    /// Batch size of a graph capture.
    pub size: Option<i64>,
    /// The framework that writes this form.
    pub framework: Option<String>,
}

/// Reads the name of an annotation; none when it is no step.
pub fn read(name: &str, formats: &[StepFormat]) -> Option<StepSays> {
    formats.iter().find_map(|format| {
        let found = format.pattern.find(name)?;
        let sum = |a: &str, b: &str| match (found.number(a), found.number(b)) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
        };
        let stage = match format.stage {
            StepStage::Is(stage) => Some(stage),
            StepStage::Bound => None,
            StepStage::ByRequests => {
                let none = |n: &str| found.number(n).unwrap_or(0) == 0;
                Some(match (none("context"), none("generation")) {
                    (true, true) => Stage::All,
                    (true, false) => Stage::Decode,
                    (false, true) => Stage::Prefill,
                    (false, false) => Stage::Mixed,
                })
            }
        };
        let requests = found.number("requests").or(sum("context", "generation"));
        let each = |n: i64| requests.map(|requests| requests.saturating_mul(n));
        Some(StepSays {
            stage,
            tokens: (found.number("tokens"))
                .or(sum("context_tokens", "generation_tokens"))
                .or(format.tokens_each.and_then(each)),
            requests,
            size: found.number("size"),
            framework: format.framework.clone(),
        })
    })
}

/// The step annotations of a file: for each thread in start order, each knowing which one is around it.
pub(super) struct Steps {
    /// In start order.
    pub(super) found: Vec<Step>,
    /// Stage of what no annotation gives one: that of the file's name, unless the annotations contradict it.
    pub(super) fallback: Option<Stage>,
    /// The hint that annotations contradict, and the stages they name.
    pub(super) disputed: Option<(Stage, Vec<Stage>)>,
    host: Windows,
    gpu: Windows,
}

/// What is known of the stage of a launch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Where {
    pub(super) step: Option<StepId>,
    pub(super) stage: Option<Stage>,
}

#[derive(Default)]
struct Windows {
    lanes: FxHashMap<LaneId, Vec<Window>>,
    /// Lanes with windows by process, in order of their ids.
    by_process: FxHashMap<ProcessId, Vec<LaneId>>,
    slack: Nanos,
}

#[derive(Debug)]
struct Window {
    start: Nanos,
    end: Nanos,
    around: Option<usize>,
    stage: Option<Stage>,
    size: Option<i64>,
    step: Option<StepId>,
}

impl Steps {
    pub(super) fn find(
        trace: &Trace,
        strings: &Strings,
        joined: &Joined,
        settings: &Settings,
        hint: Option<Stage>,
    ) -> Self {
        let (formats, slack) = (&settings.steps, settings.slack);
        let mut says: FxHashMap<StringId, Option<StepSays>> = FxHashMap::default();
        let (mut host, mut gpu) = (Vec::new(), Vec::new());
        for annotation in &trace.annotations {
            let process = trace.lanes[annotation.lane.0 as usize].process;
            let Some(says) =
                says.entry(annotation.name).or_insert_with(|| read(strings.get(annotation.name), formats)).clone()
            else {
                continue;
            };
            if annotation.gpu && Some(process) == joined.device {
                gpu.push((*annotation, says));
            } else if !annotation.gpu && joined.hosts[process.0 as usize] {
                host.push((*annotation, says));
            }
        }
        let named: Vec<Stage> = named(&host, &gpu);
        let hint = hint.filter(|&hint| hint != Stage::All);
        let fallback = hint.filter(|hint| named.is_empty() || named.contains(hint));
        let mut steps = Vec::new();
        let no_host = host.is_empty();
        let host = windows(trace, host, Some(&mut steps), fallback, slack);
        let gpu = windows(trace, gpu, no_host.then_some(&mut steps), fallback, slack);
        let mut all =
            Self { found: steps, fallback, disputed: hint.filter(|_| fallback.is_none()).zip(Some(named)), host, gpu };
        all.sort();
        all
    }

    /// Numbers the steps in start order.
    fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.found.len()).collect();
        order.sort_by_key(|&i| (self.found[i].start, i));
        let mut rank = vec![StepId(0); order.len()];
        for (new, &old) in order.iter().enumerate() {
            rank[old] = StepId(new as u32);
        }
        self.found = order.iter().map(|&i| self.found[i].clone()).collect();
        let windows = [&mut self.host, &mut self.gpu].into_iter().flat_map(|w| w.lanes.values_mut().flatten());
        windows.for_each(|window| window.step = window.step.map(|s| rank[s.0 as usize]));
    }

    /// Step and stage by the moment of the call.
    pub(super) fn by_call(&self, process: ProcessId, lane: LaneId, time: Nanos) -> Where {
        if self.host.lanes.contains_key(&lane) {
            return self.host.at(lane, time).unwrap_or_default();
        }
        // A thread without steps of its own works for the step of another thread.
        self.host.around(process, time)
    }

    /// The batch size that annotations around a capture name.
    pub(super) fn capture_size(&self, lane: LaneId, time: Nanos) -> Option<i64> {
        let (windows, innermost) = self.host.innermost(lane, time)?;
        std::iter::successors(Some(innermost), |&i| windows[i].around).find_map(|i| windows[i].size)
    }

    /// Tokens of the step around a call, else its requests: the size that a graph must hold.
    pub(super) fn size(&self, process: ProcessId, lane: LaneId, time: Nanos) -> Option<i64> {
        let step = &self.found[self.by_call(process, lane, time).step?.0 as usize];
        step.tokens.or(step.requests)
    }

    /// Step and stage by the GPU's own annotations, first those of the stream.
    pub(super) fn by_gpu(
        &self,
        trace: &Trace,
        strings: &Strings,
        process: ProcessId,
        stream: i64,
        time: Nanos,
    ) -> Where {
        let lanes = self.gpu.by_process.get(&process).map_or(&[][..], Vec::as_slice);
        let own = lanes.iter().find(|lane| {
            let digits = strings.get(trace.lanes[lane.0 as usize].tid).rsplit(' ').next();
            digits.and_then(|d| d.parse::<i64>().ok()) == Some(stream)
        });
        match own.and_then(|&lane| self.gpu.at(lane, time)) {
            Some(found) => found,
            None => self.gpu.around(process, time),
        }
    }
}

/// Stages that annotations name, in order.
fn named(host: &[(Annotation, StepSays)], gpu: &[(Annotation, StepSays)]) -> Vec<Stage> {
    let all = host.iter().chain(gpu).filter_map(|(_, says)| says.stage.filter(|&s| s != Stage::All));
    let mut stages: Vec<Stage> = all.collect();
    stages.sort_unstable();
    stages.dedup();
    stages
}

impl Windows {
    /// The innermost window around `time` on `lane`.
    fn innermost(&self, lane: LaneId, time: Nanos) -> Option<(&[Window], usize)> {
        let windows = self.lanes.get(&lane)?;
        let mut at = windows.partition_point(|w| w.start <= time + self.slack).checked_sub(1)?;
        while windows[at].end + self.slack < time {
            at = windows[at].around?;
        }
        Some((windows, at))
    }

    fn at(&self, lane: LaneId, time: Nanos) -> Option<Where> {
        let (windows, innermost) = self.innermost(lane, time)?;
        let stage = std::iter::successors(Some(innermost), |&i| windows[i].around).find_map(|i| windows[i].stage);
        Some(Where { step: windows[innermost].step, stage })
    }

    /// The shortest innermost window around `time` on any lane of the process.
    fn around(&self, process: ProcessId, time: Nanos) -> Where {
        let lanes = self.by_process.get(&process).map_or(&[][..], Vec::as_slice);
        let found = lanes.iter().filter_map(|&lane| {
            let (windows, at) = self.innermost(lane, time)?;
            Some((windows[at].end - windows[at].start, lane))
        });
        found.min().and_then(|(_, lane)| self.at(lane, time)).unwrap_or_default()
    }
}

/// Orders annotations by thread and start, and tells for each what is around it. A step is the innermost window that
/// names a stage, or the innermost that bounds a step where none names a stage; what lies only in an outer one has its
/// stage and no step.
fn windows(
    trace: &Trace,
    mut annotations: Vec<(Annotation, StepSays)>,
    mut steps: Option<&mut Vec<Step>>,
    fallback: Option<Stage>,
    slack: Nanos,
) -> Windows {
    annotations.sort_by_key(|(a, _)| (a.lane, a.start, std::cmp::Reverse(a.dur)));
    let mut out = Windows { slack, ..Windows::default() };
    for lane in annotations.chunk_by(|(a, _), (b, _)| a.lane == b.lane) {
        let mut windows: Vec<Window> = Vec::with_capacity(lane.len());
        let mut open: Vec<usize> = Vec::new();
        // Whether something within names a stage, or bounds a step.
        let mut within = vec![(false, false); lane.len()];
        for (i, (annotation, says)) in lane.iter().enumerate() {
            let end = annotation.start + annotation.dur;
            while open.last().is_some_and(|&top| windows[top].end + slack < end) {
                open.pop();
            }
            for &outer in &open {
                within[outer].0 |= says.stage.is_some();
                within[outer].1 = true;
            }
            let (start, stage, around) = (annotation.start, says.stage, open.last().copied());
            windows.push(Window { start, end, around, stage, size: says.size, step: None });
            open.push(i);
        }
        for i in 0..windows.len() {
            let outer_stage =
                std::iter::successors(windows[i].around, |&o| windows[o].around).any(|o| windows[o].stage.is_some());
            let is_step = match windows[i].stage {
                Some(_) => !within[i].0,
                None => !within[i].1 && !outer_stage,
            };
            let (annotation, says) = &lane[i];
            // Annotations around it of the same stage are the same step, and may know more.
            let same = |i: &usize| windows[*i].stage == says.stage;
            let of_step = |get: fn(&StepSays) -> Option<i64>| {
                std::iter::successors(Some(i), |&o| windows[o].around).filter(same).find_map(|o| get(&lane[o].1))
            };
            let (tokens, requests) = (of_step(|s| s.tokens), of_step(|s| s.requests));
            if let Some(steps) = steps.as_deref_mut().filter(|_| is_step) {
                windows[i].step = Some(StepId(steps.len() as u32));
                steps.push(Step {
                    name: annotation.name,
                    stage: says.stage.or(fallback).unwrap_or(Stage::All),
                    start: windows[i].start,
                    end: windows[i].end,
                    tokens,
                    requests,
                    whole: true,
                });
            }
        }
        // A bound within a stage's window is no window of its own: its launches belong to that step.
        for i in 0..windows.len() {
            if windows[i].step.is_none() && windows[i].stage.is_none() && !within[i].0 {
                windows[i].step = windows[i].around.and_then(|o| windows[o].step);
            }
        }
        let id = lane[0].0.lane;
        out.by_process.entry(trace.lanes[id.0 as usize].process).or_default().push(id);
        out.lanes.insert(id, windows);
    }
    out
}
