//! From offsets in a YAML scalar's value to bytes of its file: plain, quoted and block scalars.

use std::ops::Range;
use std::sync::Arc;

use serde_yaml::Spanned;

use crate::diagnostic::{Code, Diagnostic, SourceFile};

/// A scalar of a rule file.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) file: Arc<SourceFile>,
    /// Bytes of the scalar in the file, quotes included, block indicators not.
    pub(super) span: Range<usize>,
    /// The value that the scalar has.
    value: String,
}

impl Place {
    pub(super) fn of(file: &Arc<SourceFile>, scalar: &Spanned<String>) -> Self {
        Self { file: Arc::clone(file), span: span_of(file, scalar), value: scalar.value.clone() }
    }

    /// Bytes of the file for bytes of the value.
    pub(super) fn span_in(&self, within: &Range<usize>) -> Range<usize> {
        let starts = self.starts();
        let at = |offset: usize| starts.get(offset).copied();
        let begin = at(within.start).unwrap_or_else(|| self.end(&starts));
        if within.is_empty() {
            return begin..begin;
        }
        let last = within.end.saturating_sub(1).max(within.start);
        let end = at(last).map_or_else(|| self.end(&starts), |n| n + 1);
        begin..end.max(begin)
    }

    /// Just behind the last character that is no blank.
    fn end(&self, starts: &[usize]) -> usize {
        let last = self.value.trim_end().len();
        last.checked_sub(1).and_then(|n| starts.get(n)).map_or(self.span.start, |n| n + 1)
    }

    /// For each byte of the value, its byte in the file. Blanks are folded and indented by YAML, so only what is no
    /// blank is aligned; a blank gets the place behind what stands before it.
    fn starts(&self) -> Vec<usize> {
        let source = self.file.text.get(self.span.clone()).unwrap_or_default();
        let quote =
            source.chars().next().filter(|q| matches!(q, '"' | '\'') && source.len() > 1 && source.ends_with(*q));
        let mut out = Vec::with_capacity(self.value.len());
        let mut at = usize::from(quote.is_some());
        for c in self.value.chars() {
            if c.is_whitespace() {
                out.extend(std::iter::repeat_n(self.span.start + at, c.len_utf8()));
                continue;
            }
            at += source[at..].len() - source[at..].trim_start().len();
            let escaped = match quote {
                Some('"') => source[at..].starts_with('\\'),
                Some('\'') => source[at..].starts_with("''"),
                _ => false,
            };
            at += usize::from(escaped);
            out.extend((0..c.len_utf8()).map(|n| self.span.start + at + n));
            at += source[at..].chars().next().map_or(0, char::len_utf8);
        }
        out
    }

    /// A mistake at some bytes of the value.
    pub(super) fn diagnostic(
        &self,
        code: Code,
        title: impl Into<String>,
        within: &Range<usize>,
        label: &str,
    ) -> Diagnostic {
        Diagnostic::new(code, title).at(&self.file, self.span_in(within), label)
    }
}

/// Bytes of a value in its file.
pub(super) fn span_of<T>(file: &SourceFile, value: &Spanned<T>) -> Range<usize> {
    bytes(file, &value.defined)
}

/// Bytes of a location; of one that has none, the rest of its line.
pub(super) fn bytes(file: &SourceFile, location: &serde_yaml::Location) -> Range<usize> {
    let span = location.span();
    if let (Some(start), Some(len)) = (span.byte_offset(), span.byte_len()) {
        let start = start as usize;
        return start..start + len as usize;
    }
    let line_start: usize =
        file.text.split_inclusive('\n').take((location.line() as usize).saturating_sub(1)).map(str::len).sum();
    let line = file.text[line_start..].lines().next().unwrap_or_default();
    let column = (location.column() as usize).saturating_sub(1);
    let start = line.char_indices().nth(column).map_or(line.len(), |(n, _)| n);
    line_start + start..line_start + line.trim_end().len().max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct One {
        a: Spanned<String>,
    }

    /// The text of the file under `within` of the value.
    fn under(yaml: &str, word: &str) -> String {
        let one: One = serde_yaml::from_str(yaml).unwrap();
        let file = Arc::new(SourceFile { path: "x".into(), text: yaml.to_owned().into() });
        let at = one.a.value.find(word).unwrap();
        let span = Place::of(&file, &one.a).span_in(&(at..at + word.len()));
        format!("{}@{}", &yaml[span.clone()], span.start)
    }

    #[test]
    fn every_scalar_maps_to_its_file() {
        assert_eq!(under("a: one ~> bad # c\n", "bad"), "bad@10");
        assert_eq!(under("a: \"name(\\\"x\\\") ~> bad\"\n", "bad"), "bad@19");
        assert_eq!(under("a: 'it''s bad'\n", "bad"), "bad@10");
        assert_eq!(under("a: |\n  one ~>\n  bad\n", "bad"), "bad@16");
        assert_eq!(under("a: >-\n  one\n\n  bad ~> x\n", "bad"), "bad@15");
        assert_eq!(under("a: one\n  bad\n", "bad"), "bad@9");
        assert_eq!(under("a: é ~> bad\n", "bad"), "bad@9");
    }

    #[test]
    fn the_end_of_the_value_is_the_end_of_the_scalar() {
        for yaml in ["a: one\n", "a: |\n  one\n", "a: one   # c\n"] {
            let one: One = serde_yaml::from_str(yaml).unwrap();
            let file = Arc::new(SourceFile { path: "x".into(), text: yaml.to_owned().into() });
            let end = one.a.value.len();
            let span = Place::of(&file, &one.a).span_in(&(end..end));
            assert_eq!(&yaml[span.start - 3..span.start], "one");
        }
    }
}
