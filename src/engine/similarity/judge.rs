//! What is near a family, scored by its cues.

use std::collections::{BTreeMap, BTreeSet};

use super::super::gates;
use super::super::look::Look;
use super::super::{OTHER, Occurrence, Tri};
use super::variants::{self, Open};
use super::{Cue, CueKind, Ground, Level, Nearness, Sighting};
use crate::attribution::{LaunchId, Stage, StepId};
use crate::rules::ast::Expr;
use crate::rules::schema::similarity::CueRule;
use crate::rules::{Family, Per, RuleSet, counted_links, print_expr};

/// A form of a family that was seen in a stage.
#[derive(Clone)]
pub(super) struct Sight<'a> {
    family: usize,
    stage: Stage,
    fused: bool,
    /// What of it is open; none: nothing, it is of another framework.
    open: Option<&'a Open>,
    /// Where no row explains it; all of it where rows explain all.
    occurrences: Vec<Occurrence>,
    /// Why no score matters.
    pub(super) lost: Option<String>,
}

impl<'a> Sight<'a> {
    pub(super) fn new(
        ground: &Ground,
        family: usize,
        stage: Stage,
        fused: bool,
        open: Option<&'a Open>,
        occurrences: Vec<Occurrence>,
    ) -> Self {
        let mut sight = Self { family, stage, fused, open, occurrences, lost: None };
        // What stands for a link must be free, and all of another framework's chain.
        let row = |occurrence: &Occurrence| {
            let mut asked = occurrence.launches.iter().filter(|launch| open.is_none() || ground.is_unknown(**launch));
            asked.find_map(|launch| ground.explained_by(*launch))
        };
        let rows: Vec<Option<usize>> = sight.occurrences.iter().map(row).collect();
        if rows.contains(&None) {
            sight.occurrences.retain(|occurrence| row(occurrence).is_none());
            sight.lost = sight.too_small(ground);
        } else if let Some(row) = rows.first().copied().flatten() {
            sight.lost = Some(format!("a row of {} explains these launches", ground.rules.families[row].id));
        }
        sight
    }

    pub(super) fn form(&self) -> (usize, bool) {
        (self.family, self.fused)
    }

    fn first(&self) -> &Occurrence {
        &self.occurrences[0]
    }

    fn every(&self) -> impl Iterator<Item = &LaunchId> {
        self.occurrences.iter().flat_map(|occurrence| &occurrence.launches)
    }

    /// Why it is not enough to speak of.
    fn too_small(&self, ground: &Ground) -> Option<String> {
        let rules = &ground.rules.similarity;
        let (_, share) = ground.weigh(self.stage, self.every());
        let family = &ground.rules.families[self.family];
        if share < rules.min_share_pct {
            return Some(format!("{share:.2} % of the stage, under {} %", rules.min_share_pct));
        }
        if !self.recurs(ground) {
            return Some(format!("not {} times in a step", rules.min_occurrences));
        }
        let gates = gates::of_occurrence(family, ground.timeline, self.first());
        gates.iter().find(|gate| gate.forbids()).map(gates::Gate::reason)
    }

    /// Whether it is there as often as the family says.
    fn recurs(&self, ground: &Ground) -> bool {
        let per_layer = ground.rules.families[self.family].per == Per::Layer;
        let asked = if per_layer { ground.rules.similarity.min_occurrences } else { 1 };
        let mut by_step: BTreeMap<Option<StepId>, usize> = BTreeMap::new();
        for first in self.occurrences.iter().filter_map(|occurrence| occurrence.launches.first()) {
            *by_step.entry(ground.timeline.launch(*first).step).or_default() += 1;
        }
        by_step.values().any(|times| *times >= asked)
    }

    /// Whether the first occurrence goes on on both sides of a launch.
    fn encloses(&self, family: &Family, launch: LaunchId) -> bool {
        let mut others = self.first().launches.iter().chain(&self.first().context);
        let before = family.after.is_some() || others.clone().any(|other| *other < launch);
        let behind = family.before.is_some() || others.any(|other| *other > launch);
        before && behind
    }

    /// What is known of it before it is scored.
    pub(super) fn unscored(self, ground: &Ground) -> Sighting {
        let launches = self.first().launches.clone();
        let is_open = |launch: &LaunchId| self.open.is_some() && ground.is_unknown(*launch);
        let open: Vec<LaunchId> = launches.iter().copied().filter(is_open).collect();
        let (time, share_pct) = ground.weigh(self.stage, self.every());
        Sighting {
            family: self.family,
            stage: self.stage,
            fused: self.fused,
            nearness: match self.open {
                None => Nearness::Elsewhere,
                Some(_) if open.len() == launches.len() => Nearness::Places,
                Some(_) => Nearness::Open,
            },
            link: None,
            open,
            launches,
            every: self.every().copied().collect(),
            occurrences: self.occurrences.len(),
            time,
            share_pct,
            cues: Vec::new(),
            score: 0,
            level: None,
            lost: self.lost,
        }
    }
}

/// A link of a form: where its predicate stands among those asked, and the roles that it asks for.
struct Link {
    is: usize,
    roles: Vec<usize>,
}

/// Predicates asked beside the chains: links of the forms in sight, and the places of all roles.
pub(super) struct Asked {
    pub(super) exprs: Vec<Expr>,
    links: BTreeMap<(usize, bool), Vec<Link>>,
    /// Of each role: op, frame, module.
    places: Vec<[Option<usize>; 3]>,
}

impl Asked {
    pub(super) fn new(rules: &RuleSet, forms: impl Iterator<Item = (usize, bool)>) -> Self {
        let mut exprs = Vec::new();
        let mut add = |expr: Expr| {
            exprs.push(expr);
            exprs.len() - 1
        };
        let all_roles = &rules.similarity.roles;
        let mut links = BTreeMap::new();
        for (family, fused) in forms.collect::<BTreeSet<_>>() {
            let of = &rules.families[family];
            let form = if fused { &of.fused } else { &of.split };
            let all = form.iter().flat_map(counted_links);
            let all =
                all.map(|link| Link { is: add(link.clone()), roles: variants::roles_of(link, all_roles) }).collect();
            links.insert((family, fused), all);
        }
        // Without a form nobody asks for places.
        let asked = if links.is_empty() { &[][..] } else { all_roles };
        let places = asked.iter().map(|role| variants::places(role).map(|place| place.map(&mut add))).collect();
        Self { exprs, links, places }
    }
}

/// Launches that say yes, of those that say anything.
#[derive(Clone, Copy, Default)]
struct Count {
    yes: u32,
    all: u32,
}

impl Count {
    fn add(&mut self, answer: Tri) {
        self.yes += u32::from(answer == Tri::Yes);
        self.all += u32::from(answer != Tri::Unknown);
    }

    fn spoken(self) -> Option<(u32, u32)> {
        (self.all > 0).then_some((self.yes, self.all))
    }
}

pub(super) struct Judge<'a> {
    pub(super) ground: &'a Ground<'a>,
    pub(super) asked: &'a Asked,
    pub(super) look: &'a Look<'a>,
}

impl Judge<'_> {
    pub(super) fn sighting(&self, sight: Sight) -> Sighting {
        if sight.lost.is_some() {
            return sight.unscored(self.ground);
        }
        let cues = self.cues(&sight);
        let mut sighting = Sighting { score: score(&cues), cues, ..sight.clone().unscored(self.ground) };
        sighting.link = self.link(&sight, &sighting.open);
        match self.verdict(&sight, &sighting) {
            Ok(level) => sighting.level = Some(level),
            Err(why) => sighting.lost = Some(why),
        }
        sighting
    }

    fn family(&self, sight: &Sight) -> &Family {
        &self.ground.rules.families[sight.family]
    }

    /// What the unknown kernels stand for, in words.
    fn link(&self, sight: &Sight, open: &[LaunchId]) -> Option<String> {
        match sight.open? {
            Open::Link(link) => Some(print_expr(link)),
            Open::Places => {
                let roles = &self.ground.rules.similarity.roles;
                let first = |launch: &LaunchId| self.roles(sight, *launch).into_iter().next();
                let words: Vec<&str> = open.iter().filter_map(first).map(|role| roles[role].role.as_str()).collect();
                Some(words.join(", "))
            }
        }
    }

    /// The roles asked for by the links that a launch stands for.
    fn roles(&self, sight: &Sight, launch: LaunchId) -> BTreeSet<usize> {
        let links = &self.asked.links[&sight.form()];
        let of = |link: &Link| link.roles.clone();
        match sight.open {
            Some(Open::Link(link)) if self.ground.is_unknown(launch) => {
                variants::roles_of(link, &self.ground.rules.similarity.roles).into_iter().collect()
            }
            Some(Open::Places) if self.ground.is_unknown(launch) => {
                links.iter().flat_map(of).filter(|role| self.is_at(*role, launch)).collect()
            }
            _ => links.iter().filter(|link| self.look.beside(link.is, launch) == Tri::Yes).flat_map(of).collect(),
        }
    }

    /// Whether a launch stands where kernels of a role run; none where the role does not speak of such places.
    fn place(&self, role: usize, kind: usize, launch: LaunchId) -> Option<Tri> {
        self.asked.places[role][kind].map(|place| self.look.beside(place, launch))
    }

    fn is_at(&self, role: usize, launch: LaunchId) -> bool {
        (0..3).any(|kind| self.place(role, kind, launch) == Some(Tri::Yes))
    }

    fn cues(&self, sight: &Sight) -> Vec<Cue> {
        let launches = &sight.first().launches;
        let mut counts = [Count::default(); 3];
        for launch in launches {
            let roles = self.roles(sight, *launch);
            for (kind, count) in counts.iter_mut().enumerate() {
                let said = roles.iter().filter_map(|role| self.place(*role, kind, *launch));
                // One of several roles is enough.
                count.add(said.filter(|answer| *answer != Tri::Unknown).max().unwrap_or(Tri::Unknown));
            }
        }
        let [ops, sites, mut model] = counts;
        let gates = gates::of_run(self.family(sight), &self.ground.timeline.run, sight.stage);
        let holds = |key: &str| gates.iter().any(|gate| gate.key == key && gate.answer == Tri::Yes);
        let known = launches.iter().filter(|launch| sight.open.is_none() || !self.ground.is_unknown(**launch)).count();
        model.add(Tri::from_bool(sight.recurs(self.ground)));
        if holds("models") {
            model.add(Tri::Yes);
        }
        let rules = &self.ground.rules.similarity.cues;
        let cue = |kind, rule: &CueRule, of| Cue { kind, title: rule.title.clone(), weight: rule.weight, of };
        vec![
            cue(CueKind::Chain, &rules.chain, Some((known as u32, launches.len() as u32))),
            cue(CueKind::Sites, &rules.sites, sites.spoken()),
            cue(CueKind::Ops, &rules.ops, ops.spoken()),
            cue(CueKind::Tp, &rules.tp, holds("tensor_parallel").then_some((1, 1))),
            cue(CueKind::Model, &rules.model, model.spoken()),
        ]
    }

    /// The level, or why there is none.
    fn verdict(&self, sight: &Sight, sighting: &Sighting) -> Result<Level, String> {
        let rules = &self.ground.rules.similarity;
        let most = match sighting.nearness {
            Nearness::Open => Level::High,
            Nearness::Elsewhere => Level::Medium,
            Nearness::Places => Level::Low,
        };
        let links = sighting.launches.len();
        // Few kernels follow each other in many a model: then their places must tell the family.
        if sighting.nearness == Nearness::Elsewhere && links < rules.min_links_elsewhere {
            let mut places = sighting.cues.iter().filter(|cue| matches!(cue.kind, CueKind::Sites | CueKind::Ops));
            if !places.any(|cue| cue.of == Some((links as u32, links as u32))) {
                return Err(format!("{links} kernels whose places do not tell the family are a chance meeting"));
            }
        }
        for launch in &sighting.open {
            self.stands(sight, *launch, links - sighting.open.len())?;
        }
        let bars = [(rules.bars.high, Level::High), (rules.bars.medium, Level::Medium), (rules.bars.low, Level::Low)];
        match bars.into_iter().find(|(bar, _)| sighting.score >= *bar) {
            Some((_, level)) => Ok(level.min(most)),
            None => Err(format!("score {}, under {}", sighting.score, rules.bars.low)),
        }
    }

    /// Why an unknown launch cannot stand for a link beside `known` others, if it cannot.
    fn stands(&self, sight: &Sight, launch: LaunchId, known: usize) -> Result<(), String> {
        let rules = &self.ground.rules.similarity;
        let timeline = self.ground.timeline;
        let asked = self.roles(sight, launch);
        let name = &timeline.kernel(launch).name.identifier;
        let category = self.ground.classes.name_of(launch);
        let is_kind = |role: &usize| rules.roles[*role].categories.iter().any(|one| one == category);
        if category != OTHER && !asked.iter().any(is_kind) {
            return Err(format!("{name} is of another kind: {category}"));
        }
        if asked.iter().any(|role| self.is_at(*role, launch)) {
            return Ok(());
        }
        if let Some(role) = (0..rules.roles.len()).find(|role| self.is_at(*role, launch)) {
            return Err(format!("{name} stands where another kind runs: {}", rules.roles[role].role));
        }
        // What has no role is a part of PyTorch or of one library, under its own name.
        if asked.iter().all(|role| rules.roles[*role].special) {
            return Err(format!("only a place could tell that {name} is the kernel asked for"));
        }
        if known < rules.min_known {
            return Err(format!("nothing tells what {name} is, and {known} known beside it make no chain"));
        }
        // At an end of the chain anything may stand.
        if !sight.encloses(self.family(sight), launch) {
            return Err(format!("{name} stands at an end of the chain, and its place does not tell its kind"));
        }
        Ok(())
    }
}

/// The weighed sum of the cues that speak, from 0 to 100.
fn score(cues: &[Cue]) -> u32 {
    let spoken = || cues.iter().filter_map(|cue| cue.of.map(|of| (cue.weight, of)));
    let whole: u32 = spoken().map(|(weight, _)| weight).sum();
    // In thousandths, rounded down once.
    let parts: u32 = spoken().map(|(weight, (yes, all))| 1000 * weight * yes / all).sum();
    parts / (10 * whole.max(1))
}
