//! The nearest miss of a chain: how far it came, which link was asked for next, and what stood there instead.

use std::collections::BTreeMap;

use super::automaton::{Alphabet, by_class};
use super::chain::Pattern;
use super::look::Compiled;
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
    let matching = by_class(side, &look);
    let text = |position: u32| {
        let link = side.positions[position as usize].link;
        link.map_or("_".to_owned(), |link| print_expr(&compiled.program.links[link as usize]))
    };
    let through = |launch| look.transparent(look.class(launch)) != Tri::No;

    let mut reached: Vec<Vec<Reach>> = Vec::with_capacity(graph.len());
    // Positions passed before a launch that is seen through.
    let mut waiting: Vec<Vec<(Reach, LaunchId)>> = Vec::with_capacity(graph.len());
    for launch in timeline.launch_ids().take(graph.len()) {
        let mut here: Vec<Reach> = Vec::new();
        let mut passed: BTreeMap<u32, (Reach, LaunchId)> = BTreeMap::new();
        let before: Vec<LaunchId> = graph.predecessors(launch).map(|(before, _)| before).collect();
        for (position, _) in &matching[look.class(launch) as usize] {
            let mut best = first.contains(position).then_some(Reach { position: *position, links: 1, from: None });
            let mut offer = |reach: &Reach, at: LaunchId, loosely: bool| {
                let follows = side.positions[reach.position as usize].follow.iter();
                let mut joins = follows.filter(|(next, join)| next == position && (!loosely || *join == Join::Loose));
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
        if through(launch) {
            for before in &before {
                let own = reached[before.0 as usize].iter().map(|reach| (*reach, *before));
                for (reach, at) in own.chain(waiting[before.0 as usize].iter().copied()) {
                    let known = passed.entry(reach.position).or_insert((reach, at));
                    if reach.links > known.0.links {
                        *known = (reach, at);
                    }
                }
            }
        }
        reached.push(here);
        waiting.push(passed.into_values().collect());
    }

    let furthest = reached
        .iter()
        .flatten()
        .filter(|reach| !side.positions[reach.position as usize].accept)
        .map(|reach| reach.links)
        .max();
    let Some(furthest) = furthest else {
        let expected = dedup(first.iter().map(|position| text(*position)).collect());
        return Some(Miss { matched: Vec::new(), expected, strict: false, stood: None, times: 0, open: Vec::new() });
    };
    // Of those that came furthest, the most frequent way to break; the earliest of these.
    let mut ways: BTreeMap<(u32, Option<KernelId>), Way> = BTreeMap::new();
    for launch in timeline.launch_ids().take(graph.len()) {
        for reach in reached[launch.0 as usize].iter().filter(|reach| reach.links == furthest) {
            let position = &side.positions[reach.position as usize];
            if position.accept {
                continue;
            }
            let loose = position.follow.iter().any(|(_, join)| *join == Join::Loose);
            let next = |at| graph.successors(at).min_by_key(|(next, edge)| (*edge, *next)).map(|(next, _)| next);
            let mut stood = next(launch);
            while let Some(at) = stood.filter(|at| loose && through(*at)) {
                stood = next(at);
            }
            let kernel = stood.map(|stood| timeline.launch(stood).kernel);
            ways.entry((reach.position, kernel)).or_insert(Way { times: 0, launch, stood }).times += 1;
        }
    }
    let ((position, _), Way { times, launch, stood }) =
        ways.into_iter().max_by_key(|(_, way)| (way.times, std::cmp::Reverse(way.launch)))?;
    let follow = &side.positions[position as usize].follow;
    let open = stood.map_or(Vec::new(), |stood| {
        let links = follow.iter().filter_map(|(next, _)| side.positions[*next as usize].link);
        dedup(links.flat_map(|link| look.open(stood, link)).collect())
    });
    let mut matched = vec![launch];
    let mut at = reached[launch.0 as usize].iter().find(|reach| reach.position == position).and_then(|r| r.from);
    while let Some((before, position)) = at {
        matched.push(before);
        at = reached[before.0 as usize].iter().find(|reach| reach.position == position).and_then(|r| r.from);
    }
    matched.reverse();
    Some(Miss {
        matched,
        expected: dedup(follow.iter().map(|(next, _)| text(*next)).collect()),
        strict: follow.iter().all(|(_, join)| *join == Join::Strict),
        stood,
        times,
        open,
    })
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
