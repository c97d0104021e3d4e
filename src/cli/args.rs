//! The arguments. A doc comment is the help text; `LLM_PROF_<FLAG>` sets the same in the environment.
//!
//! Here: the commands on traces, and the groups of flags that commands share. In `args/rules.rs`: the commands on rules
//! and on the catalog; in `args/capture.rs`: those on running servers.

mod capture;
mod fleet;
mod rules;
mod runs;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use super::values::{self, RankArg};
use crate::attribution::Stage;
use crate::report::Limits;
use crate::units::Nanos;

/// What a framework is called when it is to be found out.
pub const AUTO: &str = "auto";

pub use capture::*;
pub use fleet::{Fleet, FleetCommand, FleetReport, FleetTables};
pub use rules::*;
pub use runs::{Bundle, Check, Compare, Document, Output as SchemaOutput, Schema};

const EXIT_CODES: &str = "\
Exit codes:
    0  done; findings alone are no failure, nor is a trace without GPU events
    1  what was asked for failed: a gate of `check`, `compare --threshold`, a test of `rules test`, a mistake found by `rules check`, an answer in `probe`, a run of `matrix`
    2  wrong usage
    3  an input cannot be read: missing, no trace; a server cannot be captured from
    4  the rules cannot be loaded
    5  the trace was read but is unfit for the question: no gate passes because it could not look
  101  a bug of llm-prof; please report it
  130  interrupted (Ctrl-C), 143 terminated; no output file is left half written, no profiler of a server running, no server that `matrix` launched

Every flag can be set in the environment, LLM_PROF_MIN_SHARE=0.5, and in llm-prof.toml; --show-config tells what holds.";

/// Where the GPU time of an LLM server goes, and which known fused path should apply but does not.
#[derive(Debug, Parser)]
#[command(name = "llm-prof", version, about, long_about = None, after_help = EXIT_CODES, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Which configuration is read.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigArgs {
    /// Configuration [default: llm-prof.toml here or above, else that of the user].
    #[arg(long, value_name = "FILE", global = true, conflicts_with = "isolated")]
    pub config: Option<PathBuf>,
    /// Read no configuration.
    #[arg(long, global = true)]
    pub isolated: bool,
    /// Print every setting with where its value comes from, and do nothing else.
    #[arg(long, global = true)]
    pub show_config: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The report: kernel table, overlap-opportunity table, fuse-pattern table, summary.
    #[command(after_help = EXIT_CODES)]
    Triage(Box<Triage>),
    /// Why a row is there, or why none is; what a family, or the code of a mistake, means.
    Explain(Box<Explain>),
    /// Whether a trace is fit to judge; each finding with its fix.
    #[command(after_help = EXIT_CODES)]
    Doctor(Box<Doctor>),
    /// A small copy of a trace that says the same: some steps, without names of hosts, users and paths.
    #[command(after_help = EXIT_CODES)]
    Cut(Box<Cut>),
    /// What got slower between two runs, and why: traces, or reports that `triage --format json` wrote.
    Compare(Box<Compare>),
    /// A gate for CI: families that must be fused, budgets, a baseline.
    Check(Box<Check>),
    /// Many runs in one document, by model and framework, compared on top.
    Bundle(Box<Bundle>),
    /// Every trace of many servers into one folder: reports, five flat tables of all of them.
    Fleet(Box<Fleet>),
    /// JSON schemas of what llm-prof writes.
    Schema(Schema),
    /// Profile a running server and keep the traces.
    #[command(after_help = EXIT_CODES)]
    Capture(Box<Capture>),
    /// Whether a server answers sense: some requests, what failed, how long they took.
    #[command(after_help = EXIT_CODES)]
    Probe(Probe),
    /// Models times servers: each captured and reported, and one document over all.
    #[command(after_help = EXIT_CODES)]
    Matrix(Box<Matrix>),
    /// TensorRT-LLM without a profiler route, and with stacks.
    #[command(subcommand)]
    Trtllm(TrtllmCommand),
    /// Test, check and list the rules.
    #[command(subcommand)]
    Rules(Box<RulesCommand>),
    /// Version, age and contents of the catalog.
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Completion script of a shell.
    #[command(hide = true)]
    Completions {
        /// Shell.
        shell: clap_complete::Shell,
    },
    /// The man page; with a folder, one a command.
    #[command(hide = true)]
    Man(Man),
}

/// `llm-prof man`.
#[derive(Debug, Args)]
pub struct Man {
    /// Write the pages of all commands here: llm-prof.1, llm-prof-triage.1 and so on.
    #[arg(long, value_name = "DIR")]
    pub write: Option<PathBuf>,
}

/// `llm-prof triage`.
#[derive(Debug, Args)]
pub struct Triage {
    /// Trace files, folders, globs, or `-` for standard input.
    #[arg(value_name = "PATH", required_unless_present_any = ["old_input", "formal_input", "url", "formal_url"])]
    pub paths: Vec<PathBuf>,
    /// The trace beside.
    #[command(flatten)]
    pub pair: Pair,
    /// Draw a typical stretch of each stage, such as one layer: streams as lanes, and what is hidden under what.
    #[arg(long, env = "LLM_PROF_TIMELINE", hide_env = true)]
    pub timeline: bool,
    /// Accepted from the tool before this one.
    #[arg(long, value_name = "PATH", hide = true, requires = "formal_input")]
    pub mapping_input: Vec<PathBuf>,
    /// Accepted from the tool before this one.
    #[arg(long, value_name = "PATH", hide = true, requires = "mapping_input")]
    pub formal_input: Vec<PathBuf>,
    /// Accepted from the tool before this one.
    #[arg(long = "input", value_name = "PATH", hide = true)]
    pub old_input: Vec<PathBuf>,
    /// Servers.
    #[command(flatten)]
    pub live: Live,
    /// How they are captured.
    #[command(flatten)]
    pub capture: CaptureOptions,
    /// The run.
    #[command(flatten)]
    pub input: Input,
    /// The rules.
    #[command(flatten)]
    pub knowledge: Knowledge,
    /// The report.
    #[command(flatten)]
    pub output: Output,
    /// The terminal.
    #[command(flatten)]
    pub terminal: Terminal,
}

/// `llm-prof explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// Family, such as sglang/qk-norm-rope; id of a row, such as kernel/decode/b9b9fd365151; `note`, how the similarity
    /// note was decided; code of a mistake, such as E012.
    #[arg(value_name = "WHAT")]
    pub what: String,
    /// Trace files, folders, globs, or `-` for standard input; without any, the page of the family.
    #[arg(value_name = "TRACE")]
    pub paths: Vec<PathBuf>,
    /// The trace beside.
    #[command(flatten)]
    pub pair: Pair,
    /// The run.
    #[command(flatten)]
    pub input: Input,
    /// The rules.
    #[command(flatten)]
    pub knowledge: Knowledge,
    /// The terminal.
    #[command(flatten)]
    pub terminal: Terminal,
}

/// `llm-prof doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Trace files, folders, globs, or `-` for standard input.
    #[arg(value_name = "TRACE", required = true)]
    pub paths: Vec<PathBuf>,
    /// Format.
    #[arg(short, long, value_enum, env = "LLM_PROF_DOCTOR_FORMAT", hide_env = true, default_value_t = DoctorFormat::Text)]
    pub format: DoctorFormat,
    /// The trace beside.
    #[command(flatten)]
    pub pair: Pair,
    /// The run.
    #[command(flatten)]
    pub input: Input,
    /// The rules.
    #[command(flatten)]
    pub knowledge: Knowledge,
    /// The terminal.
    #[command(flatten)]
    pub terminal: Terminal,
}

/// `llm-prof cut`.
#[derive(Debug, Args)]
pub struct Cut {
    /// Trace file, or a folder with one.
    #[arg(value_name = "TRACE", required = true)]
    pub path: PathBuf,
    /// File to write, .json or .json.gz; it appears when it is whole.
    #[arg(short, long, value_name = "FILE", required = true)]
    pub output: PathBuf,
    /// Steps of each stage, neighbours around the middle of the trace; 0 is all.
    #[arg(long, value_name = "N", env = "LLM_PROF_STEPS", hide_env = true, default_value_t = 1)]
    pub steps: usize,
    /// Instead of steps: from when to when, counted from the first GPU event, such as 10ms..60ms.
    #[arg(long, value_name = "FROM..TO", value_parser = values::window, conflicts_with = "steps")]
    pub window: Option<(Nanos, Nanos)>,
    /// Only GPU events of this stream. May be repeated.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub stream: Vec<i64>,
    /// A word that must not stand in the cut. May be repeated.
    #[arg(long, value_name = "WORD")]
    pub scrub: Vec<String>,
    /// Add what was found as a track that Perfetto and Chrome draw.
    #[arg(long)]
    pub annotate: bool,
    /// The run.
    #[command(flatten)]
    pub input: Input,
    /// The rules.
    #[command(flatten)]
    pub knowledge: Knowledge,
    /// The terminal.
    #[command(flatten)]
    pub terminal: Terminal,
}

/// A format of `doctor`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DoctorFormat {
    /// For people.
    #[default]
    #[value(alias = "markdown")]
    Text,
    /// For programs.
    Json,
}

/// A second trace, for places.
#[derive(Clone, Debug, Default, Args)]
pub struct Pair {
    /// Trace of an eager run of the same server: locations come from it, every figure from the trace. May be repeated.
    #[arg(long, value_name = "PATH", env = "LLM_PROF_MAPPING", hide_env = true, value_delimiter = ':')]
    pub mapping: Vec<PathBuf>,
    /// Go on though the traces of a pair are of unlike framework, model or TP.
    #[arg(long, env = "LLM_PROF_FORCE", hide_env = true)]
    pub force: bool,
}

/// Which trace is read, and what is known of its run.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Input")]
pub struct Input {
    /// Framework; auto reads it from the trace, and unknown is an answer.
    #[arg(long, value_name = "NAME", env = "LLM_PROF_FRAMEWORK", hide_env = true, default_value = "auto")]
    pub framework: String,
    /// Version of the framework.
    #[arg(long, value_name = "VERSION", env = "LLM_PROF_FRAMEWORK_VERSION", hide_env = true)]
    pub framework_version: Option<String>,
    /// Model.
    #[arg(long, value_name = "NAME", env = "LLM_PROF_MODEL", hide_env = true)]
    pub model: Option<String>,
    /// Tensor-parallel size.
    #[arg(long, value_name = "N", env = "LLM_PROF_TP", hide_env = true, value_parser = clap::value_parser!(i64).range(1..))]
    pub tp: Option<i64>,
    /// Server arguments as JSON [default: the file beside the trace or one folder up].
    #[arg(long, value_name = "FILE", env = "LLM_PROF_SERVER_ARGS", hide_env = true)]
    pub server_args: Option<PathBuf>,
    /// Log of the server: says when the trace is of another backend, and which fused paths were asked for.
    #[arg(long, value_name = "FILE", env = "LLM_PROF_SERVER_LOG", hide_env = true)]
    pub server_log: Option<PathBuf>,
    /// Rank to read, or all: tables are of the lowest, and a section compares them [default: the lowest].
    #[arg(long, value_name = "N|all", env = "LLM_PROF_RANK", hide_env = true, value_parser = values::rank)]
    pub rank: Option<RankArg>,
    /// Device to read, as the trace names it [default: the one with most GPU time].
    #[arg(long, value_name = "N", env = "LLM_PROF_DEVICE", hide_env = true)]
    pub device: Option<String>,
    /// Stage to report: prefill, decode, mixed, capture or all.
    #[arg(long, value_name = "STAGE", env = "LLM_PROF_STAGE", hide_env = true, value_parser = stage)]
    pub stage: Option<StageArg>,
    /// Threads; changes speed, never a byte of output [default: all cores].
    #[arg(short = 'j', long, value_name = "N", env = "LLM_PROF_THREADS", hide_env = true)]
    pub threads: Option<usize>,
    /// Memory for ranks side by side, such as 512M: a rank that would not fit waits. One is always read.
    #[arg(long, value_name = "SIZE", env = "LLM_PROF_MAX_MEMORY", hide_env = true, value_parser = values::size, default_value = "4G")]
    pub max_memory: u64,
    /// Stop when more JSON than this comes out of one file; 0 is no limit [default: 250 times the file, at least 1G].
    #[arg(long, value_name = "SIZE", env = "LLM_PROF_MAX_BYTES", hide_env = true, value_parser = values::size)]
    pub max_bytes: Option<u64>,
}

impl Input {
    /// The one rank that was asked for.
    pub(super) fn one_rank(&self) -> Option<i64> {
        match self.rank {
            Some(RankArg::One(rank)) => Some(rank),
            _ => None,
        }
    }
}

/// `--stage`; `all` is every stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageArg {
    /// Every stage.
    Every,
    /// This one.
    One(Stage),
}

fn stage(text: &str) -> Result<StageArg, String> {
    match Stage::from_id(text) {
        Some(Stage::All) => Ok(StageArg::Every),
        Some(stage) => Ok(StageArg::One(stage)),
        None => Err("expected prefill, decode, mixed, capture or all".to_owned()),
    }
}

/// The rules.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Knowledge")]
pub struct Knowledge {
    /// Folder of rules, in place of the built-in ones; catalogs too when it or its neighbour has some.
    #[arg(long, value_name = "DIR", env = "LLM_PROF_RULES", hide_env = true)]
    pub rules: Option<PathBuf>,
    /// Folder of more catalogs; a family of the same id replaces the one before. May be repeated.
    #[arg(long, value_name = "DIR", env = "LLM_PROF_CATALOGS", hide_env = true, value_delimiter = ':')]
    pub catalogs: Vec<PathBuf>,
    /// Families to look for: a glob over ids. May be repeated.
    #[arg(long, value_name = "ID", env = "LLM_PROF_INCLUDE", hide_env = true, value_delimiter = ',')]
    pub include: Vec<String>,
    /// Families not to look for: a glob over ids. May be repeated.
    #[arg(long, value_name = "ID", env = "LLM_PROF_EXCLUDE", hide_env = true, value_delimiter = ',')]
    pub exclude: Vec<String>,
}

/// What comes out.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// Format [default: by the ending of --output; else text on a terminal, markdown in a pipe].
    #[arg(short, long, value_enum, env = "LLM_PROF_FORMAT", hide_env = true)]
    pub format: Option<Format>,
    /// File to write; it appears when it is whole. May be repeated.
    #[arg(short, long, value_name = "FILE", env = "LLM_PROF_OUTPUT", hide_env = true)]
    pub output: Vec<PathBuf>,
    /// Hide rows under this share of their stage's GPU kernel time, in per cent [default: 1.0].
    #[arg(long, value_name = "PCT", env = "LLM_PROF_MIN_SHARE", hide_env = true, value_parser = values::per_cent)]
    pub min_share: Option<f64>,
    /// At most so many rows a table and stage; 0 is all.
    #[arg(long, value_name = "N", env = "LLM_PROF_LIMIT", hide_env = true, default_value_t = 0)]
    pub limit: usize,
    /// Accepted from the tool before this one.
    #[arg(long, value_name = "N", hide = true)]
    pub kernel_table_limit: Option<usize>,
    /// Accepted from the tool before this one.
    #[arg(long, value_name = "N", hide = true)]
    pub overlap_table_limit: Option<usize>,
}

impl Output {
    /// How long each table may be: its own limit, else the common one; 0 is no limit.
    pub(super) fn limits(&self) -> Limits {
        let of = |own: Option<usize>| Some(own.unwrap_or(self.limit)).filter(|limit| *limit > 0);
        Limits { kernels: of(self.kernel_table_limit), overlap: of(self.overlap_table_limit), fuse: of(None) }
    }

    /// Whether one of the documents is of this format.
    pub(super) fn has(&self, format: Format) -> bool {
        self.format == Some(format)
            || self.format.is_none() && self.output.iter().any(|path| Format::of_ending(path) == Some(format))
    }
}

/// What is said beside the result.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Terminal")]
pub struct Terminal {
    /// Colours; auto obeys `NO_COLOR`, `CLICOLOR_FORCE` and `TERM=dumb`.
    #[arg(long, value_enum, value_name = "WHEN", env = "LLM_PROF_COLOR", hide_env = true, default_value_t = When::Auto)]
    pub color: When,
    /// No warnings; errors are always said.
    #[arg(short, long, env = "LLM_PROF_QUIET", hide_env = true)]
    pub quiet: bool,
    /// Say what was read and how long it took.
    #[arg(short, long, action = ArgAction::Count, env = "LLM_PROF_VERBOSE", hide_env = true)]
    pub verbose: u8,
    /// No progress on the terminal.
    #[arg(long, env = "LLM_PROF_NO_PROGRESS", hide_env = true)]
    pub no_progress: bool,
}

/// A format of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal.
    Text,
    /// For a page or a message.
    #[value(alias = "md")]
    Markdown,
    /// For programs.
    Json,
    /// One page that opens anywhere: tables that sort and filter, a step to zoom into.
    Html,
    /// The rows of all tables as one, for a spreadsheet.
    Csv,
}

impl Format {
    /// The word on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Markdown => "markdown",
            Self::Json => "json",
            Self::Html => "html",
            Self::Csv => "csv",
        }
    }

    /// The format of a file by the ending of its name.
    pub(super) fn of_ending(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "json" => Some(Self::Json),
            "md" | "markdown" => Some(Self::Markdown),
            "txt" | "text" => Some(Self::Text),
            "html" | "htm" => Some(Self::Html),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On terminals.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Arguments with `triage` put in where a script of the tool before this one begins with a flag.
pub(super) fn with_command(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<OsString> = args.into_iter().collect();
    let first = args.get(1).and_then(|arg| arg.to_str());
    let own = ["-h", "--help", "-V", "--version", "--config", "--isolated", "--show-config"];
    let is_own = |arg: &str| own.contains(&arg) || arg.starts_with("--config=");
    if first.is_some_and(|arg| arg.starts_with('-') && arg != "-" && !is_own(arg)) {
        args.insert(1, "triage".into());
    }
    args
}
