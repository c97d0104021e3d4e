//! `rules/server-log.yaml`: what a server's log says beside the trace.

use schemars::JsonSchema;
use serde::Deserialize;

/// The file.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerLogFile {
    /// Of the format.
    pub version: u32,
    /// Lines that end the work.
    pub gates: Vec<LogGate>,
    /// Lines that name fused paths asked for.
    pub witnesses: Vec<LogWitness>,
}

/// Lines after which the trace is unfit for the question.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogGate {
    /// Stable code.
    pub code: String,
    /// Parts of a line, any of them.
    pub lines: Vec<String>,
    /// What is so.
    pub finding: String,
    /// What to do.
    pub fix: String,
}

/// Lines that say which fused paths the server asked for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogWitness {
    /// Framework that writes it.
    pub framework: String,
    /// First version, for the reader of this file.
    #[serde(default)]
    pub since: Option<String>,
    /// Part of the line.
    pub line: String,
    /// Names of toggles; `{item}` is a word of the list behind `line`.
    pub toggles: Vec<String>,
}
