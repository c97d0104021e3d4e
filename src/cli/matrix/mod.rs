//! `llm-prof matrix`: models times servers, each captured and reported, and one document over all. A run that failed stops
//! no other, and one that is done is not made again.

mod commands;
mod plan;

use std::fs;

use super::args::{AUTO, Matrix};
use super::capture::{Source, failure, servers, take};
use super::failure::{Failure, code};
use super::finished::{Opening, holds_report};
use super::output::{print, save_whole};
use super::session::say;
use super::streams::Streams;
use super::{loading, progress, trtllm};
use crate::capture::{Launch, Launched};
use crate::engine::Engine;
use crate::plain;
use crate::report::json;
use crate::report::layout::{left, width};
use crate::rules::schema::servers::Servers;
use crate::runs::bundle::{self, Given};
use plan::{Cell, Plan};

/// The documents over all runs.
const DOCUMENTS: [&str; 3] = ["bundle.md", "bundle.html", "bundle.json"];

/// How a run ended.
enum End {
    Done,
    /// In an earlier matrix of the same plan.
    Before,
    /// There is a report, though not of everything.
    Partly(String),
    Failed(String),
}

/// Makes what is missing, prints how it went.
pub(super) fn run(args: &Matrix, streams: &mut Streams) -> Result<(), Failure> {
    let servers = servers(&args.knowledge, streams)?;
    let rules = loading::rules(&args.knowledge, &args.terminal, streams)?;
    let shown = args.plan.display();
    let text = fs::read_to_string(&args.plan)
        .map_err(|error| Failure::input(format!("{shown}: cannot read it: {error}; expected a plan in TOML")))?;
    let plan = plan::read(&args.plan, text, &rules, &servers)
        .map_err(|found| Failure::mistakes(code::USAGE, "the plan cannot be used", &found, streams.err_is_terminal))?;
    if args.dry_run {
        return print(&commands::of_plan(&plan, &servers), streams);
    }
    let engine = Engine::new(&rules);
    let opening = Opening { rules: &rules, engine: &engine, input: &args.input, terminal: &args.terminal };
    let mut ends = Vec::new();
    for cell in &plan.cells {
        let end = match one(cell, args, &servers, &opening, streams) {
            Ok(end) => end,
            Err(Failure::BrokenPipe) => return Err(Failure::BrokenPipe),
            Err(failure) => End::Failed(failure.text()),
        };
        if let (End::Partly(why) | End::Failed(why), false) = (&end, args.terminal.quiet) {
            let mut lines = why.lines();
            let first = lines.next().unwrap_or_default();
            say(streams, &format!("error: {} on {}: {first}", cell.model, cell.name))?;
            lines.try_for_each(|line| say(streams, line))?;
        }
        ends.push(end);
    }
    documents(&plan, &ends, &opening, streams)?;
    print(&table(&plan, &ends), streams)?;
    let done = ends.iter().all(|end| matches!(end, End::Done | End::Before));
    if done { Ok(()) } else { Err(Failure::Code(code::FAILED)) }
}

/// One run.
fn one(
    cell: &Cell,
    args: &Matrix,
    servers: &Servers,
    opening: &Opening,
    streams: &mut Streams,
) -> Result<End, Failure> {
    let commands = commands::of_cell(cell, servers);
    let (mark, report) = (cell.file(".sh"), cell.report());
    if holds_report(&report) && fs::read_to_string(&mark).is_ok_and(|before| before == commands) {
        return Ok(End::Before);
    }
    if !args.terminal.quiet {
        say(streams, &format!("{} on {}", cell.model, cell.name))?;
    }
    let unwritable =
        |error: std::io::Error| Failure::input(format!("{}: cannot write there: {error}", cell.home.display()));
    fs::create_dir_all(&cell.home).map_err(unwritable)?;
    let server = launched(cell, args, servers, streams)?;
    let source = Source {
        url: cell.url.clone(),
        folder: Some(cell.traces.clone()),
        prefix: None,
        framework: Some(cell.framework.clone()),
        server_log: server.is_some().then(|| cell.file(".log")),
    };
    let captured = take(&source, &cell.options, servers, opening.rules, &args.terminal, streams)?;
    drop(server);
    let failed = captured.failure().map(|failure| failure.text());
    if !captured.kept() {
        return Ok(End::Failed(failed.unwrap_or_else(|| "nothing was captured".to_owned())));
    }
    let files: Vec<_> = captured.files().collect();
    let mut input = args.input.clone();
    if input.framework == AUTO {
        input.framework.clone_from(&cell.framework);
    }
    let run = Opening { input: &input, ..*opening }.run(&files, streams)?;
    save_whole(&report, &json::render(&run.report)).map_err(unwritable)?;
    if let Some(why) = failed {
        return Ok(End::Partly(why));
    }
    save_whole(&mark, &commands).map_err(unwritable)?;
    Ok(End::Done)
}

/// The server of a run that launches one, once it answers.
fn launched(cell: &Cell, args: &Matrix, servers: &Servers, streams: &mut Streams) -> Result<Option<Launched>, Failure> {
    let Some(launch) = &cell.launch else { return Ok(None) };
    if let Some((source, copy)) = &launch.stacks_on {
        trtllm::copy(source, copy, servers)?;
    }
    fs::create_dir_all(&cell.traces)
        .map_err(|error| Failure::input(format!("{}: cannot make it: {error}", cell.traces.display())))?;
    let shows = streams.err_is_terminal && !args.terminal.no_progress && !args.terminal.quiet;
    let mut line = progress::Line::new(shows);
    let log = cell.file(".log");
    let asked = Launch { command: &launch.command, env: &launch.env, log: &log, url: &cell.url, ready: launch.ready };
    let server = Launched::start(&asked, servers, |text| {
        // When not even stderr takes it, the wait goes on.
        let _ = line.show(text, &mut streams.err);
    });
    line.clear(&mut streams.err);
    server.map(Some).map_err(|problem| failure(&problem))
}

/// The documents over all runs that have a report.
fn documents(plan: &Plan, ends: &[End], opening: &Opening, streams: &mut Streams) -> Result<(), Failure> {
    let mut given = Vec::new();
    for (cell, end) in plan.cells.iter().zip(ends) {
        if !matches!(end, End::Failed(_)) {
            let run = opening.run(&[cell.report()], streams)?;
            given.push(Given { run, model: Some(cell.model.clone()), framework: Some(cell.framework.clone()) });
        }
    }
    if given.is_empty() {
        return Ok(());
    }
    let bundle = bundle::bundle(given, &plan.title, opening.rules);
    let texts = [bundle::markdown::render(&bundle, true), bundle::html::render(&bundle, true), bundle::json(&bundle)];
    for (name, text) in DOCUMENTS.iter().zip(texts) {
        let path = plan.folder.join(name);
        save_whole(&path, &text)
            .map_err(|error| Failure::input(format!("{}: cannot write it: {error}", path.display())))?;
    }
    Ok(())
}

/// How it went, a line a run.
fn table(plan: &Plan, ends: &[End]) -> String {
    let longest = |of: fn(&Cell) -> &str| plan.cells.iter().map(|cell| width(of(cell))).max().unwrap_or(0);
    let (models, names) = (longest(|cell| &cell.model), longest(|cell| &cell.name));
    let mut out = String::new();
    for (cell, end) in plan.cells.iter().zip(ends) {
        let word = match end {
            End::Done => "done",
            End::Before => "done before",
            End::Partly(_) => "partly",
            End::Failed(_) => "failed",
        };
        plain::line(&mut out, format_args!("{}  {}  {word}", left(&cell.model, models), left(&cell.name, names)));
    }
    if ends.iter().any(|end| !matches!(end, End::Failed(_))) {
        plain::line(&mut out, format_args!("report: {}", plan.folder.join(DOCUMENTS[0]).display()));
    }
    out
}
