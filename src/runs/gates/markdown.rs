//! The outcome of gates as GitHub-flavoured markdown: a job summary, too.

use super::{Check, Gate};
use crate::report::cells;
use crate::report::markdown::{code, line, or_dash, prose, text};

/// The outcome as markdown, what failed first.
pub fn render(check: &Check) -> String {
    let mut out = String::from("# Check\n\n");
    for (key, value) in header(check) {
        line(&mut out, format_args!("- {key}: {}", text(&value)));
    }
    line(&mut out, format_args!("\nSummary: {}\n", prose(&check.summary)));
    line(&mut out, format_args!("| Gate | Outcome | Why | What to do |"));
    line(&mut out, format_args!("|---|---|---|---|"));
    for gate in ordered(check) {
        line(
            &mut out,
            format_args!(
                "| {} | {} | {} | {} |",
                code(&gate.asked),
                gate.outcome.word(),
                prose(&gate.text),
                or_dash(text(gate.fix.as_deref().unwrap_or_default())),
            ),
        );
    }
    out
}

/// Key and value, in order.
pub(super) fn header(check: &Check) -> Vec<(&'static str, String)> {
    let about = if check.about.is_empty() { String::new() } else { format!(" ({})", cells::clean(&check.about)) };
    let mut lines = vec![("Run", format!("{}{about}", cells::clean(&check.path)))];
    lines.extend(check.baseline.as_ref().map(|path| ("Baseline", cells::clean(path))));
    lines
}

/// What failed, what could not look, what passed.
pub(super) fn ordered(check: &Check) -> Vec<&Gate> {
    let mut gates: Vec<&Gate> = check.gates.iter().collect();
    gates.sort_by_key(|gate| std::cmp::Reverse(gate.outcome));
    gates
}
