//! `llm-prof rules check`: loading finds every mistake; what is left are warnings.

use super::super::args::{LogFormat, RulesCheck};
use super::super::failure::{Failure, code};
use super::super::loading;
use super::super::output::{print_as_is, print_line};
use super::super::streams::Streams;
use crate::diagnostic::{self, Diagnostic, Severity};
use crate::engine;

/// Says all of them.
pub(super) fn run(args: &RulesCheck, streams: &mut Streams) -> Result<(), Failure> {
    let rules = match loading::load(&args.knowledge)? {
        Ok(rules) => rules,
        Err(problems) => {
            say(&problems, args, streams)?;
            let errors = problems.iter().filter(|problem| problem.severity() == Severity::Error).count();
            print_line(&counted(errors, "error"), streams)?;
            return Err(Failure::Code(code::FAILED));
        }
    };
    let mut warnings = rules.warnings.clone();
    warnings.extend(engine::lint(&rules));
    diagnostic::sort(&mut warnings);
    say(&warnings, args, streams)?;
    let counts = format!(
        "{} terms, {} categories, {} families",
        rules.terms.len(),
        rules.categories.len(),
        rules.families.len()
    );
    print_line(&format!("{counts}: no error, {}", counted(warnings.len(), "warning")), streams)?;
    if args.strict && !warnings.is_empty() { Err(Failure::Code(code::FAILED)) } else { Ok(()) }
}

fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn say(problems: &[Diagnostic], args: &RulesCheck, streams: &mut Streams) -> Result<(), Failure> {
    match args.format {
        LogFormat::Text => print_as_is(&diagnostic::render(problems, streams.color(args.terminal.color)), streams),
        LogFormat::Github => problems.iter().try_for_each(|problem| print_line(&github(problem, args.strict), streams)),
    }
}

fn github(problem: &Diagnostic, strict: bool) -> String {
    let level = if strict || problem.severity() == Severity::Error { "error" } else { "warning" };
    let place = problem.labels.first().map(|l| (l.file.path.as_str(), l.line() as u64, l.column() as u64));
    let mut text: Vec<&str> =
        problem.labels.iter().map(|label| label.text.as_str()).filter(|t| !t.is_empty()).collect();
    text.extend(problem.help.as_deref());
    command(level, place, &format!("{} {}", problem.code.id(), problem.title), &text.join("; "))
}

/// A workflow command of GitHub: shows at its line in a pull request.
pub(super) fn command(level: &str, place: Option<(&str, u64, u64)>, title: &str, text: &str) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let place = place
        .map_or_else(String::new, |(file, line, column)| format!("file={},line={line},col={column},", property(file)));
    let text = if text.is_empty() { title } else { text };
    format!("::{level} {place}title={}::{}", property(title), data(text))
}

#[cfg(test)]
mod tests {
    use super::command;

    #[test]
    fn a_workflow_command_is_one_line_whatever_it_says() {
        assert_eq!(
            command("error", Some(("a,b.yaml", 3, 1)), "E012: no", "50% of\nit"),
            "::error file=a%2Cb.yaml,line=3,col=1,title=E012%3A no::50%25 of%0Ait"
        );
        assert_eq!(command("warning", None, "x", ""), "::warning title=x::x");
    }
}
