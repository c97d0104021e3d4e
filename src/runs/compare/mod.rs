//! Two runs in, [`Comparison`] out: what got slower and why.

mod align;
mod differences;
mod families;
pub mod html;
pub mod markdown;
mod measure;
mod model;
mod parts;
mod summary;
pub mod text;
mod words;

use super::Run;
use crate::report::{KernelRow, StageInfo};
use crate::rules::schema::compare::CompareFile;
use align::Group;
pub(super) use differences::field;
use families::Alignment;
use measure::Measure;
pub use model::*;
pub(super) use words::amount;

/// The second run beside the first.
pub fn compare(before: &Run, after: &Run, settings: &CompareFile) -> Comparison {
    let (ours, theirs) = (&before.report.framework, &after.report.framework);
    let by_pattern = ours.is_some() && theirs.is_some() && ours != theirs;
    let alignment = Alignment { by_pattern, settings };
    let mut stages = Vec::new();
    let mut families = Vec::new();
    for stage in before.stages() {
        let Some(other) = after.stages().find(|other| other.stage == stage.stage) else { continue };
        let measure = Measure::of((&before.report, stage), (&after.report, other), settings.noise);
        families.extend(families::changes(before, after, &stage.stage, &measure, alignment));
        stages.push(stage_change(before, after, (stage, other), &measure, alignment));
    }
    families::sort(&mut families);
    let only = |run: &Run| -> Vec<String> {
        run.stages().map(|stage| stage.stage.clone()).filter(|id| stages.iter().all(|both| both.stage != *id)).collect()
    };
    let (only_before, only_after) = (only(before), only(after));
    let mut comparison = Comparison {
        schema: "llm-prof.compare/1",
        before: info(before),
        after: info(after),
        aligned_by: if by_pattern { "pattern" } else { "family" },
        differences: differences::all(before, after, settings),
        families,
        stages,
        only_before,
        only_after,
        summary: String::new(),
    };
    comparison.summary = summary::line(&comparison);
    comparison
}

fn info(run: &Run) -> RunInfo {
    let report = &run.report;
    RunInfo {
        path: run.path.clone(),
        framework: report.framework.clone(),
        about: run.about(),
        framework_version: report.framework_version.clone(),
        model: report.model.clone(),
        tp: report.tp,
        hardware: report.hardware.clone(),
        rules: report.rules.digest.clone(),
        capture: run.capture.clone(),
    }
}

fn stage_change(
    before: &Run,
    after: &Run,
    stages: (&StageInfo, &StageInfo),
    measure: &Measure,
    alignment: Alignment,
) -> StageChange {
    let (ours, theirs) = stages;
    let (old, new) = (rows(before, &ours.stage), rows(after, &ours.stage));
    // Modules of two frameworks have nothing in common but luck.
    let modules = if alignment.by_pattern {
        Vec::new()
    } else {
        parts::modules(&old, &new, measure, alignment.settings.trunk_pct)
    };
    let stepped = measure.unit == Unit::UsPerStep;
    let time = if stepped { measure.time(Some(ours.time_us), Some(theirs.time_us)) } else { Change::default() };
    let span = if stepped { measure.change(span(before, ours), span(after, theirs)) } else { Change::default() };
    let mut kernels: Vec<KernelChange> =
        align::align(old, new).iter().map(|group| kernel_change(group, measure)).collect();
    sort(&mut kernels);
    StageChange {
        stage: ours.stage.clone(),
        title: ours.title.to_string(),
        unit: measure.unit,
        steps_before: ours.steps,
        steps_after: theirs.steps,
        spread_pct: measure.spread_pct,
        time,
        span,
        launches: measure.count(ours.launches, theirs.launches),
        categories: parts::categories(ours, theirs, measure),
        modules,
        kernels,
    }
}

/// The kernels of a stage.
fn rows<'r>(run: &'r Run, stage: &str) -> Vec<&'r KernelRow> {
    run.report.kernels.iter().filter(|row| row.stage == stage).collect()
}

/// The average step, first to last GPU event.
fn span(run: &Run, stage: &StageInfo) -> Option<f64> {
    let steps = run.report.gpu.steps.iter().filter(|step| step.stage == stage.stage);
    let spans: Vec<f64> = steps.filter_map(|step| step.span_us).collect();
    (!spans.is_empty()).then(|| spans.iter().sum::<f64>() / spans.len() as f64)
}

fn kernel_change(group: &Group, measure: &Measure) -> KernelChange {
    let sides = |rows: &[&KernelRow]| -> Vec<KernelSide> {
        let side =
            |row: &&KernelRow| KernelSide { row: row.id.clone(), name: row.name.clone(), parts: row.parts.clone() };
        rows.iter().map(side).collect()
    };
    let time = |rows: &[&KernelRow]| (!rows.is_empty()).then(|| rows.iter().map(|row| row.time_us).sum());
    let launches = |rows: &[&KernelRow]| rows.iter().map(|row| row.launches).sum();
    let lead = group.before.first().or(group.after.first());
    KernelChange {
        id: format!("compare/{}", lead.map_or("", |row| row.id.as_str())),
        category: lead.map_or_else(String::new, |row| row.category.clone()),
        place: lead.and_then(|row| align::place(row)),
        paired_by: group.by,
        before: sides(&group.before),
        after: sides(&group.after),
        time: measure.time(time(&group.before), time(&group.after)),
        launches: measure.count(launches(&group.before), launches(&group.after)),
    }
}

/// Slower, faster, vanished, appeared, then the rest, each by size of the difference.
fn sort(kernels: &mut [KernelChange]) {
    let rank = |change: &KernelChange| match change.time.verdict {
        Some("slower" | "more") => 0,
        Some("faster" | "less") => 1,
        Some("vanished") => 2,
        Some("appeared") => 3,
        _ => 4,
    };
    kernels.sort_by(|a, b| {
        let by_size = || parts::size(&b.time).total_cmp(&parts::size(&a.time));
        rank(a).cmp(&rank(b)).then_with(by_size).then_with(|| a.id.cmp(&b.id))
    });
}

/// The JSON contract, as [`Comparison`] has it, with a final newline.
pub fn json(comparison: &Comparison) -> String {
    crate::plain::json(comparison)
}
