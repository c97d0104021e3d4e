//! The comparison as GitHub-flavoured markdown.

use super::{Comparison, PartChange, StageChange, Unit, words};
use crate::report::cells;
use crate::report::markdown::{code, line, or_dash, text};

/// Width to which kernel names are shortened; JSON has them whole.
const NAME_WIDTH: usize = 80;

/// The comparison as markdown; lists are cut after `most` rows.
pub fn render(comparison: &Comparison, most: usize) -> String {
    let mut out = String::from("# Comparison\n\n");
    for (key, value) in words::header(comparison) {
        line(&mut out, format_args!("- {key}: {}", text(&value)));
    }
    line(&mut out, format_args!("\nSummary: {}", text(&comparison.summary)));
    families(comparison, &mut out);
    for stage in &comparison.stages {
        stage_section(stage, most, &mut out);
    }
    out
}

fn families(comparison: &Comparison, out: &mut String) {
    line(out, format_args!("\n## Fuse families\n\n{}.\n", cells::sentence(words::aligned(comparison))));
    let rows: Vec<_> = words::families(comparison).collect();
    if rows.is_empty() {
        return line(out, format_args!("{}", text(&words::no_families(comparison))));
    }
    line(out, format_args!("| Pattern | Stage | Change | Before | After | GPU time | Why, and what to do |"));
    line(out, format_args!("|---|---|---|---|---|---|---|"));
    for row in rows {
        line(
            out,
            format_args!(
                "| {}<br>{} | {} | {} | {} | {} | {} | {} |",
                text(&row.title),
                code(&row.family),
                row.stage,
                words::change(comparison, row.change),
                words::state(row.before.as_ref()),
                words::state(row.after.as_ref()),
                words::time(comparison, row),
                or_dash(text(&row.text)),
            ),
        );
    }
    if let Some(same) = words::unchanged(comparison) {
        line(out, format_args!("\n{}.", cells::sentence(&same)));
    }
}

fn stage_section(stage: &StageChange, most: usize, out: &mut String) {
    line(out, format_args!("\n## {}\n\n{}.", text(&stage.title), cells::sentence(&words::stage(stage))));
    part_table("Category", &stage.categories, stage.unit, most, out);
    part_table("Part of the model", &stage.modules, stage.unit, most, out);
    for (list, verdicts) in words::LISTS {
        let kernels = words::listed(stage, verdicts);
        if kernels.is_empty() {
            continue;
        }
        line(out, format_args!("\n### {}\n", cells::sentence(words::list_title(stage.unit, list))));
        line(out, format_args!("| Kernel | Category | Before | After | Difference | Change | Remarks |"));
        line(out, format_args!("|---|---|---:|---:|---:|---:|---|"));
        for kernel in kernels.iter().take(most) {
            line(
                out,
                format_args!(
                    "| {} | {} | {} | {} | {} | {} | {} |",
                    code(&words::names(words::shown_side(kernel), NAME_WIDTH)),
                    text(&kernel.category),
                    words::amount(stage.unit, kernel.time.before),
                    words::amount(stage.unit, kernel.time.after),
                    words::signed(stage.unit, &kernel.time),
                    words::relative(&kernel.time),
                    text(&words::facts(stage.unit, kernel, NAME_WIDTH)),
                ),
            );
        }
    }
    if let Some(rest) = words::rest(stage, most) {
        line(out, format_args!("\n{}.", cells::sentence(&rest)));
    }
}

fn part_table(title: &str, parts: &[PartChange], unit: Unit, most: usize, out: &mut String) {
    if parts.is_empty() {
        return;
    }
    line(out, format_args!("\n| {title} | Before | After | Difference | Change | |"));
    line(out, format_args!("|---|---:|---:|---:|---:|---|"));
    for part in parts.iter().take(most) {
        line(
            out,
            format_args!(
                "| {} | {} | {} | {} | {} | {} |",
                text(&part.name),
                words::amount(unit, part.time.before),
                words::amount(unit, part.time.after),
                words::signed(unit, &part.time),
                words::relative(&part.time),
                words::verdict(&part.time),
            ),
        );
    }
}
