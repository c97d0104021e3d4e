//! What the host did while the GPU had run dry: the frame, the op and the call that fill most of the time until the launch
//! that ended it.

use std::cmp::Reverse;
use std::ops::Range;

use rustc_hash::FxHashMap;

use super::launch::Joined;
use super::pattern::any;
use super::{HostWork, Launch, LaunchId, Settings, Sites, site};
use crate::trace::{LaneId, StringId, Strings, Trace};
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

/// The times in which the host was late, with what filled them.
pub(super) fn work(
    trace: &Trace,
    strings: &mut Strings,
    joined: &Joined,
    launches: &[Launch],
    settings: &Settings,
) -> Vec<HostWork> {
    let times = times(trace, joined, launches, settings.host_min);
    if times.is_empty() {
        return Vec::new();
    }
    let mut lanes: FxHashMap<LaneId, Range<usize>> = FxHashMap::default();
    for (at, time) in times.iter().enumerate() {
        lanes.entry(time.lane).or_insert(at..at).end = at + 1;
    }
    let of = |lane: LaneId| lanes.get(&lane).map(|own| (own.clone(), &times[own.clone()]));
    let (mut frames, mut ops, mut calls): (Vec<Best>, Vec<Best>, Vec<Best>) =
        (vec![None; times.len()], vec![None; times.len()], vec![None; times.len()]);
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
    let mut ranks: FxHashMap<StringId, Option<u32>> = FxHashMap::default();
    for lane in &trace.frames {
        let Some((own, times)) = of(lane.lane) else { continue };
        let (best, mut cursor) = (&mut frames[own], Cursor::default());
        for frame in lane.frames() {
            cursor.offer(times, best, (frame.start, frame.dur), frame.name, || {
                *ranks.entry(frame.name).or_insert_with(|| rank(strings.get(frame.name), &settings.sites))
            });
        }
    }
    let mut texts: FxHashMap<StringId, Option<StringId>> = FxHashMap::default();
    let mut text = |name| *texts.entry(name).or_insert_with(|| site::text(name, &settings.sites, strings));
    let mut found: Vec<HostWork> = (times.iter().enumerate())
        .map(|(at, time)| HostWork {
            launch: time.launch,
            frame: frames[at].and_then(|(_, name)| text(name)),
            op: ops[at].map(|(_, name)| name),
            call: calls[at].map(|(_, name)| name),
        })
        .collect();
    found.sort_by_key(|work| work.launch);
    found
}

/// By thread, then time; no two of a thread overlap.
fn times(trace: &Trace, joined: &Joined, launches: &[Launch], least: Nanos) -> Vec<Dry> {
    let steps = launches.iter().filter_map(|launch| launch.step).map(|step| step.0 as usize + 1).max().unwrap_or(0);
    let mut ends: Vec<Option<Nanos>> = vec![None; steps];
    let mut times = Vec::new();
    for (at, launch) in launches.iter().enumerate() {
        let Some(step) = launch.step else { continue };
        let end = &mut ends[step.0 as usize];
        if let (Some(from), Some(called), Some(call)) = (*end, launch.called, joined.calls[at])
            && launch.start > from
            && called - from >= least
        {
            let lane = trace.runtime[call as usize].lane;
            times.push(Dry { lane, from, to: called.min(launch.start), launch: LaunchId(at as u32) });
        }
        *end = (*end).max(Some(launch.end()));
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
