//! `rules/kernels.yaml`: which kernel names there are, and whose they are. Tests of terms and families use no others.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_yaml::Spanned;

/// The file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KernelsFile {
    /// Of the format; 1.
    pub version: u32,
    /// What the sources of packages spell; looked for in their releases.
    pub packages: Vec<PackageKernels>,
    /// What no such source spells: compilers, libraries and drivers whose releases are not looked into.
    pub libraries: Vec<Library>,
    /// What no release was seen to have.
    pub unconfirmed: Vec<Unconfirmed>,
}

/// The kernels of a package.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PackageKernels {
    /// As its metadata names it.
    pub package: String,
    /// Names without namespace and template arguments, those aside that a family's own `kernels` has.
    #[schemars(with = "Vec<NamedKernel>")]
    pub kernels: Vec<Spanned<NamedKernel>>,
}

/// A name, and the versions of the package that have it.
#[derive(Debug)]
pub struct NamedKernel {
    /// Without namespace and template arguments.
    pub name: String,
    /// First version looked at that has it; an older one may have it, too.
    pub since: Option<String>,
    /// First version looked at without it.
    pub until: Option<String>,
}

impl<'de> Deserialize<'de> for NamedKernel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Map {
            name: String,
            since: Option<String>,
            until: Option<String>,
        }

        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = NamedKernel;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a map with `name`")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<NamedKernel, E> {
                Ok(NamedKernel { name: name.to_owned(), since: None, until: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<NamedKernel, A::Error> {
                let Map { name, since, until } = Map::deserialize(MapAccessDeserializer::new(map))?;
                Ok(NamedKernel { name, since, until })
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// Names that something makes by a scheme.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Library {
    /// Whose they are.
    pub about: String,
    /// Globs over the identifier, namespace included.
    pub names: Vec<String>,
}

/// A name without proof. Only families on trial may rest on it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unconfirmed {
    /// Without namespace and template arguments.
    pub name: String,
    /// Where it is from.
    pub why: String,
}
