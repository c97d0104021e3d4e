//! `llm-prof matrix`: models, and the servers that each is captured from. TOML, written by users.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::{Spanned, Value};

/// A plan.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PlanFile {
    /// Title of the document over all runs.
    #[serde(default)]
    pub title: Option<String>,
    /// Where everything goes; paths of a plan begin at its own folder.
    pub folder: PathBuf,
    /// Models, as the servers call them.
    #[schemars(with = "Vec<String>")]
    pub models: Vec<Spanned<String>>,
    /// Flags of `llm-prof capture` for all runs, by name without `--`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Flag>")]
    pub capture: BTreeMap<String, Spanned<Value>>,
    /// Servers, one after another for each model.
    #[serde(default)]
    pub server: Vec<ServerEntry>,
}

/// Where a model is captured from: a server that runs, or one that is launched for it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServerEntry {
    /// Framework.
    #[schemars(with = "String")]
    pub framework: Spanned<String>,
    /// Name of its runs; a framework that stands twice needs one [default: the framework].
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub name: Option<Spanned<String>>,
    /// Its models [default: all].
    #[serde(default)]
    #[schemars(with = "Option<Vec<String>>")]
    pub models: Option<Vec<Spanned<String>>>,
    /// URL of a server that runs.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub url: Option<Spanned<String>>,
    /// Program and arguments that launch a server; holes are `{model}`, `{port}`, `{dir}` (for traces), `{stacks_on}` (the
    /// copy of `profiler-module`).
    #[serde(default)]
    #[schemars(with = "Option<Vec<String>>")]
    pub launch: Option<Spanned<Vec<String>>>,
    /// Variables of its environment, with the same holes.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Port at which it will answer [default: that of rules/servers/common.yaml, 30000].
    #[serde(default)]
    pub port: Option<u16>,
    /// Longest wait until it answers, s [default: that of rules/servers/common.yaml, 1800].
    #[serde(default)]
    pub ready_seconds: Option<u64>,
    /// Folder for traces; that of a running server that was started with one [default: below `folder`].
    #[serde(default)]
    pub traces: Option<PathBuf>,
    /// The server's profiler module, where its stacks are off: a copy with stacks on is made for the launch.
    #[serde(default)]
    pub profiler_module: Option<PathBuf>,
    /// False where the launch is to do without.
    #[serde(default)]
    pub stacks: Option<bool>,
    /// Flags of `llm-prof capture`, over those of the plan.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Flag>")]
    pub capture: BTreeMap<String, Spanned<Value>>,
}

/// A value of a flag, for the schema.
#[derive(JsonSchema)]
#[serde(untagged)]
pub enum Flag {
    /// A switch.
    Switch(bool),
    /// A number.
    Number(f64),
    /// A word.
    Text(String),
}
