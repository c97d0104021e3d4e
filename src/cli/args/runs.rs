//! Arguments of the commands on several finished reports.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use super::{EXIT_CODES, Format, Input, Knowledge, Target, Terminal};
use crate::cli::values;

/// Where a document goes.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct Document {
    /// Format [default: by the ending of --output; else text on a terminal, markdown in a pipe].
    #[arg(short, long, value_enum, env = "LLM_PROF_FORMAT", hide_env = true)]
    pub format: Option<Format>,
    /// File to write; it appears when it is whole. May be repeated.
    #[arg(short, long, value_name = "FILE", env = "LLM_PROF_OUTPUT", hide_env = true)]
    pub output: Vec<PathBuf>,
}

/// `llm-prof compare`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct Compare {
    /// The first run: a trace, a folder, or a report that `triage --format json` wrote.
    pub before: PathBuf,
    /// The second run.
    pub after: PathBuf,
    /// End with 1 when a stage takes more than this longer a step, or a fused family is split, in per cent; with 5 when that
    /// cannot be told.
    #[arg(long, value_name = "PCT", env = "LLM_PROF_THRESHOLD", hide_env = true, value_parser = values::per_cent)]
    pub threshold: Option<f64>,
    /// Rows of a list that people read; 0 is all [default: 12].
    #[arg(long, value_name = "N", env = "LLM_PROF_LIMIT", hide_env = true)]
    pub limit: Option<usize>,
    /// The runs.
    #[command(flatten)]
    pub input: Input,
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

/// `llm-prof check`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct Check {
    /// Trace files, folders, globs, or one report that `triage --format json` wrote.
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// This family's fused kernel must run, and in no stage its parts. May be repeated.
    #[arg(long, value_name = "FAMILY", env = "LLM_PROF_REQUIRE", hide_env = true, value_delimiter = ',')]
    pub require: Vec<String>,
    /// This family must not be split; FAMILY=in-use: its fused kernel must not run. May be repeated.
    #[arg(long, value_name = "FAMILY", env = "LLM_PROF_FORBID", hide_env = true, value_delimiter = ',')]
    pub forbid: Vec<String>,
    /// The most that a category may take of each stage's GPU time, in per cent. May be repeated.
    #[arg(long, value_name = "CATEGORY=PCT", env = "LLM_PROF_BUDGET", hide_env = true, value_delimiter = ',')]
    pub budget: Vec<String>,
    /// A report or a trace that this run must not be slower than.
    #[arg(long, value_name = "FILE", env = "LLM_PROF_BASELINE", hide_env = true)]
    pub baseline: Option<PathBuf>,
    /// By how much a step may be slower than the baseline's, in per cent [default: 5].
    #[arg(long, value_name = "PCT", env = "LLM_PROF_THRESHOLD", hide_env = true, value_parser = values::per_cent)]
    pub threshold: Option<f64>,
    /// Share of the stage under which a split form does not count, in per cent [default: 1.0].
    #[arg(long, value_name = "PCT", env = "LLM_PROF_MIN_SHARE", hide_env = true, value_parser = values::per_cent)]
    pub min_share: Option<f64>,
    /// The run.
    #[command(flatten)]
    pub input: Input,
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

/// `llm-prof bundle`.
#[derive(Debug, Args)]
pub struct Bundle {
    /// Reports that `triage --format json` wrote, traces, or folders of traces; `MODEL=PATH` puts one under a model of
    /// that name.
    #[arg(value_name = "PATH", required_unless_present = "analysis_root")]
    pub paths: Vec<String>,
    /// A folder that holds a folder a model, and in it `analysis_FRAMEWORK.json`.
    #[arg(long, value_name = "DIR", env = "LLM_PROF_ANALYSIS_ROOT", hide_env = true)]
    pub analysis_root: Option<PathBuf>,
    /// Title of the document.
    #[arg(
        long,
        value_name = "TEXT",
        env = "LLM_PROF_TITLE",
        hide_env = true,
        default_value = "Triage of several runs"
    )]
    pub title: String,
    /// Whether a table of contents stands at the top.
    #[arg(
        long,
        value_name = "YES",
        env = "LLM_PROF_INCLUDE_TOC",
        hide_env = true,
        default_value = "true",
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = ArgAction::Set
    )]
    pub include_toc: bool,
    /// The runs.
    #[command(flatten)]
    pub input: Input,
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

/// `llm-prof schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// The output whose schema is printed.
    #[arg(value_enum, default_value_t = Output::Triage)]
    pub output: Output,
    /// Where all of them are written or compared.
    #[command(flatten)]
    pub target: Target,
}

/// An output that programs read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Of `triage --format json`.
    Triage,
    /// Of `compare --format json`.
    Compare,
    /// Of `check --format json`.
    Check,
    /// Of `bundle --format json`.
    Bundle,
    /// Of `doctor --format json`.
    Doctor,
    /// Of a line of `fleet tables`.
    FleetTables,
    /// Of `fleet report --format json`.
    FleetReport,
}
