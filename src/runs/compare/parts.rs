//! Time by kind of work, and by the parts of a layer that the model's modules name.

use std::collections::BTreeMap;

use super::measure::Measure;
use super::{Change, PartChange};
use crate::report::{KernelRow, StageInfo};

/// Parts under one name in both runs, the largest difference first.
fn beside(before: &BTreeMap<String, f64>, after: &BTreeMap<String, f64>, measure: &Measure) -> Vec<PartChange> {
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let mut parts: Vec<PartChange> = (names.into_iter())
        .map(|name| PartChange {
            name: name.clone(),
            time: measure.time(before.get(name).copied(), after.get(name).copied()),
        })
        .collect();
    let large = |part: &PartChange| part.time.before.unwrap_or(0.0).max(part.time.after.unwrap_or(0.0));
    parts.sort_by(|a, b| {
        let by_size = size(&b.time).total_cmp(&size(&a.time));
        by_size.then_with(|| large(b).total_cmp(&large(a))).then_with(|| a.name.cmp(&b.name))
    });
    parts
}

/// How large a difference is, whichever way it goes.
pub(super) fn size(change: &Change) -> f64 {
    change.delta.unwrap_or(0.0).abs()
}

pub(super) fn categories(before: &StageInfo, after: &StageInfo, measure: &Measure) -> Vec<PartChange> {
    let of = |stage: &StageInfo| -> BTreeMap<String, f64> {
        stage.categories.iter().map(|category| (category.category.clone(), category.time_us)).collect()
    };
    beside(&of(before), &of(after), measure)
}

pub(super) fn modules(
    before: &[&KernelRow],
    after: &[&KernelRow],
    measure: &Measure,
    trunk_pct: f64,
) -> Vec<PartChange> {
    let (before, after) = (by_part(before, trunk_pct), by_part(after, trunk_pct));
    if before.is_empty() || after.is_empty() { Vec::new() } else { beside(&before, &after, measure) }
}

/// Time by part of a layer: modules are followed from the root for as long as one child has nearly all; its children are
/// the parts. Empty where no module is known.
fn by_part(rows: &[&KernelRow], trunk_pct: f64) -> BTreeMap<String, f64> {
    let mut times: Vec<(Vec<&str>, f64)> = Vec::new();
    for row in rows {
        for site in &row.sites {
            if let Some(module) = &site.module {
                times.push((module.split('.').collect(), row.time_us * site.share_pct / 100.0));
            }
        }
    }
    let whole: f64 = times.iter().map(|(_, time)| time).sum();
    let mut trunk: Vec<&str> = Vec::new();
    loop {
        let mut children: BTreeMap<&str, f64> = BTreeMap::new();
        for (path, time) in times.iter().filter(|(path, _)| path.starts_with(&trunk)) {
            if let Some(child) = path.get(trunk.len()) {
                *children.entry(child).or_default() += time;
            }
        }
        match children.into_iter().find(|(_, time)| *time >= whole * trunk_pct / 100.0) {
            Some((child, _)) if whole > 0.0 => trunk.push(child),
            _ => break,
        }
    }
    let mut parts: BTreeMap<String, f64> = BTreeMap::new();
    for (path, time) in &times {
        let same = path.iter().zip(&trunk).take_while(|(a, b)| a == b).count();
        let name = path.get(same).or(path.last()).copied().unwrap_or_default();
        *parts.entry(name.to_owned()).or_default() += time;
    }
    parts
}
