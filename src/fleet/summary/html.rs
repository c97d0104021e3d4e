//! The document as a page of its own: everything is in it.

use maud::{Markup, html};

use crate::report::cells;
use crate::report::html::{self as page, Cell, Page, Row, Table};
use crate::rules::schema::fleet::FleetFile;

use super::Summary;
use super::sections::{self, Section};

/// The document as a page.
pub fn render(summary: &Summary, settings: &FleetFile) -> String {
    let sections = sections::sections(summary, settings, usize::MAX);
    let page = Page {
        title: "Fleet – llm-prof",
        sections: sections.iter().map(|section| (section.id.to_owned(), section.title.to_owned())).collect(),
        header: html! {
            h1 { "Fleet" }
            dl { @for (key, value) in sections::header(summary) { dt { (key) } dd { (cells::clean(&value)) } } }
        },
        main: html! { @for section in &sections { (markup(section)) } },
        footer: html! {
            p { "llm-prof " (env!("CARGO_PKG_VERSION")) ". Every figure is of the tables beside the reports." }
        },
    };
    page.render()
}

fn markup(section: &Section) -> Markup {
    html! {
        section aria-labelledby=(section.id) {
            h2 id=(section.id) { (section.title) }
            p.soft { (cells::sentence(&section.remark)) "." }
            @for (n, table) in section.tables.iter().enumerate().filter(|(_, table)| !table.rows.is_empty()) {
                @if !table.title.is_empty() { h3 { (table.title) } }
                (rows(section, n, table))
            }
            @for note in &section.notes { p { (cells::clean(note)) } }
        }
    }
}

fn rows(section: &Section, n: usize, table: &sections::Table) -> Markup {
    let id = format!("{}-{n}", section.id);
    let columns: Vec<page::Column> = (table.columns.iter())
        .map(
            |column| if column.numeric { page::Column::number(column.title) } else { page::Column::text(column.title) },
        )
        .collect();
    let rows = (table.rows.iter())
        .map(|row| Row {
            id: format!("{id}-{}", row.id).replace([' ', '"'], "-"),
            hidden: false,
            cells: (row.cells.iter())
                .map(|cell| match cell.value {
                    Some(value) => Cell::number(Some(value), |_| cell.shown.clone()),
                    None => Cell::text(&cell.shown),
                })
                .collect(),
            detail: (!row.details.is_empty()).then(|| {
                html! {
                    dl { @for (key, value) in &row.details { dt { (key) } dd { (cells::clean(value)) } } }
                }
            }),
        })
        .collect();
    let caption = if table.title.is_empty() { section.title } else { &table.title };
    Table { id: &id, caption, columns: &columns, rows, hidden: "" }.markup()
}
