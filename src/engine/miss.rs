//! The nearest miss of a chain: how far it came, which link was asked for next, and what stood there instead.

use std::collections::BTreeMap;

use super::automaton::{Alphabet, of_class};
use super::chain::{Pattern, Side};
use super::look::{Compiled, Look};
use super::{Classes, Predicates, Tri};
use crate::attribution::{KernelId, LaunchId, Timeline};
use crate::graph::KernelGraph;
use crate::rules::ast::{Chain, ChainNode, Join};
use crate::rules::{RuleSet, print_expr};

/// Where a chain broke that came as far as any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    /// Launches that its links matched, in order; empty: nothing in the trace matches its first link.
    pub matched: Vec<LaunchId>,
    /// Links that could have come next, as text.
    pub expected: Vec<String>,
    /// Whether all of them had to be the very next event.
    pub strict: bool,
    /// What stood there instead; none at the end of a step.
    pub stood: Option<LaunchId>,
    /// How often it broke in the same way.
    pub times: usize,
    /// What the trace cannot tell of that launch: with it, it might have been the link.
    pub open: Vec<String>,
}

/// How far a chain came at a launch: links so far, and the launch and position before.
#[derive(Clone, Copy)]
struct Reach {
    position: u32,
    links: usize,
    from: Option<(LaunchId, u32)>,
}

/// One way to break: the first launch it happened at, and what stood behind it.
struct Way {
    times: usize,
    launch: LaunchId,
    stood: Option<LaunchId>,
}

/// The nearest miss of `pattern`, context and all; none when there are no launches.
pub fn nearest(
    rules: &RuleSet,
    timeline: &Timeline,
    graph: &KernelGraph,
    classes: &Classes,
    pattern: &Pattern<'_>,
) -> Option<Miss> {
    let whole = whole(pattern);
    let compiled =
        Compiled::of(Predicates::new(rules), rules, &[Some(Pattern { chain: &whole, after: None, before: None })]);
    let side = &compiled.program.forward;
    let first = side.first.first().filter(|first| !first.is_empty())?;
    let look = compiled.look(rules, timeline, classes);
    let matching = (0..look.classes() as u32).map(|class| of_class(side, &look, class)).collect();
    let search = Search { timeline, graph, side, look, matching };
    let text = |position: u32| {
        let link = side.positions[position as usize].link;
        link.map_or("_".to_owned(), |link| print_expr(&compiled.program.links[link as usize]))
    };

    let reached = search.reach(first);
    let open = |reach: &&Reach| !side.positions[reach.position as usize].accept;
    let Some(furthest) = reached.iter().flatten().filter(open).map(|reach| reach.links).max() else {
        let expected = dedup(first.iter().map(|position| text(*position)).collect());
        return Some(Miss { matched: Vec::new(), expected, strict: false, stood: None, times: 0, open: Vec::new() });
    };
    let (position, Way { times, launch, stood }) = search.way(&reached, furthest)?;
    let follow = &side.positions[position as usize].follow;
    let open = stood.map_or(Vec::new(), |stood| {
        let links = follow.iter().filter_map(|(next, _)| side.positions[*next as usize].link);
        dedup(links.flat_map(|link| search.look.open(stood, link)).collect())
    });
    Some(Miss {
        matched: back(&reached, launch, position),
        expected: dedup(follow.iter().map(|(next, _)| text(*next)).collect()),
        strict: follow.iter().all(|(_, join)| *join == Join::Strict),
        stood,
        times,
        open,
    })
}

/// One chain on one timeline.
struct Search<'a> {
    timeline: &'a Timeline,
    graph: &'a KernelGraph,
    side: &'a Side,
    look: Look<'a>,
    /// Of each class of launches, the positions that it matches.
    matching: Vec<Vec<(u32, Tri)>>,
}

impl Search<'_> {
    fn through(&self, launch: LaunchId) -> bool {
        self.look.transparent(self.look.class(launch)) != Tri::No
    }

    /// Of each launch, how far the chain came at each position that the launch matches; it may begin at the `first`.
    fn reach(&self, first: &[u32]) -> Vec<Vec<Reach>> {
        let mut reached: Vec<Vec<Reach>> = Vec::with_capacity(self.graph.len());
        // Positions passed before a launch that is seen through.
        let mut waiting: Vec<Vec<(Reach, LaunchId)>> = Vec::with_capacity(self.graph.len());
        for launch in self.timeline.launch_ids().take(self.graph.len()) {
            let mut here: Vec<Reach> = Vec::new();
            let before: Vec<LaunchId> = self.graph.predecessors(launch).map(|(before, _)| before).collect();
            for (position, _) in &self.matching[self.look.class(launch) as usize] {
                let mut best = first.contains(position).then_some(Reach { position: *position, links: 1, from: None });
                let mut offer = |reach: &Reach, at: LaunchId, loosely: bool| {
                    let follows = self.side.positions[reach.position as usize].follow.iter();
                    let mut joins =
                        follows.filter(|(next, join)| next == position && (!loosely || *join == Join::Loose));
                    if joins.next().is_some() && best.is_none_or(|best| reach.links + 1 > best.links) {
                        let from = Some((at, reach.position));
                        best = Some(Reach { position: *position, links: reach.links + 1, from });
                    }
                };
                for before in &before {
                    reached[before.0 as usize].iter().for_each(|reach| offer(reach, *before, false));
                    waiting[before.0 as usize].iter().for_each(|(reach, at)| offer(reach, *at, true));
                }
                here.extend(best);
            }
            let passed = if self.through(launch) { passed(&before, &reached, &waiting) } else { Vec::new() };
            reached.push(here);
            waiting.push(passed);
        }
        reached
    }

    /// Of the chains that came `furthest`, the position and the way in which most of them broke; the earliest of these.
    fn way(&self, reached: &[Vec<Reach>], furthest: usize) -> Option<(u32, Way)> {
        let mut ways: BTreeMap<(u32, Option<KernelId>), Way> = BTreeMap::new();
        for launch in self.timeline.launch_ids().take(self.graph.len()) {
            for reach in reached[launch.0 as usize].iter().filter(|reach| reach.links == furthest) {
                let position = &self.side.positions[reach.position as usize];
                if position.accept {
                    continue;
                }
                let loose = position.follow.iter().any(|(_, join)| *join == Join::Loose);
                let next = |at| self.graph.successors(at).min_by_key(|(next, edge)| (*edge, *next));
                let mut stood = next(launch).map(|(next, _)| next);
                while let Some(at) = stood.filter(|at| loose && self.through(*at)) {
                    stood = next(at).map(|(next, _)| next);
                }
                let kernel = stood.map(|stood| self.timeline.launch(stood).kernel);
                ways.entry((reach.position, kernel)).or_insert(Way { times: 0, launch, stood }).times += 1;
            }
        }
        let most = ways.into_iter().max_by_key(|(_, way)| (way.times, std::cmp::Reverse(way.launch)))?;
        Some((most.0.0, most.1))
    }
}

/// What is passed on behind a launch that is seen through: the best of each position before it.
fn passed(before: &[LaunchId], reached: &[Vec<Reach>], waiting: &[Vec<(Reach, LaunchId)>]) -> Vec<(Reach, LaunchId)> {
    let mut passed: BTreeMap<u32, (Reach, LaunchId)> = BTreeMap::new();
    for before in before {
        let own = reached[before.0 as usize].iter().map(|reach| (*reach, *before));
        for (reach, at) in own.chain(waiting[before.0 as usize].iter().copied()) {
            let known = passed.entry(reach.position).or_insert((reach, at));
            if reach.links > known.0.links {
                *known = (reach, at);
            }
        }
    }
    passed.into_values().collect()
}

/// The launches of a chain up to this one, the first of them first.
fn back(reached: &[Vec<Reach>], launch: LaunchId, position: u32) -> Vec<LaunchId> {
    let from = |launch: LaunchId, position: u32| {
        reached[launch.0 as usize].iter().find(|reach| reach.position == position).and_then(|reach| reach.from)
    };
    let mut matched = vec![launch];
    let mut at = from(launch, position);
    while let Some((before, position)) = at {
        matched.push(before);
        at = from(before, position);
    }
    matched.reverse();
    matched
}

/// Chain and context as one chain.
fn whole(pattern: &Pattern<'_>) -> Chain {
    let mut parts = [pattern.after, Some(pattern.chain), pattern.before].into_iter().flatten().cloned();
    let span = pattern.chain.span.clone();
    let first = parts.next().unwrap_or_else(|| pattern.chain.clone());
    let rest: Vec<(Join, Chain)> = parts.map(|part| (Join::Loose, part)).collect();
    if rest.is_empty() { first } else { Chain { node: ChainNode::Seq(Box::new(first), rest), span } }
}

fn dedup(texts: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for text in texts {
        if !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
}
