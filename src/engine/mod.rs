//! [`RuleSet`](crate::rules::RuleSet) and [`KernelGraph`](crate::graph::KernelGraph) in, [`Finding`]s out.

mod classify;
mod finding;
mod predicate;
pub mod testing;
mod tri;

pub use classify::{Classes, OTHER, classify};
pub use finding::*;
pub use predicate::{Answers, PredicateId, Predicates};
pub use tri::Tri;
