//! `llm-prof cut`: a small copy of a trace that says the same.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::args::{self, Cut};
use super::failure::{Failure, code};
use super::inputs::{self, Ask, Input};
use super::session::{self, Judged, Reading};
use super::streams::Streams;
use super::values::RankArg;
use super::{loading, output};
use crate::attribution::{self, Timeline};
use crate::cut::{self, CopyFailed, Extent, Request, Scrubber, Selection};
use crate::engine::Engine;
use crate::rules::RuleSet;
use crate::trace::{Header, Trace};

/// Reads, chooses, reads again and writes.
pub(super) fn run(args: &Cut, streams: &mut Streams) -> Result<(), Failure> {
    let packed = is_packed(&args.output)?;
    if args.path.as_os_str() == "-" {
        return Err(Failure::usage("cut reads a trace twice, so it needs a file, not standard input"));
    }
    if args.input.rank == Some(RankArg::All) {
        return Err(Failure::usage("--rank all: a cut is of one rank; give its number, such as --rank 0"));
    }
    let rules = loading::rules(&args.knowledge, &args.terminal, streams)?;
    let source = Source::open(args, &rules, streams)?;
    if same_file(&source.input.path, &args.output) {
        return Err(Failure::usage(format!("--output {}: this is the trace itself", args.output.display())));
    }
    let request = Request {
        steps: args.steps,
        stage: session::only_stage(&args.input),
        streams: args.stream.clone(),
        window: args.window,
    };
    let selection = cut::select(&source.timeline, &request, &source.captures, source.processes.clone());
    let selection = selection.map_err(|why| Failure::Said {
        code: code::UNFIT,
        message: format!("{}: {why}", source.input.path.display()),
    })?;
    let mut said = Vec::new();
    let marks = if args.annotate {
        let judged = Judged::of(Cow::Borrowed(&source.timeline), &rules, &Engine::new(&rules), &mut said);
        cut::marks(&source.timeline, &judged.judgement.findings, &judged.judgement.overlaps, &rules, &selection)
    } else {
        Vec::new()
    };
    let scrubber = Scrubber::new(&rules.cut, &rules.attribution.sites)
        .map_err(|why| Failure::Said { code: code::RULES, message: format!("rules/cut.yaml: {why}") })?;
    let scrubber = scrubber.with_secrets(&source.header, &args.scrub);
    let settings = crate::trace::Settings { keep_frames: true, ..rules.trace.clone() };
    let settings = crate::trace::Settings { limits: source.limits, ..settings };
    let copied = output::save_with(&args.output, |file| {
        let mut out = Sink::of(file, packed);
        let copy = cut::copy(
            &source.input.path,
            &settings,
            &source.header,
            &selection,
            (&rules.cut, &scrubber),
            &marks,
            out.writer(),
        )?;
        out.finish()?;
        Ok::<_, CopyFailed>(copy)
    });
    let copied = copied.map_err(|failed| match failed {
        CopyFailed::Read(error) => Failure::input(error.to_string()),
        CopyFailed::Write(error) => Failure::usage(format!(
            "--output {}: cannot write it: {error}; check the folder and its permissions",
            args.output.display()
        )),
    })?;
    if !args.terminal.quiet {
        session::say(streams, &summary(args, &selection, &copied, marks.len()))?;
        if source.places_elsewhere {
            let note = "note: places of graph kernels come from the capture beside the trace; hand that over, too, or cut \
                        it as well";
            session::say(streams, note)?;
        }
    }
    let left = copied.header_left.join(", ");
    session::detail(&args.terminal, streams, &format!("top-level keys left out: {left}"))
}

fn summary(args: &Cut, selection: &Selection, copied: &cut::Copied, marks: usize) -> String {
    let steps: Vec<String> = (selection.steps.iter())
        .map(|(stage, n)| format!("{n} {} {}", stage.id(), if *n == 1 { "step" } else { "steps" }))
        .collect();
    let what = if steps.is_empty() { "a stretch of time".to_owned() } else { steps.join(", ") };
    let (output, launches) = (args.output.display(), selection.launches);
    let mut parts = vec![format!("{what}, {launches} launches, {} of {} events", copied.kept, copied.events)];
    if marks > 0 {
        parts.push(format!(", and {marks} events of the findings' track"));
    }
    if copied.broken > 0 {
        parts.push(format!("; {} chosen events are no JSON and are left out", copied.broken));
    }
    format!("wrote {output}: {}", parts.concat())
}

/// The one trace that is cut.
struct Source {
    input: Input,
    timeline: Timeline,
    header: Header,
    captures: Vec<Extent>,
    processes: Option<BTreeSet<String>>,
    limits: crate::trace::Limits,
    places_elsewhere: bool,
}

impl Source {
    fn open(args: &Cut, rules: &RuleSet, streams: &mut Streams) -> Result<Self, Failure> {
        let input: &args::Input = &args.input;
        let ask = Ask { rank: input.one_rank(), stage: session::only_stage(input), ..Ask::default() };
        let chosen = inputs::gather(std::slice::from_ref(&args.path), ask, rules)?.taken;
        let mut taken = chosen.into_iter();
        let Some(one) = taken.next() else {
            return Err(Failure::input(format!("{}: no trace to cut", args.path.display())));
        };
        if let Some(other) = taken.next() {
            return Err(Failure::usage(format!(
                "{}: holds several traces that can be cut, such as {} and {}; name one of them",
                args.path.display(),
                one.path.display(),
                other.path.display()
            )));
        }
        if !(one.info.reason.is_empty() || args.terminal.quiet) {
            let (path, why) = (one.path.display(), &one.info.reason);
            let note = format!("note: {path} is cut, the {why} of what lies there; --rank or its name takes another");
            session::say(streams, &note)?;
        }
        let reading = Reading::new(input, &args.terminal, rules, streams)?;
        let mut said = Vec::new();
        let opened = Self::read(one, &reading, rules, &mut said);
        said.iter().try_for_each(|line| session::say(streams, line))?;
        let opened = opened?;
        if opened.processes.is_some() && input.one_rank().is_none() && !args.terminal.quiet {
            let path = opened.input.path.display();
            session::say(
                streams,
                &format!("note: {path} has several ranks and the lowest is cut; --rank takes another"),
            )?;
        }
        Ok(opened)
    }

    fn read(input: Input, reading: &Reading, rules: &RuleSet, said: &mut Vec<String>) -> Result<Self, Failure> {
        let settings = &rules.attribution;
        let given = reading.given_of(&input, said)?;
        let trace = reading.read(&input.path, said)?;
        let limits = reading.settings().limits;
        let mut parts = attribution::by_rank(trace, settings);
        let several = parts.len() > 1;
        let at = if several { part_of(&parts, &given, rules, &input)? } else { 0 };
        let trace = parts.swap_remove(at);
        let header = trace.header.clone();
        let processes = several.then(|| processes(&trace));
        let captures = attribution::capture_windows(&trace, settings);
        let siblings: Vec<Trace> =
            input.captures.iter().filter_map(|(path, _)| reading.read(path, said).ok()).collect();
        let timeline = attribution::attribute(trace, &siblings, settings, &rules.names, &given);
        let captures = if timeline.counts.by_position > 0 { captures } else { Vec::new() };
        let places_elsewhere = !siblings.is_empty() && timeline.counts.by_position > timeline.counts.capture_launches;
        Ok(Self { input, timeline, header, captures, processes, limits, places_elsewhere })
    }
}

/// Which part of a file of several ranks was asked for; the lowest when none was.
fn part_of(parts: &[Trace], given: &attribution::Given, rules: &RuleSet, input: &Input) -> Result<usize, Failure> {
    let Some(asked) = given.rank else { return Ok(0) };
    let rank = |part: &Trace| {
        let timeline = attribution::attribute(part.clone(), &[], &rules.attribution, &rules.names, given);
        timeline.run.rank.map(|rank| rank.value)
    };
    let ranks: Vec<Option<i64>> = parts.iter().map(rank).collect();
    ranks.iter().position(|rank| *rank == Some(asked)).ok_or_else(|| {
        let there: Vec<String> = ranks.iter().flatten().map(i64::to_string).collect();
        Failure::usage(format!("--rank {asked}: {} has ranks {}", input.path.display(), there.join(", ")))
    })
}

/// Processes that have an event in the part of a rank.
fn processes(part: &Trace) -> BTreeSet<String> {
    let lane = |lane: crate::trace::LaneId| part.lanes[lane.0 as usize].process;
    let mut used = BTreeSet::new();
    used.extend(part.gpu.iter().map(|event| event.stream.process));
    used.extend(part.syncs.iter().map(|event| event.process));
    used.extend(part.runtime.iter().map(|call| lane(call.lane)));
    used.extend(part.ops.iter().map(|op| lane(op.lane)));
    used.extend(part.annotations.iter().map(|annotation| lane(annotation.lane)));
    used.extend(part.frames.iter().map(|frames| lane(frames.lane)));
    used.into_iter().map(|process| part.strings.get(part.processes[process.0 as usize]).to_owned()).collect()
}

/// Whether the output is packed, by its name.
fn is_packed(output: &Path) -> Result<bool, Failure> {
    let ending = |path: &Path| path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match ending(output).as_deref() {
        Some("json") => Ok(false),
        Some("gz") if ending(Path::new(output.file_stem().unwrap_or_default())).as_deref() == Some("json") => Ok(true),
        _ => Err(Failure::usage(format!("--output {}: expected a name in .json or .json.gz", output.display()))),
    }
}

fn same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// A file, packed or plain.
enum Sink<'f> {
    Plain(BufWriter<&'f mut File>),
    Packed(Box<GzEncoder<BufWriter<&'f mut File>>>),
}

impl<'f> Sink<'f> {
    fn of(file: &'f mut File, packed: bool) -> Self {
        let file = BufWriter::new(file);
        if packed { Self::Packed(Box::new(GzEncoder::new(file, Compression::default()))) } else { Self::Plain(file) }
    }

    fn writer(&mut self) -> &mut (dyn Write + Send) {
        match self {
            Self::Plain(file) => file,
            Self::Packed(file) => file,
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut file) => file.flush(),
            Self::Packed(file) => file.finish()?.flush(),
        }
    }
}
