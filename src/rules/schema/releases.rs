//! `rules/releases.yaml`: the packages that `catalog check` knows, and what of a claim is looked for in which of them.

use schemars::JsonSchema;
use serde::Deserialize;

/// The file.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleasesFile {
    /// Of the format.
    pub version: u32,
    /// Packages.
    pub packages: Vec<Package>,
    /// Endings of files that are read as text.
    pub texts: Vec<String>,
    /// Endings of files in which names stand among other bytes.
    pub binaries: Vec<String>,
    /// Parts of call sites that no package has.
    pub no_sites: Vec<String>,
    /// Where a switch may be typed that a framework's own source spells.
    pub places: Vec<String>,
}

/// A package with releases.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Its name in its metadata; `-` and `_` are alike.
    pub package: String,
    /// The framework whose versions are this package's, and whose switches, sites and modules it holds.
    pub framework: Option<String>,
    /// Folders of its source tree.
    pub folders: Vec<Folder>,
    /// Namespaces of its ops.
    #[serde(default)]
    pub ops: Vec<String>,
}

/// A folder of a source tree, and where a wheel has it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// Its path as families write it.
    pub tree: String,
    /// Its path in a wheel; none: a wheel has no such folder.
    pub wheel: Option<String>,
}
