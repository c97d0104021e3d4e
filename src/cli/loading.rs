//! The rules that the flags ask for: loaded, told what is wrong with them, compiled.

use std::panic::resume_unwind;
use std::thread;
use std::time::Instant;

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::args::{Knowledge, Terminal};
use super::failure::{Failure, code};
use super::session::{detail, say};
use super::streams::Streams;
use crate::diagnostic::Diagnostic;
use crate::engine::Engine;
use crate::rules::{self, RuleSet, Sources};

/// Rules as the flags say, or what is wrong with them.
pub(super) fn load(knowledge: &Knowledge) -> Result<Result<RuleSet, Vec<Diagnostic>>, Failure> {
    Ok(rules::load(&sources(knowledge)?))
}

/// The settings among the rules alone.
pub(super) fn settings(knowledge: &Knowledge, streams: &Streams) -> Result<RuleSet, Failure> {
    loaded(rules::load_settings(&sources(knowledge)?), streams)
}

fn sources(knowledge: &Knowledge) -> Result<Sources, Failure> {
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
    Ok(match (&knowledge.rules, knowledge.catalogs.as_slice()) {
        (None, []) => Sources::embedded(),
        (rules, catalogs) => Sources::dirs(rules.as_deref(), catalogs),
    })
}

/// Rules loaded; families that were not asked for are gone.
pub(super) fn rules(knowledge: &Knowledge, terminal: &Terminal, streams: &mut Streams) -> Result<RuleSet, Failure> {
    let mut rules = all(knowledge, terminal, streams)?;
    choose(knowledge, &mut rules)?;
    Ok(rules)
}

/// The same without their tests, which traces do not need.
pub(super) fn rules_for_traces(
    knowledge: &Knowledge,
    terminal: &Terminal,
    streams: &mut Streams,
) -> Result<RuleSet, Failure> {
    let mut rules = loaded(rules::load_untested(&sources(knowledge)?), streams)?;
    say_overrides(&rules, terminal, streams)?;
    choose(knowledge, &mut rules)?;
    Ok(rules)
}

/// Rules loaded, families that were not asked for among them.
pub(super) fn all(knowledge: &Knowledge, terminal: &Terminal, streams: &mut Streams) -> Result<RuleSet, Failure> {
    let rules = loaded(load(knowledge)?, streams)?;
    say_overrides(&rules, terminal, streams)?;
    Ok(rules)
}

fn say_overrides(rules: &RuleSet, terminal: &Terminal, streams: &mut Streams) -> Result<(), Failure> {
    if !terminal.quiet {
        for replaced in &rules.overrides {
            say(
                streams,
                &format!("note: {}: {} is read instead of {}", replaced.id, replaced.by, replaced.instead_of),
            )?;
        }
    }
    Ok(())
}

/// Leaves only the families that were asked for.
pub(super) fn choose(knowledge: &Knowledge, rules: &mut RuleSet) -> Result<(), Failure> {
    Asked::of(knowledge)?.choose(rules);
    Ok(())
}

/// The rules, compiled, and what `work` makes of the settings among them. The rules in the binary are loaded beside
/// `work`: they hold no mistake that must be told first.
pub(super) fn rules_beside<T>(
    knowledge: &Knowledge,
    terminal: &Terminal,
    streams: &mut Streams,
    work: impl FnOnce(&RuleSet, &mut Streams) -> Result<T, Failure>,
) -> Result<(RuleSet, Engine, T), Failure> {
    if knowledge.rules.is_some() || !knowledge.catalogs.is_empty() {
        let rules = rules_for_traces(knowledge, terminal, streams)?;
        let engine = Engine::new(&rules);
        let done = work(&rules, streams)?;
        return Ok((rules, engine, done));
    }
    let asked = Asked::of(knowledge)?;
    let sources = Sources::embedded();
    let settings = loaded(rules::load_settings(&sources), streams)?;
    let (rules, took, done) = thread::scope(|scope| {
        let loading = scope.spawn(|| {
            let begin = Instant::now();
            let rules = rules::load_rest(&sources, settings.clone()).map(|mut rules| {
                asked.choose(&mut rules);
                let engine = Engine::new(&rules);
                (rules, engine)
            });
            (rules, begin.elapsed())
        });
        let done = work(&settings, streams);
        let (rules, took) = loading.join().unwrap_or_else(|panic| resume_unwind(panic));
        (rules, took, done)
    });
    let (rules, engine) = loaded(rules, streams)?;
    let done = done?;
    detail(terminal, streams, &format!("loaded {} families beside, in {} ms", rules.families.len(), took.as_millis()))?;
    Ok((rules, engine, done))
}

fn loaded<T>(rules: Result<T, Vec<Diagnostic>>, streams: &Streams) -> Result<T, Failure> {
    rules.map_err(|problems| unloaded(&problems, streams))
}

/// Why there are no rules.
pub(super) fn unloaded(problems: &[Diagnostic], streams: &Streams) -> Failure {
    Failure::mistakes(code::RULES, "the rules cannot be loaded", problems, streams.err_is_terminal)
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
