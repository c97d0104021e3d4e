//! [`RuleSet`](crate::rules::RuleSet) and [`KernelGraph`](crate::graph::KernelGraph) in, [`Finding`]s out.

pub mod advice;
mod align;
mod automaton;
mod blind;
mod cases;
mod chain;
mod classify;
pub mod collective;
mod compiled;
pub mod explain;
mod exposure;
pub mod family_test;
mod finding;
pub mod gates;
mod lint;
mod look;
mod miss;
mod overlap;
pub mod pair;
mod predicate;
mod run;
pub mod similarity;
mod subsume;
pub mod testing;
#[cfg(test)]
mod tests;
mod tri;

pub use automaton::{Alphabet, Found, Match, find};
pub use blind::cannot_look;
pub use cases::{CaseResult, run_term_cases};
pub use chain::{Pattern, Program};
pub use classify::{Classes, OTHER, classify};
pub use compiled::{Engine, Judgement};
pub use exposure::{Exposure, SameStream, Times, exposure};
pub use finding::*;
pub use lint::{is_transparent, knowing, lint, terms_of};
pub use miss::{Miss, nearest};
pub use overlap::{Overlap, Risk, Risks, Waiting, overlaps, switches};
pub use predicate::{Answers, PredicateId, Predicates};
pub use run::{GivenUp, Search, run, search};
pub use tri::Tri;
