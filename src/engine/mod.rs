//! [`RuleSet`](crate::rules::RuleSet) and [`KernelGraph`](crate::graph::KernelGraph) in, [`Finding`]s out.

mod automaton;
mod chain;
mod finding;
mod tri;

pub use automaton::{Alphabet, Match, find};
pub use chain::{Pattern, Program};
pub use finding::*;
pub use tri::Tri;
