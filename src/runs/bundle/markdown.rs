//! The document as GitHub-flavoured markdown.

use super::{Bundle, Compared, ComparedStage, ModelRuns, PatternState};
use crate::report::cells;
use crate::report::markdown::{self, code, line, text};
use crate::runs::compare::amount;

/// The document; `toc` puts a table of contents on top.
pub fn render(bundle: &Bundle, toc: bool) -> String {
    let mut out = format!("# {}\n", text(&bundle.title));
    if toc {
        line(&mut out, format_args!("\n## Contents\n"));
        for model in &bundle.models {
            line(&mut out, format_args!("- [{}](#{})", text(&model.name), model.anchor));
            for run in &model.runs {
                line(&mut out, format_args!("  - [{}](#{})", text(&run.title), run.anchor));
            }
        }
    }
    for model in &bundle.models {
        section(model, &mut out);
    }
    out
}

fn section(model: &ModelRuns, out: &mut String) {
    line(out, format_args!("\n<a id=\"{}\"></a>\n\n## {}", model.anchor, text(&model.name)));
    if model.id != model.name {
        line(out, format_args!("\nGiven as {}.", code(&model.id)));
    }
    if model.runs.len() > 1 {
        line(out, format_args!("\n### Compared"));
        compared(model, &model.compared, out);
    }
    for run in &model.runs {
        line(out, format_args!("\n<a id=\"{}\"></a>\n\n### {}\n", run.anchor, text(&run.title)));
        line(out, format_args!("{}", nested(&markdown::render(&run.report)).trim_end()));
    }
}

/// A report's own document under a heading of the third level: its title goes, its headings move.
fn nested(report: &str) -> String {
    let mut fenced = false;
    let mut lines = Vec::new();
    for part in report.lines() {
        fenced ^= part.starts_with("```");
        match part.strip_prefix('#') {
            Some(rest) if !fenced && rest.starts_with('#') => lines.push(format!("###{rest}")),
            Some(_) if !fenced => {}
            _ => lines.push(part.to_owned()),
        }
    }
    lines.join("\n").trim().to_owned()
}

fn compared(model: &ModelRuns, compared: &Compared, out: &mut String) {
    for remark in &compared.remarks {
        line(out, format_args!("\nTake care: {}.", text(remark)));
    }
    let titles: Vec<String> = model.runs.iter().map(|run| text(&run.title)).collect();
    for stage in &compared.stages {
        stage_table(&titles, stage, out);
    }
    if compared.patterns.is_empty() {
        return;
    }
    line(out, format_args!("\n#### Fuse patterns\n"));
    line(out, format_args!("| Pattern | Stage | {} |", titles.join(" | ")));
    line(out, format_args!("|---|---|{}", "---|".repeat(titles.len())));
    for pattern in &compared.patterns {
        let states: Vec<String> = pattern.states.iter().map(|state| state_cell(state.as_ref())).collect();
        line(out, format_args!("| {} | {} | {} |", code(&pattern.pattern), pattern.stage, states.join(" | ")));
    }
}

/// `split` with its families, `split?` for a Candidate.
fn state_cell(state: Option<&PatternState>) -> String {
    state.map_or_else(
        || "–".to_owned(),
        |state| {
            let sure = if state.confirmed { "" } else { " (Candidate)" };
            let families: Vec<String> = state.families.iter().map(|id| code(id)).collect();
            format!("{}{sure}<br>{}", state.state, families.join("<br>"))
        },
    )
}

fn stage_table(titles: &[String], stage: &ComparedStage, out: &mut String) {
    line(out, format_args!("\n#### {}\n", text(&stage.title)));
    line(out, format_args!("| | {} |", titles.join(" | ")));
    line(out, format_args!("|---|{}", "---:|".repeat(titles.len())));
    for (name, cells) in super::text::rows(stage) {
        line(out, format_args!("| {} | {} |", text(&name), cells.join(" | ")));
    }
}

/// Figures of a category: `3.20 ms (24.7 %)`.
pub(super) fn figure(stage: &ComparedStage, time: Option<f64>, share: Option<f64>) -> String {
    match (stage.unit, share) {
        (crate::runs::compare::Unit::UsPerStep, Some(share)) => {
            format!("{} ({})", amount(stage.unit, time), cells::share(share))
        }
        _ => amount(stage.unit, time),
    }
}
