//! What a YAML reader refuses, in our own words and with its place.

use std::ops::Range;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_yaml::{Error, Spanned};

use super::place::bytes;
use super::shape::{self, Node};
use crate::diagnostic::{self, Code, Diagnostic, SourceFile};

/// A file that is no YAML, or whose values are not of the right shape.
pub(super) struct Broken {
    /// Its values, when it is YAML at all.
    pub(super) tree: Option<Box<Spanned<Node>>>,
    /// Every mistake of its shape.
    pub(super) found: Vec<Diagnostic>,
}

/// A whole file as `T`.
pub(super) fn read<T: DeserializeOwned + JsonSchema>(file: &Arc<SourceFile>) -> Result<T, Broken> {
    serde_yaml::from_str(&file.text).map_err(|error| {
        let first = explain(file, error.without_snippet());
        let tree = shape::tree(file).filter(|tree| !matches!(tree.value, Node::Null));
        let mut found = tree.as_ref().map_or_else(Vec::new, |tree| shape::mistakes::<T>(file, tree));
        let start = |d: &Diagnostic| d.labels.first().map(|label| label.span.start);
        if !found.iter().any(|other| other.code == first.code && start(other) == start(&first)) {
            found.push(first);
        }
        diagnostic::sort(&mut found);
        Broken { tree: tree.map(Box::new), found }
    })
}

fn explain(file: &Arc<SourceFile>, error: &Error) -> Diagnostic {
    if let Error::AliasError { error, .. } = error {
        return explain(file, error.without_snippet());
    }
    let span = error.location().map_or(0..0, |l| bytes(file, &l));
    let new = |code: Code, title: String, label: &str| Diagnostic::new(code, title).at(file, span.clone(), label);
    match error {
        Error::SerdeUnknownField { field, expected, .. } => unknown_key(file, span, field, expected),
        Error::SerdeMissingField { field, .. } => missing_key(file, span, field),
        Error::DuplicateMappingKey { key, .. } => duplicate_key(file, span, key.as_deref().unwrap_or("?")),
        Error::SerdeUnknownVariant { variant, expected, .. } => unknown_word(file, span, variant, expected),
        Error::SerdeInvalidType { expected, .. }
        | Error::SerdeInvalidValue { expected, .. }
        | Error::SerdeInvalidLength { expected, .. } => wrong_type(file, &span, expected),
        Error::InvalidScalar { ty, .. } => wrong_type(file, &span, ty),
        Error::Unexpected { expected, .. } => wrong_type(file, &span, expected),
        Error::InvalidBooleanStrict { .. } => wrong_type(file, &span, "bool"),
        Error::NullIntoString { .. } => wrong_type(file, &span, "string scalar"),
        Error::Eof { .. } => {
            new(Code::YamlSyntax, "the file is empty".to_owned(), "").help("a rule file begins with `version: 1`")
        }
        Error::Message { msg, .. } | Error::SerdeVariantId { msg, .. } => new(Code::BadSetting, msg.clone(), ""),
        other => syntax(file, &span, &place_free(&other.to_string())),
    }
}

pub(super) fn unknown_key(file: &Arc<SourceFile>, span: Range<usize>, key: &str, known: &[&str]) -> Diagnostic {
    Diagnostic::new(Code::UnknownKey, format!("there is no key `{key}` here"))
        .at(file, span, "not a key of the format")
        .near(key, known.iter().copied(), format!("keys here are {}", known.join(", ")))
}

pub(super) fn missing_key(file: &Arc<SourceFile>, span: Range<usize>, key: &str) -> Diagnostic {
    Diagnostic::new(Code::MissingKey, format!("the key `{key}` is missing")).at(
        file,
        span,
        format!("`{key}` belongs here"),
    )
}

pub(super) fn duplicate_key(file: &Arc<SourceFile>, span: Range<usize>, key: &str) -> Diagnostic {
    Diagnostic::new(Code::DuplicateKey, format!("the key `{key}` stands twice"))
        .at(file, span, "the second one")
        .help("remove one of them")
}

pub(super) fn unknown_word(file: &Arc<SourceFile>, span: Range<usize>, word: &str, known: &[&str]) -> Diagnostic {
    Diagnostic::new(Code::UnknownWord, format!("`{word}` cannot stand here"))
        .at(file, span, "not one of the words known")
        .near(word, known.iter().copied(), format!("words here are {}", known.join(", ")))
}

pub(super) fn wrong_type(file: &Arc<SourceFile>, span: &Range<usize>, expected: &str) -> Diagnostic {
    let wanted = match expected {
        "string scalar" | "a string" | "str" | "String" => "a text",
        "mapping start" | "map" => "a map of keys and values",
        "sequence start" | "a sequence" => "a list, `[a, b]`",
        "bool" | "a boolean" => "`true` or `false`",
        "u32" | "u64" | "i64" | "usize" => "a whole number",
        "f64" => "a number",
        other => other,
    };
    let found =
        Diagnostic::new(Code::WrongType, format!("expected {wanted}")).at(file, span.clone(), format!("not {wanted}"));
    let opens = file.text.get(span.start..).is_some_and(|t| t.starts_with(['[', '{']));
    if wanted == "a text" && opens {
        found.help("a text that begins with `[` or `{` needs quotes: `'[gemm] ~> rope'`")
    } else {
        found
    }
}

fn syntax(file: &Arc<SourceFile>, span: &Range<usize>, message: &str) -> Diagnostic {
    let line_start = file.text[..span.start.min(file.text.len())].rfind('\n').map_or(0, |n| n + 1);
    let line = file.text[line_start..].lines().next().unwrap_or_default();
    let diagnostic =
        Diagnostic::new(Code::YamlSyntax, format!("this is no YAML: {message}")).at(file, span.clone(), "");
    let value = line.split_once(": ").map_or("", |(_, value)| value.trim_start());
    if line.contains('\t') || message.contains("tab") {
        diagnostic.help("indent with blanks, not with tabs")
    } else if value.contains(": ") {
        diagnostic.help("a text with `: ` inside needs quotes around the whole")
    } else if value.starts_with(['@', '?', '{', '[', '`', '%', '&', '*', '!', '|', '>']) {
        diagnostic.help("a text that begins with one of `@ ? { [ & * ! % |` needs quotes around the whole")
    } else {
        diagnostic
    }
}

/// The reader's own sentence without the place at its end.
fn place_free(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    line.rsplit_once(" at line ").map_or(line, |(head, _)| head).replace('`', "'")
}
