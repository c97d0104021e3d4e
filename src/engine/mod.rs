//! [`RuleSet`](crate::rules::RuleSet) and [`KernelGraph`](crate::graph::KernelGraph) in, [`Finding`]s out.

mod automaton;
mod chain;
mod classify;
mod finding;
mod predicate;
pub mod testing;
mod tri;

pub use automaton::{Alphabet, Match, find};
pub use chain::{Pattern, Program};
pub use classify::{Classes, OTHER, classify};
pub use finding::*;
pub use predicate::{Answers, PredicateId, Predicates};
pub use tri::Tri;
