//! `llm-prof doctor`: is a trace fit to judge, and what would make it so.

use super::args::{Doctor, DoctorFormat};
use super::failure::{Failure, code};
use super::streams::Streams;
use super::{loading, output, pairs, session};
use crate::engine::Engine;
use crate::report::{Options, doctor, text};

/// Reads, looks, says; 5 when there is nothing to judge.
pub(super) fn run(args: &Doctor, streams: &mut Streams) -> Result<(), Failure> {
    let rules = loading::rules(&args.knowledge, &args.terminal, streams)?;
    let (session, pair) = pairs::joined(&args.paths, &args.pair, &args.input, &args.terminal, &rules, streams)?;
    let judged = session::judge(&session.timelines, &rules, &Engine::new(&rules), &args.terminal, streams)?;
    let stage = session::only_stage(&args.input);
    let options = Options { traces: session.traces, stage, pair, ..Options::default() };
    let report = session::report(&judged, &rules, &options, &args.terminal, streams)?;
    let style = text::Style { width: streams.columns(), color: streams.color(args.terminal.color) };
    let document = match args.format {
        DoctorFormat::Text => text::doctor(&report, style),
        DoctorFormat::Json => doctor::json(&report),
    };
    output::print(&document, streams)?;
    if doctor::is_fit(&report) { Ok(()) } else { Err(Failure::Code(code::UNFIT)) }
}
