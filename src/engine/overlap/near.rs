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
    pub(super) fn around(&self, id: LaunchId, within: Nanos) -> impl Iterator<Item = LaunchId> + '_ {
        let own = self.timeline.launch(id);
        let at = id.0 as usize;
        let all = &self.timeline.launches;
        // Starts are in order, ends are not.
        let after = all[at + 1..].iter().take(MOST).take_while(|other| other.start <= own.end() + within).count();
        let near = (1..=MOST).flat_map(move |far| {
            let before = at.checked_sub(far).filter(|n| all[*n].end() + within >= own.start);
            [before, (far <= after).then_some(at + far)]
        });
        near.flatten().map(|n| LaunchId(n as u32)).filter(move |other| self.comparable(id, *other))
    }

    /// Whether two launches are of one step, stage and device.
    pub(super) fn comparable(&self, a: LaunchId, b: LaunchId) -> bool {
        let (one, two) = (self.timeline.launch(a), self.timeline.launch(b));
        one.step == two.step && one.stage == two.stage && (one.stream == two.stream || self.device(a) == self.device(b))
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
