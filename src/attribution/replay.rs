//! Graph replays in, captured launches out: joined by position, names compared one by one.

use rustc_hash::FxHashMap;

use super::launch::{CallRole, CallRoles, Joined};
use super::place::Texts;
use super::stage::Steps;
use super::{Replay, Settings};
use crate::kernel_name::{self, KernelName};
use crate::trace::{GpuKind, StringId, Strings, Trace};
use crate::units::Nanos;

/// One captured launch, or one kernel of a replay, as far as they can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Node {
    kind: GpuKind,
    /// Demangled; none where the call does not say.
    name: Option<StringId>,
}

/// A trace that captures may be found in.
pub(super) struct Side<'a> {
    pub(super) trace: &'a Trace,
    pub(super) joined: Joined,
    pub(super) steps: Steps,
    pub(super) texts: Texts<'a>,
}

/// The launches between begin and end of one capture.
pub(super) struct Segment {
    /// Which trace: 0 is the timeline's own, then its siblings.
    trace: usize,
    /// The batch size that the annotation around it names.
    size: Option<i64>,
    /// Its calls, in order.
    pub(super) calls: Vec<u32>,
    nodes: Vec<Node>,
}

impl Segment {
    /// Whether it was made in this trace.
    pub(super) fn is_of(&self, trace: usize) -> bool {
        self.trace == trace
    }
}

/// Demangled names, each found once.
pub(super) struct Demangler<'a> {
    settings: &'a kernel_name::Settings,
    known: FxHashMap<StringId, StringId>,
}

impl<'a> Demangler<'a> {
    pub(super) fn new(settings: &'a kernel_name::Settings) -> Self {
        Self { settings, known: FxHashMap::default() }
    }

    fn demangled(&mut self, name: StringId, strings: &mut Strings) -> StringId {
        if let Some(&known) = self.known.get(&name) {
            return known;
        }
        let demangled = KernelName::parse(strings.get(name), self.settings).demangled;
        let id = strings.intern(&demangled);
        self.known.insert(name, id);
        id
    }
}

/// The graph captures of a trace. Launches that have a GPU event ran at once, so they belong to none.
pub(super) fn segments(
    index: usize,
    side: &mut Side<'_>,
    settings: &Settings,
    strings: &mut Strings,
    demangler: &mut Demangler<'_>,
) -> Vec<Segment> {
    let Side { trace, joined, steps, texts } = side;
    let mut roles = CallRoles::new(&settings.calls);
    let mut order: Vec<u32> = (0..trace.runtime.len() as u32)
        .filter(|&i| {
            let lane = trace.runtime[i as usize].lane;
            joined.hosts[trace.lanes[lane.0 as usize].process.0 as usize]
        })
        .collect();
    order.sort_by_key(|&i| (trace.runtime[i as usize].lane, trace.runtime[i as usize].start, i));
    let mut found = Vec::new();
    for lane in order.chunk_by(|&a, &b| trace.runtime[a as usize].lane == trace.runtime[b as usize].lane) {
        let mut open: Option<Segment> = None;
        for &i in lane {
            let call = &trace.runtime[i as usize];
            match roles.of(call.name, texts.get(call.name, strings)) {
                CallRole::CaptureBegin => {
                    let batch = steps.capture_size(call.lane, call.start);
                    open = Some(Segment { trace: index, size: batch, calls: Vec::new(), nodes: Vec::new() });
                }
                CallRole::CaptureEnd => found.extend(open.take()),
                CallRole::Launch(kind) if !joined.has_work[i as usize] => {
                    if let Some(segment) = &mut open {
                        let name = call.kernel.map(|name| {
                            let name = texts.map(name, strings);
                            demangler.demangled(name, strings)
                        });
                        segment.calls.push(i);
                        segment.nodes.push(Node { kind, name });
                    }
                }
                _ => {}
            }
        }
        // A capture that the file cuts off still tells its first launches.
        found.extend(open);
    }
    found.retain(|segment| !segment.calls.is_empty());
    found
}

/// From begin to end of each graph capture of a trace, on whatever thread; one that the file cuts off has no end.
pub fn capture_windows(trace: &Trace, settings: &Settings) -> Vec<(Nanos, Nanos)> {
    let mut roles = CallRoles::new(&settings.calls);
    let mut marks: Vec<_> = (trace.runtime.iter())
        .map(|call| (call.lane, call.start, call.start + call.dur, roles.of(call.name, trace.strings.get(call.name))))
        .filter(|mark| matches!(mark.3, CallRole::CaptureBegin | CallRole::CaptureEnd))
        .collect();
    marks.sort_by_key(|&(lane, start, _, _)| (lane, start));
    let mut windows: Vec<(Nanos, Nanos)> = Vec::new();
    let mut open = None;
    for (lane, start, end, role) in marks {
        if role == CallRole::CaptureBegin {
            open = Some((lane, start));
        } else if let Some((begun_on, begin)) = open.take()
            && begun_on == lane
        {
            windows.push((begin, end));
        }
    }
    windows.extend(open.map(|(_, begin)| (begin, Nanos(i64::MAX))));
    windows.sort_unstable();
    windows
}

/// Where a kernel of a replay was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Captured {
    /// Which trace, see [`Segment`].
    pub(super) trace: usize,
    /// Which call of it.
    pub(super) call: u32,
    /// Whether it is sure that this capture was replayed, and not one of the same kernels for another batch size.
    pub(super) sure: bool,
}

/// The graph replays of a timeline.
#[derive(Default)]
pub(super) struct Replays {
    pub(super) replays: Vec<Replay>,
    /// By event: the replay it belongs to and, when joined, where it was captured. Empty when there are no replays.
    pub(super) of: Vec<Option<(u32, Option<Captured>)>>,
}

/// Joins the kernels of each graph launch with the capture whose names are the same.
pub(super) fn replays(
    side: &Side<'_>,
    settings: &Settings,
    segments: &[Segment],
    strings: &mut Strings,
    demangler: &mut Demangler<'_>,
) -> Replays {
    let (trace, joined) = (side.trace, &side.joined);
    let mut roles = CallRoles::new(&settings.calls);
    let mut by_call: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
    let mut calls: Vec<u32> = Vec::new();
    for (at, &call) in joined.calls.iter().enumerate() {
        let Some(call) = call else { continue };
        let name = trace.runtime[call as usize].name;
        if roles.of(name, strings.get(name)) == CallRole::Graph {
            by_call
                .entry(call)
                .or_insert_with(|| {
                    calls.push(call);
                    Vec::new()
                })
                .push(at as u32);
        }
    }
    calls.sort_by_key(|&call| (trace.runtime[call as usize].start, call));
    let mut out = Replays::default();
    if !calls.is_empty() {
        out.of = vec![None; joined.events.len()];
    }
    let mut matches: FxHashMap<Vec<Node>, Vec<Match>> = FxHashMap::default();
    // Equal replays take equal segments in turn: the layers of a piecewise graph.
    let mut turns: FxHashMap<Vec<Match>, usize> = FxHashMap::default();
    for call in calls {
        let events = &by_call[&call];
        let nodes: Vec<Node> = events
            .iter()
            .map(|&at| {
                let event = &trace.gpu[joined.events[at as usize] as usize];
                Node { kind: event.kind, name: Some(demangler.demangled(event.name, strings)) }
            })
            .collect();
        let fitting = matches.entry(nodes).or_insert_with_key(|n| best_matches(n, segments, settings.prefix_percent));
        let launched = &trace.runtime[call as usize];
        let process = trace.lanes[launched.lane.0 as usize].process;
        let (fitting, sure) = of_size(fitting, segments, side.steps.size(process, launched.lane, launched.start));
        let best = match fitting.len() {
            0 => None,
            count => {
                let turn = turns.entry(fitting.clone()).or_default();
                *turn += 1;
                Some(fitting[(*turn - 1) % count])
            }
        };
        let index = out.replays.len() as u32;
        out.replays.push(Replay { kernels: events.len() as u32, joined: best.map_or(0, |m| m.len as u32) });
        for (position, &at) in events.iter().enumerate() {
            let captured = best.filter(|m| position < m.len).map(|m| {
                let segment = &segments[m.segment];
                Captured { trace: segment.trace, call: segment.calls[position], sure }
            });
            out.of[at as usize] = Some((index, captured));
        }
    }
    out
}

/// Of segments that fit alike, those captured for the smallest batch size that holds the step; and whether the size is
/// beyond doubt.
fn of_size(fitting: &[Match], segments: &[Segment], wanted: Option<i64>) -> (Vec<Match>, bool) {
    let size = |m: &Match| segments[m.segment].size;
    let first = fitting.first().and_then(size);
    if fitting.len() < 2 || (first.is_some() && fitting.iter().all(|m| size(m) == first)) {
        return (fitting.to_vec(), true);
    }
    let holds = fitting.iter().filter_map(size).filter(|&s| wanted.is_some_and(|wanted| s >= wanted)).min();
    match holds {
        Some(holds) => (fitting.iter().copied().filter(|m| size(m) == Some(holds)).collect(), true),
        None => (fitting.to_vec(), false),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Match {
    segment: usize,
    len: usize,
}

/// The segments that fit best: of the same names and length, else with the longest common begin that is long enough.
fn best_matches(replay: &[Node], segments: &[Segment], prefix_percent: usize) -> Vec<Match> {
    let mut best: Vec<Match> = Vec::new();
    let mut best_fit = (false, 0, std::cmp::Reverse(usize::MAX));
    for (index, segment) in segments.iter().enumerate() {
        let Some(len) = common(replay, &segment.nodes, prefix_percent) else { continue };
        let rest = segment.nodes.len() - len;
        let fit = (len == replay.len() && rest == 0, len, std::cmp::Reverse(rest));
        if best.is_empty() || fit > best_fit {
            best_fit = fit;
            best = vec![Match { segment: index, len }];
        } else if fit == best_fit && segments[best[0].segment].trace == segment.trace {
            best.push(Match { segment: index, len });
        }
    }
    best
}

/// How many launches from the first on are the same; none when too few.
fn common(replay: &[Node], captured: &[Node], prefix_percent: usize) -> Option<usize> {
    let named = captured.iter().any(|c| c.name.is_some());
    if !named && replay.len() != captured.len() {
        return None;
    }
    let same = |(r, c): &(&Node, &Node)| r.kind == c.kind && (c.name.is_none() || c.name == r.name);
    let len = replay.iter().zip(captured).take_while(same).count();
    let enough = if named { len * 100 >= replay.len() * prefix_percent } else { len == replay.len() };
    (enough && len > 0).then_some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(names: &[u32]) -> Vec<Node> {
        names.iter().map(|&n| Node { kind: GpuKind::Kernel, name: Some(StringId::new(n)) }).collect()
    }

    fn segment(names: &[u32]) -> Segment {
        Segment { trace: 0, size: None, calls: vec![0; names.len()], nodes: nodes(names) }
    }

    fn unnamed(count: usize) -> Segment {
        let node = Node { kind: GpuKind::Kernel, name: None };
        Segment { trace: 0, size: None, calls: vec![0; count], nodes: vec![node; count] }
    }

    fn best(replay: &[u32], segments: &[Segment]) -> Vec<(usize, usize)> {
        best_matches(&nodes(replay), segments, 90).iter().map(|m| (m.segment, m.len)).collect()
    }

    #[test]
    fn the_capture_with_the_same_names_wins_over_one_that_goes_on() {
        assert_eq!(best(&[1, 2, 3], &[segment(&[1, 2, 3, 4]), segment(&[1, 2, 3])]), [(1, 3)]);
    }

    #[test]
    fn a_capture_that_goes_on_is_joined_by_its_begin() {
        assert_eq!(best(&[1, 2, 3], &[segment(&[1, 2, 3, 4])]), [(0, 3)]);
    }

    #[test]
    fn a_capture_of_other_kernels_is_not_joined() {
        assert_eq!(best(&[1, 2, 3], &[segment(&[1, 9, 3]), segment(&[7])]), []);
    }

    #[test]
    fn without_names_only_equal_counts_are_joined() {
        assert_eq!(best(&[1, 2], &[unnamed(3), unnamed(2)]), [(1, 2)]);
    }

    #[test]
    fn equal_segments_are_all_found_to_be_taken_in_turn() {
        assert_eq!(best(&[1, 2], &[segment(&[1, 2]), segment(&[5]), segment(&[1, 2])]), [(0, 2), (2, 2)]);
    }
}
