//! What the traces cannot tell. The checks are here; codes, order and words are in `rules/fitness.yaml`.

use std::collections::BTreeMap;

use super::steps::graphs_whole;
use super::{Analysis, Fitness};
use crate::attribution::{Launch, Lookup, Stage, Timeline};
use crate::rules::schema::fitness::{FitnessCheck, FitnessRule};
use crate::units::{Nanos, percent};

/// Figures that a sentence may name.
#[derive(Clone, Debug, Default, PartialEq)]
struct Figures {
    n: u64,
    of: u64,
    pct: f64,
    text: String,
}

impl Figures {
    fn fill(&self, sentence: &str) -> String {
        sentence
            .replace("{n}", &self.n.to_string())
            .replace("{of}", &self.of.to_string())
            .replace("{pct}", &format!("{:.1}", self.pct))
            .replace("{text}", &self.text)
    }
}

/// All that is to be said, in the order of the rules; of several traces the first that it is true for speaks.
pub(super) fn check(analyses: &[Analysis], rules: &[FitnessRule]) -> Vec<Fitness> {
    let mut said: Vec<Fitness> = Vec::new();
    for rule in rules {
        if said.iter().any(|fitness| rule.unless.contains(&fitness.code)) {
            continue;
        }
        if let Some(figures) = analyses.iter().find_map(|analysis| holds(rule, analysis.timeline, analyses)) {
            said.push(Fitness {
                code: rule.code.clone(),
                finding: figures.fill(&rule.finding),
                fix: figures.fill(&rule.fix),
            });
        }
    }
    said
}

fn holds(rule: &FitnessRule, timeline: &Timeline, analyses: &[Analysis]) -> Option<Figures> {
    let mut figures = Figures::default();
    for check in &rule.when {
        figures = look(*check, timeline, analyses)?;
    }
    if !rule.skipped.is_empty() {
        let skipped = &timeline.skipped;
        figures.n = (rule.skipped.iter())
            .filter_map(|category| skipped.ignored.get(category).or_else(|| skipped.unknown.get(category)))
            .sum();
        if figures.n == 0 {
            return None;
        }
    }
    if let Some(code) = &rule.warning {
        figures.text.clone_from(&timeline.warnings.iter().find(|warning| warning.code == code)?.text);
    }
    let enough = rule.over_pct.is_none_or(|bar| figures.pct > bar);
    enough.then_some(figures)
}

/// The figures of a check when it holds. What one trace of several lacks another may have: such checks look at all.
fn look(check: FitnessCheck, timeline: &Timeline, analyses: &[Analysis]) -> Option<Figures> {
    let run = &timeline.run;
    let launches = &timeline.launches;
    let no_launches = launches.is_empty();
    let when = |holds: bool| holds.then(Figures::default);
    match check {
        FitnessCheck::NoGpuEvents => when(analyses.iter().all(|a| a.timeline.launches.is_empty())),
        FitnessCheck::OnlyCapture => {
            let captured = !no_launches && launches.iter().all(|launch| launch.stage == Stage::Capture);
            let none_ran = no_launches && timeline.counts.capture_launches > 0;
            (captured || none_ran).then(|| count(launches.len()))
        }
        FitnessCheck::GraphKernelsMissing => (!graphs_whole(timeline)).then(|| Figures {
            n: timeline.replays.iter().filter(|replay| replay.kernels == 0).count() as u64,
            of: timeline.replays.len() as u64,
            ..Figures::default()
        }),
        FitnessCheck::ReplayWithoutPlaces => share_of(timeline, |launch| {
            let context = &timeline.contexts[launch.context.0 as usize];
            launch.replay.is_some() && context.op == Lookup::Unknown && context.frame == Lookup::Unknown
        }),
        FitnessCheck::NoLaunchCalls => when(!no_launches && launches.iter().all(|launch| launch.called.is_none())),
        FitnessCheck::SomeWithoutLaunch => share_of(timeline, |launch| launch.called.is_none()),
        FitnessCheck::NoCpuOps => when(!no_launches && timeline.contexts.iter().all(|c| !known(c.op))),
        FitnessCheck::NoPythonFrames => when(!no_launches && timeline.contexts.iter().all(|c| !known(c.frame))),
        FitnessCheck::NoSteps => when(!no_launches && timeline.steps.is_empty()),
        FitnessCheck::CutSteps => {
            let cut = timeline.steps.iter().filter(|step| !step.whole).count();
            (cut > 0).then(|| Figures { of: timeline.steps.len() as u64, ..count(cut) })
        }
        FitnessCheck::OneRankOfMany => {
            let (rank, of) = (run.rank.as_ref()?.value, run.world_size.as_ref()?.value);
            (of > 1).then(|| Figures { n: rank.max(0) as u64, of: of as u64, ..Figures::default() })
        }
        FitnessCheck::DevicesLeft => {
            let left = timeline.devices.iter().filter(|device| !device.taken).count();
            let taken = timeline.devices.iter().find(|device| device.taken)?;
            (left > 0).then(|| Figures { text: format!("device {}", taken.device), ..count(left) })
        }
        FitnessCheck::FrameworkUnknown => when(analyses.iter().all(|a| a.timeline.run.framework.is_none())),
        FitnessCheck::ModelUnknown => when(analyses.iter().all(|a| a.timeline.run.model.is_none())),
        FitnessCheck::BrokenEvents => broken(&timeline.skipped.broken),
        FitnessCheck::Always => Some(Figures::default()),
    }
}

fn known(place: Lookup) -> bool {
    matches!(place, Lookup::At(_))
}

fn count(n: usize) -> Figures {
    Figures { n: n as u64, ..Figures::default() }
}

/// Number and share of the launches that are so; none when there are none.
fn share_of(timeline: &Timeline, is: impl Fn(&Launch) -> bool) -> Option<Figures> {
    let total: Nanos = timeline.launches.iter().map(|launch| launch.dur).sum();
    let found: Vec<Nanos> = timeline.launches.iter().filter(|launch| is(launch)).map(|launch| launch.dur).collect();
    let pct = percent(found.iter().copied().sum(), total);
    (!found.is_empty()).then(|| Figures { pct, of: timeline.launches.len() as u64, ..count(found.len()) })
}

fn broken(reasons: &BTreeMap<String, u64>) -> Option<Figures> {
    let text = reasons.iter().map(|(reason, n)| format!("{reason}: {n}")).collect::<Vec<_>>().join(", ");
    let n = reasons.values().sum();
    (n > 0).then(|| Figures { n, text, ..Figures::default() })
}
