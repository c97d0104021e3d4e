//! A report in, its rows of the five tables out.

use std::collections::BTreeSet;

use crate::report::{FuseRow, Report, StepInfo, ToggleInfo, cells};

use super::{FindingRow, KernelRow, Key, Origins, OverlapRow, Row, RunRow, StepRow};

/// The rows of a report: table by table in the order of [`super::TABLES`], within a table in the order of the report.
pub fn rows(report: &Report, origins: &Origins) -> Vec<Row> {
    let origin = origins.of(report);
    let key = &origin.key;
    let counted = counted(&report.fuse);
    let stage_us = |stage: &str| report.stages.iter().find(|own| own.stage == stage).map_or(0.0, |own| own.time_us);
    let mut rows = vec![Row::Runs(Box::new(run(report, key, origin.date.clone(), origin.model.clone())))];
    rows.extend(report.gpu.steps.iter().map(|info| Row::Steps(Box::new(step(info, key)))));
    rows.extend(report.kernels.iter().map(|row| Row::Kernels(Box::new(kernel(row, key)))));
    rows.extend(report.fuse.iter().map(|row| {
        let counts = counted.contains(row.id.as_str());
        Row::Findings(Box::new(finding(row, key, stage_us(&row.stage), counts)))
    }));
    rows.extend(report.overlap.iter().map(|row| Row::Overlap(Box::new(overlap(row, key, stage_us(&row.stage))))));
    rows
}

/// Ids of the rows whose estimates may be added up: of rows that share launches the one with the largest counts. What is
/// covered by a row counts there.
fn counted(rows: &[FuseRow]) -> BTreeSet<&str> {
    let mut open: Vec<&FuseRow> =
        rows.iter().filter(|row| row.covered_by.is_none() && row.could_save_us.is_some()).collect();
    let saves = |row: &FuseRow| row.could_save_us.unwrap_or(0.0);
    open.sort_by(|a, b| saves(b).total_cmp(&saves(a)).then_with(|| a.id.cmp(&b.id)));
    let mut counted: Vec<&FuseRow> = Vec::new();
    for row in open {
        let shares = |other: &&FuseRow| other.overlaps_with.contains(&row.id) || row.overlaps_with.contains(&other.id);
        if !counted.iter().any(shares) {
            counted.push(row);
        }
    }
    counted.into_iter().map(|row| row.id.as_str()).collect()
}

fn run(report: &Report, key: &Key, date: Option<String>, model: Option<String>) -> RunRow {
    let stages: Vec<&str> =
        report.stages.iter().filter(|stage| stage.launches > 0).map(|stage| stage.stage.as_str()).collect();
    let codes: Vec<&str> = report.fitness.iter().map(|fitness| fitness.code.as_str()).collect();
    RunRow {
        key: key.clone(),
        date,
        model,
        tp: report.tp,
        framework: report.framework.clone(),
        framework_version: report.framework_version.clone(),
        hardware: report.hardware.clone(),
        mode: report.mode.clone().into_owned(),
        tool_version: report.tool.version.clone().into_owned(),
        rules_version: report.rules.version.clone(),
        rules_digest: report.rules.digest.clone(),
        gpu_us: report.gpu.total_us,
        launches: report.gpu.launches,
        steps: report.gpu.steps.len() as u64,
        stages: stages.join(", "),
        unfit: report.fitness.iter().any(|fitness| fitness.level == "unfit"),
        fitness: codes.join(", "),
        server_args: serde_json::to_string(&report.server_args.fields).unwrap_or_default(),
        summary: report.summary.clone(),
    }
}

fn step(info: &StepInfo, key: &Key) -> StepRow {
    StepRow {
        key: key.clone(),
        stage: info.stage.clone(),
        n: info.n,
        span_us: info.span_us,
        busy_us: info.busy_us,
        idle_us: info.idle_us,
        host_bound_us: info.host_bound_us,
        communication_us: info.communication_us,
        exposed_communication_us: info.exposed_communication_us,
        launches: info.launches,
        tokens: info.tokens,
        requests: info.requests,
        launch_bound: info.launch_bound,
    }
}

fn kernel(row: &crate::report::KernelRow, key: &Key) -> KernelRow {
    let site = row.sites.first();
    KernelRow {
        key: key.clone(),
        stage: row.stage.clone(),
        id: row.id.clone(),
        shown: row.shown,
        name: row.name.clone(),
        identifier: row.identifier.clone(),
        category: row.category.clone(),
        time_us: row.time_us,
        share_pct: row.share_pct,
        launches: row.launches,
        exclusive_us: row.exclusive_us,
        hidden_us: row.hidden_us,
        hidden_by_compute_us: row.hidden_by_compute_us,
        location: site.and_then(|site| site.location.clone()),
        module: site.and_then(|site| site.module.clone()),
    }
}

fn finding(row: &FuseRow, key: &Key, stage_us: f64, counts: bool) -> FindingRow {
    FindingRow {
        key: key.clone(),
        stage: row.stage.clone(),
        id: row.id.clone(),
        shown: row.shown,
        family: row.family.clone(),
        title: row.title.clone(),
        origin: row.origin.clone(),
        state: row.state.clone(),
        confidence: row.confidence.clone(),
        action: row.action.clone(),
        time_us: row.time_us,
        share_pct: row.share_pct,
        stage_us,
        could_save_us: row.could_save_us,
        at_stake_us: row.could_save_us.map(|us| if counts { us } else { 0.0 }),
        launches_saved: row.launches_saved,
        occurrences: row.occurrences,
        per_step: row.per_step,
        fused_n: row.fused.n,
        fused_us: row.fused.us,
        split_n: row.split.n,
        split_us: row.split.us,
        covered_by: row.covered_by.clone(),
        overlaps_with: row.overlaps_with.join(", "),
        toggles: toggles(&row.toggles),
        advice: row.advice.clone(),
    }
}

fn overlap(row: &crate::report::OverlapRow, key: &Key, stage_us: f64) -> OverlapRow {
    OverlapRow {
        key: key.clone(),
        stage: row.stage.clone(),
        id: row.id.clone(),
        shown: row.shown,
        family: row.family.clone(),
        title: row.title.clone(),
        priority: row.priority.clone(),
        verdict: row.verdict.clone(),
        kernel: row.kernel.clone(),
        category: row.category.clone(),
        scope: row.scope.clone(),
        partner: row.partner.clone(),
        launches: row.launches,
        time_us: row.time_us,
        share_pct: row.share_pct,
        stage_us,
        exclusive_us: row.exclusive_us,
        hidden_us: row.hidden_us,
        hidden_by_compute_us: row.hidden_by_compute_us,
        risk: row.risk.clone(),
        could_save_us: row.could_save_us,
        waiting_us: row.waiting_us,
        recommendation: row.recommendation.clone(),
        toggles: toggles(&row.toggles),
    }
}

fn toggles(toggles: &[ToggleInfo]) -> String {
    cells::toggles(toggles).join(", ")
}
