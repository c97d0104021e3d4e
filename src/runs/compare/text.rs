//! The comparison for a terminal.

use super::{Comparison, KernelChange, StageChange, Unit, words};
use crate::report::cells;
use crate::report::layout::{Paint, cut, cut_middle, width};
use crate::report::page::{Column, Page, Table, column};
use crate::report::text::Style;

const FAMILIES: [Column; 5] = [
    column("Pattern", 0, false),
    column("Stage", 70, false),
    column("Change", 0, false),
    column("Before", 0, false),
    column("After", 0, false),
];

const PARTS: [Column; 6] = [
    column("Part", 0, false),
    column("Before", 0, true),
    column("After", 0, true),
    column("Difference", 0, true),
    column("Change", 60, true),
    column("", 70, false),
];

const KERNELS: [Column; 6] = [
    column("Kernel", 0, false),
    column("Category", 70, false),
    column("Before", 0, true),
    column("After", 0, true),
    column("Difference", 0, true),
    column("Change", 60, true),
];

/// The comparison as text; lists are cut after `most` rows.
pub fn render(comparison: &Comparison, most: usize, style: Style) -> String {
    let mut page = Page::new(style);
    let title = page.paint.bold(&format!("llm-prof {} compare", env!("CARGO_PKG_VERSION")));
    page.line(&title);
    page.header(&words::header(comparison));
    page.title("Fuse families", words::aligned(comparison));
    page.families(comparison);
    for stage in &comparison.stages {
        page.stage_change(stage, most);
    }
    page.line("");
    page.pair("Summary", &comparison.summary, 9, Paint::bold);
    page.out
}

impl Page {
    fn families(&mut self, comparison: &Comparison) {
        let rows: Vec<_> = words::families(comparison).collect();
        if rows.is_empty() {
            return self.note(&words::no_families(comparison));
        }
        let cells: Vec<Vec<String>> = (rows.iter())
            .map(|row| {
                let change = words::change(comparison, row.change).to_owned();
                let (before, after) = (words::state(row.before.as_ref()), words::state(row.after.as_ref()));
                vec![String::new(), row.stage.clone(), change, before, after]
            })
            .collect();
        let table = Table::new(&FAMILIES, &cells, self.columns);
        self.table_head(&table, &FAMILIES);
        for (row, mut line) in rows.iter().zip(cells) {
            line[0] = cut_middle(&cells::clean(&row.title), table.first);
            let paint = self.paint;
            let text = table.line(&line, |n, cell| match n {
                0 => paint.bold(cell),
                2 if words::is_bad(row.change) => paint.warning(cell),
                _ => cell.to_owned(),
            });
            self.line(&text);
            self.detail("family", &row.family);
            self.detail("time", &words::time(comparison, row));
            if !row.text.is_empty() {
                self.detail("because", &cells::clean(&row.text));
            }
        }
        self.left_out(&FAMILIES);
        if let Some(same) = words::unchanged(comparison) {
            self.note(&same);
        }
    }

    fn stage_change(&mut self, stage: &StageChange, most: usize) {
        self.title(&stage.title, if stage.unit == Unit::UsPerStep { "times a step" } else { "shares of the stage" });
        self.note(&words::stage(stage));
        for (parts, title) in [(&stage.categories, "Category"), (&stage.modules, "Part of the model")] {
            if parts.is_empty() {
                continue;
            }
            let mut columns = PARTS;
            columns[0].title = title;
            let cells: Vec<Vec<String>> = (parts.iter().take(most))
                .map(|part| {
                    let (before, after) =
                        (words::amount(stage.unit, part.time.before), words::amount(stage.unit, part.time.after));
                    let change = [words::signed(stage.unit, &part.time), words::relative(&part.time)];
                    let verdict = words::verdict(&part.time).to_owned();
                    [cells::clean(&part.name), before, after].into_iter().chain(change).chain([verdict]).collect()
                })
                .collect();
            let table = Table::new(&columns, &cells, self.columns);
            self.line("");
            self.table_head(&table, &columns);
            for mut line in cells {
                line[0] = cut(&line[0], table.first);
                let paint = self.paint;
                let text = table.line(&line, |n, cell| match (n, cell.trim()) {
                    (5, "slower") => paint.warning(cell),
                    _ => cell.to_owned(),
                });
                self.line(&text);
            }
        }
        for (title, verdicts) in words::LISTS {
            let kernels = words::listed(stage, verdicts);
            if !kernels.is_empty() {
                self.kernels_list(stage.unit, words::list_title(stage.unit, title), &kernels, most);
            }
        }
        if let Some(rest) = words::rest(stage, most) {
            self.note(&rest);
        }
        self.left_out(&KERNELS);
    }

    fn kernels_list(&mut self, unit: Unit, title: &str, kernels: &[&KernelChange], most: usize) {
        let cells: Vec<Vec<String>> = (kernels.iter().take(most))
            .map(|kernel| {
                let (before, after) = (words::amount(unit, kernel.time.before), words::amount(unit, kernel.time.after));
                let change = [words::signed(unit, &kernel.time), words::relative(&kernel.time)];
                [String::new(), cells::clean(&kernel.category), before, after].into_iter().chain(change).collect()
            })
            .collect();
        let table = Table::new(&KERNELS, &cells, self.columns);
        self.line("");
        let rest = self.columns.saturating_sub(width(title) + 3);
        let title = self.paint.bold(title);
        self.line(&format!("── {title}{}", " ".repeat(rest.min(1))));
        self.table_head(&table, &KERNELS);
        for (kernel, mut line) in kernels.iter().zip(cells) {
            line[0] = cut_middle(&words::names(words::shown_side(kernel), table.first), table.first);
            let text = table.line(&line, |_, cell| cell.to_owned());
            self.line(&text);
            let facts = words::facts(unit, kernel, self.columns / 2);
            self.note(&format!("  {facts}"));
        }
    }
}
