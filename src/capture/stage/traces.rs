//! Traces: whole, in their place, and what they hold.

use std::path::{Path, PathBuf};

use indicatif::DecimalBytes;

use super::StageRun;
use crate::capture::flush::{self, Flushed, Names, Wanted, name_of};
use crate::capture::machine::Event;
use crate::capture::place::{self, Place};
use crate::capture::plan::Part;
use crate::capture::problem::Problem;
use crate::capture::run::{Said, seconds};
use crate::capture::verify::{self, Prompted, prompted};
use crate::rules::schema::servers::Folder;

impl StageRun<'_, '_> {
    /// Traces that a capture of this server writes.
    fn expected(&self) -> Option<u64> {
        let workers = self.workers.unwrap_or(1).max(1);
        let stages = if self.by_stage() { 2 } else { 1 };
        let ranks = self.server.facts.ranks.map(|ranks| ranks.saturating_mul(workers).saturating_mul(stages));
        self.plan.ranks.or(ranks).map(|ranks| ranks.saturating_add(u64::from(self.plan.merge)))
    }

    pub(super) fn flush(&mut self) -> Event {
        let Some(place) = &self.place else { return Event::Failed };
        let fixed = self.server.file.files.folder == Folder::Fixed;
        let prefix = self.prefix().filter(|_| fixed);
        let wanted = Wanted {
            traces: self.expected(),
            prefix: prefix.as_deref(),
            longest: self.plan.timeouts.flush,
            waits: self.servers.common.waits,
        };
        let say = &mut *self.say;
        let names = Names::new(&self.rules.inputs);
        self.flushed = flush::wait(
            || place.new_files(),
            &names,
            &wanted,
            &self.rules.trace,
            |line| {
                say(Said::Progress(line.to_owned()));
            },
        );
        if self.flushed.done {
            self.captured.whole = Some(seconds());
            return Event::Done;
        }
        let problem = self.unfinished(wanted.traces, &place.writes);
        self.fail(problem);
        Event::Failed
    }

    /// Why the traces are not all there.
    fn unfinished(&self, wanted: Option<u64>, dir: &Path) -> Problem {
        let Flushed { traces, frontend, growing, foreign, .. } = &self.flushed;
        let messages = self.messages();
        let (dir, seconds) = (dir.display().to_string(), self.plan.timeouts.flush.as_secs().to_string());
        if !growing.is_empty() {
            let word = |grows: bool| if grows { "still growing" } else { "no longer growing" };
            let files: Vec<String> = (growing.iter())
                .map(|(name, bytes, grows)| format!("{name} ({}, {})", DecimalBytes(*bytes), word(*grows)))
                .collect();
            return Problem::new(&messages.incomplete, &[("files", &files.join(", ")), ("seconds", &seconds)]);
        }
        if let (true, Some((file, what))) = (traces.is_empty(), foreign.first()) {
            return Problem::new(&messages.not_a_trace, &[("file", file), ("what", what)]);
        }
        if traces.is_empty() && !frontend.is_empty() {
            return Problem::new(&messages.frontend_only, &[("dir", &dir)]);
        }
        if traces.is_empty() {
            let now = place::elsewhere(&self.servers.common.elsewhere);
            let new: Vec<String> =
                now.difference(&self.elsewhere).take(5).map(|path| path.display().to_string()).collect();
            let meanwhile =
                if new.is_empty() { String::new() } else { format!("; meanwhile there are {}", new.join(", ")) };
            let names = self.server.file.files.names.join(" or ");
            let holes = [
                ("dir", dir.as_str()),
                ("seconds", seconds.as_str()),
                ("names", names.as_str()),
                ("meanwhile", meanwhile.as_str()),
            ];
            return Problem::new(&messages.no_file, &holes);
        }
        let have: Vec<String> = traces.iter().map(|path| name_of(path)).collect();
        let (got, wanted, have) = (have.len().to_string(), wanted.unwrap_or(1).to_string(), have.join(", "));
        let holes = [
            ("got", got.as_str()),
            ("wanted", wanted.as_str()),
            ("dir", dir.as_str()),
            ("seconds", seconds.as_str()),
            ("have", have.as_str()),
        ];
        Problem::new(&messages.files_missing, &holes)
    }

    pub(super) fn verify(&mut self) -> Event {
        let Some(place) = &self.place else { return Event::Failed };
        let all: Vec<PathBuf> = self.flushed.traces.iter().chain(&self.flushed.frontend).cloned().collect();
        match place.keep(&all) {
            Ok(kept) => self.kept = kept,
            Err(error) => {
                let (dir, reason) = (self.plan.folder.display().to_string(), error.to_string());
                let holes = [("dir", dir.as_str()), ("reason", reason.as_str())];
                self.fail(Problem::new(&self.messages().folder_unusable, &holes));
                return Event::Failed;
            }
        }
        // Names are in order, so the first is that of the lowest rank.
        let Some(path) = self.kept.first().cloned() else { return Event::Failed };
        let held = match verify::look(&path, self.part, self.rules) {
            Ok(held) => held,
            Err(what) => {
                let problem =
                    Problem::new(&self.messages().not_a_trace, &[("file", &self.below(&path)), ("what", &what)]);
                self.fail(problem);
                return Event::Failed;
            }
        };
        self.captured.gpu_events = Some(held.kernels);
        self.captured.steps_seen = held.steps;
        self.captured.other_steps = held.other_steps;
        self.captured.tokens_of_steps.clone_from(&held.tokens);
        let file = self.below(&path);
        let (messages, stage) = (self.messages(), self.part.id());
        if held.kernels == 0 {
            self.warn(&Problem::new(&messages.no_kernels, &[("file", &file)]));
        }
        let wanted = self.plan.steps.to_string();
        match held.steps {
            Some(got) if got < self.plan.steps && !self.by_stage() => {
                let got = got.to_string();
                self.warn(&Problem::new(
                    &messages.fewer_steps,
                    &[("stage", stage), ("got", &got), ("wanted", &wanted)],
                ));
            }
            Some(_) => {}
            None => self.warn(&Problem::new(&messages.no_steps, &[("stage", stage), ("file", &file)])),
        }
        if held.with_stack == Some(false) {
            self.warn(&Problem::new(&messages.no_stacks, &[("title", &self.server.file.title)]));
        }
        self.verify_work(&held);
        Event::Done
    }

    /// Tokens and requests of the steps.
    fn verify_work(&mut self, held: &verify::Held) {
        let (messages, stage) = (self.messages(), self.part.id());
        let mut ours = match self.part {
            Part::Prefill => 1,
            Part::Decode => self.plan.requests as i64,
            Part::Legacy => return,
        };
        let mut most = held.most_requests.unwrap_or_default();
        if self.part == Part::Prefill && self.plan.prompt.is_none() {
            let input = self.plan.prefill.input.to_string();
            match prompted(&held.tokens, self.plan.prefill) {
                Prompted::Whole => {}
                Prompted::Chunks(chunks) => {
                    let chunks: Vec<String> = chunks.iter().map(ToString::to_string).collect();
                    let holes = [("input", input.as_str()), ("chunks", &chunks.join(" + "))];
                    self.warn(&Problem::new(&messages.chunked, &holes));
                }
                Prompted::Fewer(got) => {
                    let got = got.to_string();
                    self.warn(&Problem::new(&messages.prefix_cached, &[("input", &input), ("got", &got)]));
                }
                // The trace does not say how many requests these tokens are of.
                Prompted::More(_) => (ours, most) = (1, most.max(2)),
            }
        }
        if most > ours {
            let (got, wanted) = (most.to_string(), ours.to_string());
            let holes = [("stage", stage), ("got", got.as_str()), ("wanted", wanted.as_str())];
            self.warn(&Problem::new(&messages.other_traffic, &holes));
        }
    }

    pub(super) fn salvage(&mut self) -> Event {
        self.partial = self.place.as_ref().and_then(Place::salvage);
        if let Some(partial) = &self.partial {
            let text = format!("{}: what there is of the traces was kept in {}", self.part.id(), partial.display());
            self.note(text);
        }
        Event::Done
    }
}
