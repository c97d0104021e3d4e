//! Gaps of a step: what ran before, what ended them, what the host was in meanwhile.

use std::cmp::Reverse;

use super::{GapEdge, GapInfo};
use crate::attribution::{CallTree, LaunchId, Lookup, NodeId, Timeline};
use crate::rules::schema::overlap::of_us;
use crate::rules::schema::report::GapSettings;
use crate::units::Nanos;

/// A time in which nothing of the step ran.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    /// Its begin.
    pub(super) start: Nanos,
    /// Its length.
    pub(super) dur: Nanos,
    /// The part before the call of what ends it; none: no call is known.
    pub(super) host: Option<Nanos>,
    /// What ran before it.
    pub(super) after: LaunchId,
    /// What ends it.
    pub(super) ended_by: LaunchId,
}

/// How many are over the bar, and the longest of them; `first` is the begin of the step on the GPU.
pub(super) fn longest(
    timeline: &Timeline,
    first: Nanos,
    mut gaps: Vec<Gap>,
    settings: &GapSettings,
) -> (u64, Vec<GapInfo>) {
    gaps.retain(|gap| gap.dur >= of_us(settings.min_us));
    gaps.sort_by_key(|gap| (Reverse(gap.dur), gap.start));
    let total = gaps.len() as u64;
    (total, gaps.iter().take(settings.most).map(|gap| info(timeline, first, gap)).collect())
}

fn info(timeline: &Timeline, first: Nanos, gap: &Gap) -> GapInfo {
    let (before, after) = (timeline.context(gap.after), timeline.context(gap.ended_by));
    let name = |tree: &CallTree, node: NodeId| timeline.strings.get(tree.name(node)).to_owned();
    let around = |tree: &CallTree, a, b| common(tree, a, b).map(|node| name(tree, node));
    GapInfo {
        start_us: (gap.start - first).as_us(),
        dur_us: gap.dur.as_us(),
        cause: match gap.host {
            None => "unknown",
            Some(host) if host > Nanos::ZERO => "host",
            Some(_) => "queued",
        },
        host_us: gap.host.map(Nanos::as_us),
        after: edge(timeline, gap.after),
        ended_by: edge(timeline, gap.ended_by),
        host_frame: around(&timeline.frames, before.frame, after.frame),
        host_op: around(&timeline.ops, before.op, after.op),
    }
}

fn edge(timeline: &Timeline, id: LaunchId) -> GapEdge {
    let (kernel, context) = (timeline.kernel(id), timeline.context(id));
    let op = match context.op {
        Lookup::At(node) => Some(timeline.strings.get(timeline.ops.name(node)).to_owned()),
        _ => None,
    };
    GapEdge {
        kernel: timeline.strings.get(kernel.raw).to_owned(),
        parts: kernel.name.clone(),
        op,
        location: context.site.map(|site| timeline.strings.get(site).to_owned()),
    }
}

/// The innermost node around both.
fn common(tree: &CallTree, a: Lookup, b: Lookup) -> Option<NodeId> {
    let (Lookup::At(a), Lookup::At(b)) = (a, b) else { return None };
    let of_a: Vec<NodeId> = tree.path(a).collect();
    tree.path(b).find(|node| of_a.contains(node))
}
