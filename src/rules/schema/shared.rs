//! `rules/terms.yaml`, `rules/categories.yaml` and `rules/graph.yaml`: named predicates with their tests.

use serde::Deserialize;
use serde_yaml::Spanned;

use super::launch::LaunchEntry;

/// `rules/terms.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermsFile {
    /// Of the format; 1.
    pub version: Spanned<u32>,
    /// In any order; terms may use terms.
    pub terms: Vec<TermEntry>,
}

/// One term.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermEntry {
    /// The bare word.
    pub term: Spanned<String>,
    /// What it names, in one line.
    pub about: String,
    /// The predicate.
    pub is: Spanned<String>,
    /// Launches it must find.
    #[serde(default)]
    pub hit: Vec<Spanned<LaunchEntry>>,
    /// Near misses.
    #[serde(default)]
    pub miss: Vec<Spanned<LaunchEntry>>,
}

/// `rules/categories.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoriesFile {
    /// Of the format; 1.
    pub version: Spanned<u32>,
    /// The first that says yes takes the launch.
    pub categories: Vec<CategoryEntry>,
}

/// One category.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryEntry {
    /// The word in tables.
    pub category: Spanned<String>,
    /// What it names, in one line.
    #[serde(default)]
    pub about: String,
    /// The predicate.
    pub is: Spanned<String>,
    /// Whether other work hides under it.
    #[serde(default = "yes")]
    pub compute: bool,
    /// Launches that come out as this one.
    #[serde(default)]
    pub hit: Vec<Spanned<LaunchEntry>>,
    /// Launches that come out as another.
    #[serde(default)]
    pub miss: Vec<Spanned<LaunchEntry>>,
}

fn yes() -> bool {
    true
}

/// `rules/graph.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphFile {
    /// Of the format; 1.
    pub version: Spanned<u32>,
    /// What `~>` sees through.
    pub transparent: Vec<RoleEntry>,
}

/// One transparent role.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleEntry {
    /// Its name.
    pub role: Spanned<String>,
    /// What it names, in one line.
    #[serde(default)]
    pub about: String,
    /// The predicate.
    pub is: Spanned<String>,
    /// Launches it must find.
    #[serde(default)]
    pub hit: Vec<Spanned<LaunchEntry>>,
    /// Near misses.
    #[serde(default)]
    pub miss: Vec<Spanned<LaunchEntry>>,
}
