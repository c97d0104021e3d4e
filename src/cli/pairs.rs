//! A pair of traces: places of the mapping trace for the launches of the formal one.

use std::path::PathBuf;

use super::args::{Input, Pair, Terminal};
use super::failure::Failure;
use super::session::{self, Judged, Session, say};
use super::streams::Streams;
use crate::attribution::{self, Timeline};
use crate::engine::pair::{self, Side};
use crate::engine::{self, Classes, Finding};
use crate::rules::RuleSet;

/// The traces, and those that only their places are wanted of.
pub(super) fn open(
    paths: &[PathBuf],
    pair: &Pair,
    input: &Input,
    terminal: &Terminal,
    settings: &RuleSet,
    streams: &mut Streams,
) -> Result<(Session, Option<Session>), Failure> {
    let session = session::open(paths, input, terminal, settings, streams)?;
    if pair.mapping.is_empty() {
        return Ok((session, None));
    }
    let mapping = session::open(&pair.mapping, input, terminal, settings, streams)?;
    check(&session, &mapping, pair.force, streams)?;
    Ok((session, Some(mapping)))
}

/// The traces with the places of those beside, and whether there are any beside.
pub(super) fn joined(
    paths: &[PathBuf],
    pair: &Pair,
    input: &Input,
    terminal: &Terminal,
    rules: &RuleSet,
    streams: &mut Streams,
) -> Result<(Session, bool), Failure> {
    let (mut session, mut mapping) = open(paths, pair, input, terminal, rules, streams)?;
    if let Some(mapping) = &mut mapping {
        take(&mut session, mapping, rules, terminal.quiet, streams)?;
    }
    Ok((session, mapping.is_some()))
}

/// An error when the runs cannot be compared; with `force` a warning.
fn check(formal: &Session, mapping: &Session, force: bool, streams: &mut Streams) -> Result<(), Failure> {
    let mut words: Vec<String> = Vec::new();
    for ours in &formal.timelines {
        for theirs in &mapping.timelines {
            for word in pair::unlike(&ours.run, &theirs.run) {
                if !words.contains(&word) {
                    words.push(word);
                }
            }
        }
    }
    match words.join("; ") {
        none if none.is_empty() => Ok(()),
        words if force => say(streams, &format!("warning: {words}")),
        words => Err(Failure::usage(format!(
            "the traces of this pair are not of one server: {words}; give a mapping trace of the same server, or --force"
        ))),
    }
}

/// Ties each formal trace to the mapping traces and takes their places over. Names the files and what was borrowed.
pub(super) fn take(
    formal: &mut Session,
    mapping: &mut Session,
    rules: &RuleSet,
    quiet: bool,
    streams: &mut Streams,
) -> Result<(), Failure> {
    let theirs: Vec<(&Timeline, Classes)> =
        mapping.timelines.iter().map(|timeline| (timeline, engine::classify(rules, timeline))).collect();
    let sides: Vec<Side> = theirs.iter().map(|(timeline, classes)| Side { timeline, classes }).collect();
    let mut warnings: Vec<String> = Vec::new();
    for timeline in &mut formal.timelines {
        for theirs in &sides {
            pair::facts(&mut timeline.run, &theirs.timeline.run);
        }
        let classes = engine::classify(rules, timeline);
        let ties = pair::ties(rules, Side { timeline, classes: &classes }, &sides);
        for (stage, other) in &ties.borrowed {
            let warning = format!("no mapping step of stage {}: places come from {}", stage.id(), other.id());
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
        // Each launch has its counterpart in one of them; the last pass says which have none.
        attribution::take_places(timeline, &sides.iter().map(|side| side.timeline).collect::<Vec<_>>(), &ties.of);
    }
    for info in &mut formal.traces {
        if info.role == "trace" {
            "formal".clone_into(&mut info.role);
        }
    }
    for info in &mut mapping.traces {
        if info.role == "trace" {
            "mapping".clone_into(&mut info.role);
        }
        if info.role == "mapping" && info.taken {
            "locations only".clone_into(&mut info.reason);
            info.warnings.append(&mut warnings);
            for warning in info.warnings.iter().filter(|_| !quiet) {
                say(streams, &format!("warning: {}: {warning}", info.path))?;
            }
        }
    }
    formal.traces.append(&mut mapping.traces);
    Ok(())
}

/// Says which families are fused in one run and split in the other.
pub(super) fn compare(formal: &mut [Judged], mapping: &[Judged]) {
    let theirs: Vec<&[Finding]> = mapping.iter().map(|one| one.judgement.findings.as_slice()).collect();
    for one in formal {
        pair::compare(&mut one.judgement.findings, &theirs);
    }
}
