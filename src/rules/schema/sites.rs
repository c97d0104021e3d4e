//! `rules/sites.yaml`: which frame people are shown.

use schemars::JsonSchema;
use serde::Deserialize;

use super::pattern::{PatternText, patterns};
use crate::attribution::{Root, RootSays, Settings, Sites};

/// The file as written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SitesFile {
    /// Version of the format.
    pub version: u32,
    module_prefix: String,
    #[serde(default)]
    skipped_modules: Vec<PatternText>,
    #[serde(default)]
    dropped: Vec<PatternText>,
    #[serde(default)]
    install: Vec<String>,
    roots: Vec<RootEntry>,
    other: u32,
    #[serde(default)]
    demoted: Vec<DemotedEntry>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RootEntry {
    path: String,
    rank: u32,
    framework: Option<String>,
    #[serde(default)]
    foreign: bool,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DemotedEntry {
    frame: PatternText,
    rank: u32,
}

impl SitesFile {
    /// Fills its part of the settings; the error names the entry.
    pub fn fill(self, settings: &mut Settings) -> Result<(), String> {
        settings.sites = Sites {
            module_prefix: self.module_prefix,
            skipped_modules: patterns(self.skipped_modules),
            dropped: patterns(self.dropped),
            install: self.install,
            roots: self.roots.into_iter().map(RootEntry::root).collect::<Result<_, _>>()?,
            demoted: self.demoted.into_iter().map(|d| (d.frame.into(), d.rank)).collect(),
            other: self.other,
        };
        Ok(())
    }
}

impl RootEntry {
    fn root(self) -> Result<Root, String> {
        let says = match (self.framework, self.foreign) {
            (None, false) => RootSays::Nothing,
            (Some(id), false) => RootSays::Framework(id),
            (None, true) => RootSays::Foreign,
            (Some(_), true) => return Err(format!("root `{}` is of a framework or foreign, not both", self.path)),
        };
        Ok(Root { path: self.path, rank: self.rank, says })
    }
}
