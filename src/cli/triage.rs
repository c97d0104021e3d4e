//! `llm-prof triage`: from traces to the report.

use std::path::PathBuf;

use super::args::{Format, Pair, Triage};
use super::capture::{self, Captured};
use super::failure::{Failure, code};
use super::session::{Clock, Judged};
use super::streams::Streams;
use super::values::RankArg;
use super::{inputs, loading, output, pairs, ranks, session};
use crate::engine::Engine;
use crate::report::{Options, TraceInfo};
use crate::rules::RuleSet;

/// Reads, judges, prints.
pub(super) fn run(args: &Triage, streams: &mut Streams) -> Result<(), Failure> {
    let captured = capture::for_triage(args, streams)?;
    // These files and no others: the folder may hold older ones of a stage that failed now.
    let files: Vec<PathBuf> = captured.iter().flat_map(|traces| traces.formal.files()).collect();
    let given = [&files, &args.paths, &args.old_input, &args.formal_input];
    let paths = given.into_iter().find(|paths| !paths.is_empty()).map(Vec::as_slice).unwrap_or_default();
    let mut pair = args.pair.clone();
    pair.mapping.extend(args.mapping_input.iter().cloned());
    pair.mapping.extend(captured.iter().filter_map(|traces| traces.mapping.as_ref()).flat_map(Captured::files));
    let reported = report(paths, &pair, args, streams);
    // A stage that could not be captured is a failure, whatever the report on the other one says.
    let failed = captured.iter().flat_map(|traces| traces.mapping.iter().chain([&traces.formal]));
    reported.and(failed.into_iter().find_map(Captured::failure).map_or(Ok(()), Err))
}

/// From files to the report.
fn report(paths: &[PathBuf], pair: &Pair, args: &Triage, streams: &mut Streams) -> Result<(), Failure> {
    let terminal = &args.terminal;
    let stage = session::only_stage(&args.input);
    let options = |traces: Vec<TraceInfo>| Options {
        capture: inputs::capture_beside(&traces),
        traces,
        min_share: args.output.min_share,
        limits: args.output.limits(),
        stage,
        pair: !pair.mapping.is_empty(),
        timeline: args.timeline,
        typical_steps: args.timeline || args.output.has(Format::Html),
        ranks: Vec::new(),
    };
    if args.input.rank == Some(RankArg::All) && pair.mapping.is_empty() {
        let rules = loading::rules_for_traces(&args.knowledge, terminal, streams)?;
        let ranks = ranks::open(paths, &args.input, terminal, &rules, &Engine::new(&rules), streams)?;
        let options = Options { ranks: ranks.facts, ..options(ranks.traces) };
        finish(&ranks.judged, &rules, &options, args, streams)?;
        // What is left out was said.
        return if ranks.broken { Err(Failure::Code(code::INPUT)) } else { Ok(()) };
    }
    let (rules, engine, (mut session, mut other)) =
        loading::rules_beside(&args.knowledge, terminal, streams, |settings, streams| {
            pairs::open(paths, pair, &args.input, terminal, settings, streams)
        })?;
    if let Some(mapping) = &mut other {
        pairs::take(&mut session, mapping, &rules, terminal.quiet, streams)?;
    }
    let mut judged = session::judge(&session.timelines, &rules, &engine, terminal, streams)?;
    if let Some(mapping) = &other {
        pairs::compare(&mut judged, &session::judge(&mapping.timelines, &rules, &engine, terminal, streams)?);
    }
    finish(&judged, &rules, &options(session.traces), args, streams)
}

/// The report, wherever it was asked for.
fn finish(
    judged: &[Judged],
    rules: &RuleSet,
    options: &Options,
    args: &Triage,
    streams: &mut Streams,
) -> Result<(), Failure> {
    let mut clock = Clock::start();
    let report = session::report(judged, rules, options, &args.terminal, streams)?;
    session::detail(&args.terminal, streams, &clock.lap("made the report"))?;
    output::write(&report, &args.output, &args.terminal, streams)
}
