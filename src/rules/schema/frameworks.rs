//! `rules/frameworks.yaml`: how a framework shows, and where facts of the run are read.

use schemars::JsonSchema;
use serde::Deserialize;

use super::pattern::{PatternText, patterns};
use crate::attribution::{FactKeys, Framework, Settings};

/// The file as written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrameworksFile {
    /// Version of the format.
    pub version: u32,
    /// Ids in the order in which a document of several has them.
    #[serde(default)]
    pub order: Vec<String>,
    frameworks: Vec<FrameworkEntry>,
    #[serde(default)]
    model_args: Vec<String>,
    #[serde(default)]
    tp_args: Vec<String>,
    #[serde(default)]
    version_args: Vec<String>,
    #[serde(default)]
    model_files: Vec<PatternText>,
    #[serde(default)]
    no_models: Vec<String>,
    #[serde(default)]
    model_modules: Vec<PatternText>,
    #[serde(default)]
    tp_frames: Vec<PatternText>,
    #[serde(default)]
    tp_kernels: Vec<PatternText>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FrameworkEntry {
    id: String,
    #[serde(default)]
    ops: Vec<PatternText>,
    #[serde(default)]
    processes: Vec<PatternText>,
    #[serde(default)]
    server_args: Vec<String>,
}

impl FrameworksFile {
    /// Fills its part of the settings.
    pub fn fill(self, settings: &mut Settings) {
        settings.frameworks = self
            .frameworks
            .into_iter()
            .map(|f| Framework {
                id: f.id,
                ops: patterns(f.ops),
                processes: patterns(f.processes),
                server_args: f.server_args,
            })
            .collect();
        settings.facts = FactKeys {
            model_args: self.model_args,
            tp_args: self.tp_args,
            version_args: self.version_args,
            model_files: patterns(self.model_files),
            no_models: self.no_models,
            model_modules: patterns(self.model_modules),
            tp_frames: patterns(self.tp_frames),
            tp_kernels: patterns(self.tp_kernels),
        };
    }
}
