//! The few sentences that come last: what flipped, how much slower a step is, and where that comes from.

use super::{Comparison, StageChange, Unit, words};
use crate::report::cells;

/// The summary of a comparison whose other fields are filled in.
pub(super) fn line(comparison: &Comparison) -> String {
    if comparison.stages.is_empty() {
        return "The runs have no stage in common: there is nothing to compare.".to_owned();
    }
    let mut parts: Vec<String> = Vec::new();
    let loud = |change: &str| matches!(change, "regressed" | "partly-regressed" | "now-off-by-design" | "newly-fused");
    for family in words::families(comparison).filter(|family| loud(family.change)) {
        parts.push(format!("{} in {}: {}.", family.family, family.stage, words::change(comparison, family.change)));
    }
    parts.extend(comparison.stages.iter().map(stage));
    let blind: Vec<&str> = comparison.differences.iter().filter(|one| one.gates).map(|one| one.what.as_str()).collect();
    if !blind.is_empty() {
        parts.push(format!("Read times with care: {} not alike.", listed(&blind)));
    }
    parts.join(" ")
}

fn listed(words: &[&str]) -> String {
    format!("{} {}", words.join(", "), if words.len() == 1 { "is" } else { "are" })
}

fn stage(stage: &StageChange) -> String {
    let verdict = match stage.time.verdict {
        _ if stage.unit == Unit::SharePct => return shares(stage),
        Some("same") => "as fast as before",
        Some("noise") => "no more different than steps vary",
        Some(word) => word,
        None => "not told",
    };
    let figures = format!("{} a step, {}", words::signed(stage.unit, &stage.time), words::relative(&stage.time));
    let most = stage
        .categories
        .iter()
        .filter(|part| matches!(part.time.verdict, Some("slower" | "faster" | "appeared" | "vanished")));
    let most: Vec<String> =
        most.take(3).map(|part| format!("{} {}", part.name, words::signed(stage.unit, &part.time))).collect();
    let from = if most.is_empty() { String::new() } else { format!("; most of it: {}", most.join(", ")) };
    format!("{}: {verdict} ({figures}){from}.", cells::sentence(&stage.title))
}

fn shares(stage: &StageChange) -> String {
    let most = stage.categories.iter().filter(|part| !matches!(part.time.verdict, Some("same") | None));
    let most: Vec<String> =
        most.take(3).map(|part| format!("{} {}", part.name, words::signed(stage.unit, &part.time))).collect();
    let what = if most.is_empty() { "shares are the same".to_owned() } else { most.join(", ") };
    format!("{}, by shares, as there are no steps in both: {what}.", cells::sentence(&stage.title))
}
