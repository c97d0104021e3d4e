//! Why a family shows the row it shows, or none: gates and how each was decided, occurrences, or the nearest miss.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::family_test::outcome_word;
use super::gates::{self, Gate};
use super::look::{Compiled, patterns};
use super::miss::{Miss, nearest};
use super::overlap::{Ground, Matcher};
use super::run::findings_of;
use super::{Classes, Finding, Occurrence, Overlap, Predicates, Tri};
use crate::attribution::{LaunchId, Stage, Timeline};
use crate::graph::KernelGraph;
use crate::kernel_name::shorten;
use crate::plain;
use crate::rules::{RuleSet, print_chain, print_overlap};
use crate::units::Nanos;

/// How many occurrences are shown.
const SHOWN: usize = 3;

/// How much of a kernel's name is shown; names of GEMMs have hundreds of characters.
const NAME_COLUMNS: usize = 60;

/// A family on a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Index of the family in the rule set.
    pub family: usize,
    /// Gates of each stage that has launches.
    pub stages: Vec<(Stage, Vec<Gate>)>,
    /// Its forms.
    pub forms: Vec<Form>,
    /// The rows that come of it, before rows of other families are looked at.
    pub findings: Vec<Finding>,
    /// Of an overlap family, what its sides come to in each stage that has the first one.
    pub overlaps: Vec<Sides>,
}

/// What the sides of an overlap come to in one stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sides {
    /// Stage.
    pub stage: Stage,
    /// `exposed`, `hidden`, `no_partner`.
    pub outcome: &'static str,
    /// The row.
    pub row: Option<Overlap>,
}

/// One form of the family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// `fused` or `split`.
    pub name: &'static str,
    /// Its chain as text.
    pub chain: String,
    /// All its matches, whatever the gates say.
    pub matches: usize,
    /// The first of them.
    pub first: Vec<Occurrence>,
    /// Whether it was not searched for to the end.
    pub given_up: bool,
    /// How near it came when nothing matched.
    pub miss: Option<Miss>,
}

/// The family of an id, old ids included.
pub fn family_of(rules: &RuleSet, id: &str) -> Option<usize> {
    let known = |is: &dyn Fn(&crate::rules::Family) -> bool| rules.families.iter().position(is);
    known(&|family| family.id == id).or_else(|| known(&|family| family.aliases.iter().any(|alias| alias == id)))
}

/// Looks at one family alone.
pub fn explain(
    rules: &RuleSet,
    timeline: &Timeline,
    graph: &KernelGraph,
    classes: &Classes,
    family: usize,
) -> Explanation {
    let of = &rules.families[family];
    let patterns = patterns(of);
    let compiled = Compiled::of(Predicates::new(rules), rules, &patterns);
    let look = compiled.look(rules, timeline, classes);
    let mut found: [Vec<Occurrence>; 2] = [Vec::new(), Vec::new()];
    let all = super::find(&compiled.program, &look, graph, rules.chains.most(graph.len()));
    for one in all.matches {
        found[one.rule].push(one.occurrence);
    }
    let forms = ["fused", "split"]
        .into_iter()
        .zip(&patterns)
        .zip(found)
        .enumerate()
        .filter_map(|(rule, ((name, pattern), found))| {
            let pattern = pattern.as_ref()?;
            let given_up = all.given_up.contains(&rule);
            let miss =
                if found.is_empty() && !given_up { nearest(rules, timeline, graph, classes, pattern) } else { None };
            let matches = found.len();
            let first = found.into_iter().take(SHOWN).collect();
            Some(Form { name, chain: print_chain(pattern.chain), given_up, matches, first, miss })
        })
        .collect();
    let stages: BTreeSet<Stage> = timeline.launches.iter().map(|launch| launch.stage).collect();
    let stages = stages.into_iter().map(|stage| (stage, gates::of_run(of, &timeline.run, stage))).collect();
    let findings = findings_of(rules, &[family], timeline, graph, &look, &|_| false);
    Explanation {
        family,
        stages,
        forms,
        findings: findings.into_iter().map(|(finding, _)| finding).collect(),
        overlaps: sides(rules, timeline, graph, classes, family),
    }
}

fn sides(rules: &RuleSet, timeline: &Timeline, graph: &KernelGraph, classes: &Classes, family: usize) -> Vec<Sides> {
    let exposure = super::exposure(timeline, classes, rules.overlap.same_stream_min());
    let ground = Ground::new(rules, timeline, graph, classes, &exposure);
    let found = Matcher::of(Predicates::new(rules), rules, &[family]).find(&ground, &|_| false, true);
    (found.into_iter())
        .map(|found| Sides { stage: found.stage, outcome: outcome_word(found.outcome), row: found.row })
        .collect()
}

impl Explanation {
    /// For people.
    pub fn text(&self, rules: &RuleSet, timeline: &Timeline) -> String {
        let family = &rules.families[self.family];
        let mut out = format!("{}  {}\n", family.id, plain::clean(&family.title));
        self.write(rules, timeline, &mut out).unwrap_or_default();
        out
    }

    fn write(&self, rules: &RuleSet, timeline: &Timeline, out: &mut String) -> std::fmt::Result {
        let family = &rules.families[self.family];
        writeln!(out, "\nGates")?;
        let mut shown: Vec<&Gate> = Vec::new();
        for (stage, gates) in &self.stages {
            for gate in gates.iter().filter(|gate| !shown.contains(gate)).collect::<Vec<_>>() {
                let answer = match gate.answer {
                    Tri::Yes => "yes",
                    Tri::No => "no",
                    Tri::Unknown => "unknown",
                };
                let of = if gate.key == "stages" { format!(" [{}]", stage.id()) } else { String::new() };
                let ask = match (gate.answer, gate.ask) {
                    (Tri::Yes, _) | (_, None) => String::new(),
                    (_, Some(ask)) if gate.found == "unknown" => format!(", {ask}"),
                    _ => String::new(),
                };
                let said = format!("{}{of}: {}{ask}", gate.wants, gate.found);
                writeln!(out, "  {answer:<8} {}", plain::clean(&said))?;
                shown.push(gate);
            }
        }
        let asked = [
            ("tokens", family.when.tokens.is_some() || !family.when.token_limits.is_empty()),
            ("message_bytes", family.when.message_bytes.is_some()),
            ("message_limits", !family.when.message_limits.is_empty()),
        ];
        for (key, asks) in asked {
            if asks {
                writeln!(out, "  {:<8} {key}: asked of each occurrence", "")?;
            }
        }
        if shown.is_empty() {
            writeln!(out, "  none")?;
        }
        for (name, chain) in [("after", &family.after), ("before", &family.before)] {
            if let Some(chain) = chain {
                writeln!(out, "\n{name}: {}", print_chain(chain))?;
            }
        }
        for form in &self.forms {
            writeln!(out, "\n{}: {}", form.name, form.chain)?;
            if form.given_up {
                writeln!(
                    out,
                    "  given up: this chain costs more steps here than `chains:` of rules/graph.yaml allows"
                )?;
                continue;
            }
            let plural = if form.matches == 1 { "" } else { "es" };
            writeln!(out, "  {} match{plural}", form.matches)?;
            for occurrence in &form.first {
                write_occurrence(timeline, occurrence, out)?;
            }
            if let Some(miss) = &form.miss {
                write_miss(timeline, miss, out)?;
            }
        }
        if let Some(clause) = &family.overlap {
            writeln!(out, "\noverlap: {}", print_overlap(clause))?;
            for sides in &self.overlaps {
                writeln!(out, "\n{}: {}", sides.stage.title(), sides.outcome)?;
                let Some(row) = &sides.row else { continue };
                writeln!(out, "  {} in {} launches, risk {}", row.time, row.launches.len(), row.risks.worst().id())?;
                for reason in &row.reasons {
                    writeln!(out, "  {}", plain::clean(reason))?;
                }
                for launch in row.launches.iter().take(SHOWN) {
                    write_launch(timeline, *launch, "", out)?;
                }
            }
            if self.overlaps.is_empty() {
                let closed = self.stages.iter().flat_map(|(_, gates)| gates).find(|gate| gate.answer == Tri::No);
                let why = closed.map_or("nothing stands surely on the first side".to_owned(), Gate::reason);
                writeln!(out, "\nNo row: {}.", plain::clean(&why))?;
            }
            return Ok(());
        }
        for finding in &self.findings {
            writeln!(out, "\n{}: {}, {}", finding.stage.title(), finding.state.id(), finding.confidence.id())?;
            for reason in &finding.reasons {
                writeln!(out, "  {}", plain::clean(reason))?;
            }
        }
        if self.findings.is_empty() {
            let closed = self.stages.iter().flat_map(|(_, gates)| gates).find(|gate| gate.shuts());
            let matched = self.forms.iter().any(|form| form.matches > 0);
            match (matched, closed) {
                (false, _) if self.forms.iter().any(|form| form.given_up) => {
                    writeln!(out, "\nNo row: the search was given up.")?;
                }
                (false, _) => writeln!(out, "\nNo row: nothing matched.")?,
                (true, Some(gate)) => writeln!(out, "\nNo row: {}.", plain::clean(&gate.reason()))?,
                (true, None) => writeln!(out, "\nNo row: a graph capture is no forward pass.")?,
            }
        }
        Ok(())
    }
}

fn write_occurrence(timeline: &Timeline, occurrence: &Occurrence, out: &mut String) -> std::fmt::Result {
    let mut all: Vec<(LaunchId, &str)> = Vec::new();
    all.extend(occurrence.launches.iter().map(|launch| (*launch, "")));
    all.extend(occurrence.transparent.iter().map(|launch| (*launch, "  seen through")));
    all.extend(occurrence.context.iter().map(|launch| (*launch, "  not counted")));
    all.sort_unstable();
    let Some((first, _)) = all.first() else { return Ok(()) };
    let total: Nanos = occurrence.launches.iter().map(|launch| timeline.launch(*launch).dur).sum();
    let begin = timeline.launch(*first);
    let step = begin.step.map_or(String::new(), |step| format!(", step {}", step.0));
    let unknown = if occurrence.unknown { ", through an unknown" } else { "" };
    let inferred = if occurrence.inferred { ", over streams by time" } else { "" };
    writeln!(out, "  {}{step}, {total}{unknown}{inferred}", begin.stage.title())?;
    for (launch, role) in all {
        write_launch(timeline, launch, role, out)?;
    }
    Ok(())
}

fn write_launch(timeline: &Timeline, launch: LaunchId, role: &str, out: &mut String) -> std::fmt::Result {
    let name = plain::clean(&shorten(&[&timeline.kernel(launch).name], NAME_COLUMNS).concat());
    let of = timeline.launch(launch);
    let stream = timeline.streams.get(of.stream.0 as usize).map_or(0, |stream| stream.number);
    let site = timeline.context(launch).site.map_or(String::new(), |site| format!("  {}", timeline.strings.get(site)));
    writeln!(out, "    {:>9}  stream {stream}  {name}{role}{}", of.dur.human(), plain::clean(&site))
}

fn write_miss(timeline: &Timeline, miss: &Miss, out: &mut String) -> std::fmt::Result {
    let times = if miss.times > 1 { format!(" ({} times alike)", miss.times) } else { String::new() };
    writeln!(out, "  nearest miss{times}: {}", plain::clean(&miss.words(timeline)))?;
    for launch in &miss.matched {
        write_launch(timeline, *launch, "", out)?;
    }
    match miss.stood {
        Some(stood) => write_launch(timeline, stood, "  <- stood there instead", out),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
