//! What the runs of each model have in common, for a terminal; the reports themselves are pages of their own.

use super::markdown::figure;
use super::{Bundle, ComparedStage, ModelRuns, PatternState};
use crate::report::cells;
use crate::report::layout::{cut_middle, left, right, width};
use crate::report::page::Page;
use crate::report::text::{self, Style};

/// The document: of each model its runs beside each other, then their reports.
pub fn render(bundle: &Bundle, style: Style) -> String {
    let mut page = Page::new(style);
    let title = page.paint.bold(&cells::clean(&bundle.title));
    page.line(&title);
    for model in &bundle.models {
        page.title(&cells::clean(&model.name), &cells::plural(model.runs.len() as u64, "run"));
        if model.runs.len() > 1 {
            page.compared(model);
        }
        for run in &model.runs {
            page.line("");
            let title = page.paint.bold(&cells::clean(&run.title));
            page.line(&format!("━━ {title}"));
            page.out.push_str(&text::render(&run.report, style));
        }
    }
    page.out
}

impl Page {
    fn compared(&mut self, model: &ModelRuns) {
        for remark in &model.compared.remarks {
            self.note(&format!("take care: {}", cells::clean(remark)));
        }
        let titles: Vec<String> = model.runs.iter().map(|run| cells::clean(&run.title)).collect();
        for stage in &model.compared.stages {
            self.beside(&stage.title, &titles, &rows(stage));
        }
        let patterns: Vec<(String, Vec<String>)> = (model.compared.patterns.iter())
            .map(|pattern| {
                let states = pattern.states.iter().map(|state| word(state.as_ref())).collect();
                (format!("{} ({})", pattern.pattern, pattern.stage), states)
            })
            .collect();
        if !patterns.is_empty() {
            self.beside("fuse patterns", &titles, &patterns);
        }
    }

    /// A column a run, its cells to the right; names take what is left.
    fn beside(&mut self, title: &str, titles: &[String], rows: &[(String, Vec<String>)]) {
        const MOST: usize = 24;
        const GAP: usize = 2;
        let widths: Vec<usize> = (titles.iter().enumerate())
            .map(|(n, title)| {
                rows.iter().map(|(_, cells)| width(&cells[n])).max().unwrap_or(0).max(width(title).min(MOST))
            })
            .collect();
        let others: usize = widths.iter().map(|width| width + GAP).sum();
        let longest = rows.iter().map(|(name, _)| width(name)).max().unwrap_or(0).max(width(title));
        let first = longest.min(self.columns.saturating_sub(others).max(10));
        self.line("");
        let mut head = left(&cut_middle(title, first), first);
        for (title, width) in titles.iter().zip(&widths) {
            head = format!("{head}  {}", right(&cut_middle(title, *width), *width));
        }
        let head = self.paint.dim(&head);
        self.line(&head);
        for (name, cells) in rows {
            let mut line = left(&cut_middle(name, first), first);
            for (cell, width) in cells.iter().zip(&widths) {
                line = format!("{line}  {}", right(cell, *width));
            }
            self.line(&line);
        }
    }
}

fn word(state: Option<&PatternState>) -> String {
    state.map_or_else(
        || "–".to_owned(),
        |state| if state.confirmed { state.state.clone() } else { format!("{} (Candidate)", state.state) },
    )
}

/// The rows of a stage's table: name, and a cell a run.
pub(super) fn rows(stage: &ComparedStage) -> Vec<(String, Vec<String>)> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let mut rows = vec![
        (
            "GPU time a step".to_owned(),
            stage.time_per_step_us.iter().map(|us| or_dash(us.map(cells::time))).collect::<Vec<_>>(),
        ),
        ("steps".to_owned(), stage.steps.iter().map(|steps| or_dash(steps.map(|n| n.to_string()))).collect()),
        (
            "launches a step".to_owned(),
            stage.launches.iter().map(|n| or_dash(n.map(|n| cells::count(n.round() as u64)))).collect(),
        ),
    ];
    rows.extend(stage.categories.iter().map(|one| {
        let figures = one.time.iter().zip(&one.share_pct).map(|(time, share)| figure(stage, *time, *share));
        (one.category.clone(), figures.collect())
    }));
    rows
}
