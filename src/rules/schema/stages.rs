//! `rules/stages.yaml`: step annotations.

use schemars::JsonSchema;
use serde::Deserialize;

use super::pattern::PatternText;
use crate::attribution::{Settings, Stage, StepCase, StepFormat, StepStage};

/// The file as written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StagesFile {
    /// Version of the format.
    pub version: u32,
    steps: Vec<StepEntry>,
    #[serde(default)]
    not_steps: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StepEntry {
    pattern: PatternText,
    #[serde(default, rename = "about")]
    _about: Option<String>,
    framework: Option<String>,
    stage: StageWord,
    tokens_each: Option<i64>,
    cases: Vec<CaseEntry>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CaseEntry {
    name: String,
    stage: StageWord,
    tokens: Option<i64>,
    requests: Option<i64>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum StageWord {
    Prefill,
    Decode,
    Mixed,
    Capture,
    All,
    ByRequests,
    Bound,
}

impl StageWord {
    fn step(self) -> StepStage {
        match self {
            Self::Prefill => StepStage::Is(Stage::Prefill),
            Self::Decode => StepStage::Is(Stage::Decode),
            Self::Mixed => StepStage::Is(Stage::Mixed),
            Self::Capture => StepStage::Is(Stage::Capture),
            Self::All => StepStage::Is(Stage::All),
            Self::ByRequests => StepStage::ByRequests,
            Self::Bound => StepStage::Bound,
        }
    }
}

impl StagesFile {
    /// Fills its part of the settings; the error names the entry.
    pub fn fill(self, settings: &mut Settings) -> Result<(), String> {
        settings.steps = self
            .steps
            .into_iter()
            .map(|entry| {
                let stage = entry.stage.step();
                let cases = entry.cases.into_iter().map(CaseEntry::case).collect::<Result<_, _>>()?;
                let StepEntry { pattern, framework, tokens_each, .. } = entry;
                Ok(StepFormat { pattern: pattern.into(), stage, framework, tokens_each, cases })
            })
            .collect::<Result<_, String>>()?;
        settings.not_steps = self.not_steps;
        Ok(())
    }
}

impl CaseEntry {
    fn case(self) -> Result<StepCase, String> {
        let StepStage::Is(stage) = self.stage.step() else {
            return Err(format!(
                "case `{}`: its stage is what comes out, one of prefill, decode, mixed, capture, all",
                self.name
            ));
        };
        Ok(StepCase { name: self.name, stage, tokens: self.tokens, requests: self.requests })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribution::read_step;

    fn shipped() -> Settings {
        let file: StagesFile =
            serde_yaml::from_str(include_str!("../../../rules/stages.yaml")).expect("rules/stages.yaml loads");
        let mut settings = Settings::default();
        file.fill(&mut settings).expect("rules/stages.yaml is right");
        settings
    }

    /// Each case is found by its own format, not by one before it, and says what it must.
    #[test]
    fn every_format_reads_its_cases() {
        let settings = shipped();
        for (at, format) in settings.steps.iter().enumerate() {
            assert!(!format.cases.is_empty(), "`{}` has no case", format.pattern);
            for case in &format.cases {
                let first = settings.steps.iter().position(|f| f.pattern.matches(&case.name));
                assert_eq!(first, Some(at), "`{}` is not read by `{}`", case.name, format.pattern);
                let says = read_step(&case.name, &settings.steps).unwrap();
                let seen = (says.stage.unwrap_or(Stage::All), says.tokens, says.requests);
                assert_eq!(seen, (case.stage, case.tokens, case.requests), "`{}`", case.name);
            }
        }
    }

    #[test]
    fn near_misses_are_no_steps() {
        let settings = shipped();
        assert!(!settings.not_steps.is_empty());
        for name in &settings.not_steps {
            assert_eq!(read_step(name, &settings.steps), None, "`{name}`");
        }
    }

    #[test]
    fn a_case_says_what_comes_out() {
        let yaml = "version: 1\nsteps: [{ pattern: a, stage: bound, cases: [{ name: a, stage: bound }] }]\n";
        let file: StagesFile = serde_yaml::from_str(yaml).unwrap();
        assert!(file.fill(&mut Settings::default()).unwrap_err().contains("case `a`"));
    }

    #[test]
    fn a_broken_pattern_is_an_error_at_its_place() {
        let yaml = "version: 1\nsteps:\n  - pattern: step{n\n    stage: bound\n    cases: []\n";
        let error = serde_yaml::from_str::<StagesFile>(yaml).unwrap_err().to_string();
        assert!(error.contains("without `}`"), "{error}");
    }
}
