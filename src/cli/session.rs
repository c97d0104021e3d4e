//! What `triage` and `explain` do alike: load the rules, choose the files, read and attribute them.

use std::fmt::Display;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::args::{self, Knowledge, StageArg, Terminal};
use super::failure::{Failure, code};
use super::inputs::{self, Ask, Input};
use super::server_log;
use super::streams::Streams;
use crate::attribution::{self, FoundBy, Given, Stage, Timeline};
use crate::diagnostic::{self, Diagnostic};
use crate::engine::similarity::{self, Similarity};
use crate::engine::{self, Classes, Exposure, Finding, Overlap};
use crate::graph;
use crate::report::{self, Analysis, Options, Report, TraceInfo};
use crate::rules::{self, RuleSet, Sources};
use crate::trace::{self, Trace};

/// Rules as the flags say, or what is wrong with them.
pub(super) fn load(knowledge: &Knowledge) -> Result<Result<RuleSet, Vec<Diagnostic>>, Failure> {
    for (flag, dir) in knowledge
        .rules
        .iter()
        .map(|dir| ("--rules", dir))
        .chain(knowledge.catalogs.iter().map(|dir| ("--catalogs", dir)))
    {
        if !dir.is_dir() {
            return Err(Failure::Said {
                code: code::RULES,
                message: format!("{flag} {}: there is no such folder", dir.display()),
            });
        }
    }
    let sources = match (&knowledge.rules, knowledge.catalogs.as_slice()) {
        (None, []) => Sources::embedded(),
        (rules, catalogs) => Sources::dirs(rules.as_deref(), catalogs),
    };
    Ok(rules::load(&sources))
}

/// Rules loaded; families that were not asked for are gone.
pub(super) fn rules(knowledge: &Knowledge, terminal: &Terminal, streams: &mut Streams) -> Result<RuleSet, Failure> {
    let mut rules = loaded(load(knowledge)?, streams)?;
    if !terminal.quiet {
        for replaced in &rules.overrides {
            say(
                streams,
                &format!("note: {}: {} is read instead of {}", replaced.id, replaced.by, replaced.instead_of),
            )?;
        }
    }
    Asked::of(knowledge)?.choose(&mut rules);
    Ok(rules)
}

/// The rules, and what `work` makes of the settings among them. The rules in the binary are loaded beside `work`: they
/// hold no mistake that must be told first.
pub(super) fn rules_beside<T>(
    knowledge: &Knowledge,
    terminal: &Terminal,
    streams: &mut Streams,
    work: impl FnOnce(&RuleSet, &mut Streams) -> Result<T, Failure>,
) -> Result<(RuleSet, T), Failure> {
    if knowledge.rules.is_some() || !knowledge.catalogs.is_empty() {
        let rules = rules(knowledge, terminal, streams)?;
        let done = work(&rules, streams)?;
        return Ok((rules, done));
    }
    let asked = Asked::of(knowledge)?;
    let sources = Sources::embedded();
    let settings = loaded(rules::load_settings(&sources), streams)?;
    let (rules, took, done) = thread::scope(|scope| {
        let loading = scope.spawn(|| {
            let begin = Instant::now();
            (rules::load(&sources), begin.elapsed())
        });
        let done = work(&settings, streams);
        let (rules, took) = loading.join().unwrap_or_else(|panic| resume_unwind(panic));
        (rules, took, done)
    });
    let mut rules = loaded(rules, streams)?;
    let done = done?;
    detail(terminal, streams, &format!("loaded {} families beside, in {} ms", rules.families.len(), took.as_millis()))?;
    asked.choose(&mut rules);
    Ok((rules, done))
}

fn loaded(rules: Result<RuleSet, Vec<Diagnostic>>, streams: &Streams) -> Result<RuleSet, Failure> {
    rules.map_err(|problems| {
        let shown = diagnostic::render(&problems, streams.err_is_terminal);
        Failure::Said { code: code::RULES, message: format!("the rules cannot be loaded\n{}", shown.trim_end()) }
    })
}

/// Families that are asked for.
struct Asked {
    include: Option<GlobSet>,
    exclude: Option<GlobSet>,
}

impl Asked {
    fn of(knowledge: &Knowledge) -> Result<Self, Failure> {
        Ok(Self { include: ids("--include", &knowledge.include)?, exclude: ids("--exclude", &knowledge.exclude)? })
    }

    fn choose(&self, rules: &mut RuleSet) {
        if let Some(include) = &self.include {
            rules.families.retain(|family| include.is_match(&family.id));
        }
        if let Some(exclude) = &self.exclude {
            rules.families.retain(|family| !exclude.is_match(&family.id));
        }
    }
}

/// Globs over family ids; none when there are none.
pub(super) fn ids(flag: &str, globs: &[String]) -> Result<Option<GlobSet>, Failure> {
    if globs.is_empty() {
        return Ok(None);
    }
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(Glob::new(glob).map_err(|error| Failure::usage(format!("{flag} {glob}: {error}")))?);
    }
    set.build().map(Some).map_err(|error| Failure::usage(format!("{flag}: {error}")))
}

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
    let given = given(input, rules)?;
    let chosen = inputs::gather(paths, Ask { rank: input.rank, stage: only_stage(input) }, rules)?;
    let mut session = Session { timelines: Vec::new(), traces: Vec::new() };
    let mut reader = Reader { rules, terminal, streams };
    for one in chosen.taken {
        let (timeline, infos) = reader.attribute(one, &given)?;
        session.timelines.push(timeline);
        session.traces.extend(infos);
    }
    session.traces.extend(chosen.left);
    Ok(session)
}

/// A timeline with what the engine makes of it.
pub(super) struct Judged<'a> {
    pub(super) timeline: &'a Timeline,
    pub(super) classes: Classes,
    pub(super) findings: Vec<Finding>,
    exposure: Exposure,
    overlaps: Vec<Overlap>,
    similarity: Similarity,
}

/// Classifies and searches each timeline; `-v` says how long that took.
pub(super) fn judge<'a>(
    timelines: &'a [Timeline],
    rules: &RuleSet,
    terminal: &Terminal,
    streams: &mut Streams,
) -> Result<Vec<Judged<'a>>, Failure> {
    let mut judged = Vec::new();
    for timeline in timelines {
        let mut clock = Clock::start();
        let classes = engine::classify(rules, timeline);
        let said = format!("classified {} kernels at {} places", timeline.kernels.len(), timeline.contexts.len());
        detail(terminal, streams, &clock.lap(&said))?;
        let graph = graph::build(timeline);
        detail(terminal, streams, &clock.lap("ordered the launches"))?;
        let search = engine::search(rules, timeline, &graph, &classes);
        detail(terminal, streams, &clock.lap(&format!("matched chains: {} findings", search.findings.len())))?;
        let exposure = engine::exposure(timeline, &classes, rules.overlap.same_stream_min());
        let overlaps = engine::overlaps(rules, timeline, &graph, &classes, &exposure);
        detail(terminal, streams, &clock.lap(&format!("looked for overlap: {} rows", overlaps.len())))?;
        let similarity = similarity::similar(rules, timeline, &graph, &classes, &search);
        detail(terminal, streams, &clock.lap(&format!("compared the rest: {} near", similarity.sightings.len())))?;
        judged.push(Judged { timeline, classes, findings: search.findings, exposure, overlaps, similarity });
    }
    Ok(judged)
}

/// The report on all of them.
pub(super) fn report(judged: &[Judged], rules: &RuleSet, options: &Options) -> Report {
    let analyses: Vec<Analysis> = (judged.iter())
        .map(|one| Analysis {
            timeline: one.timeline,
            classes: &one.classes,
            findings: &one.findings,
            exposure: &one.exposure,
            overlaps: &one.overlaps,
            similarity: &one.similarity,
        })
        .collect();
    report::build(&analyses, rules, options)
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

struct Reader<'r, 's, 'o> {
    rules: &'r RuleSet,
    terminal: &'r Terminal,
    streams: &'s mut Streams<'o>,
}

impl Reader<'_, '_, '_> {
    fn attribute(&mut self, input: Input, given: &Given) -> Result<(Timeline, Vec<TraceInfo>), Failure> {
        let asked = given.rank;
        let mut given = given.clone();
        given.stage_hint = input.stage;
        if !input.merged {
            // The file was chosen by its rank; inside it there is no other.
            given.rank = given.rank.filter(|rank| input.info.rank.is_none_or(|own| own == *rank));
        }
        if let (None, Some(path)) = (&given.server_args, &input.server_args) {
            given.server_args = self.or_warn(inputs::server_args_of(path))?;
        }
        let trace = self.read(&input.path)?;
        let mut info = input.info;
        info.warnings = trace.warnings.iter().map(|warning| warning.text.clone()).collect();
        let mut captures = Vec::new();
        let mut infos = Vec::new();
        for (path, mut capture) in input.captures {
            match self.read(&path) {
                Ok(trace) => captures.push(trace),
                Err(Failure::Said { message, .. }) => {
                    capture.taken = false;
                    capture.reason = message;
                }
                Err(other) => return Err(other),
            }
            infos.push(capture);
        }
        let begin = Instant::now();
        let timeline = attribution::attribute(trace, &captures, &self.rules.attribution, &self.rules.names, &given);
        // Another device than the one asked for would answer another question.
        if let Some(warning) = timeline.warnings.iter().find(|warning| warning.code == attribution::NO_SUCH_DEVICE) {
            return Err(Failure::input(format!("{}: {}", info.path, warning.text)));
        }
        if let (Some(asked), Some(own)) = (asked, timeline.run.rank.as_ref())
            && own.value != asked
        {
            return Err(Failure::input(format!("{}: this is rank {}, not rank {asked}", info.path, own.value)));
        }
        self.detail(&format!("attributed {} launches in {} ms", timeline.launches.len(), begin.elapsed().as_millis()))?;
        if !joins_another_file(&timeline) {
            for capture in infos.iter_mut().filter(|capture| capture.taken) {
                capture.taken = false;
                "no graph replay follows its launch order".clone_into(&mut capture.reason);
            }
        }
        info.device = timeline.devices.iter().find(|device| device.taken).map(|device| device.device.clone());
        info.rank = timeline.run.rank.as_ref().map(|rank| rank.value).or(info.rank);
        infos.insert(0, info);
        self.warn(&infos)?;
        Ok((timeline, infos))
    }

    fn read(&mut self, path: &Path) -> Result<Trace, Failure> {
        const WORTH_A_WORD: u64 = 8 << 20;
        let large = std::fs::metadata(path).is_ok_and(|meta| meta.len() > WORTH_A_WORD);
        let progress = large && self.streams.err_is_terminal && !self.terminal.no_progress && !self.terminal.quiet;
        if progress {
            write!(self.streams.err, "reading {} ..", path.display())?;
            self.streams.err.flush()?;
        }
        let begin = Instant::now();
        let read = match self.streams.input.take_if(|_| path.as_os_str() == "-") {
            Some(input) => trace::read_from("-", input, &self.rules.trace),
            None => trace::read(path, &self.rules.trace),
        };
        if progress {
            // Clears the line.
            write!(self.streams.err, "\r\u{1b}[K")?;
        }
        let trace = read.map_err(|error| Failure::input(error.to_string()))?;
        self.detail(&format!(
            "read {}: {} events in {} ms",
            path.display(),
            trace.events,
            begin.elapsed().as_millis()
        ))?;
        if self.terminal.verbose > 1 {
            for (category, n) in &trace.skipped.ignored {
                say(self.streams, &format!("  {n} events of category {category} are not needed"))?;
            }
        }
        if self.terminal.verbose > 0 {
            for (category, n) in &trace.skipped.unknown {
                say(self.streams, &format!("  {n} events of unknown category {category} were passed over"))?;
            }
        }
        Ok(trace)
    }

    fn warn(&mut self, infos: &[TraceInfo]) -> Result<(), Failure> {
        for info in infos.iter().filter(|_| !self.terminal.quiet) {
            for warning in &info.warnings {
                say(self.streams, &format!("warning: {}: {warning}", info.path))?;
            }
        }
        Ok(())
    }

    fn detail(&mut self, text: &str) -> Result<(), Failure> {
        detail(self.terminal, self.streams, text)
    }

    /// A file that nobody asked for by name may be broken.
    fn or_warn<T>(&mut self, result: Result<T, Failure>) -> Result<Option<T>, Failure> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Failure::Said { message, .. }) if self.terminal.quiet => {
                drop(message);
                Ok(None)
            }
            Err(Failure::Said { message, .. }) => {
                say(self.streams, &format!("warning: {message}; it is not used"))?;
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }
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
        rank: input.rank,
        stage_hint: None,
        asked: input.server_log.as_deref().map(|path| server_log::read(path, rules)).transpose()?.unwrap_or_default(),
    })
}

/// The id of a framework as people write it.
pub(super) fn framework(text: &str, rules: &RuleSet) -> Result<Option<String>, Failure> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    let wanted = plain(text);
    if wanted == "auto" {
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

/// One line for people.
pub(super) fn say(streams: &mut Streams, text: &(impl Display + ?Sized)) -> Result<(), Failure> {
    Ok(writeln!(streams.err, "{text}")?)
}
