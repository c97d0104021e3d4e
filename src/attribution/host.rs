//! What the host did while the GPU had run dry: the frame, the op and the call that fill most of the time until the launch
//! that ended it.

use std::cmp::Reverse;
use std::ops::Range;

use rustc_hash::FxHashMap;

use super::launch::Joined;
use super::pattern::any;
use super::stage::Where;
use super::{HostWork, LaunchId, Settings, Sites, site};
use crate::trace::{Frame, LaneId, StringId, Strings, Trace};
use crate::units::Nanos;

/// A time in which the thread of a launch had launched nothing.
struct Dry {
    lane: LaneId,
    from: Nanos,
    to: Nanos,
    launch: LaunchId,
}

/// The deepest span so far that fills most of a time: highest rank, then latest start, then shortest.
type Best = Option<((u32, Nanos, Reverse<Nanos>), StringId)>;

/// A time in which the host was late, with the names of what filled it.
pub(super) struct Filled {
    launch: LaunchId,
    frame: Option<StringId>,
    op: Option<StringId>,
    call: Option<StringId>,
}

/// The times in which the host was late, while what filled them is looked for.
pub(super) struct Late {
    /// By thread, then time; no two of a thread overlap.
    times: Vec<Dry>,
    lanes: FxHashMap<LaneId, Range<usize>>,
    frames: Vec<Best>,
    /// Of frames, by name.
    ranks: FxHashMap<StringId, Option<u32>>,
}

/// Those of one thread.
pub(super) struct LateLane<'a> {
    times: &'a [Dry],
    frames: &'a mut [Best],
    ranks: &'a mut FxHashMap<StringId, Option<u32>>,
    cursor: Cursor,
}

impl Late {
    /// `found`: the step of each event.
    pub(super) fn find(trace: &Trace, joined: &Joined, found: &[Where], settings: &Settings) -> Self {
        let times = times(trace, joined, found, settings.host_min);
        let mut lanes: FxHashMap<LaneId, Range<usize>> = FxHashMap::default();
        for (at, time) in times.iter().enumerate() {
            lanes.entry(time.lane).or_insert(at..at).end = at + 1;
        }
        let frames = vec![None; times.len()];
        Self { times, lanes, frames, ranks: FxHashMap::default() }
    }

    /// Those of a thread, to be shown its frames.
    pub(super) fn lane(&mut self, lane: LaneId) -> Option<LateLane<'_>> {
        let own = self.lanes.get(&lane)?.clone();
        let (times, frames) = (&self.times[own.clone()], &mut self.frames[own]);
        Some(LateLane { times, frames, ranks: &mut self.ranks, cursor: Cursor::default() })
    }

    /// What filled them, once all frames were shown.
    pub(super) fn filled(self, trace: &Trace) -> Vec<Filled> {
        let Self { times, lanes, frames, .. } = self;
        if times.is_empty() {
            return Vec::new();
        }
        let of = |lane: LaneId| lanes.get(&lane).map(|own| (own.clone(), &times[own.clone()]));
        let (mut ops, mut calls): (Vec<Best>, Vec<Best>) = (vec![None; times.len()], vec![None; times.len()]);
        let mut cursors: FxHashMap<LaneId, Cursor> = FxHashMap::default();
        for op in &trace.ops {
            let Some((own, times)) = of(op.lane) else { continue };
            let cursor = cursors.entry(op.lane).or_default();
            cursor.offer(times, &mut ops[own], (op.start, op.dur), op.name, || Some(0));
        }
        cursors.clear();
        for call in &trace.runtime {
            let Some((own, times)) = of(call.lane) else { continue };
            let cursor = cursors.entry(call.lane).or_default();
            cursor.offer(times, &mut calls[own], (call.start, call.dur), call.name, || Some(0));
        }
        let name = |best: &Best| best.map(|(_, name)| name);
        (times.iter().zip(frames.iter().zip(ops.iter().zip(&calls))))
            .map(|(time, (frame, (op, call)))| Filled {
                launch: time.launch,
                frame: name(frame),
                op: name(op),
                call: name(call),
            })
            .collect()
    }
}

impl LateLane<'_> {
    /// A frame of the thread, in order of start; `text` gives its name.
    #[inline]
    pub(super) fn frame<'t>(&mut self, frame: &Frame, sites: &Sites, text: impl Fn() -> &'t str) {
        let Self { times, frames, ranks, cursor } = self;
        cursor.offer(times, frames, (frame.start, frame.dur), frame.name, || {
            *ranks.entry(frame.name).or_insert_with(|| rank(text(), sites))
        });
    }
}

/// The same as people read it.
pub(super) fn work(filled: Vec<Filled>, strings: &mut Strings, sites: &Sites) -> Vec<HostWork> {
    let mut texts: FxHashMap<StringId, Option<StringId>> = FxHashMap::default();
    let mut text = |name| *texts.entry(name).or_insert_with(|| site::text(name, sites, strings));
    let mut work: Vec<HostWork> = (filled.into_iter())
        .map(|Filled { launch, frame, op, call }| HostWork { launch, frame: frame.and_then(&mut text), op, call })
        .collect();
    work.sort_by_key(|work| work.launch);
    work
}

/// By thread, then time; no two of a thread overlap.
fn times(trace: &Trace, joined: &Joined, found: &[Where], least: Nanos) -> Vec<Dry> {
    let steps = found.iter().filter_map(|found| found.step).map(|step| step.0 as usize + 1).max().unwrap_or(0);
    let mut ends: Vec<Option<Nanos>> = vec![None; steps];
    let mut times = Vec::new();
    for (at, (&event, found)) in joined.events.iter().zip(found).enumerate() {
        let Some(step) = found.step else { continue };
        let event = &trace.gpu[event as usize];
        let end = &mut ends[step.0 as usize];
        if let (Some(from), Some(call)) = (*end, joined.calls[at])
            && let call = &trace.runtime[call as usize]
            && event.start > from
            && call.start - from >= least
        {
            let to = call.start.min(event.start);
            times.push(Dry { lane: call.lane, from, to, launch: LaunchId(at as u32) });
        }
        *end = (*end).max(Some(event.start + event.dur));
    }
    times.sort_by_key(|time| (time.lane, time.from, time.to));
    times.dedup_by(|next, before| next.lane == before.lane && next.from < before.to);
    times
}

/// Where spans that come in order of their start stand among the times of a thread.
#[derive(Default)]
struct Cursor {
    start: Nanos,
    /// The first time that ends after the start.
    first: usize,
}

impl Cursor {
    /// Takes a span for each time that it fills at least half of.
    #[inline]
    fn offer(
        &mut self,
        times: &[Dry],
        best: &mut [Best],
        (start, dur): (Nanos, Nanos),
        name: StringId,
        mut rank: impl FnMut() -> Option<u32>,
    ) {
        if start < self.start {
            self.first = times.partition_point(|time| time.to <= start);
        }
        while times.get(self.first).is_some_and(|time| time.to <= start) {
            self.first += 1;
        }
        self.start = start;
        let end = start + dur;
        for (time, best) in times.iter().zip(best).skip(self.first).take_while(|(time, _)| time.from < end) {
            let (from, to) = (time.from, time.to);
            let both = end.min(to) - start.max(from);
            if both + both < to - from {
                continue;
            }
            let Some(rank) = rank() else { return };
            let key = (rank, start, Reverse(dur));
            if best.is_none_or(|(other, _)| key > other) {
                *best = Some((key, name));
            }
        }
    }
}

/// Rank of a frame as a place for people.
fn rank(frame: &str, sites: &Sites) -> Option<u32> {
    if any(&sites.dropped, frame) { None } else { site::rank(frame, sites) }
}
