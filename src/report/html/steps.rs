//! Steps, and the gaps in which nothing ran on the GPU.

use maud::{Markup, html};

use super::{Cell, Column, Row, Table, kernels, stage_title};
use crate::report::{GapEdge, Report, StepInfo, cells, gaps};

const COLUMNS: [Column; 12] = [
    Column::text("Step"),
    Column::choice("Stage"),
    Column::number("Span"),
    Column::number("Busy"),
    Column::number("Idle"),
    Column::number("Host-bound"),
    Column::choice("Launch-bound"),
    Column::number("Launches"),
    Column::number("Tokens"),
    Column::number("Requests"),
    Column::number("Exposed comm."),
    Column::number("Gaps"),
];

/// None without steps.
pub(super) fn section(report: &Report) -> Option<Markup> {
    let steps = &report.gpu.steps;
    let rows = steps.iter().map(|step| row(report, step)).collect();
    (!steps.is_empty()).then(|| {
        html! {
            p.soft {
                "From the first to the last GPU event launched in a step. Host-bound is idle time in which nothing was \
                 queued: the GPU waited for the host."
            }
            @if let Some(longest) = gaps::line(report) { p { b { "Gap: " } (longest) } }
            (Table { id: "step-table", caption: "Steps and gaps", columns: &COLUMNS, rows, hidden: "" }.markup())
        }
    })
}

fn row(report: &Report, step: &StepInfo) -> Row {
    let count = |n: Option<i64>| Cell::number(n.map(|n| n as f64), |n| cells::count(n as u64));
    let bound = match step.launch_bound {
        Some(true) => Cell::mark("yes", "bad"),
        Some(false) => Cell::mark("no", "quiet"),
        None => Cell::mark("unknown", "quiet"),
    };
    Row {
        id: format!("step/{}", step.n),
        hidden: false,
        cells: vec![
            Cell::number(Some(step.n as f64), |_| format!("step {}", step.n)),
            Cell::word(stage_title(report, &step.stage)),
            Cell::time(step.span_us),
            Cell::time(step.busy_us),
            Cell::time(step.idle_us),
            Cell::time(step.host_bound_us),
            bound,
            Cell::count(Some(step.launches)),
            count(step.tokens),
            count(step.requests),
            Cell::time(Some(step.exposed_communication_us)),
            Cell::count(Some(step.gaps_total)),
        ],
        detail: (!step.gaps.is_empty() || step.idle_unknown.is_some()).then(|| detail(step)),
    }
}

fn detail(step: &StepInfo) -> Markup {
    html! {
        div.wide {
            @if let Some(why) = &step.idle_unknown { p { "Idle time cannot be told: " code { (why) } "." } }
            @if !step.gaps.is_empty() {
                h4 { "The longest gaps of " (cells::count(step.gaps_total)) }
                div.scroll.bare { table {
                    thead { tr {
                        th scope="col" data-number { "Begins" } th scope="col" data-number { "Takes" }
                        th scope="col" { "Cause" } th scope="col" { "After" } th scope="col" { "Ended by" }
                        th scope="col" { "Host was in" }
                    } }
                    tbody { @for gap in &step.gaps { tr {
                        td data-number { (cells::time(gap.start_us)) }
                        td data-number { (cells::time(gap.dur_us)) }
                        td {
                            (gap.cause)
                            @if let Some(host) = gap.host_us.filter(|us| *us > 0.0) { span.small { (cells::time(host)) " of it" } }
                        }
                        td { (edge(&gap.after)) }
                        td { (edge(&gap.ended_by)) }
                        td { @for text in [&gap.host_frame, &gap.host_op, &gap.host_call].into_iter().flatten() {
                            code { (cells::clean(text)) } br;
                        } }
                    } } }
                } }
            }
        }
    }
}

fn edge(edge: &GapEdge) -> Markup {
    html! {
        code title=(cells::clean(&edge.kernel)) { (kernels::short(&[&edge.parts]).concat()) }
        @if let Some(place) = edge.location.as_ref().or(edge.op.as_ref()) { span.small { (cells::clean(place)) } }
    }
}
