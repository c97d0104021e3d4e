//! Patterns of names in rule files, read where they stand so that an error has their place.

use serde::Deserialize;

use crate::attribution::Pattern;

/// A pattern as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct PatternText(Pattern);

impl TryFrom<String> for PatternText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Pattern::new(&text).map(Self)
    }
}

impl From<PatternText> for Pattern {
    fn from(text: PatternText) -> Self {
        text.0
    }
}

/// All patterns of a list.
pub(super) fn patterns(texts: Vec<PatternText>) -> Vec<Pattern> {
    texts.into_iter().map(Pattern::from).collect()
}
