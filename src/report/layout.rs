//! Columns, widths and colours of a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns that `text` takes.
pub(crate) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// `text` in `columns`, to the left.
pub(crate) fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// `text` in `columns`, to the right.
pub(crate) fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// `text` in at most `columns`, its end cut.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    format!("{}…", head(text, columns.saturating_sub(1)))
}

/// `text` in at most `columns`, its middle cut: both ends tell names apart.
pub(crate) fn cut_middle(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(1);
    let first = head(text, room - room / 3);
    let reversed: String = text.chars().rev().collect();
    let last: String = head(&reversed, room / 3).chars().rev().collect();
    format!("{first}…{last}")
}

fn head(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > columns {
            return &text[..at];
        }
    }
    text
}

/// `text` in lines of at most `columns`, broken at spaces but never between a number and its unit; a longer word is
/// cut in its middle.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let unit = ["µs", "ms", "s", "%"].contains(&word.trim_end_matches([',', ';', '.', ')', ':']));
        match words.last_mut() {
            Some(number) if unit && number.ends_with(|c: char| c.is_ascii_digit()) => {
                number.push(' ');
                number.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        let word = cut_middle(&word, columns);
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(&word) <= columns => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// Emphasis, when the terminal has it. Never the only carrier of a fact.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Paint(pub(crate) bool);

impl Paint {
    fn sgr(self, code: &str, text: &str) -> String {
        if self.0 && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Titles.
    pub(crate) fn bold(self, text: &str) -> String {
        self.sgr("1", text)
    }

    /// What is read second.
    pub(crate) fn dim(self, text: &str) -> String {
        self.sgr("2", text)
    }

    /// A state of a fuse pattern.
    pub(crate) fn state(self, state: &str, text: &str) -> String {
        match state {
            "in-use" => self.sgr("32", text),
            "split" | "partly" => self.sgr("1;33", text),
            _ => self.sgr("2", text),
        }
    }

    /// Warnings.
    pub(crate) fn warning(self, text: &str) -> String {
        self.sgr("33", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_a_long_name_stay() {
        assert_eq!(cut_middle("paged_attention_ll4mi_QKV_mfma16_kernel", 20), "paged_attenti…kernel");
        assert_eq!(cut_middle("short", 20), "short");
    }

    #[test]
    fn lines_break_at_spaces_and_never_exceed_the_width() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("about 16.0 µs, then", 10), ["about", "16.0 µs,", "then"]);
        assert_eq!(wrap("averyveryverylongword x", 8), ["avery…rd", "x"]);
    }
}
