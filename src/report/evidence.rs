//! What rows rest on: rules with their conditions, and the occurrence of median length.

use super::{Analysis, ClauseInfo, GateInfo, OccurrenceInfo, OccurrenceLaunch, RuleInfo};
use crate::attribution::{LaunchId, Stage, Timeline};
use crate::engine::gates::{self, Gate};
use crate::engine::{Half, Occurrence, Overlap, Tri};
use crate::rules::{Family, FamilyKind, print_chain, print_overlap};
use crate::units::Nanos;

/// What else is drawn beside an overlap.
const MOST_NEAR: usize = 12;

/// The analysis of a timeline, and the number that its first step has in the report.
pub(super) fn of<'a>(analyses: &'a [Analysis<'a>], timeline: &Timeline) -> Option<(&'a Analysis<'a>, u64)> {
    let at = analyses.iter().position(|analysis| std::ptr::eq(analysis.timeline, timeline))?;
    let before = analyses[..at].iter().map(|analysis| analysis.timeline.steps.len() as u64).sum();
    Some((&analyses[at], before))
}

/// A family's rule for a stage of a run; `first` decides what is asked of each occurrence.
pub(super) fn rule(family: &Family, timeline: &Timeline, stage: Stage, first: Option<&Occurrence>) -> RuleInfo {
    let chains =
        [("fused", &family.fused), ("split", &family.split), ("after", &family.after), ("before", &family.before)];
    let clause = |key: &str, text| ClauseInfo { key: key.to_owned(), text };
    let chains = chains.iter().filter_map(|(key, chain)| Some(clause(key, print_chain(chain.as_ref()?))));
    let overlap = family.overlap.iter().map(|sides| clause("overlap", print_overlap(sides)));
    let of_first = first.map_or_else(Vec::new, |first| gates::of_occurrence(family, timeline, first));
    let of_first =
        of_first.into_iter().map(|one| Gate { found: format!("{} (the first occurrence)", one.found), ..one });
    let gates = gates::of_run(family, &timeline.run, stage).into_iter().chain(of_first);
    RuleInfo {
        rationale: family.rationale.clone(),
        status: family.status.id().to_owned(),
        since: family.since.clone(),
        until: family.until.clone(),
        checked: family.checked.as_ref().map(|(date, _)| date.clone()),
        checked_version: family.checked.as_ref().map(|(_, version)| version.clone()),
        clauses: chains.chain(overlap).collect(),
        per: (family.kind == FamilyKind::Fuse).then(|| family.per.id().to_owned()),
        gates: gates.map(gate).collect(),
    }
}

fn gate(gate: Gate) -> GateInfo {
    let answer = match gate.answer {
        Tri::Yes => "yes",
        Tri::No => "no",
        Tri::Unknown => "unknown",
    };
    let ask = gate.ask.filter(|_| gate.answer == Tri::Unknown);
    let found = ask.map_or(gate.found.clone(), |ask| format!("{}, {ask}", gate.found));
    GateInfo { wants: gate.wants, answer: answer.to_owned(), found }
}

/// The occurrence of median length of a form; none when there is no occurrence.
pub(super) fn occurrence(at: (&Analysis, u64), form: &str, half: &Half) -> Option<OccurrenceInfo> {
    let timeline = at.0.timeline;
    let one = median(half.occurrences.iter(), |one| {
        let ids = || one.launches.iter().chain(&one.transparent).chain(&one.context).copied();
        let (start, end) = bounds(timeline, ids());
        (end - start, start)
    })?;
    let roles = [("counted", &one.launches), ("transparent", &one.transparent), ("context", &one.context)];
    let mut all: Vec<(LaunchId, &str)> =
        roles.iter().flat_map(|(role, ids)| ids.iter().map(|id| (*id, *role))).collect();
    all.sort_unstable();
    Some(info(at, form, &all))
}

/// The instance of median length of an overlap, with what runs beside it and next to it.
pub(super) fn instance(at: (&Analysis, u64), row: &Overlap) -> Option<OccurrenceInfo> {
    let timeline = at.0.timeline;
    let own = *median(row.launches.iter(), |id| (timeline.launch(**id).dur, **id))?;
    let launch = timeline.launch(own);
    let device = &timeline.streams[launch.stream.0 as usize].device;
    let near = |id: &LaunchId| {
        let other = timeline.launch(*id);
        let close = other.end() > launch.start - launch.dur && other.start < launch.end() + launch.dur;
        close && other.step == launch.step && timeline.streams[other.stream.0 as usize].device == *device
    };
    let mut all: Vec<LaunchId> = around(timeline, own).filter(near).collect();
    let distance = |id: &LaunchId| {
        let other = timeline.launch(*id);
        ((other.start - launch.end()).max(launch.start - other.end()).max(Nanos::ZERO), *id != own, *id)
    };
    all.sort_unstable_by_key(distance);
    all.truncate(MOST_NEAR);
    all.sort_unstable();
    let role = |id: LaunchId| match id {
        _ if id == own => "counted",
        _ if row.partner == Some(timeline.launch(id).kernel) => "partner",
        _ => "near",
    };
    let all: Vec<(LaunchId, &str)> = all.into_iter().map(|id| (id, role(id))).collect();
    Some(info(at, &row.verdict, &all))
}

/// Launches not far from one, in start order.
fn around(timeline: &Timeline, id: LaunchId) -> impl Iterator<Item = LaunchId> {
    const FAR: u32 = 64;
    let end = (timeline.launches.len() as u32).min(id.0.saturating_add(FAR));
    (id.0.saturating_sub(FAR)..end).map(LaunchId)
}

/// The lower median by a key that has no ties that matter.
fn median<T, K: Ord>(all: impl Iterator<Item = T>, key: impl Fn(&T) -> K) -> Option<T> {
    let mut all: Vec<T> = all.collect();
    all.sort_by_cached_key(key);
    let at = all.len().checked_sub(1)? / 2;
    all.into_iter().nth(at)
}

/// First begin and last end.
pub(super) fn bounds(timeline: &Timeline, ids: impl Iterator<Item = LaunchId>) -> (Nanos, Nanos) {
    let times = ids.map(|id| timeline.launch(id)).map(|launch| (launch.start, launch.end()));
    times.reduce(|all, one| (all.0.min(one.0), all.1.max(one.1))).unwrap_or_default()
}

fn info((analysis, before): (&Analysis, u64), form: &str, all: &[(LaunchId, &str)]) -> OccurrenceInfo {
    let timeline = analysis.timeline;
    let counted = all.iter().filter(|(_, role)| !matches!(*role, "partner" | "near"));
    let (start, end) = bounds(timeline, counted.map(|(id, _)| *id));
    let step = all.iter().find(|(_, role)| *role == "counted").and_then(|(id, _)| timeline.launch(*id).step);
    let launches = all.iter().map(|(id, role)| {
        let (launch, kernel) = (timeline.launch(*id), timeline.kernel(*id));
        OccurrenceLaunch {
            kernel: timeline.strings.get(kernel.raw).to_owned(),
            parts: kernel.name.clone(),
            role: (*role).to_owned(),
            category: analysis.classes.name_of(*id).to_owned(),
            stream: timeline.streams[launch.stream.0 as usize].number,
            start_us: (launch.start - start).as_us(),
            dur_us: launch.dur.as_us(),
        }
    });
    OccurrenceInfo {
        form: form.to_owned(),
        step: step.map(|step| before + u64::from(step.0)),
        dur_us: (end - start).as_us(),
        launches: launches.collect(),
    }
}
