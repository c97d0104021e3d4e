//! `catalogs/<kind>/<framework>/<family>.yaml`: one family of fused or overlapped paths, its tests inside.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_yaml::Spanned;

use super::launch::LaunchEntry;
use crate::rules::{FamilyKind, Independence, Origin, Per, SourcePath, Status};

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FamilyFile {
    /// Of the format; 1.
    pub version: Spanned<u32>,
    /// Its path below `catalogs/<kind>/`.
    pub id: Spanned<String>,
    /// Old ids.
    #[serde(default)]
    pub aliases: Vec<Spanned<String>>,
    /// As the field names it.
    pub title: String,
    /// Fuse or overlap.
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
    pub replaced_by: Option<Spanned<String>>,
    /// Where the fused path lives.
    #[serde(default)]
    pub sources: Vec<Spanned<SourceEntry>>,
    /// When and against what it was last checked.
    pub checked: Option<Checked>,
    /// First framework version with the path.
    pub since: Option<Spanned<String>>,
    /// First framework version without it.
    pub until: Option<Spanned<String>>,
    /// Gates.
    #[serde(default)]
    pub when: When,
    /// The fused form.
    pub fused: Option<Spanned<String>>,
    /// The split form.
    pub split: Option<Spanned<String>>,
    /// Context before the finding.
    pub after: Option<Spanned<String>>,
    /// Context after it.
    pub before: Option<Spanned<String>>,
    /// Clause of an overlap family.
    pub overlap: Option<Spanned<String>>,
    /// Why the two sides of an overlap are independent.
    pub independent: Option<Spanned<Independent>>,
    /// How often it must recur.
    #[serde(default)]
    pub per: PerWord,
    /// Order of rows of equal length.
    #[serde(default)]
    pub priority: i64,
    /// Ids of which it is the better one.
    #[serde(default)]
    pub subsumes: Vec<Spanned<String>>,
    /// Ids it cannot run together with.
    #[serde(default)]
    pub excludes: Vec<Spanned<String>>,
    /// What to type.
    #[serde(default)]
    pub toggles: Vec<ToggleEntry>,
    /// One sentence.
    pub rationale: String,
    /// Tests.
    pub tests: Spanned<Vec<Spanned<CaseEntry>>>,
}

/// `kind:`.
#[derive(Clone, Copy, Debug, Deserialize)]
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
#[derive(Clone, Copy, Debug, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, Deserialize)]
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
#[derive(Clone, Copy, Debug, Deserialize)]
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
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checked {
    /// Day, `2026-06-27`.
    pub date: Spanned<String>,
    /// Version of the framework.
    pub version: Spanned<String>,
}

/// `when:`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// Framework ids; silent when no.
    pub frameworks: Vec<Spanned<String>>,
    /// Model words; silent when no.
    pub models: Models,
    /// Stages; silent when no.
    pub stages: Vec<Spanned<String>>,
    /// Vendors; off by design when no, as all below.
    pub vendor: Vec<String>,
    /// Architectures.
    pub arch: Vec<String>,
    /// Tensor-parallel size.
    pub tensor_parallel: Option<Spanned<String>>,
    /// Dtype words.
    pub dtype: Vec<String>,
    /// Tokens of the step.
    pub tokens: Option<Spanned<String>>,
    /// Bytes of the collective's message.
    pub message_bytes: Option<Spanned<String>>,
    /// Server arguments that must hold.
    pub needs: Needs,
}

/// `models:` of `when`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Models {
    /// Any of these.
    pub any: Vec<String>,
    /// None of these.
    pub none: Vec<String>,
}

/// `needs:` of `when`: names that must be true, or a map of names and values.
#[derive(Debug, Default)]
pub struct Needs(pub Vec<(String, String)>);

impl<'de> Deserialize<'de> for Needs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Needs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of server arguments, or a map of them and their values")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Needs, A::Error> {
                let mut out = Vec::new();
                while let Some(name) = seq.next_element::<String>()? {
                    out.push((name, "true".to_owned()));
                }
                Ok(Needs(out))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Needs, A::Error> {
                let mut out = Vec::new();
                while let Some(pair) = map.next_entry::<String, String>()? {
                    out.push(pair);
                }
                Ok(Needs(out))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// One of `sources:`: a path, or a map with the versions it is true for.
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
        }

        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = SourceEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path or a map with `path`")
            }

            fn visit_str<E: Error>(self, path: &str) -> Result<SourceEntry, E> {
                Ok(SourceEntry(SourcePath { path: path.to_owned(), at: None, since: None, until: None }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SourceEntry, A::Error> {
                let Map { path, at, since, until } = Map::deserialize(MapAccessDeserializer::new(map))?;
                Ok(SourceEntry(SourcePath { path, at, since, until }))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// One of `toggles:`.
#[derive(Debug, Deserialize)]
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
    pub since: Option<Spanned<String>>,
    /// First version without it.
    pub until: Option<Spanned<String>>,
    /// Value when nobody sets it.
    pub default: Option<String>,
}

/// One of `tests:`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseEntry {
    /// The claim.
    pub name: String,
    /// What ran.
    pub chain: Vec<LaunchEntry>,
    /// What must come out.
    pub expect: Spanned<String>,
    /// Facts of the run.
    #[serde(default)]
    pub given: BTreeMap<String, String>,
    /// A known gap.
    #[serde(default)]
    pub todo: bool,
}
