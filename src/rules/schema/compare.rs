//! `rules/compare.yaml`: what two runs are compared by, and when a difference is one.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// The file.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompareFile {
    /// Of the format.
    pub version: u32,
    /// When a difference is called slower or faster.
    pub noise: NoiseSettings,
    /// What a gate on a baseline allows unless the user says otherwise, in per cent.
    pub threshold_pct: f64,
    /// Tokens or requests of a step that differ by more than this are told, in per cent.
    pub lengths_pct: f64,
    /// Rows of a table that people read.
    pub rows: usize,
    /// A module with this part of its model's time is the model, its stack of layers, or the layer; what is in it are the
    /// parts.
    pub trunk_pct: f64,
    /// Families that say one pattern though the last parts of their ids differ, by the pattern's name.
    pub patterns: BTreeMap<String, Vec<String>>,
    /// What must be alike for times to be of one question.
    pub facts: Vec<Fact>,
    /// What a capture wrote of itself beside its traces.
    pub capture: CaptureFacts,
    /// Codes of the fitness list that bend the figures of a run.
    pub bends_figures: Vec<String>,
    /// Codes of the fitness list with which an absence proves nothing.
    pub absence_unproven: Vec<String>,
}

/// When a difference is called slower or faster.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoiseSettings {
    /// Part of what was there before, where both runs have several steps.
    pub several_steps_pct: f64,
    /// The same where one of them has a single step.
    pub one_step_pct: f64,
    /// Part of the stage.
    pub stage_pct: f64,
    /// Points of share, where there is no time a step.
    pub share_points: f64,
}

/// A field of a report that should be alike.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// The field.
    pub field: FactField,
    /// What people call it.
    pub says: String,
    /// Whether a gate on a baseline is blind when it differs.
    #[serde(default)]
    pub gates: bool,
}

/// A field of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FactField {
    /// Model.
    Model,
    /// Device name.
    Hardware,
    /// Tensor-parallel size.
    Tp,
    /// Framework.
    Framework,
    /// Its version.
    FrameworkVersion,
    /// Single trace or pair.
    Mode,
}

/// What a capture wrote of itself.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureFacts {
    /// Names of the file, beside the trace or one folder up.
    pub files: Vec<String>,
    /// What of it is compared.
    pub facts: Vec<CaptureFact>,
}

/// One fact of a capture.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureFact {
    /// Dotted path of its key.
    pub key: String,
    /// What people call it.
    pub says: String,
    /// Whether a gate on a baseline is blind when it differs.
    #[serde(default)]
    pub gates: bool,
}

impl CompareFile {
    /// What the families of one pattern are called: the name in `patterns`, else the last part of the id.
    pub fn pattern<'a>(&'a self, family: &'a str) -> &'a str {
        let listed = self.patterns.iter().find(|(_, ids)| ids.iter().any(|id| id == family));
        listed.map_or_else(|| family.rsplit('/').next().unwrap_or(family), |(name, _)| name)
    }
}
