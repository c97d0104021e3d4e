//! What of the traces is in no figure, or was not read as it was written: counted, so that nothing is lost in silence.

use std::collections::BTreeMap;

use super::cells::{clean, plural};
use super::{Analysis, BrokenEvents, FuseRow, GivenUp, Losses, OverlapRow, UndecidedGate};
use crate::rules::RuleSet;
use crate::trace::Skipped;

/// Of all traces, and of the conditions of all rows.
pub(super) fn build(analyses: &[Analysis], rules: &RuleSet, fuse: &[FuseRow], overlap: &[OverlapRow]) -> Losses {
    let mut losses = Losses::default();
    for analysis in analyses {
        losses.given_up.extend(analysis.given_up.iter().map(|one| GivenUp {
            path: analysis.timeline.path.clone(),
            family: rules.families[one.family].id.clone(),
            form: one.form.to_owned(),
        }));
    }
    let mut seen: Vec<&str> = Vec::new();
    for timeline in analyses.iter().map(|analysis| analysis.timeline) {
        losses.without_launch += timeline.counts.without_launch;
        // The ranks of one file all have what was skipped in the file.
        if seen.contains(&timeline.path.as_str()) {
            continue;
        }
        seen.push(&timeline.path);
        let skipped = &timeline.skipped;
        add(&mut losses.not_needed, &skipped.ignored);
        add(&mut losses.unknown_categories, &skipped.unknown);
        losses.repaired_texts += skipped.repaired;
        losses.broken_events.extend(skipped.broken.iter().map(|(reason, of)| BrokenEvents {
            path: timeline.path.clone(),
            reason: reason.clone(),
            count: of.count,
            first: of.first,
        }));
    }
    let conditions = fuse.iter().map(|row| (&row.family, &row.stage, &row.rule));
    let conditions =
        conditions.chain(overlap.iter().filter_map(|row| Some((row.family.as_ref()?, &row.stage, row.rule.as_ref()?))));
    for (family, stage, rule) in conditions {
        for gate in rule.gates.iter().filter(|gate| gate.answer == "unknown") {
            let undecided = UndecidedGate {
                family: family.clone(),
                stage: stage.clone(),
                wants: gate.wants.clone(),
                found: gate.found.clone(),
            };
            if !losses.undecided_gates.contains(&undecided) {
                losses.undecided_gates.push(undecided);
            }
        }
    }
    losses
}

fn add(sum: &mut BTreeMap<String, u64>, more: &BTreeMap<String, u64>) {
    for (category, n) in more {
        *sum.entry(category.clone()).or_default() += n;
    }
}

/// What was skipped or repaired in one file, a line for each kind.
pub fn of_file(skipped: &Skipped) -> Vec<String> {
    let mut lines = Vec::new();
    let not_needed: u64 = skipped.ignored.values().sum();
    if not_needed > 0 {
        let kinds = plural(skipped.ignored.len() as u64, "known kind");
        lines.push(format!("{} of {kinds} not needed", plural(not_needed, "event")));
    }
    for (category, n) in &skipped.unknown {
        lines.push(format!("{} of unknown category {} passed over", plural(*n, "event"), clean(category)));
    }
    for (reason, of) in &skipped.broken {
        let n = plural(of.count, "broken event");
        lines.push(format!("{n} skipped: {}, first traceEvents[{}]", clean(reason), of.first));
    }
    if skipped.repaired > 0 {
        lines.push(format!("{} repaired", plural(skipped.repaired, "distinct text")));
    }
    lines
}

/// Families without a row since their chains cost too much, a line for each: to be said without being asked.
pub fn given_up(losses: &Losses) -> Vec<String> {
    let told = losses.given_up.iter().map(|one| {
        let (path, family, form) = (clean(&one.path), clean(&one.family), &one.form);
        let what = match form.as_str() {
            "similar" => format!("what is near {family} was not searched for to the end"),
            form => format!("{family} has no row, its {form} chain was given up"),
        };
        format!(
            "{path}: {what}: it takes more steps on this trace than `chains:` of rules/graph.yaml allows; write it with \
             fewer repeats"
        )
    });
    told.collect()
}

/// What is left open once all files are read, a line for each.
pub fn left_open(losses: &Losses) -> Vec<String> {
    let mut lines = Vec::new();
    if losses.without_launch > 0 {
        lines.push(format!("{} without the call that launched them", plural(losses.without_launch, "GPU event")));
    }
    for gate in &losses.undecided_gates {
        let (wants, found) = (clean(&gate.wants), clean(&gate.found));
        lines.push(format!("undecided for {} in {}: {wants} ({found})", clean(&gate.family), gate.stage));
    }
    lines
}
