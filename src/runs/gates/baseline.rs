//! `--baseline REPORT --threshold PCT`: a gate a stage on its time, on what grew in it, and on families that split.

use super::sight::Sight;
use super::{Gate, Outcome};
use crate::report::{StageInfo, cells};
use crate::runs::Run;
use crate::runs::compare::{self, Comparison, StageChange, Unit};

/// All gates against a baseline; one that cannot look when the runs cannot be compared at all.
pub(super) fn gates(sight: &Sight, baseline: &Run, pct: f64) -> Vec<Gate> {
    let asked = format!("--baseline {} --threshold {pct}", baseline.path);
    let gate = |what: &str, outcome: Outcome, text: String| Gate {
        id: format!("baseline/{what}"),
        asked: asked.clone(),
        outcome,
        text,
        fix: None,
        rows: Vec::new(),
    };
    let stages = match sight.stages() {
        Ok(stages) => stages,
        Err(why) => return vec![gate("run", Outcome::Unknown, why)],
    };
    if let Some(why) = baseline.unfit() {
        return vec![gate("run", Outcome::Unknown, format!("the baseline is unfit: {why}"))];
    }
    for (run, which) in [(sight.run, "this run"), (baseline, "the baseline")] {
        let seen = Sight { run, ..*sight };
        if let Some(why) = seen.unproven() {
            return vec![gate("run", Outcome::Unknown, format!("{which}: {why}"))];
        }
    }
    let comparison = compare::compare(baseline, sight.run, &sight.rules.compare);
    let blind: Vec<&str> = comparison.differences.iter().filter(|one| one.gates).map(|one| one.text.as_str()).collect();
    if !blind.is_empty() {
        return vec![gate("run", Outcome::Unknown, blind.join("; "))];
    }
    let mut out = Vec::new();
    for stage in &stages {
        let id = &stage.stage;
        match comparison.stages.iter().find(|both| both.stage == *id) {
            None => out.push(gate(id, Outcome::Unknown, format!("the baseline has no stage {id}"))),
            Some(both) if both.unit == Unit::SharePct => {
                let text = format!("{id} has no steps in one of the runs, so there is no time a step to compare");
                out.push(gate(id, Outcome::Unknown, text));
            }
            Some(both) => out.extend(of_stage(both, pct, &gate)),
        }
    }
    // What the baseline has and this run has not was lost, not saved.
    let asked_for = |id: &str| sight.stage.is_none_or(|stage| stage == id);
    let theirs = Sight { run: baseline, ..*sight }.stages().unwrap_or_default();
    let lost = |stage: &&StageInfo| asked_for(&stage.stage) && stages.iter().all(|own| own.stage != stage.stage);
    for stage in theirs.iter().copied().filter(lost) {
        let text = format!("the baseline has a stage {}, and this run has not", stage.stage);
        out.push(gate(&stage.stage, Outcome::Unknown, text));
    }
    out.extend(families(&comparison, &stages, &gate));
    out
}

/// The time of a step, and each category that grew by more than the threshold of it.
fn of_stage(stage: &StageChange, pct: f64, gate: &dyn Fn(&str, Outcome, String) -> Gate) -> Vec<Gate> {
    let words = |name: &str, before: f64, after: f64, part: f64| {
        format!("{name}: {} → {} a step, {part:+.1} % of the step", cells::time(before), cells::time(after))
    };
    let (before, after) = (stage.time.before.unwrap_or(0.0), stage.time.after.unwrap_or(0.0));
    if before <= 0.0 {
        return vec![gate(&stage.stage, Outcome::Unknown, "the baseline's step has no GPU time".to_owned())];
    }
    let part = |delta: f64| 100.0 * delta / before;
    let vary = stage.spread_pct.map_or_else(String::new, |spread| format!("; steps vary by {spread:.1} %"));
    let grown: Vec<Gate> = (stage.categories.iter())
        .filter(|one| part(one.time.delta.unwrap_or(0.0)) > pct)
        .map(|one| {
            let time = (one.time.before.unwrap_or(0.0), one.time.after.unwrap_or(0.0));
            let id = format!("{}/{}", stage.stage, one.name);
            let text = words(&one.name, time.0, time.1, part(one.time.delta.unwrap_or(0.0)));
            gate(&id, Outcome::Failed, format!("{text}, over {pct} %{vary}"))
        })
        .collect();
    let slower = part(after - before);
    let text = words(&stage.stage, before, after, slower);
    let whole = if slower > pct {
        gate(&stage.stage, Outcome::Failed, format!("{text}, over {pct} %{vary}"))
    } else {
        gate(&stage.stage, Outcome::Passed, format!("{text}{vary}"))
    };
    std::iter::once(whole).chain(grown).collect()
}

/// Families that were fused and are so no longer.
fn families(comparison: &Comparison, stages: &[&StageInfo], gate: &dyn Fn(&str, Outcome, String) -> Gate) -> Vec<Gate> {
    let lost = ["regressed", "partly-regressed", "now-off-by-design"];
    let looked_at = |stage: &str| stages.iter().any(|own| own.stage == stage);
    (comparison.families.iter())
        .filter(|family| lost.contains(&family.change) && looked_at(&family.stage))
        .map(|family| {
            let sides = [&family.before, &family.after].into_iter().flatten();
            let sure = sides.clone().all(|side| side.confidence == "Confirmed");
            let state = |side: &Option<compare::FamilySide>| {
                side.as_ref().map_or_else(String::new, |side| format!("{} ({})", side.state, side.confidence))
            };
            let text = format!(
                "{} was {} in {} of the baseline and is {}",
                family.family,
                state(&family.before),
                family.stage,
                state(&family.after)
            );
            let outcome = if sure { Outcome::Failed } else { Outcome::Unknown };
            let mut gate = gate(&format!("{}/{}", family.stage, family.family), outcome, text);
            gate.fix = Some(cells::clean(&family.text)).filter(|fix| !fix.is_empty());
            gate.rows = family.after.iter().flat_map(|side| side.rows.clone()).collect();
            gate
        })
        .collect()
}
