//! What all formats for people say in the same words: cells, header lines, reasons for empty tables.

use super::ranks::words;
use super::{
    EvidenceKernel, Fitness, FuseRow, KernelRow, OverlapRow, Report, StageInfo, StepInfo, ToggleInfo, TraceInfo, gaps,
};
pub(crate) use crate::plain::clean;
use crate::units::{Nanos, percent};

/// Integer time of a JSON figure.
pub(crate) fn nanos(us: f64) -> Nanos {
    Nanos((us * 1000.0).round() as i64)
}

/// `8.70 ms`.
pub(crate) fn time(us: f64) -> String {
    nanos(us).human()
}

/// `24.7 %`.
pub(crate) fn share(pct: f64) -> String {
    format!("{pct:.1} %")
}

/// `22 290` with thin separators.
pub(crate) fn count(n: u64) -> String {
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
pub(crate) fn plural(n: u64, one: &str) -> String {
    match one {
        _ if n == 1 => format!("1 {one}"),
        "launch" => format!("{} launches", count(n)),
        _ => format!("{} {one}s", count(n)),
    }
}

/// A place: the site, and the module it is in, either of which may be empty.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) location: String,
    pub(super) module: String,
    pub(super) found_by: String,
    pub(super) share_pct: f64,
}

impl Place {
    /// `models/qwen3.py:167 forward in Qwen3Attention`, in at most `columns` when they are given: folders go first.
    pub(super) fn text(&self, columns: Option<usize>) -> String {
        if self.found_by == "no-counterpart" {
            return "no counterpart in the mapping trace".to_owned();
        }
        let within = match (self.location.is_empty(), self.module.is_empty()) {
            (true, true) => return "location unknown".to_owned(),
            (true, false) => return self.module.clone(),
            (false, true) => String::new(),
            (false, false) => format!(" in {}", self.module),
        };
        let room = columns.map_or(usize::MAX, |columns| columns.saturating_sub(within.chars().count()));
        format!("{}{within}", cut_folders(&self.location, room))
    }
}

/// A path without its first folders, so that it fits.
fn cut_folders(path: &str, columns: usize) -> String {
    let mut rest = path;
    let mut cut = false;
    while rest.chars().count() + usize::from(cut) * 2 > columns {
        let Some((_, shorter)) = rest.split_once('/') else { break };
        (rest, cut) = (shorter, true);
    }
    if cut { format!("…/{rest}") } else { path.to_owned() }
}

/// How a place was found, when that is worth a word.
pub(super) fn found(found_by: &str) -> &'static str {
    match found_by {
        "position" => " (by position in the capture)",
        "mapping" => " (from the mapping trace)",
        _ => "",
    }
}

/// The places of a kernel as people read them: the innermost class of a module stands for its path.
pub(super) fn places(row: &KernelRow) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for site in &row.sites {
        let location = clean(site.location.as_deref().unwrap_or_default());
        let module = site.module.as_deref().and_then(|module| module.rsplit('.').next());
        let module = clean(module.unwrap_or_default());
        let same = |place: &&mut Place| {
            (&place.location, &place.module, &place.found_by) == (&location, &module, &site.found_by)
        };
        match places.iter_mut().find(same) {
            Some(place) => place.share_pct += site.share_pct,
            None => {
                places.push(Place { location, module, found_by: site.found_by.clone(), share_pct: site.share_pct });
            }
        }
    }
    places.sort_by(|a, b| b.share_pct.total_cmp(&a.share_pct));
    let empty = |place: &Place| place.location.is_empty() && place.module.is_empty();
    if places.iter().all(|place| empty(place) && place.found_by != "no-counterpart") {
        places.clear();
    }
    places
}

/// How the places of all rows were found, when that is one way and worth a word.
pub(super) fn found_alike(rows: &[&KernelRow]) -> Option<&'static str> {
    let mut ways = rows
        .iter()
        .flat_map(|row| &row.sites)
        .map(|site| site.found_by.as_str())
        .filter(|way| !matches!(*way, "none" | "no-counterpart"));
    let first = ways.next()?;
    Some(found(first)).filter(|text| !text.is_empty() && ways.all(|way| way == first))
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
pub(crate) fn header(report: &Report) -> Vec<(&'static str, String)> {
    let unknown = || "unknown".to_owned();
    let mut lines = Vec::new();
    let (mut taken, left): (Vec<_>, Vec<_>) = report.traces.iter().partition(|info| info.taken);
    let others = report.ranks.as_ref().map_or(0, |ranks| words::other_ranks(ranks, &mut taken));
    for info in taken {
        let key = match info.role.as_str() {
            "capture" => "Capture",
            "formal" => "Formal",
            "mapping" => "Mapping",
            _ => "Trace",
        };
        lines.push((key, trace(info)));
        lines.extend(info.warnings.iter().map(|warning| ("Warning", clean(warning))));
    }
    if others > 0 {
        lines.push(("Trace", format!("{} of the other ranks, listed with --format json", plural(others, "file"))));
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
    if let Some(capture) = &report.capture {
        let seed = capture.seed.map(|seed| format!("seed {seed}"));
        let parts = [Some(&capture.work), seed.as_ref(), capture.bucket.as_ref(), capture.note.as_ref()];
        let parts: Vec<String> = parts.into_iter().flatten().map(|part| clean(part)).collect();
        lines.push(("Captured", parts.join("; ")));
    }
    lines.push(("Mode", report.mode.to_string()));
    if let Some(ranks) = &report.ranks {
        let headline = words::headline(ranks).map_or_else(String::new, |line| format!("; {line}"));
        lines.push(("Ranks", format!("{}{headline}", words::remark(ranks))));
    }
    for stage in report.stages.iter().filter(|stage| stage.launches > 0 || stage.steps > 0) {
        lines.push(("Stage", format!("{}: {}", stage.title, stage_line(report, stage))));
    }
    lines.extend(gaps::line(report).map(|text| ("Gap", text)));
    lines.push((
        "Rules",
        format!("{} ({}), {}", report.rules.version, report.rules.digest, plural_families(report.rules.families)),
    ));
    lines
}

fn plural_families(n: usize) -> String {
    if n == 1 { "1 family".to_owned() } else { format!("{n} families") }
}

/// `1 step, 558 launches, 9.78 ms of GPU kernel time`.
pub(super) fn stage_short(report: &Report, stage: &StageInfo) -> String {
    let remainder =
        stage.stage == "all" && report.stages.iter().any(|other| other.stage != "all" && other.launches > 0);
    let whole = format!("{}, {} of GPU kernel time", plural(stage.launches, "launch"), time(stage.time_us));
    match stage.steps {
        _ if remainder => format!("outside every step: {whole}"),
        0 => whole,
        1 => format!("1 step, {whole}"),
        steps => {
            let each = stage.time_per_step_us.map_or_else(String::new, |us| format!(" ({} a step)", time(us)));
            format!("{}, {whole}{each}", plural(steps, "step"))
        }
    }
}

/// The same, with what its steps did with the GPU.
pub(super) fn stage_line(report: &Report, stage: &StageInfo) -> String {
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
    let busy = if told {
        format!(", {} busy", share(percent(nanos(busy), nanos(span))))
    } else {
        ", idle time unknown as kernels of graphs are missing".to_owned()
    };
    let bound = if steps.iter().any(|step| step.launch_bound == Some(true)) { ", launch-bound" } else { "" };
    let exposed: f64 = steps.iter().map(|step| step.exposed_communication_us).sum();
    let exposed = if exposed > 0.0 {
        let each = time(exposed / spans.len() as f64);
        format!(", {each} ({}) exposed communication{average}", share(percent(nanos(exposed), nanos(span))))
    } else {
        String::new()
    };
    format!("{short}; span {}{average}{busy}{exposed}{bound}", time(span / spans.len() as f64))
}

/// What a kernel table leaves out; none when all rows are there.
pub(super) fn hidden_kernels(report: &Report, stage: &StageInfo) -> Option<String> {
    let hidden = stage.kernels.total - stage.kernels.shown;
    (hidden > 0).then(|| {
        let pct = stage.kernels.hidden_pct.unwrap_or(0.0);
        format!("{} hidden, {} in all: {}", plural(hidden, "row"), share(pct), bar(report))
    })
}

/// Why rows are hidden, and what shows them.
fn bar(report: &Report) -> String {
    let under = format!("under {} of the stage (--min-share)", share(report.hidden_rows.min_share_pct));
    report
        .hidden_rows
        .limit
        .map_or_else(|| under.clone(), |limit| format!("{under} or beyond the first {limit} (--limit)"))
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
        lines.push(format!("{} hidden, {}: {}", plural(under.len() as u64, "row"), bar(report), names.join(", ")));
    }
    lines
}

/// `fuse/sglang/x/decode` names the family `sglang/x`.
pub(crate) fn family_of(row_id: Option<&str>) -> &str {
    let id = row_id.unwrap_or("another row");
    let id = id.strip_prefix("fuse/").unwrap_or(id);
    id.rsplit_once('/').map_or(id, |(family, _)| family)
}

/// What stands above the tables: notes are left to `doctor`.
pub(super) fn fitness(report: &Report) -> impl Iterator<Item = &Fitness> {
    report.fitness.iter().filter(|fitness| fitness.level != "note")
}

/// The worst first; of one level in the order of the rules.
pub(super) fn by_level(report: &Report) -> Vec<&Fitness> {
    let mut all: Vec<&Fitness> = report.fitness.iter().collect();
    all.sort_by_key(|fitness| match fitness.level.as_str() {
        "unfit" => 0,
        "limits" => 1,
        _ => 2,
    });
    all
}

/// The last line of `doctor`.
pub(super) fn verdict(report: &Report) -> String {
    let of = |level: &str| report.fitness.iter().filter(|fitness| fitness.level == level).count() as u64;
    match (of("unfit"), of("limits"), of("note")) {
        (0, 0, 0) => "fit to judge; nothing to mend.".to_owned(),
        (0, 0, notes) => format!("fit to judge; {} for completeness.", plural(notes, "note")),
        (0, limits, _) => format!(
            "fit to judge; {} what can be asked.",
            if limits == 1 { "1 finding limits".to_owned() } else { format!("{limits} findings limit") }
        ),
        _ => "unfit: there is nothing to judge until the first finding is mended.".to_owned(),
    }
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
        None if report.gpu.launches > 0 => format!("No row: {}", no_gpu_events(report)),
        None => "No row: there is no GPU event to look at.".to_owned(),
        Some(stage) if stage.fuse.total > 0 => "No row over the bar; --min-share 0 shows all.".to_owned(),
        Some(_) if report.framework.is_none() => "No row: no known chain of kernels, and the framework is unknown; \
             --framework NAME looks for the families of one."
            .to_owned(),
        Some(_) => format!(
            "No row: none of the {} has its kernels here; `llm-prof explain FAMILY TRACE` says where one broke.",
            plural_families(report.rules.families)
        ),
    }
}

/// Why an overlap table has no row.
pub(super) fn no_overlap(report: &Report, stage: Option<&StageInfo>) -> String {
    match stage {
        None if report.gpu.launches > 0 => format!("No row: {}", no_gpu_events(report)),
        None => "No row: there is no GPU event to look at.".to_owned(),
        Some(stage) if stage.overlap.total > 0 => "No row over the bar; --min-share 0 shows all.".to_owned(),
        Some(_) if report.overlap_why.is_empty() => "No row.".to_owned(),
        Some(stage) => format!("No row: {}", report.overlap_why.get(&stage.stage).map_or("", String::as_str)),
    }
}

/// What an overlap table leaves out.
pub(super) fn hidden_overlap(report: &Report, stage: &StageInfo) -> Option<String> {
    let hidden = stage.overlap.total - stage.overlap.shown;
    (hidden > 0).then(|| format!("{} hidden: {}", plural(hidden, "row"), bar(report)))
}

/// `100.0 % exclusive, 0.0 % hidden (0.0 % by compute)`: what was measured.
pub(super) fn signal(row: &OverlapRow) -> String {
    let of = |us: f64| share(percent(nanos(us), nanos(row.time_us)));
    format!(
        "{} exposed, {} hidden, {} by compute",
        of(row.exclusive_us),
        of(row.hidden_us),
        of(row.hidden_by_compute_us)
    )
}

/// Possible waiting for other ranks, apart from the time that the collective needs.
pub(super) fn waiting(row: &OverlapRow) -> Option<String> {
    let us = row.waiting_us.filter(|us| *us > 0.0)?;
    Some(match row.waiting_by.as_deref() {
        Some("shapes") => {
            format!("{} above the fastest of the same message size: possible waiting for other ranks", time(us))
        }
        _ => format!(
            "at most {}, which is above the fastest of the same launch grid; message sizes are unknown",
            time(us)
        ),
    })
}

/// Risk, with the instances it is made of when they differ.
pub(super) fn risk(row: &OverlapRow) -> String {
    let counts =
        [(row.risk_instances.low, "low"), (row.risk_instances.unclear, "unclear"), (row.risk_instances.high, "high")];
    let some: Vec<String> =
        counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", count(*n))).collect();
    if some.len() > 1 { format!("{} ({})", row.risk, some.join(", ")) } else { row.risk.clone() }
}

/// The same with a capital.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Why there is no section: no GPU event at all, or none in the stage that was asked for.
pub(super) fn no_gpu_events(report: &Report) -> String {
    let fitness = report.fitness.first().filter(|_| report.gpu.launches == 0);
    let there: Vec<&str> = report.stages.iter().filter(|s| s.launches > 0).map(|s| s.title).collect();
    fitness.map_or_else(
        || format!("no GPU event in the stage asked for; the trace has {}.", there.join(", ")),
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

/// Where a pattern runs, the places with most time; how they were found is said once when it is one way.
pub(super) fn locations(row: &FuseRow) -> Vec<String> {
    const MOST: usize = 3;
    let alike = row.locations.windows(2).all(|pair| pair[0].found_by == pair[1].found_by);
    let mut places: Vec<String> = (row.locations.iter().take(MOST))
        .map(|place| format!("{}{}", clean(&place.location), if alike { "" } else { found(&place.found_by) }))
        .collect();
    if let Some(more) = row.locations.len().checked_sub(MOST).filter(|more| *more > 0) {
        places.push(plural(more as u64, "more place"));
    }
    if let (Some(last), Some(first), true) = (places.last_mut(), row.locations.first(), alike) {
        last.push_str(found(&first.found_by));
    }
    places
}

/// What to type, each switch once; a flag that is set by being there has no value.
pub(crate) fn toggles(toggles: &[ToggleInfo]) -> Vec<String> {
    (toggles.iter())
        .map(|toggle| {
            let flag = toggle.spelling.starts_with('-');
            let spelling = clean(&toggle.spelling);
            if toggle.value.is_empty() || flag && toggle.value == "true" {
                spelling
            } else {
                format!("{spelling}{}{}", if flag { ' ' } else { '=' }, clean(&toggle.value))
            }
        })
        .collect()
}
