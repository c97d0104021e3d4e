//! The automaton against claims, and against a slow matcher that tries everything.

use petgraph::graph::{DiGraph, NodeIndex};
use proptest::prelude::*;

use super::super::chain::{Pattern, Program};
use super::{Alphabet, find};
use crate::attribution::LaunchId;
use crate::engine::{Occurrence, Tri};
use crate::graph::{Edge, KernelGraph};
use crate::rules::ast::{Chain, ChainNode, Expr, ExprNode, Join};

/// Launches are letters: `a b c` are work, `t` is seen through, `u` perhaps; `x` is perhaps an `a`. `z` is nothing.
struct Letters<'a> {
    launches: &'a [char],
    links: Vec<char>,
}

const ALL: [char; 7] = ['a', 'b', 'c', 't', 'u', 'x', 'z'];

fn says(link: char, launch: char) -> Tri {
    match (link, launch) {
        ('a', 'x') => Tri::Unknown,
        (link, launch) => Tri::from_bool(link == launch),
    }
}

fn see_through(launch: char) -> Tri {
    match launch {
        't' => Tri::Yes,
        'u' => Tri::Unknown,
        _ => Tri::No,
    }
}

impl Alphabet for Letters<'_> {
    fn class(&self, launch: LaunchId) -> u32 {
        ALL.iter().position(|c| *c == self.launches[launch.0 as usize]).unwrap() as u32
    }
    fn classes(&self) -> usize {
        ALL.len()
    }
    fn link(&self, class: u32, link: u32) -> Tri {
        says(self.links[link as usize], ALL[class as usize])
    }
    fn transparent(&self, class: u32) -> Tri {
        see_through(ALL[class as usize])
    }
}

fn node(node: ChainNode) -> Chain {
    Chain { node, span: 0..0 }
}

fn link(letter: char) -> Chain {
    node(ChainNode::Link(Expr { node: ExprNode::Term(letter.to_string()), span: 0..0 }))
}

fn seq(first: Chain, rest: Vec<(Join, Chain)>) -> Chain {
    node(ChainNode::Seq(Box::new(first), rest))
}

fn repeat(inner: Chain, min: u32, max: Option<u32>) -> Chain {
    node(ChainNode::Repeat { inner: Box::new(inner), min, max })
}

fn context(inner: Chain) -> Chain {
    node(ChainNode::Context(Box::new(inner)))
}

use Join::{Loose, Strict};

fn line(len: usize) -> KernelGraph {
    joined(len, &(1..len).map(|i| (i - 1, i, Edge::Stream)).collect::<Vec<_>>())
}

fn joined(len: usize, edges: &[(usize, usize, Edge)]) -> KernelGraph {
    let mut graph = DiGraph::new();
    for launch in 0..len {
        graph.add_node(LaunchId(launch as u32));
    }
    for (from, to, edge) in edges {
        graph.add_edge(NodeIndex::new(*from), NodeIndex::new(*to), *edge);
    }
    KernelGraph { graph }
}

fn run(pattern: Pattern<'_>, launches: &str, graph: &KernelGraph) -> Vec<Occurrence> {
    let launches: Vec<char> = launches.chars().collect();
    let (program, problems) = Program::new(&[Some(pattern)]);
    assert_eq!(problems, []);
    let links = program
        .links
        .iter()
        .map(|link| match &link.node {
            ExprNode::Term(name) => name.chars().next().unwrap(),
            _ => unreachable!(),
        })
        .collect();
    let found = find(&program, &Letters { launches: &launches, links }, graph, u64::MAX);
    found.matches.into_iter().map(|m| m.occurrence).collect()
}

fn bare(chain: &Chain) -> Pattern<'_> {
    Pattern { chain, after: None, before: None }
}

/// Matches in words: counted launches, `(..)` those seen through, `[..]` context, `?` unknown, `~` by time.
fn words(found: &[Occurrence]) -> Vec<String> {
    let list = |of: &[LaunchId]| of.iter().map(|l| l.0.to_string()).collect::<Vec<_>>().join(",");
    found
        .iter()
        .map(|o| {
            let mut text = list(&o.launches);
            if !o.transparent.is_empty() {
                text = text + " (" + &list(&o.transparent) + ")";
            }
            if !o.context.is_empty() {
                text = text + " [" + &list(&o.context) + "]";
            }
            if o.unknown {
                text += " ?";
            }
            if o.inferred {
                text += " ~";
            }
            text
        })
        .collect()
}

fn found(chain: &Chain, launches: &str) -> Vec<String> {
    words(&run(bare(chain), launches, &line(launches.len())))
}

#[test]
fn a_loose_join_sees_through_transparent_launches_only() {
    let chain = seq(link('a'), vec![(Loose, link('b'))]);
    assert_eq!(found(&chain, "atbattb"), ["0,2 (1)", "3,6 (4,5)"]);
    assert_eq!(found(&chain, "azb"), [""; 0]);
}

#[test]
fn a_strict_join_is_the_very_next_event() {
    let chain = seq(link('a'), vec![(Strict, link('b'))]);
    assert_eq!(found(&chain, "ab"), ["0,1"]);
    assert_eq!(found(&chain, "atb"), [""; 0]);
}

#[test]
fn what_is_perhaps_transparent_makes_the_match_unknown() {
    let chain = seq(link('a'), vec![(Loose, link('b'))]);
    assert_eq!(found(&chain, "aub"), ["0,2 (1) ?"]);
    assert_eq!(found(&chain, "xb"), ["0,1 ?"]);
}

#[test]
fn a_launch_that_a_link_matches_is_the_link_and_not_seen_through() {
    let chain = seq(link('a'), vec![(Loose, repeat(link('t'), 0, Some(1))), (Loose, link('b'))]);
    assert_eq!(found(&chain, "atb"), ["0,1,2"]);
}

#[test]
fn repeats_are_joined_loosely_and_take_all_they_can() {
    assert_eq!(found(&repeat(link('a'), 2, Some(2)), "ataaa"), ["0,2 (1)", "3,4"]);
    assert_eq!(found(&repeat(link('a'), 1, None), "atataz"), ["0,2,4 (1,3)"]);
    assert_eq!(found(&repeat(link('a'), 2, Some(3)), "aaaaa"), ["0,1,2", "3,4"]);
}

#[test]
fn context_is_shown_and_not_counted() {
    let chain = seq(link('a'), vec![(Strict, repeat(context(link('b')), 0, None)), (Strict, link('c'))]);
    assert_eq!(found(&chain, "abbc"), ["0,3 [1,2]"]);
    assert_eq!(found(&chain, "ac"), ["0,1"]);
}

#[test]
fn both_stand_in_any_order() {
    let chain = seq(node(ChainNode::Both(vec![link('a'), link('b')])), vec![(Loose, link('c'))]);
    assert_eq!(found(&chain, "abczbtac"), ["0,1,2", "4,6,7 (5)"]);
    assert_eq!(found(&chain, "aac"), [""; 0]);
}

#[test]
fn matches_of_one_rule_do_not_overlap() {
    let chain = seq(link('a'), vec![(Loose, link('b')), (Loose, link('a'))]);
    assert_eq!(found(&chain, "ababa"), ["0,1,2"]);
}

#[test]
fn after_must_stand_there_and_what_is_seen_through_behind_it_belongs_to_the_finding() {
    let (chain, after) = (repeat(link('a'), 2, Some(2)), link('b'));
    let pattern = Pattern { chain: &chain, after: Some(&after), before: None };
    assert_eq!(words(&run(pattern, "btataa", &line(6))), ["2,4 (1,3)"]);
    assert_eq!(words(&run(pattern, "bzaa", &line(4))), [""; 0]);
}

#[test]
fn before_must_stand_there_and_stays_outside() {
    let (chain, before) = (repeat(link('a'), 1, None), link('b'));
    let pattern = Pattern { chain: &chain, after: None, before: Some(&before) };
    assert_eq!(words(&run(pattern, "aatbaa", &line(6))), ["0,1"]);
}

#[test]
fn a_launch_of_another_stream_in_between_breaks_nothing() {
    // 0 and 2 on one stream, 1 on another, joined by time.
    let chain = seq(link('a'), vec![(Strict, link('b'))]);
    let graph = joined(3, &[(0, 2, Edge::Stream), (0, 1, Edge::Time), (1, 2, Edge::Time)]);
    assert_eq!(words(&run(bare(&chain), "azb", &graph)), ["0,2"]);
    let through_it = seq(link('a'), vec![(Strict, link('c')), (Strict, link('b'))]);
    assert_eq!(words(&run(bare(&through_it), "acb", &graph)), ["0,1,2 ~"]);
}

#[test]
fn what_is_seen_through_on_another_stream_is_no_part_of_a_chain_that_needs_no_detour() {
    let chain = seq(link('a'), vec![(Loose, link('b'))]);
    let graph = joined(3, &[(0, 2, Edge::Stream), (0, 1, Edge::Time), (1, 2, Edge::Time)]);
    assert_eq!(words(&run(bare(&chain), "atb", &graph)), ["0,2"]);
    let only_by_time = joined(3, &[(0, 1, Edge::Time), (1, 2, Edge::Stream)]);
    assert_eq!(words(&run(bare(&chain), "atb", &only_by_time)), ["0,2 (1) ~"]);
}

#[test]
fn a_chain_goes_on_over_a_recorded_wait() {
    let chain = seq(link('a'), vec![(Loose, link('b')), (Loose, link('c'))]);
    let graph = joined(4, &[(0, 1, Edge::Stream), (0, 2, Edge::Wait), (2, 3, Edge::Wait)]);
    assert_eq!(words(&run(bare(&chain), "azbc", &graph)), ["0,2,3"]);
}

#[test]
fn a_hundred_thousand_launches_of_a_chain_that_never_ends_take_one_sweep() {
    let chain = seq(repeat(link('a'), 1, None), vec![(Loose, link('b'))]);
    assert_eq!(found(&chain, &"a".repeat(100_000)).len(), 0);
    assert_eq!(found(&chain, &("a".repeat(100_000) + "b")).len(), 1);
}

// The slow matcher: all ways, by the words of the language.

#[derive(Clone, Debug)]
struct Way {
    last: Option<usize>,
    counted: Vec<usize>,
    context: Vec<usize>,
    transparent: Vec<usize>,
    unknown: u32,
}

struct Slow<'a> {
    launches: &'a [char],
    begin: usize,
}

impl Slow<'_> {
    fn ways(&self, chain: &Chain, join: Join, from: &Way, in_context: bool) -> Vec<Way> {
        match &chain.node {
            ChainNode::Any => self.link(|_| Tri::Yes, join, from, in_context),
            ChainNode::Link(expr) => {
                let ExprNode::Term(name) = &expr.node else { unreachable!() };
                let letter = name.chars().next().unwrap();
                self.link(|launch| says(letter, launch), join, from, in_context)
            }
            ChainNode::Seq(first, rest) => {
                let parts: Vec<(Join, &Chain)> =
                    std::iter::once((join, &**first)).chain(rest.iter().map(|(j, c)| (*j, c))).collect();
                self.row(&parts, join, from, in_context)
            }
            ChainNode::Alt(parts) => parts.iter().flat_map(|part| self.ways(part, join, from, in_context)).collect(),
            ChainNode::Both(parts) => {
                let orders: Vec<Vec<usize>> = match parts.len() {
                    2 => vec![vec![0, 1], vec![1, 0]],
                    _ => unreachable!(),
                };
                orders
                    .iter()
                    .flat_map(|order| {
                        let parts: Vec<(Join, &Chain)> = order.iter().map(|i| (Loose, &parts[*i])).collect();
                        self.row(&parts, join, from, in_context)
                    })
                    .collect()
            }
            ChainNode::Repeat { inner, min, max } => {
                let mut all = Vec::new();
                for times in *min..=max.unwrap_or(self.launches.len() as u32 + *min).min(*min + 9) {
                    let parts = vec![(Loose, &**inner); times as usize];
                    let these = self.row(&parts, join, from, in_context);
                    if these.is_empty() {
                        break;
                    }
                    all.extend(these);
                }
                all
            }
            ChainNode::Context(inner) => self.ways(inner, join, from, true),
        }
    }

    /// Parts one after the other; the first that is not empty follows by the join of the whole.
    fn row(&self, parts: &[(Join, &Chain)], whole: Join, from: &Way, in_context: bool) -> Vec<Way> {
        let mut ways = vec![from.clone()];
        for (join, part) in parts {
            ways = ways
                .iter()
                .flat_map(|way| {
                    let join = if way.last == from.last { whole } else { *join };
                    self.ways(part, join, way, in_context)
                })
                .collect();
            ways.sort_by_key(|way| format!("{way:?}"));
            ways.dedup_by_key(|way| format!("{way:?}"));
        }
        ways
    }

    fn link(&self, says: impl Fn(char) -> Tri, join: Join, from: &Way, in_context: bool) -> Vec<Way> {
        let mut all = Vec::new();
        let mut so_far = from.clone();
        let mut at = from.last.map_or(self.begin, |last| last + 1);
        while at < self.launches.len() {
            let launch = self.launches[at];
            if says(launch) != Tri::No {
                let mut way = so_far.clone();
                way.last = Some(at);
                way.unknown += u32::from(says(launch) == Tri::Unknown);
                let into = if in_context { &mut way.context } else { &mut way.counted };
                into.push(at);
                all.push(way);
            }
            if join == Strict || from.last.is_none() || see_through(launch) == Tri::No {
                break;
            }
            so_far.unknown += u32::from(see_through(launch) == Tri::Unknown);
            so_far.transparent.push(at);
            at += 1;
        }
        all
    }
}

/// (length, fewer unknown, links, counted): what makes one way better than another.
type Rank = (usize, i64, usize, usize);

/// Leftmost, longest matches: of each its best rank and all ways that have it.
fn slow(pattern: Pattern<'_>, launches: &[char]) -> Vec<(usize, Rank, Vec<Occurrence>)> {
    let empty = Way { last: None, counted: vec![], context: vec![], transparent: vec![], unknown: 0 };
    let mut all = Vec::new();
    let (mut begin, mut free) = (0, 0);
    while begin < launches.len() {
        let slow = Slow { launches, begin };
        let mut ways: Vec<(Rank, Way)> = Vec::new();
        for way in slow.ways(pattern.chain, Loose, &empty, false) {
            let Some(last) = way.last else { continue };
            let behind = match pattern.before {
                None => Some(0),
                Some(before) => {
                    let fresh = Way { last: Some(last), ..empty.clone() };
                    slow.ways(before, Loose, &fresh, true).iter().map(|w| w.unknown).min()
                }
            };
            let Some(behind) = behind else { continue };
            let mut way = way;
            way.unknown += behind;
            let rank =
                (last + 1 - begin, -i64::from(way.unknown), way.counted.len() + way.context.len(), way.counted.len());
            ways.push((rank, way));
        }
        let in_front = match pattern.after {
            None => Some((0, 0, begin)),
            Some(after) => (0..begin)
                .flat_map(|start| Slow { launches: &launches[..begin], begin: start }.ways(after, Loose, &empty, true))
                .filter_map(|way| {
                    let behind = way.last? + 1;
                    let between = &launches[behind..begin];
                    let unknown = between.iter().filter(|l| see_through(**l) == Tri::Unknown).count() as u32;
                    between.iter().all(|l| see_through(*l) != Tri::No).then_some((
                        way.unknown + unknown,
                        way.transparent.len() + between.len(),
                        behind,
                    ))
                })
                .min_by_key(|(unknown, skipped, behind)| (*unknown, *skipped, std::cmp::Reverse(*behind))),
        };
        // What an earlier match has is not seen through by a later one.
        let in_front = in_front.filter(|(_, _, behind)| *behind >= free || *behind == begin);
        let best = ways.iter().map(|(rank, _)| *rank).max();
        let (Some(best), Some((unknown_in_front, ..))) = (best, in_front) else {
            begin += 1;
            continue;
        };
        let ids = |of: &[usize]| of.iter().map(|i| LaunchId(*i as u32)).collect();
        let occurrences = ways
            .iter()
            .filter(|(rank, _)| *rank == best)
            .map(|(_, way)| Occurrence {
                launches: ids(&way.counted),
                transparent: ids(&way.transparent),
                context: ids(&way.context),
                unknown: way.unknown + unknown_in_front > 0,
                inferred: false,
            })
            .collect();
        all.push((begin, best, occurrences));
        begin += best.0;
        free = begin;
    }
    all
}

fn any_chain() -> impl Strategy<Value = Chain> {
    let leaf = prop_oneof![
        6 => prop::sample::select(vec!['a', 'b', 't']).prop_map(link),
        1 => Just(node(ChainNode::Any)),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        let join = prop_oneof![Just(Loose), Just(Strict)];
        prop_oneof![
            4 => (inner.clone(), prop::collection::vec((join, inner.clone()), 1..3)).prop_map(|(f, r)| seq(f, r)),
            1 => prop::collection::vec(inner.clone(), 2..3).prop_map(|parts| node(ChainNode::Alt(parts))),
            1 => prop::collection::vec(inner.clone(), 2..=2).prop_map(|parts| node(ChainNode::Both(parts))),
            2 => (inner.clone(), 0u32..3, prop::option::of(0u32..2)).prop_map(|(inner, min, more)| {
                repeat(inner, min, more.map(|more| (min + more).max(1)))
            }),
            1 => inner.prop_map(context),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, max_global_rejects: 2_000_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Lengths, counts and doubts are those of the best way there is, and the launches are those of one such way.
    #[test]
    fn the_automaton_equals_a_matcher_that_tries_everything(
        chain in any_chain(),
        after in prop::option::weighted(0.3, any_chain()),
        before in prop::option::weighted(0.3, any_chain()),
        launches in prop::collection::vec(prop::sample::select(vec!['a', 'b', 't', 'u', 'x', 'z']), 0..=8),
    ) {
        prop_assume!(crate::rules::check_chain(&chain, true).is_ok());
        let needs = |chain: &Option<Chain>| chain.as_ref().is_none_or(|chain| !nullable(chain));
        prop_assume!(needs(&after) && needs(&before));
        let pattern = Pattern { chain: &chain, after: after.as_ref(), before: before.as_ref() };
        let text: String = launches.iter().collect();
        let fast = run(pattern, &text, &line(launches.len()));
        let slow = slow(pattern, &launches);
        prop_assert_eq!(fast.len(), slow.len(), "{:?} {:?}", fast, slow);
        for (mut one, (begin, _, ways)) in fast.into_iter().zip(slow) {
            one.transparent.retain(|launch| launch.0 as usize >= begin);
            prop_assert!(ways.contains(&one), "{:?} is none of {:?}", one, ways);
        }
    }
}

fn nullable(chain: &Chain) -> bool {
    match &chain.node {
        ChainNode::Link(_) | ChainNode::Any => false,
        ChainNode::Seq(first, rest) => nullable(first) && rest.iter().all(|(_, part)| nullable(part)),
        ChainNode::Alt(parts) => parts.iter().any(nullable),
        ChainNode::Both(parts) => parts.iter().all(nullable),
        ChainNode::Repeat { inner, min, .. } => *min == 0 || nullable(inner),
        ChainNode::Context(inner) => nullable(inner),
    }
}
