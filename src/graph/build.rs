//! Stream order, recorded waits, and the main line by time.

use std::collections::BTreeMap;

use petgraph::graph::{DiGraph, NodeIndex};

use super::{Edge, KernelGraph};
use crate::attribution::{Launch, Stage, StepId, StreamId, Timeline};
use crate::trace::SyncEvent;
use crate::units::Nanos;

/// Entries of clocks that are kept, four bytes each.
const MOST_CLOCKS: usize = 64 << 20;
/// Waits of one launch among which the nearest are looked for.
const MOST_BEFORE: usize = 256;

/// What a chain never crosses. Lines never mix devices either.
type Border = (u32, Stage, Option<StepId>);

pub(super) fn build(timeline: &Timeline) -> KernelGraph {
    let launches = &timeline.launches;
    let devices = devices(timeline);
    let border = |launch: &Launch| -> Border { (devices[launch.stream.0 as usize], launch.stage, launch.step) };
    let waits = recorded_waits(timeline, &devices);
    let solo = alone(launches, &devices, timeline.streams.len());
    let main = main_streams(launches, border);

    let mut graph = DiGraph::with_capacity(launches.len(), launches.len());
    for launch in timeline.launch_ids() {
        graph.add_node(launch);
    }
    let mut order = Order::new(launches, timeline.streams.len(), waits.edges.len());
    let mut last_of_line: Vec<Option<u32>> = vec![None; devices.iter().max().map_or(0, |most| *most as usize + 1)];
    let mut wait = waits.edges.iter().peekable();
    for (index, launch) in launches.iter().enumerate() {
        let here = index as u32;
        let mut before: Vec<(u32, Edge)> =
            order.last[launch.stream.0 as usize].map(|l| (l, Edge::Stream)).into_iter().collect();
        while let Some((_, source)) = wait.next_if(|(target, _)| *target == here) {
            before.push((*source, Edge::Wait));
        }
        order.join(here, &mut before);

        let in_main_line = solo[index] || main.get(&border(launch)) == Some(&launch.stream);
        if in_main_line {
            let last = &mut last_of_line[devices[launch.stream.0 as usize] as usize];
            if let Some(from) = last.replace(here)
                && follows_in_time(&launches[from as usize], launch)
                && (!waits.recorded || (launch.replay.is_some() && launches[from as usize].replay == launch.replay))
                && before.iter().all(|(other, _)| *other != from)
            {
                before.push((from, Edge::Time));
            }
        }
        for (from, edge) in before {
            if border(&launches[from as usize]) == border(launch) {
                graph.add_edge(NodeIndex::new(from as usize), NodeIndex::new(index), edge);
            }
        }
    }
    KernelGraph { graph }
}

/// On another stream, not before the other has ended, and not called before it.
fn follows_in_time(from: &Launch, to: &Launch) -> bool {
    from.stream != to.stream
        && from.end() <= to.start
        && !matches!((from.called, to.called), (Some(earlier), Some(later)) if later < earlier)
}

/// The device of each stream, as a number.
fn devices(timeline: &Timeline) -> Vec<u32> {
    let mut known: BTreeMap<&str, u32> = BTreeMap::new();
    timeline
        .streams
        .iter()
        .map(|stream| {
            let next = known.len() as u32;
            *known.entry(stream.device.as_str()).or_insert(next)
        })
        .collect()
}

struct Waits {
    /// (launch that waits, launch waited for), by the first.
    edges: Vec<(u32, u32)>,
    /// Whether the trace records waits between streams at all.
    recorded: bool,
}

/// Correlation numbers rise with each call, so what a recorded event covers is what its stream was given before the
/// recording call, and what waits is what the other stream was given after the waiting call.
fn recorded_waits(timeline: &Timeline, devices: &[u32]) -> Waits {
    let between: Vec<(i64, i64, &SyncEvent)> = timeline
        .syncs
        .iter()
        .filter_map(|sync| match (sync.stream.get(), sync.wait_on_stream.get()) {
            (Some(to), Some(from)) if to >= 0 && from >= 0 && to != from => Some((to, from, sync)),
            _ => None,
        })
        .collect();
    let recorded = !between.is_empty();
    // Stream numbers and correlations repeat from device to device; a wait names neither.
    if devices.iter().any(|device| *device > 0) || !recorded {
        return Waits { edges: Vec::new(), recorded };
    }
    let by_number: BTreeMap<i64, usize> =
        timeline.streams.iter().enumerate().map(|(index, stream)| (stream.number, index)).collect();
    let mut calls: Vec<Vec<(i64, u32)>> = vec![Vec::new(); timeline.streams.len()];
    for (index, launch) in timeline.launches.iter().enumerate() {
        if let Some(correlation) = launch.correlation.get() {
            calls[launch.stream.0 as usize].push((correlation, index as u32));
        }
    }
    for list in &mut calls {
        list.sort_unstable();
    }
    let mut edges: Vec<(u32, u32)> = between
        .into_iter()
        .filter_map(|(to, from, sync)| {
            let (recorded, waiting) = (sync.wait_on_record.get().filter(|c| *c >= 0)?, sync.correlation.get()?);
            let sources = &calls[*by_number.get(&from)?];
            let targets = &calls[*by_number.get(&to)?];
            let source = sources[..sources.partition_point(|(c, _)| *c <= recorded)].last()?.1;
            let target = targets.get(targets.partition_point(|(c, _)| *c < waiting))?.1;
            (source < target).then_some((target, source))
        })
        .collect();
    edges.sort_unstable();
    edges.dedup();
    Waits { edges, recorded }
}

/// What happens before what, so that an edge is left out where a longer way says the same: of `a`, its stream's next
/// event `c`, and a `b` on another stream that waits for `a` and that `c` waits for, the line is `a b c`.
///
/// That takes a clock of all streams for each wait. Where so many would not fit, every edge is kept.
struct Order {
    fits: bool,
    /// Last launch of each stream so far.
    last: Vec<Option<u32>>,
    stream: Vec<StreamId>,
    /// Which entry of `clocks` holds for a launch.
    clock: Vec<u32>,
    /// For each stream, one more than the last launch that came before. A new one only where streams join.
    clocks: Vec<Box<[u32]>>,
}

impl Order {
    fn new(launches: &[Launch], streams: usize, waits: usize) -> Self {
        Self {
            fits: streams.saturating_mul(waits) <= MOST_CLOCKS,
            last: vec![None; streams],
            stream: launches.iter().map(|launch| launch.stream).collect(),
            clock: vec![0; launches.len()],
            clocks: vec![vec![0; streams].into_boxed_slice()],
        }
    }

    /// Whether `a` is `b` or comes before it by stream order and recorded waits.
    fn before(&self, a: u32, b: u32) -> bool {
        let (of_a, of_b) = (self.stream[a as usize], self.stream[b as usize]);
        if of_a == of_b { a <= b } else { self.clocks[self.clock[b as usize] as usize][of_a.0 as usize] > a }
    }

    /// Takes `here` in after those `before` it, and keeps only the nearest of these.
    fn join(&mut self, here: u32, before: &mut Vec<(u32, Edge)>) {
        let own = self.stream[here as usize].0 as usize;
        match before.as_slice() {
            [] => {}
            [(only, Edge::Stream)] => self.clock[here as usize] = self.clock[*only as usize],
            several if self.fits && several.len() <= MOST_BEFORE => {
                let mut joined = vec![0; self.last.len()].into_boxed_slice();
                for (from, _) in several {
                    for (seen, new) in joined.iter_mut().zip(&self.clocks[self.clock[*from as usize] as usize]) {
                        *seen = (*seen).max(*new);
                    }
                    let of_from = self.stream[*from as usize].0 as usize;
                    joined[of_from] = joined[of_from].max(from + 1);
                }
                let nearest: Vec<(u32, Edge)> = several
                    .iter()
                    .filter(|(a, _)| !several.iter().any(|(b, _)| a != b && self.before(*a, *b)))
                    .copied()
                    .collect();
                self.clock[here as usize] = self.clocks.len() as u32;
                self.clocks.push(joined);
                *before = nearest;
            }
            _ => {}
        }
        self.last[own] = Some(here);
    }
}

/// Which launches have nothing beside them on another stream of their device: two looks at each launch, however many
/// run at once.
fn alone(launches: &[Launch], devices: &[u32], streams: usize) -> Vec<bool> {
    let mut solo = vec![true; launches.len()];
    let device = |launch: &Launch| devices[launch.stream.0 as usize] as usize;
    // The latest end so far, and the latest on any other stream.
    let mut ends: Vec<[Option<(Nanos, StreamId)>; 2]> = vec![[None; 2]; streams.max(1)];
    for (index, launch) in launches.iter().enumerate() {
        let ends = &mut ends[device(launch)];
        let end = Some((launch.end(), launch.stream));
        let on_own = |end: Option<(Nanos, StreamId)>| end.is_none_or(|(_, stream)| stream == launch.stream);
        let beside = if on_own(ends[0]) { ends[1] } else { ends[0] };
        solo[index] &= beside.is_none_or(|(until, _)| until <= launch.start);
        if on_own(ends[0]) {
            ends[0] = ends[0].max(end);
        } else if ends[0] < end {
            *ends = [end, ends[0]];
        } else if ends[1] < end {
            ends[1] = end;
        }
    }
    // The next start, and the next on any other stream than that.
    let mut starts: Vec<[Option<(Nanos, StreamId)>; 2]> = vec![[None; 2]; streams.max(1)];
    for (index, launch) in launches.iter().enumerate().rev() {
        let starts = &mut starts[device(launch)];
        let on_own = starts[0].is_none_or(|(_, stream)| stream == launch.stream);
        let beside = if on_own { starts[1] } else { starts[0] };
        solo[index] &= beside.is_none_or(|(from, _)| from >= launch.end());
        if !on_own {
            starts[1] = starts[0];
        }
        starts[0] = Some((launch.start, launch.stream));
    }
    solo
}

/// The stream with most GPU time of each step (the lower number where two are equal).
fn main_streams(launches: &[Launch], border: impl Fn(&Launch) -> Border) -> BTreeMap<Border, StreamId> {
    let mut time: BTreeMap<(Border, StreamId), Nanos> = BTreeMap::new();
    for launch in launches {
        *time.entry((border(launch), launch.stream)).or_default() += launch.dur;
    }
    let mut main: BTreeMap<Border, (Nanos, StreamId)> = BTreeMap::new();
    for ((border, stream), time) in time {
        let best = main.entry(border).or_insert((time, stream));
        if time > best.0 {
            *best = (time, stream);
        }
    }
    main.into_iter().map(|(border, (_, stream))| (border, stream)).collect()
}
