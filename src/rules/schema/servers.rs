//! `rules/servers/*.yaml`: how the profiler of a running server is driven, a file a framework, and what they share.
//!
//! What changed between versions is a list whose entries have `since` and `until` (the first version without it). The
//! first entry that the server's version does not rule out is taken, so an unknown version takes the first.
//!
//! Bodies are templates: a text `{name}` is replaced by a value of any type, and its key goes away when there is no such
//! value; within a longer text the value is written as text.

mod common;
mod offline;
mod sense;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::rules::version;

pub use common::*;
pub use offline::*;
pub use sense::*;

/// What is known of the servers.
#[derive(Clone, Debug, Default)]
pub struct Servers {
    /// What they share.
    pub common: CommonFile,
    /// In the order in which a server is asked what it is.
    pub servers: Vec<ServerFile>,
}

impl Servers {
    /// The server of a framework id.
    pub fn of(&self, id: &str) -> Option<&ServerFile> {
        self.servers.iter().find(|server| server.id == id)
    }
}

/// Entries of a list by version.
pub trait Versioned {
    /// First version.
    fn since(&self) -> Option<&str>;
    /// First version without it.
    fn until(&self) -> Option<&str>;
}

/// The first entry that `version` does not rule out.
pub fn pick<'l, T: Versioned>(list: &'l [T], version: Option<&str>) -> Option<&'l T> {
    list.iter().find(|entry| version::within(version, entry.since(), entry.until()) != Some(false))
}

macro_rules! versioned {
    ($($type:ty),+) => {$(
        impl Versioned for $type {
            fn since(&self) -> Option<&str> {
                self.since.as_deref()
            }

            fn until(&self) -> Option<&str> {
                self.until.as_deref()
            }
        }
    )+};
}

versioned!(Start, ExtraSteps, Launch);

/// `rules/servers/<framework>.yaml`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerFile {
    /// Of the format.
    pub version: u32,
    /// Framework id.
    pub id: String,
    /// How it is written.
    pub title: String,
    /// Place in the order in which a server is asked what it is; lowest first.
    pub order: u32,
    /// Versions that were read or run for this file.
    pub checked: Vec<String>,
    /// What shows that a server is of this framework, any of them.
    pub identify: Vec<Sign>,
    /// Where facts stand.
    pub facts: FactPlaces,
    /// How the profiler is started.
    pub start: Vec<Start>,
    /// Steps to be asked for beyond those wanted, in a plain start.
    #[serde(default)]
    pub extra_steps: Vec<ExtraSteps>,
    /// How the profiler is stopped.
    pub stop: Stop,
    /// Drops the prefix cache; a second belt, so its failure is no failure.
    #[serde(default)]
    pub flush_cache: Option<String>,
    /// Requests.
    pub work: Work,
    /// Where traces are written.
    pub files: Files,
    /// What it cannot do, with the reason.
    #[serde(default)]
    pub cannot: BTreeMap<Ability, String>,
    /// What it must be started with.
    #[serde(default)]
    pub launch: Vec<Launch>,
    /// For releases that are profiled without a route.
    #[serde(default)]
    pub window_run: Option<WindowRun>,
    /// Where its profiler records no stacks, however it is asked.
    #[serde(default)]
    pub stacks_on: Option<StacksOn>,
    /// Limits of the protocol that a user should know; one sentence each.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Tests of this file.
    pub cases: Vec<Case>,
}

/// Something that an answer of the server shows.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    /// Path that is asked for.
    pub get: String,
    /// JSON pointer into the answer.
    pub at: String,
    /// Text that must stand there; none: anything but null.
    #[serde(default)]
    pub is: Option<String>,
}

/// Where facts of the server stand; the first place that has one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactPlaces {
    /// Its version.
    pub version: Vec<Look>,
    /// Its model.
    pub model: Vec<Look>,
    /// Longest input with output, tokens.
    #[serde(default)]
    pub context: Vec<Look>,
    /// Size of the vocabulary.
    #[serde(default)]
    pub vocabulary: Vec<Look>,
    /// Which part of a disaggregated server it is; null and the texts of `common.whole_server` are none.
    #[serde(default)]
    pub disaggregation: Vec<Look>,
    /// Sizes whose product is the number of traces.
    #[serde(default)]
    pub ranks: Vec<Factor>,
    /// The server's arguments.
    #[serde(default)]
    pub arguments: Vec<Look>,
}

/// A place in an answer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// Path that is asked for.
    pub get: String,
    /// JSON pointer into the answer.
    pub at: String,
}

/// One size of the product that is the number of traces.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// Where it stands; nowhere: unknown, and so is the product.
    pub size: Vec<Look>,
    /// Is 1 when this is true: the ranks of the size are counted by another one.
    #[serde(default)]
    pub unless: Vec<Look>,
}

/// What happens to a capture of N steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// The server stops by itself.
    StopsItself,
    /// The server records no more, and must be stopped all the same.
    NeedsStop,
    /// The server records until it is stopped.
    None,
}

/// How the profiler is started.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// First version.
    #[serde(default)]
    pub since: Option<String>,
    /// First version without it.
    #[serde(default)]
    pub until: Option<String>,
    /// Path that is posted to.
    pub post: String,
    /// Template of the body; none: no body.
    #[serde(default)]
    pub body: Option<Value>,
    /// What ends it.
    pub limit: Limit,
    /// Steps without work behind every prompt, which the server counts too.
    #[serde(default)]
    pub idle_steps: u64,
    /// Longest wait for the answer, s.
    pub timeout_s: u64,
    /// What answers mean; after these, those of `common`.
    pub answers: Vec<Answer>,
    /// JSON pointer into the answer: how many workers were started.
    #[serde(default)]
    pub workers: Option<String>,
    /// Options with which it may be armed without having begun; then a stop does not reach it, and a plain start with a
    /// stop after it disarms it.
    #[serde(default)]
    pub armed_by: Vec<Ability>,
}

/// Steps to be asked for beyond those wanted.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtraSteps {
    /// First version.
    #[serde(default)]
    pub since: Option<String>,
    /// First version without it.
    #[serde(default)]
    pub until: Option<String>,
    /// How many.
    pub steps: u64,
}

/// How the profiler is stopped.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// Path that is posted to.
    pub post: String,
    /// Template of the body; none: no body.
    #[serde(default)]
    pub body: Option<Value>,
    /// What answers mean; after these, those of `common`.
    pub answers: Vec<Answer>,
}

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// What was asked for is done, or will be.
    Done,
    /// Nothing was running.
    NotRunning,
    /// Somebody else's capture is running.
    Busy,
    /// It was not done.
    Refused,
}

/// An answer; the first that fits counts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Status codes, such as `404`, or a class such as `4xx`; empty: any.
    #[serde(default)]
    pub status: Vec<Status>,
    /// Part of the body, case ignored; empty: any. One of them is enough.
    #[serde(default)]
    pub body: Vec<String>,
    /// What it means.
    pub means: Means,
    /// What is said to the user, where it is a failure.
    #[serde(default)]
    pub say: Option<String>,
    /// What to do.
    #[serde(default)]
    pub fix: Option<String>,
}

/// A status code, or a class of them as `5xx`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Status {
    /// First code.
    pub first: u16,
    /// Last code.
    pub last: u16,
}

impl Status {
    /// Whether `code` is one of these.
    pub fn holds(self, code: u16) -> bool {
        (self.first..=self.last).contains(&code)
    }
}

impl TryFrom<String> for Status {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no status: expected a number such as 404, or a class such as 4xx");
        if let Some(class) = text.strip_suffix("xx") {
            let class: u16 = class.parse().ok().filter(|class| (1..=5).contains(class)).ok_or_else(wrong)?;
            return Ok(Self { first: class * 100, last: class * 100 + 99 });
        }
        let code = text.parse().ok().filter(|code| (100..600).contains(code)).ok_or_else(wrong)?;
        Ok(Self { first: code, last: code })
    }
}

/// What a user may ask of a capture beyond what every server can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ability {
    /// `--start-step`.
    StartStep,
    /// `--profile-by-stage`.
    ProfileByStage,
    /// `--merge-profiles`.
    MergeProfiles,
    /// `--profile-prefix`.
    ProfilePrefix,
    /// `--worker-url`.
    WorkerUrl,
}

impl Ability {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 5] =
        [Self::StartStep, Self::ProfileByStage, Self::MergeProfiles, Self::ProfilePrefix, Self::WorkerUrl];

    /// Its flag.
    pub fn flag(self) -> &'static str {
        match self {
            Self::StartStep => "--start-step",
            Self::ProfileByStage => "--profile-by-stage",
            Self::MergeProfiles => "--merge-profiles",
            Self::ProfilePrefix => "--profile-prefix",
            Self::WorkerUrl => "--worker-url",
        }
    }

    /// Its hole in the body of a start.
    pub fn hole(self) -> &'static str {
        match self {
            Self::StartStep => "{start_step}",
            Self::ProfileByStage => "{by_stage}",
            Self::MergeProfiles => "{merge}",
            Self::ProfilePrefix => "{prefix}",
            Self::WorkerUrl => "{worker}",
        }
    }
}

/// Requests.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// Path that is posted to.
    pub post: String,
    /// Template of the body for a prompt of token ids.
    pub ids: Value,
    /// Template of the body for a prompt of text.
    pub text: Value,
    /// Keys put in when the answer is streamed.
    #[serde(default)]
    pub streamed: Option<Value>,
    /// JSON pointers to the tokens that went in.
    pub tokens_in: Vec<String>,
    /// JSON pointers to the tokens that came out, so far when streamed.
    pub tokens_out: Vec<String>,
}

/// Who says where traces are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Folder {
    /// The start names it.
    Told,
    /// The server was started with it.
    Fixed,
}

/// Where traces are written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Who says the folder.
    pub folder: Folder,
    /// Names as the server writes them, for people.
    pub names: Vec<String>,
}

/// What a server must be started with; `{dir}` is the folder.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Launch {
    /// First version.
    #[serde(default)]
    pub since: Option<String>,
    /// First version without it.
    #[serde(default)]
    pub until: Option<String>,
    /// What is typed; none: nothing.
    #[serde(default)]
    pub needs: Option<String>,
    /// What a mapping run adds.
    pub mapping: String,
}

/// A test of a file; one of `start`, `stop`, `identify`, `steps`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Version of the server.
    #[serde(default)]
    pub version: Option<String>,
    /// An answer to a start.
    #[serde(default)]
    pub start: Option<AnswerCase>,
    /// An answer to a stop.
    #[serde(default)]
    pub stop: Option<AnswerCase>,
    /// Answers by path, and whether the server is of this framework.
    #[serde(default)]
    pub identify: Option<IdentifyCase>,
    /// Steps that are wanted, and those that are sent.
    #[serde(default)]
    pub steps: Option<StepsCase>,
}

/// An answer and what it means.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerCase {
    /// Status code.
    pub status: u16,
    /// Body.
    #[serde(default)]
    pub body: String,
    /// What it means.
    pub means: Means,
}

/// Answers by path.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentifyCase {
    /// Answers with status 200; all else is not found.
    pub answers: BTreeMap<String, Value>,
    /// Whether it is this framework.
    pub is: bool,
}

/// Steps wanted and sent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepsCase {
    /// Wanted.
    pub wanted: u64,
    /// Sent; none: the server cannot be told.
    #[serde(default)]
    pub sent: Option<u64>,
}
