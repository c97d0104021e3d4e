//! Catalogued overlaps: the sides of a clause, cut into runs, and each run paired with the next of the other side.

use std::collections::{BTreeMap, BTreeSet};

use super::{Ground, Overlap, Risk, Risks};
use crate::attribution::{KernelId, LaunchId, Lookup, NodeId, Stage, StepId, StreamId, Timeline};
use crate::engine::gates::{self, Gate};
use crate::engine::predicate::{Answers, PredicateId, Predicates};
use crate::engine::{Occurrence, Tri, advice};
use crate::rules::{Family, FamilyKind, Independence, Origin, Outcome, Per, RuleSet, Status};
use crate::trace::StringId;
use crate::units::{Nanos, percent};

/// What a family's clause comes to in one stage.
pub(crate) struct Found {
    /// The stage.
    pub(crate) stage: Stage,
    /// Its outcome, as tests have it.
    pub(crate) outcome: Outcome,
    /// The row, for what is exposed or hidden.
    pub(crate) row: Option<Overlap>,
}

/// The clauses of some families, ready to be asked.
pub(crate) struct Matcher {
    predicates: Predicates,
    /// Family, what could be hidden, under what.
    sides: Vec<(usize, PredicateId, PredicateId)>,
}

impl Matcher {
    /// `predicates` are those of the rule set, with none compiled yet.
    pub(crate) fn of(mut predicates: Predicates, rules: &RuleSet, families: &[usize]) -> Self {
        let mut sides = Vec::new();
        for &index in families {
            let family = &rules.families[index];
            if let (FamilyKind::Overlap, Some(clause)) = (family.kind, &family.overlap) {
                sides.push((index, predicates.add(&clause.exposed), predicates.add(&clause.beside)));
            }
        }
        Self { predicates, sides }
    }

    /// What each family comes to in each stage that has its first side. Gates of which `granted` says so hold; without
    /// `recurs`, once is enough.
    pub(crate) fn find(&self, ground: &Ground<'_>, granted: &dyn Fn(&Gate) -> bool, recurs: bool) -> Vec<Found> {
        if self.sides.is_empty() {
            return Vec::new();
        }
        let answers = self.predicates.answer(ground.timeline, &ground.rules.names, Some(ground.classes));
        let mut out = Vec::new();
        for &(index, exposed, beside) in &self.sides {
            let family = &ground.rules.families[index];
            let mut stages: BTreeMap<Stage, Vec<Part>> = BTreeMap::new();
            for part in parts(ground.timeline, family, &answers, exposed, beside) {
                stages.entry(ground.timeline.launch(part.launch).stage).or_default().push(part);
            }
            for (stage, parts) in stages {
                let mut gates = gates::of_run(family, &ground.timeline.run, stage);
                for gate in gates.iter_mut().filter(|gate| granted(gate)) {
                    gate.answer = Tri::Yes;
                }
                let open = stage != Stage::Capture && gates.iter().all(|gate| gate.answer != Tri::No);
                let first_side = parts.iter().any(|part| part.exposed);
                if open && first_side {
                    let one = One { ground, family, index, stage, gates: &gates };
                    out.push(one.judge(&parts, granted, recurs));
                }
            }
        }
        out
    }
}

/// A launch that stands on a side, or on both.
#[derive(Clone, Copy)]
struct Part {
    launch: LaunchId,
    exposed: bool,
    beside: bool,
    /// What independence is told by; none: unknown, or nothing is asked.
    place: Option<StringId>,
}

impl Part {
    fn alike(&self, other: &Self) -> bool {
        self.exposed == other.exposed
            && self.beside == other.beside
            && (!(self.exposed && self.beside) || self.place == other.place)
    }
}

fn parts(
    timeline: &Timeline,
    family: &Family,
    answers: &Answers<'_>,
    exposed: PredicateId,
    beside: PredicateId,
) -> Vec<Part> {
    // What an unknown leaves standing is on no side: a plain kernel must not become an opportunity by it.
    let side = |predicate, class| answers.link(predicate, answers.first(class)) == Tri::Yes;
    let sides: Vec<(bool, bool)> =
        (0..answers.classes() as u32).map(|class| (side(exposed, class), side(beside, class))).collect();
    if !sides.iter().any(|(exposed, _)| *exposed) {
        return Vec::new();
    }
    timeline
        .launch_ids()
        .filter_map(|launch| {
            let (exposed, beside) = sides[answers.class(launch) as usize];
            (exposed || beside).then(|| Part {
                launch,
                exposed,
                beside,
                place: place(timeline, family.independent, launch),
            })
        })
        .collect()
}

fn place(timeline: &Timeline, independent: Independence, launch: LaunchId) -> Option<StringId> {
    match independent {
        Independence::Declared => None,
        Independence::Site => timeline.context(launch).site,
        Independence::Module => {
            let innermost = || innermost_module(timeline, timeline.context(launch).frame);
            timeline.launch(launch).instance.or_else(innermost)
        }
    }
}

/// The innermost nn.Module frame, where a launch does not know its instance: two norms of one class are two modules.
fn innermost_module(timeline: &Timeline, frame: Lookup) -> Option<StringId> {
    let Lookup::At(node) = frame else { return None };
    let prefix = timeline.module_prefix.as_str();
    let name = |node: NodeId| timeline.frames.name(node);
    let is_module = |id: &StringId| !prefix.is_empty() && timeline.strings.get(*id).starts_with(prefix);
    timeline.frames.path(node).map(name).find(is_module)
}

/// Launches of one side with none of the other between.
struct Run {
    parts: Vec<Part>,
}

impl Run {
    fn launches(&self) -> Vec<LaunchId> {
        self.parts.iter().map(|part| part.launch).collect()
    }

    fn first(&self) -> Part {
        self.parts[0]
    }
}

/// Two runs near each other, the one that could be hidden first.
struct Pair {
    exposed: Vec<LaunchId>,
    beside: Vec<LaunchId>,
    risk: Risk,
}

struct One<'a> {
    ground: &'a Ground<'a>,
    family: &'a Family,
    index: usize,
    stage: Stage,
    gates: &'a [Gate],
}

impl One<'_> {
    fn judge(&self, parts: &[Part], granted: &dyn Fn(&Gate) -> bool, recurs: bool) -> Found {
        let pairs = self.pairs(parts, granted);
        if pairs.is_empty() || (recurs && !self.recurs(&pairs)) {
            return Found { stage: self.stage, outcome: Outcome::NoPartner, row: None };
        }
        let side = |of: fn(&Pair) -> &Vec<LaunchId>| -> Vec<LaunchId> { pairs.iter().flat_map(of).copied().collect() };
        let (exposed, beside) = (side(|pair| &pair.exposed), side(|pair| &pair.beside));
        let length = |ids: &[LaunchId]| ids.iter().map(|id| self.ground.timeline.launch(*id).dur).sum::<Nanos>();
        let shorter = length(&exposed).min(length(&beside));
        let both = beside_each_other(self.ground.timeline, &exposed, &beside);
        let settings = &self.ground.rules.overlap;
        let is_hidden = shorter > Nanos::ZERO && percent(both, shorter) >= settings.family_hidden_min_pct;
        let exclusive = |ids: &[LaunchId]| ids.iter().map(|id| self.ground.exposure.of(*id).exclusive).sum::<Nanos>();
        let saved: Nanos = pairs.iter().map(|pair| exclusive(&pair.exposed).min(exclusive(&pair.beside))).sum();
        if !is_hidden && saved == Nanos::ZERO {
            return Found { stage: self.stage, outcome: Outcome::NoPartner, row: None };
        }
        let (time, times) = self.ground.sum(&exposed);
        let mut risks = Risks::default();
        for pair in &pairs {
            risks.count(if is_hidden { Risk::Low } else { pair.risk });
        }
        let mut row = Overlap {
            stage: self.stage,
            family: Some(self.index),
            verdict: if is_hidden { &settings.family_hidden } else { &settings.family_exposed }.clone(),
            kernel: self.ground.heaviest(&exposed).unwrap_or(KernelId(0)),
            partner: self.ground.heaviest(&beside),
            waiting: super::verdict::waiting(self.ground, &exposed),
            launches: exposed,
            time,
            times,
            risks,
            could_save: (!is_hidden && risks.worst() == Risk::Low).then_some(saved),
            reasons: Vec::new(),
        };
        row.reasons = self.reasons(&row, &pairs, is_hidden);
        Found { stage: self.stage, outcome: if is_hidden { Outcome::Hidden } else { Outcome::Exposed }, row: Some(row) }
    }

    /// Runs in start order; each takes the next one of the other side that is near and not ruled out.
    fn pairs(&self, parts: &[Part], granted: &dyn Fn(&Gate) -> bool) -> Vec<Pair> {
        let timeline = self.ground.timeline;
        let mut runs: Vec<Run> = Vec::new();
        for &part in parts {
            match runs.last_mut() {
                Some(run)
                    if run.first().alike(&part) && self.ground.near.comparable(run.first().launch, part.launch) =>
                {
                    run.parts.push(part);
                }
                _ => runs.push(Run { parts: vec![part] }),
            }
        }
        let within = self.family.overlap.as_ref().map_or(0, |clause| clause.within_us);
        let within = Nanos(i64::from(within) * 1000);
        let end = |run: &Run| run.parts.iter().map(|part| timeline.launch(part.launch).end()).max();
        let mut pairs = Vec::new();
        let mut at = 0;
        while at + 1 < runs.len() {
            let (one, two) = (&runs[at], &runs[at + 1]);
            let (first, second) = (one.first(), two.first());
            let sides = (first.exposed && second.beside) || (first.beside && second.exposed);
            let near = end(one).is_some_and(|end| timeline.launch(second.launch).start <= end + within);
            let risk = self.risk(one, two);
            if !sides || !near || !self.ground.near.comparable(first.launch, second.launch) || risk.is_none() {
                at += 1;
                continue;
            }
            let (exposed, beside) = if first.exposed && second.beside { (one, two) } else { (two, one) };
            let pair =
                Pair { exposed: exposed.launches(), beside: beside.launches(), risk: risk.unwrap_or(Risk::Unclear) };
            if self.holds(&pair, granted) {
                pairs.push(pair);
            }
            at += 2;
        }
        pairs
    }

    /// Whether the gates that one step or message decides do not say no.
    fn holds(&self, pair: &Pair, granted: &dyn Fn(&Gate) -> bool) -> bool {
        let occurrence = Occurrence {
            launches: pair.exposed.clone(),
            transparent: Vec::new(),
            context: Vec::new(),
            unknown: false,
            inferred: false,
        };
        let gates = gates::of_occurrence(self.family, self.ground.timeline, &occurrence);
        gates.iter().all(|gate| !gate.forbids() || granted(gate))
    }

    /// None: they are of one place, so no partners.
    fn risk(&self, one: &Run, two: &Run) -> Option<Risk> {
        let by_place = match (one.first().place, two.first().place) {
            (Some(a), Some(b)) if a == b => return None,
            (Some(_), Some(_)) => Risk::Low,
            _ => Risk::Unclear,
        };
        let (a, b) = (one.first().launch, two.first().launch);
        let timeline = self.ground.timeline;
        if self.ground.near.waits && timeline.launch(a).stream != timeline.launch(b).stream {
            return Some(if self.ground.near.ordered(a, b) { Risk::High } else { Risk::Low });
        }
        Some(by_place)
    }

    fn recurs(&self, pairs: &[Pair]) -> bool {
        let mut steps: BTreeMap<Option<StepId>, usize> = BTreeMap::new();
        for pair in pairs {
            *steps.entry(self.ground.timeline.launch(pair.exposed[0]).step).or_default() += 1;
        }
        let least = if self.family.per == Per::Layer { 2 } else { 1 };
        steps.values().any(|n| *n >= least)
    }

    fn reasons(&self, row: &Overlap, pairs: &[Pair], is_hidden: bool) -> Vec<String> {
        let mut reasons = Vec::new();
        if is_hidden {
            reasons.push("both sides run beside each other on streams of their own".to_owned());
        } else {
            reasons.push(match (row.risks.worst(), self.family.independent) {
                (Risk::High, _) => format!("recorded waits order {} of {}", row.risks.high, pairs.len()),
                (Risk::Low, Independence::Site) => "independent: the two sides come from different sites".to_owned(),
                (Risk::Low, Independence::Module) => "independent: the two sides are different modules".to_owned(),
                (Risk::Low, Independence::Declared) => {
                    "independent: no way leads from one side to the other in the recorded waits".to_owned()
                }
                (Risk::Unclear, Independence::Declared) => {
                    "the family says that the two sides are independent; nothing in this trace bears it out".to_owned()
                }
                (Risk::Unclear, _) => "sites or modules are unknown, so nothing bears out independence".to_owned(),
            });
        }
        reasons.extend(self.gates.iter().filter(|gate| gate.answer == Tri::Unknown).map(Gate::reason));
        if !is_hidden {
            if self.family.status == Status::Trial {
                reasons.push("the family is on trial: no trace has proved it yet".to_owned());
            }
            if self.family.origin == Origin::Inflight {
                reasons.push(format!("the path is in an open pull request: {}", self.family.pr.join(", ")));
            }
            let on = advice::toggles(self.family, &self.ground.timeline.run);
            let on = on.iter().filter(|toggle| advice::is_on(toggle, &self.ground.timeline.run) == Some(true));
            reasons.extend(on.map(|toggle| format!("`{}` is set, and yet they run apart", advice::typed(toggle))));
        }
        reasons
    }
}

/// How long a launch of one side and a launch of the other ran at once, on different streams.
fn beside_each_other(timeline: &Timeline, one: &[LaunchId], two: &[LaunchId]) -> Nanos {
    // Points in time order; ends first, so that what touches does not overlap.
    let mut points: Vec<(Nanos, bool, bool, StreamId)> = Vec::new();
    for (ids, first) in [(one, true), (two, false)] {
        let ids: BTreeSet<LaunchId> = ids.iter().copied().collect();
        for id in ids {
            let launch = timeline.launch(id);
            if launch.dur > Nanos::ZERO {
                points.push((launch.start, true, first, launch.stream));
                points.push((launch.end(), false, first, launch.stream));
            }
        }
    }
    points.sort_unstable();
    let mut active: BTreeMap<(bool, StreamId), u32> = BTreeMap::new();
    let (mut both, mut last) = (Nanos::ZERO, Nanos::ZERO);
    for (at, starts, first, stream) in points {
        let on = |side: bool| active.keys().filter(move |(of, _)| *of == side).map(|(_, stream)| *stream);
        if on(true).any(|a| on(false).any(|b| a != b)) {
            both += at - last;
        }
        last = at;
        let count = active.entry((first, stream)).or_default();
        *count = if starts { *count + 1 } else { count.saturating_sub(1) };
        if *count == 0 {
            active.remove(&(first, stream));
        }
    }
    both
}
