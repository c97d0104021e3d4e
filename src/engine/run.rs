//! All families over one timeline: matches, then one finding a family and stage.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;

use super::automaton::{Alphabet, find};
use super::chain::Program;
use super::gates::{self, Effect, Gate, callers};
use super::look::{Compiled, Look};
use super::subsume::Standing;
use super::{Action, Classes, Confidence, Finding, Half, Occurrence, State, Tri, advice, subsume};
use crate::attribution::{Launch, LaunchId, Stage, StepId, Timeline};
use crate::graph::KernelGraph;
use crate::rules::ast::{Atom, Chain, ChainNode, Expr, ExprNode};
use crate::rules::{Family, Origin, Per, RuleSet, Status, counted_links, fewest_counted};
use crate::units::Nanos;

/// The distinct links of a rule's positions.
fn links_of(program: &Program, rule: usize) -> Vec<u32> {
    let all = program.forward.positions.iter().chain(&program.backward.positions);
    let links: BTreeSet<u32> =
        all.filter(|position| position.rule as usize == rule).filter_map(|position| position.link).collect();
    links.into_iter().collect()
}

/// A form of a family that was not searched for to the end, so that nothing is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GivenUp {
    /// Index of the family in the rule set.
    pub family: usize,
    /// `fused`, `split`, or `similar` where only what is near it was searched for.
    pub form: &'static str,
}

/// What a search for the chains of all fuse families comes to.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Most time first.
    pub findings: Vec<Finding>,
    /// Matches of the split forms of families that are not spoken of in this run.
    pub refused: BTreeMap<(usize, Stage), Vec<Occurrence>>,
    /// Forms whose chains cost more than they may.
    pub given_up: Vec<GivenUp>,
    /// By launch: whether it is of a kernel that no term and no link knows.
    pub unknown: Vec<bool>,
    /// By launch: whether `~>` sees through it.
    pub transparent: Vec<bool>,
}

/// The findings of all fuse families, most time first.
pub fn run(rules: &RuleSet, timeline: &Timeline, graph: &KernelGraph, classes: &Classes) -> Vec<Finding> {
    search(rules, timeline, graph, classes).findings
}

/// The findings, and what is left for [`similarity`](super::similarity).
pub fn search(rules: &RuleSet, timeline: &Timeline, graph: &KernelGraph, classes: &Classes) -> Search {
    search_by(&Compiled::new(rules), rules, timeline, graph, classes)
}

/// The same with the families of `rules` compiled before.
pub(super) fn search_by(
    compiled: &Compiled,
    rules: &RuleSet,
    timeline: &Timeline,
    graph: &KernelGraph,
    classes: &Classes,
) -> Search {
    let look = compiled.look(rules, timeline, classes);
    let all: Vec<usize> = (0..rules.families.len()).collect();
    let (mut halves, given_up) = halves(rules, timeline, graph, &look);
    let mut refused = BTreeMap::new();
    for ((family, stage), [_, split]) in &mut halves {
        if !split.is_empty() && gates::of_run(&rules.families[*family], &timeline.run, *stage).iter().any(Gate::shuts) {
            refused.insert((*family, *stage), std::mem::take(split));
        }
    }
    let unknown = timeline.launch_ids().map(|launch| look.beside(0, launch) == Tri::Yes).collect();
    let transparent = timeline.launch_ids().map(|launch| look.transparent(look.class(launch)) != Tri::No).collect();
    let findings = label(rules, timeline, findings_in(rules, &all, halves, timeline, &look, &|_| false));
    Search { findings, refused, given_up, unknown, transparent }
}

/// A kernel that no term knows, and no link that goes by names.
pub(super) fn unknown(rules: &RuleSet) -> Expr {
    let expr = |node| Expr { node, span: 0..0 };
    let terms = rules.terms.iter().filter(|term| !rules.similarity.vague.contains(&term.name));
    let mut known: Vec<Expr> = terms.map(|term| expr(ExprNode::Term(term.name.clone()))).collect();
    let forms = rules.families.iter().flat_map(|family| family.fused.iter().chain(&family.split));
    known.extend(forms.flat_map(counted_links).filter(|link| named(rules, link)).cloned());
    let kernel = expr(ExprNode::Atom(Atom::Kind(vec!["kernel".to_owned()])));
    let unknown = expr(ExprNode::Not(Box::new(expr(ExprNode::Or(known)))));
    expr(ExprNode::And(vec![kernel, unknown]))
}

fn standing(finding: &Finding, gates: &[Gate]) -> Standing {
    let mut shut = gates.iter().filter(|gate| finding.state != State::InUse && gate.answer == Tri::No).peekable();
    if finding.state != State::OffByDesign && shut.peek().is_none() {
        Standing::Open
    } else if finding.state != State::OffByDesign && shut.all(|gate| gate.effect == Effect::Uncalled) {
        Standing::Uncalled
    } else {
        Standing::Closed
    }
}

/// Labels of findings that share launches, advice, order.
fn label(rules: &RuleSet, timeline: &Timeline, findings: Vec<(Finding, Vec<Gate>)>) -> Vec<Finding> {
    let standing: Vec<Standing> = findings.iter().map(|(finding, gates)| standing(finding, gates)).collect();
    let (mut findings, gates): (Vec<Finding>, Vec<Vec<Gate>>) = findings.into_iter().unzip();
    subsume::label(rules, &mut findings, &standing);
    let in_use: BTreeSet<(Stage, &str)> = findings
        .iter()
        .filter(|finding| matches!(finding.state, State::InUse | State::Partly))
        .map(|finding| (finding.stage, rules.families[finding.family].id.as_str()))
        .collect();
    for (finding, gates) in findings.iter_mut().zip(&gates) {
        let family = &rules.families[finding.family];
        let runs = |id: &str| in_use.contains(&(finding.stage, id));
        let file = callers::model_file(family, timeline, &finding.split);
        finding.advice = advice::advice(rules, family, &timeline.run, finding.action, gates, runs, file);
    }
    findings.sort_by_key(|finding| (Reverse(time(finding)), finding.family, finding.stage));
    findings
}

/// Findings, unlabelled and without advice, each with its gates. `families` are those whose forms `look` is compiled
/// of, in its order; gates of which `granted` says so are taken to hold.
pub(super) fn findings_of(
    rules: &RuleSet,
    families: &[usize],
    timeline: &Timeline,
    graph: &KernelGraph,
    look: &Look<'_>,
    granted: &dyn Fn(&Gate) -> bool,
) -> Vec<(Finding, Vec<Gate>)> {
    findings_in(rules, families, halves(rules, timeline, graph, look).0, timeline, look, granted)
}

/// Matches of both forms, by place of the family in `look` and by stage.
type Halves = BTreeMap<(usize, Stage), [Vec<Occurrence>; 2]>;

/// The matches, and the forms that were given up. A family of which one form is not known has neither: what is split
/// might be fused.
fn halves(rules: &RuleSet, timeline: &Timeline, graph: &KernelGraph, look: &Look<'_>) -> (Halves, Vec<GivenUp>) {
    let warms_up = warms_up(timeline);
    let mut halves = Halves::new();
    let found = find(&look.compiled.program, look, graph, rules.chains.most(graph.len()));
    let given_up: Vec<GivenUp> = (found.given_up.iter())
        .map(|rule| GivenUp { family: rule / 2, form: if rule % 2 == 0 { "fused" } else { "split" } })
        .collect();
    for found in found.matches {
        if given_up.iter().any(|form| form.family == found.rule / 2) {
            continue;
        }
        let Some(first) = found.occurrence.launches.first().map(|launch| timeline.launch(*launch)) else { continue };
        if !warms_up(first) {
            halves.entry((found.rule / 2, first.stage)).or_default()[found.rule % 2].push(found.occurrence);
        }
    }
    (halves, given_up)
}

/// Whether a launch runs beside a graph capture: it warms it up and serves nobody.
pub(super) fn warms_up(timeline: &Timeline) -> impl Fn(&Launch) -> bool + use<> {
    let captures = timeline.steps.iter().any(|step| step.stage == Stage::Capture);
    move |launch| captures && launch.step.is_none() && launch.stage == Stage::All
}

fn findings_in(
    rules: &RuleSet,
    families: &[usize],
    halves: Halves,
    timeline: &Timeline,
    look: &Look<'_>,
    granted: &dyn Fn(&Gate) -> bool,
) -> Vec<(Finding, Vec<Gate>)> {
    let mut findings = Vec::new();
    for ((slot, stage), [fused, split]) in halves {
        let index = families[slot];
        let family = &rules.families[index];
        let mut gates = gates::of_run(family, &timeline.run, stage);
        grant(&mut gates, granted);
        findings
            .extend(Maker { rules, timeline, look, family, index, slot, stage, gates }.finding(fused, split, granted));
    }
    findings
}

fn time(finding: &Finding) -> Nanos {
    finding.fused.time + finding.split.time
}

fn grant(gates: &mut [Gate], granted: &dyn Fn(&Gate) -> bool) {
    for gate in gates {
        if granted(gate) {
            gate.answer = Tri::Yes;
        }
    }
}

/// Makes the finding of one family in one stage.
struct Maker<'a> {
    rules: &'a RuleSet,
    timeline: &'a Timeline,
    look: &'a Look<'a>,
    family: &'a Family,
    /// Of the family in the rule set.
    index: usize,
    /// Of the family among those that `look` is compiled of.
    slot: usize,
    stage: Stage,
    gates: Vec<Gate>,
}

impl Maker<'_> {
    fn finding(
        mut self,
        fused: Vec<Occurrence>,
        mut split: Vec<Occurrence>,
        granted: &dyn Fn(&Gate) -> bool,
    ) -> Option<(Finding, Vec<Gate>)> {
        if self.stage == Stage::Capture && !self.family.when.stages.contains(&Stage::Capture) {
            return None;
        }
        if self.gates.iter().any(Gate::shuts) {
            return None;
        }
        // What is fused is not split, whatever the split form makes of it.
        let taken: FxHashSet<LaunchId> = fused.iter().flat_map(|o| &o.launches).copied().collect();
        split.retain(|o| !o.launches.iter().any(|launch| taken.contains(launch)));
        let mut reasons = self.by_occurrence(&mut split, granted);

        let says_no = self.gates.iter().any(|gate| gate.effect == Effect::OffByDesign && gate.answer == Tri::No);
        let state = match (fused.is_empty(), split.is_empty()) {
            (true, true) => return None,
            (false, true) => State::InUse,
            (false, false) => State::Partly,
            (true, false) if says_no => State::OffByDesign,
            (true, false) => State::Split,
        };
        // What runs fused in other places is called, whatever the catalog knows.
        self.gates.retain(|gate| fused.is_empty() || gate.effect != Effect::Uncalled);
        let doubts = self.doubts(state, &fused, &split);
        let confidence = if doubts.is_empty() { Confidence::Confirmed } else { Confidence::Candidate };
        if state != State::InUse {
            let unmet = |gate: &&Gate| gate.answer == Tri::No && gate.effect == Effect::OffByDesign;
            reasons.extend(self.gates.iter().filter(unmet).map(Gate::reason));
        }
        reasons.extend(doubts);
        let inferred = fused.iter().chain(&split).filter(|o| o.inferred).count();
        if inferred > 0 {
            let all = fused.len() + split.len();
            reasons.push(format!("{inferred} of {all} go on in another stream by time alone: no wait is recorded"));
        }
        let action = advice::action(self.family, &self.timeline.run, state, &self.gates);
        let (could_save, launches_saved) =
            if action == Action::OffByDesign { (Nanos::ZERO, 0) } else { self.savings(&split) };
        let finding = Finding {
            family: self.index,
            stage: self.stage,
            state,
            confidence,
            reasons,
            fused: self.half(fused),
            split: self.half(split),
            could_save,
            launches_saved,
            action,
            advice: String::new(),
            covered_by: None,
            overlaps_with: Vec::new(),
        };
        Some((finding, std::mem::take(&mut self.gates)))
    }

    /// Asks the gates of each split occurrence. Where some say no and some do not, only these are left; where all say
    /// no, so does the family's gate. Returns what was left out.
    fn by_occurrence(&mut self, split: &mut Vec<Occurrence>, granted: &dyn Fn(&Gate) -> bool) -> Vec<String> {
        let mut reasons = Vec::new();
        let asked: Vec<Vec<Gate>> = split
            .iter()
            .map(|occurrence| {
                let mut gates = gates::of_occurrence(self.family, self.timeline, occurrence);
                grant(&mut gates, granted);
                gates
            })
            .collect();
        let no = |gates: &Vec<Gate>| gates.iter().find(|gate| gate.forbids()).cloned();
        let refused: Vec<Gate> = asked.iter().filter_map(no).collect();
        if let Some(first) = refused.first() {
            if refused.len() == split.len() {
                self.gates.push(first.clone());
                return reasons;
            }
            let reason = first.reason();
            reasons.push(format!("{} more are left out, by design: {reason}", refused.len()));
            let mut keep = asked.iter().map(|gates| no(gates).is_none());
            split.retain(|_| keep.next().unwrap_or(true));
        }
        // Of the rest, one that cannot be decided is enough.
        let mut open: Vec<Gate> = Vec::new();
        for gate in asked.into_iter().filter(|gates| no(gates).is_none()).flatten() {
            match open.iter_mut().find(|known| known.key == gate.key) {
                None => open.push(gate),
                Some(known) if gate.answer < known.answer => *known = gate,
                Some(_) => {}
            }
        }
        self.gates.extend(open);
        reasons
    }

    /// Why the finding is no more than a candidate; empty: it is confirmed.
    fn doubts(&self, state: State, fused: &[Occurrence], split: &[Occurrence]) -> Vec<String> {
        let mut doubts = Vec::new();
        let decided = state == State::OffByDesign;
        for gate in self.gates.iter().filter(|gate| gate.answer == Tri::Unknown) {
            // What runs fused needs no leave; one unmet condition is enough to be off; a later version only adds.
            let matters = match gate.effect {
                Effect::Silent => true,
                Effect::OffByDesign => state != State::InUse && !decided,
                Effect::Upgrade | Effect::Raise | Effect::Uncalled => false,
            };
            if matters {
                doubts.push(gate.reason());
            }
        }
        let unknown = fused.iter().chain(split).filter(|o| o.unknown).count();
        if unknown > 0 {
            let what = self.open_questions(fused, split);
            let all = fused.len() + split.len();
            doubts.push(format!("{unknown} of {all} rest on what this trace cannot tell{what}"));
        }
        for (word, half) in [("fused", fused), ("split", split)] {
            if !half.is_empty() {
                doubts.extend(self.recurs(half).err().map(|seen| format!("the {word} form was seen {seen}")));
            }
        }
        if self.family.origin == Origin::Inflight {
            doubts.push("the fused path is in an open pull request".to_owned());
        }
        let unmistakable = state == State::InUse && self.unmistakable(fused);
        if self.family.status == Status::Trial && !unmistakable {
            doubts.push("the family is on trial: no trace has proved it yet".to_owned());
        }
        doubts
    }

    /// Whether every counted link of the fused form names a kernel by its own name, so that a match cannot be anything
    /// else. An Inductor name lists what went into a kernel; it is no kernel's own.
    fn unmistakable(&self, fused: &[Occurrence]) -> bool {
        let compiled = |launch: &LaunchId| self.timeline.kernel(*launch).name.inductor.is_some();
        let by_compiler = fused.iter().flat_map(|occurrence| &occurrence.launches).any(compiled);
        !by_compiler && self.family.fused.as_ref().is_some_and(|chain| named_by_kernel(self.rules, chain))
    }

    fn open_questions(&self, fused: &[Occurrence], split: &[Occurrence]) -> String {
        let mut open = BTreeSet::new();
        for (form, half) in [fused, split].into_iter().enumerate() {
            let links = links_of(&self.look.compiled.program, self.slot * 2 + form);
            for occurrence in half.iter().filter(|o| o.unknown) {
                for launch in occurrence.launches.iter().chain(&occurrence.context) {
                    open.extend(self.look.doubts(*launch, &links, false));
                }
                for launch in &occurrence.transparent {
                    open.extend(self.look.doubts(*launch, &[], true));
                }
                if open.len() > 3 {
                    break;
                }
            }
        }
        match open.len() {
            0 => String::new(),
            _ => format!(": {}", open.into_iter().take(3).collect::<Vec<_>>().join(", ")),
        }
    }

    /// Whether occurrences come as often as `per` says; else how often they do.
    fn recurs(&self, half: &[Occurrence]) -> Result<(), String> {
        let mut by_step: BTreeMap<Option<StepId>, usize> = BTreeMap::new();
        for occurrence in half {
            let step = occurrence.launches.first().and_then(|launch| self.timeline.launch(*launch).step);
            *by_step.entry(step).or_default() += 1;
        }
        let steps: Vec<(StepId, bool)> = (0..self.timeline.steps.len() as u32)
            .map(StepId)
            .zip(&self.timeline.steps)
            .filter(|(_, step)| step.stage == self.stage)
            .map(|(id, step)| (id, step.whole))
            .collect();
        let times = |n: usize| if n == 1 { "once".to_owned() } else { format!("{n} times") };
        match self.family.per {
            Per::Request => Ok(()),
            Per::Layer => {
                // Launches that no step encloses are counted together.
                let most = by_step.values().copied().max().unwrap_or(0);
                let all = half.len();
                match (most >= 2, by_step.len()) {
                    (true, _) => Ok(()),
                    (false, 0 | 1) => Err(format!("{} only; in every layer is expected", times(all))),
                    (false, _) => Err("no more than once in a step; in every layer is expected".to_owned()),
                }
            }
            Per::Step => {
                let whole: Vec<StepId> = steps.iter().filter(|(_, whole)| *whole).map(|(id, _)| *id).collect();
                let asked = if whole.is_empty() { steps.iter().map(|(id, _)| *id).collect() } else { whole };
                let seen = asked.iter().filter(|id| by_step.contains_key(&Some(**id))).count();
                if seen == asked.len() {
                    return Ok(());
                }
                Err(format!("in {seen} of {} steps; in every step is expected", asked.len()))
            }
        }
    }

    /// An estimate: each occurrence becomes as long as its longest kernel, and as few launches as the fused form has.
    fn savings(&self, split: &[Occurrence]) -> (Nanos, u64) {
        let fused = self.family.fused.as_ref().map_or(1, fewest_counted).max(1);
        let mut saved = (Nanos::ZERO, 0);
        for occurrence in split {
            let dur = |launch: &LaunchId| self.timeline.launch(*launch).dur;
            let all: Nanos = occurrence.launches.iter().chain(&occurrence.transparent).map(dur).sum();
            let longest = occurrence.launches.iter().map(dur).max().unwrap_or(Nanos::ZERO);
            saved.0 += all - longest;
            let launches = (occurrence.launches.len() + occurrence.transparent.len()) as u64;
            saved.1 += launches.saturating_sub(fused);
        }
        saved
    }

    fn half(&self, occurrences: Vec<Occurrence>) -> Half {
        let sum = |of: &dyn Fn(&Occurrence) -> &Vec<LaunchId>| {
            occurrences.iter().flat_map(of).map(|launch| self.timeline.launch(*launch).dur).sum()
        };
        Half { time: sum(&|o| &o.launches), transparent: sum(&|o| &o.transparent), occurrences }
    }
}

/// Whether every counted link rests on the kernel's name and template arguments alone.
fn named_by_kernel(rules: &RuleSet, chain: &Chain) -> bool {
    match &chain.node {
        ChainNode::Link(expr) => named(rules, expr),
        ChainNode::Any => false,
        ChainNode::Seq(first, rest) => {
            named_by_kernel(rules, first) && rest.iter().all(|(_, part)| named_by_kernel(rules, part))
        }
        ChainNode::Alt(parts) | ChainNode::Both(parts) => parts.iter().all(|part| named_by_kernel(rules, part)),
        ChainNode::Repeat { inner, .. } => named_by_kernel(rules, inner),
        ChainNode::Context(_) => true,
    }
}

fn named(rules: &RuleSet, expr: &Expr) -> bool {
    match &expr.node {
        ExprNode::Atom(atom) => matches!(atom, Atom::Name(_) | Atom::Inductor(_)),
        ExprNode::Term(word) => {
            rules.terms.iter().find(|term| term.name == *word).is_some_and(|term| named(rules, &term.expr))
        }
        // What narrows a name leaves it a name.
        ExprNode::And(parts) => parts.iter().any(|part| named(rules, part)),
        ExprNode::Or(parts) => parts.iter().all(|part| named(rules, part)),
        ExprNode::Not(_) => false,
    }
}

#[cfg(test)]
mod tests;
