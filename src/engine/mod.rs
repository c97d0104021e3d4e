//! [`RuleSet`](crate::rules::RuleSet) and [`KernelGraph`](crate::graph::KernelGraph) in, [`Finding`]s out.

mod finding;
mod tri;

pub use finding::*;
pub use tri::Tri;
