//! The report for a terminal: numbers stand in columns, places and advice in lines of their own below each row.

mod ranks;

use super::fuse::because;
use super::layout::{Paint, cut, cut_middle, left, right, width, wrap};
pub use super::page::Style;
use super::page::{Column, Page, Table, column, short};
use super::{FuseRow, KernelRow, OverlapRow, Report, StageInfo, cells, timeline};

const KERNEL: [Column; 5] = [
    column("Kernel", 0, false),
    column("Category", 70, false),
    column("Time", 0, true),
    column("Share", 0, true),
    column("Launches", 60, true),
];

const OVERLAP: [Column; 7] = [
    column("Kernel", 0, false),
    column("Prio", 0, false),
    column("Verdict", 60, false),
    column("Time", 0, true),
    column("Share", 60, true),
    column("Risk", 0, false),
    column("Could save", 70, true),
];

const FUSE: [Column; 6] = [
    column("Pattern", 0, false),
    column("State", 0, false),
    column("Confidence", 70, false),
    column("Time", 0, true),
    column("Share", 60, true),
    column("Could save", 0, true),
];

/// What the traces cannot tell, as `doctor` says it: the worst first, each with its fix.
pub fn doctor(report: &Report, style: Style) -> String {
    const LEVEL: usize = 8;
    let mut page = Page::new(style);
    let title = page.paint.bold(&format!("llm-prof {} doctor", report.tool.version));
    page.line(&title);
    page.header(&cells::header(report));
    page.line("");
    for fitness in cells::by_level(report) {
        let level = left(&fitness.level, LEVEL);
        let level = if fitness.level == "note" { page.paint.dim(&level) } else { page.paint.warning(&level) };
        let code = page.paint.bold(&fitness.code);
        page.line(&format!("{level}{code}"));
        for text in [&fitness.finding, &fitness.fix] {
            for part in wrap(text, page.columns.saturating_sub(LEVEL)) {
                page.line(&format!("{}{part}", " ".repeat(LEVEL)));
            }
        }
        page.line("");
    }
    page.pair("Verdict", &cells::verdict(report), 9, Paint::bold);
    page.out
}

/// The report as text.
pub fn render(report: &Report, style: Style) -> String {
    let mut page = Page::new(style);
    page.head(report);
    page.title("Kernel table", "shares of the stage's GPU kernel time");
    page.sections(report, true, Page::kernels, cells::no_kernels);
    page.title("Overlap-opportunity table", "what runs alone though something near might run beside it");
    if !report.overlap_note.is_empty() {
        page.note(&report.overlap_note);
    }
    page.sections(report, false, Page::overlap, cells::no_overlap);
    page.timelines(report);
    page.title("Fuse-pattern table", "\"could save\" is an estimate; rows that share launches do not add up");
    page.sections(report, false, Page::fuse, cells::no_fuse);
    if let Some(ranks) = &report.ranks {
        page.ranks(ranks, report.rank_rows);
    }
    page.line("");
    if let Some(note) = &report.note {
        page.pair("Note", &note.text, 9, Paint::bold);
    }
    page.pair("Summary", &report.summary, 9, Paint::bold);
    page.out
}

impl Page {
    fn head(&mut self, report: &Report) {
        let title = self.paint.bold(&format!("llm-prof {} triage", report.tool.version));
        self.line(&title);
        let header = cells::header(report);
        let columns = header.iter().map(|(key, _)| width(key)).max().unwrap_or(0);
        self.header(&header);
        for fitness in cells::fitness(report) {
            let text = format!("{} {} [{}]", fitness.finding, fitness.fix, fitness.code);
            self.pair("Fitness", &text, columns, Paint::warning);
        }
    }

    fn sections(
        &mut self,
        report: &Report,
        facts: bool,
        section: fn(&mut Self, &Report, &StageInfo),
        empty: fn(&Report, Option<&StageInfo>) -> String,
    ) {
        let mut any = false;
        for stage in report.stages.iter().filter(|stage| stage.shown && stage.launches > 0) {
            any = true;
            self.line("");
            let rest = self.columns.saturating_sub(width(stage.title) + 5);
            let facts = if facts { cells::stage_short(report, stage) } else { String::new() };
            let facts = self.paint.dim(&cut(&facts, rest));
            let title = self.paint.bold(stage.title);
            self.line(&format!("── {title}  {facts}"));
            section(self, report, stage);
        }
        if !any {
            self.note(&empty(report, None));
        }
    }

    fn kernels(&mut self, report: &Report, stage: &StageInfo) {
        let rows: Vec<&KernelRow> = report.kernels.iter().filter(|row| row.shown && row.stage == stage.stage).collect();
        if rows.is_empty() {
            return self.note(&cells::no_kernels(report, Some(stage)));
        }
        let cells: Vec<Vec<String>> = (rows.iter())
            .map(|row| {
                let numbers = [cells::time(row.time_us), cells::share(row.share_pct), cells::count(row.launches)];
                [String::new(), cells::clean(&row.category)].into_iter().chain(numbers).collect()
            })
            .collect();
        let table = Table::new(&KERNEL, &cells, self.columns);
        self.table_head(&table, &KERNEL);
        let found = cells::found_alike(&rows);
        let names = short(rows.iter().map(|row| &row.parts), table.first);
        for ((row, mut line), name) in rows.iter().zip(cells).zip(&names) {
            line[0] = cut_middle(name, table.first);
            let text = table.line(&line, |_, cell| cell.to_owned());
            self.line(&text);
            self.kernel_places(row, found.is_some());
        }
        if let Some(found) = found {
            self.note(&format!("places were found{}", found.replace(['(', ')'], "")));
        }
        self.left_out(&KERNEL);
        if let Some(hidden) = cells::hidden_kernels(report, stage) {
            self.note(&hidden);
        }
    }

    /// Places of a kernel and the ops that launch it, in lines of their own.
    fn kernel_places(&mut self, row: &KernelRow, found_alike: bool) {
        const MOST: usize = 2;
        let room = self.columns - 4;
        let ops = row.ops.iter().take(2).map(|op| cells::clean(op)).collect::<Vec<_>>().join(", ");
        let places = cells::places(row);
        let mut lines = Vec::new();
        for (n, place) in places.iter().take(MOST).enumerate() {
            let share = if places.len() == 1 { String::new() } else { format!("{} ", cells::share(place.share_pct)) };
            let op = if n == 0 && !ops.is_empty() { format!(" · {ops}") } else { String::new() };
            let found = if found_alike { "" } else { cells::found(&place.found_by) };
            let beside = width(&share) + width(found);
            let line = format!("{share}{}{found}{op}", place.text(Some(room.saturating_sub(beside + width(&op)))));
            if width(&line) <= room {
                lines.push(line);
            } else {
                lines.push(format!("{share}{}{found}", place.text(Some(room.saturating_sub(beside)))));
                lines.push(ops.clone());
            }
        }
        if places.is_empty() && !ops.is_empty() {
            lines.push(ops);
        }
        let rest: f64 = places.iter().skip(MOST).map(|place| place.share_pct).sum();
        if let Some(more) = places.len().checked_sub(MOST).filter(|more| *more > 0) {
            lines.push(format!("{} in {}", cells::share(rest), cells::plural(more as u64, "more place")));
        }
        for line in lines {
            let line = self.paint.dim(&cut_middle(&line, room));
            self.line(&format!("    {line}"));
        }
    }

    fn overlap(&mut self, report: &Report, stage: &StageInfo) {
        let rows: Vec<&OverlapRow> =
            report.overlap.iter().filter(|row| row.shown && row.stage == stage.stage).collect();
        if rows.is_empty() {
            self.note(&cells::no_overlap(report, Some(stage)));
        } else {
            let cells: Vec<Vec<String>> = rows.iter().map(|row| overlap_cells(row)).collect();
            let table = Table::new(&OVERLAP, &cells, self.columns);
            self.table_head(&table, &OVERLAP);
            let names = short(rows.iter().map(|row| &row.parts), table.first);
            for ((row, mut line), name) in rows.iter().zip(cells).zip(&names) {
                line[0] = cut_middle(name, table.first);
                let text = table.line(&line, |_, cell| cell.to_owned());
                self.line(&text);
                self.overlap_details(row);
            }
            self.left_out(&OVERLAP);
        }
        if let Some(hidden) = cells::hidden_overlap(report, stage) {
            self.note(&hidden);
        }
    }

    fn overlap_details(&mut self, row: &OverlapRow) {
        self.detail("do", &cells::clean(&row.recommendation));
        for reason in &row.reasons {
            self.detail("because", &cells::clean(reason));
        }
        self.detail("signal", &format!("{} · {}", cells::signal(row), cells::plural(row.launches, "launch")));
        if let Some(parts) = &row.partner_parts {
            let name = short(std::iter::once(parts), self.columns.saturating_sub(20));
            self.detail("beside", &name.concat());
        }
        if let Some(waiting) = cells::waiting(row) {
            self.detail("waiting", &waiting);
        }
        if let Some(scope) = &row.scope {
            self.detail("where", &format!("{}{}", cells::clean(scope), cells::found(&row.found_by)));
        }
        if let Some(family) = &row.family {
            self.detail("family", family);
        }
        let toggles = cells::toggles(&row.toggles);
        if !toggles.is_empty() {
            self.detail("type", &toggles.join("   "));
        }
    }

    fn timelines(&mut self, report: &Report) {
        let stretches = timeline::of_stages(report);
        if !stretches.is_empty() {
            self.title("Timeline", timeline::ABOUT);
        }
        for (stage, info) in stretches {
            self.line("");
            let title = self.paint.bold(stage.title);
            self.line(&format!("── {title}"));
            let Some(info) = info else {
                self.note(timeline::NONE);
                continue;
            };
            self.note(&timeline::title(info));
            for line in timeline::lines(info, self.columns) {
                self.line(&line);
            }
        }
    }

    fn fuse(&mut self, report: &Report, stage: &StageInfo) {
        let rows: Vec<&FuseRow> = report.fuse.iter().filter(|row| row.shown && row.stage == stage.stage).collect();
        if rows.is_empty() {
            self.note(&cells::no_fuse(report, Some(stage)));
        } else {
            let cells: Vec<Vec<String>> = rows.iter().map(|row| fuse_cells(row)).collect();
            let table = Table::new(&FUSE, &cells, self.columns);
            self.table_head(&table, &FUSE);
            for (row, mut line) in rows.iter().zip(cells) {
                line[0] = cut_middle(&cells::clean(&row.title), table.first);
                let paint = self.paint;
                let text = table.line(&line, |n, cell| match n {
                    0 => paint.bold(cell),
                    1 => paint.state(&row.state, cell),
                    _ => cell.to_owned(),
                });
                self.line(&text);
                self.fuse_details(row);
            }
            self.left_out(&FUSE);
        }
        for hidden in cells::hidden_fuse(report, stage) {
            self.note(&hidden);
        }
    }

    /// All that does not fit a column, most wanted first.
    fn fuse_details(&mut self, row: &FuseRow) {
        if !row.advice.is_empty() && row.action != "none" {
            self.detail("do", &cells::clean(&row.advice));
        }
        let toggles = cells::toggles(&row.toggles);
        if !toggles.is_empty() && row.action != "none" {
            self.detail("type", &toggles.join("   "));
        }
        for reason in because(row) {
            self.detail("because", &cells::clean(reason));
        }
        let mut much = format!("{} · {}", cells::occurrences(row), cells::related(row));
        if let Some(saved) = row.launches_saved.filter(|saved| *saved > 0) {
            much = format!("{much} · would save {}", cells::plural(saved, "launch"));
        }
        self.detail("occurs", &much);
        let names = short(row.kernels.iter().map(|kernel| &kernel.parts), self.columns * 2 / 3);
        let kernels: Vec<String> =
            row.kernels.iter().zip(&names).map(|(kernel, name)| cells::evidence(kernel, name)).collect();
        self.detail("kernels", &kernels.join(" · "));
        let places = cells::locations(row);
        if !places.is_empty() {
            self.detail("where", &places.join(" · "));
        }
        if !row.candidate.is_empty() {
            let paths = row.candidate.iter().map(|path| cells::clean(path)).collect::<Vec<_>>().join(" · ");
            self.detail(if row.state == "in-use" { "fused in" } else { "fused path" }, &paths);
        }
        let origin = if row.origin == "mainline" { String::new() } else { format!(" ({})", row.origin) };
        let mut family = format!("{}{origin}", row.family);
        for id in &row.overlaps_with {
            family = format!("{family}; shares launches with {}", cells::family_of(Some(id)));
        }
        self.detail("family", &family);
    }
}

fn overlap_cells(row: &OverlapRow) -> Vec<String> {
    let save = row.could_save_us.map_or_else(|| "–".to_owned(), |us| format!("~{}", cells::time(us)));
    [String::new(), row.priority.clone(), row.verdict.clone(), cells::time(row.time_us), cells::share(row.share_pct)]
        .into_iter()
        .chain([row.risk.clone(), save])
        .collect()
}

fn fuse_cells(row: &FuseRow) -> Vec<String> {
    let save = row.could_save_us.map_or_else(|| "–".to_owned(), |us| format!("~{}", cells::time(us)));
    let numbers = [cells::time(row.time_us), cells::share(row.share_pct), save];
    [String::new(), row.state.clone(), row.confidence.clone()].into_iter().chain(numbers).collect()
}
