//! Fuse rows: what the engine found, with names, places and what to type.

use std::collections::BTreeMap;

use super::kernels::{Sums, Tally, place, share};
use super::{Analysis, EvidenceKernel, FuseRow, HalfInfo, Location, OccurrenceInfo, ToggleInfo, evidence};
use crate::attribution::{LaunchId, Run, Stage, Timeline};
use crate::engine::{Action, Confidence, Finding, Half, State, advice};
use crate::rules::{Family, RuleSet};
use crate::units::Nanos;

/// One family in one stage, over all analyses that have it.
struct Row<'a> {
    parts: Vec<(&'a Timeline, &'a Finding)>,
}

/// All rows: by stage, what can be mended first, then time, then family.
pub(super) fn rows(analyses: &[Analysis], rules: &RuleSet, stage_time: impl Fn(Stage) -> Nanos) -> Vec<FuseRow> {
    let mut by_key: BTreeMap<(Stage, usize), Row> = BTreeMap::new();
    for analysis in analyses {
        for finding in analysis.findings {
            let row = by_key.entry((finding.stage, finding.family)).or_insert_with(|| Row { parts: Vec::new() });
            row.parts.push((analysis.timeline, finding));
        }
    }
    let mut rows: Vec<(Stage, State, Nanos, FuseRow)> = (by_key.iter())
        .map(|((stage, family), row)| {
            let (state, time) = (row.state(), row.time());
            let family = &rules.families[*family];
            (*stage, state, time, row.finish(*stage, family, rules, analyses, stage_time(*stage)))
        })
        .collect();
    rows.sort_by(|a, b| (a.0, rank(a.1), b.2, &a.3.family).cmp(&(b.0, rank(b.1), a.2, &b.3.family)));
    rows.into_iter().map(|(_, _, _, row)| row).collect()
}

/// States in the order in which a reader wants them.
fn rank(state: State) -> u8 {
    match state {
        State::Split | State::Partly => 0,
        State::InUse => 1,
        State::OffByDesign => 2,
    }
}

/// `fuse/<family>/<stage>`.
pub(super) fn row_id(family: &str, stage: Stage) -> String {
    format!("fuse/{family}/{}", stage.id())
}

impl Row<'_> {
    fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.parts.iter().map(|(_, finding)| *finding)
    }

    fn time(&self) -> Nanos {
        self.findings().map(|f| f.fused.time + f.split.time).sum()
    }

    /// One trace fused and another split is the same as both in one.
    fn state(&self) -> State {
        let first = self.parts[0].1.state;
        if self.findings().all(|f| f.state == first) { first } else { State::Partly }
    }

    /// The finding whose words stand for all: the one with most time.
    fn lead(&self) -> (&Timeline, &Finding) {
        let time = |f: &Finding| f.fused.time + f.split.time;
        self.parts.iter().fold(self.parts[0], |best, part| if time(part.1) > time(best.1) { *part } else { best })
    }

    /// One occurrence of each form.
    fn examples(&self, analyses: &[Analysis]) -> Vec<OccurrenceInfo> {
        let (timeline, lead) = self.lead();
        let Some(at) = evidence::of(analyses, timeline) else { return Vec::new() };
        let forms = [("split", &lead.split), ("fused", &lead.fused)];
        forms.into_iter().filter_map(|(form, half)| evidence::occurrence(at, form, half)).collect()
    }

    fn half(&self, half: impl Fn(&Finding) -> &Half) -> HalfInfo {
        HalfInfo {
            n: self.findings().map(|f| half(f).occurrences.len() as u64).sum(),
            us: self.findings().map(|f| half(f).time).sum::<Nanos>().as_us(),
        }
    }

    /// Counted launches of both halves.
    fn launches(&self) -> impl Iterator<Item = (&Timeline, LaunchId)> {
        self.parts.iter().flat_map(|(timeline, finding)| {
            (finding.split.occurrences.iter().chain(&finding.fused.occurrences))
                .flat_map(|occurrence| &occurrence.launches)
                .map(move |&id| (*timeline, id))
        })
    }

    /// Occurrences in whole steps for each whole step; none without one.
    fn per_step(&self, stage: Stage) -> Option<f64> {
        let (mut steps, mut found) = (0u64, 0u64);
        for (timeline, finding) in &self.parts {
            let whole = |launch: LaunchId| {
                timeline.launch(launch).step.is_some_and(|step| timeline.steps[step.0 as usize].whole)
            };
            steps += timeline.steps.iter().filter(|step| step.stage == stage && step.whole).count() as u64;
            found += (finding.split.occurrences.iter().chain(&finding.fused.occurrences))
                .filter(|occurrence| occurrence.launches.first().is_some_and(|&launch| whole(launch)))
                .count() as u64;
        }
        (steps > 0).then(|| (found as f64 / steps as f64 * 100.0).round() / 100.0)
    }

    fn kernels(&self) -> Vec<EvidenceKernel> {
        let mut sums: BTreeMap<&str, (Tally, &crate::kernel_name::KernelName)> = BTreeMap::new();
        for (timeline, id) in self.launches() {
            let kernel = timeline.kernel(id);
            let sum = sums.entry(timeline.strings.get(kernel.raw)).or_insert((Tally::default(), &kernel.name));
            sum.0.add(Tally { time: timeline.launch(id).dur, launches: 1 });
        }
        let mut kernels: Vec<_> = sums.into_iter().collect();
        kernels.sort_by(|a, b| (b.1.0.time, a.0).cmp(&(a.1.0.time, b.0)));
        (kernels.into_iter())
            .map(|(raw, (tally, name))| EvidenceKernel {
                name: raw.to_owned(),
                parts: name.clone(),
                time_us: tally.time.as_us(),
                launches: tally.launches,
            })
            .collect()
    }

    fn locations(&self) -> Vec<Location> {
        let mut sums = Sums::new();
        for (timeline, id) in self.launches() {
            let (site, module, found_by) = place(timeline, timeline.context(id));
            if let Some(site) = site.or(module) {
                sums.add((site, found_by), Tally { time: timeline.launch(id).dur, launches: 1 });
            }
        }
        (sums.sorted().into_iter())
            .map(|((site, found_by), _)| Location { location: site.to_owned(), found_by: found_by.to_owned() })
            .collect()
    }

    fn finish(&self, at: Stage, family: &Family, rules: &RuleSet, analyses: &[Analysis], stage_time: Nanos) -> FuseRow {
        let (timeline, lead) = self.lead();
        let first = lead.split.occurrences.first().or(lead.fused.occurrences.first());
        let run = &self.parts[0].0.run;
        let state = self.state();
        let mut reasons: Vec<String> = Vec::new();
        for reason in self.findings().flat_map(|f| &f.reasons) {
            if !reasons.contains(reason) {
                reasons.push(reason.clone());
            }
        }
        let confirmed = self.findings().all(|f| f.confidence == Confidence::Confirmed);
        let could_save = matches!(state, State::Split | State::Partly);
        let other = |index: &usize| row_id(&rules.families[*index].id, at);
        let (fused, split) = (self.half(|f| &f.fused), self.half(|f| &f.split));
        FuseRow {
            id: row_id(&family.id, at),
            stage: at.id().to_owned(),
            shown: false,
            family: family.id.clone(),
            title: family.title.clone(),
            origin: family.origin.id().to_owned(),
            state: state.id().to_owned(),
            confidence: if confirmed { Confidence::Confirmed } else { Confidence::Candidate }.id().to_owned(),
            reasons,
            time_us: self.time().as_us(),
            transparent_us: self.findings().map(|f| f.fused.transparent + f.split.transparent).sum::<Nanos>().as_us(),
            could_save_us: could_save.then(|| self.findings().map(|f| f.could_save).sum::<Nanos>().as_us()),
            launches_saved: could_save.then(|| self.findings().map(|f| f.launches_saved).sum()),
            share_pct: share(self.time(), stage_time),
            occurrences: fused.n + split.n,
            per_step: self.per_step(at),
            fused,
            split,
            kernels: self.kernels(),
            locations: self.locations(),
            candidate: candidate(family, run),
            action: lead.action.id().to_owned(),
            advice: lead.advice.clone(),
            // What to type is said where something is to be typed, and where the user may want to undo it.
            toggles: if lead.action == Action::OffByDesign { Vec::new() } else { toggles(family, run) },
            covered_by: lead.covered_by.as_ref().map(other),
            overlaps_with: lead.overlaps_with.iter().map(other).collect(),
            rule: evidence::rule(family, timeline, at, first),
            examples: self.examples(analyses),
        }
    }
}

/// Reasons of a row that its advice does not give already.
pub(super) fn because(row: &FuseRow) -> impl Iterator<Item = &String> {
    row.reasons.iter().filter(|reason| row.advice.split("; ").all(|said| said != reason.as_str()))
}

/// Where the fused path lives on this GPU: in the trace's version, or in any when that is unknown.
fn candidate(family: &Family, run: &Run) -> Vec<String> {
    let any = || family.sources.iter().filter(|source| advice::is_of(source.vendor.as_ref(), run)).collect();
    let all: Vec<_> = if run.framework_version.is_some() { advice::sources(family, run) } else { any() };
    all.into_iter().map(|source| source.path.clone()).collect()
}

/// The switches of a family that do something on this GPU, as the version spells them.
pub(super) fn toggles(family: &Family, run: &Run) -> Vec<ToggleInfo> {
    (advice::toggles(family, run).into_iter())
        .map(|toggle| ToggleInfo { spelling: toggle.name.clone(), value: toggle.value.clone() })
        .collect()
}
