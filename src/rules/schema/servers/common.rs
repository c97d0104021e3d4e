//! `rules/servers/common.yaml`: what all servers share.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Answer, Sense, Status};

/// `rules/servers/common.yaml`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommonFile {
    /// Of the format.
    pub version: u32,
    /// Path that tells whether a server answers; free of charge on each of them.
    pub ready: String,
    /// Texts of the disaggregation fact that mean none.
    pub whole_server: Vec<String>,
    /// Where the reason stands in the body of a failure: JSON pointers.
    pub reasons: Vec<String>,
    /// What answers of any server mean, after its own.
    pub answers: Vec<Answer>,
    /// Answers to probes that mean that a key is wanted.
    pub wants_key: Vec<Status>,
    /// Waits.
    pub waits: Waits,
    /// Of a server that is launched here.
    pub launch: LaunchDefaults,
    /// Tokens that decode goes on for after the last step wanted.
    pub spare_tokens: u64,
    /// Ids of tokens that any vocabulary has, and none of them special.
    pub token_ids: TokenIds,
    /// Text of a legacy request.
    pub legacy_prompt: String,
    /// Whether a server answers sense.
    pub sense: Sense,
    /// Keys of the server's arguments that are never written down: globs, case ignored.
    pub secrets: Vec<String>,
    /// Folders in which traces may appear when they do not where they should.
    pub elsewhere: Vec<String>,
    /// What is said.
    pub messages: Messages,
}

/// Waits of a capture.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waits {
    /// For a connection, ms.
    pub connect_ms: u64,
    /// For each question about a server that no flag limits, ms.
    pub probe_ms: u64,
    /// For requests whose output was cut off, ms.
    pub leave_ms: u64,
    /// For a server that was launched here and is asked to end, ms.
    pub end_ms: u64,
    /// Between two looks at growing files, ms.
    pub poll_ms: u64,
    /// A size that stands still so long is worth a look inside, ms.
    pub still_ms: u64,
    /// No further file is expected after so long without one, when their number is unknown, ms.
    pub settle_ms: u64,
    /// Longest time between two looks inside a file, ms.
    pub backoff_ms: u64,
}

/// Of a server that is launched here, when the plan does not say.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LaunchDefaults {
    /// Port at which it will answer.
    pub port: u16,
    /// Longest wait until it answers, s.
    pub ready_s: u64,
}

impl Waits {
    /// For a connection.
    pub fn connect(&self) -> Duration {
        Duration::from_millis(self.connect_ms)
    }

    /// For each question about a server.
    pub fn probe(&self) -> Duration {
        Duration::from_millis(self.probe_ms)
    }

    /// For a server that was launched here and is asked to end.
    pub fn end(&self) -> Duration {
        Duration::from_millis(self.end_ms)
    }

    /// Between two looks.
    pub fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }

    /// For requests whose output was cut off.
    pub fn leave(&self) -> Duration {
        Duration::from_millis(self.leave_ms)
    }
}

/// Ids from the middle of the vocabulary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenIds {
    /// First.
    pub first: u64,
    /// One behind the last.
    pub end: u64,
}

/// What happened, and what to do. Holes are written `{name}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// What happened.
    pub say: String,
    /// What to do.
    #[serde(default)]
    pub fix: Option<String>,
}

macro_rules! messages {
    ($($(#[$doc:meta])+ $name:ident,)+) => {
        /// What is said, by occasion.
        #[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct Messages {
            $($(#[$doc])+ pub $name: Message,)+
        }
    };
}

messages! {
    /// Nothing answers.
    no_answer,
    /// The answer came too late, or the connection broke.
    lost,
    /// Something answers, and is none of the known servers.
    unknown_server,
    /// A key is wanted.
    wants_key,
    /// No route for a prompt of text.
    no_route,
    /// Something answers where a server is to be launched.
    port_taken,
    /// The command that launches a server cannot be run.
    launch_failed,
    /// A server that was launched ended before it answered.
    launch_died,
    /// A server that was launched does not answer.
    launch_not_ready,
    /// A file is no module of the server that is known.
    unknown_module,
    /// It is, and the profiler is not started there.
    no_call,
    /// The profiler is started there in more than one place.
    several_calls,
    /// The call is not the one that is known.
    unknown_call,
    /// The call says itself whether stacks are on.
    has_stacks,
    /// Somebody else's capture is running.
    busy,
    /// The server cannot do what was asked.
    cannot,
    /// The server passes over what was asked.
    ignores,
    /// The context is too short for the work.
    short_context,
    /// A part of a disaggregated server was asked for the other part's work.
    disaggregated,
    /// A part of a disaggregated server takes its requests through a router.
    needs_router,
    /// The folder is on another machine.
    folder_elsewhere,
    /// The server writes into a folder that it was started with.
    folder_wanted,
    /// The folder cannot be used.
    folder_unusable,
    /// A request of the warm-up failed.
    warm_up_failed,
    /// A request failed while the profiler ran.
    request_failed,
    /// No output came in time.
    no_output,
    /// The profiler could not be stopped.
    not_stopped,
    /// No file.
    no_file,
    /// Fewer files than expected.
    files_missing,
    /// Files that are not whole.
    incomplete,
    /// Files that are no traces.
    not_a_trace,
    /// No GPU kernel in the trace.
    no_kernels,
    /// Traces of the front end alone.
    frontend_only,
    /// Fewer steps than asked for.
    fewer_steps,
    /// Steps cannot be counted.
    no_steps,
    /// Requests in the trace that were not ours.
    other_traffic,
    /// Prompts in several steps.
    chunked,
    /// Prompts that were found in the prefix cache.
    prefix_cached,
    /// Tokens in or out differ from those asked for.
    usage_differs,
    /// No stacks in the trace.
    no_stacks,
    /// Somebody else's capture was stopped.
    taken_over,
    /// An armed capture was disarmed.
    disarmed,
    /// A capture that may begin later could not be disarmed.
    still_armed,
    /// While traces are written nobody is served.
    engine_stands,
}
