//! [`Timeline`] in, [`KernelGraph`] out: what follows what, and how that is known.
//!
//! A launch's line is its stream, joined across streams by the waits that the trace records. Where none are recorded,
//! an event with nothing beside it stands in the main line, and the edge says that time was all there was to go by.
//! Steps and stages are borders: no edge crosses one. Gaps, layers and graph launches are none.

mod build;

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::attribution::{LaunchId, Timeline};

/// Why one launch follows another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edge {
    /// The next event of the same stream.
    Stream,
    /// Another stream waits for it, as the trace records.
    Wait,
    /// No wait is recorded; nothing ran beside it, so it is taken for the main line.
    Time,
}

/// Launches and what follows them; node index = [`LaunchId`]. Every edge leads to a later launch.
#[derive(Clone, Debug, Default)]
pub struct KernelGraph {
    /// Nodes are launches in start order.
    pub graph: DiGraph<LaunchId, Edge>,
}

impl KernelGraph {
    /// How many launches there are.
    pub fn len(&self) -> usize {
        self.graph.node_count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.graph.node_count() == 0
    }

    /// What may come next after `launch`, always in the same order.
    pub fn successors(&self, launch: LaunchId) -> impl Iterator<Item = (LaunchId, Edge)> + '_ {
        self.graph
            .edges_directed(NodeIndex::new(launch.0 as usize), Direction::Outgoing)
            .map(|edge| (LaunchId(edge.target().index() as u32), *edge.weight()))
    }

    /// What may stand right before `launch`, always in the same order.
    pub fn predecessors(&self, launch: LaunchId) -> impl Iterator<Item = (LaunchId, Edge)> + '_ {
        self.graph
            .edges_directed(NodeIndex::new(launch.0 as usize), Direction::Incoming)
            .map(|edge| (LaunchId(edge.source().index() as u32), *edge.weight()))
    }
}

/// The graph of a timeline, in one pass over its launches.
pub fn build(timeline: &Timeline) -> KernelGraph {
    build::build(timeline)
}

#[cfg(test)]
mod tests;
