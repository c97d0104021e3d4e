//! Arguments of `llm-prof fleet`: many traces into a folder, and what is made of it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Document, Input, Knowledge, Terminal};

const EXIT_CODES: &str = "\
Exit codes:
    0  done: DIR has a report of every trace that can be read; those that cannot are told and named in DIR/errors.jsonl
    2  wrong usage; DIR cannot be written, or another llm-prof writes there
    3  not one trace could be read
    4  the rules cannot be loaded
  101  a bug of llm-prof; please report it
  130  interrupted (Ctrl-C), 143 terminated; the same command goes on where this one ended";

/// `llm-prof fleet`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Fleet {
    /// What is made of the result; without, traces are read.
    #[command(subcommand)]
    pub command: Option<FleetCommand>,
    /// Trace files, folders, globs; `@FILE` is a list of them, one a line. Every trace of a folder is read, each for itself.
    #[arg(value_name = "INPUT", required = true)]
    pub paths: Vec<PathBuf>,
    /// Folder of the result: reports, tables, errors. What is there already and holds is not made again.
    #[arg(short, long, value_name = "DIR", required = true)]
    pub output: Option<PathBuf>,
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

/// What is made of many traces.
#[derive(Debug, Subcommand)]
pub enum FleetCommand {
    /// What the servers have in common: fused paths that are missing, stragglers, what is new or gone.
    Report(FleetReport),
    /// Reports as rows of five flat tables, one JSON object a line.
    Tables(FleetTables),
}

/// `llm-prof fleet report`.
#[derive(Debug, Args)]
pub struct FleetReport {
    /// Folder that `llm-prof fleet INPUT... -o DIR` wrote.
    #[arg(value_name = "DIR", required = true)]
    pub dir: PathBuf,
    /// Such a folder of before: what is new or gone since then.
    #[arg(long, value_name = "DIR")]
    pub baseline: Option<PathBuf>,
    /// Rows of a list that people read; 0 is all [default: 20].
    #[arg(long, value_name = "N", env = "LLM_PROF_LIMIT", hide_env = true)]
    pub limit: Option<usize>,
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

/// `llm-prof fleet tables`.
#[derive(Debug, Args)]
pub struct FleetTables {
    /// Reports that `triage --format json` wrote, folders of them, or `-` for standard input: one report after the other.
    #[arg(value_name = "REPORT", required = true)]
    pub paths: Vec<PathBuf>,
    /// The rules.
    #[command(flatten)]
    pub knowledge: Knowledge,
}
