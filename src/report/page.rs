//! A page of a terminal: lines of key and value, titles, tables whose first column takes what is left.

use super::cells;
use super::layout::{Paint, cut, left, right, width, wrap};
use crate::kernel_name::{self, KernelName};
use crate::plain;

/// Narrowest layout; a terminal below it shows lines that go on in the next.
const NARROWEST: usize = 40;
/// Below this width columns are left out.
const NARROW: usize = 80;

/// A column of a table, for its head and its place in the order in which columns are left out.
pub(crate) struct Column {
    /// Its head.
    pub(crate) title: &'static str,
    /// Left out when the terminal has fewer columns than this.
    needs: usize,
    numeric: bool,
}

/// A column, left out below `needs` columns of the terminal.
pub(crate) const fn column(title: &'static str, needs: usize, numeric: bool) -> Column {
    Column { title, needs, numeric }
}

/// What a terminal can show.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Columns.
    pub width: usize,
    /// Whether it takes colours.
    pub color: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { width: 100, color: false }
    }
}

/// Text that is being put together.
pub(crate) struct Page {
    /// What stands so far.
    pub(crate) out: String,
    /// Columns there are.
    pub(crate) columns: usize,
    /// Colours there are.
    pub(crate) paint: Paint,
}

impl Page {
    /// An empty one.
    pub(crate) fn new(style: Style) -> Self {
        Self { out: String::new(), columns: style.width.max(NARROWEST), paint: Paint(style.color) }
    }

    /// Keys and values, the values under each other.
    pub(crate) fn header(&mut self, lines: &[(&str, String)]) {
        let columns = lines.iter().map(|(key, _)| width(key)).max().unwrap_or(0);
        for (key, value) in lines {
            self.pair(key, value, columns, if *key == "Warning" { Paint::warning } else { Paint::dim });
        }
    }

    /// A line, without blanks at its end.
    pub(crate) fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// `Key: value`, the value wrapped under itself.
    pub(crate) fn pair(&mut self, key: &str, value: &str, key_columns: usize, paint: fn(Paint, &str) -> String) {
        let indent = key_columns + 2;
        for (n, part) in wrap(&plain::clean(value), self.columns.saturating_sub(indent)).iter().enumerate() {
            let head = if n == 0 { paint(self.paint, &format!("{key}:")) } else { String::new() };
            let used = if n == 0 { width(key) + 1 } else { 0 };
            self.line(&format!("{head}{}{part}", " ".repeat(indent - used)));
        }
    }

    /// Lines under a row, wrapped and indented.
    pub(crate) fn detail(&mut self, key: &str, value: &str) {
        const KEY: usize = 11;
        for (n, part) in wrap(&plain::clean(value), self.columns.saturating_sub(KEY + 2)).iter().enumerate() {
            let head = self.paint.dim(&left(if n == 0 { key } else { "" }, KEY));
            self.line(&format!("  {head}{part}"));
        }
    }

    /// Dim lines below a table.
    pub(crate) fn note(&mut self, text: &str) {
        for part in wrap(&plain::clean(text), self.columns - 2) {
            let part = self.paint.dim(&part);
            self.line(&format!("  {part}"));
        }
    }

    /// The title of a part of the page, and a few words on it.
    pub(crate) fn title(&mut self, title: &str, remark: &str) {
        self.line("");
        let rest = self.columns.saturating_sub(width(title) + 2);
        let remark = self.paint.dim(&cut(remark, rest));
        let title = self.paint.bold(&title.to_uppercase());
        self.line(&format!("{title}  {remark}"));
    }

    /// Titles of the columns.
    pub(crate) fn table_head(&mut self, table: &Table, columns: &[Column]) {
        let titles: Vec<String> = columns.iter().map(|column| column.title.to_owned()).collect();
        let text = self.paint.dim(table.line(&titles, |_, cell| cell.to_owned()).trim_end());
        self.line(&text);
    }

    /// Says which columns a narrow terminal does not see.
    pub(crate) fn left_out(&mut self, columns: &[Column]) {
        let out: Vec<&str> =
            columns.iter().filter(|c| self.columns < NARROW && c.needs > self.columns).map(|c| c.title).collect();
        if !out.is_empty() {
            self.note(&format!("left out at {} columns: {}", self.columns, out.join(", ")));
        }
    }
}

/// Short names that still tell the kernels apart.
pub(crate) fn short<'a>(names: impl Iterator<Item = &'a KernelName>, columns: usize) -> Vec<String> {
    kernel_name::shorten(&names.collect::<Vec<_>>(), columns).iter().map(|name| cells::clean(name)).collect()
}

/// Widths of a table whose first column takes what is left.
pub(crate) struct Table {
    /// Width of each column; none: left out.
    widths: Vec<Option<usize>>,
    numeric: Vec<bool>,
    /// Width of the first column.
    pub(crate) first: usize,
}

impl Table {
    /// Widths that these rows ask for.
    pub(crate) fn new(columns: &[Column], rows: &[Vec<String>], terminal: usize) -> Self {
        const GAP: usize = 2;
        let mut widths: Vec<Option<usize>> = (columns.iter().enumerate())
            .map(|(n, column)| {
                let widest = rows.iter().map(|row| width(&row[n])).max().unwrap_or(0);
                (terminal >= NARROW || column.needs <= terminal).then(|| widest.max(width(column.title)))
            })
            .collect();
        let others: usize = widths.iter().skip(1).flatten().map(|columns| columns + GAP).sum();
        let first = terminal.saturating_sub(others).max(10);
        widths[0] = Some(first);
        Self { widths, numeric: columns.iter().map(|column| column.numeric).collect(), first }
    }

    /// One row; `paint` colours a cell by its number.
    pub(crate) fn line(&self, cells: &[String], paint: impl Fn(usize, &str) -> String) -> String {
        let mut parts = Vec::new();
        for (n, cell) in cells.iter().enumerate() {
            if let Some(columns) = self.widths[n] {
                let cell = if self.numeric[n] { right(cell, columns) } else { left(cell, columns) };
                parts.push(paint(n, &cell));
            }
        }
        parts.join("  ")
    }
}
