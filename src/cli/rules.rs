//! `llm-prof rules test`, `check`, `list`: the contributor's loop.

use std::collections::BTreeMap;

use super::args::{Knowledge, RulesCommand, Terminal};
use super::failure::{Failure, code};
use super::output::print;
use super::session::{self, ids};
use super::streams::Streams;
use crate::diagnostic;
use crate::engine::family_test::test_families;
use crate::engine::run_term_cases;
use crate::rules::{FamilyKind, Origin, RuleSet, Status};

/// Runs one of them.
pub(super) fn run(command: &RulesCommand, streams: &mut Streams) -> Result<(), Failure> {
    match command {
        RulesCommand::Test { family, knowledge, terminal } => test(family.as_deref(), knowledge, terminal, streams),
        RulesCommand::Check { knowledge, terminal } => check(knowledge, terminal, streams),
        RulesCommand::List { knowledge, terminal } => {
            let rules = session::rules(knowledge, terminal, streams)?;
            print(&list(&rules), streams)
        }
    }
}

/// Tests of one subject, in one line when all pass.
#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
    known: u64,
}

fn test(
    family: Option<&str>,
    knowledge: &Knowledge,
    terminal: &Terminal,
    streams: &mut Streams,
) -> Result<(), Failure> {
    let rules = session::rules(knowledge, terminal, streams)?;
    let glob = ids("--family", &family.map(str::to_owned).into_iter().collect::<Vec<_>>())?;
    let mut total = Tally::default();
    if glob.is_none() {
        total.add(&test_terms(&rules, terminal, streams)?);
    }
    let results = test_families(&rules, |id| glob.as_ref().is_none_or(|glob| glob.is_match(id)));
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut drawings: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for result in &results {
        let tally = tallies.entry(&result.family).or_default();
        if result.passed() {
            tally.passed += 1;
        } else if result.todo {
            tally.known += 1;
        } else {
            tally.failed += 1;
            drawings.entry(&result.family).or_default().extend(result.drawing.clone());
        }
    }
    for (family, tally) in &tallies {
        tally.print(family, terminal, streams)?;
        for drawing in drawings.get(family).into_iter().flatten() {
            print(&format!("{drawing}\n"), streams)?;
        }
        total.add(tally);
    }
    if let Some(glob) = family.filter(|_| results.is_empty()) {
        return Err(Failure::usage(format!(
            "--family {glob}: no family with tests matches; `llm-prof rules list` names all"
        )));
    }
    if total.known > 0 {
        print(&format!("{} known to fail (todo)\n", total.known), streams)?;
    }
    print(&format!("{} passed, {} failed\n", total.passed, total.failed), streams)?;
    if total.failed > 0 { Err(Failure::Code(code::FAILED)) } else { Ok(()) }
}

/// Tests of terms, categories and roles, by subject, in the order of their files.
fn test_terms(rules: &RuleSet, terminal: &Terminal, streams: &mut Streams) -> Result<Tally, Failure> {
    let mut total = Tally::default();
    let results = run_term_cases(rules);
    for subject in results.chunk_by(|a, b| (a.case.subject, &a.case.name) == (b.case.subject, &b.case.name)) {
        let mut tally = Tally::default();
        let mut failures = Vec::new();
        for result in subject {
            match &result.failure {
                None => tally.passed += 1,
                Some(failure) => {
                    tally.failed += 1;
                    failures.push(format!(
                        "FAIL  {}  {}\n      {failure}\n",
                        result.place(),
                        result.case.launch.kernel
                    ));
                }
            }
        }
        let case = subject[0].case;
        tally.print(&format!("{} {}", case.subject.id(), case.name), terminal, streams)?;
        print(&failures.concat(), streams)?;
        total.add(&tally);
    }
    Ok(total)
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.known += other.known;
    }

    fn print(&self, subject: &str, terminal: &Terminal, streams: &mut Streams) -> Result<(), Failure> {
        if terminal.quiet && self.failed == 0 {
            return Ok(());
        }
        let word = if self.failed == 0 { "ok  " } else { "FAIL" };
        let failed = if self.failed == 0 { String::new() } else { format!(", {} failed", self.failed) };
        let known = if self.known == 0 { String::new() } else { format!(", {} known to fail", self.known) };
        print(&format!("{word}  {subject}: {} passed{failed}{known}\n", self.passed), streams)
    }
}

/// Loading finds every mistake; what is left are warnings.
fn check(knowledge: &Knowledge, terminal: &Terminal, streams: &mut Streams) -> Result<(), Failure> {
    let rules = session::rules(knowledge, terminal, streams).map_err(|failure| match failure {
        // A mistake in the rules is what the command is there to find.
        Failure::Said { code: code::RULES, message } => Failure::Said { code: code::FAILED, message },
        other => other,
    })?;
    if !rules.warnings.is_empty() {
        print(&diagnostic::render(&rules.warnings, streams.color(terminal.color)), streams)?;
    }
    let warnings = match rules.warnings.len() {
        1 => "1 warning".to_owned(),
        n => format!("{n} warnings"),
    };
    let counts = format!(
        "{} terms, {} categories, {} families",
        rules.terms.len(),
        rules.categories.len(),
        rules.families.len()
    );
    print(&format!("{counts}: no error, {warnings}\n"), streams)
}

/// One line a family: id, state of its life, title.
fn list(rules: &RuleSet) -> String {
    let widest = rules.families.iter().map(|family| family.id.len()).max().unwrap_or(0);
    let line = |family: &crate::rules::Family| {
        let kind = if family.kind == FamilyKind::Fuse { "fuse" } else { "overlap" };
        let status = match family.status {
            Status::Trial => "trial",
            Status::Stable => "stable",
            Status::Retired => "retired",
        };
        let origin = match family.origin {
            Origin::Mainline => "mainline",
            Origin::Upstream => "upstream",
            Origin::Inflight => "inflight",
        };
        format!("{:<widest$}  {kind:<7}  {status:<7}  {origin:<8}  {}\n", family.id, family.title)
    };
    rules.families.iter().map(line).collect()
}
