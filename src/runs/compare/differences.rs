//! What is not alike in two runs though it should be, and what bends the figures of one.

use std::collections::BTreeSet;

use super::Difference;
use crate::report::{Fitness, Report, StepInfo};
use crate::rules::schema::compare::{CompareFile, FactField};
use crate::runs::Run;

/// All of it, what makes times incomparable first.
pub(super) fn all(before: &Run, after: &Run, settings: &CompareFile) -> Vec<Difference> {
    let mut out = Vec::new();
    for fact in &settings.facts {
        let (a, b) = (field(&before.report, fact.field), field(&after.report, fact.field));
        if a.is_some() && b.is_some() && a != b {
            out.push(differ(&fact.says, a, b, fact.gates));
        }
    }
    for fact in &before.capture {
        let other = after.capture.iter().find(|other| other.says == fact.says);
        if let Some(other) = other.filter(|other| other.value != fact.value) {
            out.push(differ(&fact.says, Some(fact.value.clone()), Some(other.value.clone()), fact.gates));
        }
    }
    out.extend(lengths(&before.report, &after.report, settings));
    out.extend(arguments(&before.report, &after.report));
    let (ours, theirs) = (&before.report.rules, &after.report.rules);
    if ours.digest != theirs.digest {
        let text = format!(
            "the reports were made with other rules ({} {}, {} {}): a family may be missing because one of them does not \
             know it; triage both traces again",
            ours.version, ours.digest, theirs.version, theirs.digest
        );
        out.push(Difference {
            what: "rules".to_owned(),
            before: Some(ours.digest.clone()),
            after: Some(theirs.digest.clone()),
            text,
            gates: false,
        });
    }
    out.extend(bent(&before.report, &after.report, settings));
    out.sort_by_key(|difference| !difference.gates);
    out
}

/// What bends the figures of one run, or of both.
fn bent(before: &Report, after: &Report, settings: &CompareFile) -> Vec<Difference> {
    let of = |report: &Report, code: &String| report.fitness.iter().find(|fitness| fitness.code == *code).cloned();
    let bent = (settings.bends_figures.iter()).flat_map(|code| {
        let (ours, theirs) = (of(before, code), of(after, code));
        let said = |fitness: &Option<Fitness>| fitness.as_ref().map(|fitness| fitness.finding.clone());
        let whole = |which: &str, fitness: Option<Fitness>| {
            fitness.map(|fitness| (which.to_owned(), format!("{which}: {} {}", fitness.finding, fitness.fix)))
        };
        let (before, after) = (said(&ours), said(&theirs));
        let texts = if before.is_some() && before == after {
            vec![whole("both", ours)]
        } else {
            vec![whole("before", ours), whole("after", theirs)]
        };
        texts.into_iter().flatten().map(move |(which, text)| Difference {
            what: code.clone(),
            before: before.clone().filter(|_| which != "after"),
            after: after.clone().filter(|_| which != "before"),
            text,
            gates: false,
        })
    });
    bent.collect()
}

fn differ(what: &str, before: Option<String>, after: Option<String>, gates: bool) -> Difference {
    let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
    let mut text = format!("{what}: {} before, {} after", word(&before), word(&after));
    if gates {
        text.push_str("; times compare other work");
    }
    Difference { what: what.to_owned(), before, after, text, gates }
}

/// A field that should be alike, as text; none when unknown.
pub(in crate::runs) fn field(report: &Report, field: FactField) -> Option<String> {
    match field {
        FactField::Model => report.model.clone(),
        FactField::Hardware => report.hardware.clone(),
        FactField::Tp => report.tp.map(|tp| tp.to_string()),
        FactField::Framework => report.framework_title.clone().or_else(|| report.framework.clone()),
        FactField::FrameworkVersion => report.framework_version.clone(),
        FactField::Mode => Some(report.mode.to_string()),
    }
}

/// How long a step is, in one way.
type Length = fn(&StepInfo) -> Option<i64>;

/// Steps of other tokens or requests.
fn lengths(before: &Report, after: &Report, settings: &CompareFile) -> Vec<Difference> {
    let mut out = Vec::new();
    let stages: Vec<&str> = before.stages.iter().map(|stage| stage.stage.as_str()).collect();
    let each: [(&str, Length); 2] = [("tokens", |step| step.tokens), ("requests", |step| step.requests)];
    for stage in stages {
        for (what, get) in each {
            let (Some(a), Some(b)) = (typical(before, stage, get), typical(after, stage, get)) else { continue };
            if (a - b).abs() as f64 > a.abs().max(b.abs()) as f64 * settings.lengths_pct / 100.0 {
                let (a, b) = (Some(a.to_string()), Some(b.to_string()));
                out.push(differ(&format!("{what} of a {stage} step"), a, b, true));
            }
        }
    }
    out
}

/// The median over the steps of a stage.
fn typical(report: &Report, stage: &str, get: Length) -> Option<i64> {
    let mut values: Vec<i64> = report.gpu.steps.iter().filter(|step| step.stage == stage).filter_map(get).collect();
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied()
}

/// Server arguments that both reports name with other values, or only one of them.
fn arguments(before: &Report, after: &Report) -> Vec<Difference> {
    let (ours, theirs) = (&before.server_args.fields, &after.server_args.fields);
    if ours.is_empty() || theirs.is_empty() {
        return Vec::new();
    }
    let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    (names.into_iter())
        .filter(|name| ours.get(*name) != theirs.get(*name))
        .map(|name| {
            let word = |value: Option<&serde_json::Value>| value.map(ToString::to_string);
            differ(&format!("server argument {name}"), word(ours.get(name)), word(theirs.get(name)), false)
        })
        .collect()
}
