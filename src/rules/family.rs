//! One family file as its compiled form. What can be checked within the file is checked here, all of it.

mod broken;
mod gates;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_yaml::Spanned;

use super::ast::{Chain, ChainNode, OverlapClause};
use super::claims::{self, Claim};
use super::load::{bad_format, is_version, syntax};
use super::measure::{ChainProblem, check_chain};
use super::parse::{parse_chain, parse_overlap};
use super::place::{Place, span_of};
use super::schema::family::{CaseEntry, FamilyFile, Kind, ToggleEntry};
use super::source::{CATALOGS, Entry};
use super::version::Version;
use super::{Case, CaseRow, Family, FamilyKind, Independence, Origin, Outcome, Status, Toggle};
use crate::diagnostic::{Code, Diagnostic, SourceFile};

pub(super) use broken::broken;

/// A family with the places that later checks point at.
pub(super) struct LoadedFamily {
    pub(super) family: Family,
    pub(super) layer: usize,
    pub(super) id: Place,
    /// Bytes of each launch of each test.
    pub(super) launches: Vec<Vec<std::ops::Range<usize>>>,
    /// What its keys say of releases.
    pub(super) claims: Vec<Claim>,
    /// Texts of the match language with their trees.
    pub(super) chains: Vec<(Place, Chain)>,
    pub(super) aliases: Vec<Place>,
    /// Ids of other families, by key.
    pub(super) references: Vec<(&'static str, String, Place)>,
}

/// What can be told of a family whose file has not the right shape.
pub(super) struct BrokenFamily {
    /// The id that its path gives it.
    pub(super) id: String,
    pub(super) chains: Vec<(Place, Chain)>,
}

/// The family of `entry`, and its mistakes; one that is not `tested` needs no tests.
pub(super) fn family(
    entry: &Entry,
    yaml: FamilyFile,
    tested: bool,
) -> (Result<LoadedFamily, BrokenFamily>, Vec<Diagnostic>) {
    let mut reader = Reader { file: &entry.file, tested, found: Vec::new(), chains: Vec::new() };
    let family = reader.read(entry, yaml);
    (Ok(family), reader.found)
}

/// The folder of a family's kind, and the id that its path gives it.
fn id_of(entry: &Entry) -> (&str, &str) {
    let path = entry.logical.strip_prefix(CATALOGS).unwrap_or(&entry.logical);
    let (folder, rest) = path.split_once('/').unwrap_or(("", path));
    (folder, rest.rsplit_once('.').map_or(rest, |(stem, _)| stem))
}

struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    tested: bool,
    found: Vec<Diagnostic>,
    chains: Vec<(Place, Chain)>,
}

impl Reader<'_> {
    fn read(&mut self, entry: &Entry, yaml: FamilyFile) -> LoadedFamily {
        let file = self.file;
        let place = |scalar: &Spanned<String>| Place::of(file, scalar);
        self.found.extend(bad_format(file, &yaml.version));
        self.id(entry, &yaml);
        self.at_odds(&yaml);
        let kind = FamilyKind::from(yaml.kind.value);
        let tests = self.cases(kind, &yaml);
        let mut references = Vec::new();
        for (key, ids) in [("subsumes", &yaml.subsumes), ("excludes", &yaml.excludes)] {
            references.extend(ids.iter().map(|id| (key, id.value.clone(), place(id))));
        }
        references.extend(yaml.replaced_by.iter().map(|id| ("replaced_by", id.value.clone(), place(id))));
        let (since, until) = self.versions(yaml.since.as_ref(), yaml.until.as_ref());
        let since_on = self.since_on(&yaml);
        let words = |list: &[Spanned<String>]| list.iter().map(|s| s.value.clone()).collect::<Vec<_>>();
        let checked = yaml.checked.as_ref().map(|c| {
            self.date(&c.date);
            (c.date.value.clone(), c.version.value.clone())
        });
        let claims = claims::of_keys(file, &yaml);
        for kernel in &yaml.kernels {
            self.versions(kernel.value.since.as_ref(), kernel.value.until.as_ref());
        }
        for source in &yaml.sources {
            for version in [&source.value.0.since, &source.value.0.until].into_iter().flatten() {
                self.check_version(version, span_of(file, source));
            }
        }
        let family = Family {
            id: yaml.id.value.clone(),
            aliases: words(&yaml.aliases),
            title: yaml.title,
            rationale: yaml.rationale,
            kind,
            origin: yaml.origin.into(),
            pr: yaml.pr,
            status: yaml.status.into(),
            replaced_by: yaml.replaced_by.as_ref().map(|s| s.value.clone()),
            sources: yaml.sources.into_iter().map(|s| s.value.0).collect(),
            checked,
            since,
            since_on,
            until,
            when: self.gates(&yaml.when),
            called_for: yaml.called_for.iter().map(|caller| self.caller(caller)).collect(),
            fused: self.chain(yaml.fused.as_ref(), true),
            split: self.chain(yaml.split.as_ref(), true),
            after: self.chain(yaml.after.as_ref(), false),
            before: self.chain(yaml.before.as_ref(), false),
            overlap: self.overlap(yaml.overlap.as_ref()),
            independent: yaml.independent.as_ref().map_or_else(Independence::default, |word| word.value.into()),
            per: yaml.per.into(),
            priority: yaml.priority,
            subsumes: words(&yaml.subsumes),
            excludes: words(&yaml.excludes),
            toggles: yaml.toggles.iter().map(|t| self.toggle(&t.value)).collect(),
            tests,
            file: file.path.clone(),
        };
        LoadedFamily {
            family,
            layer: entry.layer,
            id: place(&yaml.id),
            launches: (yaml.tests.value.iter())
                .map(|case| case.value.chain.iter().map(|launch| span_of(file, launch)).collect())
                .collect(),
            claims,
            chains: std::mem::take(&mut self.chains),
            aliases: yaml.aliases.iter().map(place).collect(),
            references,
        }
    }

    fn error(
        &mut self,
        code: Code,
        title: impl Into<String>,
        span: std::ops::Range<usize>,
        label: impl Into<String>,
    ) -> &mut Diagnostic {
        self.found.push(Diagnostic::new(code, title).at(self.file, span, label));
        self.found.last_mut().expect("just pushed")
    }

    fn id(&mut self, entry: &Entry, yaml: &FamilyFile) {
        let (folder, want) = id_of(entry);
        let id = &yaml.id.value;
        if id != want {
            self.error(
                Code::IdIsNotPath,
                format!("the id `{id}` is not the path of its file"),
                span_of(self.file, &yaml.id),
                format!("expected `{want}`"),
            )
            .help = Some(format!("name the file {folder}/{id}.yaml, or the family `{want}`"));
        } else if !id.split('/').all(is_kebab) || !id.contains('/') {
            self.error(
                Code::IdIsNotPath,
                format!("`{id}` is no id"),
                span_of(self.file, &yaml.id),
                "expected `framework/family-name`, small letters, digits and `-`",
            );
        }
        let kind = match yaml.kind.value {
            Kind::Fuse => "fuse",
            Kind::Overlap => "overlap",
        };
        if kind != folder {
            self.error(
                Code::IdIsNotPath,
                format!("a family of kind {kind} lies below catalogs/{kind}/"),
                span_of(self.file, &yaml.kind),
                format!("the file is below {folder}/"),
            );
        }
    }

    /// Keys that ask for each other.
    fn at_odds(&mut self, yaml: &FamilyFile) {
        let id = span_of(self.file, &yaml.id);
        match yaml.kind.value {
            Kind::Fuse if yaml.fused.is_none() && yaml.split.is_none() => {
                self.error(Code::BadFamily, "a fuse family needs `fused`, `split` or both", id.clone(), "has neither");
            }
            Kind::Overlap if yaml.overlap.is_none() => {
                self.error(Code::BadFamily, "an overlap family needs `overlap`", id.clone(), "has none").help =
                    Some("write `overlap: exposed(a) beside exposed(b) within 200us`".to_owned());
            }
            _ => {}
        }
        if Origin::from(yaml.origin) == Origin::Inflight && yaml.pr.is_empty() {
            self.error(Code::BadFamily, "an in-flight family names its pull request", id.clone(), "has no `pr`").help =
                Some("add `pr: [\"#12345\"]`".to_owned());
        }
        if Status::from(yaml.status) == Status::Retired && yaml.replaced_by.is_none() {
            self.error(Code::BadFamily, "a retired family names what replaced it", id, "has no `replaced_by`");
        }
    }

    fn chain(&mut self, text: Option<&Spanned<String>>, counted: bool) -> Option<Chain> {
        let text = text?;
        let place = Place::of(self.file, text);
        match parse_chain(&text.value) {
            Ok(chain) => {
                if let Err(problem) = check_chain(&chain, counted) {
                    let code = match problem {
                        ChainProblem::CountsNothing { .. } => Code::EmptyMatch,
                        ChainProblem::TooLarge { .. } | ChainProblem::TooDeep { .. } => Code::ChainTooLarge,
                    };
                    let mut diagnostic = place.diagnostic(code, problem.to_string(), &problem.span(), "");
                    if code == Code::ChainTooLarge {
                        diagnostic = diagnostic.help(
                            "use smaller numbers in `{ }` and fewer parts in `(a & b)`; `a+` costs no more than `a`",
                        );
                    }
                    self.found.push(diagnostic);
                }
                self.chains.push((place, chain.clone()));
                Some(chain)
            }
            Err(error) => {
                self.found.push(syntax(&place, error));
                None
            }
        }
    }

    /// Both sides are links like those of a chain, so what holds for these holds for them.
    fn overlap(&mut self, text: Option<&Spanned<String>>) -> Option<OverlapClause> {
        let text = text?;
        let place = Place::of(self.file, text);
        match parse_overlap(&text.value) {
            Ok(clause) => {
                for side in [&clause.exposed, &clause.beside] {
                    let link = Chain { node: ChainNode::Link(side.clone()), span: side.span.clone() };
                    self.chains.push((place.clone(), link));
                }
                Some(clause)
            }
            Err(error) => {
                self.found.push(syntax(&place, error));
                None
            }
        }
    }

    fn versions(
        &mut self,
        since: Option<&Spanned<String>>,
        until: Option<&Spanned<String>>,
    ) -> (Option<String>, Option<String>) {
        for version in [since, until].into_iter().flatten() {
            self.version(version);
        }
        let text = |v: Option<&Spanned<String>>| v.map(|s| s.value.clone());
        if let (Some(since), Some(until)) = (since, until) {
            let ends = [since, until].map(|version| Version::parse(&version.value));
            if let [Some(first), Some(end)] = ends
                && first >= end
            {
                let title = format!("no version is between {} and {}", since.value, until.value);
                self.error(Code::BadRange, title, span_of(self.file, until), "`until` is the first version without it");
            }
        }
        (text(since), text(until))
    }

    fn since_on(&mut self, yaml: &FamilyFile) -> BTreeMap<String, String> {
        let mut out = BTreeMap::new();
        for (vendor, version) in &yaml.since_on {
            self.versions(Some(version), yaml.until.as_ref());
            out.insert(vendor.clone(), version.value.clone());
        }
        out
    }

    fn version(&mut self, version: &Spanned<String>) {
        self.check_version(&version.value, span_of(self.file, version));
    }

    fn check_version(&mut self, version: &str, span: std::ops::Range<usize>) {
        if !is_version(version) {
            self.error(Code::BadVersion, format!("`{version}` is no version"), span, "expected one like \"0.5.9\"");
        }
    }

    fn date(&mut self, date: &Spanned<String>) {
        let parts: Vec<&str> = date.value.split('-').collect();
        let number = |text: &str, len: usize, most: u32| {
            text.len() == len && text.parse::<u32>().is_ok_and(|n| (1..=most).contains(&n))
        };
        let [year, month, day] = parts.as_slice() else { return self.bad_date(date) };
        if !(number(year, 4, 9999) && number(month, 2, 12) && number(day, 2, 31)) {
            self.bad_date(date);
        }
    }

    fn bad_date(&mut self, date: &Spanned<String>) {
        let title = format!("`{}` is no date", date.value);
        self.error(Code::BadVersion, title, span_of(self.file, date), "expected one like 2026-06-27");
    }

    fn toggle(&mut self, toggle: &ToggleEntry) -> Toggle {
        let (since, until) = self.versions(toggle.since.as_ref(), toggle.until.as_ref());
        Toggle {
            name: toggle.name.clone(),
            value: toggle.value.clone(),
            place: toggle.place.clone(),
            since,
            until,
            default: toggle.default.clone(),
            vendor: toggle.vendor.clone(),
            models: (&toggle.models).into(),
        }
    }

    fn cases(&mut self, kind: FamilyKind, yaml: &FamilyFile) -> Vec<Case> {
        let mut out = Vec::new();
        for case in &yaml.tests.value {
            let CaseEntry { name, chain, trace, row, expect, given, todo } = &case.value;
            if chain.is_empty() == trace.is_none() {
                let span = span_of(self.file, expect);
                let title = if trace.is_some() {
                    "a test has a `chain` or a `trace`, not both"
                } else {
                    "this test runs nothing"
                };
                self.error(Code::BadFamily, title, span, "").help =
                    Some("give `chain: [..]`, kernel names as traces have them, or `trace: path`".to_owned());
            }
            if let (Some(_), None) = (row, trace) {
                let span = span_of(self.file, expect);
                self.error(Code::BadFamily, "`row` is asked of a `trace`; this test has none", span, "");
            }
            let Some(outcome) = self.outcome(expect, kind) else { continue };
            out.push(Case {
                name: name.clone(),
                chain: chain.iter().map(|l| l.value.0.clone()).collect(),
                trace: trace.as_ref().map(|t| t.value.clone()),
                row: CaseRow {
                    stage: row.as_ref().and_then(|r| r.stage.as_ref()).and_then(|s| self.stage(s)),
                    occurrences: row.as_ref().and_then(|r| r.occurrences),
                },
                expect: outcome,
                given: given.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
                todo: *todo,
                line: case.defined.line() as u32,
            });
        }
        // A test with a mistake may have been the one that is missing.
        if self.tested && out.len() == yaml.tests.value.len() {
            self.needed_cases(kind, yaml, &out);
        }
        out
    }

    fn outcome(&mut self, word: &Spanned<String>, kind: FamilyKind) -> Option<Outcome> {
        let known = outcomes(kind).iter().find(|(known, _)| *known == word.value).map(|(_, outcome)| *outcome);
        if known.is_none() {
            let words: Vec<&str> = outcomes(kind).iter().map(|(word, _)| *word).collect();
            self.found.push(
                Diagnostic::new(Code::UnknownOutcome, format!("there is no outcome `{}`", word.value))
                    .at(self.file, span_of(self.file, word), "not an outcome of a test")
                    .near(&word.value, words.iter().copied(), format!("outcomes here are {}", words.join(", "))),
            );
        }
        known
    }

    fn needed_cases(&mut self, kind: FamilyKind, yaml: &FamilyFile, cases: &[Case]) {
        let has = |wanted: &[Outcome]| cases.iter().any(|c| wanted.contains(&c.expect));
        let mut missing = Vec::new();
        if kind == FamilyKind::Overlap {
            if !has(&[Outcome::Exposed, Outcome::Hidden]) {
                missing.push("a hit (`expect: exposed` or `hidden`)");
            }
            if !has(&[Outcome::None, Outcome::NoPartner]) {
                missing.push("a near miss (`expect: none` or `no_partner`)");
            }
        } else {
            if yaml.split.is_some() && !has(&[Outcome::Split, Outcome::Partly, Outcome::OffByDesign]) {
                missing.push("a hit of the split form (`expect: split`)");
            }
            if yaml.fused.is_some() && !has(&[Outcome::Fused, Outcome::Partly]) {
                missing.push("the fused case (`expect: fused`)");
            }
            if !has(&[Outcome::None]) {
                missing.push("a near miss (`expect: none`)");
            }
        }
        if !missing.is_empty() {
            let title = format!("the tests lack {}", missing.join(" and "));
            let span = span_of(self.file, &yaml.id);
            self.error(Code::NoHitOrMiss, title, span, "of this family").help =
                Some("add them under `tests:`, with kernel names as traces have them".to_owned());
        }
    }
}

fn is_kebab(part: &str) -> bool {
    part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.'))
}

fn outcomes(kind: FamilyKind) -> &'static [(&'static str, Outcome)] {
    match kind {
        FamilyKind::Fuse => &[
            ("fused", Outcome::Fused),
            ("split", Outcome::Split),
            ("uncalled", Outcome::Uncalled),
            ("partly", Outcome::Partly),
            ("off-by-design", Outcome::OffByDesign),
            ("none", Outcome::None),
            ("candidate", Outcome::Candidate),
        ],
        FamilyKind::Overlap => &[
            ("exposed", Outcome::Exposed),
            ("hidden", Outcome::Hidden),
            ("no_partner", Outcome::NoPartner),
            ("none", Outcome::None),
        ],
    }
}
