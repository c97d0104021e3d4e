//! Launches that no row explains, against the families they come near to.
//!
//! The chains of all families are looked for once more with links left open (`variants.rs`), what is found is scored by
//! independent cues (`judge.rs`), and the best that clears a bar of `rules/similarity.yaml` is the note. Runs of
//! launches that are near nothing are candidates for a family of their own (`candidates.rs`).

mod candidates;
mod explain;
mod judge;
mod variants;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::automaton::find;
use super::chain::Pattern;
use super::gates;
use super::look::Compiled;
use super::run::warms_up;
use super::{Classes, Occurrence, Predicates, Search, Tri};
use crate::attribution::{KernelId, LaunchId, Stage, Timeline};
use crate::graph::KernelGraph;
use crate::rules::{Family, FamilyKind, Origin, RuleSet, Status, fewest_counted};
use crate::units::{self, Nanos};
use judge::{Asked, Judge, Sight};
use variants::Variant;

pub use candidates::Candidate;

/// How sure a note is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Only places are alike.
    Low,
    /// The chain of another framework, or one with little support.
    Medium,
    /// The chain is known but for one kernel.
    High,
}

impl Level {
    /// The word in output.
    pub fn id(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// What of a family was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nearness {
    /// Its chain with one unknown kernel.
    Open,
    /// Unknown kernels at the places of its chain.
    Places,
    /// Its whole chain, in another framework.
    Elsewhere,
}

/// What similarity rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CueKind {
    /// Known links, of all links.
    Chain,
    /// Python frames.
    Sites,
    /// CPU ops.
    Ops,
    /// Tensor parallelism.
    Tp,
    /// Recurrence, modules, model.
    Model,
}

/// What one cue says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cue {
    /// Which.
    pub kind: CueKind,
    /// As it is called in output.
    pub title: String,
    /// Its part of the score.
    pub weight: u32,
    /// So many of so many; none: it cannot speak.
    pub of: Option<(u32, u32)>,
}

/// Something near a family.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    /// Index of the family in the rule set.
    pub family: usize,
    /// Stage.
    pub stage: Stage,
    /// Near its fused form; else its split form.
    pub fused: bool,
    /// What was found.
    pub nearness: Nearness,
    /// The link that an unknown kernel stands for.
    pub link: Option<String>,
    /// Launches of the first time, in order.
    pub launches: Vec<LaunchId>,
    /// Launches of every time.
    pub every: Vec<LaunchId>,
    /// Those among them that no term knows.
    pub open: Vec<LaunchId>,
    /// How often it is there without a row that explains it.
    pub occurrences: usize,
    /// Time of all of them.
    pub time: Nanos,
    /// The same of the stage's GPU time.
    pub share_pct: f64,
    /// What the score is made of; empty where it would change nothing.
    pub cues: Vec<Cue>,
    /// From 0 to 100; 0 without cues.
    pub score: u32,
    /// The level it clears; none: why not stands in `lost`.
    pub level: Option<Level>,
    /// Why it is no note.
    pub lost: Option<String>,
}

/// What launches without a row are similar to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Similarity {
    /// Best first, one a family and stage; the first is the note when it has a level.
    pub sightings: Vec<Sighting>,
    /// Runs near nothing, most time first.
    pub candidates: Vec<Candidate>,
    /// Families that were not searched for to the end, by index: what is near them cost more than it may.
    pub given_up: Vec<usize>,
}

impl Similarity {
    /// The sighting that is the note.
    pub fn note(&self) -> Option<&Sighting> {
        self.sightings.first().filter(|sighting| sighting.level.is_some())
    }
}

/// How a family stands to the run in one stage.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// Its conditions hold, or nobody knows.
    Own,
    /// It is of another framework, and all else holds.
    Elsewhere,
    /// It has no part in this run.
    None,
}

fn relation(family: &Family, timeline: &Timeline, stage: Stage) -> Relation {
    if family.kind != FamilyKind::Fuse || family.status == Status::Retired || stage == Stage::Capture {
        return Relation::None;
    }
    let gates = gates::of_run(family, &timeline.run, stage);
    let mut no = gates.iter().filter(|gate| gate.answer == Tri::No && !gate.keeps_the_row()).peekable();
    match (no.peek().is_none(), no.all(|gate| gate.key == "frameworks")) {
        (true, _) => Relation::Own,
        (false, true) => Relation::Elsewhere,
        (false, false) => Relation::None,
    }
}

/// Looks at all that no row explains.
pub fn similar(
    rules: &RuleSet,
    timeline: &Timeline,
    graph: &KernelGraph,
    classes: &Classes,
    search: &Search,
) -> Similarity {
    let ground = Ground::new(rules, timeline, classes, search);
    let mut sights: Vec<Sight> = Vec::new();
    for ((family, stage), occurrences) in &search.refused {
        let chain = rules.families[*family].split.as_ref();
        let sure: Vec<Occurrence> = occurrences.iter().filter(|occurrence| !occurrence.unknown).cloned().collect();
        // One kernel is no chain.
        if !sure.is_empty()
            && chain.is_some_and(|chain| fewest_counted(chain) > 1)
            && relation(&rules.families[*family], timeline, *stage) == Relation::Elsewhere
        {
            sights.push(Sight::new(&ground, *family, *stage, false, None, sure));
        }
    }
    let (mut sightings, mut given_up) = (Vec::new(), BTreeSet::new());
    let variants = if ground.strange() { variants(rules, timeline, &ground) } else { Vec::new() };
    let patterns: Vec<Option<Pattern<'_>>> = variants.iter().map(|variant| Some(variant.pattern(rules))).collect();
    let forms = variants.iter().map(|variant| (variant.family, variant.fused));
    let asked = Asked::new(rules, forms.chain(sights.iter().filter(|sight| sight.lost.is_none()).map(Sight::form)));
    if asked.exprs.is_empty() {
        sightings.extend(sights.into_iter().map(|sight| sight.unscored(&ground)));
    } else {
        let compiled =
            Compiled::with(Predicates::new(rules), rules, &patterns, &[variants::unknown(rules)], &asked.exprs);
        let look = compiled.look(rules, timeline, classes);
        let mut found: BTreeMap<(usize, Stage), Vec<Occurrence>> = BTreeMap::new();
        let warms_up = warms_up(timeline);
        let all = find(&compiled.program, &look, graph, rules.chains.most(graph.len()));
        given_up.extend(all.given_up.iter().map(|rule| variants[*rule].family));
        for one in all.matches {
            let Some(first) = one.occurrence.launches.first().map(|launch| timeline.launch(*launch)) else { continue };
            // A chain without an unknown kernel is the family itself, or what its gates refused; one is enough to doubt.
            let has_unknown = one.occurrence.launches.iter().any(|launch| ground.is_unknown(*launch));
            if has_unknown && !one.occurrence.unknown && !warms_up(first) {
                found.entry((one.rule, first.stage)).or_default().push(one.occurrence);
            }
        }
        for ((rule, stage), occurrences) in found {
            let Variant { family, fused, ref open, .. } = variants[rule];
            if relation(&rules.families[family], timeline, stage) == Relation::Own {
                sights.push(Sight::new(&ground, family, stage, fused, Some(open), occurrences));
            }
        }
        let judge = Judge { ground: &ground, asked: &asked, look: &look };
        sightings.extend(sights.into_iter().map(|sight| judge.sighting(sight)));
    }
    sightings.sort_by_key(|sighting| rank(rules, sighting));
    let mut seen = BTreeSet::new();
    sightings.retain(|sighting| seen.insert((sighting.family, sighting.stage)));
    let candidates = candidates::candidates(&ground, graph, &sightings);
    Similarity { sightings, candidates, given_up: given_up.into_iter().collect() }
}

/// The surest first; of these what can be had today; then the score, the time, the family.
fn rank(rules: &RuleSet, sighting: &Sighting) -> impl Ord + use<> {
    let origin = match rules.families[sighting.family].origin {
        Origin::Mainline => 0,
        Origin::Upstream => 1,
        Origin::Inflight => 2,
    };
    (
        Reverse(sighting.level),
        origin,
        Reverse(sighting.score),
        Reverse(sighting.time),
        sighting.family,
        sighting.stage,
        sighting.fused,
        sighting.nearness,
    )
}

fn variants(rules: &RuleSet, timeline: &Timeline, ground: &Ground) -> Vec<Variant> {
    let is_own = |family| ground.stages.keys().any(|stage| relation(family, timeline, *stage) == Relation::Own);
    let own = rules.families.iter().enumerate().filter(|(_, family)| is_own(family));
    own.flat_map(|(index, family)| variants::near(index, family, &rules.similarity.roles)).collect()
}

/// What all of the room look at.
struct Ground<'a> {
    rules: &'a RuleSet,
    timeline: &'a Timeline,
    classes: &'a Classes,
    search: &'a Search,
    /// By launch, a family whose row explains it.
    explained: Vec<Option<usize>>,
    /// GPU time of the stages.
    stages: BTreeMap<Stage, Nanos>,
}

impl<'a> Ground<'a> {
    fn new(rules: &'a RuleSet, timeline: &'a Timeline, classes: &'a Classes, search: &'a Search) -> Self {
        let mut stages: BTreeMap<Stage, Nanos> = BTreeMap::new();
        for launch in &timeline.launches {
            *stages.entry(launch.stage).or_default() += launch.dur;
        }
        let mut explained = vec![None; timeline.launches.len()];
        for finding in &search.findings {
            for occurrence in finding.fused.occurrences.iter().chain(&finding.split.occurrences) {
                for launch in occurrence.launches.iter().chain(&occurrence.transparent) {
                    explained[launch.0 as usize].get_or_insert(finding.family);
                }
            }
        }
        Self { rules, timeline, classes, search, explained, stages }
    }

    /// Whether a launch is of a kernel that no rule knows.
    fn is_unknown(&self, launch: LaunchId) -> bool {
        self.search.unknown[launch.0 as usize]
    }

    /// The family whose row explains it.
    fn explained_by(&self, launch: LaunchId) -> Option<usize> {
        self.explained[launch.0 as usize]
    }

    /// Whether some such kernel recurs without a row.
    fn strange(&self) -> bool {
        let mut times: FxHashMap<KernelId, usize> = FxHashMap::default();
        let launches = self.timeline.launch_ids();
        launches.filter(|launch| self.is_unknown(*launch) && self.explained_by(*launch).is_none()).any(|launch| {
            let times = times.entry(self.timeline.launch(launch).kernel).or_default();
            *times += 1;
            *times >= self.rules.similarity.min_occurrences
        })
    }

    /// The time of some launches, and its part of the stage's GPU time.
    fn weigh<'l>(&self, stage: Stage, launches: impl Iterator<Item = &'l LaunchId>) -> (Nanos, f64) {
        let time = launches.map(|launch| self.timeline.launch(*launch).dur).sum();
        let share = units::percent(time, self.stages.get(&stage).copied().unwrap_or(Nanos::ZERO));
        (time, (share * 1e4).round() / 1e4)
    }
}
