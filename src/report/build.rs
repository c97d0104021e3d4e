//! All analyses of a run put together.

use std::collections::BTreeMap;

use super::cells::nanos;
use super::timeline::step;
use super::{
    Analysis, Attribution, Cut, FuseRow, HiddenRows, KernelRow, Options, OverlapRow, Report, RulesInfo, ServerArgs,
    StageInfo, Tool, fitness, fuse, kernels, losses, overlap, ranks, similarity, steps, summary, timeline,
};
use crate::attribution::{Known, Run, Stage};
use crate::rules::RuleSet;

/// The report on some analyses; the first is the one that facts of the run are taken from.
pub fn build(analyses: &[Analysis], rules: &RuleSet, options: &Options) -> Report {
    let mut stages = steps::stages(analyses);
    let times: BTreeMap<String, f64> = stages.iter().map(|stage| (stage.stage.clone(), stage.time_us)).collect();
    let stage_time = |stage: Stage| nanos(times.get(stage.id()).copied().unwrap_or(0.0));
    let mut kernels = kernels::rows(analyses, stage_time);
    let mut fuse = fuse::rows(analyses, rules, stage_time);
    let mut overlap = overlap::rows(analyses, rules, stage_time);
    cut(&mut stages, &mut kernels, &mut fuse, &mut overlap, options, rules.report.min_share_pct);

    let ranks = ranks::build(&options.ranks, &stages, rules);
    let run = |get: fn(&Run) -> Option<String>| analyses.iter().find_map(|analysis| get(&analysis.timeline.run));
    let framework = run(|run| value(run.framework.as_ref()));
    let mut report = Report {
        schema: super::SCHEMA.into(),
        tool: Tool { name: "llm-prof".into(), version: env!("CARGO_PKG_VERSION").into() },
        rules: RulesInfo {
            version: rules.version.clone(),
            digest: rules.digest.clone(),
            families: rules.families.len(),
        },
        mode: if options.pair { "mapping-formal" } else { "single-trace" }.into(),
        traces: options.traces.clone(),
        fitness: fitness::check(analyses, options, rules),
        attribution: attribution(analyses),
        losses: losses::build(analyses, rules, &fuse, &overlap),
        framework_title: framework.as_ref().map(|id| rules.report.titles.get(id).unwrap_or(id).clone()),
        framework,
        framework_version: run(|run| value(run.framework_version.as_ref())),
        model: run(|run| value(run.model.as_ref())),
        tp: analyses.iter().find_map(|analysis| analysis.timeline.run.tp.as_ref().map(|tp| tp.value)),
        hardware: run(|run| value(run.hardware.as_ref())),
        server_args: server_args(analyses, rules),
        capture: options.capture.clone(),
        steps: stages.iter().filter(|s| s.steps > 0).map(|s| (s.stage.clone(), s.steps)).collect(),
        gpu: steps::gpu(analyses, rules),
        hidden_rows: HiddenRows {
            min_share_pct: options.min_share.unwrap_or(rules.report.min_share_pct),
            limit: options.limits.fuse,
            kernels: kernels.iter().filter(|row| !row.shown).count() as u64,
            fuse: fuse.iter().filter(|row| !row.shown).count() as u64,
            overlap: overlap.iter().filter(|row| !row.shown).count() as u64,
        },
        typical_steps: options.typical_steps.then(|| {
            let rows = step::Rows { fuse: &fuse, overlap: &overlap };
            step::typical(analyses, &stages, &rows, rules)
        }),
        timelines: options.timeline.then(|| timeline::typical(analyses, &stages, rules)),
        stages,
        kernels,
        fuse,
        overlap,
        overlap_note: String::new(),
        overlap_why: BTreeMap::new(),
        ranks,
        rank_rows: rules.report.ranks.rows,
        note: similarity::note(analyses, rules),
        new_candidates: similarity::candidates(analyses, rules),
        summary: String::new(),
    };
    report.overlap_note = overlap::note(&report, rules);
    report.overlap_why = overlap::why(&report, rules);
    report.summary = summary::line(&report, &rules.report);
    report
}

/// Marks the rows that tables show, and counts what they leave out.
fn cut(
    stages: &mut [StageInfo],
    kernels: &mut [KernelRow],
    fuse: &mut [FuseRow],
    overlap: &mut [OverlapRow],
    options: &Options,
    bar: f64,
) {
    let bar = options.min_share.unwrap_or(bar);
    let room = |kept: u64, limit: Option<usize>| limit.is_none_or(|limit| kept < limit as u64);
    let total: f64 = stages.iter().map(|stage| stage.time_us).sum();
    let several = stages.iter().filter(|stage| stage.launches > 0).count() > 1;
    for stage in stages {
        let asked = options.stage.is_none_or(|asked| asked.id() == stage.stage);
        // What was launched between the steps is a remainder; it gets a section only when it matters.
        let remainder = several && stage.stage == Stage::All.id() && stage.time_us < total * bar / 100.0;
        stage.shown = asked && !remainder;
        let shown = stage.shown;
        stage.kernels = cut_rows(
            kernels.iter_mut().filter(|row| row.stage == stage.stage),
            |row, kept| shown && row.share_pct >= bar && room(kept, options.limits.kernels),
            |row| (row.share_pct, &mut row.shown),
        );
        stage.fuse = cut_rows(
            fuse.iter_mut().filter(|row| row.stage == stage.stage),
            |row, kept| shown && row.share_pct >= bar && row.covered_by.is_none() && room(kept, options.limits.fuse),
            |row| (row.share_pct, &mut row.shown),
        );
        stage.fuse.hidden_pct = None;
        stage.overlap = cut_rows(
            overlap.iter_mut().filter(|row| row.stage == stage.stage),
            |row, kept| shown && row.share_pct >= bar && room(kept, options.limits.overlap),
            |row| (row.share_pct, &mut row.shown),
        );
        stage.overlap.hidden_pct = None;
    }
}

fn cut_rows<'a, R: 'a>(
    rows: impl Iterator<Item = &'a mut R>,
    keep: impl Fn(&R, u64) -> bool,
    parts: impl Fn(&mut R) -> (f64, &mut bool),
) -> Cut {
    let (mut cut, mut hidden) = (Cut::default(), 0.0);
    for row in rows {
        let kept = keep(row, cut.shown);
        let (share, shown) = parts(row);
        *shown = kept;
        cut.total += 1;
        cut.shown += u64::from(kept);
        hidden += if kept { 0.0 } else { share };
    }
    cut.hidden_pct = Some((hidden * 1e4).round() / 1e4);
    cut
}

fn attribution(analyses: &[Analysis]) -> Attribution {
    let mut sum = Attribution::default();
    for counts in analyses.iter().map(|analysis| analysis.timeline.counts) {
        sum.launches += counts.launches;
        sum.by_id += counts.by_id;
        sum.by_time += counts.by_time;
        sum.by_position += counts.by_position;
        sum.by_mapping += counts.by_mapping;
        sum.without_op += counts.without_op;
        sum.without_launch += counts.without_launch;
        sum.capture_launches += counts.capture_launches;
    }
    sum
}

/// Only arguments that a family or `rules/report.yaml` names: the file holds keys and paths that no report should.
fn server_args(analyses: &[Analysis], rules: &RuleSet) -> ServerArgs {
    let Some(run) = analyses.iter().map(|a| &a.timeline.run).find(|run| !run.server_args.is_empty()) else {
        return ServerArgs::default();
    };
    let plain = |name: &str| name.trim_start_matches('-').replace('-', "_");
    let mut named: Vec<String> = rules.report.server_args.iter().map(|name| plain(name)).collect();
    for family in &rules.families {
        named.extend(family.toggles.iter().map(|toggle| plain(&toggle.name)));
        named.extend(family.when.needs.iter().map(|(name, _)| plain(name)));
    }
    let fields = (run.server_args.iter())
        .filter(|(name, _)| named.contains(&plain(name)))
        .filter_map(|(name, json)| Some((name.clone(), serde_json::from_str(json).ok()?)))
        .filter(|(_, value): &(String, serde_json::Value)| !value.is_null())
        .collect();
    ServerArgs { source: run.server_args_source.clone(), fields }
}

fn value(known: Option<&Known<String>>) -> Option<String> {
    known.map(|known| known.value.clone())
}
