//! [`Timeline`](crate::attribution::Timeline) in, [`KernelGraph`] out: what follows what, and how that is known.

use petgraph::graph::DiGraph;

use crate::attribution::LaunchId;

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

/// Launches and what follows them; node index = [`LaunchId`].
#[derive(Clone, Debug, Default)]
pub struct KernelGraph {
    /// Nodes are launches in start order.
    pub graph: DiGraph<LaunchId, Edge>,
}
