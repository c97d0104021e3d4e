//! The profiler's start and stop, and what their answers mean.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::StageRun;
use crate::capture::armed::{Armed, Stopper};
use crate::capture::http::{Answer, Broken};
use crate::capture::machine::Event;
use crate::capture::plan::Part;
use crate::capture::problem::Problem;
use crate::capture::run::{can, seconds};
use crate::capture::server::{judge, reason};
use crate::capture::template::{Holes, render};
use crate::rules::schema::servers::{Ability, Answer as AnswerRule, Limit, Means, Message, ServerFile, Start, pick};

/// What came of a call of the profiler.
enum Called {
    Done(Answer),
    NotRunning,
    Busy(Problem),
    Refused(Problem),
    /// No answer; whether the request may have reached the server.
    Lost(Problem, bool),
}

impl<'r> StageRun<'_, 'r> {
    pub(super) fn by_stage(&self) -> bool {
        self.part == Part::Legacy && self.plan.by_stage.unwrap_or_else(|| can(self.start, Ability::ProfileByStage))
    }

    /// What a start of N steps is told; none: it cannot be told.
    pub(super) fn steps_sent(&self) -> Option<u64> {
        let plain = self.plan.start_step.is_none() && !self.by_stage();
        let idle = if self.part == Part::Prefill { self.start.idle_steps.saturating_mul(self.plan.steps) } else { 0 };
        let sent =
            steps_sent(self.server.file, self.start, self.server.facts.version.as_deref(), self.plan.steps, plain);
        sent.map(|steps| steps.saturating_add(idle))
    }

    /// The prefix of names; a merge does not find files that have one.
    pub(super) fn prefix(&self) -> Option<String> {
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
        holes.extend(self.by_stage().then_some(("by_stage", json!(true))));
        holes.extend(self.plan.merge.then_some(("merge", json!(true))));
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

    /// Iterations of a server that records one window for each of its runs.
    fn window(&self) -> String {
        let (decode, warm_up, steps) = (self.part == Part::Decode, self.plan.warm_up, self.plan.steps);
        let run = self.server.file.window_run.as_ref();
        run.map_or_else(String::new, |run| run.window(decode, warm_up, steps, None))
    }

    pub(super) fn arm(&mut self) -> Event {
        match self.call_start() {
            Called::Busy(_) if self.plan.take_over => {
                let stopper = self.stopper();
                let answer = self.called(&stopper.path, stopper.send(), &self.server.file.stop.answers);
                if let Called::Refused(problem) | Called::Busy(problem) | Called::Lost(problem, _) = answer {
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

    fn call_stop(&mut self) -> Called {
        let path = self.server.file.stop.post.as_str();
        match self.armed.take().and_then(Armed::stop) {
            Some(answer) => self.called(path, answer, &self.server.file.stop.answers),
            // A signal has stopped it, and ends the process.
            None => Called::NotRunning,
        }
    }

    pub(super) fn stop(&mut self) -> Event {
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

    pub(super) fn call_off(&mut self) -> Event {
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
        let answer = self.called(&stopper.path, stopper.send(), &self.server.file.stop.answers);
        let title = self.server.file.title.as_str();
        if matches!((&started, &answer), (Called::Done(_), Called::Done(_))) {
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
}

/// Steps that a start is told, so that `wanted` are recorded; none: it cannot be told.
pub(in crate::capture) fn steps_sent(
    file: &ServerFile,
    start: &Start,
    version: Option<&str>,
    wanted: u64,
    plain: bool,
) -> Option<u64> {
    if start.limit == Limit::None {
        return None;
    }
    let extra = pick(&file.extra_steps, version).filter(|_| plain).map_or(0, |extra| extra.steps);
    Some(wanted.saturating_add(extra))
}
