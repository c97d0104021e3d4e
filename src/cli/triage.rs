//! `llm-prof triage`: from traces to the report.

use super::args::Triage;
use super::failure::Failure;
use super::streams::Streams;
use super::{output, session};
use crate::report::Options;

/// Reads, judges, prints.
pub(super) fn run(args: &Triage, streams: &mut Streams) -> Result<(), Failure> {
    let rules = session::rules(&args.knowledge, &args.terminal, streams)?;
    let paths = if args.paths.is_empty() { &args.old_input } else { &args.paths };
    let session = session::open(paths, &args.input, &args.terminal, &rules, streams)?;
    let judged = session::judge(&session.timelines, &rules);
    let options = Options {
        traces: session.traces,
        min_share: args.output.min_share,
        limit: Some(args.output.limit.max(args.output.kernel_table_limit.unwrap_or(0))).filter(|limit| *limit > 0),
        stage: session::only_stage(&args.input),
    };
    output::write(&session::report(&judged, &rules, &options), &args.output, &args.terminal, streams)
}
