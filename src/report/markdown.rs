//! The report as GitHub-flavoured markdown: names of a trace are escaped, so that none can break a table.

mod ranks;

use std::fmt::Write;

use super::fuse::because;
use super::{FuseRow, KernelRow, OverlapRow, Report, StageInfo, cells, timeline};
use crate::kernel_name;

/// Width to which kernel names are shortened; JSON has them whole.
const NAME_WIDTH: usize = 80;

/// Width of a timeline.
const TIMELINE_WIDTH: usize = 100;

/// The report as markdown.
pub fn render(report: &Report) -> String {
    let mut out = String::from("# Triage\n\n");
    for (key, value) in cells::header(report) {
        line(&mut out, format_args!("- {key}: {}", text(&value)));
    }
    for fitness in cells::fitness(report) {
        line(
            &mut out,
            format_args!("- Fitness: `{}` {} {}", fitness.code, prose(&fitness.finding), prose(&fitness.fix)),
        );
    }
    line(&mut out, format_args!("\n## Kernel table\n\nShares are of the stage's summed GPU kernel time."));
    sections(report, &mut out, true, kernel_section, cells::no_kernels);
    line(&mut out, format_args!("\n## Overlap-opportunity table"));
    if !report.overlap_note.is_empty() {
        line(&mut out, format_args!("\n{}", prose(&report.overlap_note)));
    }
    sections(report, &mut out, false, overlap_section, cells::no_overlap);
    timelines(report, &mut out);
    line(
        &mut out,
        format_args!(
            "\n## Fuse-pattern table\n\n\"Could save\" is an estimate: the time of each occurrence less its longest kernel. Rows that share launches do not add up."
        ),
    );
    sections(report, &mut out, false, fuse_section, cells::no_fuse);
    if let Some(ranks) = &report.ranks {
        ranks::section(ranks, report.rank_rows, &mut out);
    }
    if let Some(note) = &report.note {
        line(&mut out, format_args!("\nNote: {}", prose(&note.text)));
    }
    line(&mut out, format_args!("\nSummary: {}", prose(&report.summary)));
    out
}

pub(crate) fn line(out: &mut String, args: std::fmt::Arguments) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(args);
    out.push('\n');
}

fn sections(
    report: &Report,
    out: &mut String,
    facts: bool,
    section: fn(&Report, &StageInfo, &mut String),
    empty: fn(&Report, Option<&StageInfo>) -> String,
) {
    let mut any = false;
    for stage in report.stages.iter().filter(|stage| stage.shown && stage.launches > 0) {
        any = true;
        line(out, format_args!("\n### {}\n", stage.title));
        if facts {
            line(out, format_args!("{}\n", text(&cells::stage_short(report, stage))));
        }
        section(report, stage, out);
    }
    if !any {
        line(out, format_args!("\n{}", text(&empty(report, None))));
    }
}

/// Code blocks, in which columns stay columns.
fn timelines(report: &Report, out: &mut String) {
    let stretches = timeline::of_stages(report);
    if !stretches.is_empty() {
        line(out, format_args!("\n## Timeline\n\n{}.", cells::sentence(timeline::ABOUT)));
    }
    for (stage, info) in stretches {
        line(out, format_args!("\n### {}\n", stage.title));
        let Some(info) = info else {
            line(out, format_args!("{}", cells::sentence(timeline::NONE)));
            continue;
        };
        line(out, format_args!("{}.\n\n```text", text(&cells::sentence(&timeline::title(info)))));
        for part in timeline::lines(info, TIMELINE_WIDTH) {
            line(out, format_args!("{}", part.replace('`', "'")));
        }
        line(out, format_args!("```"));
    }
}

fn kernel_section(report: &Report, stage: &StageInfo, out: &mut String) {
    let rows: Vec<&KernelRow> = report.kernels.iter().filter(|row| row.shown && row.stage == stage.stage).collect();
    if rows.is_empty() {
        return line(out, format_args!("{}", text(&cells::no_kernels(report, Some(stage)))));
    }
    line(
        out,
        format_args!("| Kernel | Category | GPU time | Share | Launches | Python location (site share) | CPU op |"),
    );
    line(out, format_args!("|---|---|---:|---:|---:|---|---|"));
    let names = kernel_name::shorten(&rows.iter().map(|row| &row.parts).collect::<Vec<_>>(), NAME_WIDTH);
    for (row, name) in rows.iter().zip(&names) {
        let places = kernel_places(row);
        let ops = row.ops.iter().take(3).map(|op| code(op)).collect::<Vec<_>>().join("<br>");
        let (time, share, launches) =
            (cells::time(row.time_us), cells::share(row.share_pct), cells::count(row.launches));
        line(
            out,
            format_args!(
                "| {} | {} | {time} | {share} | {launches} | {} | {} |",
                code(name),
                text(&row.category),
                or_dash(places),
                or_dash(ops)
            ),
        );
    }
    if let Some(hidden) = cells::hidden_kernels(report, stage) {
        line(out, format_args!("\n{}.", text(&hidden)));
    }
}

/// The places with most time, with their shares when there are several.
fn kernel_places(row: &KernelRow) -> String {
    const MOST: usize = 3;
    let places = cells::places(row);
    let mut parts: Vec<String> = (places.iter().take(MOST))
        .map(|place| {
            let share = if places.len() == 1 { String::new() } else { format!(" {}", cells::share(place.share_pct)) };
            format!("{}{}{share}", code(&place.text(None)), cells::found(&place.found_by))
        })
        .collect();
    if places.len() > MOST {
        parts.push(cells::plural((places.len() - MOST) as u64, "more place"));
    }
    parts.join("<br>")
}

fn overlap_section(report: &Report, stage: &StageInfo, out: &mut String) {
    let rows: Vec<&OverlapRow> = report.overlap.iter().filter(|row| row.shown && row.stage == stage.stage).collect();
    if rows.is_empty() {
        line(out, format_args!("{}", text(&cells::no_overlap(report, Some(stage)))));
    } else {
        line(
            out,
            format_args!(
                "| Priority | Verdict | Kernel | Python scope | Formal signal | Dependency risk | Family and switch | Could save | Recommendation |"
            ),
        );
        line(out, format_args!("|---|---|---|---|---|---|---|---:|---|"));
    }
    for row in rows {
        overlap_row(row, out);
    }
    if let Some(hidden) = cells::hidden_overlap(report, stage) {
        line(out, format_args!("\n{}.", text(&hidden)));
    }
}

fn overlap_row(row: &OverlapRow, out: &mut String) {
    let name = kernel_name::shorten(&[&row.parts], NAME_WIDTH).concat();
    let partner = row.partner_parts.as_ref().map_or_else(String::new, |parts| {
        format!("<br>beside {}", code(&kernel_name::shorten(&[parts], NAME_WIDTH).concat()))
    });
    let scope = row.scope.as_ref().map_or_else(String::new, |scope| code(scope) + cells::found(&row.found_by));
    let mut signal = vec![
        format!(
            "{}, {}, {}",
            cells::time(row.time_us),
            cells::share(row.share_pct),
            cells::plural(row.launches, "launch")
        ),
        cells::signal(row),
    ];
    signal.extend(cells::waiting(row));
    let mut risk = vec![cells::risk(row)];
    risk.extend(row.reasons.iter().map(|reason| text(reason)));
    let mut family: Vec<String> = row.title.iter().map(|title| text(title)).collect();
    family.extend(row.family.iter().map(|id| code(id)));
    family.extend(cells::toggles(&row.toggles).iter().map(|toggle| code(toggle)));
    let save = row.could_save_us.map_or_else(|| "–".to_owned(), |us| format!("~{}", cells::time(us)));
    line(
        out,
        format_args!(
            "| {} | {} | {}{partner} | {} | {} | {} | {} | {save} | {} |",
            row.priority,
            text(&row.verdict),
            code(&name),
            or_dash(scope),
            signal.join("<br>"),
            risk.join("<br>"),
            or_dash(family.join("<br>")),
            prose(&row.recommendation),
        ),
    );
}

fn fuse_section(report: &Report, stage: &StageInfo, out: &mut String) {
    let rows: Vec<&FuseRow> = report.fuse.iter().filter(|row| row.shown && row.stage == stage.stage).collect();
    if rows.is_empty() {
        line(out, format_args!("{}", text(&cells::no_fuse(report, Some(stage)))));
    } else {
        line(
            out,
            format_args!(
                "| Pattern | State | Confidence | Related GPU time | Share | Occurrences | Could save | Evidence kernels | Current location | Candidate fused path | Advice |"
            ),
        );
        line(out, format_args!("|---|---|---|---:|---:|---:|---:|---|---|---|---|"));
    }
    for row in rows {
        fuse_row(row, out);
    }
    for hidden in cells::hidden_fuse(report, stage) {
        line(out, format_args!("\n{}.", text(&hidden)));
    }
}

fn fuse_row(row: &FuseRow, out: &mut String) {
    let names = kernel_name::shorten(&row.kernels.iter().map(|kernel| &kernel.parts).collect::<Vec<_>>(), NAME_WIDTH);
    let kernels: Vec<String> = (row.kernels.iter().zip(&names))
        .map(|(kernel, name)| {
            format!("{} x{} {}", code(name), cells::count(kernel.launches), cells::time(kernel.time_us))
        })
        .collect();
    let mut sure = text(&row.confidence);
    for reason in because(row) {
        let _ = write!(sure, "<br>{}", text(reason));
    }
    let origin = if row.origin == "mainline" { String::new() } else { format!(", {}", row.origin) };
    let places: Vec<String> = cells::locations(row).iter().map(|place| text(place)).collect();
    let save = row.could_save_us.map_or_else(
        || "–".to_owned(),
        |us| format!("~{}, {}", cells::time(us), cells::plural(row.launches_saved.unwrap_or(0), "launch")),
    );
    let mut advice = vec![prose(&row.advice)];
    advice.extend(cells::toggles(&row.toggles).iter().map(|toggle| code(toggle)));
    advice.extend(
        row.overlaps_with.iter().map(|id| format!("shares launches with {}", code(cells::family_of(Some(id))))),
    );
    advice.retain(|part| !part.is_empty());
    line(
        out,
        format_args!(
            "| {}<br>{}{origin} | {} | {sure} | {} | {} | {} | {save} | {} | {} | {} | {} |",
            text(&row.title),
            code(&row.family),
            row.state,
            cells::related(row),
            cells::share(row.share_pct),
            cells::occurrences(row),
            kernels.join("<br>"),
            or_dash(places.join("<br>")),
            or_dash(row.candidate.iter().map(|path| code(path)).collect::<Vec<_>>().join("<br>")),
            or_dash(advice.join("<br>")),
        ),
    );
}

pub(crate) fn or_dash(cell: String) -> String {
    if cell.is_empty() { "–".to_owned() } else { cell }
}

/// Plain text: nothing in it is markup, a cell border or a line break.
pub(crate) fn text(raw: &str) -> String {
    let mut safe = String::with_capacity(raw.len());
    let clean = cells::clean(raw);
    let mut before = ' ';
    let mut chars = clean.chars().peekable();
    while let Some(c) = chars.next() {
        // Within a word an underscore is no markup, and paths stay readable.
        let within = c == '_' && before.is_alphanumeric() && chars.peek().is_some_and(|next| next.is_alphanumeric());
        before = c;
        match c {
            c if within => safe.push(c),
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '~' => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}

/// A code span: fenced by more backticks than are in it; a `|` is escaped even there, as tables ask.
pub(crate) fn code(raw: &str) -> String {
    if raw.contains("\\|") {
        // In code a backslash cannot be escaped, and would undo the escape of the bar behind it.
        return text(raw);
    }
    let raw = cells::clean(raw).replace('|', "\\|");
    let longest = raw.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if longest > 0 { " " } else { "" };
    format!("{fence}{pad}{raw}{pad}{fence}")
}

/// Sentences that quote in backticks: what is quoted is code, all else text. Backticks in names of strangers may turn
/// the one into the other, and both are escaped.
pub(crate) fn prose(raw: &str) -> String {
    let mut rest = raw;
    let mut out = String::with_capacity(raw.len());
    while let Some((before, quoted, behind)) = rest.split_once('`').and_then(|(before, rest)| {
        let (quoted, behind) = rest.split_once('`')?;
        Some((before, quoted, behind))
    }) {
        out.push_str(&text(before));
        out.push_str(&if quoted.trim().is_empty() { text(&format!("`{quoted}`")) } else { code(quoted) });
        rest = behind;
    }
    out + &text(rest)
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Event, Options, Parser, Tag};

    use super::*;

    /// What a reader of markdown makes of the cells of a row: code in brackets, text as it is; markup of any other kind
    /// panics.
    fn read(cell: &str) -> String {
        let table = format!("| a |\n| --- |\n| {cell} |\n");
        let (mut cells, mut shown, mut inside) = (0, String::new(), false);
        for event in Parser::new_ext(&table, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
            match event {
                Event::Start(Tag::TableRow) => inside = true,
                Event::Start(Tag::TableCell) if inside => cells += 1,
                Event::Code(code) if inside => shown += &["[", &code, "]"].concat(),
                Event::Text(text) if inside => shown += &text,
                Event::Start(tag) if inside => panic!("{tag:?} in {cell}"),
                Event::Html(html) | Event::InlineHtml(html) => panic!("{html} in {cell}"),
                _ => {}
            }
        }
        assert_eq!(cells, 1, "{cell}");
        shown
    }

    #[test]
    fn what_advice_quotes_is_code_and_breaks_out_of_nothing() {
        assert_eq!(read(&prose("set `--enable-x` and `Y=1` there")), "set [--enable-x] and [Y=1] there");
        assert_eq!(read(&prose("`a|b` | <b>c</b> *d*")), "[a|b] | <b>c</b> *d*");
        assert_eq!(read(&prose("one ` alone <i>")), "one ` alone <i>");
        for hostile in [
            "x`y",
            "`",
            "``",
            "```",
            "`<img src=x>`",
            "a` <script>alert(1)</script> `b",
            "\\`x\\|`",
            "[l](javascript:x)`",
        ] {
            let shown = read(&prose(&format!("the log says `{hostile}` of **it**, set `--x`")));
            assert!(shown.ends_with("--x") || shown.ends_with("--x]") || shown.ends_with("--x`"), "{hostile}: {shown}");
        }
    }

    #[test]
    fn no_name_can_break_a_table_or_reach_the_page_as_html() {
        assert_eq!(text("a|b `c` <b>d</b>\n*e*"), "a\\|b \\`c\\` &lt;b&gt;d&lt;/b&gt;\u{fffd}\\*e\\*");
        assert_eq!(code("f<a|b>\u{1b}[0m"), "`f<a\\|b>\u{fffd}[0m`");
        assert_eq!(text("qwen3_moe _run_"), "qwen3_moe \\_run\\_");
        assert_eq!(code("x``y"), "``` x``y ```");
        assert_eq!(code("x\\|y"), "x\\\\\\|y");
    }
}
