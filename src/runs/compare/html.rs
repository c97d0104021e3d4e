//! The comparison as a page of its own.

use maud::{Markup, html};

use super::{Change, Comparison, FamilyChange, KernelChange, PartChange, StageChange, Unit, words};
use crate::report::cells;
use crate::report::html::{Cell, Column, Page, Row, Table, mark};

/// Columns to which kernel names are shortened in tables; an opened row has them whole.
const NAME_WIDTH: usize = 56;

const FAMILIES: [Column; 6] = [
    Column::text("Pattern"),
    Column::choice("Stage"),
    Column::choice("Change"),
    Column::choice("Before"),
    Column::choice("After"),
    Column::text("GPU time"),
];

const PARTS: [Column; 6] = [
    Column::text("Part"),
    Column::number("Before"),
    Column::number("After"),
    Column::number("Difference"),
    Column::number("Change"),
    Column::choice("Verdict"),
];

const KERNELS: [Column; 8] = [
    Column::text("Kernel"),
    Column::choice("Verdict"),
    Column::choice("Category"),
    Column::number("Before"),
    Column::number("After"),
    Column::number("Difference"),
    Column::number("Change"),
    Column::text("Launches"),
];

/// The comparison as a page; everything is in it, what matters little hidden at first.
pub fn render(comparison: &Comparison) -> String {
    let mut sections = vec![("families".to_owned(), "Fuse families".to_owned(), families(comparison))];
    for stage in &comparison.stages {
        sections.push((stage.stage.clone(), cells::sentence(&stage.title), stage_section(stage)));
    }
    let page = Page {
        title: "Comparison – llm-prof",
        sections: sections.iter().map(|(id, title, _)| (id.clone(), title.clone())).collect(),
        header: html! {
            h1 { "Comparison" }
            p.lead { (cells::clean(&comparison.summary)) }
            @let warnings = words::warnings(comparison);
            @if !warnings.is_empty() {
                ul.plain aria-label="What is not alike" {
                    @for text in warnings { li { (mark("not alike", "warn")) (text) } }
                }
            }
            dl {
                @for (key, run) in [("Before", &comparison.before), ("After", &comparison.after)] {
                    dt { (key) }
                    dd { code { (cells::clean(&run.path)) } " " span.soft { (cells::clean(&run.about)) } }
                }
            }
        },
        main: html! {
            @for (id, title, section) in &sections {
                section aria-labelledby=(id) { h2 id=(id) { (title) } (section) }
            }
        },
        footer: html! {
            p {
                "llm-prof " (env!("CARGO_PKG_VERSION")) ". Times are sums over GPU events, a step; a difference is told from \
                 noise by the bars of rules/compare.yaml."
            }
        },
    };
    page.render()
}

/// The look of a verdict or a change of state.
fn tone(word: &str) -> &'static str {
    match word {
        "slower" | "regressed" => "bad",
        "newly-fused" | "partly-fused" | "faster" => "good",
        word if words::is_bad(word) => "warn",
        "appeared" | "vanished" | "more" | "less" => "warn",
        _ => "quiet",
    }
}

fn families(comparison: &Comparison) -> Markup {
    let row = |family: &FamilyChange| Row {
        id: family.id.clone(),
        hidden: !family.shown,
        cells: vec![
            Cell::of(html! { (cells::clean(&family.title)) span.small { (cells::clean(&family.family)) } }),
            Cell::word(&family.stage),
            Cell::mark(words::change(comparison, family.change), tone(family.change)),
            Cell::word(&words::state(family.before.as_ref())),
            Cell::word(&words::state(family.after.as_ref())),
            Cell::text(&words::time(comparison, family)),
        ],
        detail: (!family.text.is_empty())
            .then(|| html! { div.wide { h4 { "Why, and what to do" } p { (cells::clean(&family.text)) } } }),
    };
    html! {
        p.soft { (cells::sentence(words::aligned(comparison))) "." }
        @if words::families(comparison).next().is_none() { p.soft { (words::no_families(comparison)) } }
        @if !comparison.families.is_empty() {
            (Table {
                id: "family-table",
                caption: "Fuse families",
                columns: &FAMILIES,
                rows: comparison.families.iter().map(row).collect(),
                hidden: "without a difference, covered, or under the bar",
            }.markup())
        }
    }
}

/// Before, after, difference, relative difference.
fn figures(unit: Unit, change: &Change) -> [Cell; 4] {
    let amount = |value: Option<f64>| Cell::number(value, |value| words::amount(unit, Some(value)));
    [
        amount(change.before),
        amount(change.after),
        Cell::number(change.delta, |_| words::signed(unit, change)),
        Cell::number(change.delta_pct, |_| words::relative(change)),
    ]
}

fn stage_section(stage: &StageChange) -> Markup {
    html! {
        p { (cells::sentence(&words::stage(stage))) "." }
        h3 { "By kind of work" }
        (parts(stage, "category", "By kind of work", &stage.categories))
        @if !stage.modules.is_empty() {
            h3 { "By part of the model" }
            (parts(stage, "module", "By part of the model", &stage.modules))
        }
        h3 { "Kernels" }
        (Table {
            id: &format!("{}-kernels", stage.stage),
            caption: "Kernels",
            columns: &KERNELS,
            rows: stage.kernels.iter().map(|kernel| kernel_row(stage.unit, kernel)).collect(),
            hidden: "with too little between them, or no more than may be noise",
        }.markup())
    }
}

fn parts(stage: &StageChange, kind: &str, caption: &str, parts: &[PartChange]) -> Markup {
    let row = |part: &PartChange| Row {
        id: format!("{}/{kind}/{}", stage.stage, part.name),
        hidden: false,
        cells: std::iter::once(Cell::text(&part.name))
            .chain(figures(stage.unit, &part.time))
            .chain([verdict(&part.time)])
            .collect(),
        detail: None,
    };
    let id = format!("{}-{kind}", stage.stage);
    Table { id: &id, caption, columns: &PARTS, rows: parts.iter().map(row).collect(), hidden: "" }.markup()
}

fn verdict(change: &Change) -> Cell {
    let word = change.verdict.unwrap_or_default();
    Cell::mark(words::verdict(change), tone(word))
}

fn kernel_row(unit: Unit, kernel: &KernelChange) -> Row {
    let name = words::names(words::shown_side(kernel), NAME_WIDTH);
    let [before, after, delta, pct] = figures(unit, &kernel.time);
    Row {
        id: kernel.id.clone(),
        hidden: matches!(kernel.time.verdict, None | Some("same" | "noise")),
        cells: vec![
            Cell::code(&name),
            verdict(&kernel.time),
            Cell::word(&kernel.category),
            before,
            after,
            delta,
            pct,
            Cell::text(&words::counts(&kernel.launches)),
        ],
        detail: Some(html! {
            @for (title, side) in [("Before", &kernel.before), ("After", &kernel.after)] {
                div.wide { h4 { (title) }
                    @if side.is_empty() { p.soft { "No kernel." } }
                    ul { @for one in side { li { code { (cells::clean(&one.name)) } } } }
                }
            }
            @if let Some(place) = &kernel.place { div { h4 { "Where" } code { (cells::clean(place)) } } }
            @if let Some(paired) = words::paired(kernel) { div { h4 { "Taken for the same" } p { (cells::sentence(paired)) "." } } }
        }),
    }
}
