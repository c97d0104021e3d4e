//! `llm-prof triage`: from traces to the report.

use std::time::Instant;

use super::args::Triage;
use super::failure::Failure;
use super::streams::Streams;
use super::{output, session};
use crate::engine;
use crate::graph;
use crate::report::{self, Analysis, Options};

/// Reads, judges, prints.
pub(super) fn run(args: &Triage, streams: &mut Streams) -> Result<(), Failure> {
    let terminal = &args.terminal;
    let paths = if args.paths.is_empty() { &args.old_input } else { &args.paths };
    let (rules, session) = session::rules_beside(&args.knowledge, terminal, streams, |settings, streams| {
        session::open(paths, &args.input, terminal, settings, streams)
    })?;
    let mut judged = Vec::new();
    for timeline in &session.timelines {
        let mut clock = Clock::start();
        let classes = engine::classify(&rules, timeline);
        let said = format!("classified {} kernels at {} places", timeline.kernels.len(), timeline.contexts.len());
        session::detail(terminal, streams, &clock.lap(&said))?;
        let graph = graph::build(timeline);
        session::detail(terminal, streams, &clock.lap("ordered the launches"))?;
        let findings = engine::run(&rules, timeline, &graph, &classes);
        session::detail(terminal, streams, &clock.lap(&format!("matched chains: {} findings", findings.len())))?;
        let exposure = engine::exposure(timeline, &classes, rules.overlap.same_stream_min());
        let overlaps = engine::overlaps(&rules, timeline, &graph, &classes, &exposure);
        session::detail(terminal, streams, &clock.lap(&format!("looked for overlap: {} rows", overlaps.len())))?;
        judged.push((timeline, classes, findings, exposure, overlaps));
    }
    let analyses: Vec<Analysis> = (judged.iter())
        .map(|(timeline, classes, findings, exposure, overlaps)| Analysis {
            timeline,
            classes,
            findings,
            exposure,
            overlaps,
        })
        .collect();
    let options = Options {
        traces: session.traces,
        min_share: args.output.min_share,
        limit: Some(args.output.limit.max(args.output.kernel_table_limit.unwrap_or(0))).filter(|limit| *limit > 0),
        stage: session::only_stage(&args.input),
    };
    let mut clock = Clock::start();
    let report = report::build(&analyses, &rules, &options);
    session::detail(terminal, streams, &clock.lap("made the report"))?;
    output::write(&report, &args.output, terminal, streams)
}

/// Times stages for `-v`.
struct Clock(Instant);

impl Clock {
    fn start() -> Self {
        Self(Instant::now())
    }

    /// What was done since the last call, with its time.
    fn lap(&mut self, done: &str) -> String {
        let now = Instant::now();
        let took = now - std::mem::replace(&mut self.0, now);
        format!("{done} in {} ms", took.as_millis())
    }
}
