//! `rules/similarity.yaml`: when launches that no row explains are similar to a family, and what is said of it.

use schemars::JsonSchema;
use serde::Deserialize;

/// Cues, bars, words and roles.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SimilarityFile {
    /// Of the format.
    pub version: u32,
    /// Terms by which alone a kernel is not known.
    #[serde(default)]
    pub vague: Vec<String>,
    /// What similarity rests on.
    pub cues: Cues,
    /// Scores of the levels.
    pub bars: Bars,
    /// Share of the stage's GPU time under which nothing is said.
    pub min_share_pct: f64,
    /// How often a chain of every layer must be there.
    pub min_occurrences: usize,
    /// Links that must be known beside an unknown kernel whose place tells nothing.
    pub min_known: usize,
    /// Links from which on the chain of another framework's family needs no support of its places.
    pub min_links_elsewhere: usize,
    /// Texts of the note.
    pub say: Say,
    /// Runs of launches near nothing.
    pub candidates: CandidateRule,
    /// Where kernels of a kind run.
    pub roles: Vec<Role>,
}

/// The five cues.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cues {
    /// Order of the chain.
    pub chain: CueRule,
    /// Python frames.
    pub sites: CueRule,
    /// CPU ops.
    pub ops: CueRule,
    /// Tensor parallelism.
    pub tp: CueRule,
    /// Recurrence, modules, model.
    pub model: CueRule,
}

/// One cue.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CueRule {
    /// Part of the score.
    pub weight: u32,
    /// As it is called in output.
    pub title: String,
}

/// Scores from 0 to 100.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bars {
    /// From here on: high.
    pub high: u32,
    /// From here on: medium.
    pub medium: u32,
    /// From here on: low; under it nothing is said.
    pub low: u32,
}

/// The note, by what was found.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Say {
    /// A known chain with an unknown kernel.
    pub open: String,
    /// Unknown kernels in the places of a chain.
    pub places: String,
    /// The chain of another framework's family.
    pub elsewhere: String,
}

/// When a run of launches near no family is worth a word.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CandidateRule {
    /// Categories that a run is made of.
    pub categories: Vec<String>,
    /// Launches in it that a chain does not see through.
    pub min_kernels: usize,
    /// More are no one kernel's work.
    pub max_kernels: usize,
    /// Share of the stage's GPU time.
    pub min_share_pct: f64,
    /// How often it must be there.
    pub min_occurrences: usize,
    /// Share of its time that one kernel may take.
    pub max_longest_pct: f64,
    /// What is said of it.
    pub say: String,
}

/// A kind of kernels and the places where they run.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// In words.
    pub role: String,
    /// Links that ask for it.
    pub terms: Vec<String>,
    /// Categories of its kernels.
    pub categories: Vec<String>,
    /// One of several kinds that may stand at its link: nothing but its place tells it.
    #[serde(default)]
    pub special: bool,
    /// Globs of CPU ops.
    #[serde(default)]
    pub ops: Vec<String>,
    /// Parts of Python frames.
    #[serde(default)]
    pub sites: Vec<String>,
    /// Globs of module classes.
    #[serde(default)]
    pub modules: Vec<String>,
}

impl SimilarityFile {
    /// Bars in order, weights and lengths that can be reckoned with, or what is wrong.
    pub fn check(&self) -> Result<(), String> {
        let Bars { high, medium, low } = self.bars;
        if !(0 < low && low < medium && medium < high && high <= 100) {
            return Err(format!("bars {low}, {medium}, {high}: expected low < medium < high, from 1 to 100"));
        }
        let Cues { chain, sites, ops, tp, model } = &self.cues;
        if let Some(cue) = [chain, sites, ops, tp, model].into_iter().find(|cue| cue.weight > 100) {
            return Err(format!("weight {} of {}: expected at most 100", cue.weight, cue.title));
        }
        if chain.weight == 0 {
            return Err("a chain without weight: places alone would make a note".to_owned());
        }
        if self.candidates.min_kernels == 0 {
            return Err("min_kernels 0: a run has at least one kernel".to_owned());
        }
        Ok(())
    }
}
