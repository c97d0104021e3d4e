//! What a person made wrong, with the place, as rustc would show it: one code a mistake ([`Code`]), labels with spans in
//! the file's bytes, and how to mend it. One renderer for YAML, the match language and TOML.

mod codes;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::plain;
pub use codes::{Code, Severity};

/// A file that diagnostics point into.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Path as given.
    pub path: String,
    /// Whole text.
    pub text: Cow<'static, str>,
}

/// A place in a file, and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The file.
    pub file: Arc<SourceFile>,
    /// Bytes of the file.
    pub span: Range<usize>,
    /// A few words beside the caret; may be empty.
    pub text: String,
}

impl Label {
    /// Line of the place, from 1.
    pub fn line(&self) -> usize {
        self.before().matches('\n').count() + 1
    }

    /// Column of the place in characters, from 1.
    pub fn column(&self) -> usize {
        self.before().rsplit('\n').next().unwrap_or_default().chars().count() + 1
    }

    fn before(&self) -> &str {
        let at = floor(&self.file.text, self.span.start);
        &self.file.text[..at]
    }
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of mistake.
    pub code: Code,
    /// What is wrong, in one line without a full stop.
    pub title: String,
    /// Where; the first is the place itself, the others what it is at odds with. Empty when no file shows it.
    pub labels: Vec<Label>,
    /// How to mend it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A mistake that no file shows, until [`Self::at`] says where.
    pub fn new(code: Code, title: impl Into<String>) -> Self {
        Self { code, title: title.into(), labels: Vec::new(), help: None }
    }

    /// Adds a place: the first is the mistake's own.
    #[must_use]
    pub fn at(mut self, file: &Arc<SourceFile>, span: Range<usize>, text: impl Into<String>) -> Self {
        let start = floor(&file.text, span.start);
        let end = floor(&file.text, span.end).max(start);
        self.labels.push(Label { file: Arc::clone(file), span: start..end, text: text.into() });
        self
    }

    /// Says how to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same when there is a near miss among `candidates`, else `otherwise`.
    #[must_use]
    pub fn near<'a>(
        self,
        word: &str,
        candidates: impl IntoIterator<Item = &'a str>,
        otherwise: impl Into<String>,
    ) -> Self {
        match near(word, candidates) {
            Some(found) => self.help(format!("did you mean `{found}`?")),
            None => self.help(otherwise),
        }
    }

    /// Error or warning.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// `path:line:column` of the mistake.
    pub fn place(&self) -> Option<String> {
        self.labels.first().map(|l| format!("{}:{}:{}", l.file.path, l.line(), l.column()))
    }

    /// The whole of it, as rustc would show it; `styled` with colours.
    pub fn render(&self, styled: bool) -> String {
        let level = match self.severity() {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(plain::clean(&self.title)).id(self.code.id());
        let mut group = if self.labels.is_empty() { Group::with_title(title) } else { title.elements(self.snippets()) };
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(plain::clean_lines(help)));
        }
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }

    /// One snippet a file, in order of first label.
    fn snippets(&self) -> Vec<Snippet<'static, annotate_snippets::Annotation<'static>>> {
        let mut files: Vec<&Arc<SourceFile>> = Vec::new();
        for label in &self.labels {
            if !files.iter().any(|f| f.path == label.file.path) {
                files.push(&label.file);
            }
        }
        let snippet = |file: &Arc<SourceFile>| {
            let own = self.labels.iter().enumerate().filter(|(_, l)| l.file.path == file.path);
            let annotations: Vec<_> = own.map(|(n, label)| annotation(label, n == 0)).collect();
            Snippet::source(shown(&file.text)).path(plain::clean(&file.path)).annotations(annotations)
        };
        files.into_iter().map(snippet).collect()
    }
}

fn annotation(label: &Label, primary: bool) -> annotate_snippets::Annotation<'static> {
    let kind = if primary { AnnotationKind::Primary } else { AnnotationKind::Context };
    let text = &label.file.text;
    let caret = caret(text, &label.span);
    let start = shown(&text[..caret.start]).len();
    let span = start..start + shown(&text[caret]).len();
    kind.span(span).label((!label.text.is_empty()).then(|| plain::clean(&label.text)))
}

/// Lines of a file as they can be shown; what is ASCII the renderer sees to, tabs among it.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii() { c } else { plain::cleaned(c) }).collect()
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

/// Sorts by file, then place, then code; those without a file come first.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_cached_key(|d| {
        let label = d.labels.first();
        (label.map(|l| (l.file.path.clone(), l.span.start, l.span.end)), d.code, d.title.clone())
    });
}

/// All of them, a blank line between.
pub fn render(diagnostics: &[Diagnostic], styled: bool) -> String {
    let texts: Vec<String> = diagnostics.iter().map(|d| d.render(styled)).collect();
    texts.join("\n\n") + if texts.is_empty() { "" } else { "\n" }
}

/// The largest character boundary up to `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The bytes to underline: at least one character, and the first line only, since a caret under a whole block hides more
/// than it shows.
fn caret(text: &str, span: &Range<usize>) -> Range<usize> {
    let line_end = text[span.start..].find('\n').map_or(text.len(), |n| span.start + n);
    let end = span.end.min(line_end);
    if end > span.start {
        return span.start..end;
    }
    match text[span.start..].chars().next() {
        Some('\n') | None => span.start..span.start,
        Some(c) => span.start..span.start + c.len_utf8(),
    }
}

/// The candidate that `word` was probably meant to be: few edits away, or the same but for case and separators.
pub fn near<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(word);
    let limit = (folded.len() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .filter(|c| *c != word)
        .map(|c| (distance(&folded, &fold(c)), c))
        .filter(|(d, _)| *d <= limit)
        .min()
        .map(|(_, c)| c)
}

fn fold(word: &str) -> Vec<char> {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(64).collect()
}

/// Edits between two words: insert, delete, replace, swap of neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        rows[i][0] = i;
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests;
