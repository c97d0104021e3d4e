//! A run: a finished report, and what is known of how it was captured.

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::{Report, StageInfo};
use crate::rules::schema::compare::CaptureFacts;

/// A report with the name it goes by.
#[derive(Clone, Debug)]
pub struct Run {
    /// The trace or the report, as given.
    pub path: String,
    /// What was found in it.
    pub report: Report,
    /// What the capture beside the trace was asked for; empty when there is none.
    pub capture: Vec<CaptureValue>,
}

/// One fact of a capture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CaptureValue {
    /// What people call it.
    pub says: String,
    /// As JSON, a text without its quotes.
    pub value: String,
    /// Whether a gate on a baseline is blind when it differs.
    #[serde(skip)]
    pub gates: bool,
}

impl CaptureValue {
    /// What a `capture.json` says of the facts that are compared; what it does not say is not there.
    pub fn all(file: &serde_json::Value, settings: &CaptureFacts) -> Vec<Self> {
        let look = |key: &str| key.split('.').try_fold(file, |value, part| value.get(part)).filter(|v| !v.is_null());
        (settings.facts.iter())
            .filter_map(|fact| {
                let value = look(&fact.key)?;
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                Some(Self { says: fact.says.clone(), value, gates: fact.gates })
            })
            .collect()
    }
}

impl Run {
    /// `SGLang 0.5.23, qwen3, TP 1, AMD Instinct MI300X`; what is unknown is not there.
    pub fn about(&self) -> String {
        let report = &self.report;
        let mut facts: Vec<String> = Vec::new();
        if let Some(title) = &report.framework_title {
            let version = report.framework_version.as_ref().map_or_else(String::new, |version| format!(" {version}"));
            facts.push(format!("{title}{version}"));
        }
        facts.extend(report.model.clone());
        facts.extend(report.tp.map(|tp| format!("TP {tp}")));
        facts.extend(report.hardware.clone());
        facts.join(", ")
    }

    /// A stage with GPU events.
    pub fn stage(&self, id: &str) -> Option<&StageInfo> {
        self.report.stages.iter().find(|stage| stage.stage == id && stage.launches > 0)
    }

    /// Stages with GPU events, in order; what was launched between the steps only where tables show it.
    pub fn stages(&self) -> impl Iterator<Item = &StageInfo> {
        self.report.stages.iter().filter(|stage| stage.launches > 0 && stage.shown)
    }

    /// What makes the trace unfit to judge, when something does.
    pub fn unfit(&self) -> Option<String> {
        let unfit = self.report.fitness.iter().find(|fitness| fitness.level == "unfit");
        unfit
            .map(|fitness| format!("{} {}", fitness.finding, fitness.fix))
            .or_else(|| (self.report.gpu.launches == 0).then(|| "No GPU event.".to_owned()))
    }
}
