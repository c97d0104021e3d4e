//! One automaton for all chains of all rules; one sweep over the launches, then the matches are read off.
//!
//! The sweep goes against time. At each launch it keeps, of each position whose link the launch matches, the best way
//! to the end of the chain, made of the best ways kept at the launches that may follow. Only ways that reach an end are
//! kept, so what is kept is small, and a launch is looked at once for all rules. `after:` is the same sweep the other
//! way round. Reading off goes with time: leftmost, longest, no launch twice for one rule.

use std::cmp::Reverse;

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct At {
    position: u32,
    through: bool,
}

/// The best way to the end from a launch at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Way {
    at: At,
    score: Score,
    next: Option<(u32, At)>,
}

/// All ways that reach an end, by launch.
#[derive(Default)]
struct Ways {
    ranges: Vec<(u32, u32)>,
    ways: Vec<Way>,
}

impl Ways {
    fn of(&self, launch: LaunchId) -> &[Way] {
        let (from, to) = self.ranges[launch.0 as usize];
        &self.ways[from as usize..to as usize]
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

/// All matches, in order of their first launch, then of the rule.
pub fn find(program: &Program, alphabet: &impl Alphabet, graph: &KernelGraph) -> Vec<Match> {
    let launches = graph.len() as u32;
    let forward = sweep(&program.forward, alphabet, (0..launches).rev().map(LaunchId), |launch, into| {
        into.extend(graph.successors(launch));
    });
    let backward = if program.backward.positions.is_empty() {
        Ways { ranges: vec![(0, 0); launches as usize], ways: Vec::new() }
    } else {
        sweep(&program.backward, alphabet, (0..launches).map(LaunchId), |launch, into| {
            into.extend(graph.predecessors(launch));
        })
    };
    let first: FxHashSet<u32> = program.forward.first.iter().flatten().copied().collect();
    let mut used: Vec<FxHashSet<LaunchId>> = vec![FxHashSet::default(); program.forward.first.len()];
    let mut matches = Vec::new();
    for launch in (0..launches).map(LaunchId) {
        let mut starts: Vec<(u32, &Way)> = forward
            .of(launch)
            .iter()
            .filter(|way| !way.at.through && first.contains(&way.at.position))
            .map(|way| (program.forward.positions[way.at.position as usize].rule, way))
            .collect();
        starts.sort_by_key(|(rule, way)| (*rule, Reverse(way.score.rank()), way.at));
        starts.dedup_by_key(|(rule, _)| *rule);
        for (rule, way) in starts {
            let used = &mut used[rule as usize];
            if used.contains(&launch) {
                continue;
            }
            let Some(context) = context(program, rule, launch, &backward, graph) else { continue };
            let occurrence = read(program, launch, way, &context, &forward);
            let all = || occurrence.launches.iter().chain(&occurrence.transparent).chain(&occurrence.context);
            if all().any(|launch| used.contains(launch)) {
                continue;
            }
            used.extend(all());
            matches.push(Match { rule: rule as usize, occurrence });
        }
    }
    matches
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
        launch = LaunchId(next);
        way = backward.get(launch, at)?;
    }
    transparent.reverse();
    Some(Context { transparent, score })
}

/// Follows a way to its end.
fn read(program: &Program, launch: LaunchId, way: &Way, context: &Context, forward: &Ways) -> Occurrence {
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
        step = way.next.and_then(|(next, at)| Some((LaunchId(next), forward.get(LaunchId(next), at)?)));
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
    order: impl Iterator<Item = LaunchId>,
    next: impl Fn(LaunchId, &mut Vec<(LaunchId, Edge)>),
) -> Ways {
    let by_class = by_class(side, alphabet);
    let mut found = Ways { ranges: vec![(0, 0); order.size_hint().0], ways: Vec::new() };
    // Where the ways of a class are that end at their first launch: most launches have no other, and share them.
    let mut ends: FxHashMap<u32, (u32, u32)> = FxHashMap::default();
    let mut following = Vec::new();
    let mut here: Vec<Way> = Vec::new();
    for launch in order {
        following.clear();
        next(launch, &mut following);
        here.clear();
        let class = alphabet.class(launch);
        for (position, answer) in &by_class[class as usize] {
            if let Some(way) = matched(side, *position, *answer, &following, &found) {
                here.push(way);
            }
        }
        let transparent = alphabet.transparent(class);
        if transparent != Tri::No {
            seen_through(side, transparent == Tri::Unknown, &following, &found, &mut here);
        }
        let end_here = here.iter().all(|way| way.next.is_none());
        let shared = ends.get(&class).filter(|(from, to)| end_here && here == found.ways[*from as usize..*to as usize]);
        found.ranges[launch.0 as usize] = shared.copied().unwrap_or_else(|| {
            let from = found.ways.len() as u32;
            found.ways.append(&mut here);
            let range = (from, found.ways.len() as u32);
            if end_here {
                ends.insert(class, range);
            }
            range
        });
    }
    found
}

/// The best way from a launch that matches `position`, if any reaches an end.
fn matched(side: &Side, position: u32, answer: Tri, following: &[(LaunchId, Edge)], found: &Ways) -> Option<Way> {
    let this = &side.positions[position as usize];
    let at = At { position, through: false };
    let mut best = this.accept.then_some(Way { at, score: Score::default(), next: None });
    for (launch, edge) in following {
        if found.of(*launch).is_empty() {
            continue;
        }
        for (follower, join) in &this.follow {
            for through in [false, true] {
                if through && *join == Join::Strict {
                    continue;
                }
                let to = At { position: *follower, through };
                if let Some(way) = found.get(*launch, to) {
                    keep(&mut best, Way { at, score: way.score.over(*edge), next: Some((launch.0, to)) });
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
fn seen_through(side: &Side, unknown: bool, following: &[(LaunchId, Edge)], found: &Ways, here: &mut Vec<Way>) {
    let begin = here.len();
    for (launch, edge) in following {
        for way in found.of(*launch) {
            let to = &side.positions[way.at.position as usize];
            if !to.wanted {
                continue;
            }
            let mut score = way.score.over(*edge);
            score.length += i32::from(to.part != Part::Outside);
            score.skipped += 1;
            score.unknown += u32::from(unknown);
            here.push(Way {
                at: At { position: way.at.position, through: true },
                score,
                next: Some((launch.0, way.at)),
            });
        }
    }
    here[begin..].sort_by_key(|way| (way.at, Reverse(way.score.rank())));
    let mut kept: Vec<Way> = here.drain(begin..).collect();
    kept.dedup_by_key(|way| way.at);
    here.append(&mut kept);
    here.sort_by_key(|way| way.at);
}

/// Of each class, the positions whose link it matches, in order.
pub(super) fn by_class(side: &Side, alphabet: &impl Alphabet) -> Vec<Vec<(u32, Tri)>> {
    (0..alphabet.classes() as u32)
        .map(|class| {
            side.positions
                .iter()
                .enumerate()
                .map(|(index, position)| {
                    (index as u32, position.link.map_or(Tri::Yes, |link| alphabet.link(class, link)))
                })
                .filter(|(_, answer)| *answer != Tri::No)
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests;
