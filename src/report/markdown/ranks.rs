//! The section on ranks in markdown.

use super::{NAME_WIDTH, code, line, text};
use crate::kernel_name;
use crate::report::ranks::{RankStage, Ranks, words};

/// At most `most` rows a stage.
pub(super) fn section(ranks: &Ranks, most: usize, out: &mut String) {
    line(out, format_args!("\n## Ranks\n\n{}.", text(&words::remark(ranks))));
    if ranks.read.len() < 2 {
        return;
    }
    for stage in ranks.stages.iter().filter(|stage| stage.shown) {
        table(stage, most, out);
    }
    line(out, format_args!("\n### Slower ranks\n"));
    if ranks.stragglers.is_empty() {
        line(out, format_args!("{}", words::NO_STRAGGLER));
    }
    for row in &ranks.stragglers {
        let kernel = kernel_name::shorten(&[&row.parts], NAME_WIDTH).concat();
        line(out, format_args!("- {}: {}", row.stage, text(&words::straggler(row, &kernel))));
    }
    for row in &ranks.differing {
        line(out, format_args!("- Differs: {}", text(&words::differs(row))));
    }
    if ranks.collectives.is_empty() {
        return;
    }
    line(out, format_args!("\n### Collectives across ranks\n\n{}\n", text(&words::clock(ranks))));
    line(out, format_args!("| Collective | Stage | Size | Found |\n|---|---|---|---|"));
    for row in &ranks.collectives {
        let name = kernel_name::shorten(&[&row.parts], NAME_WIDTH).concat();
        let found: Vec<String> = words::collective(row).iter().map(|line| text(line)).collect();
        line(out, format_args!("| {} | {} | {} | {} |", code(&name), row.stage, text(&row.size), found.join("<br>")));
    }
}

fn table(stage: &RankStage, most: usize, out: &mut String) {
    let categories = words::categories(stage);
    line(out, format_args!("\n### {} by rank\n\n{}.\n", stage.title, words::stage(stage)));
    let mut head = "| Rank | Time | To median | Launches | Waits | Last |".to_owned();
    let mut rule = "|---|---:|---:|---:|---:|---:|".to_owned();
    for category in &categories {
        head.extend([" ", text(category).as_str(), " |"]);
        rule.push_str("---:|");
    }
    line(out, format_args!("{head}\n{rule}"));
    for row in words::shown(stage, most) {
        let own = words::row(stage, row).into_iter();
        let cells: Vec<String> =
            own.chain(categories.iter().map(|category| words::category(stage, row, category))).collect();
        line(out, format_args!("| {} |", cells.join(" | ")));
    }
    if let Some(left_out) = words::left_out(stage, most) {
        line(out, format_args!("\n{left_out}."));
    }
}
