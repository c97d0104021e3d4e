//! The outcome of a probe for a terminal.

use super::Probe;
use super::markdown::{facts, one_line, summary};
use crate::report::cells;
use crate::report::layout::{Paint, wrap};
use crate::report::page::Page;
use crate::report::text::Style;

/// The outcome as text.
pub fn render(probe: &Probe, style: Style) -> String {
    const INDENT: usize = 2;
    let mut page = Page::new(style);
    let title = page.paint.bold(&format!("llm-prof {} probe", env!("CARGO_PKG_VERSION")));
    page.line(&title);
    page.header(&facts(probe));
    for sample in &probe.samples {
        page.line("");
        let head = format!("{}. {} ({} ms)", sample.request, cells::clean(&sample.prompt), sample.latency_ms);
        let head = page.paint.bold(&head);
        page.line(&head);
        let thinking = sample.thinking.as_ref().map(|text| format!("(thinking) {text}"));
        for text in thinking.into_iter().chain([sample.answer.clone()]).filter(|text| !text.is_empty()) {
            for part in wrap(&cells::clean(&one_line(&text)), page.columns.saturating_sub(INDENT)) {
                page.line(&format!("{}{part}", " ".repeat(INDENT)));
            }
        }
    }
    page.line("");
    page.pair("Summary", &summary(probe), 7, Paint::bold);
    page.out
}
