//! `rules/mapping.yaml`: how the kernels of a pair of traces are tied.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_yaml::Spanned;

/// The file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingFile {
    /// Of the format.
    pub version: u32,
    /// Categories whose kernels have another name at another batch size.
    pub alike: Vec<String>,
    /// Launches within which another tie must be.
    pub reach: usize,
    /// Launches between two ties that are looked at.
    pub max_gap: usize,
    /// Pairs of equal kernels that one alignment looks at.
    pub max_pairs: usize,
    /// Kernels that stand for each other.
    pub aliases: Vec<AliasEntry>,
}

/// Kernels of one run whose place is that of another kernel in the other run.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AliasEntry {
    /// Its name.
    #[schemars(with = "String")]
    pub alias: Spanned<String>,
    /// Why, in one line.
    pub about: String,
    /// In the formal trace.
    #[schemars(with = "String")]
    pub formal: Spanned<String>,
    /// In the mapping trace.
    #[schemars(with = "String")]
    pub mapping: Spanned<String>,
}
