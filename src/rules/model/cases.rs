//! Tests of terms, categories, roles and families.

/// One entry of a test's chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseLaunch {
    /// Kernel name as a trace has it.
    pub kernel: String,
    /// Enclosing ops, innermost first; none: unknown.
    pub op: Option<Vec<String>>,
    /// Enclosing frames, innermost first; none: unknown.
    pub site: Option<Vec<String>>,
    /// Enclosing modules, innermost first; none: unknown.
    pub module: Option<Vec<String>>,
    /// Stream; 0 when not given.
    pub stream: Option<i64>,
    /// Begin in ns; one after the other when not given.
    pub start_ns: Option<i64>,
    /// Length in ns; 1000 when not given.
    pub dur_ns: Option<i64>,
    /// Input shapes, JSON text.
    pub dims: Option<String>,
    /// Launch grid, JSON text.
    pub grid: Option<String>,
    /// Positions in the chain that its stream waits for.
    pub waits_for: Vec<usize>,
}

/// What a test expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The fused form is there.
    Fused,
    /// The split form is there.
    Split,
    /// The split form is there, and nobody calls the fused path for the model.
    Uncalled,
    /// Both are.
    Partly,
    /// Split, and a known gate is no.
    OffByDesign,
    /// No row.
    None,
    /// A match only through an unknown.
    Candidate,
    /// Overlap: runs alone beside an independent partner.
    Exposed,
    /// Overlap: hidden already.
    Hidden,
    /// Overlap: nothing to run beside.
    NoPartner,
}

/// One test of a family.
#[derive(Clone, Debug)]
pub struct Case {
    /// The claim.
    pub name: String,
    /// What ran.
    pub chain: Vec<CaseLaunch>,
    /// What must come out.
    pub expect: Outcome,
    /// Facts of the run that the test sets: `vendor: amd`, `tp: 8`, ..; gates hold unless given otherwise.
    pub given: Vec<(String, String)>,
    /// A trace in place of a chain: a path from the family's folder.
    pub trace: Option<String>,
    /// What the row of that trace must say.
    pub row: CaseRow,
    /// A known gap: reported, never failing.
    pub todo: bool,
    /// Line of the test in its file.
    pub line: u32,
}

/// What a test on a trace asks of the family's row, beside its state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseRow {
    /// Stage of the row; any when not given.
    pub stage: Option<crate::attribution::Stage>,
    /// Occurrences.
    pub occurrences: Option<u64>,
}

/// Where the launches of a family's tests stand, for what is said of them.
#[derive(Clone, Debug, Default)]
pub struct CasePlaces {
    /// The file; none before one was read.
    pub file: Option<std::sync::Arc<crate::diagnostic::SourceFile>>,
    /// Bytes of each launch of each test.
    pub launches: Vec<Vec<std::ops::Range<usize>>>,
}

/// Whose test it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A term: yes on a hit, no on a miss.
    Term,
    /// A category: comes out on a hit, another on a miss.
    Category,
    /// A transparent role: as a term.
    Role,
}

impl Subject {
    /// The word in output.
    pub fn id(self) -> &'static str {
        match self {
            Self::Term => "term",
            Self::Category => "category",
            Self::Role => "role",
        }
    }
}

/// One test of a term, a category or a role: a launch that it must find, or a near miss.
#[derive(Clone, Debug)]
pub struct TermCase {
    /// Term, category or role.
    pub subject: Subject,
    /// Its name.
    pub name: String,
    /// What is looked at.
    pub launch: CaseLaunch,
    /// Whether it must be found.
    pub hit: bool,
    /// Path of the file, as given.
    pub file: String,
    /// Line in its file.
    pub line: u32,
    /// The file, and the bytes of the launch in it; none for one that no file has.
    pub place: Option<(std::sync::Arc<crate::diagnostic::SourceFile>, std::ops::Range<usize>)>,
}
