//! `triage --rank all`: every rank of a run read and searched side by side; only the lowest is kept whole.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::args;
use super::args::Terminal;
use super::failure::Failure;
use super::inputs::{self, Ask, Input};
use super::session::{self, Judged, Reading};
use super::side_by_side::{Bounds, side_by_side};
use super::streams::Streams;
use crate::engine::Engine;
use crate::report::TraceInfo;
use crate::report::ranks::{Facts, Worker};
use crate::rules::RuleSet;
use crate::rules::schema::inputs::MemoryEstimate;

/// All ranks of a run.
pub(super) struct Ranks {
    /// The traces of the lowest, which tables are made of.
    pub(super) judged: Vec<Judged<'static>>,
    /// Every file looked at, taken ones first.
    pub(super) traces: Vec<TraceInfo>,
    /// The lowest first.
    pub(super) facts: Vec<Facts>,
    /// Whether a trace of the run could not be read.
    pub(super) broken: bool,
}

/// What one file gave.
struct Done {
    judged: Vec<Judged<'static>>,
    traces: Vec<TraceInfo>,
    facts: Vec<Facts>,
    said: Vec<String>,
}

/// Chooses, reads, attributes and searches.
pub(super) fn open(
    paths: &[PathBuf],
    input: &args::Input,
    terminal: &Terminal,
    rules: &RuleSet,
    engine: &Engine,
    streams: &mut Streams,
) -> Result<Ranks, Failure> {
    let ask = Ask { rank: None, every_rank: true, stage: session::only_stage(input) };
    let chosen = inputs::gather(paths, ask, rules)?;
    let reading = Reading::new(input, terminal, rules, streams)?;
    let lowest = chosen.taken.iter().map(|input| &input.worker).min().cloned().unwrap_or_default();
    let bounds = Bounds::of(input);
    let memory = |input: &Input| memory(input, rules.inputs.memory);
    let each = |inputs: &[Input], lowest: &Worker| {
        side_by_side(inputs, bounds, memory, |input| match one(input, lowest, &reading, rules, engine) {
            // The other ranks still count.
            Err(Failure::Said { message, .. }) => Ok(Err(message)),
            Err(other) => Err(other),
            Ok(done) => Ok(Ok(done)),
        })
    };
    let mut done: Vec<Result<Done, String>> = {
        let _progress = reading.progress(&chosen.taken, streams);
        each(&chosen.taken, &lowest)?
    };
    let whole = chosen.taken.iter().zip(&done).filter(|(_, done)| done.is_ok()).map(|(input, _)| &input.worker);
    let (whole, first) = (whole.clone().min().cloned(), done.iter().find_map(|done| done.as_ref().err()));
    match (&whole, first) {
        (None, Some(message)) => return Err(Failure::input(message)),
        // The tables are made of the lowest that is whole, which was not kept.
        (Some(next), _) if *next != lowest => {
            for (input, done) in chosen.taken.iter().zip(&mut done).filter(|(input, _)| input.worker == *next) {
                *done = each(std::slice::from_ref(input), next)?.remove(0);
            }
        }
        _ => {}
    }
    let mut ranks = Ranks { judged: Vec::new(), traces: Vec::new(), facts: Vec::new(), broken: false };
    let mut unread = Vec::new();
    for (input, done) in chosen.taken.iter().zip(done) {
        let done = match done {
            Ok(done) => done,
            Err(message) => {
                session::say(streams, &format!("error: {message}; the other ranks are reported"))?;
                ranks.broken = true;
                unread.push(session::unread(input.info.clone(), &message));
                continue;
            }
        };
        for line in &done.said {
            session::say(streams, line)?;
        }
        ranks.judged.extend(done.judged);
        ranks.traces.extend(done.traces);
        for facts in done.facts {
            match ranks.facts.iter_mut().find(|known| known.worker() == facts.worker()) {
                Some(known) => known.join(facts),
                None => ranks.facts.push(facts),
            }
        }
    }
    ranks.facts.sort_by(|a, b| a.worker().cmp(b.worker()));
    for info in chosen.left.iter().filter(|info| chosen.damaged.contains(&info.path)) {
        session::say(streams, &format!("error: {}: {}; the other ranks are reported", info.path, info.reason))?;
        ranks.broken = true;
    }
    ranks.traces.extend(unread);
    ranks.traces.extend(chosen.left);
    Ok(ranks)
}

/// One file: a rank, or all of them.
fn one(input: &Input, lowest: &Worker, reading: &Reading, rules: &RuleSet, engine: &Engine) -> Result<Done, Failure> {
    let mut said = Vec::new();
    let opened = reading.open(input, &mut said)?;
    let merged = opened.timelines.len() > 1;
    let mut done = Done { judged: Vec::new(), traces: opened.traces, facts: Vec::new(), said };
    for (n, timeline) in opened.timelines.into_iter().enumerate() {
        let rank = timeline.run.rank.as_ref().map(|known| known.value);
        let mut laps = Vec::new();
        let judged = Judged::of(Cow::Owned(timeline), rules, engine, &mut laps);
        for lap in laps {
            reading.detail(lap, &mut done.said);
        }
        let worker = if merged { in_file(rank, n) } else { input.worker.clone() };
        let keep = if merged { n == 0 } else { worker == *lowest };
        done.facts.push(Facts::of(worker, &judged.analysis(), rules));
        if keep {
            done.judged.push(judged);
        }
    }
    Ok(done)
}

/// A rank of a merged file; the n-th when its label has no number.
fn in_file(rank: Option<i64>, n: usize) -> Worker {
    let label = rank.map_or_else(|| format!("unknown {n}"), |rank| rank.to_string());
    Worker { rank, others: Vec::new(), label }
}

/// What reading and searching an input takes: a base, and a part of the JSON that comes out of it and its captures.
pub(super) fn memory(input: &Input, estimate: MemoryEstimate) -> u64 {
    let files = input.captures.iter().map(|(path, _)| path.as_path()).chain([input.path.as_path()]);
    let json: u64 = files.map(|path| json_bytes(path, estimate)).sum();
    (estimate.base_mb << 20).saturating_add(json.saturating_mul(estimate.of_json_pct) / 100)
}

/// Bytes of JSON in a file. Gzip ends with the length of its last part, modulo 4 GiB; where that cannot be all, and in
/// other packings, the size of the file is multiplied.
fn json_bytes(path: &Path, estimate: MemoryEstimate) -> u64 {
    let Ok(mut file) = File::open(path) else { return 0 };
    let packed = file.metadata().map_or(0, |meta| meta.len());
    let mut first = [0; 4];
    if file.read_exact(&mut first).is_err() {
        return packed;
    }
    match first {
        [0x1f, 0x8b, ..] => {
            let mut last = [0; 4];
            let told = file.seek(SeekFrom::End(-4)).and_then(|_| file.read_exact(&mut last));
            let told = told.map_or(0, |()| u64::from(u32::from_le_bytes(last)));
            told.max(packed.saturating_mul(estimate.ratio))
        }
        [0x28, 0xb5, 0x2f, 0xfd] => packed.saturating_mul(estimate.ratio),
        _ => packed,
    }
}
