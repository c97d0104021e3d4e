//! A finished run: a report that was written before, or a trace that is triaged now.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memchr::memmem;

use super::args::{Input, Terminal};
use super::failure::{Failure, code};
use super::inputs;
use super::session;
use super::streams::Streams;
use crate::attribution::Stage;
use crate::diagnostic::{Code, Diagnostic, SourceFile};
use crate::engine::Engine;
use crate::report::json::{self, Unread};
use crate::report::{Options, Report};
use crate::rules::RuleSet;
use crate::runs::{CaptureValue, Run};

/// How runs are opened.
#[derive(Clone, Copy)]
pub(super) struct Opening<'a> {
    pub(super) rules: &'a RuleSet,
    pub(super) engine: &'a Engine,
    pub(super) input: &'a Input,
    pub(super) terminal: &'a Terminal,
}

impl Opening<'_> {
    /// The run of some paths; one path that holds a report is read back.
    pub(super) fn run(&self, paths: &[PathBuf], streams: &mut Streams) -> Result<Run, Failure> {
        let shown: Vec<String> = paths.iter().map(|path| path.to_string_lossy().replace('\\', "/")).collect();
        let mut report = match paths {
            [path] if holds_report(path) => self.read_back(path, streams)?,
            _ => self.triage(paths, streams)?,
        };
        if let Some(stage) = session::only_stage(self.input) {
            only(&mut report, stage);
        }
        // Nobody asked for the file by name.
        let capture = self.capture(paths, &report);
        if let (Err(reason), false) = (&capture, self.terminal.quiet) {
            session::say(streams, &format!("warning: {reason}; it is not used"))?;
        }
        let capture = capture.unwrap_or_default();
        Ok(Run { path: shown.join(", "), report, capture })
    }

    fn triage(&self, paths: &[PathBuf], streams: &mut Streams) -> Result<Report, Failure> {
        let session = session::open(paths, self.input, self.terminal, self.rules, streams)?;
        let judged = session::judge(&session.timelines, self.rules, self.engine, self.terminal, streams)?;
        let capture = inputs::capture_beside(&session.traces);
        let options = Options { capture, traces: session.traces, ..Options::default() };
        session::report(&judged, self.rules, &options, self.terminal, streams)
    }

    fn read_back(&self, path: &Path, streams: &Streams) -> Result<Report, Failure> {
        let name = path.to_string_lossy().replace('\\', "/");
        let text = fs::read_to_string(path)
            .map_err(|error| Failure::input(format!("{name}: cannot read it: {error}; expected a JSON report")))?;
        let file = Arc::new(SourceFile { path: name.clone(), text: text.into() });
        json::read(&file.text, self.rules).map_err(|unread| {
            let what = format!("{name} cannot be read as a report");
            Failure::mistakes(code::INPUT, &what, &[told(&unread, &file)], streams.err_is_terminal)
        })
    }

    /// What the capture beside the traces, or beside the report, was asked for.
    fn capture(&self, paths: &[PathBuf], report: &Report) -> Result<Vec<CaptureValue>, String> {
        let settings = &self.rules.compare.capture;
        let traces = report.traces.iter().filter(|info| info.taken).map(|info| PathBuf::from(&info.path));
        let all: Vec<PathBuf> = paths.iter().cloned().chain(traces).collect();
        let folders = all.iter().flat_map(|path| path.ancestors().skip(usize::from(!path.is_dir())).take(2));
        let files = folders.flat_map(|folder| settings.files.iter().map(move |name| folder.join(name)));
        let Some(path) = files.into_iter().find(|path| path.is_file()) else { return Ok(Vec::new()) };
        let shown = path.to_string_lossy().replace('\\', "/");
        let text = fs::read_to_string(&path).map_err(|error| format!("{shown}: cannot read it: {error}"))?;
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| format!("{shown}: broken JSON: {error}"))?;
        Ok(CaptureValue::all(&value, settings))
    }
}

/// Only one stage of what was written before.
fn only(report: &mut Report, stage: Stage) {
    for info in &mut report.stages {
        info.shown = info.stage == stage.id();
    }
}

/// Whether a file is JSON that says which contract of ours it follows. A trace says what it is near its beginning.
pub(super) fn holds_report(path: &Path) -> bool {
    const HEAD: u64 = 64 << 10;
    const LONGEST: u64 = 256 << 20;
    let says = |text: &[u8]| {
        memmem::find_iter(text, b"\"schema\"").any(|at| {
            let value = text[at + 8..].iter().skip_while(|byte| byte.is_ascii_whitespace() || **byte == b':');
            value.take(10).copied().eq(*b"\"llm-prof.")
        })
    };
    let read = |most: u64| -> Option<Vec<u8>> {
        let mut text = Vec::new();
        fs::File::open(path).ok()?.take(most).read_to_end(&mut text).ok()?;
        Some(text)
    };
    // A pipe gives its bytes once, and they are a trace's.
    let Some(size) = fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|meta| meta.len()) else { return false };
    let Some(head) = read(HEAD) else { return false };
    let is_json = head.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    if !is_json || memmem::find(&head, b"\"traceEvents\"").is_some() {
        return false;
    }
    // Keys in another order, as other tools write them.
    says(&head) || size > HEAD && size < LONGEST && read(LONGEST).is_some_and(|whole| says(&whole))
}

/// Why a text is no report, at its place.
fn told(unread: &Unread, file: &Arc<SourceFile>) -> Diagnostic {
    let again = "triage the trace again with --format json";
    match unread {
        Unread::Json { line, column, what } => {
            let before: usize = file.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
            let at = before + column.saturating_sub(1);
            Diagnostic::new(Code::BrokenReport, what.clone()).at(file, at..at + 1, "here").help(again)
        }
        Unread::Foreign | Unread::Version(_) => {
            let at = file.text.find("\"schema\"").unwrap_or(0);
            let end = file.text[at..].find([',', '}', '\n']).map_or(file.text.len(), |end| at + end);
            let label = match unread {
                Unread::Version(_) => "of another version of llm-prof",
                _ => "not what `triage --format json` writes",
            };
            Diagnostic::new(Code::ForeignReport, unread.to_string()).at(file, at..end, label).help(again)
        }
    }
}
