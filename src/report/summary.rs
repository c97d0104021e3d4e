//! The one line that comes first: what is wrong with the run, what dominates it, what to do first.

use super::cells::{self, nanos};
use super::ranks::words;
use super::{FuseRow, OverlapRow, Report, StageInfo};
use crate::kernel_name::{self, KernelName};
use crate::rules::schema::report::{GraphSwitch, ReportFile};
use crate::rules::version::within;

/// Width to which kernel names are shortened.
const NAME_WIDTH: usize = 60;

/// The summary of a report whose other fields are filled in.
pub(super) fn line(report: &Report, settings: &ReportFile) -> String {
    let unfit = report.fitness.iter().find(|fitness| fitness.level == "unfit");
    if report.gpu.launches == 0 || unfit.is_some() {
        let why = unfit.map_or("No GPU event in the trace.", |fitness| &fitness.finding);
        return format!("{why} Nothing to rank.");
    }
    let shown: Vec<&StageInfo> = report.stages.iter().filter(|stage| stage.shown && stage.launches > 0).collect();
    if shown.is_empty() {
        return cells::sentence(&cells::no_gpu_events(report));
    }
    let mut parts: Vec<String> = launch_bound(report, settings).into_iter().collect();
    let stages = shown.len();
    parts.extend(shown.into_iter().map(|stage| dominates(stage, stages, settings)));
    let ranks = report.ranks.as_ref().and_then(words::headline);
    parts.extend(ranks.map(|line| format!("{}.", cells::sentence(&line))));
    parts.extend(first_thing(report));
    parts.extend(near_nothing(report));
    let read = if report.mode == "single-trace" {
        "Overlap was read from one trace."
    } else {
        "Overlap was read from a pair: times of the formal trace, places of the mapping trace."
    };
    parts.push(read.to_owned());
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
        "{of}: the GPU waits for the host for {:.0} % of {}, in a step of {}{}.",
        100.0 * host / span,
        nanos(span),
        cells::plural(worst.launches, "launch"),
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

fn dominates(stage: &StageInfo, stages: usize, settings: &ReportFile) -> String {
    let bar = settings.summary.category_min_pct;
    let categories: Vec<String> = (stage.categories.iter().enumerate())
        .take(settings.summary.categories)
        .filter(|(n, category)| *n == 0 || category.share_pct >= bar)
        .map(|(_, category)| format!("{} {:.1} %", category.category, category.share_pct))
        .collect();
    let title = match stage.stage.as_str() {
        "all" if stages > 1 => "outside every step",
        "all" => "GPU time",
        _ => stage.title,
    };
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

/// What could save most: a split path that is no part of another, proven before guessed, or work that bears out to be
/// independent.
fn first_thing(report: &Report) -> Option<String> {
    match (best_fuse(&report.fuse), best_overlap(&report.overlap)) {
        (Some((us, fuse)), Some((other, overlap))) => Some(if other > us { overlap } else { fuse }),
        (fuse, overlap) => fuse.or(overlap).map(|(_, text)| text),
    }
}

/// `in decode`; a stage that says nothing is not named.
fn at(stage: &str) -> String {
    if stage == "all" { String::new() } else { format!(" in {stage}") }
}

fn best_overlap(rows: &[OverlapRow]) -> Option<(f64, String)> {
    let open = rows.iter().filter(|row| row.shown && row.priority == "P1" && row.could_save_us.is_some());
    let best = open.rev().max_by(|a, b| a.could_save_us.unwrap_or(0.0).total_cmp(&b.could_save_us.unwrap_or(0.0)))?;
    let name = |parts: &KernelName| cells::clean(&kernel_name::shorten(&[parts], NAME_WIDTH).concat());
    let what = best.title.clone().unwrap_or_else(|| name(&best.parts));
    let beside = best.partner_parts.as_ref().map_or_else(String::new, |parts| format!(" beside {}", name(parts)));
    let us = best.could_save_us?;
    let text = format!(
        "First: {what}{}: {} run with nothing beside them; running it{beside} could save about {} (an estimate).",
        at(&best.stage),
        nanos(best.exclusive_us),
        nanos(us),
    );
    Some((us, text))
}

fn best_fuse(rows: &[FuseRow]) -> Option<(f64, String)> {
    let sure = |row: &FuseRow| row.confidence == "Confirmed";
    let saves = |row: &FuseRow| row.could_save_us.unwrap_or(0.0);
    let open = rows.iter().filter(|row| row.shown && row.could_save_us.is_some_and(|us| us > 0.0));
    // What is proven comes before a guess that would save more; of equals, the first row.
    let best = open.rev().max_by(|a, b| sure(a).cmp(&sure(b)).then(saves(a).total_cmp(&saves(b))))?;
    let sure = if sure(best) { "" } else { " (Candidate)" };
    let us = best.could_save_us?;
    let text = format!(
        "First: {}{sure} is {}{}, {} times, {}; fusing could save about {} and {} (an estimate).",
        best.title,
        best.state,
        at(&best.stage),
        cells::count(best.split.n),
        nanos(best.split.us),
        nanos(us),
        cells::plural(best.launches_saved.unwrap_or(0), "launch"),
    );
    Some((us, text))
}
