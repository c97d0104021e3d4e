//! The document as one page.

use maud::{Markup, html};

use super::{Bundle, ComparedStage, ModelRuns};
use crate::report::cells;
use crate::report::html::{Cell, Column, Page, Row, Table, mark, tables};
use crate::runs::compare::{Unit, amount};

/// The document as a page; `toc` puts links to the models on top.
pub fn render(bundle: &Bundle, toc: bool) -> String {
    let page = Page {
        title: &bundle.title,
        sections: if toc {
            bundle.models.iter().map(|model| (model.anchor.clone(), cells::clean(&model.name))).collect()
        } else {
            Vec::new()
        },
        header: html! {
            h1 { (cells::clean(&bundle.title)) }
            @if toc {
                @for model in &bundle.models {
                    p { a href={ "#" (model.anchor) } { (cells::clean(&model.name)) } }
                    ul { @for run in &model.runs { li { a href={ "#" (run.anchor) } { (cells::clean(&run.title)) } } } }
                }
            }
        },
        main: html! { @for model in &bundle.models { (section(model)) } },
        footer: html! { p { "llm-prof " (env!("CARGO_PKG_VERSION")) } },
    };
    page.render()
}

fn section(model: &ModelRuns) -> Markup {
    html! {
        section aria-labelledby=(model.anchor) {
            h2 id=(model.anchor) { (cells::clean(&model.name)) }
            @if model.id != model.name { p.soft { "Given as " code { (cells::clean(&model.id)) } "." } }
            @if model.runs.len() > 1 {
                @for remark in &model.compared.remarks { p { (mark("take care", "warn")) " " (cells::clean(remark)) } }
                @for stage in &model.compared.stages { h3 { (stage.title) } (stage_table(model, stage)) }
                @if !model.compared.patterns.is_empty() { h3 { "Fuse patterns" } (patterns(model)) }
            }
        }
        @for run in &model.runs {
            section aria-labelledby=(run.anchor) {
                h2 id=(run.anchor) { (cells::clean(&model.name)) ": " (cells::clean(&run.title)) }
                p.lead { (cells::clean(&run.report.summary)) }
                details {
                    summary { "What was read" }
                    dl { @for (key, value) in cells::header(&run.report) { dt { (key) } dd { (value) } } }
                }
                (tables(&run.report, &run.anchor))
            }
        }
    }
}

/// A first column of names, then one a run.
fn columns<'a>(model: &'a ModelRuns, first: &'a str, column: fn(&'a str) -> Column<'a>) -> Vec<Column<'a>> {
    std::iter::once(Column::text(first)).chain(model.runs.iter().map(|run| column(&run.title))).collect()
}

fn stage_table(model: &ModelRuns, stage: &ComparedStage) -> Markup {
    let row = |name: &str, cells: Vec<Cell>| Row {
        id: format!("{}-{}-{name}", model.anchor, stage.stage).replace(' ', "-"),
        hidden: false,
        cells: std::iter::once(Cell::text(name)).chain(cells).collect(),
        detail: None,
    };
    let mut rows = vec![row("GPU time a step", stage.time_per_step_us.iter().map(|us| Cell::time(*us)).collect())];
    rows.push(row("steps", stage.steps.iter().map(|n| Cell::count(*n)).collect()));
    let launches = stage.launches.iter().map(|n| Cell::count(n.map(|n| n.round() as u64))).collect();
    rows.push(row("launches a step", launches));
    for one in &stage.categories {
        let cells = one.time.iter().zip(&one.share_pct).map(|(time, share)| {
            Cell::number(*time, |time| match (stage.unit, share) {
                (Unit::UsPerStep, Some(share)) => format!("{} ({})", cells::time(time), cells::share(*share)),
                _ => amount(stage.unit, Some(time)),
            })
        });
        rows.push(row(&one.category, cells.collect()));
    }
    let (id, columns) = (format!("{}-{}", model.anchor, stage.stage), columns(model, "Of a stage", Column::number));
    Table { id: &id, caption: &stage.title, columns: &columns, rows, hidden: "" }.markup()
}

fn patterns(model: &ModelRuns) -> Markup {
    let rows = (model.compared.patterns.iter())
        .map(|pattern| {
            let states = pattern.states.iter().map(|state| match state {
                None => Cell::of(html! { span.none { "–" } }),
                Some(state) => {
                    let tone = match state.state.as_str() {
                        "in-use" => "good",
                        "split" => "bad",
                        "partly" => "warn",
                        _ => "quiet",
                    };
                    Cell::of(html! {
                        (mark(&state.state, tone))
                        @if !state.confirmed { " Candidate" }
                        span.small { (cells::clean(&state.families.join(", "))) }
                    })
                }
            });
            let name = Cell::of(html! { (cells::clean(&pattern.pattern)) span.small { (pattern.stage) } });
            Row {
                id: format!("{}-{}-{}", model.anchor, pattern.stage, pattern.pattern),
                hidden: false,
                cells: std::iter::once(name).chain(states).collect(),
                detail: None,
            }
        })
        .collect();
    let (id, columns) = (format!("{}-patterns", model.anchor), columns(model, "Pattern", Column::text));
    Table { id: &id, caption: "Fuse patterns", columns: &columns, rows, hidden: "" }.markup()
}
