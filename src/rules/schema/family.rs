//! `catalogs/<kind>/<framework>/<family>.yaml`: one family of fused or overlapped paths, its tests inside.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_yaml::Spanned;

use super::gates::{CallerEntry, Models, When};
use super::launch::LaunchEntry;
use crate::rules::{FamilyKind, Independence, Origin, Per, SourcePath, Status};

/// The file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FamilyFile {
    /// Of the format; 1.
    #[schemars(with = "u32")]
    pub version: Spanned<u32>,
    /// Its path below `catalogs/<kind>/`.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// Old ids.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub aliases: Vec<Spanned<String>>,
    /// As the field names it.
    pub title: String,
    /// Fuse or overlap.
    #[schemars(with = "Kind")]
    pub kind: Spanned<Kind>,
    /// Where the path lives.
    pub origin: OriginWord,
    /// Pull requests of an in-flight path.
    #[serde(default)]
    pub pr: Vec<String>,
    /// How well it is proved.
    #[serde(default)]
    pub status: StatusWord,
    /// Successor of a retired one.
    #[schemars(with = "Option<String>")]
    pub replaced_by: Option<Spanned<String>>,
    /// Where the fused path lives.
    #[serde(default)]
    #[schemars(with = "Vec<SourceEntry>")]
    pub sources: Vec<Spanned<SourceEntry>>,
    /// Kernels of the path as the source of a package spells them: what `catalog check` looks for in a release.
    #[serde(default)]
    #[schemars(with = "Vec<KernelEntry>")]
    pub kernels: Vec<Spanned<KernelEntry>>,
    /// When and against what it was last checked.
    pub checked: Option<Checked>,
    /// First framework version with the path.
    #[schemars(with = "Option<String>")]
    pub since: Option<Spanned<String>>,
    /// The same by vendor, where one has the path from another version on.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub since_on: BTreeMap<String, Spanned<String>>,
    /// First framework version without it.
    #[schemars(with = "Option<String>")]
    pub until: Option<Spanned<String>>,
    /// Gates.
    #[serde(default)]
    pub when: When,
    /// Which files call the fused path, and for which models: another model runs split, whatever is set.
    #[serde(default)]
    pub called_for: Vec<CallerEntry>,
    /// The fused form.
    #[schemars(with = "Option<String>")]
    pub fused: Option<Spanned<String>>,
    /// The split form.
    #[schemars(with = "Option<String>")]
    pub split: Option<Spanned<String>>,
    /// Context before the finding.
    #[schemars(with = "Option<String>")]
    pub after: Option<Spanned<String>>,
    /// Context after it.
    #[schemars(with = "Option<String>")]
    pub before: Option<Spanned<String>>,
    /// Clause of an overlap family.
    #[schemars(with = "Option<String>")]
    pub overlap: Option<Spanned<String>>,
    /// Why the two sides of an overlap are independent.
    #[schemars(with = "Option<Independent>")]
    pub independent: Option<Spanned<Independent>>,
    /// How often it must recur.
    #[serde(default)]
    pub per: PerWord,
    /// Order of rows of equal length.
    #[serde(default)]
    pub priority: i64,
    /// Ids of which it is the better one.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub subsumes: Vec<Spanned<String>>,
    /// Ids it cannot run together with.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub excludes: Vec<Spanned<String>>,
    /// What to type.
    #[serde(default)]
    #[schemars(with = "Vec<ToggleEntry>")]
    pub toggles: Vec<Spanned<ToggleEntry>>,
    /// One sentence.
    pub rationale: String,
    /// Tests.
    #[schemars(with = "Vec<CaseEntry>")]
    pub tests: Spanned<Vec<Spanned<CaseEntry>>>,
}

/// `kind:`.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A fused path.
    Fuse,
    /// An overlap.
    Overlap,
}

impl From<Kind> for FamilyKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Fuse => Self::Fuse,
            Kind::Overlap => Self::Overlap,
        }
    }
}

/// `origin:`.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OriginWord {
    /// In releases.
    Mainline,
    /// In a library or another framework.
    Upstream,
    /// In an open pull request.
    Inflight,
}

impl From<OriginWord> for Origin {
    fn from(origin: OriginWord) -> Self {
        match origin {
            OriginWord::Mainline => Self::Mainline,
            OriginWord::Upstream => Self::Upstream,
            OriginWord::Inflight => Self::Inflight,
        }
    }
}

/// `status:`.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StatusWord {
    /// Not proved on a real trace.
    #[default]
    Trial,
    /// Proved.
    Stable,
    /// Replaced.
    Retired,
}

impl From<StatusWord> for Status {
    fn from(status: StatusWord) -> Self {
        match status {
            StatusWord::Trial => Self::Trial,
            StatusWord::Stable => Self::Stable,
            StatusWord::Retired => Self::Retired,
        }
    }
}

/// `per:`.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PerWord {
    /// Once a step.
    Step,
    /// Twice a step.
    #[default]
    Layer,
    /// Once.
    Request,
}

impl From<PerWord> for Per {
    fn from(per: PerWord) -> Self {
        match per {
            PerWord::Step => Self::Step,
            PerWord::Layer => Self::Layer,
            PerWord::Request => Self::Request,
        }
    }
}

/// `independent:` of an overlap family.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Independent {
    /// The call sites differ.
    Site,
    /// The modules differ.
    Module,
    /// The family says so.
    Declared,
}

impl From<Independent> for Independence {
    fn from(independent: Independent) -> Self {
        match independent {
            Independent::Site => Self::Site,
            Independent::Module => Self::Module,
            Independent::Declared => Self::Declared,
        }
    }
}

/// `checked:`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Checked {
    /// Day, `2026-06-27`.
    #[schemars(with = "String")]
    pub date: Spanned<String>,
    /// Version of the framework.
    #[schemars(with = "String")]
    pub version: Spanned<String>,
}

/// One of `sources:`: a path, or a map with the versions and the vendor it is true for.
#[derive(Debug)]
pub struct SourceEntry(pub SourcePath);

impl<'de> Deserialize<'de> for SourceEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Map {
            path: String,
            at: Option<String>,
            since: Option<String>,
            until: Option<String>,
            vendor: Option<String>,
        }

        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = SourceEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path or a map with `path`")
            }

            fn visit_str<E: Error>(self, path: &str) -> Result<SourceEntry, E> {
                let path = path.to_owned();
                Ok(SourceEntry(SourcePath { path, at: None, since: None, until: None, vendor: None }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SourceEntry, A::Error> {
                let Map { path, at, since, until, vendor } = Map::deserialize(MapAccessDeserializer::new(map))?;
                Ok(SourceEntry(SourcePath { path, at, since, until, vendor }))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// One of `kernels:`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KernelEntry {
    /// Name without namespace and template arguments.
    pub name: String,
    /// Package whose source has it, as its metadata names it.
    pub package: String,
    /// First version of that package with it.
    #[schemars(with = "Option<String>")]
    pub since: Option<Spanned<String>>,
    /// First version without it.
    #[schemars(with = "Option<String>")]
    pub until: Option<Spanned<String>>,
}

/// One of `toggles:`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToggleEntry {
    /// Exact spelling.
    pub name: String,
    /// Value that turns the path on.
    pub value: String,
    /// `server_args`, `env`, `compilation_config`, ..
    #[serde(rename = "where")]
    pub place: String,
    /// First version with this spelling.
    #[schemars(with = "Option<String>")]
    pub since: Option<Spanned<String>>,
    /// First version without it.
    #[schemars(with = "Option<String>")]
    pub until: Option<Spanned<String>>,
    /// Value when nobody sets it.
    pub default: Option<String>,
    /// The GPUs on which it does something, `nvidia` or `amd`; all when not given.
    pub vendor: Option<String>,
    /// The models for which it does something; all when not given.
    #[serde(default)]
    pub models: Models,
}

/// One of `tests:`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseEntry {
    /// The claim.
    pub name: String,
    /// What ran, in the order of launch.
    #[serde(default)]
    #[schemars(with = "Vec<LaunchEntry>")]
    pub chain: Vec<Spanned<LaunchEntry>>,
    /// A trace in place of a chain: a path from the family's folder.
    #[schemars(with = "Option<String>")]
    pub trace: Option<Spanned<String>>,
    /// What the row of that trace must say beside its state.
    pub row: Option<RowEntry>,
    /// What must come out.
    #[schemars(with = "String")]
    pub expect: Spanned<String>,
    /// Facts of the run.
    #[serde(default)]
    pub given: BTreeMap<String, String>,
    /// A known gap.
    #[serde(default)]
    pub todo: bool,
}

/// `row:` of a test on a trace.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowEntry {
    /// Stage of the row; any when not given.
    #[schemars(with = "Option<String>")]
    pub stage: Option<Spanned<String>>,
    /// Occurrences.
    pub occurrences: Option<u64>,
}
