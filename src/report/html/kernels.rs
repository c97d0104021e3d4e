//! The kernel table.

use maud::{Markup, html};

use super::{Cell, Column, Row, Table, bar, code, empty, stage_title, under};
use crate::kernel_name::{self, KernelName};
use crate::report::{KernelRow, Report, cells};
use crate::units::percent;

const COLUMNS: [Column; 8] = [
    Column::text("Kernel"),
    Column::choice("Stage"),
    Column::choice("Category"),
    Column::number("GPU time"),
    Column::number("Share"),
    Column::number("Launches"),
    Column::text("Python location"),
    Column::text("CPU op"),
];

pub(super) fn section(report: &Report) -> Markup {
    let names = short(&report.kernels.iter().map(|row| &row.parts).collect::<Vec<_>>());
    let rows = report.kernels.iter().zip(&names).map(|(row, name)| table_row(report, row, name)).collect();
    html! {
        p.soft { "Each kernel with its share of the stage’s summed GPU kernel time." }
        (empty(report, |stage| stage.kernels.shown > 0, cells::no_kernels))
        @if !report.kernels.is_empty() {
            (Table { id: "kernel-table", caption: "Kernel table", columns: &COLUMNS, rows, hidden: &under(report) }.markup())
        }
    }
}

/// Short forms that still tell the kernels apart.
pub(super) fn short(names: &[&KernelName]) -> Vec<String> {
    kernel_name::shorten(names, super::NAME_WIDTH).iter().map(|name| cells::clean(name)).collect()
}

fn table_row(report: &Report, row: &KernelRow, name: &str) -> Row {
    let places = cells::places(row);
    let place = places.first().map_or_else(String::new, |place| place.text(Some(48)));
    let more = places.len().saturating_sub(1) as u64;
    Row {
        id: row.id.clone(),
        hidden: !row.shown,
        cells: vec![
            Cell::code(name),
            Cell::word(stage_title(report, &row.stage)),
            Cell::word(&row.category),
            Cell::time(Some(row.time_us)),
            Cell::share(row.share_pct),
            Cell::count(Some(row.launches)),
            Cell::of(html! {
                @if place.is_empty() { span.none { "–" } } @else { (code(&place)) }
                @if more > 0 { span.small { "and " (cells::plural(more, "more place")) } }
            }),
            Cell::of(html! {
                @match row.ops.first() { Some(op) => (code(op)), None => span.none { "–" } }
                @if row.ops.len() > 1 { span.small { "and " (cells::plural(row.ops.len() as u64 - 1, "more op")) } }
            }),
        ],
        detail: Some(detail(row)),
    }
}

fn detail(row: &KernelRow) -> Markup {
    const MOST: usize = 40;
    html! {
        div.wide { h4 { "Name in the trace" } code { (cells::clean(&row.name)) } }
        @if !row.sites.is_empty() {
            div.wide.scroll.bare { h4 { "Places" }
                table {
                    thead { tr { th scope="col" { "Call site" } th scope="col" { "Module" }
                        th scope="col" data-number { "Share" } th scope="col" { "Found by" } } }
                    tbody { @for site in row.sites.iter().take(MOST) { tr {
                        td { @match &site.location { Some(site) => code { (cells::clean(site)) }, None => "unknown" } }
                        td { @match &site.module { Some(module) => code { (cells::clean(module)) }, None => "–" } }
                        td data-number { (cells::share(site.share_pct)) }
                        td { (site.found_by) }
                    } } }
                }
                @if row.sites.len() > MOST { p.soft { (row.sites.len() - MOST) " more, listed with --format json" } }
            }
        }
        @if !row.ops.is_empty() {
            div { h4 { "CPU ops that launch it" }
                ul { @for op in row.ops.iter().take(MOST) { li { code { (cells::clean(op)) } } } } }
        }
        @if let (Some(exposed), Some(hidden), Some(compute)) = (row.exclusive_us, row.hidden_us, row.hidden_by_compute_us) {
            div { h4 { "Beside other streams" } (exposure(row.time_us, exposed, hidden, compute)) }
        }
        div { h4 { "Id" } code { (row.id) } }
    }
}

/// How much of a time ran alone, and how much with something beside it.
pub(super) fn exposure(all: f64, exposed: f64, hidden: f64, compute: f64) -> Markup {
    let of = |us: f64| percent(cells::nanos(us), cells::nanos(all));
    html! {
        (bar(&[(of(exposed), "exposed"), (of(compute), "compute"), (of(hidden) - of(compute), "other")]))
        ul {
            li { (cells::time(exposed)) " (" (cells::share(of(exposed))) ") exposed: nothing on another stream" }
            li { (cells::time(hidden)) " (" (cells::share(of(hidden))) ") hidden, "
                 (cells::time(compute)) " (" (cells::share(of(compute))) ") of it by compute" }
        }
    }
}
