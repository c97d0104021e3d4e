//! The JSON contract, as [`Report`] has it: written, and read back.

use schemars::Schema;
use serde::Deserialize;

use super::{Report, SCHEMA};
use crate::attribution::Stage;
use crate::kernel_name::KernelName;
use crate::plain;
use crate::rules::RuleSet;

/// The report as pretty JSON with a final newline.
pub fn render(report: &Report) -> String {
    plain::json(report)
}

/// The JSON schema of a report.
pub fn schema() -> Schema {
    schemars::schema_for!(Report)
}

/// Why a text is no report.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// No JSON, or JSON without what a report has.
    #[error("line {line}, column {column}: {what}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong there.
        what: String,
    },
    /// JSON of something else.
    #[error("not a report: expected \"schema\": \"{SCHEMA}\", as `llm-prof triage --format json` writes")]
    Foreign,
    /// A report of another version of the contract.
    #[error("\"schema\" is \"{0}\", and this version reads \"{SCHEMA}\": write the report again with this llm-prof")]
    Version(String),
}

impl From<serde_json::Error> for Unread {
    fn from(error: serde_json::Error) -> Self {
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or(&what).to_owned();
        Self::Json { line: error.line(), column: error.column(), what }
    }
}

/// Which contract a JSON text says it follows; null when it says none.
#[derive(Deserialize)]
struct Head {
    schema: Option<serde_json::Value>,
}

/// A report out of its JSON. What JSON leaves out, since it follows from the rest, comes from `rules`.
///
/// # Errors
/// The text is no JSON, of something else, or of another version.
pub fn read(text: &str, rules: &RuleSet) -> Result<Report, Unread> {
    let mut report = parse(text)?;
    complete(&mut report, rules);
    Ok(report)
}

/// A report as JSON has it: figures and names as they were written, without the titles and parts of names that only the
/// formats for people need.
///
/// # Errors
/// As of [`read`].
pub fn parse(text: &str) -> Result<Report, Unread> {
    let head: Head = serde_json::from_str(text)?;
    let said = head.schema.as_ref().and_then(serde_json::Value::as_str).ok_or(Unread::Foreign)?;
    if said != SCHEMA {
        let name = |schema: &str| schema.split('/').next().map(str::to_owned);
        return Err(if name(said) == name(SCHEMA) { Unread::Version(said.to_owned()) } else { Unread::Foreign });
    }
    Ok(serde_json::from_str(text)?)
}

fn complete(report: &mut Report, rules: &RuleSet) {
    let parts = |name: &str| KernelName::parse(name, &rules.names);
    let title = |stage: &str| Stage::from_id(stage).unwrap_or(Stage::All).title();
    report.framework_title = report.framework.as_ref().map(|id| rules.report.titles.get(id).unwrap_or(id).clone());
    report.rank_rows = rules.report.ranks.rows;
    for stage in &mut report.stages {
        stage.title = title(&stage.stage);
    }
    for row in &mut report.kernels {
        row.parts = parts(&row.name);
    }
    for kernel in report.fuse.iter_mut().flat_map(|row| &mut row.kernels) {
        kernel.parts = parts(&kernel.name);
    }
    let of_fuse = report.fuse.iter_mut().flat_map(|row| &mut row.examples);
    for launch in of_fuse
        .chain(report.overlap.iter_mut().filter_map(|row| row.example.as_mut()))
        .flat_map(|example| &mut example.launches)
    {
        launch.parts = parts(&launch.kernel);
    }
    for row in &mut report.overlap {
        row.parts = parts(&row.kernel);
        row.partner_parts = row.partner.as_deref().map(parts);
    }
    for edge in
        report.gpu.steps.iter_mut().flat_map(|step| &mut step.gaps).flat_map(|gap| [&mut gap.after, &mut gap.ended_by])
    {
        edge.parts = parts(&edge.kernel);
    }
    for launch in report.timelines.iter_mut().flatten().flat_map(|timeline| &mut timeline.launches) {
        launch.parts = parts(&launch.kernel);
    }
    for kernel in report.typical_steps.iter_mut().flatten().flat_map(|step| &mut step.kernels) {
        kernel.parts = parts(&kernel.name);
    }
    let Some(ranks) = &mut report.ranks else { return };
    for stage in &mut ranks.stages {
        stage.title = title(&stage.stage);
        stage.shown = report.stages.iter().find(|own| own.stage == stage.stage).is_none_or(|own| own.shown);
    }
    for row in &mut ranks.stragglers {
        row.parts = parts(&row.kernel);
    }
    for row in &mut ranks.collectives {
        row.parts = parts(&row.kernel);
    }
}
