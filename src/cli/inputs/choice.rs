//! Which of the files found are read. Contents decide before names, names before nothing; each answer has its reason.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::names::Names;
use super::walk::{Found, Kind};
use super::{Ask, Input, Inputs, shown};
use crate::attribution::Stage;
use crate::cli::failure::{Failure, code};
use crate::report::TraceInfo;
use crate::report::ranks::Worker;

/// A file with its rank and, once that is known, why it is left.
struct File {
    found: Found,
    rank: Option<i64>,
    left: Option<String>,
    /// Its role where it is read for want of a trace.
    instead: Option<&'static str>,
}

impl File {
    fn is(&self, kind: &Kind) -> bool {
        self.left.is_none() && self.found.kind == *kind
    }

    fn leave(&mut self, reason: impl Into<String>) {
        self.left.get_or_insert(reason.into());
    }

    /// Which worker wrote it; the lowest is read.
    fn worker(&self) -> (i64, &[i64]) {
        (self.rank.unwrap_or(i64::MAX), &self.found.coordinates)
    }

    /// Later is newer: by the clock of the profiler, then by name.
    fn age(&self) -> (Option<i64>, &std::path::Path) {
        (self.found.begin, &self.found.path)
    }
}

/// Chooses; an error when nothing can be read.
pub(super) fn choose(found: Vec<Found>, ask: Ask, names: &Names) -> Result<Inputs, Failure> {
    let mut files = with_ranks(found);
    foreign(&mut files, ask.every_rank)?;
    if !files.iter().any(|file| matches!(file.found.kind, Kind::Trace | Kind::Merged)) {
        // Captures and front ends are better than nothing, and fitness says what they lack.
        // What lies beside a file given by name is no trace that anyone asked for.
        let given = files.iter().any(|file| file.found.given);
        let capture = files.iter().any(|file| file.is(&Kind::Capture) && file.found.given == given);
        let only = if capture { Kind::Capture } else { Kind::Frontend };
        for file in files.iter_mut().filter(|file| file.found.kind == only) {
            file.instead = (only == Kind::Frontend).then_some("frontend");
            file.found.kind = Kind::Trace;
        }
    }
    let (captures, mut files): (Vec<File>, Vec<File>) = files.into_iter().partition(|file| file.is(&Kind::Capture));
    for file in files.iter_mut().filter(|file| file.found.kind == Kind::Frontend) {
        file.leave("front end: it launches no kernel");
    }
    newest_run(&mut files);
    if let Some(rank) = ask.rank {
        this_rank(&mut files, rank)?;
    }
    this_stage(&mut files, ask.stage);
    stages_or_whole(&mut files);
    for stage in stages(&files) {
        one_of_stage(&mut files, stage, ask.every_rank);
    }
    Ok(split(files, captures, ask.every_rank, names))
}

/// Every trace of a run, each for itself: no rank is the lowest, no file the newest.
pub(super) fn each(found: Vec<Found>, names: &Names) -> Inputs {
    let mut files = with_ranks(found);
    let traces = files.iter().any(|file| matches!(file.found.kind, Kind::Trace | Kind::Merged));
    let ranks = files.iter().any(|file| file.found.kind == Kind::Trace && file.rank.is_some());
    for file in &mut files {
        match &file.found.kind {
            Kind::Foreign(what) => file.left = Some(format!("no trace: {what}")),
            Kind::Capture if !traces && file.found.given => file.found.kind = Kind::Trace,
            Kind::Frontend => file.leave("front end: it launches no kernel"),
            Kind::Merged if ranks => file.leave("merged; the files of its ranks are read"),
            Kind::Trace | Kind::Merged | Kind::Capture => {}
        }
    }
    let (captures, files) = files.into_iter().partition(|file| file.is(&Kind::Capture));
    split(files, captures, true, names)
}

/// Ranks by content, else by name; an unsure number counts beside another number only, or when it is 0.
fn with_ranks(found: Vec<Found>) -> Vec<File> {
    let differs = |file: &Found, rank: i64| {
        let folder = file.path.parent();
        found.iter().any(|other| {
            other.path.parent() == folder && other.named_rank.is_some_and(|named| !named.sure && named.rank != rank)
        })
    };
    let ranks: Vec<Option<i64>> = (found.iter())
        .map(|file| {
            let named = file.named_rank.filter(|named| named.sure || named.rank == 0 || differs(file, named.rank));
            file.own_rank.or(named.map(|named| named.rank))
        })
        .collect();
    found.into_iter().zip(ranks).map(|(found, rank)| File { found, rank, left: None, instead: None }).collect()
}

/// Leaves what is no trace; an error when that was asked for by name, or when nothing else is there.
fn foreign(files: &mut [File], every_rank: bool) -> Result<(), Failure> {
    let expected = "expected JSON with traceEvents as torch.profiler writes it (.json, .json.gz, .zst)";
    for file in &mut *files {
        if let Kind::Foreign(what) = &file.found.kind {
            // Of many ranks the others still count.
            if file.found.given && !every_rank {
                return Err(Failure::input(format!("{}: no trace: {what}; {expected}", shown(&file.found.path))));
            }
            file.left = Some(format!("no trace: {what}"));
        }
    }
    if files.iter().any(|file| file.left.is_none()) {
        return Ok(());
    }
    let looked = (files.iter().take(8))
        .map(|file| format!("  {}: {}", shown(&file.found.path), file.left.as_deref().unwrap_or_default()));
    let at = if files.is_empty() { "" } else { "; looked at" };
    let lines: Vec<String> = std::iter::once(format!("no trace found: {expected}{at}")).chain(looked).collect();
    Err(Failure::lines(code::INPUT, &lines))
}

/// Of several runs in a folder the one that began last.
fn newest_run(files: &mut [File]) {
    let mut runs: BTreeMap<PathBuf, Option<i64>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.left.is_none() && !file.found.given) {
        let begin = runs.entry(file.found.run.clone()).or_default();
        *begin = (*begin).max(file.found.begin);
    }
    let newest = runs.iter().max_by_key(|(run, begin)| (**begin, *run)).map(|(run, _)| run.clone());
    let Some(newest) = newest.filter(|_| runs.len() > 1) else { return };
    for file in files.iter_mut().filter(|file| !file.found.given && file.found.run != newest) {
        file.leave(format!("older run; {} is read", shown(&newest)));
    }
}

fn this_rank(files: &mut [File], rank: i64) -> Result<(), Failure> {
    let open = || files.iter().filter(|file| file.left.is_none());
    let there = open().any(|file| file.rank == Some(rank));
    let merged = open().any(|file| file.found.kind == Kind::Merged);
    let only = open().count() == 1;
    if !there && !merged && !only {
        let mut ranks: Vec<String> = open().filter_map(|file| file.rank).map(|rank| rank.to_string()).collect();
        ranks.sort();
        ranks.dedup();
        return Err(Failure::input(format!("no trace of rank {rank}; there are ranks {}", ranks.join(", "))));
    }
    for file in files.iter_mut().filter(|_| there || merged) {
        let own = file.rank == Some(rank);
        let merged = file.found.kind == Kind::Merged;
        if !(own || merged && !there) {
            file.leave(format!("rank {rank} was asked for"));
        }
    }
    Ok(())
}

fn this_stage(files: &mut [File], stage: Option<Stage>) {
    let Some(stage) = stage else { return };
    if files.iter().any(|file| file.left.is_none() && file.found.stage == Some(stage)) {
        for file in files.iter_mut().filter(|file| file.found.stage.is_some_and(|other| other != stage)) {
            file.leave(format!("stage {} was asked for", stage.id()));
        }
    }
}

/// Files of single stages and files of all stages are two ways to tell the same: the newer way is read.
fn stages_or_whole(files: &mut [File]) {
    let newest = |staged: bool| {
        let some = files.iter().filter(|file| file.left.is_none() && file.found.stage.is_some() == staged);
        some.map(|file| file.found.begin).max()
    };
    if let (Some(staged), Some(whole)) = (newest(true), newest(false)) {
        let take_whole = whole > staged;
        let reason =
            if take_whole { "older than the trace of all stages" } else { "the traces of single stages are read" };
        for file in files.iter_mut().filter(|file| file.found.stage.is_some() == take_whole) {
            file.leave(reason);
        }
    }
}

fn stages(files: &[File]) -> Vec<Option<Stage>> {
    let mut stages: Vec<_> = files.iter().filter(|file| file.left.is_none()).map(|file| file.found.stage).collect();
    stages.sort();
    stages.dedup();
    stages
}

/// Of the files of one stage: rank-own before merged, the lowest worker or each, the newest.
fn one_of_stage(files: &mut [File], stage: Option<Stage>, every_rank: bool) {
    let mut open: Vec<&mut File> =
        files.iter_mut().filter(|file| file.left.is_none() && file.found.stage == stage).collect();
    if open.iter().any(|file| file.found.kind == Kind::Trace) {
        for file in open.iter_mut().filter(|file| file.found.kind == Kind::Merged) {
            file.leave("merged; a file of one rank is read");
        }
        open.retain(|file| file.left.is_none());
    }
    let lowest = open.iter().map(|file| file.worker()).min().map(|(rank, others)| (rank, others.to_vec()));
    if let Some((rank, others)) = lowest {
        let every = every_rank && rank != i64::MAX;
        for file in open.iter_mut().filter(|file| !every && file.worker() != (rank, &others)) {
            let reason = match file.rank {
                Some(own) if own != rank => format!("rank {rank} is read; --rank {own} reads this one"),
                _ if file.rank.is_none() && rank != i64::MAX => format!("rank unknown; rank {rank} is read"),
                _ => "another worker of the same rank; the first is read".to_owned(),
            };
            file.leave(reason);
        }
        for file in open.iter_mut().filter(|file| every && file.rank.is_none()) {
            file.leave("rank unknown; those with a rank are read");
        }
        open.retain(|file| file.left.is_none());
    }
    let mut newest: BTreeMap<(i64, Vec<i64>), PathBuf> = BTreeMap::new();
    open.sort_by(|a, b| a.age().cmp(&b.age()));
    for file in &open {
        let (rank, others) = file.worker();
        newest.insert((rank, others.to_vec()), file.found.path.clone());
    }
    for file in open {
        let (rank, others) = file.worker();
        if let Some(newest) = newest.get(&(rank, others.to_vec())).filter(|newest| **newest != file.found.path) {
            file.leave(format!("older; {} is read", shown(newest)));
        }
    }
}

fn split(files: Vec<File>, captures: Vec<File>, every_rank: bool, names: &Names) -> Inputs {
    let (taken, left): (Vec<File>, Vec<File>) = files.into_iter().partition(|file| file.left.is_none());
    let is_damaged =
        |file: &&File| matches!(file.found.kind, Kind::Foreign(_)) && (file.found.given || file.found.damaged);
    let damaged = left.iter().filter(is_damaged).map(|file| shown(&file.found.path)).collect();
    let workers = workers(&taken, names);
    let alone = left.iter().all(|file| matches!(file.found.kind, Kind::Foreign(_)));
    let mut taken: Vec<Input> = (taken.into_iter().zip(workers))
        .map(|(file, worker)| {
            let reason = match file.rank {
                _ if alone || every_rank => String::new(),
                Some(rank) if left.iter().any(|other| other.rank.is_some_and(|other| other > rank)) => {
                    "lowest rank".to_owned()
                }
                _ => "newest".to_owned(),
            };
            Input {
                info: info(&file, true, &reason),
                worker,
                stage: file.found.stage,
                by_name: file.found.given,
                merged: file.found.kind == Kind::Merged,
                captures: Vec::new(),
                server_args: None,
                path: file.found.path,
            }
        })
        .collect();
    taken.sort_by(|a, b| {
        let rank = if every_rank { a.worker.cmp(&b.worker) } else { Ordering::Equal };
        rank.then_with(|| (a.stage, &a.path).cmp(&(b.stage, &b.path)))
    });
    let mut left: Vec<TraceInfo> =
        left.iter().map(|file| info(file, false, file.left.as_deref().unwrap_or_default())).collect();
    for capture in captures {
        let of = owner(&capture, &taken, &left, names);
        match of {
            Some(n) => {
                let info = info(&capture, true, "launch order of graph replays");
                taken[n].captures.push((capture.found.path, info));
            }
            None => left.push(info(&capture, false, "capture of another trace")),
        }
    }
    left.sort_by(|a, b| a.path.cmp(&b.path));
    Inputs { taken, left, damaged }
}

/// The workers of some files, in the same order; where two have one rank, their labels tell them apart.
fn workers(files: &[File], names: &Names) -> Vec<Worker> {
    (files.iter())
        .map(|file| {
            let twin = |other: &&File| other.rank == file.rank && other.worker() != file.worker();
            let number = file.rank.map_or_else(|| "unknown".to_owned(), |rank| rank.to_string());
            let others = file.found.coordinates.clone();
            let label = match names.coordinate_words(&file.found.path) {
                words if !words.is_empty() && files.iter().any(|other| twin(&other)) => format!("{number} {words}"),
                _ => number,
            };
            Worker { rank: file.rank, others, label }
        })
        .collect()
}

/// The trace whose replays a capture may explain: the one it is named after, else one of its run and rank.
fn owner(capture: &File, taken: &[Input], left: &[TraceInfo], names: &Names) -> Option<usize> {
    let path = &capture.found.path;
    if let Some(n) = taken.iter().position(|input| names.is_capture_of(path, &input.path)) {
        return Some(n);
    }
    if left.iter().any(|other| names.is_capture_of(path, std::path::Path::new(&other.path))) {
        return None;
    }
    let rank = |input: &Input| capture.rank.is_none() || input.info.rank.is_none() || capture.rank == input.info.rank;
    // Graphs are replayed by decode steps first of all.
    let decode = taken.iter().position(|input| rank(input) && input.stage == Some(Stage::Decode));
    decode.or_else(|| taken.iter().position(rank))
}

fn info(file: &File, taken: bool, reason: &str) -> TraceInfo {
    let role = match &file.found.kind {
        Kind::Trace => file.instead.unwrap_or("trace"),
        Kind::Frontend => "frontend",
        Kind::Merged => "merged",
        Kind::Capture => "capture",
        Kind::Foreign(_) => "not-a-trace",
    };
    TraceInfo {
        path: shown(&file.found.path),
        role: role.to_owned(),
        stage: file.found.stage.map(|stage| stage.id().to_owned()),
        rank: file.rank,
        host: None,
        date: None,
        device: None,
        taken,
        reason: reason.to_owned(),
        warnings: Vec::new(),
    }
}
