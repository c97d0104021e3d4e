//! `rules/names.yaml`: how the name of a kernel is cut.

use crate::kernel_name::{Adapter, Functor, Launcher, Settings};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// Of the format; 1.
    pub version: u32,
    launchers: Vec<LauncherEntry>,
    adapters: Vec<AdapterEntry>,
    compounds: BTreeMap<String, Vec<String>>,
    inductor: Inductor,
    #[serde(default)]
    suffixes: Vec<String>,
    #[serde(default)]
    copies: Vec<String>,
    #[serde(default)]
    sets: Vec<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LauncherEntry {
    kernel: String,
    functor: Place,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AdapterEntry {
    wrapper: String,
    functor: Place,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Inductor {
    prefixes: Vec<String>,
    ops: Vec<Vec<String>>,
}

/// `first-type`, `last-type` or a position.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Place(Functor);

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "first-type" => Ok(Self(Functor::FirstType)),
            "last-type" => Ok(Self(Functor::LastType)),
            _ => text.parse().map(|position| Self(Functor::At(position))).map_err(|_| {
                format!("`{text}` is no place of a functor; write `first-type`, `last-type` or a position from 0")
            }),
        }
    }
}

impl From<Names> for Settings {
    fn from(names: Names) -> Self {
        Self {
            launchers: (names.launchers.into_iter())
                .map(|entry| Launcher { identifier: entry.kernel, functor: entry.functor.0 })
                .collect(),
            adapters: (names.adapters.into_iter())
                .map(|entry| Adapter { identifier: entry.wrapper, functor: entry.functor.0 })
                .collect(),
            compounds: names.compounds.into_iter().collect(),
            inductor: names.inductor.prefixes,
            ops: names.inductor.ops.into_iter().flatten().collect(),
            suffixes: names.suffixes,
            copies: names.copies,
            sets: names.sets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(launchers: &str) -> Result<Settings, String> {
        let text = format!(
            "version: 1\nlaunchers: {launchers}\nadapters: []\ncompounds: {{}}\ninductor: {{ prefixes: [], ops: [] }}\n"
        );
        serde_yaml::from_str::<Names>(&text).map(Settings::from).map_err(|error| error.to_string())
    }

    #[test]
    fn a_functor_is_found_by_kind_or_position() {
        let settings =
            load("[{ kernel: a, functor: first-type }, { kernel: b, functor: last-type }, { kernel: c, functor: 2 }]");
        let places: Vec<Functor> = settings.expect("loads").launchers.iter().map(|launcher| launcher.functor).collect();
        assert_eq!(places, [Functor::FirstType, Functor::LastType, Functor::At(2)]);
    }

    #[test]
    fn a_place_that_is_none_says_what_may_stand_there() {
        let error = load("[{ kernel: a, functor: middle }]").expect_err("no such place");
        assert!(error.contains("write `first-type`, `last-type` or a position from 0"), "{error}");
        assert!(load("[{ kernel: a, functor: 1, why: x }]").is_err(), "unknown keys are refused");
    }
}
