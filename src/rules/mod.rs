//! YAML in, [`RuleSet`] out: what the rooms to the left are told, and what the engine runs.

pub mod ast;
mod model;
pub mod schema;

pub use model::*;
