//! The compiled form of `rules/` and `catalogs/`: immutable, families in id order. In `model/cases.rs`: the tests inside.

mod cases;

use std::collections::BTreeMap;

use super::ast::{Chain, Expr, OverlapClause};

pub use cases::*;

/// A named predicate.
#[derive(Clone, Debug)]
pub struct Term {
    /// Bare word of the match language.
    pub name: String,
    /// What it names, in one line.
    pub about: String,
    /// What it says; terms inside are resolved by index in [`RuleSet::terms`] order (a term uses earlier ones).
    pub expr: Expr,
}

/// A category of kernels; the first whose predicate says yes is the kernel's.
#[derive(Clone, Debug)]
pub struct Category {
    /// Such as `gemm` or `kv-cache`.
    pub name: String,
    /// What it says; it may not use `category()`.
    pub expr: Expr,
    /// Counts as compute when something is hidden under it.
    pub compute: bool,
}

/// Kernels of a formal trace whose place is that of another kernel in the mapping trace.
#[derive(Clone, Debug)]
pub struct Alias {
    /// Its name.
    pub name: String,
    /// In the formal trace.
    pub formal: Expr,
    /// In the mapping trace.
    pub mapping: Expr,
}

/// How the kernels of a pair of traces are tied (`rules/mapping.yaml`).
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    /// Categories whose kernels have another name at another batch size.
    pub alike: Vec<String>,
    /// Launches within which another tie must be.
    pub reach: usize,
    /// Launches between two ties that are looked at.
    pub max_gap: usize,
    /// Pairs of equal kernels that one alignment looks at.
    pub max_pairs: usize,
    /// Kernels that stand for each other, first match wins.
    pub aliases: Vec<Alias>,
}

/// Launches that `~>` sees through, by role.
#[derive(Clone, Debug)]
pub struct TransparentRole {
    /// Such as `layout-copy`.
    pub name: String,
    /// What it says.
    pub expr: Expr,
}

/// `kind:` of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FamilyKind {
    /// A fused path.
    Fuse,
    /// An overlap of independent work.
    Overlap,
}

impl FamilyKind {
    /// The word in rule files and output.
    pub fn id(self) -> &'static str {
        match self {
            Self::Fuse => "fuse",
            Self::Overlap => "overlap",
        }
    }
}

/// `independent:` of an overlap family: what bears out that its sides do not need each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Independence {
    /// The call sites differ.
    Site,
    /// The modules differ, instances of one class too.
    Module,
    /// The family says so, and no more.
    #[default]
    Declared,
}

/// `origin:` of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the framework's releases.
    Mainline,
    /// In a library or another framework it takes from.
    Upstream,
    /// In an open pull request: shown, marked, never Confirmed.
    Inflight,
}

impl Origin {
    /// The word in rule files and output.
    pub fn id(self) -> &'static str {
        match self {
            Self::Mainline => "mainline",
            Self::Upstream => "upstream",
            Self::Inflight => "inflight",
        }
    }
}

/// `status:` of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not proved on a real trace: never Confirmed.
    Trial,
    /// Proved.
    Stable,
    /// Replaced; kept while its kernels are in the field.
    Retired,
}

impl Status {
    /// The word in rule files and output.
    pub fn id(self) -> &'static str {
        match self {
            Self::Trial => "trial",
            Self::Stable => "stable",
            Self::Retired => "retired",
        }
    }
}

/// `per:` of a family: how often it must recur to be Confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// Once in every whole step.
    Step,
    /// Twice in a step.
    Layer,
    /// Once.
    Request,
}

impl Per {
    /// The word in rule files and output.
    pub fn id(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Layer => "layer",
            Self::Request => "request",
        }
    }
}

/// A source path with the versions it is true for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePath {
    /// Path in the framework's tree, or a pull request.
    pub path: String,
    /// Commit or tag.
    pub at: Option<String>,
    /// First version.
    pub since: Option<String>,
    /// First version without it.
    pub until: Option<String>,
    /// The only vendor on whose GPUs it runs.
    pub vendor: Option<String>,
}

/// What to type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toggle {
    /// Exact spelling, such as `--enable-fused-qk-norm-rope` or `pass_config.fuse_norm_quant`.
    pub name: String,
    /// Value that turns the path on, as text (`true`).
    pub value: String,
    /// `server_args`, `env`, `compilation_config`, ..
    pub place: String,
    /// First version.
    pub since: Option<String>,
    /// First version without it.
    pub until: Option<String>,
    /// Value when nobody sets it.
    pub default: Option<String>,
    /// The GPUs on which it does something; none: all.
    pub vendor: Option<String>,
    /// The models for which it does something.
    pub models: ModelWords,
}

/// An inclusive range of integers, `2..`, `..128`, `1..8`, `4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// At least.
    pub min: Option<i64>,
    /// At most.
    pub max: Option<i64>,
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.min, self.max) {
            (Some(min), Some(max)) if min == max => write!(f, "{min}"),
            (min, max) => {
                let text = |end: Option<i64>| end.map_or_else(String::new, |n| n.to_string());
                write!(f, "{}..{}", text(min), text(max))
            }
        }
    }
}

/// `when:` of a family. Empty lists and absent ranges ask nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gates {
    /// Silent when no. Framework ids.
    pub frameworks: Vec<String>,
    /// Silent when no.
    pub models: ModelWords,
    /// Silent when no. Stages.
    pub stages: Vec<crate::attribution::Stage>,
    /// Off by design when no. `nvidia`, `amd`.
    pub vendor: Vec<String>,
    /// Off by design when no. `sm90`, `gfx942`, ..
    pub arch: Vec<String>,
    /// Off by design when no.
    pub tensor_parallel: Option<Range>,
    /// Off by design when no. Model or quantisation dtype words.
    pub dtype: Vec<String>,
    /// Off by design when no. Tokens of the step.
    pub tokens: Option<Range>,
    /// The same where it depends on the GPU and the version: one of those that are of the run.
    pub token_limits: Vec<TokenLimit>,
    /// Off by design when no. Bytes of the collective's message.
    pub message_bytes: Option<Range>,
    /// The same where it depends on the GPU and its number; the first that is of the run's counts.
    pub message_limits: Vec<MessageLimit>,
    /// Off by design when no. Server arguments that must hold: name and value text.
    pub needs: Vec<(String, String)>,
}

/// Models by words of their names: substrings, whatever their case, with `-`, `_` and `.` alike. Empty: every model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelWords {
    /// One of these, where there are any.
    pub any: Vec<String>,
    /// None of these.
    pub none: Vec<String>,
}

impl ModelWords {
    /// Whether they ask nothing.
    pub fn is_empty(&self) -> bool {
        self.any.is_empty() && self.none.is_empty()
    }
}

/// Files that call a fused path, and the models that they do it for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// Paths in the framework's tree.
    pub files: Vec<String>,
    /// The models.
    pub models: ModelWords,
    /// First version with the call.
    pub since: Option<String>,
    /// First version without it.
    pub until: Option<String>,
    /// The only vendor on whose GPUs they call it.
    pub vendor: Option<String>,
}

/// Tokens of a step that a path takes on some GPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenLimit {
    /// `sm90`, `gfx950`, ..; empty: all.
    pub arch: Vec<String>,
    /// The tokens.
    pub tokens: Range,
    /// First version with it.
    pub since: Option<String>,
    /// First version without it.
    pub until: Option<String>,
}

/// The messages that a path takes on some GPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageLimit {
    /// `sm90`, `gfx942`, ..; empty: all.
    pub arch: Vec<String>,
    /// Tensor-parallel sizes; none: all.
    pub tensor_parallel: Option<Range>,
    /// Bytes; none: the path takes no message there.
    pub bytes: Option<Range>,
    /// The switch that moves the limit. With one, a larger message is no reason to call the path off by design.
    pub raised_by: Option<String>,
}

/// One family of the catalog.
#[derive(Clone, Debug)]
pub struct Family {
    /// Equals the path below `catalogs/<kind>/`, without extension.
    pub id: String,
    /// Old ids.
    pub aliases: Vec<String>,
    /// As the field names it.
    pub title: String,
    /// One sentence.
    pub rationale: String,
    /// Fuse or overlap.
    pub kind: FamilyKind,
    /// Where the path lives.
    pub origin: Origin,
    /// Pull requests of an in-flight path.
    pub pr: Vec<String>,
    /// How well it is proved.
    pub status: Status,
    /// Successor of a retired one.
    pub replaced_by: Option<String>,
    /// Where the fused path lives.
    pub sources: Vec<SourcePath>,
    /// When it was last checked (date) and against what (version).
    pub checked: Option<(String, String)>,
    /// First framework version with the path.
    pub since: Option<String>,
    /// The same on the GPUs of some vendors.
    pub since_on: BTreeMap<String, String>,
    /// First framework version without it.
    pub until: Option<String>,
    /// Gates.
    pub when: Gates,
    /// Who calls the fused path. A model that none of them serves runs split, whatever is set. Empty: nobody is asked.
    pub called_for: Vec<Caller>,
    /// The fused form.
    pub fused: Option<Chain>,
    /// The split form.
    pub split: Option<Chain>,
    /// Context before the finding.
    pub after: Option<Chain>,
    /// Context after the finding.
    pub before: Option<Chain>,
    /// The two sides of an overlap.
    pub overlap: Option<OverlapClause>,
    /// What bears out that they are independent.
    pub independent: Independence,
    /// Recurrence.
    pub per: Per,
    /// Order of rows of equal length.
    pub priority: i64,
    /// Ids of which it is the better one.
    pub subsumes: Vec<String>,
    /// Ids it cannot run together with.
    pub excludes: Vec<String>,
    /// What to type.
    pub toggles: Vec<Toggle>,
    /// Tests of the family.
    pub tests: Vec<Case>,
    /// Path of the file, as given.
    pub file: String,
}

/// Kernel names of no package's source; those of one are among [`RuleSet::claims`].
#[derive(Clone, Debug, Default)]
pub struct KnownKernels {
    /// Globs over identifiers: compilers and libraries make these names.
    pub libraries: Vec<String>,
    /// Names without proof.
    pub unconfirmed: std::collections::BTreeSet<String>,
}

/// A family that another file with the same id replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Id.
    pub id: String,
    /// File that counts.
    pub by: String,
    /// File that does not.
    pub instead_of: String,
}

/// All that `rules/` and `catalogs/` know, compiled.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// Version (`catalogs/VERSION`), such as `2026.11.0`.
    pub version: String,
    /// blake3 of all files, 16 hex digits.
    pub digest: String,
    /// How traces are read (`rules/trace.yaml`).
    pub trace: crate::trace::Settings,
    /// What attribution is told.
    pub attribution: crate::attribution::Settings,
    /// How names are cut.
    pub names: crate::kernel_name::Settings,
    /// Terms, each after those it uses.
    pub terms: Vec<Term>,
    /// Tests of terms, categories and roles, in the order of their files.
    pub term_cases: Vec<TermCase>,
    /// Categories in order of precedence.
    pub categories: Vec<Category>,
    /// What `~>` sees through.
    pub transparent: Vec<TransparentRole>,
    /// What the chains of a family may cost (`rules/graph.yaml`).
    pub chains: super::schema::shared::ChainLimits,
    /// Families in id order, overlap ones among them.
    pub families: Vec<Family>,
    /// How the report reads (`rules/report.yaml`).
    pub report: super::schema::report::ReportFile,
    /// Frameworks in the order in which a document of several has them (`rules/frameworks.yaml`).
    pub framework_order: Vec<String>,
    /// What two runs are compared by (`rules/compare.yaml`).
    pub compare: super::schema::compare::CompareFile,
    /// When a kernel is worth a row of the overlap table (`rules/overlap.yaml`).
    pub overlap: super::schema::overlap::OverlapFile,
    /// When launches that no row explains are similar to a family (`rules/similarity.yaml`).
    pub similarity: super::schema::similarity::SimilarityFile,
    /// What a cut of a trace may keep (`rules/cut.yaml`).
    pub cut: super::schema::cut::CutFile,
    /// What many traces are told apart by (`rules/fleet.yaml`).
    pub fleet: super::schema::fleet::FleetFile,
    /// What makes a trace unfit for a question (`rules/fitness.yaml`).
    pub fitness: super::schema::fitness::FitnessFile,
    /// How the kernels of a pair of traces are tied.
    pub mapping: Mapping,
    /// What a server's log says (`rules/server-log.yaml`).
    pub server_log: super::schema::server_log::ServerLogFile,
    /// How files are told apart by their names (`rules/inputs.yaml`).
    pub inputs: super::schema::inputs::InputsFile,
    /// Packages whose releases bear out claims (`rules/releases.yaml`).
    pub releases: super::schema::releases::ReleasesFile,
    /// Kernel names that rest on no package (`rules/kernels.yaml`).
    pub kernels: KnownKernels,
    /// What terms and families say of releases, in the order of their files.
    pub claims: Vec<super::Claim>,
    /// Where the launches of the families' tests stand, by id.
    pub case_places: BTreeMap<String, CasePlaces>,
    /// Families replaced by added catalogs, in id order.
    pub overrides: Vec<Override>,
    /// What is probably not as meant; printed by `rules check`.
    pub warnings: Vec<crate::diagnostic::Diagnostic>,
}
