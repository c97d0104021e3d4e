//! The rows of the three tables as one CSV table: all of them, with whole names and exact figures, and `shown` false for
//! those that other formats hide. What a table does not have is empty.

use std::borrow::Cow;

use csv::Writer;
use serde::Serialize;

use super::{FuseRow, KernelRow, OverlapRow, Report, cells};

/// One line; the order of the fields is that of the columns.
#[derive(Clone, Debug, Default, Serialize)]
struct Line<'a> {
    /// `kernels`, `fuse` or `overlap`, as in JSON.
    table: &'a str,
    id: &'a str,
    stage: &'a str,
    shown: bool,
    /// Of a kernel its name in the trace, of a pattern its title.
    name: Cow<'a, str>,
    category: Cow<'a, str>,
    family: Cow<'a, str>,
    state: &'a str,
    confidence: &'a str,
    priority: &'a str,
    verdict: Cow<'a, str>,
    risk: &'a str,
    time_us: f64,
    share_pct: f64,
    launches: Option<u64>,
    occurrences: Option<u64>,
    per_step: Option<f64>,
    transparent_us: Option<f64>,
    exclusive_us: Option<f64>,
    hidden_us: Option<f64>,
    hidden_by_compute_us: Option<f64>,
    waiting_us: Option<f64>,
    could_save_us: Option<f64>,
    launches_saved: Option<u64>,
    /// Where most of it runs.
    location: Cow<'a, str>,
    /// The op that launches most of it.
    op: Cow<'a, str>,
    action: &'a str,
    advice: Cow<'a, str>,
    reasons: Cow<'a, str>,
}

/// The rows in the order of the report, a head before them.
pub fn render(report: &Report) -> String {
    let lines = (report.kernels.iter().map(of_kernel))
        .chain(report.fuse.iter().map(of_fuse))
        .chain(report.overlap.iter().map(of_overlap));
    let mut text = written(std::iter::once(Line::default()));
    // The head alone, which a table without rows has, too.
    text.truncate(text.find('\n').map_or(0, |end| end + 1));
    text + written(lines).split_once('\n').map_or("", |(_, rows)| rows)
}

/// Lines below a head; empty without lines.
fn written<'a>(lines: impl Iterator<Item = Line<'a>>) -> String {
    let mut writer = Writer::from_writer(Vec::new());
    for line in lines {
        // Memory takes whatever is written, and every line has the same fields.
        let _ = writer.serialize(line);
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// Text that no terminal obeys, and no spreadsheet takes for a formula.
fn plain(text: &str) -> Cow<'static, str> {
    let text = cells::clean(text);
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}").into() } else { text.into() }
}

fn of(text: Option<&String>) -> Cow<'static, str> {
    text.map_or(Cow::Borrowed(""), |text| plain(text))
}

fn of_kernel(row: &KernelRow) -> Line<'_> {
    let site = row.sites.first();
    Line {
        table: "kernels",
        id: &row.id,
        stage: &row.stage,
        shown: row.shown,
        name: plain(&row.name),
        category: plain(&row.category),
        time_us: row.time_us,
        share_pct: row.share_pct,
        launches: Some(row.launches),
        exclusive_us: row.exclusive_us,
        hidden_us: row.hidden_us,
        hidden_by_compute_us: row.hidden_by_compute_us,
        location: of(site.and_then(|site| site.location.as_ref().or(site.module.as_ref()))),
        op: of(row.ops.first()),
        ..Line::default()
    }
}

fn of_fuse(row: &FuseRow) -> Line<'_> {
    Line {
        table: "fuse",
        id: &row.id,
        stage: &row.stage,
        shown: row.shown,
        name: plain(&row.title),
        family: plain(&row.family),
        state: &row.state,
        confidence: &row.confidence,
        time_us: row.time_us,
        share_pct: row.share_pct,
        launches: Some(row.kernels.iter().map(|kernel| kernel.launches).sum()),
        occurrences: Some(row.occurrences),
        per_step: row.per_step,
        transparent_us: Some(row.transparent_us),
        could_save_us: row.could_save_us,
        launches_saved: row.launches_saved,
        location: of(row.locations.first().map(|place| &place.location)),
        action: &row.action,
        advice: plain(&row.advice),
        reasons: plain(&row.reasons.join("; ")),
        ..Line::default()
    }
}

fn of_overlap(row: &OverlapRow) -> Line<'_> {
    Line {
        table: "overlap",
        id: &row.id,
        stage: &row.stage,
        shown: row.shown,
        name: plain(&row.kernel),
        category: plain(&row.category),
        family: of(row.family.as_ref()),
        priority: &row.priority,
        verdict: plain(&row.verdict),
        risk: &row.risk,
        time_us: row.time_us,
        share_pct: row.share_pct,
        launches: Some(row.launches),
        exclusive_us: Some(row.exclusive_us),
        hidden_us: Some(row.hidden_us),
        hidden_by_compute_us: Some(row.hidden_by_compute_us),
        waiting_us: row.waiting_us,
        could_save_us: row.could_save_us,
        location: of(row.scope.as_ref()),
        advice: plain(&row.recommendation),
        reasons: plain(&row.reasons.join("; ")),
        ..Line::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_a_formula_or_a_command_to_a_terminal() {
        assert_eq!(plain("=HYPERLINK(\"x\")"), "'=HYPERLINK(\"x\")");
        assert_eq!(plain("-1+1"), "'-1+1");
        assert_eq!(plain("a\u{1b}[31m"), "a\u{fffd}[31m");
        assert_eq!(plain("void at::f<a, b>(int)"), "void at::f<a, b>(int)");
    }
}
