//! `llm-prof explain`: why a family has a row, or none.

use super::args::Explain;
use super::failure::Failure;
use super::streams::Streams;
use super::{output, session};
use crate::diagnostic;
use crate::engine;
use crate::graph;
use crate::rules::RuleSet;

/// Explains one family on each trace.
pub(super) fn run(args: &Explain, streams: &mut Streams) -> Result<(), Failure> {
    let rules = session::rules(&args.knowledge, &args.terminal, streams)?;
    let family = family(&args.family, &rules)?;
    let session = session::open(&args.paths, &args.input, &args.terminal, &rules, streams)?;
    for timeline in &session.timelines {
        let graph = graph::build(timeline);
        let classes = engine::classify(&rules, timeline);
        let explanation = engine::explain::explain(&rules, timeline, &graph, &classes, family);
        let head = if session.timelines.len() > 1 { format!("{}\n\n", timeline.path) } else { String::new() };
        output::print(&format!("{head}{}", explanation.text(&rules, timeline)), streams)?;
    }
    Ok(())
}

/// The family of an id, or of the id of a row (`fuse/sglang/x/decode`).
fn family(id: &str, rules: &RuleSet) -> Result<usize, Failure> {
    let row = id.strip_prefix("fuse/").and_then(|rest| rest.rsplit_once('/')).map(|(family, _)| family);
    if let Some(family) = engine::explain::family_of(rules, row.unwrap_or(id)) {
        return Ok(family);
    }
    let near = diagnostic::near(id, rules.families.iter().map(|family| family.id.as_str()));
    let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    Err(Failure::usage(format!("there is no family {id}{near}; `llm-prof rules list` names all")))
}
