//! The overlap-opportunity table and the fuse-pattern table.

use maud::{Markup, html};

use super::{Cell, Column, Row, Table, code, empty, evidence, kernels, mark, stage_title, under};
use crate::report::{FuseRow, OverlapRow, Report, cells};

const FUSE: [Column; 9] = [
    Column::text("Pattern"),
    Column::choice("Stage"),
    Column::choice("State"),
    Column::choice("Confidence"),
    Column::number("Related GPU time"),
    Column::number("Share"),
    Column::number("Occurrences"),
    Column::number("Could save"),
    Column::choice("Action"),
];

const OVERLAP: [Column; 11] = [
    Column::text("Kernel"),
    Column::choice("Stage"),
    Column::choice("Priority"),
    Column::choice("Verdict"),
    Column::choice("Category"),
    Column::number("GPU time"),
    Column::number("Share"),
    Column::number("Exposed"),
    Column::number("Hidden"),
    Column::choice("Dependency risk"),
    Column::number("Could save"),
];

pub(super) fn fuse(report: &Report) -> Markup {
    let rows = report.fuse.iter().map(|row| fuse_row(report, row)).collect();
    let hidden = format!("covered or {}", under(report));
    html! {
        p.soft {
            "Chains of kernels for which a fused kernel is known. “Could save” is an estimate; rows that share launches \
             do not add up."
        }
        (empty(report, |stage| stage.fuse.shown > 0, cells::no_fuse))
        @if !report.fuse.is_empty() {
            (Table { id: "fuse-table", caption: "Fuse-pattern table", columns: &FUSE, rows, hidden: &hidden }.markup())
        }
        @if let Some(note) = &report.note { p { b { "Similar: " } (cells::clean(&note.text)) } }
        @if !report.new_candidates.is_empty() {
            details {
                summary { (cells::plural(report.new_candidates.len() as u64, "run")) " of launches near nothing known" }
                ul { @for candidate in &report.new_candidates { li { (cells::clean(&candidate.text)) } } }
            }
        }
    }
}

pub(super) fn state_tone(state: &str) -> &'static str {
    match state {
        "in-use" => "good",
        "split" => "bad",
        "partly" => "warn",
        _ => "quiet",
    }
}

pub(super) fn priority_tone(priority: &str) -> &'static str {
    match priority {
        "P1" => "bad",
        "P2" | "P3" => "warn",
        _ => "quiet",
    }
}

fn estimate(us: Option<f64>) -> Cell {
    Cell::number(us, |us| format!("~{}", cells::time(us)))
}

fn fuse_row(report: &Report, row: &FuseRow) -> Row {
    let origin = if row.origin == "mainline" { String::new() } else { format!(", {}", row.origin) };
    Row {
        id: row.id.clone(),
        hidden: !row.shown,
        cells: vec![
            Cell::of(html! { (cells::clean(&row.title)) span.small { (cells::clean(&row.family)) (origin) } }),
            Cell::word(stage_title(report, &row.stage)),
            Cell::mark(&row.state, state_tone(&row.state)),
            Cell::mark(&row.confidence, "quiet"),
            Cell::time(Some(row.time_us)),
            Cell::share(row.share_pct),
            Cell::count(Some(row.occurrences)),
            estimate(row.could_save_us),
            Cell::word(&row.action),
        ],
        detail: Some(fuse_detail(report, row)),
    }
}

fn fuse_detail(report: &Report, row: &FuseRow) -> Markup {
    html! {
        @if !row.advice.is_empty() || !row.toggles.is_empty() {
            div.wide { h4 { "What to do" }
                @if !row.advice.is_empty() { (evidence::sentence(&row.advice)) }
                @if row.action != "none" { (evidence::toggles(&row.toggles)) }
            }
        }
        div { h4 { "Occurrences" }
            ul {
                li { (cells::occurrences(row)) ", " (cells::related(row)) }
                @if let Some(saved) = row.launches_saved.filter(|saved| *saved > 0) {
                    li { "fusing would save " (cells::plural(saved, "launch")) }
                }
                @for reason in crate::report::fuse::because(row) { li { (cells::clean(reason)) } }
                @if let Some(other) = &row.covered_by { li { "is part of " (evidence::link(other)) } }
                @for other in &row.overlaps_with { li { "shares launches with " (evidence::link(other)) } }
            }
            (evidence::to_timeline(report, &row.id, &row.stage))
        }
        div.scroll.bare { h4 { "Kernels" }
            table {
                thead { tr { th scope="col" { "Kernel" } th scope="col" data-number { "Launches" }
                    th scope="col" data-number { "Time" } } }
                @let names = kernels::short(&row.kernels.iter().map(|kernel| &kernel.parts).collect::<Vec<_>>());
                tbody { @for (kernel, name) in row.kernels.iter().zip(names) { tr {
                    td { code title=(cells::clean(&kernel.name)) { (name) } }
                    td data-number { (cells::count(kernel.launches)) }
                    td data-number { (cells::time(kernel.time_us)) }
                } } }
            }
        }
        @for example in &row.examples { (evidence::occurrence(example)) }
        (evidence::places(&row.locations))
        @if !row.candidate.is_empty() {
            div { h4 { @if row.state == "in-use" { "Fused in" } @else { "Fused path" } }
                ul { @for path in &row.candidate { li { code { (cells::clean(path)) } } } } }
        }
        (evidence::rule(&row.family, &row.rule, &report.rules))
    }
}

pub(super) fn overlap(report: &Report) -> Markup {
    let names = kernels::short(&report.overlap.iter().map(|row| &row.parts).collect::<Vec<_>>());
    let rows = report.overlap.iter().zip(&names).map(|(row, name)| overlap_row(report, row, name)).collect();
    html! {
        p.soft { (cells::clean(&report.overlap_note)) }
        (empty(report, |stage| stage.overlap.shown > 0, cells::no_overlap))
        @if !report.overlap.is_empty() {
            (Table {
                id: "overlap-table",
                caption: "Overlap-opportunity table",
                columns: &OVERLAP,
                rows,
                hidden: &under(report),
            }.markup())
        }
    }
}

fn overlap_row(report: &Report, row: &OverlapRow, name: &str) -> Row {
    Row {
        id: row.id.clone(),
        hidden: !row.shown,
        cells: vec![
            Cell::of(html! {
                (code(name))
                @if let Some(title) = &row.title { span.small { (cells::clean(title)) } }
            }),
            Cell::word(stage_title(report, &row.stage)),
            Cell::mark(&row.priority, priority_tone(&row.priority)),
            Cell::word(&row.verdict),
            Cell::word(&row.category),
            Cell::time(Some(row.time_us)),
            Cell::share(row.share_pct),
            Cell::time(Some(row.exclusive_us)),
            Cell::time(Some(row.hidden_us)),
            Cell::mark(&row.risk, "quiet"),
            estimate(row.could_save_us),
        ],
        detail: Some(overlap_detail(report, row)),
    }
}

fn overlap_detail(report: &Report, row: &OverlapRow) -> Markup {
    html! {
        div.wide { h4 { "What to do" }
            (evidence::sentence(&row.recommendation))
            (evidence::toggles(&row.toggles))
        }
        div { h4 { "Formal signal" }
            (kernels::exposure(row.time_us, row.exclusive_us, row.hidden_us, row.hidden_by_compute_us))
            ul {
                li { (cells::plural(row.launches, "launch")) }
                @if let Some(waiting) = cells::waiting(row) { li { (waiting) } }
            }
            (evidence::to_timeline(report, &row.id, &row.stage))
        }
        div { h4 { "Dependency risk: " (mark(&row.risk, "quiet")) }
            ul {
                li { (cells::risk(row)) }
                @for reason in &row.reasons { li { (cells::clean(reason)) } }
            }
        }
        div.wide { h4 { "Name in the trace" } code { (cells::clean(&row.kernel)) } }
        @if let Some(partner) = &row.partner {
            div.wide { h4 { "Beside which it could run, or runs" } code { (cells::clean(partner)) } }
        }
        @if let Some(example) = &row.example { (evidence::occurrence(example)) }
        div { h4 { "Python scope" }
            @match &row.scope {
                Some(scope) => p { code { (cells::clean(scope)) } (cells::found(&row.found_by)) },
                None => p { "unknown" },
            }
        }
        @if let (Some(family), Some(rule)) = (&row.family, &row.rule) { (evidence::rule(family, rule, &report.rules)) }
        @else { div { h4 { "Id" } code { (row.id) } } }
    }
}
