//! A file of several ranks in, a trace a rank out, as each rank would have written it.

use super::Settings;
use super::launch::Ranks;
use crate::trace::{Collective, LaneId, ProcessId, Trace};

/// Parts a trace whose processes are labelled by rank, lowest rank first. What is known of the file as a whole (header,
/// warnings, what was skipped) goes with each; a trace of one rank stays as it is.
pub fn by_rank(trace: Trace, settings: &Settings) -> Vec<Trace> {
    let ranks = Ranks::new(&trace, &trace.strings, settings);
    let mut labels: Vec<(i64, &str)> = (trace.gpu.iter())
        .map(|event| event.stream.process)
        .filter_map(|process| Some((ranks.rank(process).unwrap_or(i64::MAX), ranks.label(process)?)))
        .collect();
    labels.sort_unstable();
    labels.dedup();
    if labels.len() < 2 {
        return vec![trace];
    }
    let part_of: Vec<Option<usize>> = (0..trace.processes.len() as u32)
        .map(|process| {
            let label = ranks.label(ProcessId(process))?;
            labels.iter().position(|(_, other)| *other == label)
        })
        .collect();
    split(trace, &part_of, labels.len())
}

/// Rows go to the part of their process; those of a process without a part go nowhere.
fn split(mut trace: Trace, part_of: &[Option<usize>], parts: usize) -> Vec<Trace> {
    let of_process = |process: ProcessId| part_of[process.0 as usize];
    let lanes = std::mem::take(&mut trace.lanes);
    let of_lane = |lane: LaneId| of_process(lanes[lane.0 as usize].process);
    let gpu = std::mem::take(&mut trace.gpu);
    let collectives = std::mem::take(&mut trace.collectives);
    let runtime = std::mem::take(&mut trace.runtime);
    let ops = std::mem::take(&mut trace.ops);
    let annotations = std::mem::take(&mut trace.annotations);
    let syncs = std::mem::take(&mut trace.syncs);
    let frames = std::mem::take(&mut trace.frames);
    // What is left is small, and the same for all: texts, processes, header.
    let mut out: Vec<Trace> = vec![trace; parts];
    let mut said = collectives.into_iter().peekable();
    for (n, event) in gpu.into_iter().enumerate() {
        let collective = said.next_if(|collective| collective.event as usize == n);
        let Some(part) = of_process(event.stream.process) else { continue };
        let part = &mut out[part];
        let event_in_part = part.gpu.len() as u32;
        part.collectives.extend(collective.map(|collective| Collective { event: event_in_part, ..collective }));
        part.gpu.push(event);
    }
    deal(runtime, &mut out, |call| of_lane(call.lane), |part| &mut part.runtime);
    deal(ops, &mut out, |op| of_lane(op.lane), |part| &mut part.ops);
    deal(annotations, &mut out, |annotation| of_lane(annotation.lane), |part| &mut part.annotations);
    deal(syncs, &mut out, |sync| of_process(sync.process), |part| &mut part.syncs);
    deal(frames, &mut out, |lane| of_lane(lane.lane), |part| &mut part.frames);
    for part in &mut out {
        part.lanes.clone_from(&lanes);
    }
    out
}

fn deal<T>(
    rows: Vec<T>,
    parts: &mut [Trace],
    of: impl Fn(&T) -> Option<usize>,
    column: impl Fn(&mut Trace) -> &mut Vec<T>,
) {
    for row in rows {
        if let Some(part) = of(&row) {
            column(&mut parts[part]).push(row);
        }
    }
}
