//! The report as one HTML page: tables that sort and filter, rows that open what they rest on, a step to zoom into.
//!
//! For other pages: [`Page`] is the frame, [`Table`] a table with all that belongs to it, [`data`] what a script reads.

mod evidence;
mod findings;
mod frame;
mod header;
mod kernels;
mod picture;
mod ranks;
mod steps;
mod table;
mod timeline;

use maud::{Markup, PreEscaped, html};

use super::{Report, StageInfo, cells};
pub use frame::{Page, data};
pub use table::{Cell, Column, Kind, Row, Table, bar, code, mark};

/// Columns to which kernel names are shortened in tables; an opened row has them whole.
const NAME_WIDTH: usize = 56;

/// The report as a page.
pub fn render(report: &Report) -> String {
    let sections: Vec<(&str, &str, Markup)> = [
        Some(("kernels", "Kernel table", kernels::section(report))),
        Some(("overlap", "Overlap-opportunity table", findings::overlap(report))),
        Some(("fuse", "Fuse-pattern table", findings::fuse(report))),
        timeline::section(report).map(|section| ("timeline", "Timeline", section)),
        steps::section(report).map(|section| ("steps", "Steps and gaps", section)),
        report.ranks.as_ref().map(|own| ("ranks", "Ranks", ranks::section(own))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let page = Page {
        title: &header::title(report),
        sections: sections.iter().map(|(id, title, _)| ((*id).to_owned(), (*title).to_owned())).collect(),
        header: header::markup(report),
        main: html! {
            @for (id, title, section) in &sections {
                section aria-labelledby=(id) { h2 id=(id) { (title) } (section) }
            }
        },
        footer: header::footer(report),
    };
    page.render()
}

/// The three tables of a report under headings of the third level, for a page of several: every id, and every link to one,
/// begins with `prefix`.
pub fn tables(report: &Report, prefix: &str) -> Markup {
    // The buttons that show a row in a step have no step here.
    let report = Report { typical_steps: None, ..report.clone() };
    let tables = html! {
        h3 { "Kernel table" } (kernels::section(&report))
        h3 { "Overlap-opportunity table" } (findings::overlap(&report))
        h3 { "Fuse-pattern table" } (findings::fuse(&report))
    };
    // Quotes of texts are escaped, so these begin attributes.
    let text = tables.into_string();
    let text = text.replace(" id=\"", &format!(" id=\"{prefix}-")).replace(" href=\"#", &format!(" href=\"#{prefix}-"));
    PreEscaped(text)
}

/// Stages that have a section.
fn stages(report: &Report) -> impl Iterator<Item = &StageInfo> {
    report.stages.iter().filter(|stage| stage.shown && stage.launches > 0)
}

/// As titles have a stage.
fn stage_title<'a>(report: &'a Report, id: &'a str) -> &'a str {
    report.stages.iter().find(|stage| stage.stage == id).map_or(id, |stage| stage.title)
}

/// A paragraph for each stage of which `text` has something to say, and one for all when no stage is shown.
fn empty(
    report: &Report,
    has_row: impl Fn(&StageInfo) -> bool,
    text: fn(&Report, Option<&StageInfo>) -> String,
) -> Markup {
    html! {
        @for stage in stages(report).filter(|stage| !has_row(stage)) {
            p.soft { b { (stage.title) } ": " (cells::clean(&text(report, Some(stage)))) }
        }
        @if stages(report).next().is_none() { p.soft { (cells::clean(&text(report, None))) } }
    }
}

/// What hides a row, beside the number of those.
fn under(report: &Report) -> String {
    let under = format!("under {}", cells::share(report.hidden_rows.min_share_pct));
    report.hidden_rows.limit.map_or_else(|| under.clone(), |limit| format!("{under} or beyond the first {limit}"))
}
