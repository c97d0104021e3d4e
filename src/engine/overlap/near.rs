//! What stands near a launch in time, and whether recorded waits order two launches.

use crate::attribution::{LaunchId, Timeline};
use crate::graph::KernelGraph;
use crate::units::Nanos;

/// Launches looked at on either side; a neighbourhood has no more that matter.
const MOST: usize = 64;
/// Launches visited when a way is looked for; a longer one counts as found, as nothing then rules it out.
const LONGEST_WALK: usize = 4096;

pub(crate) struct Near<'a> {
    timeline: &'a Timeline,
    graph: &'a KernelGraph,
    /// Whether the trace records waits between streams at all.
    pub(super) waits: bool,
}

impl<'a> Near<'a> {
    pub(super) fn new(timeline: &'a Timeline, graph: &'a KernelGraph) -> Self {
        let between = |sync: &crate::trace::SyncEvent| match (sync.stream.get(), sync.wait_on_stream.get()) {
            (Some(to), Some(from)) => to >= 0 && from >= 0 && to != from,
            _ => false,
        };
        Self { timeline, graph, waits: timeline.syncs.iter().any(between) }
    }

    /// Launches of the same step, stage and device no farther away than `within`, nearest in order first.
    pub(super) fn around(&self, id: LaunchId, within: Nanos) -> Vec<LaunchId> {
        let own = self.timeline.launch(id);
        let at = id.0 as usize;
        let all = &self.timeline.launches;
        let after = (at + 1..all.len()).take(MOST).take_while(|n| all[*n].start <= own.end() + within);
        let before = (0..at).rev().take(MOST).filter(|n| all[*n].end() + within >= own.start);
        let mut near: Vec<usize> = after.chain(before).collect();
        near.sort_by_key(|n| (n.abs_diff(at), *n));
        near.into_iter().map(|n| LaunchId(n as u32)).filter(|other| self.comparable(id, *other)).collect()
    }

    /// Whether two launches are of one step, stage and device.
    pub(super) fn comparable(&self, a: LaunchId, b: LaunchId) -> bool {
        let (one, two) = (self.timeline.launch(a), self.timeline.launch(b));
        one.step == two.step && one.stage == two.stage && self.device(a) == self.device(b)
    }

    fn device(&self, id: LaunchId) -> &str {
        &self.timeline.streams[self.timeline.launch(id).stream.0 as usize].device
    }

    /// Whether a way leads from one to the other.
    pub(super) fn ordered(&self, a: LaunchId, b: LaunchId) -> bool {
        let (from, to) = (a.min(b), a.max(b));
        let mut open = vec![from];
        let mut seen = rustc_hash::FxHashSet::default();
        while let Some(at) = open.pop() {
            if at == to || seen.len() > LONGEST_WALK {
                return true;
            }
            for (next, _) in self.graph.successors(at) {
                if next <= to && seen.insert(next) {
                    open.push(next);
                }
            }
        }
        false
    }
}
