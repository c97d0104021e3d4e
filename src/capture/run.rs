//! A whole capture: the server is asked what it is, then each stage is captured on its own. What fails in one stage
//! leaves the other one's traces as they are.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use super::http::Client;
use super::machine::End;
use super::place::is_here;
use super::plan::{Part, Plan, Workload};
use super::problem::{Kind, Problem};
use super::record::{self, Record};
use super::server::{self, Server};
use super::stage::StageRun;
use super::template;
use crate::rules::RuleSet;
use crate::rules::schema::servers::{Ability, Folder, Servers, Start, pick};

/// What is said while it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// How far it is, a line that the next one replaces; for terminals.
    Progress(String),
    /// What happens.
    Note(String),
    /// What may mislead.
    Warning(String),
}

/// What came of one stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageDone {
    /// prefill, decode, legacy.
    pub stage: &'static str,
    /// How it ended.
    pub end: End,
    /// Why it failed.
    pub problem: Option<Problem>,
    /// Traces, in their place.
    pub files: Vec<PathBuf>,
    /// Where what is not whole was kept.
    pub partial: Option<PathBuf>,
    /// Steps asked for.
    pub steps_wanted: u64,
    /// Steps in the trace, where it marks them.
    pub steps_seen: Option<u64>,
}

/// What came of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Framework id.
    pub framework: String,
    /// One a stage.
    pub stages: Vec<StageDone>,
}

/// Captures what is planned. The error: nothing was begun.
pub fn run(plan: &Plan, servers: &Servers, rules: &RuleSet, say: &mut dyn FnMut(Said)) -> Result<Done, Problem> {
    let wrong = |text: String| Problem { kind: Kind::Usage, say: text, fix: None };
    let key = plan.key.as_deref();
    let connect = servers.common.waits.connect();
    let client = Client::new(&plan.url, key, connect).map_err(wrong)?;
    let router = plan.router.as_deref().map(|url| Client::new(url, key, connect)).transpose().map_err(wrong)?;
    let server = server::find(client, servers, plan.framework.as_deref(), plan.timeouts.probe)?;
    let start = form(&server)?;
    let facts = &server.facts;
    let model = facts.model.as_deref().map_or_else(String::new, |model| format!(", model {model}"));
    let (title, url) = (&server.file.title, server.client.url());
    say(Said::Note(format!("{title} {} at {url}{model}; seed {}", server.version(), plan.seed)));
    gates(plan, &server, start, servers, say)?;
    let messages = &servers.common.messages;
    say(Said::Note(Problem::new(&messages.engine_stands, &[("title", title)]).to_string()));

    let mut record = Record::new(plan, url);
    record.framework.clone_from(&server.file.id);
    record.framework_version.clone_from(&facts.version);
    record.model.clone_from(&facts.model);
    let mut prompts = super::work::Prompts::new(plan.seed, servers.common.token_ids, facts.vocabulary);
    let mut stages = Vec::new();
    for part in plan.workload.parts() {
        let run = StageRun::new(plan, &server, start, servers, rules, router.as_ref(), *part, &mut prompts, say);
        let (done, captured) = run.finish();
        record.captures.push(captured);
        stages.push(done);
    }
    // Something was captured, so there is a folder.
    if stages.iter().any(|stage| stage.end != End::Nothing) {
        let arguments = record::without_secrets(&facts.arguments, &servers.common.secrets);
        let saved = record::save(&plan.folder, "server_args.json", &arguments)
            .and_then(|_| record::save(&plan.folder, record::CAPTURE, &record));
        if let Err(error) = saved {
            say(Said::Warning(format!("{}: cannot write beside the traces: {error}", plan.folder.display())));
        }
    }
    Ok(Done { framework: server.file.id.clone(), stages })
}

/// Seconds since 1970.
pub(super) fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// How the profiler of this version is started.
fn form<'r>(server: &Server<'r>) -> Result<&'r Start, Problem> {
    pick(&server.file.start, server.facts.version.as_deref()).ok_or_else(|| Problem {
        kind: Kind::Failed,
        say: format!("nothing is known of {} {}", server.file.title, server.version()),
        fix: None,
    })
}

/// Whether a start of this form can be told something.
pub(super) fn can(start: &Start, ability: Ability) -> bool {
    start.body.as_ref().is_some_and(|body| template::has(body, ability.hole()))
}

/// What cannot work is refused before anything is done.
fn gates(
    plan: &Plan,
    server: &Server,
    start: &Start,
    servers: &Servers,
    say: &mut dyn FnMut(Said),
) -> Result<(), Problem> {
    let messages = &servers.common.messages;
    let file = server.file;
    let why = |ability: Ability| file.cannot.get(&ability).map_or("it has no such option", String::as_str);
    let wants = [
        (Ability::StartStep, plan.start_step.is_some()),
        (Ability::ProfileByStage, plan.by_stage == Some(true)),
        (Ability::MergeProfiles, plan.merge),
        (Ability::WorkerUrl, plan.worker.is_some()),
    ];
    if let Some((ability, _)) = wants.into_iter().find(|(ability, wanted)| *wanted && !can(start, *ability)) {
        let holes = [("title", file.title.as_str()), ("flag", ability.flag()), ("why", why(ability))];
        return Err(Problem::usage(&messages.cannot, &holes));
    }
    if plan.by_stage == Some(true) && plan.workload != Workload::Legacy {
        let why = "prefill and decode are captured apart; it goes with --profile-workload legacy";
        let holes = [("title", file.title.as_str()), ("flag", Ability::ProfileByStage.flag()), ("why", why)];
        return Err(Problem::usage(&messages.cannot, &holes));
    }
    if plan.prefix_given && !can(start, Ability::ProfilePrefix) {
        let prefix = Ability::ProfilePrefix;
        let holes = [("title", file.title.as_str()), ("flag", prefix.flag()), ("why", why(prefix))];
        say(Said::Note(Problem::new(&messages.ignores, &holes).to_string()));
    }
    for part in plan.workload.parts() {
        let lengths = plan.lengths(*part);
        if let Some(context) =
            server.facts.context.filter(|context| lengths.input.saturating_add(lengths.output) > *context)
        {
            let numbers = [context, lengths.input, lengths.output].map(|number| number.to_string());
            let [context, input, output] = numbers.each_ref().map(String::as_str);
            let holes = [("context", context), ("input", input), ("output", output), ("stage", part.id())];
            return Err(Problem::usage(&messages.short_context, &holes));
        }
        let mode = server.facts.part.as_deref();
        if let Some(mode) = mode.filter(|mode| *mode != part.id()) {
            let stage = plan.workload.id();
            let holes = [("url", server.client.url()), ("mode", mode), ("stage", stage)];
            return Err(Problem::usage(&messages.disaggregated, &holes));
        }
        if let Some(mode) = mode.filter(|_| plan.router.is_none()) {
            let holes = [("url", server.client.url()), ("mode", mode)];
            return Err(Problem::usage(&messages.needs_router, &holes));
        }
    }
    folder_gates(plan, server, servers)
}

fn folder_gates(plan: &Plan, server: &Server, servers: &Servers) -> Result<(), Problem> {
    let messages = &servers.common.messages;
    let title = server.file.title.as_str();
    let dir = plan.folder.display().to_string();
    if server.file.files.folder == Folder::Fixed && !plan.folder_given {
        let launch = server.launch("DIR").unwrap_or_default();
        return Err(Problem::usage(&messages.folder_wanted, &[("title", title), ("launch", &launch)]));
    }
    let here = plan.here.unwrap_or_else(|| is_here(&server.client.host()));
    if !here && plan.server_folder.is_none() {
        let holes = [("title", title), ("dir", dir.as_str()), ("url", server.client.url())];
        return Err(Problem::new(&messages.folder_elsewhere, &holes));
    }
    Ok(())
}

impl Part {
    /// The folder of its traces; none: the folder of the capture itself.
    pub(super) fn folder(self) -> Option<&'static str> {
        (self != Self::Legacy).then(|| self.id())
    }
}
