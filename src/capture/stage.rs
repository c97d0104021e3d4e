//! The capture of one stage: what each state of the machine does. Here: up to the profiler, and the work; in
//! `stage/profiler.rs`: its start and stop; in `stage/traces.rs`: what comes of it.

mod profiler;
mod traces;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::armed::Armed;
use super::flush::Flushed;
use super::http::Client;
use super::load::{Stream, Streams, Target};
use super::machine::{End, Event, State, next};
use super::place::{self, Place};
use super::plan::{Part, Plan};
use super::problem::Problem;
use super::record::Captured;
use super::run::{Said, StageDone, seconds};
use super::server::Server;
use super::work::{Prompt, Prompts, body};
use crate::rules::RuleSet;
use crate::rules::schema::servers::{Folder, Limit, Messages, Servers, Start};

#[cfg(test)]
pub(super) use profiler::steps_sent;

/// The capture of one stage.
pub(super) struct StageRun<'a, 'r> {
    plan: &'a Plan,
    server: &'a Server<'r>,
    start: &'r Start,
    servers: &'r Servers,
    rules: &'a RuleSet,
    target: Target<'r>,
    part: Part,
    prompts: &'a mut Prompts,
    say: &'a mut dyn FnMut(Said),
    id: String,
    place: Option<Place>,
    /// Names in folders where traces may turn up instead.
    elsewhere: BTreeSet<PathBuf>,
    streams: Option<Streams>,
    armed: Option<Armed>,
    workers: Option<u64>,
    flushed: Flushed,
    problem: Option<Problem>,
    partial: Option<PathBuf>,
    kept: Vec<PathBuf>,
    captured: Captured,
}

impl<'a, 'r> StageRun<'a, 'r> {
    #[expect(clippy::too_many_arguments, reason = "everything a stage needs, from one place")]
    pub(super) fn new(
        plan: &'a Plan,
        server: &'a Server<'r>,
        start: &'r Start,
        servers: &'r Servers,
        rules: &'a RuleSet,
        router: Option<&Client>,
        part: Part,
        prompts: &'a mut Prompts,
        say: &'a mut dyn FnMut(Said),
    ) -> Self {
        let client = router.unwrap_or(&server.client).clone();
        let target = Target { client, work: &server.file.work, servers, longest: plan.timeouts.request };
        Self {
            captured: Captured::new(part.id(), plan.steps),
            plan,
            server,
            start,
            servers,
            rules,
            target,
            part,
            prompts,
            say,
            id: seconds().to_string(),
            place: None,
            elsewhere: BTreeSet::new(),
            streams: None,
            armed: None,
            workers: None,
            flushed: Flushed::default(),
            problem: None,
            partial: None,
            kept: Vec::new(),
        }
    }

    /// Goes through the states.
    pub(super) fn finish(mut self) -> (StageDone, Captured) {
        let mut state = State::Check;
        let end = loop {
            let event = match state {
                State::Check => self.check(),
                State::WarmUp => self.warm_up(),
                State::Lead => self.lead(),
                State::Arm => self.arm(),
                State::Drive => self.drive(),
                State::Stop => self.stop(),
                State::Flush => self.flush(),
                State::Verify => self.verify(),
                State::CallOff => self.call_off(),
                State::Salvage => self.salvage(),
                State::Ended(end) => break end,
            };
            state = next(state, event);
        };
        if let (End::Nothing, Some(place)) = (end, &self.place) {
            place.tidy();
        }
        self.captured.end(end);
        self.captured.problem = self.problem.as_ref().map(ToString::to_string);
        self.captured.files = self.kept.iter().map(|path| self.below(path)).collect();
        let done = StageDone {
            stage: self.part.id(),
            end,
            problem: self.problem,
            files: self.kept,
            partial: self.partial,
            steps_wanted: self.plan.steps,
            steps_seen: self.captured.steps_seen,
        };
        (done, self.captured)
    }

    /// A path below the folder of the capture.
    fn below(&self, path: &Path) -> String {
        path.strip_prefix(&self.plan.folder).unwrap_or(path).to_string_lossy().replace('\\', "/")
    }

    fn messages(&self) -> &'r Messages {
        &self.servers.common.messages
    }

    fn note(&mut self, text: String) {
        (self.say)(Said::Note(text));
    }

    fn warn(&mut self, problem: &Problem) {
        let text = problem.to_string();
        self.captured.warnings.push(text.clone());
        (self.say)(Said::Warning(text));
    }

    /// The first problem is the one that counts; what follows from it is a warning.
    fn fail(&mut self, problem: Problem) {
        if self.problem.is_none() {
            self.problem = Some(problem);
        } else {
            self.warn(&problem);
        }
    }

    fn check(&mut self) -> Event {
        let plan = self.plan;
        let fixed = self.server.file.files.folder == Folder::Fixed;
        let server = plan.server_folder.as_deref().unwrap_or(&plan.folder);
        match Place::make(&plan.folder, server, self.part.folder(), &self.id, fixed) {
            Ok(place) => self.place = Some(place),
            Err(error) => {
                let (dir, reason) = (plan.folder.display().to_string(), error.to_string());
                let holes = [("dir", dir.as_str()), ("reason", reason.as_str())];
                self.fail(Problem::new(&self.messages().folder_unusable, &holes));
                return Event::Failed;
            }
        }
        self.elsewhere = place::elsewhere(&self.servers.common.elsewhere);
        Event::Done
    }

    fn prompt(&mut self) -> Prompt {
        let input = self.plan.lengths(self.part).input;
        match (&self.plan.prompt, self.part) {
            (Some(text), _) => Prompt::Text(text.clone()),
            (None, Part::Legacy) => Prompt::Text(self.servers.common.legacy_prompt.clone()),
            (None, _) => Prompt::Ids(self.prompts.ids(input)),
        }
    }

    fn request(&mut self, out: u64, stream: bool) -> Value {
        let prompt = self.prompt();
        body(self.target.work, &prompt, out, self.server.facts.model.as_deref(), stream)
    }

    fn warm_up(&mut self) -> Event {
        // Prefill: as many prompts; else one request of as many tokens.
        let (requests, out) = match self.part {
            _ if self.plan.warm_up == 0 => (0, 0),
            Part::Prefill => (self.plan.warm_up, self.plan.prefill.output),
            Part::Decode | Part::Legacy => (1, self.plan.warm_up),
        };
        if requests > 0 {
            self.note(format!("{}: warm-up of {} requests", self.part.id(), requests));
        }
        for _ in 0..requests {
            let body = self.request(out, false);
            if let Err(reason) = self.target.send(&body) {
                let holes = [("stage", self.part.id()), ("reason", reason.as_str())];
                self.fail(Problem::new(&self.messages().warm_up_failed, &holes));
                return Event::Failed;
            }
        }
        if let Some(path) = &self.server.file.flush_cache {
            // A second belt: every prompt begins with another token anyway.
            let _ = self.server.client.post(path, None, self.plan.timeouts.probe);
        }
        Event::Done
    }

    /// Decode is profiled from its first token on, so that no prefill is among its steps.
    fn lead(&mut self) -> Event {
        if self.part != Part::Decode {
            return Event::Done;
        }
        let output = self.plan.decode.output;
        let bodies = (0..self.plan.requests).map(|_| self.request(output, true)).collect();
        let streams = self.target.stream(bodies);
        let longest = self.plan.timeouts.request;
        let begun = streams.wait(longest, |all, _| {
            all.iter().all(|one| one.tokens > 0 || one.ended.is_some())
                || all.iter().any(|one| matches!(one.ended, Some(Err(_))))
        });
        let all = streams.now();
        let failed = all.iter().find_map(|one| one.ended.as_ref()?.as_ref().err().cloned());
        self.streams = Some(streams);
        if let Some(reason) = failed {
            let holes = [("stage", self.part.id()), ("reason", reason.as_str())];
            self.fail(Problem::new(&self.messages().warm_up_failed, &holes));
            return Event::Failed;
        }
        if !begun {
            self.too_slow(0, longest);
            return Event::Failed;
        }
        Event::Done
    }

    fn too_slow(&mut self, got: u64, longest: Duration) {
        let numbers = [longest.as_secs(), got, self.plan.steps].map(|number| number.to_string());
        let [seconds, got, wanted] = numbers.each_ref().map(String::as_str);
        let holes = [("stage", self.part.id()), ("seconds", seconds), ("got", got), ("wanted", wanted)];
        self.fail(Problem::new(&self.messages().no_output, &holes));
    }

    fn drive(&mut self) -> Event {
        // While a trace is written the engine answers nobody.
        self.target.longest = self.plan.timeouts.stop.max(self.plan.timeouts.request);
        self.note(format!("{}: profiling {} steps", self.part.id(), self.plan.steps));
        match self.part {
            Part::Decode => self.drive_streams(),
            Part::Prefill => {
                let out = self.plan.prefill.output;
                self.one_after_another(self.plan.steps.max(self.plan.requests), out)
            }
            Part::Legacy => {
                std::thread::sleep(self.plan.delay);
                self.one_after_another(self.plan.requests, self.plan.lengths(Part::Legacy).output)
            }
        }
    }

    fn one_after_another(&mut self, requests: u64, out: u64) -> Event {
        for _ in 0..requests {
            let body = self.request(out, false);
            match self.target.send(&body) {
                Ok(usage) => {
                    self.captured.requests += 1;
                    self.captured.tokens_in.push(usage.tokens_in);
                    self.check_usage("in", usage.tokens_in, self.plan.lengths(self.part).input);
                    self.check_usage("out", usage.tokens_out, out);
                }
                Err(reason) => {
                    self.request_failed(&reason);
                    return Event::Failed;
                }
            }
        }
        Event::Done
    }

    fn request_failed(&mut self, reason: &str) {
        let holes = [("stage", self.part.id()), ("reason", reason)];
        self.fail(Problem::new(&self.messages().request_failed, &holes));
    }

    /// The server's own count, said once a stage.
    fn check_usage(&mut self, what: &str, got: Option<u64>, wanted: u64) {
        let exact = self.plan.prompt.is_none() && self.part != Part::Legacy;
        if let Some(got) = got.filter(|got| exact && *got != wanted) {
            let (got, wanted) = (got.to_string(), wanted.to_string());
            let holes = [("stage", self.part.id()), ("what", what), ("got", got.as_str()), ("wanted", wanted.as_str())];
            let problem = Problem::new(&self.messages().usage_differs, &holes);
            if !self.captured.warnings.contains(&problem.to_string()) {
                self.warn(&problem);
            }
        }
    }

    /// Follows the output until the steps wanted are over, then cuts it off.
    fn drive_streams(&mut self) -> Event {
        let Some(streams) = self.streams.take() else { return Event::Failed };
        let before: Vec<u64> = streams.now().iter().map(|one| one.tokens).collect();
        let wanted = self.steps_sent().unwrap_or(self.plan.steps);
        let limited = self.start.limit != Limit::None;
        // Without a limit every token more is a step more; one may have been under way at the start.
        let enough = wanted.saturating_add(if limited { self.servers.common.spare_tokens } else { 1 });
        let nearly = wanted.saturating_sub(1);
        let since = |n: usize, tokens: u64| tokens - before.get(n).copied().unwrap_or_default();
        let slowest =
            |all: &[Stream]| all.iter().enumerate().map(|(n, one)| since(n, one.tokens)).min().unwrap_or_default();
        let (request, longest) = (self.plan.timeouts.request, self.target.longest);
        streams.wait(longest, |all, silence| {
            let failed = all.iter().any(|one| matches!(one.ended, Some(Err(_))));
            let ended = all.iter().all(|one| one.ended.is_some());
            // Silence after the last steps is the server that writes its trace.
            let stuck = slowest(all) < nearly && silence >= request;
            failed || ended || stuck || slowest(all) >= enough
        });
        let all = streams.now();
        let got = slowest(&all);
        let done = got >= enough || all.iter().all(|one| one.ended.is_some());
        self.captured.requests = all.len() as u64;
        self.captured.tokens_in = all.iter().map(|one| one.tokens_in).collect();
        for one in &all {
            self.check_usage("in", one.tokens_in, self.plan.decode.input);
        }
        let failed = all.iter().find_map(|one| one.ended.as_ref()?.as_ref().err().cloned());
        streams.cut();
        // They are waited for after the stop: until then the server may record.
        self.streams = Some(streams);
        match failed {
            Some(reason) => {
                self.request_failed(&reason);
                Event::Failed
            }
            None if !done => {
                self.too_slow(got, longest);
                Event::Failed
            }
            None => Event::Done,
        }
    }
}
