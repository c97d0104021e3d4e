//! The one line that comes first: what is wrong with the run, what dominates it, what to do first.

use super::cells::{self, nanos};
use super::ranks::words;
use super::{FuseRow, Report, StageInfo};
use crate::rules::schema::report::{GraphSwitch, ReportFile};
use crate::rules::version::within;

/// The summary of a report whose other fields are filled in.
pub(super) fn line(report: &Report, settings: &ReportFile) -> String {
    if report.gpu.launches == 0 {
        let why = report.fitness.first().map_or("No GPU event in the trace.", |fitness| &fitness.finding);
        return format!("{why} Nothing to rank.");
    }
    let shown: Vec<&StageInfo> = report.stages.iter().filter(|stage| stage.shown && stage.launches > 0).collect();
    if shown.is_empty() {
        return cells::sentence(&cells::no_gpu_events(report));
    }
    let mut parts: Vec<String> = launch_bound(report, settings).into_iter().collect();
    parts.extend(shown.into_iter().map(|stage| dominates(stage, settings)));
    let ranks = report.ranks.as_ref().and_then(words::headline);
    parts.extend(ranks.map(|line| format!("{}.", cells::sentence(&line))));
    parts.extend(first_thing(&report.fuse));
    parts.extend(near_nothing(report));
    parts.join(" ")
}

/// A host that cannot keep up makes every other figure secondary.
fn launch_bound(report: &Report, settings: &ReportFile) -> Option<String> {
    let bound: Vec<_> = report.gpu.steps.iter().filter(|step| step.launch_bound == Some(true)).collect();
    let worst = bound
        .iter()
        .copied()
        .max_by(|a, b| a.host_bound_us.unwrap_or(0.0).total_cmp(&b.host_bound_us.unwrap_or(0.0)))?;
    let (span, host) = (worst.span_us?, worst.host_bound_us?);
    let switch = graph_switch(report, settings, &worst.stage);
    let of = if report.gpu.steps.len() == 1 {
        "The step is launch-bound".to_owned()
    } else {
        format!("{} of {} steps are launch-bound, the worst", bound.len(), report.gpu.steps.len())
    };
    Some(format!(
        "{of}: the GPU waits for the host for {:.0} % of {} ({} launches){}.",
        100.0 * host / span,
        nanos(span),
        worst.launches,
        switch.map_or_else(String::new, |switch| format!("; {switch}")),
    ))
}

/// What turns graphs on, in the spelling of the framework's version.
fn graph_switch<'a>(report: &Report, settings: &'a ReportFile, stage: &str) -> Option<&'a str> {
    let framework = report.framework.as_deref().unwrap_or("other");
    let switches = settings.graphs.get(framework).or_else(|| settings.graphs.get("other"))?;
    let version = report.framework_version.as_deref();
    let fits = |switch: &&GraphSwitch| {
        let (since, until) = (switch.since.as_deref(), switch.until.as_deref());
        within(version, since, until).unwrap_or(until.is_none())
            && (switch.stages.is_empty() || switch.stages.iter().any(|one| one == stage))
    };
    switches.iter().find(fits).map(|switch| switch.say.as_str())
}

fn dominates(stage: &StageInfo, settings: &ReportFile) -> String {
    let bar = settings.summary.category_min_pct;
    let categories: Vec<String> = (stage.categories.iter().enumerate())
        .take(settings.summary.categories)
        .filter(|(n, category)| *n == 0 || category.share_pct >= bar)
        .map(|(_, category)| format!("{} {:.1} %", category.category, category.share_pct))
        .collect();
    let title = if stage.stage == "all" { "GPU time" } else { stage.title };
    format!(
        "{title}: {} in {}: {}.",
        nanos(stage.time_us),
        cells::plural(stage.launches, "launch"),
        categories.join(", ")
    )
}

/// Runs of launches that no family knows.
fn near_nothing(report: &Report) -> Option<String> {
    let share: f64 = report.new_candidates.iter().map(|candidate| candidate.share_pct).fold(0.0, f64::max);
    let runs = cells::plural(report.new_candidates.len() as u64, "run");
    (share > 0.0).then(|| format!("Near no family: {runs} of kernels, up to {share:.1} % (new_candidates in JSON)."))
}

/// The split path that could save most, and is no part of another.
fn first_thing(rows: &[FuseRow]) -> Option<String> {
    let open = rows.iter().filter(|row| row.shown && row.could_save_us.is_some_and(|us| us > 0.0));
    let best = open.fold(None, |best: Option<&FuseRow>, row| {
        let better = best.is_none_or(|best| row.could_save_us.unwrap_or(0.0) > best.could_save_us.unwrap_or(0.0));
        if better { Some(row) } else { best }
    })?;
    let sure = if best.confidence == "Confirmed" { "" } else { " (Candidate)" };
    let at = if best.stage == "all" { String::new() } else { format!(" in {}", best.stage) };
    Some(format!(
        "First: {}{sure} is {}{at}, {} times, {}; fusing could save about {} and {} launches (an estimate).",
        best.title,
        best.state,
        best.split.n,
        nanos(best.split.us),
        nanos(best.could_save_us?),
        best.launches_saved.unwrap_or(0),
    ))
}
