//! `rules/fleet.yaml`: what many traces are told apart by, and when one of a fleet stands out.

use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::units;

/// The file.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FleetFile {
    /// Of the format.
    pub version: u32,
    /// Keys of a trace's header that name the host.
    pub host_keys: Vec<String>,
    /// Names that every host has of itself, as globs.
    pub not_hosts: Vec<String>,
    /// Earlier moments are of another clock.
    pub earliest: String,
    /// Later ones, too.
    pub latest: String,
    /// What a path says.
    pub paths: Vec<PathPattern>,
    /// What the names of the files of one run differ in.
    pub of_one_file: Vec<String>,
    /// When a host or a rank stands out.
    pub stragglers: StragglerSettings,
    /// A median share that moved by this many points is told.
    pub shift_points: f64,
    /// Categories whose 90th percentile is under this share are left to JSON.
    pub spread_min_pct: f64,
    /// Rows of a list that people read.
    pub rows: usize,
    /// Servers that the row of a family names.
    pub worst: usize,
    /// Paths, and what they say.
    #[serde(default)]
    pub tests: Vec<PathTest>,
}

/// When a host or a rank stands out.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StragglerSettings {
    /// Over the median of its like, in per cent.
    pub over_pct: f64,
    /// Fewer than this are no ground to stand out of.
    pub fewest: usize,
    /// Steps whose sizes are within about this are alike, in per cent.
    pub size_pct: f64,
}

/// What a path says.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PathPattern {
    /// Regular expression with groups `host`, `model`, `date`, `epoch`.
    pub find: String,
    /// Who writes such paths.
    pub about: String,
}

/// A path, and what it says.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PathTest {
    /// The path.
    pub path: String,
    /// The run.
    pub run: String,
    /// The host.
    #[serde(default)]
    pub host: Option<String>,
    /// The day or the moment.
    #[serde(default)]
    pub date: Option<String>,
    /// The model.
    #[serde(default)]
    pub model: Option<String>,
}

/// Groups that an expression over paths may have.
pub const GROUPS: [&str; 4] = ["host", "model", "date", "epoch"];

impl FleetFile {
    /// Whether every expression is one, with groups that are known, and moments are moments.
    ///
    /// # Errors
    /// Names the first that is none.
    pub fn check(&self) -> Result<(), String> {
        for pattern in &self.paths {
            let find = &pattern.find;
            let regex = Regex::new(find).map_err(|error| format!("`find: {find}`: {error}"))?;
            let unknown = regex.capture_names().flatten().find(|name| !GROUPS.contains(name));
            if let Some(name) = unknown {
                return Err(format!("`find: {find}`: there is no group `{name}`; expected {}", GROUPS.join(", ")));
            }
        }
        if self.stragglers.size_pct <= 0.0 {
            return Err("`stragglers: size_pct`: expected more than 0".to_owned());
        }
        for text in &self.of_one_file {
            Regex::new(text).map_err(|error| format!("`of_one_file: {text}`: {error}"))?;
        }
        for (key, text) in [("earliest", &self.earliest), ("latest", &self.latest)] {
            units::moment(text)
                .ok_or_else(|| format!("`{key}: {text}`: expected a moment such as 2015-01-01T00:00:00Z"))?;
        }
        Ok(())
    }
}
