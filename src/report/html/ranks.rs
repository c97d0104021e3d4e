//! Several ranks beside each other.

use maud::{Markup, html};

use super::{Cell, Column, Kind, Row, Table, kernels};
use crate::report::cells;
use crate::report::ranks::{CollectiveRow, RankStage, Ranks, words};

const COLLECTIVES: [Column; 6] = [
    Column::text("Collective"),
    Column::choice("Stage"),
    Column::text("Size"),
    Column::number("Waiting"),
    Column::number("Late"),
    Column::text("Found"),
];

pub(super) fn section(ranks: &Ranks) -> Markup {
    html! {
        p { (cells::sentence(&cells::clean(&words::remark(ranks)))) "." }
        @if ranks.read.len() > 1 {
            @for stage in ranks.stages.iter().filter(|stage| stage.shown) { (by_stage(stage)) }
            h3 { "Slower ranks" }
            @if ranks.stragglers.is_empty() { p.soft { (words::NO_STRAGGLER) } }
            ul {
                @for row in &ranks.stragglers {
                    @let kernel = kernels::short(&[&row.parts]).concat();
                    li { (row.stage) ": " (cells::clean(&words::straggler(row, &kernel))) }
                }
                @for row in &ranks.differing { li { "Differs: " (words::differs(row)) } }
            }
            @if !ranks.collectives.is_empty() {
                h3 { "Collectives across ranks" }
                p.soft { (cells::clean(&words::clock(ranks))) }
                (Table {
                    id: "collectives",
                    caption: "Collectives across ranks",
                    columns: &COLLECTIVES,
                    rows: ranks.collectives.iter().enumerate().map(|(n, row)| collective(n, row)).collect(),
                    hidden: "",
                }.markup())
            }
        }
    }
}

fn by_stage(stage: &RankStage) -> Markup {
    let categories = words::categories(stage);
    let number = |title: &'static str| Column::number(title);
    let own = ["Time", "To median", "Launches", "Waits", "Last"].map(number);
    let others = categories.iter().map(|category| Column { title: cells::clean(category).into(), kind: Kind::Number });
    let columns: Vec<Column> = std::iter::once(Column::text("Rank")).chain(own).chain(others).collect();
    let caption = format!("{} by rank", stage.title);
    let rows = stage.ranks.iter().enumerate().map(|(n, row)| {
        let [rank, time, median, launches, waits, last] = words::row(stage, row);
        let (time_us, per) = words::time_of(stage, row);
        let mut cells = vec![
            Cell::text(&format!("rank {rank}")),
            Cell::number(Some(time_us), |_| time),
            Cell::number(Some(row.over_median_pct), |_| median),
            Cell::number(Some(row.launches as f64 / per), |_| launches),
            Cell::number(row.waiting_us.map(|us| us / per), |_| waits),
            Cell::number(Some(row.last as f64), |_| last),
        ];
        cells.extend(categories.iter().map(|category| {
            let own = row.categories.iter().find(|share| share.category == **category);
            Cell::number(own.map(|own| own.time_us / per), |_| words::category(stage, row, category))
        }));
        Row { id: format!("rank/{}/{n}", stage.stage), cells, hidden: false, detail: None }
    });
    let id = format!("ranks-{}", stage.stage);
    html! {
        h3 { (caption) }
        p.soft { (words::stage(stage)) "." }
        (Table { id: &id, caption: &caption, columns: &columns, rows: rows.collect(), hidden: "" }.markup())
    }
}

fn collective(n: usize, row: &CollectiveRow) -> Row {
    Row {
        id: format!("collective/{n}"),
        cells: vec![
            Cell::code(&kernels::short(&[&row.parts]).concat()),
            Cell::word(&row.stage),
            Cell::text(&row.size),
            Cell::time(row.waiting_us),
            Cell::count(row.tied_by.as_ref().map(|_| row.late)),
            Cell::of(html! { @for line in words::collective(row) { span.small { (cells::clean(&line)) } } }),
        ],
        hidden: false,
        detail: Some(html! { div.wide { h4 { "Name in the trace" } code { (cells::clean(&row.kernel)) } } }),
    }
}
