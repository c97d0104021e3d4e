//! The section on ranks for a terminal.

use super::{Page, cut_middle, left, right, short, width};
use crate::report::ranks::{RankStage, Ranks, words};

impl Page {
    pub(super) fn ranks(&mut self, ranks: &Ranks, most: usize) {
        self.title("Ranks", &words::remark(ranks));
        if ranks.read.len() < 2 {
            return;
        }
        for stage in ranks.stages.iter().filter(|stage| stage.shown) {
            self.rank_stage(stage, most);
        }
        self.line("");
        if ranks.stragglers.is_empty() {
            self.note(words::NO_STRAGGLER);
        }
        for row in &ranks.stragglers {
            let kernel = short(std::iter::once(&row.parts), 50).concat();
            self.detail("slower", &words::straggler(row, &kernel));
        }
        for row in &ranks.differing {
            self.detail("differs", &words::differs(row));
        }
        if ranks.collectives.is_empty() {
            return;
        }
        self.line("");
        self.note(&words::clock(ranks));
        for row in &ranks.collectives {
            let name = cut_middle(&short(std::iter::once(&row.parts), self.columns - 20).concat(), self.columns - 20);
            let (name, size) = (self.paint.bold(&name), crate::report::cells::clean(&row.size));
            self.line(&format!("{name}  {} {size}", row.stage));
            for line in words::collective(row) {
                self.detail("", &line);
            }
        }
    }

    fn rank_stage(&mut self, stage: &RankStage, most: usize) {
        const GAP: usize = 2;
        self.line("");
        let title = self.paint.bold(stage.title);
        let facts = self.paint.dim(&words::stage(stage));
        self.line(&format!("── {title}  {facts}"));
        let categories = words::categories(stage);
        let titles = ["Rank", "Time", "To median", "Launches", "Waits", "Last"];
        let mut table: Vec<Vec<String>> = vec![
            titles.iter().map(|title| (*title).to_owned()).chain(categories.iter().map(|c| (*c).to_owned())).collect(),
        ];
        for row in words::shown(stage, most) {
            let own = words::row(stage, row).into_iter();
            table.push(own.chain(categories.iter().map(|category| words::category(stage, row, category))).collect());
        }
        let widths: Vec<usize> =
            (0..table[0].len()).map(|n| table.iter().map(|row| width(&row[n])).max().unwrap_or(0)).collect();
        let mut used = 0;
        let fits = widths.iter().take_while(|columns| {
            used += **columns + GAP;
            used <= self.columns + GAP
        });
        let fits = fits.count();
        for (n, row) in table.iter().enumerate() {
            let cells: Vec<String> = (row.iter().zip(&widths).take(fits).enumerate())
                .map(|(n, (cell, columns))| if n == 0 { left(cell, *columns) } else { right(cell, *columns) })
                .collect();
            let line = cells.join("  ");
            let line = if n == 0 { self.paint.dim(&line) } else { line };
            self.line(&line);
        }
        if let Some(left_out) = words::left_out(stage, most) {
            self.note(&left_out);
        }
        let out: Vec<&str> = table[0].iter().skip(fits).map(String::as_str).collect();
        if !out.is_empty() {
            self.note(&format!("left out at {} columns: {}", self.columns, out.join(", ")));
        }
    }
}
