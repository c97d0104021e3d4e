//! What `triage`, `doctor` and `explain` do alike: choose the files, read, attribute and judge them.

use std::borrow::Cow;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::args::{self, StageArg, Terminal};
use super::failure::Failure;
use super::inputs::{self, Ask, Input};
use super::progress::Progress;
use super::server_log;
use super::streams::Streams;
use super::values::RankArg;
use crate::attribution::{self, FoundBy, Given, Stage, Timeline};
use crate::diagnostic;
use crate::engine::{Classes, Engine, Judgement};
use crate::graph;
use crate::plain;
use crate::report::{self, Analysis, Options, Report, TraceInfo, losses};
use crate::rules::RuleSet;
use crate::rules::schema::fleet::FleetFile;
use crate::trace::{self, Trace, Warning};
use crate::units;

/// Traces attributed, and every file that was looked at.
pub(super) struct Session {
    /// In the order in which they are reported.
    pub(super) timelines: Vec<Timeline>,
    /// Taken ones first.
    pub(super) traces: Vec<TraceInfo>,
}

/// Chooses, reads and attributes.
pub(super) fn open(
    paths: &[PathBuf],
    input: &args::Input,
    terminal: &Terminal,
    rules: &RuleSet,
    streams: &mut Streams,
) -> Result<Session, Failure> {
    if input.rank == Some(RankArg::All) {
        return Err(Failure::usage(
            "--rank all: only triage of one run compares ranks; give the number of one here, such as --rank 0",
        ));
    }
    let ask = Ask { rank: input.one_rank(), stage: only_stage(input), ..Ask::default() };
    let chosen = inputs::gather(paths, ask, rules)?;
    let reading = Reading::new(input, terminal, rules, streams)?;
    let mut session = Session { timelines: Vec::new(), traces: Vec::new() };
    let progress = reading.progress(&chosen.taken, streams);
    let mut broken = Vec::new();
    for one in &chosen.taken {
        let mut said = Vec::new();
        let opened = reading.open(one, &mut said);
        progress.pause(|| said.iter().try_for_each(|line| say(streams, line)))?;
        match opened {
            Ok(Opened { timelines, traces }) => {
                session.timelines.extend(timelines);
                session.traces.extend(traces);
            }
            // The others of a folder still count.
            Err(Failure::Said { message, .. }) if !one.by_name => broken.push((one, message)),
            Err(other) => return Err(other),
        }
    }
    drop(progress);
    if let (true, Some((_, message))) = (session.timelines.is_empty(), broken.first()) {
        return Err(Failure::input(message));
    }
    for (input, message) in broken {
        if !terminal.quiet {
            say(streams, &format!("warning: {message}; it is not used"))?;
        }
        session.traces.push(unread(input.info.clone(), &message));
        let captures = input.captures.iter();
        session.traces.extend(captures.map(|(_, info)| unread(info.clone(), "its trace cannot be read")));
    }
    session.traces.extend(chosen.left);
    Ok(session)
}

/// What is said of a file that could not be read.
pub(super) fn unread(info: TraceInfo, message: &str) -> TraceInfo {
    let reason = message.strip_prefix(&format!("{}: ", info.path)).unwrap_or(message).to_owned();
    TraceInfo { taken: false, reason, ..info }
}

/// A timeline with what the engine makes of it.
pub(super) struct Judged<'a> {
    pub(super) timeline: Cow<'a, Timeline>,
    pub(super) classes: Classes,
    pub(super) judgement: Judgement,
}

impl<'a> Judged<'a> {
    /// Classifies and searches; `said` takes how long that took.
    pub(super) fn of(timeline: Cow<'a, Timeline>, rules: &RuleSet, engine: &Engine, said: &mut Vec<String>) -> Self {
        let mut clock = Clock::start();
        let mut lap = |done: &str| said.push(clock.lap(done));
        let classes = engine.classify(rules, &timeline);
        lap(&format!("classified {} kernels at {} places", timeline.kernels.len(), timeline.contexts.len()));
        let graph = graph::build(&timeline);
        lap("ordered the launches");
        let judgement = engine.judge(rules, &timeline, &graph, &classes);
        let (chains, rows) = (judgement.findings.len(), judgement.overlaps.len());
        let near = judgement.similarity.sightings.len();
        lap(&format!("matched chains: {chains} findings, {near} near; and looked for overlap: {rows} rows"));
        Self { timeline, classes, judgement }
    }

    /// As the report takes it.
    pub(super) fn analysis(&self) -> Analysis<'_> {
        Analysis::new(&self.timeline, &self.classes, &self.judgement)
    }
}

/// Classifies and searches each timeline; `-v` says how long that took.
pub(super) fn judge<'a>(
    timelines: &'a [Timeline],
    rules: &RuleSet,
    engine: &Engine,
    terminal: &Terminal,
    streams: &mut Streams,
) -> Result<Vec<Judged<'a>>, Failure> {
    let mut judged = Vec::new();
    for timeline in timelines {
        let mut said = Vec::new();
        judged.push(Judged::of(Cow::Borrowed(timeline), rules, engine, &mut said));
        said.iter().try_for_each(|line| detail(terminal, streams, line))?;
    }
    Ok(judged)
}

/// The report on all of them; `-v` says what is left open.
pub(super) fn report(
    judged: &[Judged],
    rules: &RuleSet,
    options: &Options,
    terminal: &Terminal,
    streams: &mut Streams,
) -> Result<Report, Failure> {
    let analyses: Vec<Analysis> = judged.iter().map(Judged::analysis).collect();
    let report = report::build(&analyses, rules, options);
    for line in losses::given_up(&report.losses).iter().filter(|_| !terminal.quiet) {
        say(streams, &format!("warning: {line}"))?;
    }
    losses::left_open(&report.losses).iter().try_for_each(|line| detail(terminal, streams, line))?;
    Ok(report)
}

/// Times stages for `-v`.
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    /// What was done since the last call, with its time.
    pub(super) fn lap(&mut self, done: &str) -> String {
        let now = Instant::now();
        let took = now - std::mem::replace(&mut self.0, now);
        format!("{done} in {} ms", took.as_millis())
    }
}

/// The one stage that was asked for.
pub(super) fn only_stage(input: &args::Input) -> Option<Stage> {
    match input.stage {
        Some(StageArg::One(stage)) => Some(stage),
        _ => None,
    }
}

/// How files are read; shared by threads that read side by side. What is to be said is gathered, so that it comes in
/// the order of the files.
pub(super) struct Reading<'r> {
    rules: &'r RuleSet,
    terminal: &'r Terminal,
    settings: trace::Settings,
    given: Given,
    /// Standard input, taken once.
    input: Mutex<Option<Box<dyn Read + Send>>>,
    /// Whether a file of several ranks is parted.
    every_rank: bool,
}

/// What one file gave: a timeline a rank, and every file that was looked at for it.
pub(super) struct Opened {
    pub(super) timelines: Vec<Timeline>,
    pub(super) traces: Vec<TraceInfo>,
}

impl<'r> Reading<'r> {
    pub(super) fn new(
        input: &args::Input,
        terminal: &'r Terminal,
        rules: &'r RuleSet,
        streams: &mut Streams,
    ) -> Result<Self, Failure> {
        let mut settings = trace::Settings { taken: Arc::default(), ..rules.trace.clone() };
        if let Some(bytes) = input.max_bytes {
            settings.limits.bytes = Some(if bytes == 0 { u64::MAX } else { bytes });
        }
        Ok(Self {
            rules,
            terminal,
            settings,
            given: given(input, rules)?,
            input: Mutex::new(streams.input.take()),
            every_rank: input.rank == Some(RankArg::All),
        })
    }

    /// A bar while these are read.
    pub(super) fn progress(&self, inputs: &[Input], streams: &Streams) -> Progress {
        let captures = inputs.iter().flat_map(|input| &input.captures).map(|(path, _)| path.as_path());
        let files = inputs.iter().map(|input| input.path.as_path()).chain(captures);
        Progress::follow(files, &self.settings.taken, self.terminal, streams)
    }

    /// Reads and attributes one file.
    pub(super) fn open(&self, input: &Input, said: &mut Vec<String>) -> Result<Opened, Failure> {
        let asked = self.given.rank;
        let given = self.given_of(input, said)?;
        let trace = self.read(&input.path, said)?;
        let mut info = input.info.clone();
        info.warnings = trace.warnings.iter().map(|warning| warning.text.clone()).collect();
        info.host = host(&trace, &self.rules.fleet);
        info.date = date(&trace, &self.rules.fleet);
        let mut captures = Vec::new();
        let mut infos = Vec::new();
        for (path, capture) in &input.captures {
            infos.push(match self.read(path, said) {
                Ok(trace) => {
                    captures.push(trace);
                    capture.clone()
                }
                Err(Failure::Said { message, .. }) => unread(capture.clone(), &message),
                Err(other) => return Err(other),
            });
        }
        let attribution = &self.rules.attribution;
        let parts = if self.every_rank { attribution::by_rank(trace, attribution) } else { vec![trace] };
        let mut timelines = Vec::new();
        for part in parts {
            let begin = Instant::now();
            let timeline = attribution::attribute(part, &captures, attribution, &self.rules.names, &given);
            // Another device than the one asked for would answer another question.
            if let Some(warning) = timeline.warnings.iter().find(|warning| warning.code == attribution::NO_SUCH_DEVICE)
            {
                return Err(Failure::input(format!("{}: {}", info.path, warning.text)));
            }
            if let (Some(asked), Some(own)) = (asked, timeline.run.rank.as_ref())
                && own.value != asked
            {
                return Err(Failure::input(format!("{}: this is rank {}, not rank {asked}", info.path, own.value)));
            }
            let launches = timeline.launches.len();
            self.detail(format!("attributed {launches} launches in {} ms", begin.elapsed().as_millis()), said);
            timelines.push(timeline);
        }
        if !timelines.iter().any(joins_another_file) {
            for capture in infos.iter_mut().filter(|capture| capture.taken) {
                capture.taken = false;
                "no graph replay follows its launch order".clone_into(&mut capture.reason);
            }
        }
        if let [timeline] = timelines.as_slice() {
            info.device = timeline.devices.iter().find(|device| device.taken).map(|device| device.device.clone());
            info.rank = timeline.run.rank.as_ref().map(|rank| rank.value).or(info.rank);
        } else {
            info.reason = format!("{} ranks in one file", timelines.len());
        }
        infos.insert(0, info);
        for info in infos.iter().filter(|_| !self.terminal.quiet) {
            said.extend(info.warnings.iter().map(|warning| format!("warning: {}: {warning}", info.path)));
        }
        Ok(Opened { timelines, traces: infos })
    }

    /// What the user and the folder say of this file.
    pub(super) fn given_of(&self, input: &Input, said: &mut Vec<String>) -> Result<Given, Failure> {
        let mut given = Given { stage_hint: input.stage, ..self.given.clone() };
        if !input.merged {
            // The file was chosen by its rank; inside it there is no other.
            given.rank = given.rank.filter(|rank| input.info.rank.is_none_or(|own| own == *rank));
        }
        if let (None, Some(path)) = (&given.server_args, &input.server_args) {
            given.server_args = self.or_warn(inputs::server_args_of(path), said)?;
        }
        Ok(given)
    }

    /// How traces are read.
    pub(super) fn settings(&self) -> &trace::Settings {
        &self.settings
    }

    /// Reads one file.
    pub(super) fn read(&self, path: &Path, said: &mut Vec<String>) -> Result<Trace, Failure> {
        let begin = Instant::now();
        let size = || std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|meta| meta.len());
        let before = size();
        let input = if path.as_os_str() == "-" { lock(&self.input).take() } else { None };
        let read = match input {
            Some(input) => trace::read_from("-", input, &self.settings),
            None => trace::read(path, &self.settings),
        };
        let mut trace = read.map_err(|error| Failure::input(error.to_string()))?;
        if size() > before {
            let text =
                "the file grew while it was read, so its end is missing; read it again when it is whole".to_owned();
            trace.warnings.push(Warning { code: "grew", text });
        }
        let ms = begin.elapsed().as_millis();
        self.detail(format!("read {}: {} events in {ms} ms", path.display(), trace.events), said);
        for line in losses::of_file(&trace.skipped) {
            self.detail(format!("  {line}"), said);
        }
        if self.terminal.verbose > 1 {
            for (category, n) in &trace.skipped.ignored {
                said.push(format!("  {n} events of category {category} are not needed"));
            }
        }
        Ok(trace)
    }

    /// What `-v` says.
    pub(super) fn detail(&self, text: String, said: &mut Vec<String>) {
        if self.terminal.verbose > 0 {
            said.push(text);
        }
    }

    /// A file that nobody asked for by name may be broken.
    fn or_warn<T>(&self, result: Result<T, Failure>, said: &mut Vec<String>) -> Result<Option<T>, Failure> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Failure::Said { message, .. }) => {
                if !self.terminal.quiet {
                    said.push(format!("warning: {message}; it is not used"));
                }
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }
}

/// The host that a trace says it was taken on.
fn host(trace: &Trace, fleet: &FleetFile) -> Option<String> {
    let texts = fleet.host_keys.iter().filter_map(|key| trace.header.values.get(key));
    texts.filter_map(|json| serde_json::from_str::<String>(json).ok()).find(|text| !text.is_empty())
}

/// When its first GPU event ran; none where its clock does not count from 1970.
fn date(trace: &Trace, fleet: &FleetFile) -> Option<String> {
    let base = trace.header.values.get("baseTimeNanoseconds").map_or(Some(0), |json| json.parse().ok())?;
    let first = trace.gpu.iter().map(|event| event.start.0).min()?.checked_add(base)?;
    let from_1970 = units::moment(&fleet.earliest)? <= first && first < units::moment(&fleet.latest)?;
    units::date(first).filter(|_| from_1970)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a capture beside the trace gave some replay its places.
fn joins_another_file(timeline: &Timeline) -> bool {
    timeline.counts.capture_launches == 0 && timeline.contexts.iter().any(|c| c.op_found_by == FoundBy::Position)
        || timeline.counts.by_position > timeline.counts.capture_launches
}

/// What the user said of the run.
fn given(input: &args::Input, rules: &RuleSet) -> Result<Given, Failure> {
    Ok(Given {
        framework: framework(&input.framework, rules)?,
        version: input.framework_version.clone(),
        model: input.model.clone(),
        tp: input.tp,
        server_args: input.server_args.as_deref().map(inputs::server_args_of).transpose()?,
        device: input.device.clone(),
        rank: input.one_rank(),
        stage_hint: None,
        asked: input.server_log.as_deref().map(|path| server_log::read(path, rules)).transpose()?.unwrap_or_default(),
    })
}

/// The id of a framework as people write it.
pub(super) fn framework(text: &str, rules: &RuleSet) -> Result<Option<String>, Failure> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    let wanted = plain(text);
    if wanted == args::AUTO {
        return Ok(None);
    }
    let ids: Vec<&str> = rules.attribution.frameworks.iter().map(|framework| framework.id.as_str()).collect();
    let alias = rules.report.aliases.iter().find(|(alias, _)| plain(alias) == wanted).map(|(_, id)| id.as_str());
    if let Some(id) = ids.iter().copied().find(|id| plain(id) == wanted).or(alias) {
        return Ok(Some(id.to_owned()));
    }
    let near = diagnostic::near(text, ids.iter().copied());
    let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    Err(Failure::usage(format!("--framework {text}: expected auto or one of {}{near}", ids.join(", "))))
}

/// What `-v` says.
pub(super) fn detail(terminal: &Terminal, streams: &mut Streams, text: &str) -> Result<(), Failure> {
    if terminal.verbose > 0 { say(streams, text) } else { Ok(()) }
}

/// A message for people, on one line whatever strangers have put in it.
pub(super) fn say(streams: &mut Streams, text: &str) -> Result<(), Failure> {
    Ok(writeln!(streams.err, "{}", plain::clean(text))?)
}
