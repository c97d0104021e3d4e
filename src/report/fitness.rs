//! What the traces cannot tell. The checks are here; codes, order and words are in `rules/fitness.yaml`.

use std::collections::BTreeMap;

use super::steps::{self, graphs_whole};
use super::{Analysis, Fitness, Options};
use crate::attribution::{Launch, Lookup, Stage, Timeline};
use crate::engine;
use crate::rules::schema::fitness::{FitnessCheck, FitnessRule};
use crate::rules::{RuleSet, version};
use crate::trace::Broken;
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

/// What the checks look at.
struct Subject<'a> {
    analyses: &'a [Analysis<'a>],
    options: &'a Options,
    rules: &'a RuleSet,
}

/// All that is to be said, in the order of the rules; of several traces the first that it is true for speaks.
pub(super) fn check(analyses: &[Analysis], options: &Options, rules: &RuleSet) -> Vec<Fitness> {
    let subject = Subject { analyses, options, rules };
    let mut said: Vec<Fitness> = Vec::new();
    for rule in &rules.fitness.fitness {
        if said.iter().any(|fitness| rule.unless.contains(&fitness.code)) {
            continue;
        }
        let first = analyses.iter().find_map(|a| Some((a.timeline, holds(rule, a.timeline, &subject)?)));
        if let Some((timeline, figures)) = first {
            said.push(Fitness {
                code: rule.code.clone(),
                level: rule.level.id().to_owned(),
                finding: figures.fill(&rule.finding),
                fix: figures.fill(fix(rule, timeline, options.pair)),
            });
        }
    }
    said
}

/// What to do, in the words of the framework and its version when the rule has some.
fn fix<'a>(rule: &'a FitnessRule, timeline: &Timeline, pair: bool) -> &'a str {
    if let (true, Some(fix)) = (pair, &rule.fix_of_pair) {
        return fix;
    }
    let run = &timeline.run;
    let version = run.framework_version.as_ref().map(|known| known.value.as_str());
    let fits =
        |since: Option<&str>, until: Option<&str>| version::within(version, since, until).unwrap_or(until.is_none());
    let own = run.framework.as_ref().and_then(|framework| {
        rule.fixes
            .iter()
            .find(|fix| fix.framework == framework.value && fits(fix.since.as_deref(), fix.until.as_deref()))
    });
    own.map_or(rule.fix.as_str(), |fix| fix.fix.as_str())
}

fn holds(rule: &FitnessRule, timeline: &Timeline, subject: &Subject) -> Option<Figures> {
    let mut figures = Figures::default();
    for check in &rule.when {
        figures = look(*check, rule, timeline, subject)?;
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
    let enough = rule.over_pct.is_none_or(|bar| figures.pct > bar) && rule.under.is_none_or(|bar| figures.n < bar);
    enough.then_some(figures)
}

/// The figures of a check when it holds. What one trace of several lacks another may have: such checks look at all.
fn look(check: FitnessCheck, rule: &FitnessRule, timeline: &Timeline, subject: &Subject) -> Option<Figures> {
    let analyses = subject.analyses;
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
            (of > 1 && subject.options.ranks.len() < 2).then(|| Figures {
                n: rank.max(0) as u64,
                of: of as u64,
                ..Figures::default()
            })
        }
        FitnessCheck::DevicesLeft => {
            let left = timeline.devices.iter().filter(|device| !device.taken).count();
            let taken = timeline.devices.iter().find(|device| device.taken)?;
            (left > 0).then(|| Figures { text: format!("device {}", taken.device), ..count(left) })
        }
        FitnessCheck::FrameworkUnknown => when(analyses.iter().all(|a| a.timeline.run.framework.is_none())),
        FitnessCheck::ModelUnknown => when(analyses.iter().all(|a| a.timeline.run.model.is_none())),
        FitnessCheck::BrokenEvents => broken(timeline, analyses.len() > 1),
        FitnessCheck::FrontendFile => {
            when(subject.options.traces.iter().any(|info| info.taken && info.role == "frontend"))
        }
        FitnessCheck::NoShapes => {
            when(run.record_shapes == Some(false) && timeline.contexts.iter().any(|c| known(c.op)))
        }
        FitnessCheck::LongStep => long_step(timeline, rule.times?),
        FitnessCheck::WholeSteps => {
            let served = || timeline.steps.iter().filter(|step| step.stage != Stage::Capture);
            let whole = served().filter(|step| step.whole).count();
            (served().count() > 0).then(|| Figures { of: served().count() as u64, ..count(whole) })
        }
        FitnessCheck::Frames => in_frames(timeline, &rule.frames),
        FitnessCheck::StacksWhileLaunchBound => {
            let of_this: Vec<Analysis> =
                analyses.iter().filter(|a| std::ptr::eq(a.timeline, timeline)).copied().collect();
            let steps = steps::gpu(&of_this, subject.rules).steps;
            let bound = steps.iter().filter(|step| step.launch_bound == Some(true)).count();
            (run.with_stack == Some(true) && bound > 0).then(|| Figures { of: steps.len() as u64, ..count(bound) })
        }
        FitnessCheck::FamiliesCouldNotLook => {
            let open = share_of(timeline, |launch| timeline.contexts[launch.context.0 as usize].op == Lookup::Unknown)?;
            let families = engine::cannot_look(subject.rules, timeline);
            let ids: Vec<&str> = families.iter().map(|family| subject.rules.families[*family].id.as_str()).collect();
            (!ids.is_empty()).then(|| Figures { n: ids.len() as u64, text: ids.join(", "), ..open })
        }
        FitnessCheck::Always => Some(Figures::default()),
    }
}

/// The longest step on the host beside the median of its stage; at least three others make one.
fn long_step(timeline: &Timeline, times: f64) -> Option<Figures> {
    const OTHERS: usize = 3;
    let mut stages: BTreeMap<Stage, Vec<(Nanos, usize)>> = BTreeMap::new();
    for (n, step) in timeline.steps.iter().enumerate() {
        stages.entry(step.stage).or_default().push((step.end - step.start, n));
    }
    let long = stages.into_values().filter(|steps| steps.len() > OTHERS).find_map(|mut steps| {
        let of = steps.len();
        steps.sort_unstable();
        let median = steps[(of - 1) / 2].0;
        let (longest, n) = steps[of - 1];
        let ratio = longest.0 as f64 / (median.0.max(1)) as f64;
        (ratio >= times).then_some((n, of, longest, median))
    })?;
    let (n, of, longest, median) = long;
    Some(Figures { n: n as u64 + 1, of: of as u64, text: format!("{longest} against a median of {median}"), pct: 0.0 })
}

/// Launches with a frame around them that holds one of `parts`.
fn in_frames(timeline: &Timeline, parts: &[String]) -> Option<Figures> {
    // A node stands after the one around it: one pass tells for all.
    let mut inside: Vec<bool> = Vec::with_capacity(timeline.frames.nodes.len());
    for (around, name) in &timeline.frames.nodes {
        let own = || parts.iter().any(|part| timeline.strings.get(*name).contains(part.as_str()));
        inside.push(around.is_some_and(|around| inside[around.0 as usize]) || own());
    }
    share_of(timeline, |launch| match timeline.contexts[launch.context.0 as usize].frame {
        Lookup::At(node) => inside[node.0 as usize],
        _ => false,
    })
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

/// How many, why, and where the first of each kind stands; one of several files is named.
fn broken(timeline: &Timeline, of_several: bool) -> Option<Figures> {
    let reasons = &timeline.skipped.broken;
    let told = |(reason, of): (&String, &Broken)| format!("{reason}: {}, first traceEvents[{}]", of.count, of.first);
    let reasons_text = reasons.iter().map(told).collect::<Vec<_>>().join("; ");
    let text = if of_several { format!("{}: {reasons_text}", timeline.path) } else { reasons_text };
    let n = reasons.values().map(|of| of.count).sum();
    (n > 0).then(|| Figures { n, text, ..Figures::default() })
}
