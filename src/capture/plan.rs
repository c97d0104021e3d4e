//! What a capture is asked for.

use std::path::PathBuf;
use std::time::Duration;

/// Tokens of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lengths {
    /// In.
    pub input: u64,
    /// Out.
    pub output: u64,
}

/// Which stages are captured, each on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// Prefill, then decode.
    Both,
    /// Prefill only.
    Prefill,
    /// Decode only.
    Decode,
    /// One capture of requests of text, through both.
    Legacy,
}

impl Workload {
    /// The word on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Prefill => "prefill",
            Self::Decode => "decode",
            Self::Legacy => "legacy",
        }
    }

    pub(super) fn parts(self) -> &'static [Part] {
        match self {
            Self::Both => &[Part::Prefill, Part::Decode],
            Self::Prefill => &[Part::Prefill],
            Self::Decode => &[Part::Decode],
            Self::Legacy => &[Part::Legacy],
        }
    }
}

/// One capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Prefill,
    Decode,
    Legacy,
}

impl Part {
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Prefill => "prefill",
            Self::Decode => "decode",
            Self::Legacy => "legacy",
        }
    }
}

/// Longest waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For each question about the server.
    pub probe: Duration,
    /// For the answer to a start; none: what the server's file says.
    pub start: Option<Duration>,
    /// For the answer to a request, or its next token.
    pub request: Duration,
    /// For the answer to a stop, which comes after the traces are written.
    pub stop: Duration,
    /// For whole traces, after the stop.
    pub flush: Duration,
}

/// What a capture is asked for.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Plan {
    /// Server whose profiler is started and stopped.
    pub url: String,
    /// Where requests go, when it is not there.
    pub router: Option<String>,
    /// One worker behind a gateway.
    pub worker: Option<String>,
    /// Key of the API; never written down.
    pub key: Option<String>,
    /// Framework id; none: found out.
    pub framework: Option<String>,
    /// Where traces are kept.
    pub folder: PathBuf,
    /// Whether the user said so.
    pub folder_given: bool,
    /// The same folder as the server sees it.
    pub server_folder: Option<PathBuf>,
    /// Whether the server runs on this machine; none: found out by its address.
    pub here: Option<bool>,
    /// What names of traces begin with.
    pub prefix: String,
    /// Whether the user said so.
    pub prefix_given: bool,
    /// Steps.
    pub steps: u64,
    /// Requests of the warm-up for prefill, tokens for decode.
    pub warm_up: u64,
    /// Stages.
    pub workload: Workload,
    /// Tokens of a request for prefill.
    pub prefill: Lengths,
    /// Tokens of a request for decode.
    pub decode: Lengths,
    /// Requests at once; for prefill, at least so many.
    pub requests: u64,
    /// Text of requests instead of token ids.
    pub prompt: Option<String>,
    /// Tokens out of a legacy request.
    pub max_new_tokens: Option<u64>,
    /// Between start and requests, legacy only.
    pub delay: Duration,
    /// The server parts stages, legacy only; none: where it can.
    pub by_stage: Option<bool>,
    /// The server merges the traces of ranks.
    pub merge: bool,
    /// First step.
    pub start_step: Option<u64>,
    /// Traces to wait for; none: what the server says of its ranks.
    pub ranks: Option<u64>,
    /// Waits.
    pub timeouts: Timeouts,
    /// Of the prompts.
    pub seed: u64,
    /// Whether somebody else's capture is stopped.
    pub take_over: bool,
    /// Words of the user.
    pub note: Option<String>,
    /// Which requests of a benchmark the lengths stand for.
    pub bucket: Option<String>,
}

impl Plan {
    /// Tokens of a request of this part.
    pub(super) fn lengths(&self, part: Part) -> Lengths {
        match part {
            Part::Prefill => self.prefill,
            Part::Decode => self.decode,
            Part::Legacy => Lengths {
                input: 0,
                output: self.max_new_tokens.unwrap_or_else(|| self.steps.saturating_mul(8).max(64)),
            },
        }
    }
}
