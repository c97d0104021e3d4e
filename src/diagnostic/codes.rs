//! The one table of codes: what `explain CODE` prints, and what each golden pair of `tests/diagnostics/` proves.

/// Whether a mistake stops the rules from loading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Rules do not load.
    Error,
    /// Rules load; something is probably not as meant.
    Warning,
}

macro_rules! codes {
    ($($id:literal $variant:ident $name:literal $explanation:literal)*) => {
        /// The kind of a mistake.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = concat!("`", $name, "`: see [`Code::explanation`].")] $variant,)*
        }

        impl Code {
            /// All codes in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Such as `E012`; never reused.
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// Such as `unknown-term`; the golden pairs are named after it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it means and what to do.
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$variant => $explanation,)* }
            }
        }
    };
}

codes! {
    "E001" Unreadable "unreadable" "A file or folder of rules cannot be read. Check the path and its permissions; text must be UTF-8."
    "E002" YamlSyntax "yaml-syntax" "The file is no YAML. Texts that begin with `@`, `{`, `[` or `?`, or hold `: ` or ` #`, need quotes around the whole."
    "E003" UnknownKey "unknown-key" "A key that the format does not have. Keys are spelled exactly; the error lists what may stand there."
    "E004" MissingKey "missing-key" "A key that the format asks for is not there."
    "E005" WrongType "wrong-type" "A value is of another type than its key asks for."
    "E006" DuplicateKey "duplicate-key" "A key stands twice in one map; only one value could count."
    "E007" BadVersion "bad-version" "The version of the format, a framework or the catalog is not one: the format is 1, versions look like 0.5.9, dates like 2026-06-27."
    "E008" MissingFile "missing-file" "A folder given with --rules replaces all rules, so it must hold every rule file that the tool reads."
    "E009" Syntax "syntax" "A text of the match language cannot be read at this place. grammar/README.md explains the language with examples."
    "E010" DuplicateId "duplicate-id" "Two families, terms, categories or roles have one name. Ids are unique over fuse and overlap, aliases included."
    "E011" IdIsNotPath "id-is-not-path" "The id of a family is its path below catalogs/fuse/ or catalogs/overlap/, without .yaml."
    "E012" UnknownTerm "unknown-term" "A bare word is a term, and rules/terms.yaml has no such term. Names of kernels stand in name(..)."
    "E013" TermCycle "term-cycle" "A term that uses itself, directly or through others, says nothing."
    "E014" EmptyMatch "empty-match" "A chain that can match without any launch would match everywhere. One part must stand at least once, and one outside of [ ]."
    "E015" UnknownId "unknown-id" "subsumes, excludes and replaced_by name families by id; no family has this one."
    "E016" UnknownOutcome "unknown-outcome" "expect is one of fused, split, partly, off-by-design, none, candidate; of an overlap family exposed, hidden, no_partner, none."
    "E017" NoHitOrMiss "no-hit-or-miss" "A family needs tests that must match, at least one near miss that must not (expect: none), and the fused case where it has a fused form."
    "E018" BadRange "bad-range" "A gate's range is a whole number, 2.., ..128 or 1..8, the lower bound first; an impossible one would never be met."
    "E019" UnknownWord "unknown-word" "A word from a closed list is not in it: a kind, a category, a stage or another value that the tool must know."
    "E020" BadFamily "bad-family" "Keys of a family are at odds with each other: neither fused nor split, inflight without pr, retired without replaced_by."
    "E021" CategoryInCategory "category-in-category" "What decides categories may not ask for a category."
    "E022" BadSetting "bad-setting" "A value of a rule file cannot be used; the error says what was expected."
    "E023" TomlSyntax "toml-syntax" "The configuration is no TOML. Texts stand in quotes, lists in [ ], tables begin with a line such as [triage]."
    "E024" NeverMatches "never-matches" "The parts of a predicate exclude each other, so no launch can ever match it: `a and not a`, two kinds at once, or `tokens < 8 and tokens > 64`."
    "E025" ChainTooLarge "chain-too-large" "A chain is compiled with its repeats written out and `(a & b)` in every order, and the time it takes grows with that, so there is a limit: 2,000 links, 20,000 joins, 64 levels. Real fusions have a dozen links; `a+` costs no more than `a`. A predicate may have 20,000 atoms with its terms written out."
    "E030" ForeignReport "foreign-report" "A JSON file is no report of this version of llm-prof: `triage --format json` writes them, and says which contract it follows in `schema`. One of another version is made again from its trace."
    "E031" BrokenReport "broken-report" "A JSON report lacks a field or has one of another type: it was changed, cut off, or written by a development version. Make it again from its trace."
    "W001" NoNameLike "no-name-like" "A link without name, targs, inductor, category or kind can never match where ops, sites and modules are unknown, as under graph replay."
    "W002" UnusedFile "unused-file" "No part of the tool reads this file."
    "W003" UnusedTerm "unused-term" "No family, category, role or other term uses the term."
    "W004" UnknownTestKernel "unknown-test-kernel" "No term, category, role or family knows a kernel of this test. Its name may be misspelt, and then the test proves nothing; or it is a kind of kernel that deserves a term."
    "W005" UnsourcedKernel "unsourced-kernel" "A test rests on a kernel name that nobody is known to have: no package or library of rules/kernels.yaml, no `kernels` of a family. A family on trial may test with any name: it is there to be proved."
}

impl Code {
    /// Error or warning, by the first letter of the id.
    pub fn severity(self) -> Severity {
        if self.id().starts_with('E') { Severity::Error } else { Severity::Warning }
    }

    /// The code of an id such as `E012`, upper or lower case.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|c| c.id().eq_ignore_ascii_case(id))
    }
}
