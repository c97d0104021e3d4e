//! The outcome of gates for a terminal.

use super::{Check, Outcome};
use crate::report::cells;
use crate::report::layout::{Paint, left, wrap};
use crate::report::page::Page;
use crate::report::text::Style;

/// The outcome as text, what failed first.
pub fn render(check: &Check, style: Style) -> String {
    const WORD: usize = 16;
    let mut page = Page::new(style);
    let title = page.paint.bold(&format!("llm-prof {} check", env!("CARGO_PKG_VERSION")));
    page.line(&title);
    page.header(&super::markdown::header(check));
    page.line("");
    for gate in super::markdown::ordered(check) {
        let word = left(gate.outcome.word(), WORD);
        let word = match gate.outcome {
            Outcome::Passed => page.paint.dim(&word),
            _ => page.paint.warning(&word),
        };
        let asked = page.paint.bold(&cells::clean(&gate.asked));
        page.line(&format!("{word}{asked}"));
        let fix = gate.fix.iter().map(|fix| format!("do: {fix}"));
        for text in std::iter::once(gate.text.clone()).chain(fix) {
            for part in wrap(&cells::clean(&text), page.columns.saturating_sub(WORD)) {
                page.line(&format!("{}{part}", " ".repeat(WORD)));
            }
        }
    }
    page.line("");
    page.pair("Summary", &check.summary, 9, Paint::bold);
    page.out
}
