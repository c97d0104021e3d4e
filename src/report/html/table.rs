//! Tables that sort, filter and open. Without the script they are plain tables with all that is in them.

use std::borrow::Cow;

use maud::{Markup, html};

use crate::report::cells;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Words.
    Text,
    /// Figures: to the right, the largest first when sorted.
    Number,
    /// Words of a few kinds: there is a choice of them above the table.
    Choice,
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column<'a> {
    /// Its head.
    pub title: Cow<'a, str>,
    /// What it holds.
    pub kind: Kind,
}

impl<'a> Column<'a> {
    /// A column of words.
    pub const fn text(title: &'a str) -> Self {
        Self { title: Cow::Borrowed(title), kind: Kind::Text }
    }

    /// A column of figures.
    pub const fn number(title: &'a str) -> Self {
        Self { title: Cow::Borrowed(title), kind: Kind::Number }
    }

    /// A column of a few words.
    pub const fn choice(title: &'a str) -> Self {
        Self { title: Cow::Borrowed(title), kind: Kind::Choice }
    }
}

/// A cell: what is shown, and what it is sorted and filtered by where that is something else.
#[derive(Clone, Debug)]
pub struct Cell {
    shown: Markup,
    value: Option<String>,
}

impl Cell {
    /// Words.
    pub fn text(text: &str) -> Self {
        Self { shown: html! { (cells::clean(text)) }, value: None }
    }

    /// A word of a choice.
    pub fn word(word: &str) -> Self {
        let word = cells::clean(word);
        Self { shown: html! { (word) }, value: Some(word) }
    }

    /// A name of code.
    pub fn code(text: &str) -> Self {
        Self::of(code(text))
    }

    /// Markup that is sorted by its text.
    pub fn of(shown: Markup) -> Self {
        Self { shown, value: None }
    }

    /// A word of a choice, as a mark of the `tone` that the style knows.
    pub fn mark(word: &str, tone: &str) -> Self {
        Self { shown: mark(word, tone), value: Some(cells::clean(word)) }
    }

    /// A figure, exact beside what is shown of it; none: there is none.
    pub fn number(value: Option<f64>, shown: impl FnOnce(f64) -> String) -> Self {
        match value {
            Some(value) => Self { shown: html! { (shown(value)) }, value: Some(value.to_string()) },
            None => Self { shown: html! { span.none { "–" } }, value: Some(String::new()) },
        }
    }

    /// A time in microseconds.
    pub fn time(us: Option<f64>) -> Self {
        Self::number(us, cells::time)
    }

    /// A share in per cent, with a bar of its length.
    pub fn share(pct: f64) -> Self {
        let mut cell = Self::number(Some(pct), cells::share);
        cell.shown = html! { (cell.shown) (bar(&[(pct, "part")])) };
        cell
    }

    /// How many.
    pub fn count(n: Option<u64>) -> Self {
        Self::number(n.map(|n| n as f64), |n| cells::count(n as u64))
    }
}

/// A word with the look of its `tone` (`good`, `bad`, `warn`, `quiet`).
pub fn mark(word: &str, tone: &str) -> Markup {
    html! { span class={ "mark " (tone) } { (cells::clean(word)) } }
}

/// A name of code that may break into lines after the signs between its parts.
pub fn code(text: &str) -> Markup {
    let text = cells::clean(text);
    let parts: Vec<&str> = text.split_inclusive(['_', '/', ':', '<', ',', '.', '(']).collect();
    let next = |n: usize| parts.get(n + 1).is_some_and(|next| *next != ":");
    html! { code { @for (n, part) in parts.iter().enumerate() { (part) @if next(n) { wbr; } } } }
}

/// A bar of parts of 100, each with the look of its class. It says nothing that the text beside it does not.
pub fn bar(parts: &[(f64, &str)]) -> Markup {
    let starts = parts.iter().scan(0.0, |end, (length, _)| Some(std::mem::replace(end, *end + length)));
    html! {
        svg.bar viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" {
            @for ((length, class), start) in parts.iter().zip(starts) {
                rect class=(class) x=(format!("{start:.2}")) width=(format!("{length:.2}")) height="4" {}
            }
        }
    }
}

/// A row. The first cell names it.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its id, which is what links to it say.
    pub id: String,
    /// Its cells.
    pub cells: Vec<Cell>,
    /// Whether it is there only when all are asked for.
    pub hidden: bool,
    /// What it opens.
    pub detail: Option<Markup>,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    /// Unique in the page.
    pub id: &'a str,
    /// What it holds, for those who do not see it, and as its name among others.
    pub caption: &'a str,
    /// Columns; the first one names the rows.
    pub columns: &'a [Column<'a>],
    /// Rows in the order in which they stand at first.
    pub rows: Vec<Row>,
    /// What is said beside the choice that shows hidden rows, such as `under 1.0 %`.
    pub hidden: &'a str,
}

impl Table<'_> {
    /// The table with what filters it.
    pub fn markup(&self) -> Markup {
        let few = self.rows.len() < 4 && self.rows.iter().all(|row| !row.hidden);
        html! {
            div.table id=(self.id) {
                @if !few { (self.tools()) }
                div.scroll role="region" tabindex="0" aria-label=(self.caption) {
                    table {
                        caption.unseen { (self.caption) }
                        thead { tr {
                            @for column in self.columns {
                                th scope="col" data-number[column.kind == Kind::Number] { (column.title) }
                            }
                        } }
                        @for row in &self.rows { (self.row(row)) }
                    }
                }
            }
        }
    }

    fn row(&self, row: &Row) -> Markup {
        html! {
            tbody id=(row.id) data-hidden[row.hidden] {
                tr {
                    @for (n, (cell, column)) in row.cells.iter().zip(self.columns).enumerate() {
                        @if n == 0 {
                            th scope="row" data-value=[&cell.value] { (cell.shown) }
                        } @else {
                            td data-number[column.kind == Kind::Number] data-value=[&cell.value] { (cell.shown) }
                        }
                    }
                }
                @if let Some(detail) = &row.detail {
                    tr.detail { td colspan=(self.columns.len()) { div.evidence { (detail) } } }
                }
            }
        }
    }

    fn tools(&self) -> Markup {
        let hidden = self.rows.iter().filter(|row| row.hidden).count();
        let shown = self.rows.len() - hidden;
        html! {
            div.tools {
                label.scripted { span { "Find" } input type="search" autocomplete="off" spellcheck="false"; }
                @for (n, column) in self.columns.iter().enumerate().filter(|(_, column)| column.kind == Kind::Choice) {
                    @let words = self.words(n);
                    @if words.len() > 1 {
                        label.scripted {
                            span { (column.title) }
                            select data-column=(n) {
                                option value="" { "all" }
                                @for word in words { option { (word) } }
                            }
                        }
                    }
                }
                @if hidden > 0 {
                    label.check { input type="checkbox" checked[shown == 0]; span { (hidden) " more " (self.hidden) } }
                }
                output.count aria-live="polite" {}
            }
        }
    }

    /// Words of a column, in order of appearance.
    fn words(&self, column: usize) -> Vec<&str> {
        let mut words: Vec<&str> = Vec::new();
        for word in self.rows.iter().filter_map(|row| row.cells.get(column)?.value.as_deref()) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        words
    }
}
