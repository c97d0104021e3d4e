//! The few sentences that come last: what flipped, how much slower a step is, and where that comes from.

use super::{Comparison, PartChange, StageChange, Unit, words};
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
        Some("noise") => "no more different than may be noise",
        Some(word) => word,
        None => "not told",
    };
    let figures = format!("{} a step, {}", words::signed(stage.unit, &stage.time), words::relative(&stage.time));
    // What went the way of the whole.
    let whole = stage.time.delta.unwrap_or(0.0);
    let same_way = |part: &PartChange| part.time.delta.is_some_and(|delta| delta * whole > 0.0);
    let most = largest(stage, same_way);
    let from = if most.is_empty() { String::new() } else { format!("; most of it: {most}") };
    format!("{}: {verdict} ({figures}){from}.", cells::sentence(&stage.title))
}

fn shares(stage: &StageChange) -> String {
    let most = largest(stage, |_| true);
    let what = if most.is_empty() { "shares are the same".to_owned() } else { most };
    format!("{}, by shares, as there are no steps in both: {what}.", cells::sentence(&stage.title))
}

/// The kinds of work that differ most.
fn largest(stage: &StageChange, told: impl Fn(&PartChange) -> bool) -> String {
    const MOST: usize = 3;
    let differs = |part: &&PartChange| !matches!(part.time.verdict, Some("same" | "noise") | None) && told(part);
    let parts: Vec<String> = (stage.categories.iter().filter(differs).take(MOST))
        .map(|part| format!("{} {}", part.name, words::signed(stage.unit, &part.time)))
        .collect();
    parts.join(", ")
}
