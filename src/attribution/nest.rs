//! Spans within spans: what encloses a moment on one thread. One merge of sorted spans and sorted moments.

use rustc_hash::FxHashMap;

use super::{CallTree, NodeId};
use crate::trace::StringId;
use crate::units::Nanos;

/// A [`CallTree`] that grows; equal paths are one node.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) tree: CallTree,
    known: FxHashMap<(Option<NodeId>, StringId), NodeId>,
}

impl Tree {
    /// The node called `name` below `parent`.
    pub(super) fn child(&mut self, parent: Option<NodeId>, name: StringId) -> NodeId {
        *self.known.entry((parent, name)).or_insert_with(|| {
            self.tree.nodes.push((parent, name));
            NodeId(self.tree.nodes.len() as u32 - 1)
        })
    }
}

/// The spans of one thread that are open at the moment; fed in start order.
#[derive(Debug, Default)]
pub(super) struct Nest {
    open: Vec<Open>,
    slack: Nanos,
}

#[derive(Debug)]
struct Open {
    start: Nanos,
    end: Nanos,
    name: StringId,
    source: u32,
    /// Its node, once asked for.
    node: Option<NodeId>,
}

impl Nest {
    pub(super) fn new(slack: Nanos) -> Self {
        Self { open: Vec::new(), slack }
    }

    /// Opens a span. `source` is its place in the caller's table.
    pub(super) fn open(&mut self, start: Nanos, end: Nanos, name: StringId, source: u32) {
        while let Some(top) = self.open.last() {
            if top.end < start || (top.end == start && end > start) {
                self.open.pop();
            } else {
                break;
            }
        }
        // Of two that begin together the longer one is the outer one, whatever the order in the file.
        let mut at = self.open.len();
        while at > 0 && self.open[at - 1].start == start && self.open[at - 1].end < end {
            at -= 1;
            self.open[at].node = None;
        }
        self.open.insert(at, Open { start, end, name, source, node: None });
    }

    /// The innermost span open at `time`, and its node in `tree`. Times are asked for in order.
    pub(super) fn at(&mut self, time: Nanos, tree: &mut Tree) -> Option<(NodeId, u32)> {
        let since = time - self.slack;
        while self.open.last().is_some_and(|top| top.end < since) {
            self.open.pop();
        }
        // Spans that do not nest: one ended below another that is open. Time never goes back, so it is over for good, and
        // kept it would make every later look longer. Nodes above it were made with it.
        if let Some(ended) = self.open.iter().position(|o| o.end < since) {
            self.open[ended..].iter_mut().for_each(|o| o.node = None);
            self.open.retain(|o| o.end >= since);
        }
        let from = self.open.iter().rposition(|o| o.node.is_some()).map_or(0, |known| known + 1);
        let mut parent = from.checked_sub(1).and_then(|known| self.open[known].node);
        for open in &mut self.open[from..] {
            open.node = Some(tree.child(parent, open.name));
            parent = open.node;
        }
        let innermost = self.open.last().map(|o| o.source);
        parent.zip(innermost)
    }

    /// The node of an open span, once [`Nest::at`] was asked.
    pub(super) fn node_of(&self, source: u32) -> Option<NodeId> {
        self.open.iter().rev().find(|o| o.source == source)?.node
    }

    /// Places in the caller's table of the spans open at `time`, innermost first.
    pub(super) fn sources(&self, time: Nanos) -> impl Iterator<Item = u32> + '_ {
        let since = time - self.slack;
        self.open.iter().rev().filter(move |o| o.end >= since).map(|o| o.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Paths at each time, outermost first, of spans `(name, start, end)`.
    fn paths(spans: &[(u32, i64, i64)], times: &[i64]) -> Vec<Vec<u32>> {
        let mut tree = Tree::default();
        let mut nest = Nest::new(Nanos(1));
        let mut left = spans.iter().enumerate().peekable();
        let mut out = Vec::new();
        for &time in times {
            while let Some((i, &(name, start, end))) = left.next_if(|(_, span)| span.1 <= time) {
                nest.open(Nanos(start), Nanos(end), StringId::new(name), i as u32);
            }
            let node = nest.at(Nanos(time), &mut tree);
            let mut path: Vec<u32> =
                node.iter().flat_map(|(n, _)| tree.tree.path(*n)).map(|n| tree.tree.name(n).index()).collect();
            path.reverse();
            out.push(path);
        }
        out
    }

    #[test]
    fn the_innermost_open_span_and_all_around_it() {
        let spans = [(1, 0, 100), (2, 10, 50), (3, 20, 30), (4, 60, 70)];
        assert_eq!(paths(&spans, &[5, 25, 40, 65, 200]), [vec![1], vec![1, 2, 3], vec![1, 2], vec![1, 4], vec![]]);
    }

    #[test]
    fn a_neighbour_that_begins_at_the_end_is_no_child() {
        assert_eq!(paths(&[(1, 0, 10), (2, 10, 20)], &[10, 15]), [vec![2], vec![2]]);
    }

    #[test]
    fn of_two_that_begin_together_the_longer_is_outside() {
        assert_eq!(paths(&[(2, 0, 10), (1, 0, 50)], &[5, 20]), [vec![1, 2], vec![1]]);
    }

    #[test]
    fn a_child_that_ends_a_nanosecond_after_its_parent_is_a_child() {
        assert_eq!(paths(&[(1, 0, 50), (2, 10, 51)], &[50]), [vec![1, 2]]);
        assert_eq!(paths(&[(1, 0, 50), (2, 10, 60), (3, 20, 55)], &[30, 54]), [vec![1, 2, 3], vec![2, 3]]);
    }

    /// Each span begins inside the one before and ends after it, below one that is open all the time.
    #[test]
    fn spans_that_end_below_open_ones_do_not_pile_up() {
        let (mut tree, mut nest) = (Tree::default(), Nest::new(Nanos(1)));
        nest.open(Nanos(0), Nanos(1_000_000), StringId::new(0), 0);
        for n in 1..10_000 {
            nest.open(Nanos(n * 10), Nanos(n * 10 + 25), StringId::new(1), 1);
            nest.at(Nanos(n * 10), &mut tree);
            assert!(nest.open.len() <= 4, "{} open", nest.open.len());
        }
    }
}
