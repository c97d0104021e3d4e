//! One automaton for all chains of all rules; one sweep over the launches, then the matches are read off.
//!
//! The sweep goes against time. At each launch it keeps, of each position whose link the launch matches, the best way
//! to the end of the chain, made of the best ways kept at the launches that may follow. Only ways that reach an end are
//! kept, so what is kept is small, and a launch is looked at once for all rules. `after:` is the same sweep the other
//! way round. Reading off goes with time: leftmost, longest, no launch twice for one rule.
//!
//! Layers repeat, and so do the ways: what stands at a launch is worked out once for each class of launch before the
//! same ways, and looked up for all others.

use std::cmp::Reverse;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::chain::{Part, Program, Side};
use super::{Occurrence, Tri};
use crate::attribution::LaunchId;
use crate::graph::{Edge, KernelGraph};
use crate::rules::ast::Join;

/// What the links say of launches, by class: launches of one class are alike to all links.
pub trait Alphabet {
    /// The class of a launch, less than [`Alphabet::classes`].
    fn class(&self, launch: LaunchId) -> u32;
    /// How many classes there are.
    fn classes(&self) -> usize;
    /// Whether launches of a class match a link (an index into [`Program`]'s links); unknown only where it is carried.
    fn link(&self, class: u32, link: u32) -> Tri;
    /// Whether `~>` sees through launches of a class.
    fn transparent(&self, class: u32) -> Tri;
}

/// How good a way is. Additive, so the best way is made of best ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Score {
    /// Launches from first to last link, what is seen through included; one that only time leads to adds nothing, so
    /// that a sure way wins over a detour through another stream.
    length: i32,
    /// Answers that were unknown.
    unknown: u32,
    /// Links, counted or in `[ ]`.
    links: u32,
    counted: u32,
    /// Launches seen through.
    skipped: u32,
    /// Edges inferred by time.
    inferred: u32,
}

impl Score {
    /// Longest first; then surest; then as little seen through and left uncounted as can be.
    fn rank(&self) -> impl Ord + use<> {
        (self.length, Reverse(self.unknown), self.links, self.counted, Reverse(self.skipped), Reverse(self.inferred))
    }

    fn over(mut self, edge: Edge) -> Self {
        if edge == Edge::Time {
            self.inferred += 1;
            self.length -= 1;
        }
        self
    }
}

/// A launch at a position: matched by it, or seen through on the way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct At {
    position: u32,
    through: bool,
}

/// The best way to the end from a launch at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Way {
    at: At,
    score: Score,
    /// Which of the launches that may follow, and where the way goes on there.
    next: Option<(u32, At)>,
}

/// All ways that reach an end, by launch.
struct Ways {
    /// Index into `known` by launch.
    of: Vec<u32>,
    /// Each distinct set of ways, in order of position; the first is empty.
    known: Vec<Rc<[Way]>>,
}

impl Ways {
    /// No way from any of so many launches.
    fn none(launches: usize) -> Self {
        Self { of: vec![0; launches], known: vec![Rc::default()] }
    }

    fn of(&self, launch: LaunchId) -> &[Way] {
        &self.known[self.of[launch.0 as usize] as usize]
    }

    fn get(&self, launch: LaunchId, at: At) -> Option<&Way> {
        let ways = self.of(launch);
        ways.binary_search_by_key(&at, |way| way.at).ok().map(|index| &ways[index])
    }
}

/// A match of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Index of the pattern.
    pub rule: usize,
    /// Its launches.
    pub occurrence: Occurrence,
}

/// What a search comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// All matches, in order of their first launch, then of the rule.
    pub matches: Vec<Match>,
    /// Rules whose chains cost more than they may, in order: they have no match, since some would be missing.
    pub given_up: Vec<usize>,
}

/// What each rule has cost so far, in steps: joins that were followed, launches that were read off, and what is kept.
/// The order of the work is that of the launches, so that the same rules are given up in every run.
struct Spending {
    most: u64,
    of: Vec<u64>,
}

impl Spending {
    /// A way that is kept takes room, too: about as many steps as machine words.
    const KEPT: usize = 8;

    fn add(&mut self, rule: u32, steps: usize) {
        let spent = &mut self.of[rule as usize];
        *spent = spent.saturating_add(steps as u64);
    }

    fn is_over(&self, rule: u32) -> bool {
        self.of[rule as usize] > self.most
    }
}

/// Searches for all rules, each of which may cost so many steps.
pub fn find(program: &Program, alphabet: &impl Alphabet, graph: &KernelGraph, most: u64) -> Found {
    let launches = graph.len() as u32;
    let mut spending = Spending { most, of: vec![0; program.forward.first.len()] };
    let next = |launch, into: &mut Vec<(LaunchId, Edge)>| into.extend(graph.successors(launch));
    let forward = sweep(&program.forward, alphabet, (0..launches).rev().map(LaunchId), next, &mut spending);
    let backward = if program.backward.positions.is_empty() {
        Ways::none(launches as usize)
    } else {
        let next = |launch, into: &mut Vec<(LaunchId, Edge)>| into.extend(graph.predecessors(launch));
        sweep(&program.backward, alphabet, (0..launches).map(LaunchId), next, &mut spending)
    };
    let first: FxHashSet<u32> = program.forward.first.iter().flatten().copied().collect();
    // Of each distinct set of ways: the rules that may begin there, each with its best way.
    let starts: Vec<Vec<(u32, &Way)>> = (forward.known.iter())
        .map(|ways| {
            let begins = |way: &&Way| !way.at.through && first.contains(&way.at.position);
            let rule = |way: &Way| program.forward.positions[way.at.position as usize].rule;
            let mut starts: Vec<(u32, &Way)> = ways.iter().filter(begins).map(|way| (rule(way), way)).collect();
            starts.sort_by_key(|(rule, way)| (*rule, Reverse(way.score.rank()), way.at));
            starts.dedup_by_key(|(rule, _)| *rule);
            starts
        })
        .collect();
    let mut used: Vec<FxHashSet<LaunchId>> = vec![FxHashSet::default(); program.forward.first.len()];
    let mut matches = Vec::new();
    for launch in (0..launches).map(LaunchId) {
        for &(rule, way) in &starts[forward.of[launch.0 as usize] as usize] {
            let used = &mut used[rule as usize];
            if used.contains(&launch) || spending.is_over(rule) {
                continue;
            }
            let Some(context) = context(program, rule, launch, &backward, graph) else { continue };
            let occurrence = read(program, launch, way, &context, &forward, graph);
            let all = || occurrence.launches.iter().chain(&occurrence.transparent).chain(&occurrence.context);
            spending.add(rule, all().count());
            if all().any(|launch| used.contains(launch)) {
                continue;
            }
            used.extend(all());
            matches.push(Match { rule: rule as usize, occurrence });
        }
    }
    matches.retain(|found: &Match| !spending.is_over(found.rule as u32));
    let given_up = (0..spending.of.len()).filter(|rule| spending.is_over(*rule as u32)).collect();
    Found { matches, given_up }
}

/// What stands before a match.
#[derive(Default)]
struct Context {
    transparent: Vec<LaunchId>,
    score: Score,
}

/// The best `after:` of a rule before `launch`; none when it must stand there and does not.
fn context(program: &Program, rule: u32, launch: LaunchId, backward: &Ways, graph: &KernelGraph) -> Option<Context> {
    let firsts = &program.backward.first[rule as usize];
    if firsts.is_empty() {
        return Some(Context::default());
    }
    let mut best: Option<(Score, LaunchId, &Way)> = None;
    for (before, edge) in graph.predecessors(launch) {
        for position in firsts {
            for through in [false, true] {
                let Some(way) = backward.get(before, At { position: *position, through }) else { continue };
                let score = way.score.over(edge);
                if best.is_none_or(|(known, ..)| score.rank() > known.rank()) {
                    best = Some((score, before, way));
                }
            }
        }
    }
    let (score, mut launch, mut way) = best?;
    let mut transparent = Vec::new();
    while way.at.through {
        transparent.push(launch);
        let (next, at) = way.next?;
        (launch, _) = graph.predecessors(launch).nth(next as usize)?;
        way = backward.get(launch, at)?;
    }
    transparent.reverse();
    Some(Context { transparent, score })
}

/// Follows a way to its end.
fn read(
    program: &Program,
    launch: LaunchId,
    way: &Way,
    context: &Context,
    forward: &Ways,
    graph: &KernelGraph,
) -> Occurrence {
    let mut found = Occurrence {
        launches: Vec::new(),
        transparent: context.transparent.clone(),
        context: Vec::new(),
        unknown: way.score.unknown + context.score.unknown > 0,
        inferred: way.score.inferred + context.score.inferred > 0,
    };
    let mut step = Some((launch, way));
    while let Some((launch, way)) = step {
        match (way.at.through, program.forward.positions[way.at.position as usize].part) {
            (_, Part::Outside) => break,
            (true, _) => found.transparent.push(launch),
            (false, Part::Counted) => found.launches.push(launch),
            (false, Part::Context) => found.context.push(launch),
        }
        step = way.next.and_then(|(next, at)| {
            let (next, _) = graph.successors(launch).nth(next as usize)?;
            Some((next, forward.get(next, at)?))
        });
    }
    found
}

/// Keeps the better of two ways; the first of two equal ones.
fn keep(best: &mut Option<Way>, new: Way) {
    if best.is_none_or(|known| new.score.rank() > known.score.rank()) {
        *best = Some(new);
    }
}

fn sweep(
    side: &Side,
    alphabet: &impl Alphabet,
    order: impl ExactSizeIterator<Item = LaunchId>,
    next: impl Fn(LaunchId, &mut Vec<(LaunchId, Edge)>),
    spending: &mut Spending,
) -> Ways {
    let mut by_class: Vec<Option<Vec<(u32, Tri)>>> = vec![None; alphabet.classes()];
    let mut found = Ways::none(order.len());
    let mut ids: FxHashMap<Rc<[Way]>, u32> = FxHashMap::default();
    ids.insert(Rc::default(), 0);
    // By class of the launch, then the ways of each that may follow and how it does.
    let mut steps: FxHashMap<Box<[u32]>, u32> = FxHashMap::default();
    let (mut following, mut key, mut here) = (Vec::new(), Vec::new(), Vec::new());
    for launch in order {
        following.clear();
        next(launch, &mut following);
        let class = alphabet.class(launch);
        key.clear();
        key.push(class);
        for (next, edge) in &following {
            key.extend([found.of[next.0 as usize], *edge as u32]);
        }
        let id = if let Some(&known) = steps.get(key.as_slice()) {
            known
        } else {
            let after: Vec<(&[Way], Edge)> = following.iter().map(|(next, edge)| (found.of(*next), *edge)).collect();
            here.clear();
            let matching = by_class[class as usize].get_or_insert_with(|| {
                let matching = of_class(side, alphabet, class);
                for (position, _) in &matching {
                    spending.add(side.positions[*position as usize].rule, 1);
                }
                matching
            });
            for (position, answer) in matching {
                let this = &side.positions[*position as usize];
                if spending.is_over(this.rule) {
                    continue;
                }
                let way = matched(side, *position, *answer, &after);
                spending.add(this.rule, this.follow.len() * after.len() + way.map_or(0, |_| Spending::KEPT));
                here.extend(way);
            }
            let transparent = alphabet.transparent(class);
            if transparent != Tri::No {
                seen_through(side, transparent == Tri::Unknown, &after, &mut here, spending);
            }
            let ways: Rc<[Way]> = here.as_slice().into();
            let id = *ids.entry(Rc::clone(&ways)).or_insert_with(|| {
                found.known.push(ways);
                found.known.len() as u32 - 1
            });
            steps.insert(key.as_slice().into(), id);
            id
        };
        found.of[launch.0 as usize] = id;
    }
    found
}

/// The best way from a launch that matches `position`, if any reaches an end.
fn matched(side: &Side, position: u32, answer: Tri, following: &[(&[Way], Edge)]) -> Option<Way> {
    let this = &side.positions[position as usize];
    let at = At { position, through: false };
    let mut best = this.accept.then_some(Way { at, score: Score::default(), next: None });
    for (n, (ways, edge)) in following.iter().enumerate() {
        if ways.is_empty() {
            continue;
        }
        for (follower, join) in &this.follow {
            for through in [false, true] {
                if through && *join == Join::Strict {
                    continue;
                }
                let to = At { position: *follower, through };
                if let Ok(index) = ways.binary_search_by_key(&to, |way| way.at) {
                    let score = ways[index].score.over(*edge);
                    keep(&mut best, Way { at, score, next: Some((n as u32, to)) });
                }
            }
        }
    }
    best.map(|mut way| {
        let inside = this.part != Part::Outside;
        way.score.length += i32::from(inside);
        way.score.links += u32::from(inside);
        way.score.counted += u32::from(this.part == Part::Counted);
        way.score.unknown += u32::from(answer == Tri::Unknown);
        way
    })
}

/// The best ways from a launch that is seen through, to each link that a `~>` leads to. `here` stays in order.
fn seen_through(
    side: &Side,
    unknown: bool,
    following: &[(&[Way], Edge)],
    here: &mut Vec<Way>,
    spending: &mut Spending,
) {
    let begin = here.len();
    for (n, (ways, edge)) in following.iter().enumerate() {
        for way in *ways {
            let to = &side.positions[way.at.position as usize];
            if !to.wanted || spending.is_over(to.rule) {
                continue;
            }
            spending.add(to.rule, Spending::KEPT);
            let mut score = way.score.over(*edge);
            score.length += i32::from(to.part != Part::Outside);
            score.skipped += 1;
            score.unknown += u32::from(unknown);
            here.push(Way {
                at: At { position: way.at.position, through: true },
                score,
                next: Some((n as u32, way.at)),
            });
        }
    }
    here[begin..].sort_by_key(|way| (way.at, Reverse(way.score.rank())));
    let mut kept: Vec<Way> = here.drain(begin..).collect();
    kept.dedup_by_key(|way| way.at);
    here.append(&mut kept);
    here.sort_by_key(|way| way.at);
}

/// The positions whose link a class matches, in order.
pub(super) fn of_class(side: &Side, alphabet: &impl Alphabet, class: u32) -> Vec<(u32, Tri)> {
    let answer = |link: Option<u32>| link.map_or(Tri::Yes, |link| alphabet.link(class, link));
    let all = side.positions.iter().enumerate().map(|(index, position)| (index as u32, answer(position.link)));
    all.filter(|(_, answer)| *answer != Tri::No).collect()
}

#[cfg(test)]
mod tests;
