//! The runs of one model beside each other: times by stage and kind of work, states by pattern.

use std::collections::{BTreeMap, BTreeSet};

use super::{BundledRun, Compared, ComparedCategory, ComparedPattern, ComparedStage, PatternState};
use crate::attribution::Stage;
use crate::report::{CategoryShare, FuseRow, Report, StageInfo};
use crate::rules::schema::compare::{CompareFile, FactField};
use crate::runs::compare::{Unit, field};

/// What all runs of a model have in common.
pub(super) fn compared(runs: &[BundledRun], settings: &CompareFile) -> Compared {
    let ids: BTreeSet<Stage> =
        (runs.iter()).flat_map(|run| shown(&run.report)).filter_map(|stage| Stage::from_id(&stage.stage)).collect();
    let stages = ids.iter().map(|stage| stage_of(runs, stage.id(), stage.title())).collect();
    let patterns = ids.iter().flat_map(|stage| patterns(runs, stage.id(), settings)).collect();
    Compared { stages, patterns, remarks: remarks(runs, settings) }
}

fn shown(report: &Report) -> impl Iterator<Item = &StageInfo> {
    report.stages.iter().filter(|stage| stage.shown && stage.launches > 0)
}

fn stage_of(runs: &[BundledRun], id: &str, title: &str) -> ComparedStage {
    let stages: Vec<Option<&StageInfo>> =
        runs.iter().map(|run| shown(&run.report).find(|stage| stage.stage == id)).collect();
    let stepped = stages.iter().flatten().all(|stage| stage.steps > 0);
    let each = |stage: &StageInfo, value: f64| if stage.steps > 0 { value / stage.steps as f64 } else { value };
    let names: BTreeSet<&str> =
        stages.iter().flatten().flat_map(|stage| &stage.categories).map(|one| one.category.as_str()).collect();
    let mut categories: Vec<ComparedCategory> = (names.into_iter())
        .map(|name| {
            let of = |get: &dyn Fn(&StageInfo, &CategoryShare) -> f64| -> Vec<Option<f64>> {
                let one = |stage: &StageInfo| {
                    stage.categories.iter().find(|one| one.category == name).map(|one| get(stage, one))
                };
                stages.iter().map(|stage| stage.and_then(one)).collect()
            };
            let time = |stage: &StageInfo, one: &CategoryShare| {
                if stepped { round(each(stage, one.time_us)) } else { one.share_pct }
            };
            ComparedCategory { category: name.to_owned(), time: of(&time), share_pct: of(&|_, one| one.share_pct) }
        })
        .collect();
    let largest = |one: &ComparedCategory| one.time.iter().flatten().copied().fold(0.0, f64::max);
    categories.sort_by(|a, b| largest(b).total_cmp(&largest(a)).then_with(|| a.category.cmp(&b.category)));
    ComparedStage {
        stage: id.to_owned(),
        title: title.to_owned(),
        unit: if stepped { Unit::UsPerStep } else { Unit::SharePct },
        time_per_step_us: stages.iter().map(|stage| stage.and_then(|stage| stage.time_per_step_us)).collect(),
        steps: stages.iter().map(|stage| stage.map(|stage| stage.steps)).collect(),
        launches: stages.iter().map(|stage| stage.map(|stage| each(stage, stage.launches as f64))).collect(),
        categories,
    }
}

fn round(us: f64) -> f64 {
    (us * 1000.0).round() / 1000.0
}

fn patterns(runs: &[BundledRun], stage: &str, settings: &CompareFile) -> Vec<ComparedPattern> {
    let mut found: BTreeMap<&str, Vec<Vec<&FuseRow>>> = BTreeMap::new();
    for (n, run) in runs.iter().enumerate() {
        let own = run.report.fuse.iter().filter(|row| row.stage == stage && row.covered_by.is_none());
        for row in own {
            found.entry(settings.pattern(&row.family)).or_insert_with(|| vec![Vec::new(); runs.len()])[n].push(row);
        }
    }
    found
        .into_iter()
        .map(|(pattern, rows)| ComparedPattern {
            pattern: pattern.to_owned(),
            stage: stage.to_owned(),
            states: rows.iter().map(|rows| state(rows)).collect(),
        })
        .collect()
}

/// The same state, or partly.
fn state(rows: &[&FuseRow]) -> Option<PatternState> {
    let first = rows.first()?;
    let alike = rows.iter().all(|row| row.state == first.state);
    Some(PatternState {
        state: if alike { first.state.clone() } else { "partly".to_owned() },
        confirmed: rows.iter().all(|row| row.confidence == "Confirmed"),
        families: rows.iter().map(|row| row.family.clone()).collect(),
    })
}

/// Facts of the runs that are not alike, the framework's own aside.
fn remarks(runs: &[BundledRun], settings: &CompareFile) -> Vec<String> {
    let own = [FactField::Framework, FactField::FrameworkVersion];
    (settings.facts.iter())
        .filter(|fact| !own.contains(&fact.field))
        .filter_map(|fact| {
            let mut values: Vec<(String, Vec<&str>)> = Vec::new();
            for run in runs {
                let Some(value) = field(&run.report, fact.field) else { continue };
                match values.iter_mut().find(|(known, _)| *known == value) {
                    Some((_, titles)) => titles.push(&run.title),
                    None => values.push((value, vec![&run.title])),
                }
            }
            let told: Vec<String> =
                values.iter().map(|(value, titles)| format!("{value} ({})", titles.join(", "))).collect();
            (values.len() > 1).then(|| format!("{} is not alike: {}", fact.says, told.join(", ")))
        })
        .collect()
}
