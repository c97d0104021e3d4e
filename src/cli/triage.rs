//! `llm-prof triage`: from traces to the report.

use super::args::Triage;
use super::failure::Failure;
use super::session::Clock;
use super::streams::Streams;
use super::{output, pairs, session};
use crate::report::Options;

/// Reads, judges, prints.
pub(super) fn run(args: &Triage, streams: &mut Streams) -> Result<(), Failure> {
    let terminal = &args.terminal;
    let paths = [&args.paths, &args.old_input, &args.formal_input].into_iter().find(|paths| !paths.is_empty());
    let paths = paths.map(Vec::as_slice).unwrap_or_default();
    let mut pair = args.pair.clone();
    pair.mapping.extend(args.mapping_input.iter().cloned());
    let (rules, (mut session, mut other)) =
        session::rules_beside(&args.knowledge, terminal, streams, |settings, streams| {
            pairs::open(paths, &pair, &args.input, terminal, settings, streams)
        })?;
    if let Some(mapping) = &mut other {
        pairs::take(&mut session, mapping, &rules, terminal.quiet, streams)?;
    }
    let mut judged = session::judge(&session.timelines, &rules, terminal, streams)?;
    if let Some(mapping) = &other {
        pairs::compare(&mut judged, &session::judge(&mapping.timelines, &rules, terminal, streams)?);
    }
    let options = Options {
        traces: session.traces,
        min_share: args.output.min_share,
        limits: args.output.limits(),
        stage: session::only_stage(&args.input),
        pair: other.is_some(),
        timeline: args.timeline,
    };
    let mut clock = Clock::start();
    let report = session::report(&judged, &rules, &options);
    session::detail(terminal, streams, &clock.lap("made the report"))?;
    output::write(&report, &args.output, terminal, streams)
}
