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
        Some(StepSays {
            stage,
            tokens: found.number("tokens").or(sum("context_tokens", "generation_tokens")),
            requests: found.number("requests").or(sum("context", "generation")),
            framework: format.framework.clone(),
        })
    })
}

/// The stage that the name of a file, or else of a folder around it, says; none when it says two.
pub fn of_path(path: &str, settings: &Settings) -> Option<Stage> {
    let parts = path.rsplit(['/', '\\']).take(settings.path_folders + 1);
    parts.map(|part| of_name(part, settings)).find_map(|stages| match stages[..] {
        [] => None,
        [stage] | [stage @ Stage::Capture, ..] => Some(Some(stage)),
        _ => Some(None),
    })?
}

/// Stages whose words stand in a name, in order of the settings.
fn of_name(name: &str, settings: &Settings) -> Vec<Stage> {
    let name = name.to_ascii_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let says = |(_, of_stage): &&(Stage, Vec<String>)| of_stage.iter().any(|w| words.contains(&w.as_str()));
    settings.path_words.iter().filter(says).map(|(stage, _)| *stage).collect()
}

/// The step annotations of a file: for each thread in start order, each knowing which one is around it.
pub(super) struct Steps {
    /// Steps in start order.
    pub(super) steps: Vec<Step>,
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
    step: Option<StepId>,
}

impl Steps {
    pub(super) fn find(
        trace: &Trace,
        strings: &Strings,
        joined: &Joined,
        formats: &[StepFormat],
        slack: Nanos,
    ) -> Self {
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
        let mut steps = Vec::new();
        let no_host = host.is_empty();
        let host = windows(trace, host, Some(&mut steps), slack);
        let gpu = windows(trace, gpu, no_host.then_some(&mut steps), slack);
        let mut found = Self { steps, host, gpu };
        found.sort();
        found
    }

    /// Numbers the steps in start order.
    fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.steps.len()).collect();
        order.sort_by_key(|&i| (self.steps[i].start, i));
        let mut rank = vec![StepId(0); order.len()];
        for (new, &old) in order.iter().enumerate() {
            rank[old] = StepId(new as u32);
        }
        self.steps = order.iter().map(|&i| self.steps[i].clone()).collect();
        for windows in [&mut self.host, &mut self.gpu] {
            #[expect(clippy::iter_over_hash_type, reason = "each window is changed on its own")]
            for window in windows.lanes.values_mut().flatten() {
                window.step = window.step.map(|s| rank[s.0 as usize]);
            }
        }
    }

    /// Step and stage by the moment of the call.
    pub(super) fn by_call(&self, process: ProcessId, lane: LaneId, time: Nanos) -> Where {
        if self.host.lanes.contains_key(&lane) {
            return self.host.at(lane, time).unwrap_or_default();
        }
        // A thread without steps of its own works for the step of another thread.
        self.host.around(process, time)
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

    /// Stages that annotations of the file name, in order.
    pub(super) fn stages(&self) -> Vec<Stage> {
        let mut stages: Vec<Stage> = [&self.host, &self.gpu]
            .into_iter()
            .flat_map(|w| w.lanes.values().flatten())
            .filter_map(|w| w.stage.filter(|&s| s != Stage::All))
            .collect();
        stages.sort_unstable();
        stages.dedup();
        stages
    }
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
    slack: Nanos,
) -> Windows {
    annotations.sort_by_key(|(a, _)| (a.lane, a.start, std::cmp::Reverse(a.dur)));
    let mut out = Windows { slack, ..Windows::default() };
    for lane in annotations.chunk_by(|(a, _), (b, _)| a.lane == b.lane) {
        let mut windows: Vec<Window> = Vec::with_capacity(lane.len());
        let mut stack: Vec<usize> = Vec::new();
        // Whether something within names a stage, or bounds a step.
        let mut within = vec![(false, false); lane.len()];
        for (i, (annotation, says)) in lane.iter().enumerate() {
            let end = annotation.start + annotation.dur;
            while stack.last().is_some_and(|&top| windows[top].end + slack < end) {
                stack.pop();
            }
            for &outer in &stack {
                within[outer].0 |= says.stage.is_some();
                within[outer].1 = true;
            }
            let (start, stage, around) = (annotation.start, says.stage, stack.last().copied());
            windows.push(Window { start, end, around, stage, step: None });
            stack.push(i);
        }
        for i in 0..windows.len() {
            let outer_stage =
                std::iter::successors(windows[i].around, |&o| windows[o].around).any(|o| windows[o].stage.is_some());
            let is_step = match windows[i].stage {
                Some(_) => !within[i].0,
                None => !within[i].1 && !outer_stage,
            };
            let (annotation, says) = &lane[i];
            if let Some(steps) = steps.as_deref_mut().filter(|_| is_step) {
                windows[i].step = Some(StepId(steps.len() as u32));
                steps.push(Step {
                    name: annotation.name,
                    stage: says.stage.unwrap_or(Stage::All),
                    start: windows[i].start,
                    end: windows[i].end,
                    tokens: says.tokens,
                    requests: says.requests,
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
