//! `rules/terms.yaml`, `rules/categories.yaml` and `rules/graph.yaml`: named predicates with their tests.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_yaml::Spanned;

use super::launch::LaunchEntry;

/// `rules/terms.yaml`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TermsFile {
    /// Of the format; 1.
    #[schemars(with = "u32")]
    pub version: Spanned<u32>,
    /// In any order; terms may use terms.
    pub terms: Vec<TermEntry>,
}

/// One term.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TermEntry {
    /// The bare word.
    #[schemars(with = "String")]
    pub term: Spanned<String>,
    /// What it names, in one line.
    pub about: String,
    /// The predicate.
    #[schemars(with = "String")]
    pub is: Spanned<String>,
    /// Launches it must find.
    #[serde(default)]
    #[schemars(with = "Vec<LaunchEntry>")]
    pub hit: Vec<Spanned<LaunchEntry>>,
    /// Near misses.
    #[serde(default)]
    #[schemars(with = "Vec<LaunchEntry>")]
    pub miss: Vec<Spanned<LaunchEntry>>,
}

/// `rules/categories.yaml`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoriesFile {
    /// Of the format; 1.
    #[schemars(with = "u32")]
    pub version: Spanned<u32>,
    /// The first that says yes takes the launch.
    pub categories: Vec<CategoryEntry>,
}

/// One category.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryEntry {
    /// The word in tables.
    #[schemars(with = "String")]
    pub category: Spanned<String>,
    /// What it names, in one line.
    #[serde(default)]
    pub about: String,
    /// The predicate.
    #[schemars(with = "String")]
    pub is: Spanned<String>,
    /// Whether other work hides under it.
    #[serde(default = "yes")]
    pub compute: bool,
    /// Launches that come out as this one.
    #[serde(default)]
    #[schemars(with = "Vec<LaunchEntry>")]
    pub hit: Vec<Spanned<LaunchEntry>>,
    /// Launches that come out as another.
    #[serde(default)]
    #[schemars(with = "Vec<LaunchEntry>")]
    pub miss: Vec<Spanned<LaunchEntry>>,
}

fn yes() -> bool {
    true
}

/// `rules/graph.yaml`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GraphFile {
    /// Of the format; 1.
    #[schemars(with = "u32")]
    pub version: Spanned<u32>,
    /// What the chains of a family may cost.
    pub chains: ChainLimits,
    /// What `~>` sees through.
    pub transparent: Vec<RoleEntry>,
}

/// How many steps a form of a family may take on a trace before it is given up: joins followed, launches read off, ways
/// kept. Whatever is more, `least` or what the launches allow.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChainLimits {
    /// On any trace.
    pub least: u64,
    /// For each launch of the trace.
    pub per_launch: u64,
}

impl ChainLimits {
    /// Steps on a trace of so many launches.
    pub fn most(&self, launches: usize) -> u64 {
        self.least.max(self.per_launch.saturating_mul(launches as u64))
    }
}

impl Default for ChainLimits {
    /// No end, where no rules say one.
    fn default() -> Self {
        Self { least: u64::MAX, per_launch: 0 }
    }
}

/// One transparent role.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleEntry {
    /// Its name.
    #[schemars(with = "String")]
    pub role: Spanned<String>,
    /// What it names, in one line.
    #[serde(default)]
    pub about: String,
    /// The predicate.
    #[schemars(with = "String")]
    pub is: Spanned<String>,
    /// Launches it must find.
    #[serde(default)]
    #[schemars(with = "Vec<LaunchEntry>")]
    pub hit: Vec<Spanned<LaunchEntry>>,
    /// Near misses.
    #[serde(default)]
    #[schemars(with = "Vec<LaunchEntry>")]
    pub miss: Vec<Spanned<LaunchEntry>>,
}
