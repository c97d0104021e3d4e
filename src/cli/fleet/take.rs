//! `llm-prof fleet INPUT… -o DIR`: every trace triaged, side by side, each for itself.

use std::any::Any;
use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::store::{Done, ERRORS, Error, Store};
use super::tables::origins;
use crate::cli::args::Fleet;
use crate::cli::failure::{Failure, code};
use crate::cli::inputs::{self, Every, Input};
use crate::cli::progress::Progress;
use crate::cli::session::{self, Judged, Reading};
use crate::cli::side_by_side::{Bounds, side_by_side};
use crate::cli::streams::Streams;
use crate::cli::values::RankArg;
use crate::cli::{loading, output, ranks};
use crate::engine::Engine;
use crate::fleet::{self, Origins};
use crate::plain;
use crate::report::{self, Analysis, Options, Report};
use crate::rules::RuleSet;

/// Errors that are told one by one; the file has all.
const TOLD: usize = 20;

/// Reads, judges, keeps; then writes the tables.
pub(super) fn run(args: &Fleet, streams: &mut Streams) -> Result<(), Failure> {
    let dir = args.output.as_deref().unwrap_or(Path::new("."));
    if args.input.rank == Some(RankArg::All) {
        return Err(Failure::usage("--rank all: a fleet reads every rank as it is; give a number, or nothing"));
    }
    let paths = listed(&args.paths)?;
    let rules = loading::rules_for_traces(&args.knowledge, &args.terminal, streams)?;
    let engine = Engine::new(&rules);
    let (store, before) = Store::open(dir)?;
    if let (Some(process), false) = (before, args.terminal.quiet) {
        let shown = dir.display();
        session::say(streams, &format!("note: {shown}: process {process} did not come to its end there; going on"))?;
    }
    let every = every(&paths, dir, args, &rules)?;
    let known = store.done().map_err(|error| store.full(&error))?;
    let reading = Reading::new(&args.input, &args.terminal, &rules, streams)?;
    let work = Work {
        options: options(args, &rules)?,
        origins: origins(&rules)?,
        store: &store,
        known: &known,
        args,
        rules: &rules,
        engine: &engine,
        reading: &reading,
        count: Count::default(),
    };
    let mut outcomes = {
        let progress = reading.progress(&every.taken, streams);
        let memory = |input: &Input| ranks::memory(input, rules.inputs.memory);
        side_by_side(&every.taken, Bounds::of(&args.input), memory, |input| {
            let outcome = work.one(input);
            work.count.tell(&outcome, every.taken.len(), &progress);
            outcome
        })?
    };
    for (path, reason) in &every.broken {
        let error = Error { file: path.clone(), code: code::INPUT, reason: reason.clone() };
        outcomes.push(Outcome { done: None, error: Some(error), new: false });
    }
    let mut known = known.clone();
    // What was a trace in an earlier run and is none any more.
    for path in every.broken.keys().chain(every.left.iter().map(|info| &info.path)) {
        if known.remove(path).is_some() {
            store.forget(path).map_err(|error| store.full(&error))?;
        }
    }
    for outcome in &outcomes {
        known.extend(outcome.done.iter().map(|done| (done.trace.clone(), done.clone())));
    }
    let mut errors: Vec<&Error> = known.values().filter_map(|done| done.error.as_ref()).collect();
    errors
        .extend(outcomes.iter().filter(|outcome| outcome.done.is_none()).filter_map(|outcome| outcome.error.as_ref()));
    errors.sort_by(|a, b| a.file.cmp(&b.file));
    store.finish(&known, &errors).map_err(|error| store.full(&error))?;
    tell(&every, &outcomes, known.values().filter(|done| done.error.is_none()).count(), args, streams)
}

/// What the paths are; `@FILE` is a list of them, one a line, `#` begins a remark.
fn listed(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut all = Vec::new();
    for path in paths {
        let list = path.to_str().and_then(|text| text.strip_prefix('@')).filter(|_| !path.exists());
        let Some(list) = list else {
            all.push(path.clone());
            continue;
        };
        let cannot =
            |error: io::Error| Failure::input(format!("@{list}: cannot read it: {error}; expected a path a line"));
        for line in BufReader::new(File::open(list).map_err(cannot)?).lines() {
            let line = line.map_err(cannot)?;
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                all.push(PathBuf::from(line));
            }
        }
    }
    match all.iter().find(|path| path.as_os_str() == "-") {
        Some(_) => {
            Err(Failure::usage("-: a fleet reads files; `@/dev/stdin` takes a list of them from standard input"))
        }
        None => Ok(all),
    }
}

/// Every trace; of the rank that was asked for where ranks are known.
fn every(paths: &[PathBuf], dir: &Path, args: &Fleet, rules: &RuleSet) -> Result<Every, Failure> {
    let mut every = inputs::every(paths, dir, rules)?;
    if let Some(rank) = args.input.one_rank() {
        every.taken.retain(|input| input.info.rank.is_none_or(|own| own == rank));
    }
    Ok(every)
}

/// What became of an input.
struct Outcome {
    /// None when it was not kept: the next run tries again.
    done: Option<Done>,
    error: Option<Error>,
    new: bool,
}

/// For the progress.
#[derive(Default)]
struct Count {
    done: AtomicUsize,
    failed: AtomicUsize,
}

impl Count {
    fn tell(&self, outcome: &Result<Outcome, Failure>, all: usize, progress: &Progress) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let bad = usize::from(outcome.as_ref().is_ok_and(|outcome| outcome.error.is_some()));
        let failed = self.failed.fetch_add(bad, Ordering::Relaxed) + bad;
        let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
        progress.note(format!("; {done} of {all} traces{failed}"));
    }
}

/// What threads share.
struct Work<'a> {
    /// Digest of what is the same for all inputs and changes results.
    options: blake3::Hash,
    origins: Origins,
    store: &'a Store,
    known: &'a std::collections::BTreeMap<String, Done>,
    args: &'a Fleet,
    rules: &'a RuleSet,
    engine: &'a Engine,
    reading: &'a Reading<'a>,
    count: Count,
}

impl Work<'_> {
    /// One input. Only a folder that takes no more ends all.
    fn one(&self, input: &Input) -> Result<Outcome, Failure> {
        let trace = input.info.path.clone();
        let failed = |code: u8, reason: String| Error { file: trace.clone(), code, reason };
        let key = match self.key(input) {
            Ok(key) => key,
            Err(error) => {
                let reason = format!("{trace}: cannot read it: {error}");
                return Ok(Outcome { done: None, error: Some(failed(code::INPUT, reason)), new: false });
            }
        };
        if let Some(done) = self.known.get(&trace).filter(|done| done.key == key) {
            self.skip(input);
            return Ok(Outcome { done: Some(done.clone()), error: done.error.clone(), new: false });
        }
        // A bug that one trace brings out is that trace's failure.
        let made = catch_unwind(AssertUnwindSafe(|| self.report(input)));
        let report = match made {
            Ok(Ok(report)) => Ok(report),
            Ok(Err(Failure::Said { code, message })) => Err(failed(code, message)),
            Ok(Err(other)) => return Err(other),
            Err(panic) => Err(failed(101, format!("{trace}: a bug of llm-prof: {}; please report it", said(&*panic)))),
        };
        let error = report.as_ref().err().cloned();
        let done = Done { trace, key, error: error.clone() };
        let rows = report.as_ref().ok().map(|report| fleet::rows(report, &self.origins));
        let kept = self.store.keep(&done, report.as_ref().ok().zip(rows.as_deref()));
        kept.map_err(|error| self.store.full(&error))?;
        Ok(Outcome { done: Some(done), error, new: true })
    }

    /// As `triage` of this file alone makes it.
    fn report(&self, input: &Input) -> Result<Report, Failure> {
        let mut said = Vec::new();
        let opened = self.reading.open(input, &mut said)?;
        let timelines = opened.timelines.into_iter();
        let judged: Vec<Judged> =
            timelines.map(|timeline| Judged::of(Cow::Owned(timeline), self.rules, self.engine, &mut said)).collect();
        let options = Options {
            capture: inputs::capture_beside(&opened.traces),
            traces: opened.traces,
            stage: session::only_stage(&self.args.input),
            ..Options::default()
        };
        let analyses: Vec<Analysis> = judged.iter().map(Judged::analysis).collect();
        Ok(report::build(&analyses, self.rules, &options))
    }

    /// Digest of the trace, of the files beside it, of the rules and the options: what the report depends on.
    fn key(&self, input: &Input) -> io::Result<String> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.options.as_bytes());
        let captures = input.captures.iter().map(|(path, _)| path.clone());
        let beside = input.server_args.iter().cloned().chain(inputs::capture_file(&input.path)).chain(captures);
        digest(&input.path, &mut hasher)?;
        for path in beside {
            hasher.update(path.as_os_str().as_encoded_bytes());
            // What cannot be read is not used, and that is what the report says.
            if let Err(error) = digest(&path, &mut hasher) {
                hasher.update(error.to_string().as_bytes());
            }
        }
        Ok(hasher.finalize().to_hex()[..32].to_owned())
    }

    /// Moves the bar past an input that is not read.
    fn skip(&self, input: &Input) {
        let files = input.captures.iter().map(|(path, _)| path).chain([&input.path]);
        let bytes: u64 = files.filter_map(|path| Some(fs::metadata(path).ok()?.len())).sum();
        self.reading.settings().taken.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Adds a file, and how long it is.
fn digest(path: &Path, hasher: &mut blake3::Hasher) -> io::Result<()> {
    let before = hasher.count();
    hasher.update_reader(File::open(path)?)?;
    let length = hasher.count() - before;
    hasher.update(&length.to_le_bytes());
    Ok(())
}

/// Digest of all that is the same for every input and shows in a report.
fn options(args: &Fleet, rules: &RuleSet) -> Result<blake3::Hash, Failure> {
    let input = &args.input;
    let mut hasher = blake3::Hasher::new();
    let asked = (
        (env!("CARGO_PKG_VERSION"), &rules.version, &rules.digest),
        (&args.knowledge.include, &args.knowledge.exclude),
        (&input.framework, &input.framework_version, &input.model, input.tp),
        (&input.device, &input.rank, &input.stage, input.max_bytes),
    );
    hasher.update(format!("{asked:?}").as_bytes());
    for path in input.server_args.iter().chain(&input.server_log) {
        digest(path, &mut hasher)
            .map_err(|error| Failure::input(format!("{}: cannot read it: {error}", path.display())))?;
    }
    Ok(hasher.finalize())
}

/// The words of a panic.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// What was done, in a few lines; an error each, while they are few.
fn tell(
    every: &Every,
    outcomes: &[Outcome],
    reports: usize,
    args: &Fleet,
    streams: &mut Streams,
) -> Result<(), Failure> {
    let dir = args.output.as_deref().unwrap_or(Path::new(".")).display();
    let failed: Vec<&Error> = outcomes.iter().filter_map(|outcome| outcome.error.as_ref()).collect();
    for error in failed.iter().take(TOLD) {
        session::say(streams, &format!("error: {}", error.reason))?;
    }
    if let Some(more) = failed.len().checked_sub(TOLD).filter(|more| *more > 0) {
        session::say(streams, &format!("error: {more} more of these; {dir}/{ERRORS} has all"))?;
    }
    let good = |new: bool| outcomes.iter().filter(|outcome| outcome.error.is_none() && outcome.new == new).count();
    let (new, same) = (good(true), good(false));
    let mut text = String::new();
    let mut line = |key: &str, n: usize, what: &str| {
        plain::line(&mut text, format_args!("{}", format!("{key:<10} {n:>7}  {what}").trim_end()));
    };
    line("triaged", new, "");
    if same > 0 {
        line("as before", same, "same content, rules and options as in an earlier run");
    }
    if !failed.is_empty() {
        line("failed", failed.len(), &format!("named in {dir}/{ERRORS}"));
    }
    if !every.left.is_empty() {
        line("left", every.left.len(), "no traces, or traces of no worker; -v names them");
    }
    line("reports", reports, &format!("in {dir}/reports; tables in {dir}/*.ndjson"));
    output::print(&text, streams)?;
    for info in &every.left {
        session::detail(&args.terminal, streams, &format!("left: {}: {}", info.path, info.reason))?;
    }
    if new + same == 0 { Err(Failure::Code(code::INPUT)) } else { Ok(()) }
}
