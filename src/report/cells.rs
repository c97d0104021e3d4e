//! What all formats for people say in the same words: cells, header lines, reasons for empty tables.

use super::{EvidenceKernel, FuseRow, KernelRow, Report, Site, StageInfo, StepInfo, TraceInfo};
use crate::units::{Nanos, percent};

/// Integer time of a JSON figure.
pub(super) fn nanos(us: f64) -> Nanos {
    Nanos((us * 1000.0).round() as i64)
}

/// `8.70 ms`.
pub(super) fn time(us: f64) -> String {
    nanos(us).human()
}

/// `24.7 %`.
pub(super) fn share(pct: f64) -> String {
    format!("{pct:.1} %")
}

/// `22 290` with thin separators.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && digits.len() > 4 {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `1 step`, `3 steps`.
pub(super) fn plural(n: u64, one: &str) -> String {
    match one {
        _ if n == 1 => format!("1 {one}"),
        "launch" => format!("{} launches", count(n)),
        _ => format!("{} {one}s", count(n)),
    }
}

/// Text of a trace made safe for a terminal: control characters are shown, never sent.
pub(super) fn clean(text: &str) -> String {
    let unsafe_for_lines =
        |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c);
    if text.contains(unsafe_for_lines) {
        text.chars().map(|c| if unsafe_for_lines(c) { '\u{fffd}' } else { c }).collect()
    } else {
        text.to_owned()
    }
}

/// The innermost class of a module path; JSON has the whole of it.
fn module_tail(module: &str) -> &str {
    module.rsplit('.').next().unwrap_or(module)
}

/// A place in words: site, else module, with how it was found when that is no plain reading of the trace.
pub(super) fn place(site: &Site) -> String {
    let mut text = match (&site.location, &site.module) {
        (Some(location), Some(module)) => format!("{} in {}", clean(location), clean(module_tail(module))),
        (Some(location), None) => clean(location),
        (None, Some(module)) => clean(module_tail(module)),
        (None, None) => return "location unknown".to_owned(),
    };
    text.push_str(found(&site.found_by));
    text
}

/// How a place was found, when that is worth a word.
pub(super) fn found(found_by: &str) -> &'static str {
    match found_by {
        "position" => " (by position in the capture)",
        "mapping" => " (from the mapping)",
        _ => "",
    }
}

/// Places of a kernel, the first `most`, with their shares when there are several.
pub(super) fn places(row: &KernelRow, most: usize) -> Vec<String> {
    if row.sites.iter().all(|site| site.location.is_none() && site.module.is_none()) {
        return Vec::new();
    }
    let mut lines: Vec<String> = (row.sites.iter().take(most))
        .map(
            |site| {
                if row.sites.len() == 1 { place(site) } else { format!("{} {}", share(site.share_pct), place(site)) }
            },
        )
        .collect();
    let rest: f64 = row.sites.iter().skip(most).map(|site| site.share_pct).sum();
    if row.sites.len() > most {
        let n = (row.sites.len() - most) as u64;
        lines.push(format!("{} in {}", share(rest), plural(n, "more place")));
    }
    lines
}

/// One line a file.
pub(super) fn trace(info: &TraceInfo) -> String {
    let mut facts = Vec::new();
    facts.extend(info.rank.map(|rank| format!("rank {rank}")));
    facts.extend(info.device.as_ref().map(|device| format!("device {}", clean(device))));
    if !info.reason.is_empty() {
        facts.push(clean(&info.reason));
    }
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join("; ")) };
    format!("{}{facts}", clean(&info.path))
}

/// The header: key and value, in order. Keys may repeat.
pub(super) fn header(report: &Report) -> Vec<(&'static str, String)> {
    let unknown = || "unknown".to_owned();
    let mut lines = Vec::new();
    let (taken, left): (Vec<_>, Vec<_>) = report.traces.iter().partition(|info| info.taken);
    for info in taken {
        let key = if info.role == "capture" { "Capture" } else { "Trace" };
        lines.push((key, trace(info)));
        lines.extend(info.warnings.iter().map(|warning| ("Warning", clean(warning))));
    }
    let most = if left.len() > 9 { 8 } else { left.len() };
    lines.extend(left.iter().take(most).map(|info| ("Left", trace(info))));
    if left.len() > most {
        lines.push(("Left", format!("{} more files, listed with --format json", left.len() - most)));
    }
    let framework = match (&report.framework_title, &report.framework_version) {
        (Some(title), Some(version)) => format!("{} {}", clean(title), clean(version)),
        (Some(title), None) => clean(title),
        _ => unknown(),
    };
    lines.push(("Framework", framework));
    let tp = report.tp.map_or_else(|| "TP unknown".to_owned(), |tp| format!("TP {tp}"));
    lines.push(("Model", format!("{}, {tp}", report.model.as_ref().map_or_else(unknown, |model| clean(model)))));
    lines.push(("Hardware", report.hardware.as_ref().map_or_else(unknown, |hardware| clean(hardware))));
    if !report.server_args.fields.is_empty() {
        let fields: Vec<String> = report
            .server_args
            .fields
            .iter()
            .map(|(name, value)| format!("{}={}", clean(name), clean(&value.to_string())))
            .collect();
        lines.push(("Server", fields.join(", ")));
    }
    lines.push(("Mode", report.mode.to_owned()));
    for stage in report.stages.iter().filter(|stage| stage.launches > 0 || stage.steps > 0) {
        lines.push(("Stage", format!("{}: {}", stage.title, stage_line(report, stage))));
    }
    lines.push((
        "Rules",
        format!("{} ({}), {}", report.rules.version, report.rules.digest, plural_families(report.rules.families)),
    ));
    lines
}

fn plural_families(n: usize) -> String {
    if n == 1 { "1 family".to_owned() } else { format!("{n} families") }
}

/// `1 step · 96.0 µs of GPU kernel time in 6 launches`.
pub(super) fn stage_short(report: &Report, stage: &StageInfo) -> String {
    let remainder =
        stage.stage == "all" && report.stages.iter().any(|other| other.stage != "all" && other.launches > 0);
    let whole = format!("{} of GPU kernel time in {}", time(stage.time_us), plural(stage.launches, "launch"));
    let each = stage.time_per_step_us.filter(|_| stage.steps > 1);
    let each = each.map_or_else(String::new, |us| format!(" of {} GPU kernel time", time(us)));
    match stage.steps {
        _ if remainder => format!("launched outside every step · {whole}"),
        0 => whole,
        steps => format!("{}{each} · {whole}", plural(steps, "step")),
    }
}

/// The same, with what its steps did with the GPU.
fn stage_line(report: &Report, stage: &StageInfo) -> String {
    let short = stage_short(report, stage);
    let steps: Vec<&StepInfo> = report.gpu.steps.iter().filter(|step| step.stage == stage.stage).collect();
    let spans: Vec<f64> = steps.iter().filter_map(|step| step.span_us).collect();
    if spans.is_empty() {
        return short;
    }
    let span: f64 = spans.iter().sum();
    let average = if spans.len() == 1 { "" } else { " on average" };
    let busy: f64 = steps.iter().filter_map(|step| step.busy_us).sum();
    let told = steps.iter().all(|step| step.span_us.is_none() || step.idle_us.is_some());
    let busy = if told { format!(", GPU busy {}", share(percent(nanos(busy), nanos(span)))) } else { String::new() };
    let bound = if steps.iter().any(|step| step.launch_bound == Some(true)) { ", launch-bound" } else { "" };
    format!("{short}; span {}{average}{busy}{bound}", time(span / spans.len() as f64))
}

/// What a kernel table leaves out; none when all rows are there.
pub(super) fn hidden_kernels(report: &Report, stage: &StageInfo) -> Option<String> {
    let hidden = stage.kernels.total - stage.kernels.shown;
    (hidden > 0).then(|| {
        let pct = stage.kernels.hidden_pct.unwrap_or(0.0);
        format!(
            "{} hidden, {} in all: under {} of the stage's GPU kernel time (--min-share), or over --limit",
            plural(hidden, "row"),
            share(pct),
            share(report.hidden_rows.min_share_pct)
        )
    })
}

/// What a fuse table leaves out, covered rows by name.
pub(super) fn hidden_fuse(report: &Report, stage: &StageInfo) -> Vec<String> {
    let rows = report.fuse.iter().filter(|row| row.stage == stage.stage && !row.shown);
    let (covered, under): (Vec<&FuseRow>, Vec<&FuseRow>) = rows.partition(|row| row.covered_by.is_some());
    let mut lines: Vec<String> = (covered.iter())
        .map(|row| format!("{} ({}) is part of {}", row.family, row.state, family_of(row.covered_by.as_deref())))
        .collect();
    if !under.is_empty() {
        let names: Vec<String> =
            under.iter().map(|row| format!("{} ({}, {})", row.family, row.state, share(row.share_pct))).collect();
        lines.push(format!(
            "{} hidden, under {} or over --limit: {}",
            plural(under.len() as u64, "row"),
            share(report.hidden_rows.min_share_pct),
            names.join(", ")
        ));
    }
    lines
}

/// `fuse/sglang/x/decode` names the family `sglang/x`.
pub(super) fn family_of(row_id: Option<&str>) -> &str {
    let id = row_id.unwrap_or("another row");
    let id = id.strip_prefix("fuse/").unwrap_or(id);
    id.rsplit_once('/').map_or(id, |(family, _)| family)
}

/// Why a kernel table has no row, and what would fill it.
pub(super) fn no_kernels(report: &Report, stage: Option<&StageInfo>) -> String {
    match stage {
        Some(stage) if stage.kernels.total > 0 => format!(
            "No row: each of the {} kernels is under {} of the stage; --min-share 0 shows them.",
            stage.kernels.total,
            share(report.hidden_rows.min_share_pct)
        ),
        _ => format!("No row: {}", no_gpu_events(report)),
    }
}

/// Why a fuse table has no row, and what would fill it.
pub(super) fn no_fuse(report: &Report, stage: Option<&StageInfo>) -> String {
    match stage {
        None => format!("No row: {}", no_gpu_events(report)),
        Some(stage) if stage.fuse.total > 0 => {
            "No row over the bar; --min-share 0 shows all.".to_owned()
        }
        Some(_) if report.framework.is_none() => format!(
            "No row: none of the {} of no framework matches, and the framework is unknown; --framework NAME looks for the others.",
            plural_families(report.rules.families)
        )
        .replace("none of the 1 family", "no family"),
        Some(_) => "No row: no chain of a known family is in this stage; `llm-prof explain FAMILY TRACE` says where one broke.".to_owned(),
    }
}

fn no_gpu_events(report: &Report) -> String {
    let fitness = report.fitness.first().filter(|_| report.gpu.launches == 0);
    fitness.map_or_else(
        || "no GPU event in the stages asked for.".to_owned(),
        |fitness| format!("{} {}", fitness.finding, fitness.fix),
    )
}

/// `rotary_embedding_kernel x36 196 µs`.
pub(super) fn evidence(kernel: &EvidenceKernel, short: &str) -> String {
    format!("{} x{} {}", short, count(kernel.launches), time(kernel.time_us))
}

/// Occurrences and how often a step has them.
pub(super) fn occurrences(row: &FuseRow) -> String {
    let halves =
        if row.state == "partly" { format!(" ({} split, {} fused)", row.split.n, row.fused.n) } else { String::new() };
    let per_step = row.per_step.map_or_else(String::new, |n| format!(", {} a step", trim(n)));
    format!("{}x{halves}{per_step}", count(row.occurrences))
}

fn trim(n: f64) -> String {
    let text = format!("{n:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Related time of a fuse row, halves and copies apart.
pub(super) fn related(row: &FuseRow) -> String {
    let mut text = time(row.time_us);
    if row.state == "partly" {
        text = format!("{text} ({} split, {} fused)", time(row.split.us), time(row.fused.us));
    }
    if row.transparent_us > 0.0 {
        text = format!("{text} + {} of copies", time(row.transparent_us));
    }
    text
}

/// What to type, each switch once.
pub(super) fn toggles(row: &FuseRow) -> Vec<String> {
    row.toggles
        .iter()
        .map(|toggle| {
            if toggle.value.is_empty() {
                clean(&toggle.spelling)
            } else {
                format!("{}={}", clean(&toggle.spelling), clean(&toggle.value))
            }
        })
        .collect()
}
