//! `llm-prof check`: a gate for CI.

use std::fs::OpenOptions;
use std::io::Write;

use super::args::{Check, Format};
use super::failure::{Failure, code};
use super::finished::Opening;
use super::session::say;
use super::streams::Streams;
use super::{loading, output};
use crate::diagnostic;
use crate::engine::{self, Engine};
use crate::rules::RuleSet;
use crate::runs::gates::{self, Asked, FamilyAsked, Forbidden, Form, Outcome};

/// Looks, says, ends with 1 when a gate failed, else with 5 when one could not look.
pub(super) fn run(args: &Check, streams: &mut Streams) -> Result<(), Failure> {
    if args.require.is_empty() && args.forbid.is_empty() && args.budget.is_empty() && args.baseline.is_none() {
        return Err(Failure::usage(
            "nothing to check: give --require FAMILY, --forbid FAMILY, --budget CATEGORY=PCT or --baseline REPORT, here or \
             under [check] of llm-prof.toml",
        ));
    }
    if args.threshold.is_some() && args.baseline.is_none() {
        return Err(Failure::usage("--threshold: of which baseline? Give --baseline REPORT, too"));
    }
    let all = loading::all(&args.knowledge, &args.terminal, streams)?;
    let mut rules = all.clone();
    loading::choose(&args.knowledge, &mut rules)?;
    let mut asked = Asked {
        require: args.require.iter().map(|id| family(id, &all, &rules)).collect::<Result<_, _>>()?,
        forbid: args.forbid.iter().map(|text| forbidden(text, &all, &rules)).collect::<Result<_, _>>()?,
        budget: args.budget.iter().map(|text| budget(text, &rules)).collect::<Result<_, _>>()?,
        baseline: None,
        stage: super::session::only_stage(&args.input).map(|stage| stage.id().to_owned()),
        min_share_pct: args.min_share.unwrap_or(rules.report.min_share_pct),
    };
    let engine = Engine::new(&rules);
    let opening = Opening { rules: &rules, engine: &engine, input: &args.input, terminal: &args.terminal };
    let run = opening.run(&args.paths, streams)?;
    let baseline = args.baseline.as_ref().map(|path| opening.run(std::slice::from_ref(path), streams)).transpose()?;
    let threshold = args.threshold.unwrap_or(rules.compare.threshold_pct);
    asked.baseline = baseline.as_ref().map(|baseline| (baseline, threshold));
    let check = gates::check(&run, &asked, &rules);
    let document = &args.document;
    output::documents(document.format, &document.output, &args.terminal, streams, |format, style| match format {
        Format::Text => Some(gates::text::render(&check, style)),
        Format::Markdown => Some(gates::markdown::render(&check)),
        Format::Html => Some(gates::html::render(&check)),
        Format::Json => Some(gates::json(&check)),
        Format::Csv => None,
    })?;
    summarise(streams, &|| gates::markdown::render(&check))?;
    finish(&check, false, streams)
}

/// The exit code of some gates, with annotations where a workflow runs. Gates that no document shows are `said`.
pub(super) fn finish(check: &gates::Check, said: bool, streams: &mut Streams) -> Result<(), Failure> {
    let annotations = if streams.in_workflow() { gates::github::annotations(check) } else { Vec::new() };
    for line in annotations {
        say(streams, &line)?;
    }
    if said && check.outcome != Outcome::Passed {
        for gate in check.gates.iter().filter(|gate| gate.outcome != Outcome::Passed) {
            say(streams, &format!("{}: {}", gate.outcome.word(), gate.text))?;
        }
    }
    match check.outcome {
        Outcome::Passed => Ok(()),
        Outcome::Failed => Err(Failure::Code(code::FAILED)),
        Outcome::Unknown => Err(Failure::Code(code::UNFIT)),
    }
}

/// Appends to the summary of a workflow's job, where one runs.
pub(super) fn summarise(streams: &Streams, markdown: &dyn Fn() -> String) -> Result<(), Failure> {
    let path = streams.env.get("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty() && streams.in_workflow());
    let Some(path) = path else { return Ok(()) };
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.and_then(|mut file| writeln!(file, "{}", markdown()))
        .map_err(|error| Failure::usage(format!("GITHUB_STEP_SUMMARY {path}: cannot write it: {error}")))
}

/// A family that the catalog has, chosen or excluded.
fn family(id: &str, all: &RuleSet, chosen: &RuleSet) -> Result<FamilyAsked, Failure> {
    let known = &all.families[super::rules::named(id, all)?];
    Ok(FamilyAsked { id: known.id.clone(), index: engine::explain::family_of(chosen, &known.id) })
}

/// `FAMILY`, or `FAMILY=split`, or `FAMILY=in-use`.
fn forbidden(text: &str, all: &RuleSet, chosen: &RuleSet) -> Result<Forbidden, Failure> {
    let (id, form) = match text.split_once('=') {
        None => (text, Form::Split),
        Some((id, "split")) => (id, Form::Split),
        Some((id, "in-use")) => (id, Form::InUse),
        Some((_, other)) => {
            return Err(Failure::usage(format!("--forbid {text}: expected =split or =in-use, not ={other}")));
        }
    };
    Ok(Forbidden { family: family(id, all, chosen)?, form })
}

/// `CATEGORY=PCT`.
fn budget(text: &str, rules: &RuleSet) -> Result<(String, f64), Failure> {
    let expected = "expected CATEGORY=PCT, such as communication=20";
    let (category, pct) = text.split_once('=').ok_or_else(|| Failure::usage(format!("--budget {text}: {expected}")))?;
    let pct = super::values::per_cent(pct)
        .map_err(|error| Failure::usage(format!("--budget {text}: {error}; {expected}")))?;
    let known: Vec<&str> =
        rules.categories.iter().map(|category| category.name.as_str()).chain([engine::OTHER]).collect();
    if known.contains(&category) {
        return Ok((category.to_owned(), pct));
    }
    let near = diagnostic::near(category, known.iter().copied());
    let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    Err(Failure::usage(format!(
        "--budget {text}: there is no category {category}{near}; there are {}",
        known.join(", ")
    )))
}
