//! A pair of runs: figures of the formal trace, places of the mapping trace. Launches are tied step by step, by the
//! order of equal kernels; between two ties by category and by the aliases of `rules/mapping.yaml`.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::align::align;
use super::predicate::{Answers, Predicates};
use super::{Action, Classes, Finding, State, Tri};
use crate::attribution::{Known, LaunchId, Run, Stage, StepId, Timeline};
use crate::rules::{Mapping, RuleSet};
use crate::trace::GpuKind;

/// Positions of one sequence and of its counterpart that are tied.
type Tied = Vec<(usize, usize)>;

/// One trace of a pair.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// Its launches.
    pub timeline: &'a Timeline,
    /// The category of each.
    pub classes: &'a Classes,
}

/// Counterparts of a formal trace.
#[derive(Clone, Debug, Default)]
pub struct Ties {
    /// For each mapping trace: formal launch, mapping launch, in formal order.
    pub of: Vec<Vec<(LaunchId, LaunchId)>>,
    /// Stages of the formal trace that no mapping trace has, with the stage that stood in.
    pub borrowed: Vec<(Stage, Stage)>,
}

/// What the two runs must have in common and have not, in words; unknown is no difference.
pub fn unlike(formal: &Run, mapping: &Run) -> Vec<String> {
    let mut words = Vec::new();
    let mut differ = |what: &str, formal: Option<String>, mapping: Option<String>, same: bool| {
        if let (Some(formal), Some(mapping), false) = (formal, mapping, same) {
            words.push(format!("{what} is {mapping} in the mapping trace and {formal} in the formal trace"));
        }
    };
    let text = |known: &Option<Known<String>>| known.as_ref().map(|known| known.value.clone());
    let (a, b) = (text(&formal.framework), text(&mapping.framework));
    differ("the framework", a.clone(), b.clone(), a == b);
    let (a, b) = (text(&formal.model), text(&mapping.model));
    let same = a.as_deref().zip(b.as_deref()).is_none_or(|(a, b)| same_model(a, b));
    differ("the model", a, b, same);
    let number = |run: &Run| run.tp.as_ref().map(|tp| tp.value.to_string());
    let (a, b) = (number(formal), number(mapping));
    differ("TP", a.clone(), b.clone(), a == b);
    words
}

/// Model names in many spellings: a path, a file of the model, a class. One holds the other.
fn same_model(a: &str, b: &str) -> bool {
    let plain = |text: &str| -> String {
        let last = text.trim_end_matches('/').rsplit('/').next().unwrap_or(text);
        last.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let (a, b) = (plain(a), plain(b));
    a.contains(&b) || b.contains(&a)
}

/// Facts of the server that the formal trace does not tell and the mapping trace does.
pub fn facts(formal: &mut Run, mapping: &Run) {
    let told = |source: &str| format!("mapping trace: {source}");
    for (ours, theirs) in [
        (&mut formal.framework, &mapping.framework),
        (&mut formal.framework_version, &mapping.framework_version),
        (&mut formal.model, &mapping.model),
        (&mut formal.hardware, &mapping.hardware),
        (&mut formal.vendor, &mapping.vendor),
        (&mut formal.arch, &mapping.arch),
    ] {
        if let (None, Some(known)) = (&ours, theirs) {
            *ours = Some(Known { value: known.value.clone(), source: told(&known.source) });
        }
    }
    if let (None, Some(known)) = (&formal.tp, &mapping.tp) {
        formal.tp = Some(Known { value: known.value, source: told(&known.source) });
    }
}

/// The launches of one step, or those of a stage outside all steps.
struct Sequence {
    side: usize,
    stage: Stage,
    step: Option<StepId>,
    whole: bool,
    launches: Vec<LaunchId>,
}

fn sequences(timeline: &Timeline, side: usize) -> Vec<Sequence> {
    let mut by_key: BTreeMap<(Stage, Option<StepId>), Vec<LaunchId>> = BTreeMap::new();
    for id in timeline.launch_ids() {
        let launch = timeline.launch(id);
        by_key.entry((launch.stage, launch.step)).or_default().push(id);
    }
    (by_key.into_iter())
        .map(|((stage, step), launches)| {
            let whole = step.is_some_and(|step| timeline.steps[step.0 as usize].whole);
            Sequence { side, stage, step, whole, launches }
        })
        .collect()
}

/// Numbers of distinct kernels over both traces.
#[derive(Default)]
struct Tokens<'a> {
    known: FxHashMap<(GpuKind, &'a str), u32>,
}

impl<'a> Tokens<'a> {
    fn of(&mut self, side: Side<'a>, launches: &[LaunchId]) -> Vec<u32> {
        (launches.iter())
            .map(|launch| {
                let kernel = side.timeline.kernel(*launch);
                let next = self.known.len() as u32;
                *self.known.entry((kernel.kind, kernel.name.identifier.as_str())).or_insert(next)
            })
            .collect()
    }
}

/// Ties every launch of `formal` that has a counterpart in one of `mapping`.
pub fn ties(rules: &RuleSet, formal: Side<'_>, mapping: &[Side<'_>]) -> Ties {
    let mut predicates = Predicates::new(rules);
    let aliases: Vec<_> =
        rules.mapping.aliases.iter().map(|a| (predicates.add(&a.formal), predicates.add(&a.mapping))).collect();
    let answer = |side: &Side<'_>| -> Vec<Vec<bool>> {
        let answers: Answers<'_> = predicates.answer(side.timeline, &rules.names, Some(side.classes));
        let yes = |id, launch| answers.plain(id, launch) == Tri::Yes;
        (side.timeline.launch_ids())
            .map(|launch| aliases.iter().flat_map(|(a, b)| [yes(*a, launch), yes(*b, launch)]).collect())
            .collect()
    };
    let formal_aliases = answer(&formal);
    let mapping_aliases: Vec<_> = mapping.iter().map(answer).collect();

    let theirs: Vec<Sequence> = mapping.iter().enumerate().flat_map(|(n, side)| sequences(side.timeline, n)).collect();
    let mut out = Ties { of: vec![Vec::new(); mapping.len()], borrowed: Vec::new() };
    let mut tokens = Tokens::default();
    let mut known: FxHashMap<(usize, Vec<u32>), Tied> = FxHashMap::default();
    for ours in sequences(formal.timeline, 0) {
        let Some(best) = counterpart(&ours, &theirs) else { continue };
        let other = &theirs[best];
        if ours.stage != other.stage && !out.borrowed.contains(&(ours.stage, other.stage)) {
            out.borrowed.push((ours.stage, other.stage));
        }
        let key = (best, tokens.of(formal, &ours.launches));
        let pairs = known.entry(key.clone()).or_insert_with(|| {
            let b = tokens.of(mapping[other.side], &other.launches);
            let aligner = Aligner {
                settings: &rules.mapping,
                a: Line { side: formal, launches: &ours.launches, aliases: &formal_aliases },
                b: Line { side: mapping[other.side], launches: &other.launches, aliases: &mapping_aliases[other.side] },
            };
            aligner.pairs(&key.1, &b)
        });
        out.of[other.side].extend(pairs.iter().map(|&(i, j)| (ours.launches[i], other.launches[j])));
    }
    out.of.iter_mut().for_each(|ties| ties.sort_unstable());
    out
}

/// The step to look at: of the same stage, else of any; inside steps only what is inside; whole before cut; the one with
/// most launches, the first of equals.
fn counterpart(ours: &Sequence, theirs: &[Sequence]) -> Option<usize> {
    (theirs.iter().enumerate())
        .filter(|(_, other)| other.stage == ours.stage || other.step.is_some() == ours.step.is_some())
        .max_by_key(|(n, other)| {
            let like = (other.stage == ours.stage, other.step.is_some() == ours.step.is_some());
            (like, other.whole, other.launches.len(), std::cmp::Reverse(*n))
        })
        .map(|(n, _)| n)
}

/// One side of an alignment.
struct Line<'a> {
    side: Side<'a>,
    launches: &'a [LaunchId],
    /// By launch of the timeline: of each alias whether it is the formal one, whether it is the mapping one.
    aliases: &'a [Vec<bool>],
}

impl Line<'_> {
    fn category(&self, at: usize) -> &str {
        self.side.classes.name_of(self.launches[at])
    }

    fn alias(&self, at: usize, n: usize) -> bool {
        self.aliases[self.launches[at].0 as usize][n]
    }
}

struct Aligner<'a> {
    settings: &'a Mapping,
    a: Line<'a>,
    b: Line<'a>,
}

impl Aligner<'_> {
    fn pairs(&self, a: &[u32], b: &[u32]) -> Vec<(usize, usize)> {
        // Kernels chosen by shape are no anchors: one name may serve other places at another batch size.
        let anchors = |line: &Line<'_>, tokens: &[u32]| -> Vec<(usize, u32)> {
            let alike = |at: &usize| self.settings.alike.iter().any(|category| category == line.category(*at));
            (0..tokens.len()).filter(|at| !alike(at)).map(|at| (at, tokens[at])).collect()
        };
        let (left, right) = (anchors(&self.a, a), anchors(&self.b, b));
        let only = |anchors: &[(usize, u32)]| -> Vec<u32> { anchors.iter().map(|(_, token)| *token).collect() };
        let pairs: Vec<(usize, usize)> = align(&only(&left), &only(&right), self.settings.max_pairs)
            .into_iter()
            .map(|(i, j)| (left[i].0, right[j].0))
            .collect();
        let near = |p: (usize, usize), q: (usize, usize)| {
            p.0.abs_diff(q.0) <= self.settings.reach && p.1.abs_diff(q.1) <= self.settings.reach
        };
        let stands = |n: usize| {
            let before = n.checked_sub(1).is_some_and(|m| near(pairs[m], pairs[n]));
            before || pairs.get(n + 1).is_some_and(|next| near(*next, pairs[n]))
        };
        let pairs: Vec<(usize, usize)> = (0..pairs.len()).filter(|n| stands(*n)).map(|n| pairs[n]).collect();
        let mut all = pairs.clone();
        if !pairs.is_empty() {
            let mut from = (0, 0);
            for to in pairs.iter().copied().chain([(a.len(), b.len())]) {
                self.fill(from, to, a, b, &mut all);
                from = (to.0 + 1, to.1 + 1);
            }
        }
        all.sort_unstable();
        all
    }

    /// Ties what stands between two ties.
    fn fill(&self, from: (usize, usize), to: (usize, usize), a: &[u32], b: &[u32], all: &mut Vec<(usize, usize)>) {
        let (ours, theirs) = (from.0..to.0, from.1..to.1);
        if ours.len().max(theirs.len()) > self.settings.max_gap || ours.is_empty() {
            return;
        }
        for category in &self.settings.alike {
            let left: Vec<usize> = ours.clone().filter(|at| self.a.category(*at) == category).collect();
            let right: Vec<usize> = theirs.clone().filter(|at| self.b.category(*at) == category).collect();
            if left.len() == right.len() {
                all.extend(left.into_iter().zip(right));
            } else {
                // Unlike numbers: only what has one and the same name.
                let same = |i: &usize| right.iter().filter(|j| b[**j] == a[*i]).count() == 1;
                let once = |i: &usize| left.iter().filter(|other| a[**other] == a[*i]).count() == 1;
                for i in left.iter().copied().filter(|i| same(i) && once(i)) {
                    all.extend(right.iter().find(|j| b[**j] == a[i]).map(|j| (i, *j)));
                }
            }
        }
        for at in ours {
            if all.iter().rev().any(|(i, _)| *i == at) {
                continue;
            }
            let found = (0..self.settings.aliases.len())
                .filter(|alias| self.a.alias(at, 2 * alias))
                .find_map(|alias| theirs.clone().find(|j| self.b.alias(*j, 2 * alias + 1)));
            all.extend(found.map(|j| (at, j)));
        }
    }
}

/// Marks the formal findings whose family is in the other state in the mapping trace, in the same stage.
pub fn compare(formal: &mut [Finding], mapping: &[&[Finding]]) {
    for finding in formal {
        let theirs: Vec<State> = (mapping.iter().copied().flatten())
            .filter(|other| other.family == finding.family && other.stage == finding.stage)
            .map(|other| other.state)
            .collect();
        let all = |state: State| !theirs.is_empty() && theirs.iter().all(|other| *other == state);
        let words = match finding.state {
            State::Split if all(State::InUse) => {
                finding.action = Action::Regressed;
                "fused in the mapping trace, split here"
            }
            State::InUse if all(State::Split) => {
                finding.action = Action::NewlyFused;
                "split in the mapping trace, fused here"
            }
            _ => continue,
        };
        let rest = if finding.advice.is_empty() { String::new() } else { format!("; {}", finding.advice) };
        finding.advice = format!("{words}{rest}");
    }
}

#[cfg(test)]
mod tests;
