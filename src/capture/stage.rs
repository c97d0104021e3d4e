//! The capture of one stage: what each state of the machine does.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::armed::{Armed, Stopper};
use super::flush::{self, Flushed, Names, Wanted, name_of};
use super::http::{Answer, Broken, Client};
use super::load::{Streams, Target};
use super::machine::{End, Event, State, next};
use super::place::{self, Place};
use super::plan::{Part, Plan};
use super::problem::Problem;
use super::record::Captured;
use super::run::{Said, StageDone, can, seconds};
use super::server::{Server, judge, reason};
use super::template::{Holes, render};
use super::verify::{self, Prompted, prompted};
use super::work::{Prompt, Prompts, body};
use crate::rules::RuleSet;
use crate::rules::schema::servers::{
    Ability, Answer as AnswerRule, Folder, Limit, Means, Message, Messages, Servers, Start, pick,
};

/// Tokens that decode goes on for after the last step wanted: one may have been under way at the start.
const BEYOND: u64 = 2;
/// Silence after nearly all tokens that means that the server is busy with its trace.
const SILENCE: Duration = Duration::from_secs(2);

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

/// What came of a call of the profiler.
enum Called {
    Done(Answer),
    NotRunning,
    Busy(Problem),
    Refused(Problem),
    /// No answer; whether the request may have reached the server.
    Lost(Problem, bool),
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
    pub(super) fn to_the_end(mut self) -> (StageDone, Captured) {
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

    // --- check, warm up, lead -------------------------------------------------------------------------------------

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
            (None, Part::Legacy) => Prompt::Text("Explain how a GPU kernel is launched.".to_owned()),
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

    // --- arm ------------------------------------------------------------------------------------------------------

    fn by_stage(&self) -> bool {
        self.part == Part::Legacy && self.plan.by_stage.unwrap_or_else(|| can(self.start, Ability::ProfileByStage))
    }

    /// What a start of N steps is told; none: it cannot be told.
    fn steps_sent(&self) -> Option<u64> {
        let plain = self.plan.start_step.is_none() && !self.by_stage();
        steps_sent(self.server.file, self.start, self.server.facts.version.as_deref(), self.plan.steps, plain)
    }

    /// The prefix of names; a merge does not find files that have one.
    fn prefix(&self) -> Option<String> {
        let wanted = can(self.start, Ability::ProfilePrefix) && !self.plan.merge;
        wanted.then(|| format!("{}-{}", self.plan.prefix, self.part.id()))
    }

    fn holes(&self, dir: &Path) -> Holes {
        let mut holes = Holes::from([("dir", json!(dir.to_string_lossy())), ("id", json!(self.id))]);
        holes.extend(self.prefix().map(|prefix| ("prefix", json!(prefix))));
        holes.extend(self.plan.worker.as_ref().map(|worker| ("worker", json!(worker))));
        holes
    }

    fn start_body(&self, dir: &Path) -> Option<Value> {
        let mut holes = self.holes(dir);
        holes.extend(self.steps_sent().map(|steps| ("steps", json!(steps))));
        holes.extend(self.plan.start_step.map(|step| ("start_step", json!(step))));
        holes.extend(self.by_stage().then(|| ("by_stage", json!(true))));
        holes.extend(self.plan.merge.then(|| ("merge", json!(true))));
        self.start.body.as_ref().map(|body| render(body, &holes))
    }

    fn stopper(&self) -> Stopper {
        let stop = &self.server.file.stop;
        Stopper {
            client: self.server.client.clone(),
            path: stop.post.clone(),
            body: stop.body.as_ref().map(|body| render(body, &self.holes(Path::new("")))),
            longest: self.plan.timeouts.stop,
        }
    }

    /// What an answer of the profiler means.
    fn called(&self, path: &str, answer: Result<Answer, Broken>, rules: &'r [AnswerRule]) -> Called {
        let messages = self.messages();
        let url = self.server.client.url();
        let answer = match answer {
            Ok(answer) => answer,
            Err(Broken { reason, reached }) => {
                let holes = [("url", url), ("path", path), ("reason", reason.as_str())];
                return Called::Lost(Problem::new(&messages.lost, &holes), reached);
            }
        };
        let rule = judge(&answer, rules, &self.servers.common.answers);
        let means = rule.map_or(Means::Refused, |rule| rule.means);
        match means {
            Means::Done => return Called::Done(answer),
            Means::NotRunning => return Called::NotRunning,
            Means::Busy | Means::Refused => {}
        }
        let dir = self.place.as_ref().map_or_else(String::new, |place| place.told.display().to_string());
        let (status, reason) = (answer.status.to_string(), reason(&answer, self.servers));
        let (launch, window) = (self.server.launch(&dir).unwrap_or_default(), self.window());
        let holes = [
            ("title", self.server.file.title.as_str()),
            ("version", self.server.version()),
            ("url", url),
            ("path", path),
            ("status", status.as_str()),
            ("reason", reason.as_str()),
            ("dir", dir.as_str()),
            ("launch", launch.as_str()),
            ("stage", self.part.id()),
            ("window", window.as_str()),
        ];
        let own = rule.and_then(|rule| Some(Message { say: rule.say.clone()?, fix: rule.fix.clone() }));
        let problem = Problem::new(own.as_ref().unwrap_or(&messages.busy), &holes);
        if means == Means::Busy { Called::Busy(problem) } else { Called::Refused(problem) }
    }

    /// Iterations of a server that records one window for each of its runs: those after the warm-up; decode leaves out
    /// the one that reads the prompt.
    fn window(&self) -> String {
        let first = self.plan.warm_up + if self.part == Part::Decode { 2 } else { 1 };
        format!("{first}-{}", first + self.plan.steps - 1)
    }

    fn arm(&mut self) -> Event {
        match self.call_start() {
            Called::Busy(_) if self.plan.take_over => {
                let stopper = self.stopper();
                let stopped = self.called(&stopper.path, stopper.send(), &self.server.file.stop.answers);
                if let Called::Refused(problem) | Called::Busy(problem) | Called::Lost(problem, _) = stopped {
                    self.fail(problem);
                    return Event::Failed;
                }
                let taken = Problem::new(&self.messages().taken_over, &[("title", &self.server.file.title)]);
                self.warn(&taken);
                let again = self.call_start();
                self.armed(again)
            }
            other => self.armed(other),
        }
    }

    fn call_start(&mut self) -> Called {
        let dir = self.place.as_ref().map(|place| place.told.clone()).unwrap_or_default();
        let body = self.start_body(&dir);
        let longest = self.plan.timeouts.start.unwrap_or(Duration::from_secs(self.start.timeout_s));
        let (client, path, rules) = (&self.server.client, &self.start.post, &self.start.answers);
        let (called, armed) = Armed::start(self.stopper(), || {
            let called = self.called(path, client.post(path, body.as_ref(), longest), rules);
            let runs = matches!(called, Called::Done(_) | Called::Lost(_, true));
            (called, runs)
        });
        self.armed = armed;
        called
    }

    fn armed(&mut self, called: Called) -> Event {
        match called {
            Called::Done(answer) => {
                self.captured.started = Some(seconds());
                self.captured.steps_sent = self.steps_sent();
                let workers = self.start.workers.as_ref().and_then(|at| answer.json()?.pointer(at)?.as_u64());
                self.workers = workers;
                Event::Done
            }
            Called::Lost(problem, reached) => {
                self.fail(problem);
                if reached { Event::Lost } else { Event::Failed }
            }
            Called::Busy(problem) | Called::Refused(problem) => {
                self.fail(problem);
                Event::Failed
            }
            Called::NotRunning => Event::Failed,
        }
    }

    // --- drive ----------------------------------------------------------------------------------------------------

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
        let enough = if limited { wanted + BEYOND } else { wanted };
        let nearly = wanted.saturating_sub(1).max(1);
        let since = |n: usize, tokens: u64| tokens - before.get(n).copied().unwrap_or_default();
        let longest = self.target.longest;
        let done = streams.wait(longest, |all, silence| {
            let slowest = all.iter().enumerate().map(|(n, one)| since(n, one.tokens)).min().unwrap_or_default();
            let failed = all.iter().any(|one| matches!(one.ended, Some(Err(_))));
            let ended = all.iter().all(|one| one.ended.is_some());
            failed || ended || slowest >= enough || limited && slowest >= nearly && silence >= SILENCE
        });
        let all = streams.now();
        let got = all.iter().enumerate().map(|(n, one)| since(n, one.tokens)).min().unwrap_or_default();
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

    // --- stop -----------------------------------------------------------------------------------------------------

    fn call_stop(&mut self) -> Called {
        let path = self.server.file.stop.post.as_str();
        match self.armed.take().and_then(Armed::stop) {
            Some(answer) => self.called(path, answer, &self.server.file.stop.answers),
            // A signal has stopped it, and ends the process.
            None => Called::NotRunning,
        }
    }

    fn stop(&mut self) -> Event {
        let called = self.call_stop();
        self.streams = None;
        self.captured.stopped = Some(seconds());
        match called {
            Called::Done(_) | Called::NotRunning => Event::Done,
            Called::Busy(problem) | Called::Refused(problem) => self.not_stopped(&problem, Event::Failed),
            Called::Lost(problem, _) => self.not_stopped(&problem, Event::Lost),
        }
    }

    fn not_stopped(&mut self, problem: &Problem, event: Event) -> Event {
        let (reason, curl) = (problem.say.clone(), self.stopper().curl());
        let holes = [("reason", reason.as_str()), ("curl", curl.as_str())];
        self.fail(Problem::new(&self.messages().not_stopped, &holes));
        event
    }

    fn call_off(&mut self) -> Event {
        let called = self.call_stop();
        self.streams = None;
        self.captured.stopped = Some(seconds());
        match called {
            Called::Done(_) => Event::Done,
            Called::NotRunning => self.disarm(),
            Called::Busy(problem) | Called::Refused(problem) => self.not_stopped(&problem, Event::Failed),
            Called::Lost(problem, _) => self.not_stopped(&problem, Event::Lost),
        }
    }

    /// A capture that is armed and has not begun is not reached by a stop: a plain one in its place is.
    fn disarm(&mut self) -> Event {
        let used = |ability: &Ability| match ability {
            Ability::StartStep => self.plan.start_step.is_some(),
            Ability::ProfileByStage => self.by_stage(),
            _ => false,
        };
        if !self.start.armed_by.iter().any(used) {
            return Event::Done;
        }
        let dir = self.place.as_ref().map(|place| place.told.join("called-off")).unwrap_or_default();
        let body = self.start.body.as_ref().map(|body| render(body, &self.holes(&dir)));
        let (client, path) = (&self.server.client, self.start.post.as_str());
        let longest = self.plan.timeouts.stop;
        let started = self.called(path, client.post(path, body.as_ref(), longest), &self.start.answers);
        let stopper = self.stopper();
        let stopped = self.called(&stopper.path, stopper.send(), &self.server.file.stop.answers);
        let title = self.server.file.title.as_str();
        if matches!((&started, &stopped), (Called::Done(_), Called::Done(_))) {
            if let Some(place) = &self.place {
                // Ours alone, made a moment ago.
                let _ = std::fs::remove_dir_all(place.writes.join("called-off"));
            }
            let problem = Problem::new(&self.messages().disarmed, &[("title", title)]);
            self.warn(&problem);
            return Event::Done;
        }
        let curl = format!("{} && {}", client.curl(path, body.as_ref()), stopper.curl());
        let problem = Problem::new(&self.messages().still_armed, &[("title", title), ("curl", &curl)]);
        self.fail(problem);
        Event::Failed
    }

    // --- flush, verify, salvage -----------------------------------------------------------------------------------

    /// Traces that a capture of this server writes.
    fn expected(&self) -> Option<u64> {
        let workers = self.workers.unwrap_or(1).max(1);
        let stages = if self.by_stage() { 2 } else { 1 };
        let ranks = self.server.facts.ranks.map(|ranks| ranks * workers * stages);
        self.plan.ranks.or(ranks).map(|ranks| ranks + u64::from(self.plan.merge))
    }

    fn flush(&mut self) -> Event {
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
                .map(|(name, bytes, grows)| format!("{name} ({}, {})", flush::size(*bytes), word(*grows)))
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

    fn verify(&mut self) -> Event {
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

    fn salvage(&mut self) -> Event {
        self.partial = self.place.as_ref().and_then(Place::salvage);
        if let Some(partial) = &self.partial {
            let text = format!("{}: what there is of the traces was kept in {}", self.part.id(), partial.display());
            self.note(text);
        }
        Event::Done
    }
}

/// Steps that a start is told, so that `wanted` are recorded; none: it cannot be told.
pub(super) fn steps_sent(
    file: &crate::rules::schema::servers::ServerFile,
    start: &Start,
    version: Option<&str>,
    wanted: u64,
    plain: bool,
) -> Option<u64> {
    if start.limit == Limit::None {
        return None;
    }
    let extra = pick(&file.extra_steps, version).filter(|_| plain).map_or(0, |extra| extra.steps);
    Some(wanted + extra)
}
