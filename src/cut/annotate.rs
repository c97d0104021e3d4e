//! Findings as events of a trace, which Perfetto and Chrome draw as a track of their own.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::select::Selection;
use crate::attribution::{LaunchId, Timeline};
use crate::engine::{Finding, Occurrence, Overlap};
use crate::rules::RuleSet;
use crate::units::Nanos;

/// Process of the track.
const PROCESS: &str = "llm-prof";
/// Category, known to `rules/trace.yaml` as one to pass over.
const CATEGORY: &str = "llm_prof";

/// One mark of the track.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark(Value);

impl Mark {
    /// One line of JSON.
    pub(super) fn json(&self) -> String {
        self.0.to_string()
    }
}

/// One occurrence on its way into a lane.
struct Spot {
    lane: String,
    name: String,
    start: Nanos,
    end: Nanos,
    args: Value,
}

/// Each occurrence of a finding, and each launch that an overlap row is about, of the launches that are kept.
pub fn marks(
    timeline: &Timeline,
    findings: &[Finding],
    overlaps: &[Overlap],
    rules: &RuleSet,
    selection: &Selection,
) -> Vec<Mark> {
    let is_kept = |id: LaunchId| {
        let launch = timeline.launch(id);
        selection.gpu.contains(&(launch.start, launch.dur, launch.correlation.get()))
    };
    let span = |launches: &[LaunchId]| -> Option<(Nanos, Nanos)> {
        let all = launches.iter().map(|&id| timeline.launch(id));
        Some((all.clone().map(|l| l.start).min()?, all.map(crate::attribution::Launch::end).max()?))
    };
    let mut spots = Vec::new();
    for finding in findings {
        let family = &rules.families[finding.family];
        for (form, occurrences) in [("fused", &finding.fused.occurrences), ("split", &finding.split.occurrences)] {
            for Occurrence { launches, .. } in occurrences.iter().filter(|one| one.launches.iter().all(|&l| is_kept(l)))
            {
                let Some((start, end)) = span(launches) else { continue };
                let args = json!({
                    "family": family.id, "form": form, "state": finding.state.id(),
                    "confidence": finding.confidence.id(), "launches": launches.len(), "do": finding.advice,
                });
                let name = format!("{} ({form})", family.title);
                spots.push(Spot { lane: family.id.clone(), name, start, end, args });
            }
        }
    }
    for overlap in overlaps {
        for &id in overlap.launches.iter().filter(|&&id| is_kept(id)) {
            let launch = timeline.launch(id);
            let family = overlap.family.map(|family| rules.families[family].id.as_str());
            let name = overlap.verdict.clone();
            let args = json!({ "family": family, "verdict": overlap.verdict, "because": overlap.reasons });
            let lane = format!("overlap: {}", family.unwrap_or(&overlap.verdict));
            spots.push(Spot { lane, name, start: launch.start, end: launch.end(), args });
        }
    }
    spots.sort_by(|a, b| (&a.lane, a.start, b.end).cmp(&(&b.lane, b.start, a.end)));
    drawn(&spots)
}

/// Events, and names of the process and the lanes. Marks of a lane that overlap are drawn in lanes beside it, since
/// viewers take what overlaps for a call within a call.
fn drawn(spots: &[Spot]) -> Vec<Mark> {
    if spots.is_empty() {
        return Vec::new();
    }
    let mut out = vec![Mark(json!({
        "ph": "M", "name": "process_name", "pid": PROCESS, "tid": 0, "args": { "name": "llm-prof findings" },
    }))];
    let mut free: BTreeMap<&str, Vec<Nanos>> = BTreeMap::new();
    for spot in spots {
        let ends = free.entry(&spot.lane).or_default();
        let row = ends.iter().position(|end| *end <= spot.start).unwrap_or(ends.len());
        if row == ends.len() {
            ends.push(spot.end);
        }
        ends[row] = spot.end;
        let tid = if row == 0 { spot.lane.clone() } else { format!("{} ({})", spot.lane, row + 1) };
        out.push(Mark(json!({
            "ph": "X", "cat": CATEGORY, "name": spot.name, "pid": PROCESS, "tid": tid,
            "ts": spot.start.as_us(), "dur": (spot.end - spot.start).as_us(), "args": spot.args,
        })));
    }
    out
}
