//! How long each GPU event ran alone, and how long with something on another stream of its device beside it.
//!
//! One sweep over starts and ends. Clocks that run only while a condition holds (one stream is active; compute is active)
//! are read when an event starts and when it ends, so no event is looked at twice: O(n log n).

use std::collections::BTreeMap;

use super::Classes;
use crate::attribution::{LaunchId, Timeline};
use crate::units::Nanos;

/// Parts of one event's length. `exclusive` and `hidden` add up to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Nothing on another stream ran beside it.
    pub exclusive: Nanos,
    /// Something did.
    pub hidden: Nanos,
    /// Compute did.
    pub hidden_by_compute: Nanos,
}

impl Times {
    /// Adds another event's.
    pub fn add(&mut self, other: Self) {
        self.exclusive += other.exclusive;
        self.hidden += other.hidden;
        self.hidden_by_compute += other.hidden_by_compute;
    }
}

/// Events that began before the one before them on their own stream had ended, as programmatic dependent launch lets
/// them. It hides nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SameStream {
    /// How many did.
    pub pairs: u64,
    /// For how long in all.
    pub time: Nanos,
}

/// Exposure of a timeline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// By [`LaunchId`].
    pub of_launch: Vec<Times>,
    /// Overlap within streams.
    pub same_stream: SameStream,
}

impl Exposure {
    /// The parts of one event's length.
    pub fn of(&self, launch: LaunchId) -> Times {
        self.of_launch[launch.0 as usize]
    }
}

/// Sweeps the timeline, each device for itself. Overlap of at least `same_stream_min` on one stream is counted.
pub fn exposure(timeline: &Timeline, classes: &Classes, same_stream_min: Nanos) -> Exposure {
    let mut by_device: BTreeMap<&str, Vec<LaunchId>> = BTreeMap::new();
    for id in timeline.launch_ids() {
        let stream = &timeline.streams[timeline.launch(id).stream.0 as usize];
        by_device.entry(stream.device.as_str()).or_default().push(id);
    }
    let mut out = Exposure {
        of_launch: vec![Times::default(); timeline.launches.len()],
        same_stream: same_stream(timeline, same_stream_min),
    };
    for launches in by_device.values() {
        sweep(timeline, classes, launches, &mut out.of_launch);
    }
    out
}

fn same_stream(timeline: &Timeline, least: Nanos) -> SameStream {
    let mut ends = vec![None; timeline.streams.len()];
    let mut sum = SameStream::default();
    for launch in &timeline.launches {
        let end: &mut Option<Nanos> = &mut ends[launch.stream.0 as usize];
        if let Some(before) = *end {
            let both = before.min(launch.end()) - launch.start;
            if both >= least.max(Nanos(1)) {
                sum.pairs += 1;
                sum.time += both;
            }
        }
        *end = (*end).max(Some(launch.end()));
    }
    sum
}

/// Streams on which something is active.
struct Active {
    /// How many events by stream.
    events: Vec<u32>,
    /// How many streams.
    streams: u32,
    /// Their numbers, xor-ed: the number itself when there is one.
    which: u32,
    /// Time by stream in which it was the only one.
    alone: Vec<Nanos>,
    /// Time in which there was one.
    any: Nanos,
}

impl Active {
    fn new(streams: usize) -> Self {
        Self { events: vec![0; streams], streams: 0, which: 0, alone: vec![Nanos::ZERO; streams], any: Nanos::ZERO }
    }

    fn pass(&mut self, time: Nanos) {
        if self.streams > 0 {
            self.any += time;
        }
        if self.streams == 1 {
            self.alone[self.which as usize] += time;
        }
    }

    fn start(&mut self, stream: u32) {
        self.events[stream as usize] += 1;
        if self.events[stream as usize] == 1 {
            self.streams += 1;
            self.which ^= stream;
        }
    }

    fn end(&mut self, stream: u32) {
        self.events[stream as usize] -= 1;
        if self.events[stream as usize] == 0 {
            self.streams -= 1;
            self.which ^= stream;
        }
    }

    /// Time in which a stream other than this one was active, so far.
    fn beside(&self, stream: u32) -> Nanos {
        self.any - self.alone[stream as usize]
    }
}

fn sweep(timeline: &Timeline, classes: &Classes, launches: &[LaunchId], times: &mut [Times]) {
    // At equal times ends come first: what touches does not overlap.
    let mut points: Vec<(Nanos, bool, LaunchId)> = Vec::with_capacity(launches.len() * 2);
    for &id in launches {
        let launch = timeline.launch(id);
        if launch.dur > Nanos::ZERO {
            points.push((launch.start, true, id));
            points.push((launch.end(), false, id));
        }
    }
    points.sort_unstable();
    let streams = timeline.streams.len();
    let (mut all, mut compute) = (Active::new(streams), Active::new(streams));
    let mut last = Nanos::ZERO;
    for (n, &(at, starts, id)) in points.iter().enumerate() {
        if n > 0 {
            all.pass(at - last);
            compute.pass(at - last);
        }
        last = at;
        let launch = timeline.launch(id);
        let stream = launch.stream.0;
        let own = &mut times[id.0 as usize];
        if starts {
            all.start(stream);
            // What the clocks show now is taken off at the end.
            own.hidden = Nanos::ZERO - all.beside(stream);
            own.hidden_by_compute = Nanos::ZERO - compute.beside(stream);
        } else {
            own.hidden += all.beside(stream);
            own.hidden_by_compute += compute.beside(stream);
            own.exclusive = launch.dur - own.hidden;
            all.end(stream);
        }
        if classes.is_compute(id) {
            if starts { compute.start(stream) } else { compute.end(stream) }
        }
    }
}

#[cfg(test)]
mod tests;
