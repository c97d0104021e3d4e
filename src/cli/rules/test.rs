//! `llm-prof rules test`: one line a subject, failing chains drawn, totals last.

use std::collections::BTreeMap;

use super::super::args::{LogFormat, RulesTest, Terminal};
use super::super::failure::{Failure, code};
use super::super::loading::{self, ids};
use super::super::output::{print, print_line};
use super::super::streams::Streams;
use super::check::command;
use crate::engine::family_test::{self, outcome_word, test_families};
use crate::engine::run_term_cases;
use crate::plain;
use crate::rules::RuleSet;

/// How the tests of a subject went.
#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
    known: u64,
    mended: u64,
}

/// Runs them.
pub(super) fn run(args: &RulesTest, streams: &mut Streams) -> Result<(), Failure> {
    let rules = loading::rules(&args.knowledge, &args.terminal, streams)?;
    let asked = args.only.as_ref().or(args.family.as_ref());
    let glob = ids("--family", &asked.cloned().into_iter().collect::<Vec<_>>())?;
    let mut total = Tally::default();
    if glob.is_none() {
        total.add(&test_terms(&rules, args, streams)?);
    }
    let results = test_families(&rules, |id| glob.as_ref().is_none_or(|glob| glob.is_match(id)));
    let mut families: BTreeMap<&str, (Tally, Vec<String>)> = BTreeMap::new();
    for result in &results {
        let (tally, said) = families.entry(&result.family).or_default();
        match (result.passed(), result.todo) {
            (true, false) => tally.passed += 1,
            (true, true) => {
                tally.mended += 1;
                let note = format!(
                    "note  {} · {}    {}:{}    passes; `todo: true` can go",
                    result.family, result.name, result.file, result.line
                );
                said.push(plain::clean(&note));
            }
            (false, true) => tally.known += 1,
            (false, false) => {
                tally.failed += 1;
                said.extend(match args.format {
                    LogFormat::Text => result.drawing.clone(),
                    LogFormat::Github => Some(github(result)),
                });
            }
        }
    }
    for (family, (tally, said)) in &families {
        tally.print(family, &args.terminal, streams)?;
        for text in said {
            print(&format!("{text}\n"), streams)?;
        }
        total.add(tally);
    }
    if let Some(glob) = asked.filter(|_| results.is_empty()) {
        return Err(Failure::usage(format!(
            "--family {glob}: no family with tests matches; `llm-prof rules list` names all"
        )));
    }
    if total.known > 0 {
        print(&format!("{} known to fail (todo)\n", total.known), streams)?;
    }
    print(&format!("{} passed, {} failed\n", total.passed + total.mended, total.failed), streams)?;
    if total.failed > 0 { Err(Failure::Code(code::FAILED)) } else { Ok(()) }
}

fn github(result: &family_test::CaseResult) -> String {
    let (expected, found) = (outcome_word(result.expected), outcome_word(result.outcome));
    let title = format!("{}: expected {expected}, found {found}", result.family);
    let drawing = result.drawing.as_deref().unwrap_or_default();
    command("error", Some((&result.file, u64::from(result.line), 1)), &title, drawing)
}

/// Tests of terms, categories and roles, by subject, in the order of their files.
fn test_terms(rules: &RuleSet, args: &RulesTest, streams: &mut Streams) -> Result<Tally, Failure> {
    let mut total = Tally::default();
    let results = run_term_cases(rules);
    for subject in results.chunk_by(|a, b| (a.case.subject, &a.case.name) == (b.case.subject, &b.case.name)) {
        let mut tally = Tally::default();
        let mut failures = Vec::new();
        for result in subject {
            let Some(failure) = &result.failure else {
                tally.passed += 1;
                continue;
            };
            tally.failed += 1;
            let kernel = &result.case.launch.kernel;
            failures.push(match args.format {
                LogFormat::Text => format!("FAIL  {}  {}\n      {failure}\n", result.place(), plain::clean(kernel)),
                LogFormat::Github => {
                    let title = format!("{} {}", result.case.subject.id(), result.case.name);
                    let place = (result.case.file.as_str(), u64::from(result.case.line), 1);
                    command("error", Some(place), &title, &format!("{kernel}\n{failure}")) + "\n"
                }
            });
        }
        let case = subject[0].case;
        tally.print(&format!("{} {}", case.subject.id(), case.name), &args.terminal, streams)?;
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
        self.mended += other.mended;
    }

    fn print(&self, subject: &str, terminal: &Terminal, streams: &mut Streams) -> Result<(), Failure> {
        if terminal.quiet && self.failed == 0 {
            return Ok(());
        }
        let word = if self.failed == 0 { "ok  " } else { "FAIL" };
        let failed = if self.failed == 0 { String::new() } else { format!(", {} failed", self.failed) };
        let known = if self.known == 0 { String::new() } else { format!(", {} known to fail", self.known) };
        print_line(&format!("{word}  {subject}: {} passed{failed}{known}", self.passed + self.mended), streams)
    }
}
