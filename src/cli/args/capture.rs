//! `llm-prof capture`, and the flags that it shares with `triage --url`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Document, Input, Knowledge, Terminal};
use crate::capture::Workload;

/// `llm-prof capture`.
#[derive(Debug, Args)]
pub struct Capture {
    /// URL of the server, such as `http://127.0.0.1:30000`.
    #[arg(value_name = "URL", required_unless_present = "capabilities")]
    pub url: Option<String>,
    /// Folder for the traces; where the server was started with one, that one [default: a new one here].
    #[arg(short, long, value_name = "DIR", env = "LLM_PROF_OUTPUT_DIR", hide_env = true, help_heading = HEADING)]
    pub output_dir: Option<PathBuf>,
    /// Print which server can do what, and do nothing else.
    #[arg(long, conflicts_with = "url")]
    pub capabilities: bool,
    /// Framework; auto asks the server.
    #[arg(
        long,
        value_name = "NAME",
        env = "LLM_PROF_FRAMEWORK",
        hide_env = true,
        default_value = "auto",
        help_heading = "Input"
    )]
    pub framework: String,
    /// Log of the server: ends the work when the server runs another backend.
    #[arg(long, value_name = "FILE", env = "LLM_PROF_SERVER_LOG", hide_env = true, help_heading = "Input")]
    pub server_log: Option<PathBuf>,
    /// How.
    #[command(flatten)]
    pub options: CaptureOptions,
    /// The rules.
    #[command(flatten)]
    pub knowledge: Knowledge,
    /// The terminal.
    #[command(flatten)]
    pub terminal: Terminal,
}

/// `llm-prof probe`.
#[derive(Debug, Args)]
pub struct Probe {
    /// URL of the server, such as `http://127.0.0.1:30000`.
    #[arg(value_name = "URL", required_unless_present = "old_url")]
    pub url: Option<String>,
    /// Accepted from the tool before this one.
    #[arg(long = "url", value_name = "URL", hide = true, conflicts_with = "url")]
    pub old_url: Option<String>,
    /// Framework; auto asks the server.
    #[arg(
        long,
        value_name = "NAME",
        env = "LLM_PROF_FRAMEWORK",
        hide_env = true,
        default_value = "auto",
        help_heading = "Input"
    )]
    pub framework: String,
    /// Model [default: the first that the server names].
    #[arg(long, value_name = "NAME", env = "LLM_PROF_MODEL", hide_env = true, help_heading = "Input")]
    pub model: Option<String>,
    /// Key of the server's API. Never written down.
    #[arg(long, value_name = "KEY", env = "LLM_PROF_API_KEY", hide_env = true, hide_env_values = true, help_heading = HEADING)]
    pub api_key: Option<String>,
    /// Requests, one after another.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u64).range(1..))]
    pub requests: u64,
    /// Most tokens of an answer.
    #[arg(long, value_name = "N", default_value_t = 48, value_parser = clap::value_parser!(u64).range(1..))]
    pub max_tokens: u64,
    /// Seconds to wait for an answer.
    #[arg(long, value_name = "S", default_value = "180", value_parser = seconds)]
    pub timeout: std::time::Duration,
    /// Prompt of all requests [default: a short one for each].
    #[arg(long, value_name = "TEXT")]
    pub prompt: Option<String>,
    /// The rules.
    #[command(flatten)]
    pub knowledge: Knowledge,
    /// The document.
    #[command(flatten)]
    pub document: Document,
    /// The terminal.
    #[command(flatten)]
    pub terminal: Terminal,
}

/// `llm-prof trtllm`.
#[derive(Debug, Subcommand)]
pub enum TrtllmCommand {
    /// Variables for one run of a server that has no profiler route, as a shell takes them.
    Env(TrtllmEnv),
    /// A copy of the server's profiler module that records stacks; a file that is not known is refused.
    Patch(TrtllmPatch),
}

/// `llm-prof trtllm env`.
#[derive(Debug, Args)]
pub struct TrtllmEnv {
    /// Stage that the run is for: such a server records one window in each of its runs.
    #[arg(long, value_enum, value_name = "STAGE")]
    pub stage: OneStage,
    /// Folder for the trace.
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub output_dir: PathBuf,
    /// Steps to record.
    #[arg(long, value_name = "N", env = "LLM_PROF_NUM_STEPS", hide_env = true, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub num_steps: u64,
    /// Steps that go by first.
    #[arg(long, value_name = "N", env = "LLM_PROF_WARMUP_STEPS", hide_env = true, default_value_t = 10)]
    pub warmup_steps: u64,
    /// The server's profiler module, which shows whether the last step of a window counts [default: it does, as in most
    /// releases].
    #[arg(long, value_name = "FILE")]
    pub source: Option<PathBuf>,
    /// The rules.
    #[command(flatten)]
    pub knowledge: Knowledge,
}

/// A stage of its own run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OneStage {
    /// Prompts.
    Prefill,
    /// Output.
    Decode,
}

/// `llm-prof trtllm patch`.
#[derive(Debug, Args)]
pub struct TrtllmPatch {
    /// The server's profiler module; it stays as it is.
    #[arg(long, value_name = "FILE")]
    pub source: PathBuf,
    /// The copy.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// The rules.
    #[command(flatten)]
    pub knowledge: Knowledge,
}

/// `llm-prof matrix`.
#[derive(Debug, Args)]
pub struct Matrix {
    /// The plan, in TOML; `llm-prof rules schema plan` says what stands in it.
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// Print every command, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// The runs.
    #[command(flatten)]
    pub input: Input,
    /// The rules.
    #[command(flatten)]
    pub knowledge: Knowledge,
    /// The terminal.
    #[command(flatten)]
    pub terminal: Terminal,
}

/// Flags of `triage` that read from servers.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = HEADING)]
pub struct Live {
    /// Capture from this server and report on it, in place of PATH.
    #[arg(long, value_name = "URL", env = "LLM_PROF_URL", hide_env = true, conflicts_with_all = ["paths", "old_input", "formal_input", "mapping_input", "mapping_url", "formal_url"])]
    pub url: Option<String>,
    /// Eager server of a pair: locations come from it.
    #[arg(long, value_name = "URL", requires = "formal_url", conflicts_with_all = ["paths", "mapping", "old_input", "formal_input", "mapping_input"])]
    pub mapping_url: Option<String>,
    /// Server of a pair that runs as in production: every figure comes from it.
    #[arg(long, value_name = "URL", requires = "mapping_url")]
    pub formal_url: Option<String>,
    /// Folder for the traces of --url; where the server was started with one, that one [default: a new one here].
    #[arg(long, value_name = "DIR", env = "LLM_PROF_OUTPUT_DIR", hide_env = true)]
    pub output_dir: Option<PathBuf>,
    /// The same of --mapping-url.
    #[arg(long, value_name = "DIR", requires = "mapping_url")]
    pub mapping_output_dir: Option<PathBuf>,
    /// The same of --formal-url.
    #[arg(long, value_name = "DIR", requires = "formal_url")]
    pub formal_output_dir: Option<PathBuf>,
    /// What names of traces of --mapping-url begin with.
    #[arg(long, value_name = "TEXT", default_value = "mapping-trace", value_parser = prefix)]
    pub mapping_profile_prefix: String,
    /// What names of traces of --formal-url begin with.
    #[arg(long, value_name = "TEXT", default_value = "formal-trace", value_parser = prefix)]
    pub formal_profile_prefix: String,
}

pub(super) const HEADING: &str = "Capture";

/// How a server is captured.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = HEADING)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct CaptureOptions {
    /// Key of the server's API; where it has an admin key, that one. Never written down.
    #[arg(long, value_name = "KEY", env = "LLM_PROF_API_KEY", hide_env = true, hide_env_values = true)]
    pub api_key: Option<String>,
    /// Steps to capture of each stage; a step is one forward of the engine.
    #[arg(long, value_name = "N", env = "LLM_PROF_NUM_STEPS", hide_env = true, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub num_steps: u64,
    /// Warm-up: so many prompts before prefill, one request of so many tokens before decode; 0 is none.
    #[arg(long, value_name = "N", env = "LLM_PROF_WARMUP_STEPS", hide_env = true, default_value_t = 10)]
    pub warmup_steps: u64,
    /// Stages, each captured on its own; legacy is one capture of text through both.
    #[arg(long, value_enum, value_name = "STAGES", env = "LLM_PROF_PROFILE_WORKLOAD", hide_env = true, default_value_t = Workload::Both)]
    pub profile_workload: Workload,
    /// Tokens in of a prefill request.
    #[arg(long, value_name = "N", env = "LLM_PROF_PREFILL_INPUT_LEN", hide_env = true, default_value_t = 4090, value_parser = clap::value_parser!(u64).range(1..))]
    pub prefill_input_len: u64,
    /// Tokens out of a prefill request.
    #[arg(long, value_name = "N", env = "LLM_PROF_PREFILL_OUTPUT_LEN", hide_env = true, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub prefill_output_len: u64,
    /// Tokens in of a decode request.
    #[arg(long, value_name = "N", env = "LLM_PROF_DECODE_INPUT_LEN", hide_env = true, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub decode_input_len: u64,
    /// Tokens out of a decode request; it is cut off after the steps wanted.
    #[arg(long, value_name = "N", env = "LLM_PROF_DECODE_OUTPUT_LEN", hide_env = true, default_value_t = 2048, value_parser = clap::value_parser!(u64).range(1..))]
    pub decode_output_len: u64,
    /// Decode requests at once, which is the batch; prefill requests, at least --num-steps.
    #[arg(long, value_name = "N", env = "LLM_PROF_PROBE_REQUESTS", hide_env = true, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub probe_requests: u64,
    /// Text of the requests, in place of token ids of exact number.
    #[arg(long, value_name = "TEXT", env = "LLM_PROF_PROBE_PROMPT", hide_env = true)]
    pub probe_prompt: Option<String>,
    /// Tokens out of a legacy request [default: 8 a step, at least 64].
    #[arg(long, value_name = "N", env = "LLM_PROF_PROBE_MAX_NEW_TOKENS", hide_env = true, value_parser = clap::value_parser!(u64).range(1..))]
    pub probe_max_new_tokens: Option<u64>,
    /// Seconds between the start of the profiler and legacy requests.
    #[arg(long, value_name = "S", env = "LLM_PROF_PROBE_DELAY", hide_env = true, default_value = "0.5", value_parser = seconds)]
    pub probe_delay: std::time::Duration,
    /// Let the server part stages (legacy only) [default: where it can].
    #[arg(long, env = "LLM_PROF_PROFILE_BY_STAGE", hide_env = true, overrides_with = "no_profile_by_stage")]
    pub profile_by_stage: bool,
    /// Do not let it.
    #[arg(long, env = "LLM_PROF_NO_PROFILE_BY_STAGE", hide_env = true)]
    pub no_profile_by_stage: bool,
    /// What names of traces begin with; the stage is put behind.
    #[arg(long, value_name = "TEXT", env = "LLM_PROF_PROFILE_PREFIX", hide_env = true, value_parser = prefix)]
    pub profile_prefix: Option<String>,
    /// Let the server merge the traces of its ranks.
    #[arg(long, env = "LLM_PROF_MERGE_PROFILES", hide_env = true)]
    pub merge_profiles: bool,
    /// Step at which the capture begins.
    #[arg(long, value_name = "N", env = "LLM_PROF_START_STEP", hide_env = true)]
    pub start_step: Option<u64>,
    /// The folder for traces as the server sees it, such as the path in its container.
    #[arg(long, value_name = "PATH", env = "LLM_PROF_SERVER_OUTPUT_DIR", hide_env = true)]
    pub server_output_dir: Option<PathBuf>,
    /// Where requests go, when the server that is profiled is one part behind a router.
    #[arg(long, value_name = "URL", env = "LLM_PROF_ROUTER_URL", hide_env = true)]
    pub router_url: Option<String>,
    /// The one worker behind a gateway that is profiled.
    #[arg(long, value_name = "URL", env = "LLM_PROF_WORKER_URL", hide_env = true)]
    pub worker_url: Option<String>,
    /// Traces to wait for [default: what the server says of its ranks].
    #[arg(long, value_name = "N", env = "LLM_PROF_RANKS", hide_env = true, value_parser = clap::value_parser!(u64).range(1..))]
    pub ranks: Option<u64>,
    /// Seed of the prompts; repeats those of another run [default: the clock].
    #[arg(long, value_name = "N", env = "LLM_PROF_SEED", hide_env = true)]
    pub seed: Option<u64>,
    /// Stop a capture of somebody else that is running; its trace stays with its owner.
    #[arg(long, env = "LLM_PROF_TAKE_OVER", hide_env = true)]
    pub take_over: bool,
    /// Seconds to wait for each answer about the server.
    #[arg(long, value_name = "S", env = "LLM_PROF_PROBE_TIMEOUT", hide_env = true, default_value = "5", value_parser = seconds)]
    pub probe_timeout: std::time::Duration,
    /// Seconds to wait for the profiler to start [default: by framework, 60 to 300].
    #[arg(long, value_name = "S", env = "LLM_PROF_START_TIMEOUT", hide_env = true, value_parser = seconds)]
    pub start_timeout: Option<std::time::Duration>,
    /// Seconds to wait for the answer to a request, or its next token.
    #[arg(long, value_name = "S", env = "LLM_PROF_REQUEST_TIMEOUT", hide_env = true, default_value = "300", value_parser = seconds)]
    pub request_timeout: std::time::Duration,
    /// Seconds to wait for the profiler to stop; it writes its traces before it answers.
    #[arg(long, value_name = "S", env = "LLM_PROF_STOP_TIMEOUT", hide_env = true, default_value = "900", value_parser = seconds)]
    pub stop_timeout: std::time::Duration,
    /// Seconds to wait for whole traces after the stop.
    #[arg(long, value_name = "S", env = "LLM_PROF_FLUSH_TIMEOUT", hide_env = true, default_value = "600", value_parser = seconds)]
    pub flush_timeout: std::time::Duration,
    /// Words that go into capture.json and the header of the report.
    #[arg(long, value_name = "TEXT", env = "LLM_PROF_NOTE", hide_env = true)]
    pub note: Option<String>,
    /// Requests of a benchmark that the lengths stand for; goes into capture.json and the header.
    #[arg(long, value_enum, value_name = "NAME", env = "LLM_PROF_BUCKET", hide_env = true)]
    pub bucket: Option<Bucket>,
}

impl CaptureOptions {
    /// Who parts stages; none: the server, where it can.
    pub(in crate::cli) fn by_stage(&self) -> Option<bool> {
        match (self.profile_by_stage, self.no_profile_by_stage) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }
}

/// `--bucket`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Bucket {
    /// The median request.
    P50,
    /// The slow one.
    P95,
}

impl ValueEnum for Workload {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Both, Self::Prefill, Self::Decode, Self::Legacy]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.id()))
    }
}

fn seconds(text: &str) -> Result<std::time::Duration, String> {
    let wrong = || "expected seconds, such as 5 or 0.5".to_owned();
    let seconds: f64 = text.trim().trim_end_matches('s').parse().map_err(|_| wrong())?;
    std::time::Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

/// What every server takes in a file name.
fn prefix(text: &str) -> Result<String, String> {
    let fits = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.len() <= 100
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if fits {
        Ok(text.to_owned())
    } else {
        Err("expected up to 100 letters, digits, `.`, `_`, `-`, a letter or digit first".to_owned())
    }
}
