//! `llm-prof capture`, and the traces that `triage --url` reads.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::args::{self, CaptureOptions, Knowledge, Terminal};
use super::failure::{Failure, code};
use super::output::print;
use super::session::{framework, say};
use super::streams::Streams;
use super::{loading, progress, server_log};
use crate::capture::{self, Done, End, Kind, Lengths, Plan, Problem, Said, StageDone, Timeouts};
use crate::plain;
use crate::rules::schema::servers::Servers;
use crate::rules::{self, RuleSet};

/// What names of traces begin with, unless the user says otherwise.
const PREFIX: &str = "triage-trace";

/// Captures, and says what there is now.
pub(super) fn run(args: &args::Capture, streams: &mut Streams) -> Result<(), Failure> {
    let servers = servers(&args.knowledge, streams)?;
    if args.capabilities {
        return print(&capture::table(&servers), streams);
    }
    let rules = loading::rules(&args.knowledge, &args.terminal, streams)?;
    let source = Source {
        url: args.url.clone().unwrap_or_default(),
        folder: args.output_dir.clone(),
        prefix: None,
        framework: framework(&args.framework, &rules)?,
        server_log: args.server_log.clone(),
    };
    let captured = take(&source, &args.options, &servers, &rules, &args.terminal, streams)?;
    print(&outcome(&captured), streams)?;
    captured.failure().map_or(Ok(()), Err)
}

/// What there is now.
fn outcome(captured: &Captured) -> String {
    let mut lines = Vec::new();
    for stage in &captured.done.stages {
        let steps = match stage.steps_seen {
            Some(seen) => format!("{seen} of {} steps", stage.steps_wanted),
            None => format!("{} steps asked for", stage.steps_wanted),
        };
        let name = stage.stage;
        match (stage.end, &stage.partial) {
            (End::Kept, _) => {
                let n = stage.files.len();
                lines.push(format!("{name}: {steps}, {n} {}", if n == 1 { "file" } else { "files" }));
                lines.extend(stage.files.iter().map(|file| format!("  {}", file.display())));
            }
            (_, Some(partial)) => lines.push(format!("{name}: not whole, kept in {}", partial.display())),
            (_, None) => lines.push(format!("{name}: nothing")),
        }
    }
    if captured.kept() {
        lines.push(format!("report: llm-prof triage {}", captured.folder.display()));
    }
    lines.iter().fold(String::new(), |mut out, text| {
        plain::line(&mut out, format_args!("{text}"));
        out
    })
}

/// What is known of the servers.
pub(super) fn servers(knowledge: &Knowledge, streams: &Streams) -> Result<Servers, Failure> {
    rules::load_servers(knowledge.rules.as_deref()).map_err(|problems| loading::unloaded(&problems, streams))
}

/// A server to capture from.
pub(super) struct Source {
    pub(super) url: String,
    pub(super) folder: Option<PathBuf>,
    /// What names of traces begin with; none: what the user says.
    pub(super) prefix: Option<String>,
    /// Framework id; none: the server is asked.
    pub(super) framework: Option<String>,
    pub(super) server_log: Option<PathBuf>,
}

/// A capture that came to its end.
pub(super) struct Captured {
    pub(super) done: Done,
    pub(super) folder: PathBuf,
}

impl Captured {
    /// Traces of the stages that were captured.
    pub(super) fn files(&self) -> impl Iterator<Item = PathBuf> + '_ {
        self.done.stages.iter().flat_map(|stage| stage.files.iter().cloned())
    }

    /// Whether any stage was captured.
    pub(super) fn kept(&self) -> bool {
        self.done.stages.iter().any(|stage| stage.end == End::Kept)
    }

    /// Why not every stage was captured.
    pub(super) fn failure(&self) -> Option<Failure> {
        let said = |stage: &StageDone| Some(format!("{}: {}", stage.stage, stage.problem.as_ref()?));
        let problems: Vec<String> = self.done.stages.iter().filter_map(said).collect();
        let failed = self.done.stages.iter().any(|stage| stage.end != End::Kept);
        (failed || !problems.is_empty()).then(|| Failure::lines(code::INPUT, &problems))
    }
}

/// Captures from one server.
pub(super) fn take(
    source: &Source,
    options: &CaptureOptions,
    servers: &Servers,
    rules: &RuleSet,
    terminal: &Terminal,
    streams: &mut Streams,
) -> Result<Captured, Failure> {
    if let Some(log) = &source.server_log {
        // The gates; what else it says is for the report.
        server_log::read(log, rules)?;
    }
    let plan = plan(source, options);
    let shows = streams.err_is_terminal && !terminal.no_progress && !terminal.quiet;
    let mut line = progress::Line::new(shows);
    let done = capture::run(&plan, servers, rules, &mut |said| {
        line.clear(&mut streams.err);
        // When not even stderr takes it, the capture goes on.
        let _ = match said {
            Said::Progress(text) => line.show(&text, &mut streams.err),
            Said::Note(_) | Said::Warning(_) if terminal.quiet => Ok(()),
            Said::Note(text) => writeln!(streams.err, "{}", plain::clean(&text)),
            Said::Warning(text) => writeln!(streams.err, "warning: {}", plain::clean(&text)),
        };
    });
    line.clear(&mut streams.err);
    if let Some(log) = &source.server_log {
        server_log::read(log, rules)?;
    }
    let done = done.map_err(|problem| failure(&problem))?;
    if source.folder.is_none() && !terminal.quiet {
        say(streams, &format!("traces are in {}", plan.folder.display()))?;
    }
    Ok(Captured { done, folder: plan.folder })
}

pub(super) fn failure(problem: &Problem) -> Failure {
    match problem.kind {
        Kind::Usage => Failure::usage(problem.to_string()),
        Kind::Failed => Failure::input(problem.to_string()),
    }
}

fn plan(source: &Source, options: &CaptureOptions) -> Plan {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    let folder = source.folder.clone().unwrap_or_else(|| PathBuf::from(format!("llm-prof-capture-{}", clock / 1000)));
    Plan {
        url: source.url.clone(),
        router: options.router_url.clone(),
        worker: options.worker_url.clone(),
        key: options.api_key.clone(),
        framework: source.framework.clone(),
        // A server that runs here has another working directory.
        folder: std::path::absolute(&folder).unwrap_or(folder),
        folder_given: source.folder.is_some(),
        server_folder: options.server_output_dir.clone(),
        here: None,
        prefix: options.profile_prefix.clone().or_else(|| source.prefix.clone()).unwrap_or_else(|| PREFIX.to_owned()),
        prefix_given: options.profile_prefix.is_some(),
        steps: options.num_steps,
        warm_up: options.warmup_steps,
        workload: options.profile_workload,
        prefill: Lengths { input: options.prefill_input_len, output: options.prefill_output_len },
        decode: Lengths { input: options.decode_input_len, output: options.decode_output_len },
        requests: options.probe_requests,
        prompt: options.probe_prompt.clone(),
        max_new_tokens: options.probe_max_new_tokens,
        delay: options.probe_delay,
        by_stage: options.by_stage(),
        merge: options.merge_profiles,
        start_step: options.start_step,
        ranks: options.ranks,
        timeouts: Timeouts {
            probe: options.probe_timeout,
            start: options.start_timeout,
            request: options.request_timeout,
            stop: options.stop_timeout,
            flush: options.flush_timeout,
        },
        seed: options.seed.unwrap_or(clock),
        take_over: options.take_over,
        note: options.note.clone(),
        bucket: options.bucket.map(|bucket| bucket_name(bucket).to_owned()),
    }
}

fn bucket_name(bucket: args::Bucket) -> &'static str {
    match bucket {
        args::Bucket::P50 => "p50",
        args::Bucket::P95 => "p95",
    }
}

/// The traces of `triage --url`, or of its pair: those to report, and those that places come from.
pub(super) struct Traces {
    pub(super) formal: Captured,
    pub(super) mapping: Option<Captured>,
}

/// Captures what `triage` will read; none: it reads files.
pub(super) fn for_triage(args: &args::Triage, streams: &mut Streams) -> Result<Option<Traces>, Failure> {
    let live = &args.live;
    let Some(url) = live.url.as_ref().or(live.formal_url.as_ref()) else { return Ok(None) };
    let servers = servers(&args.knowledge, streams)?;
    let rules = loading::rules(&args.knowledge, &args.terminal, streams)?;
    let source = |url: &str, folder: Option<&Path>, prefix: Option<&str>| -> Result<Source, Failure> {
        Ok(Source {
            url: url.to_owned(),
            folder: folder.map(Path::to_owned),
            prefix: prefix.map(str::to_owned),
            framework: framework(&args.input.framework, &rules)?,
            server_log: args.input.server_log.clone(),
        })
    };
    let one = |source: &Source, streams: &mut Streams| {
        let captured = take(source, &args.capture, &servers, &rules, &args.terminal, streams)?;
        if captured.kept() {
            return Ok(captured);
        }
        Err(captured.failure().unwrap_or_else(|| Failure::input("nothing was captured")))
    };
    if let Some(mapping_url) = &live.mapping_url {
        let mapping =
            source(mapping_url, live.mapping_output_dir.as_deref(), Some(live.mapping_profile_prefix.as_str()))?;
        let formal = source(url, live.formal_output_dir.as_deref(), Some(live.formal_profile_prefix.as_str()))?;
        let mapping = one(&mapping, streams)?;
        return Ok(Some(Traces { mapping: Some(mapping), formal: one(&formal, streams)? }));
    }
    let formal = one(&source(url, live.output_dir.as_deref(), None)?, streams)?;
    Ok(Some(Traces { formal, mapping: None }))
}
