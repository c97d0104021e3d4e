//! Fuse families of both runs, those whose state differs first.

use std::collections::BTreeMap;

use super::measure::Measure;
use super::{FamilyChange, FamilySide};
use crate::report::{FuseRow, Report};
use crate::rules::schema::compare::CompareFile;
use crate::runs::Run;

/// Changes in the order in which a reader wants them.
const ORDER: [&str; 11] = [
    "regressed",
    "partly-regressed",
    "now-off-by-design",
    "appeared-split",
    "vanished",
    "newly-fused",
    "partly-fused",
    "gates-changed",
    "appeared",
    "confidence-changed",
    "same",
];

/// What families are known by in both runs.
#[derive(Clone, Copy)]
pub(super) struct Alignment<'a> {
    /// Across frameworks by pattern, else by id.
    pub(super) by_pattern: bool,
    pub(super) settings: &'a CompareFile,
}

impl Alignment<'_> {
    fn key<'r>(&'r self, row: &'r FuseRow) -> &'r str {
        if self.by_pattern { self.settings.pattern(&row.family) } else { &row.family }
    }
}

/// All families of one stage.
pub(super) fn changes(
    before: &Run,
    after: &Run,
    stage: &str,
    measure: &Measure,
    alignment: Alignment,
) -> Vec<FamilyChange> {
    let mut rows: BTreeMap<&str, (Vec<&FuseRow>, Vec<&FuseRow>)> = BTreeMap::new();
    for row in before.report.fuse.iter().filter(|row| row.stage == stage) {
        rows.entry(alignment.key(row)).or_default().0.push(row);
    }
    for row in after.report.fuse.iter().filter(|row| row.stage == stage) {
        rows.entry(alignment.key(row)).or_default().1.push(row);
    }
    let bar = |report: &Report| report.hidden_rows.min_share_pct;
    let bar = bar(&before.report).min(bar(&after.report));
    rows.into_iter()
        .map(|(key, (ours, theirs))| {
            let title = theirs.first().or(ours.first()).map_or_else(String::new, |row| row.title.clone());
            let (old, new) = (side(&ours), side(&theirs));
            let change = word(old.as_ref(), new.as_ref());
            let sum = |rows: &[&FuseRow]| (!rows.is_empty()).then(|| rows.iter().map(|row| row.time_us).sum());
            let covered = ours.iter().chain(&theirs).all(|row| row.covered_by.is_some());
            let share = [&old, &new].into_iter().flatten().map(|side| side.share_pct).fold(0.0, f64::max);
            let flips = old.is_some() && new.is_some();
            FamilyChange {
                id: format!("compare/fuse/{key}/{stage}"),
                stage: stage.to_owned(),
                family: key.to_owned(),
                title,
                change,
                shown: change != "same" && !covered && (flips || share >= bar),
                time: measure.time(sum(&ours), sum(&theirs)),
                text: text(change, old.as_ref(), new.as_ref(), &theirs),
                before: old,
                after: new,
            }
        })
        .collect()
}

/// Loudest first, then by time, then by name.
pub(super) fn sort(changes: &mut [FamilyChange]) {
    let rank = |change: &FamilyChange| ORDER.iter().position(|word| *word == change.change);
    let size = |change: &FamilyChange| change.time.before.unwrap_or(0.0).max(change.time.after.unwrap_or(0.0));
    changes
        .sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| size(b).total_cmp(&size(a))).then_with(|| a.id.cmp(&b.id)));
}

/// The rows of one run put together: the same state, or partly.
fn side(rows: &[&FuseRow]) -> Option<FamilySide> {
    let lead = rows.iter().copied().reduce(|best, row| if row.time_us > best.time_us { row } else { best })?;
    let mut reasons: Vec<String> = Vec::new();
    for reason in rows.iter().flat_map(|row| &row.reasons) {
        if !reasons.contains(reason) {
            reasons.push(reason.clone());
        }
    }
    let steps: Vec<f64> = rows.iter().filter_map(|row| row.per_step).collect();
    Some(FamilySide {
        state: if rows.iter().all(|row| row.state == lead.state) { lead.state.clone() } else { "partly".to_owned() },
        confidence: if rows.iter().all(|row| row.confidence == lead.confidence) {
            lead.confidence.clone()
        } else {
            "Candidate".to_owned()
        },
        rows: rows.iter().map(|row| row.id.clone()).collect(),
        share_pct: rows.iter().map(|row| row.share_pct).sum(),
        per_step: (!steps.is_empty()).then(|| steps.iter().sum()),
        reasons,
    })
}

fn word(before: Option<&FamilySide>, after: Option<&FamilySide>) -> &'static str {
    let state = |side: Option<&FamilySide>| side.map_or_else(String::new, |side| side.state.clone());
    match (state(before).as_str(), state(after).as_str()) {
        ("in-use", "split") => "regressed",
        ("in-use", "partly") | ("partly", "split") => "partly-regressed",
        ("in-use" | "partly", "off-by-design") => "now-off-by-design",
        ("", "split" | "partly") => "appeared-split",
        (_, "") => "vanished",
        ("split" | "partly" | "off-by-design", "in-use") => "newly-fused",
        ("split" | "off-by-design", "partly") => "partly-fused",
        ("split", "off-by-design") | ("off-by-design", "split") => "gates-changed",
        ("", _) => "appeared",
        _ if before.map(|side| &side.confidence) != after.map(|side| &side.confidence) => "confidence-changed",
        _ => "same",
    }
}

/// Why: what the second run says of it, else the first; and what to do.
fn text(change: &str, before: Option<&FamilySide>, after: Option<&FamilySide>, rows: &[&FuseRow]) -> String {
    if change == "same" {
        return String::new();
    }
    let mut parts: Vec<String> = Vec::new();
    if let Some(row) = rows.iter().find(|row| !row.advice.is_empty()) {
        parts.push(row.advice.clone());
    }
    match (before, after) {
        (Some(before), None) => {
            parts.push(format!("{} before; after, neither its fused nor its split kernels are found", before.state));
        }
        (before, Some(after)) => {
            let news = after.reasons.iter().filter(|reason| before.is_none_or(|old| !old.reasons.contains(reason)));
            parts.extend(
                news.filter(|reason| !parts.iter().any(|said| said.contains(reason.as_str())))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
            let gone = before.iter().flat_map(|old| &old.reasons).filter(|reason| !after.reasons.contains(reason));
            parts.extend(gone.map(|reason| format!("no longer: {reason}")));
        }
        (None, None) => {}
    }
    parts.join("; ")
}
