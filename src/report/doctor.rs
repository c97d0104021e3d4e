//! The same list as `fitness`, on its own: the JSON contract `llm-prof.doctor/1`.

use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::{Fitness, Report, RulesInfo, Tool, TraceInfo, cells};
use crate::plain;

/// What `doctor` says to programs.
#[derive(Serialize, JsonSchema)]
struct Page<'a> {
    schema: &'static str,
    tool: &'a Tool,
    rules: &'a RulesInfo,
    traces: &'a [TraceInfo],
    framework: Option<&'a str>,
    framework_version: Option<&'a str>,
    fit: bool,
    fitness: Vec<&'a Fitness>,
    verdict: String,
}

/// Whether there is something to judge.
pub fn is_fit(report: &Report) -> bool {
    report.fitness.iter().all(|fitness| fitness.level != "unfit")
}

/// The JSON schema of what [`json`] writes.
pub fn schema() -> Schema {
    schemars::schema_for!(Page)
}

/// The list as JSON, the worst first.
pub fn json(report: &Report) -> String {
    let page = Page {
        schema: "llm-prof.doctor/1",
        tool: &report.tool,
        rules: &report.rules,
        traces: &report.traces,
        framework: report.framework.as_deref(),
        framework_version: report.framework_version.as_deref(),
        fit: is_fit(report),
        fitness: cells::by_level(report),
        verdict: cells::verdict(report),
    };
    plain::json(&page)
}
