//! Which families a command is about.

use super::super::failure::Failure;
use crate::diagnostic;
use crate::engine;
use crate::rules::{Family, RuleSet};

/// The family of an id, old ids included.
pub(in crate::cli) fn named(id: &str, rules: &RuleSet) -> Result<usize, Failure> {
    if let Some(family) = engine::explain::family_of(rules, id) {
        return Ok(family);
    }
    let near = diagnostic::near(id, rules.families.iter().map(|family| family.id.as_str()));
    let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    Err(Failure::usage(format!("there is no family {id}{near}; `llm-prof rules list` names all")))
}

/// The folder that a family lies in: its framework, or `any`.
pub(super) fn group(family: &Family) -> &str {
    family.id.split_once('/').map_or("", |(group, _)| group)
}
