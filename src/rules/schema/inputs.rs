//! `rules/inputs.yaml`: what file names say when the contents do not.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// The file. Globs, case ignored.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputsFile {
    /// Of the format.
    pub version: u32,
    /// Files of a folder that may be traces.
    pub candidates: Vec<String>,
    /// Files that never are.
    pub ignored: Vec<String>,
    /// The server's arguments.
    pub server_args: Vec<String>,
    /// Traces of the process that takes requests.
    pub frontend: Vec<String>,
    /// Traces of all ranks in one file.
    pub merged: Vec<String>,
    /// Traces of graph captures.
    pub capture: CaptureNames,
    /// Endings cut off for `{stem}`.
    pub endings: Vec<String>,
    /// Rank by name.
    pub ranks: Vec<RankName>,
    /// Other coordinates of a worker, `{n}` the number.
    pub parallel: Vec<String>,
    /// Words of a name by stage id.
    pub stages: BTreeMap<String, Vec<String>>,
    /// Folders that belong to the run of the folder they are in.
    pub part_folders: Vec<String>,
    /// Memory that a trace is expected to take, when several are read side by side.
    pub memory: MemoryEstimate,
}

/// Memory that a trace is expected to take.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemoryEstimate {
    /// Whatever its size is.
    pub base_mb: u64,
    /// Of the JSON.
    pub of_json_pct: u64,
    /// Bytes of JSON for each byte of a packed file that does not tell.
    pub ratio: u64,
}

/// A way to write a rank.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RankName {
    /// `{n}` is the number.
    pub pattern: String,
    /// False where the number may as well be a size.
    pub sure: bool,
}

/// How captures are named.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureNames {
    /// File names.
    pub names: Vec<String>,
    /// Folder names.
    pub folders: Vec<String>,
    /// What stands beside a trace given as a file.
    pub beside: Vec<String>,
}
