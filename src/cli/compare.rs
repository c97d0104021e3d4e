//! `llm-prof compare`: what got slower between two runs, and why.

use super::args::{Compare, Format};
use super::failure::Failure;
use super::finished::Opening;
use super::streams::Streams;
use super::{check, loading, output};
use crate::engine::Engine;
use crate::runs::compare;
use crate::runs::gates;

/// Opens both, compares, prints; a threshold is a gate.
pub(super) fn run(args: &Compare, streams: &mut Streams) -> Result<(), Failure> {
    let rules = loading::rules(&args.knowledge, &args.terminal, streams)?;
    let engine = Engine::new(&rules);
    let opening = Opening { rules: &rules, engine: &engine, input: &args.input, terminal: &args.terminal };
    let before = opening.run(std::slice::from_ref(&args.before), streams)?;
    let after = opening.run(std::slice::from_ref(&args.after), streams)?;
    for run in [&before, &after] {
        if let Some(why) = run.unfit() {
            return Err(Failure::unfit(format!("{}: there is nothing to compare: {why}", run.path)));
        }
    }
    let comparison = compare::compare(&before, &after, &rules.compare);
    if comparison.stages.is_empty() {
        return Err(Failure::unfit(format!(
            "the runs have no stage in common: {} has {}, {} has {}; --stage and file names say stages where traces do not",
            before.path,
            comparison.only_before.join(", "),
            after.path,
            comparison.only_after.join(", ")
        )));
    }
    let most = match args.limit {
        Some(0) => usize::MAX,
        limit => limit.unwrap_or(rules.compare.rows),
    };
    let document = &args.document;
    output::documents(document.format, &document.output, &args.terminal, streams, |format, style| match format {
        Format::Text => Some(compare::text::render(&comparison, most, style)),
        Format::Markdown => Some(compare::markdown::render(&comparison, most)),
        Format::Html => Some(compare::html::render(&comparison)),
        Format::Json => Some(compare::json(&comparison)),
        Format::Csv => None,
    })?;
    check::summarise(streams, &|| compare::markdown::render(&comparison, most))?;
    let Some(pct) = args.threshold else { return Ok(()) };
    check::finish(&gates::threshold(&after, &before, pct, &rules), true, streams)
}
