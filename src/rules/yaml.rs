//! What a YAML reader refuses, in our own words and with its place.

use std::ops::Range;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_yaml::Error;

use super::place::bytes;
use crate::diagnostic::{Code, Diagnostic, SourceFile};

/// A whole file as `T`.
pub(super) fn read<T: DeserializeOwned>(file: &Arc<SourceFile>) -> Result<T, Diagnostic> {
    serde_yaml::from_str(&file.text).map_err(|error| explain(file, error.without_snippet()))
}

fn explain(file: &Arc<SourceFile>, error: &Error) -> Diagnostic {
    if let Error::AliasError { error, .. } = error {
        return explain(file, error.without_snippet());
    }
    let span = error.location().map_or(0..0, |l| bytes(file, &l));
    let new = |code: Code, title: String, label: &str| Diagnostic::new(code, title).at(file, span.clone(), label);
    match error {
        Error::SerdeUnknownField { field, expected, .. } => new(
            Code::UnknownKey,
            format!("there is no key `{field}` here"),
            "not a key of the format",
        )
        .near(field, expected.iter().copied(), format!("keys here are {}", expected.join(", "))),
        Error::SerdeMissingField { field, .. } => {
            new(Code::MissingKey, format!("the key `{field}` is missing"), &format!("`{field}` belongs here"))
        }
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("?");
            new(Code::DuplicateKey, format!("the key `{key}` stands twice"), "the second one")
                .help("remove one of them")
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => new(
            Code::UnknownWord,
            format!("`{variant}` cannot stand here"),
            "not one of the words known",
        )
        .near(variant, expected.iter().copied(), format!("words here are {}", expected.join(", "))),
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

fn wrong_type(file: &Arc<SourceFile>, span: &Range<usize>, expected: &str) -> Diagnostic {
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
