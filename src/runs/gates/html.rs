//! The outcome of gates as a page of its own.

use maud::html;

use super::{Check, Outcome};
use crate::report::html::{Cell, Column, Page, Row, Table, mark};

const COLUMNS: [Column; 4] =
    [Column::text("Gate"), Column::choice("Outcome"), Column::text("Why"), Column::text("What to do")];

/// The outcome as a page, what failed first.
pub fn render(check: &Check) -> String {
    let tone = |outcome: Outcome| match outcome {
        Outcome::Passed => "good",
        Outcome::Unknown => "warn",
        Outcome::Failed => "bad",
    };
    let rows = (super::markdown::ordered(check).into_iter())
        .map(|gate| Row {
            id: gate.id.clone(),
            hidden: false,
            cells: vec![
                Cell::code(&gate.asked),
                Cell::mark(gate.outcome.word(), tone(gate.outcome)),
                Cell::text(&gate.text),
                Cell::text(gate.fix.as_deref().unwrap_or("–")),
            ],
            detail: None,
        })
        .collect();
    let page = Page {
        title: "Check – llm-prof",
        sections: vec![("gates".to_owned(), "Gates".to_owned())],
        header: html! {
            h1 { "Check " (mark(check.outcome.word(), tone(check.outcome))) }
            p.lead { (check.summary) }
            dl { @for (key, value) in super::markdown::header(check) { dt { (key) } dd { (value) } } }
        },
        main: html! {
            section aria-labelledby="gates" {
                h2 #gates { "Gates" }
                (Table { id: "gate-table", caption: "Gates", columns: &COLUMNS, rows, hidden: "" }.markup())
            }
        },
        footer: html! { p { "llm-prof " (env!("CARGO_PKG_VERSION")) ". No gate passes because it could not look." } },
    };
    page.render()
}
