//! Overlap rows: what the engine found, with names, places, priority and what to type.

use std::collections::BTreeMap;

use super::kernels::{Sums, Tally, place, share};
use super::{Analysis, OverlapRow, Report, RiskInstances, cells, evidence, fuse};
use crate::attribution::{Kernel, Stage};
use crate::engine::{Overlap, Risk, Risks, Times, switches};
use crate::kernel_name::KernelName;
use crate::rules::RuleSet;
use crate::rules::schema::overlap::of_us;
use crate::units::Nanos;

/// One verdict on one kernel, or one family, in one stage, over all analyses that have it.
type Key<'a> = (Stage, Option<usize>, &'a str, Option<&'a str>);

/// All rows: by stage, then priority, then time exposed, then id.
pub(super) fn rows(analyses: &[Analysis], rules: &RuleSet, stage_time: impl Fn(Stage) -> Nanos) -> Vec<OverlapRow> {
    let mut by_key: BTreeMap<Key, Vec<(&Analysis, &Overlap)>> = BTreeMap::new();
    for analysis in analyses {
        for row in analysis.overlaps {
            let kernel = analysis.timeline.strings.get(kernel(analysis, row).raw);
            let kernel = row.family.is_none().then_some(kernel);
            by_key.entry((row.stage, row.family, &row.verdict, kernel)).or_default().push((analysis, row));
        }
    }
    let mut rows: Vec<(Stage, OverlapRow)> = (by_key.into_iter())
        .map(|(key, parts)| (key.0, finish(key, &parts, rules, analyses, stage_time(key.0))))
        .collect();
    let order = |row: &OverlapRow| (of_us(row.exclusive_us), of_us(row.time_us));
    rows.sort_by(|(one, a), (two, b)| (one, &a.priority, order(b), &a.id).cmp(&(two, &b.priority, order(a), &b.id)));
    rows.into_iter().map(|(_, row)| row).collect()
}

fn kernel<'a>(analysis: &Analysis<'a>, row: &Overlap) -> &'a Kernel {
    &analysis.timeline.kernels[row.kernel.0 as usize]
}

/// `overlap/<family>/<stage>`, or `overlap/<verdict>/<stage>/<hash of the kernel>` where no family speaks.
pub(super) fn row_id(analysis: &Analysis, row: &Overlap, rules: &RuleSet) -> String {
    let stage = row.stage.id();
    if let Some(family) = row.family {
        return format!("overlap/{}/{stage}", rules.families[family].id);
    }
    let name = analysis.timeline.strings.get(kernel(analysis, row).raw);
    format!("overlap/{}/{stage}/{}", row.verdict, &blake3::hash(name.as_bytes()).to_hex()[..12])
}

fn finish(
    key: Key,
    parts: &[(&Analysis, &Overlap)],
    rules: &RuleSet,
    all: &[Analysis],
    stage_time: Nanos,
) -> OverlapRow {
    let (stage, family, verdict, _) = key;
    let (analysis, lead) =
        parts.iter().fold(parts[0], |best, part| if part.1.time > best.1.time { *part } else { best });
    let named = kernel(analysis, lead);
    let name = analysis.timeline.strings.get(named.raw);
    let mut times = Times::default();
    let mut risks = Risks::default();
    let mut places = Sums::new();
    let mut categories = Sums::new();
    let mut reasons: Vec<String> = Vec::new();
    for (analysis, row) in parts {
        times.add(row.times);
        risks.add(row.risks);
        for &id in &row.launches {
            let tally = Tally { time: analysis.timeline.launch(id).dur, launches: 1 };
            places.add(place(analysis.timeline, analysis.timeline.context(id)), tally);
            categories.add(analysis.classes.name_of(id), tally);
        }
        for reason in &row.reasons {
            if !reasons.contains(reason) {
                reasons.push(reason.clone());
            }
        }
    }
    let sum = |of: fn(&Overlap) -> Option<Nanos>| {
        let all: Vec<Nanos> = parts.iter().filter_map(|(_, row)| of(row)).collect();
        (!all.is_empty()).then(|| all.into_iter().sum::<Nanos>())
    };
    let time: Nanos = parts.iter().map(|(_, row)| row.time).sum();
    let share_pct = share(time, stage_time);
    let risk = risks.worst();
    let rule = rules.overlap.priority(verdict, risk.id());
    let small = share_pct < rules.report.min_share_pct;
    let priority = if small { rules.overlap.small_priority } else { rule.map_or(5, |rule| rule.priority) };
    let family = family.map(|index| &rules.families[index]);
    let could_save = sum(|row| row.could_save).filter(|_| risk == Risk::Low);
    let typed = switches(rules, analysis.timeline, lead);
    let mut recommendation = rule.map_or_else(String::new, |rule| rule.recommend.clone());
    if could_save.is_some() && !typed.is_empty() {
        recommendation = format!("{recommendation}; check that {} is set", typed.join(" and "));
    }
    let (site, module, found_by) = places.sorted().first().map_or((None, None, "none"), |(place, _)| *place);
    let partner: Option<&Kernel> = lead.partner.map(|id| &analysis.timeline.kernels[id.0 as usize]);
    OverlapRow {
        id: row_id(analysis, lead, rules),
        stage: stage.id().to_owned(),
        shown: false,
        priority: format!("P{priority}"),
        verdict: verdict.to_owned(),
        kernel: name.to_owned(),
        parts: named.name.clone(),
        category: categories.sorted().first().map_or_else(String::new, |(name, _)| (*name).to_owned()),
        scope: site.or(module).map(str::to_owned),
        found_by: found_by.to_owned(),
        partner: partner.map(|kernel| analysis.timeline.strings.get(kernel.raw).to_owned()),
        partner_parts: partner.map(|kernel| -> KernelName { kernel.name.clone() }),
        launches: parts.iter().map(|(_, row)| row.launches.len() as u64).sum(),
        time_us: time.as_us(),
        share_pct,
        exclusive_us: times.exclusive.as_us(),
        hidden_us: times.hidden.as_us(),
        hidden_by_compute_us: times.hidden_by_compute.as_us(),
        risk: risk.id().to_owned(),
        risk_instances: RiskInstances { low: risks.low, unclear: risks.unclear, high: risks.high },
        family: family.map(|family| family.id.clone()),
        title: family.map(|family| family.title.clone()),
        could_save_us: could_save.map(Nanos::as_us),
        waiting_us: sum(|row| row.waiting.map(|waiting| waiting.time)).map(Nanos::as_us),
        waiting_by: lead.waiting.map(|waiting| if waiting.sized { "shapes" } else { "grid" }.into()),
        recommendation,
        reasons,
        toggles: family.map_or_else(Vec::new, |family| fuse::toggles(family, &analysis.timeline.run)),
        rule: family.map(|family| evidence::rule(family, analysis.timeline, stage, None)),
        example: evidence::of(all, analysis.timeline).and_then(|at| evidence::instance(at, lead)),
    }
}

/// How the table is to be read.
pub(super) fn note(report: &Report, rules: &RuleSet) -> String {
    let notes = &rules.overlap.notes;
    if report.gpu.launches == 0 {
        return String::new();
    }
    let mut parts = Vec::new();
    if report.mode == "single-trace" {
        parts.push(notes.single_trace.clone());
        let placed = report.kernels.iter().any(|row| row.sites.iter().any(|site| site.location.is_some()));
        if !placed {
            parts.push(notes.needs_pair.clone());
        }
    }
    let same = report.gpu.same_stream;
    if same.pairs > 0 {
        let said = notes.same_stream.replace("{n}", &cells::count(same.pairs));
        parts.push(said.replace("{time}", &cells::time(same.us)));
    }
    parts.join(" ")
}

/// Why stages have no row.
pub(super) fn why(report: &Report, rules: &RuleSet) -> BTreeMap<String, String> {
    let notes = &rules.overlap.notes;
    (report.stages.iter())
        .filter(|stage| stage.launches > 0 && stage.overlap.total == 0)
        .map(|stage| {
            let why = if stage.streams > 1 { &notes.several_streams } else { &notes.one_stream };
            (stage.stage.clone(), why.clone())
        })
        .collect()
}
