//! `llm-prof triage`: from traces to the report.

use std::path::PathBuf;

use super::args::Triage;
use super::failure::Failure;
use super::streams::Streams;
use super::{output, pairs, session};
use crate::report::Options;

/// Reads, judges, prints.
pub(super) fn run(args: &Triage, streams: &mut Streams) -> Result<(), Failure> {
    let rules = session::rules(&args.knowledge, &args.terminal, streams)?;
    let paths = [&args.paths, &args.old_input, &args.formal_input].into_iter().find(|paths| !paths.is_empty());
    let paths = paths.map(Vec::as_slice).unwrap_or_default();
    let mut session = session::open(paths, &args.input, &args.terminal, &rules, streams)?;
    let mapping: Vec<PathBuf> = args.mapping.iter().chain(&args.mapping_input).cloned().collect();
    let mut other = None;
    if !mapping.is_empty() {
        let mut mapping = session::open(&mapping, &args.input, &args.terminal, &rules, streams)?;
        pairs::check(&session, &mapping, args.force, streams)?;
        pairs::take(&mut session, &mut mapping, &rules, args.terminal.quiet, streams)?;
        other = Some(mapping);
    }
    let mut judged = session::judge(&session.timelines, &rules);
    if let Some(mapping) = &other {
        pairs::compare(&mut judged, &session::judge(&mapping.timelines, &rules));
    }
    let options = Options {
        traces: session.traces,
        min_share: args.output.min_share,
        limit: Some(args.output.limit.max(args.output.kernel_table_limit.unwrap_or(0))).filter(|limit| *limit > 0),
        stage: session::only_stage(&args.input),
        pair: other.is_some(),
    };
    output::write(&session::report(&judged, &rules, &options), &args.output, &args.terminal, streams)
}
