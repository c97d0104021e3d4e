//! The document for a terminal.

use crate::plain;
use crate::report::layout::cut_middle;
use crate::report::page::{self, Page};
use crate::report::text::Style;
use crate::rules::schema::fleet::FleetFile;

use super::Summary;
use super::sections::{self, Table};

/// The document as text; lists end after `most` rows.
pub fn render(summary: &Summary, settings: &FleetFile, most: usize, style: Style) -> String {
    let mut page = Page::new(style);
    let title = page.paint.bold(&format!("llm-prof {} fleet report", env!("CARGO_PKG_VERSION")));
    page.line(&title);
    page.header(&sections::header(summary));
    for section in sections::sections(summary, settings, most) {
        page.title(section.title, &section.remark);
        for table in section.tables.iter().filter(|table| !table.rows.is_empty()) {
            page.rows_of(table);
        }
        for note in &section.notes {
            page.note(note);
        }
    }
    page.out
}

impl Page {
    fn rows_of(&mut self, table: &Table) {
        let columns: Vec<page::Column> =
            table.columns.iter().map(|one| page::column(one.title, one.needs, one.numeric)).collect();
        let cells: Vec<Vec<String>> =
            table.rows.iter().map(|row| row.cells.iter().map(|cell| plain::clean(&cell.shown)).collect()).collect();
        let rest: Vec<Vec<String>> =
            cells.iter().map(|row| std::iter::once(String::new()).chain(row[1..].iter().cloned()).collect()).collect();
        let widths = page::Table::new(&columns, &rest, self.columns);
        if !table.title.is_empty() {
            self.line("");
            let title = self.paint.bold(&plain::clean(&table.title));
            self.line(&title);
        }
        self.table_head(&widths, &columns);
        for (row, mut line) in table.rows.iter().zip(cells) {
            line[0] = cut_middle(&line[0], widths.first);
            let paint = self.paint;
            let text = widths.line(&line, |n, cell| if n == 0 { paint.bold(cell) } else { cell.to_owned() });
            self.line(&text);
            for (key, value) in &row.details {
                self.detail(key, value);
            }
        }
        self.left_out(&columns);
    }
}
