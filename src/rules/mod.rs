//! YAML in, [`RuleSet`] out: what the rooms to the left are told, and what the engine runs.

pub mod ast;
mod measure;
mod model;

pub use measure::{ChainProblem, DEEPEST, MOST_JOINS, MOST_LINKS, check_chain, fewest_counted};
pub use model::*;
