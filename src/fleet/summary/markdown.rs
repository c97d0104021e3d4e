//! The document as GitHub-flavoured markdown.

use crate::report::markdown::{line, text};
use crate::rules::schema::fleet::FleetFile;

use super::Summary;
use super::sections::{self, Table};

/// The document; lists end after `most` rows.
pub fn render(summary: &Summary, settings: &FleetFile, most: usize) -> String {
    let mut out = "# Fleet\n\n".to_owned();
    for (key, value) in sections::header(summary) {
        let key = if key.is_empty() { String::new() } else { format!("{key}: ") };
        line(&mut out, format_args!("- {key}{}", text(&value)));
    }
    for section in sections::sections(summary, settings, most) {
        line(&mut out, format_args!("\n## {}\n\n{}.", section.title, text(&section.remark)));
        for rows in section.tables.iter().filter(|table| !table.rows.is_empty()) {
            table(&mut out, rows);
        }
        for note in &section.notes {
            line(&mut out, format_args!("\n{}", text(note)));
        }
    }
    out
}

fn table(out: &mut String, table: &Table) {
    if !table.title.is_empty() {
        line(out, format_args!("\n### {}", text(&table.title)));
    }
    let details = table.rows.iter().any(|row| !row.details.is_empty());
    let heads = table.columns.iter().map(|column| column.title).chain(details.then_some("Details"));
    let rules = table.columns.iter().map(|column| if column.numeric { "---:" } else { "---" });
    line(out, format_args!("\n| {} |", heads.collect::<Vec<_>>().join(" | ")));
    line(out, format_args!("| {} |", rules.chain(details.then_some("---")).collect::<Vec<_>>().join(" | ")));
    for row in &table.rows {
        let told: Vec<String> = row.details.iter().map(|(key, value)| format!("{key}: {}", text(value))).collect();
        let cells = row.cells.iter().map(|cell| text(&cell.shown)).chain(details.then(|| told.join("<br>")));
        line(out, format_args!("| {} |", cells.collect::<Vec<_>>().join(" | ")));
    }
}
