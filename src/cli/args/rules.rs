//! Arguments of `llm-prof rules` and `llm-prof catalog`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Input, Knowledge, Terminal};

/// `llm-prof rules ..`.
#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "made once a run, and boxed where it is kept")]
pub enum RulesCommand {
    /// Runs the tests of terms, categories and families.
    Test(RulesTest),
    /// Loads the rules and says every mistake in them.
    Check(RulesCheck),
    /// Lists the families, grouped by framework.
    List(RulesList),
    /// The page of one family.
    Show(RulesShow),
    /// Writes a new family whose tests run at once.
    New(RulesNew),
    /// Puts the keys of families in order; comments stay with their keys.
    Fmt(RulesFmt),
    /// JSON schemas of rule files, for editors.
    Schema(RulesSchema),
    /// Pages of the catalog, one a framework.
    Docs(RulesDocs),
}

/// `llm-prof rules test`.
#[derive(Debug, Args)]
pub struct RulesTest {
    /// The same as `--family`.
    #[arg(value_name = "GLOB", conflicts_with = "family")]
    pub only: Option<String>,
    /// Families whose tests are run: a glob over ids; tests of terms are left out.
    #[arg(long, value_name = "GLOB", env = "LLM_PROF_FAMILY", hide_env = true)]
    pub family: Option<String>,
    /// Format: text, or github for lines that show in a pull request.
    #[arg(short, long, value_enum, env = "LLM_PROF_TEST_FORMAT", hide_env = true, default_value_t = LogFormat::Text)]
    pub format: LogFormat,
    /// The rules.
    #[command(flatten)]
    pub knowledge: Knowledge,
    /// The terminal.
    #[command(flatten)]
    pub terminal: Terminal,
}

/// `llm-prof rules check`.
#[derive(Debug, Args)]
pub struct RulesCheck {
    /// Warnings fail, too.
    #[arg(long, env = "LLM_PROF_STRICT", hide_env = true)]
    pub strict: bool,
    /// Format: text, or github for lines that show in a pull request.
    #[arg(short, long, value_enum, env = "LLM_PROF_TEST_FORMAT", hide_env = true, default_value_t = LogFormat::Text)]
    pub format: LogFormat,
    /// The rules.
    #[command(flatten)]
    pub knowledge: Knowledge,
    /// The terminal.
    #[command(flatten)]
    pub terminal: Terminal,
}

/// `llm-prof rules list`.
#[derive(Debug, Args)]
pub struct RulesList {
    /// Families of this framework.
    #[arg(long, value_name = "NAME", env = "LLM_PROF_LIST_FRAMEWORK", hide_env = true)]
    pub framework: Option<String>,
    /// Families of this origin.
    #[arg(long, value_enum, env = "LLM_PROF_ORIGIN", hide_env = true)]
    pub origin: Option<OriginArg>,
    /// Families of this status.
    #[arg(long, value_enum, env = "LLM_PROF_STATUS", hide_env = true)]
    pub status: Option<StatusArg>,
    /// Families that look for this kernel: its name as a trace has it, or a part of a name in their tests.
    #[arg(long, value_name = "NAME", env = "LLM_PROF_KERNEL", hide_env = true)]
    pub kernel: Option<String>,
    /// In place of families, the terms of which chains are made; with --kernel, its words and the terms that know it.
    #[arg(long, conflicts_with_all = ["framework", "origin", "status"], env = "LLM_PROF_TERMS", hide_env = true)]
    pub terms: bool,
    /// Format.
    #[arg(short, long, value_enum, env = "LLM_PROF_LIST_FORMAT", hide_env = true, default_value_t = ListFormat::Text)]
    pub format: ListFormat,
    /// The rules.
    #[command(flatten)]
    pub knowledge: Knowledge,
    /// The terminal.
    #[command(flatten)]
    pub terminal: Terminal,
}

/// `llm-prof rules show`.
#[derive(Debug, Args)]
pub struct RulesShow {
    /// Family, such as sglang/qk-norm-rope.
    #[arg(value_name = "ID")]
    pub id: String,
    /// The rules.
    #[command(flatten)]
    pub knowledge: Knowledge,
    /// The terminal.
    #[command(flatten)]
    pub terminal: Terminal,
}

/// `llm-prof rules new`.
#[derive(Debug, Args)]
pub struct RulesNew {
    /// Kind of the family.
    #[arg(value_enum)]
    pub kind: KindArg,
    /// Its id: framework/name, small letters, digits and `-`.
    #[arg(value_name = "ID")]
    pub id: String,
    /// Trace that shows the path when it is off.
    #[arg(long, value_name = "TRACE", requires = "kernels", env = "LLM_PROF_FROM", hide_env = true)]
    pub from: Option<PathBuf>,
    /// Kernels of the trace, a part of each name: those of a fusion in the order in which they run; of an overlap the
    /// one that could be hidden, then the other.
    #[arg(
        long,
        value_name = "A,B,C",
        requires = "from",
        value_delimiter = ',',
        env = "LLM_PROF_KERNELS",
        hide_env = true
    )]
    pub kernels: Vec<String>,
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

/// `llm-prof rules fmt`.
#[derive(Debug, Args)]
pub struct RulesFmt {
    /// Families, or folders of them [default: catalogs].
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Change nothing; fail when something is out of order.
    #[arg(long)]
    pub check: bool,
}

/// `llm-prof rules schema`.
#[derive(Debug, Args)]
pub struct RulesSchema {
    /// Schema to print: family, terms, categories or graph.
    #[arg(value_name = "NAME", default_value = "family")]
    pub name: String,
    /// Where files are written or compared.
    #[command(flatten)]
    pub target: Target,
}

/// `llm-prof rules docs`.
#[derive(Debug, Args)]
pub struct RulesDocs {
    /// Where pages are written or compared.
    #[command(flatten)]
    pub target: Target,
    /// The rules.
    #[command(flatten)]
    pub knowledge: Knowledge,
    /// The terminal.
    #[command(flatten)]
    pub terminal: Terminal,
}

/// A folder of files that are made.
#[derive(Debug, Args)]
pub struct Target {
    /// Write the files into this folder.
    #[arg(long, value_name = "DIR", conflicts_with = "check")]
    pub write: Option<PathBuf>,
    /// Fail when the files of this folder are not what would be written.
    #[arg(long, value_name = "DIR")]
    pub check: Option<PathBuf>,
}

/// Format of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For a terminal.
    Text,
    /// For a page or a message.
    #[value(alias = "md")]
    Markdown,
    /// For programs.
    Json,
}

/// Format of what checks and tests say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// Workflow commands, one a mistake.
    Github,
}

/// `kind` of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KindArg {
    /// A fused path.
    Fuse,
    /// Work that could run beside other work.
    Overlap,
}

impl KindArg {
    /// The word in files and folders.
    pub(in crate::cli) fn id(self) -> &'static str {
        match self {
            Self::Fuse => "fuse",
            Self::Overlap => "overlap",
        }
    }
}

/// `origin` of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OriginArg {
    /// In the framework's releases.
    Mainline,
    /// In a library or another framework.
    Upstream,
    /// In an open pull request.
    Inflight,
}

/// `status` of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatusArg {
    /// Not proved on a real trace.
    Trial,
    /// Proved.
    Stable,
    /// Replaced.
    Retired,
}

/// `llm-prof catalog ..`.
#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// Version, age, and counts by framework, kind, status and origin.
    Info {
        /// The rules.
        #[command(flatten)]
        knowledge: Knowledge,
        /// The terminal.
        #[command(flatten)]
        terminal: Terminal,
    },
    /// Paths, kernels, ops and switches of the catalog that a release of a package does not have.
    Check(CatalogCheck),
}

/// `llm-prof catalog check`.
#[derive(Debug, Args)]
pub struct CatalogCheck {
    /// The release: a wheel, an sdist (.tar.gz), or a folder with one of them unpacked.
    #[arg(long, value_name = "PATH", env = "LLM_PROF_WHEEL", hide_env = true)]
    pub wheel: PathBuf,
    /// Format.
    #[arg(short, long, value_enum, env = "LLM_PROF_CHECK_FORMAT", hide_env = true, default_value_t = CheckFormat::Text)]
    pub format: CheckFormat,
    /// The rules.
    #[command(flatten)]
    pub knowledge: Knowledge,
    /// The terminal.
    #[command(flatten)]
    pub terminal: Terminal,
}

/// `--format` of `catalog check`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}
