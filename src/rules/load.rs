//! Files in, a [`RuleSet`] or every mistake in them out. Each file is read once; one mistake never hides another file's.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_yaml::Spanned;

use super::ast::Expr;
use super::claims;
use super::family::{self, BrokenFamily, LoadedFamily};
use super::parse::{SyntaxError, parse_expr};
use super::place::{Place, span_of};
use super::resolve;
use super::schema::attribution::AttributionFile;
use super::schema::cut::CutFile;
use super::schema::fleet::FleetFile;
use super::schema::frameworks::FrameworksFile;
use super::schema::hardware::HardwareFile;
use super::schema::kernels::KernelsFile;
use super::schema::launch::LaunchEntry;
use super::schema::mapping::MappingFile;
use super::schema::names::Names;
use super::schema::overlap::OverlapFile;
use super::schema::shared::{CategoriesFile, ChainLimits, GraphFile, TermsFile};
use super::schema::similarity::SimilarityFile;
use super::schema::sites::SitesFile;
use super::schema::stages::StagesFile;
use super::schema::trace::TraceFile;
use super::shape::Node;
use super::source::{CATALOGS, Entry, RULES, Sources, VERSION};
use super::yaml;
use super::{
    Alias, Category, Claim, KnownKernels, Mapping, Override, RuleSet, Subject, Term, TermCase, TransparentRole,
};
use crate::diagnostic::{self, Code, Diagnostic, Severity, SourceFile, near};

/// Reads, resolves and checks all files. Warnings alone are no failure; they are in [`RuleSet::warnings`].
pub fn load(sources: &Sources) -> Result<RuleSet, Vec<Diagnostic>> {
    let rules = RuleSet { digest: digest(sources), ..RuleSet::default() };
    read(sources, rules, true)
}

/// The same without what only `rules test` and `catalog check` ask for: tests of terms and families, claims about
/// releases. Mistakes in them are not found.
pub fn load_untested(sources: &Sources) -> Result<RuleSet, Vec<Diagnostic>> {
    let rules = RuleSet { digest: digest(sources), ..RuleSet::default() };
    read(&sources.without_tests(), rules, !sources.own_rules)
}

/// The same, once `settings` were loaded from the same sources.
pub fn load_rest(sources: &Sources, settings: RuleSet) -> Result<RuleSet, Vec<Diagnostic>> {
    let untested = sources.without_tests();
    Loader::new(&untested).rest(RuleSet { digest: digest(sources), ..settings })
}

/// The settings of the rooms alone: all that is needed to read traces. No terms, no families.
pub fn load_settings(sources: &Sources) -> Result<RuleSet, Vec<Diagnostic>> {
    let mut loader = Loader::new(sources);
    let mut rules = RuleSet::default();
    loader.rooms(&mut rules, !sources.own_rules);
    if loader.found.is_empty() { Ok(rules) } else { Err(loader.found) }
}

fn read(sources: &Sources, mut rules: RuleSet, check: bool) -> Result<RuleSet, Vec<Diagnostic>> {
    let mut loader = Loader::new(sources);
    loader.rooms(&mut rules, check);
    loader.rest(rules)
}

/// A predicate with its place.
pub(super) struct Predicate<T> {
    pub(super) item: T,
    pub(super) name: Place,
    pub(super) is: Place,
}

/// What `terms.yaml`, `categories.yaml` and `graph.yaml` say.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) terms: Vec<Predicate<Term>>,
    /// Terms whose text could not be read: known words all the same.
    pub(super) broken_terms: Vec<String>,
    /// True when no term is known at all: their file is what must be mended first.
    pub(super) no_terms: bool,
    pub(super) categories: Vec<Predicate<Category>>,
    pub(super) roles: Vec<Predicate<TransparentRole>>,
    pub(super) chains: ChainLimits,
    pub(super) cases: Vec<TermCase>,
}

struct Loader<'a> {
    sources: &'a Sources,
    rules: BTreeMap<&'a str, &'a Entry>,
    used: Vec<&'static str>,
    /// Values of files that are YAML and not of the right shape.
    broken: BTreeMap<&'static str, (Arc<SourceFile>, Box<Spanned<Node>>)>,
    found: Vec<Diagnostic>,
}

impl<'a> Loader<'a> {
    fn new(sources: &'a Sources) -> Self {
        let rules = sources.entries.iter().filter_map(|e| Some((e.logical.strip_prefix(RULES)?, e))).collect();
        Self { sources, rules, used: Vec::new(), broken: BTreeMap::new(), found: sources.problems.clone() }
    }

    /// All but the settings of the rooms, which are in `rules`.
    fn rest(mut self, mut rules: RuleSet) -> Result<RuleSet, Vec<Diagnostic>> {
        rules.mapping = self.mapping();
        let shared = self.shared();
        let (families, broken) = self.families(&mut rules);
        rules.version = self.version();
        if !self.sources.untested {
            let kernels = self.kernels(&mut rules.kernels);
            self.unused_files();
            rules.claims = claims::all(&shared, &families);
            rules.claims.extend(kernels);
        }
        let mut found = self.found;
        resolve::resolve(shared, families, &broken, &mut rules, &mut found);
        diagnostic::sort(&mut found);
        found.dedup();
        let (errors, warnings): (Vec<_>, Vec<_>) = found.into_iter().partition(|d| d.severity() == Severity::Error);
        if errors.is_empty() {
            rules.warnings = warnings;
            Ok(rules)
        } else {
            Err(errors)
        }
    }

    fn file<T: DeserializeOwned + JsonSchema>(&mut self, name: &'static str) -> Option<(Arc<SourceFile>, T)> {
        self.used.push(name);
        let Some(entry) = self.rules.get(name) else {
            self.found
                .push(Diagnostic::new(Code::MissingFile, format!("there is no {RULES}{name}")).help(
                    "a folder given with --rules replaces all rules: copy the file from the tool's own `rules/`",
                ));
            return None;
        };
        let file = Arc::clone(&entry.file);
        match yaml::read(&file) {
            Ok(read) => Some((file, read)),
            Err(broken) => {
                self.broken.extend(broken.tree.map(|tree| (name, (file, tree))));
                self.found.extend(broken.found);
                None
            }
        }
    }

    /// The predicates of a file whose shape is broken, and names that have none: what other files make of them is
    /// checked all the same.
    fn salvaged<T>(
        &mut self,
        name: &str,
        list: &str,
        key: &str,
        make: impl Fn(String, Expr) -> T,
    ) -> (Vec<Predicate<T>>, Vec<String>) {
        let (mut predicates, mut names) = (Vec::new(), Vec::new());
        let Some((file, tree)) = self.broken.remove(name) else { return (predicates, names) };
        for entry in tree.value.under(list).flat_map(|list| list.value.items()) {
            let Some(name) = entry.value.text(key) else { continue };
            match entry.value.text("is").and_then(|is| self.predicate(&file, &name, &is)) {
                Some((expr, name_at, is)) => {
                    predicates.push(Predicate { item: make(name.value, expr), name: name_at, is });
                }
                None => names.push(name.value),
            }
        }
        (predicates, names)
    }

    /// The files that are settings of a room. A new file: its struct in `schema/`, its line here.
    ///
    /// `check`: expressions of `cut.yaml` and `fleet.yaml`, too, which takes as long as all the rest.
    fn rooms(&mut self, rules: &mut RuleSet, check: bool) {
        self.room("trace.yaml", |file: TraceFile| file.settings().map(|s| rules.trace = s));
        self.room("names.yaml", |file: Names| {
            rules.names = file.into();
            Ok(())
        });
        let attribution = &mut rules.attribution;
        self.room("attribution.yaml", |file: AttributionFile| {
            file.fill(attribution);
            Ok(())
        });
        let order = &mut rules.framework_order;
        self.room("frameworks.yaml", |file: FrameworksFile| {
            order.clone_from(&file.order);
            file.fill(attribution);
            Ok(())
        });
        self.room("hardware.yaml", |file: HardwareFile| {
            file.fill(attribution);
            Ok(())
        });
        self.room("sites.yaml", |file: SitesFile| file.fill(attribution));
        self.room("stages.yaml", |file: StagesFile| file.fill(attribution));
        self.room("inputs.yaml", |file| {
            rules.inputs = file;
            Ok(())
        });
        self.room("fitness.yaml", |file| {
            rules.fitness = file;
            Ok(())
        });
        self.room("server-log.yaml", |file| {
            rules.server_log = file;
            Ok(())
        });
        self.room("overlap.yaml", |file: OverlapFile| {
            let checked = file.check();
            rules.overlap = file;
            checked
        });
        self.room("cut.yaml", |file: CutFile| {
            let checked = if check { file.check() } else { Ok(()) };
            rules.cut = file;
            checked
        });
        self.room("fleet.yaml", |file: FleetFile| {
            let checked = if check { file.check() } else { Ok(()) };
            rules.fleet = file;
            checked
        });
        self.room("similarity.yaml", |file: SimilarityFile| {
            let checked = file.check();
            rules.similarity = file;
            checked
        });
        self.room("releases.yaml", |file| {
            rules.releases = file;
            Ok(())
        });
        self.room("report.yaml", |file| {
            rules.report = file;
            Ok(())
        });
        self.room("compare.yaml", |file| {
            rules.compare = file;
            Ok(())
        });
    }

    /// One file that is settings of a room; what the room refuses is a mistake in the file.
    fn room<F: DeserializeOwned + JsonSchema>(
        &mut self,
        name: &'static str,
        take: impl FnOnce(F) -> Result<(), String>,
    ) {
        let Some((file, read)) = self.file::<F>(name) else { return };
        if let Err(reason) = take(read) {
            self.found.push(Diagnostic::new(Code::BadSetting, reason).at(&file, 0..0, ""));
        }
    }

    /// What is known of kernel names; those of packages as claims.
    fn kernels(&mut self, known: &mut KnownKernels) -> Vec<Claim> {
        let Some((file, read)) = self.file::<KernelsFile>("kernels.yaml") else { return Vec::new() };
        known.libraries = read.libraries.into_iter().flat_map(|library| library.names).collect();
        known.unconfirmed = read.unconfirmed.into_iter().map(|kernel| kernel.name).collect();
        claims::of_packages(&file, &read.packages)
    }

    fn mapping(&mut self) -> Mapping {
        let Some((file, read)) = self.file::<MappingFile>("mapping.yaml") else { return Mapping::default() };
        let mut aliases = Vec::new();
        for entry in read.aliases {
            let formal = self.predicate(&file, &entry.alias, &entry.formal);
            let mapping = self.predicate(&file, &entry.alias, &entry.mapping);
            if let (Some((formal, ..)), Some((mapping, ..))) = (formal, mapping) {
                aliases.push(Alias { name: entry.alias.value, formal, mapping });
            }
        }
        let MappingFile { alike, reach, max_gap, max_pairs, .. } = read;
        Mapping { alike, reach, max_gap, max_pairs, aliases }
    }

    fn shared(&mut self) -> Shared {
        let mut out = Shared::default();
        if let Some((file, terms)) = self.file::<TermsFile>("terms.yaml") {
            self.format(&file, &terms.version);
            for entry in terms.terms {
                self.word(&file, &entry.term);
                out.cases.extend(cases(&file, Subject::Term, &entry.term.value, entry.hit, entry.miss));
                let (name, about) = (entry.term.value.clone(), entry.about);
                match self.predicate(&file, &entry.term, &entry.is) {
                    Some((expr, name_at, is)) => {
                        out.terms.push(Predicate { item: Term { name, about, expr }, name: name_at, is });
                    }
                    None => out.broken_terms.push(name),
                }
            }
        }
        let term = |name, expr| Term { name, about: String::new(), expr };
        let (terms, broken) = self.salvaged("terms.yaml", "terms", "term", term);
        out.terms.extend(terms);
        out.broken_terms.extend(broken);
        out.no_terms = out.terms.is_empty() && out.broken_terms.is_empty();
        if let Some((file, categories)) = self.file::<CategoriesFile>("categories.yaml") {
            self.format(&file, &categories.version);
            for entry in categories.categories {
                out.cases.extend(cases(&file, Subject::Category, &entry.category.value, entry.hit, entry.miss));
                if let Some((expr, name, is)) = self.predicate(&file, &entry.category, &entry.is) {
                    let item = Category { name: entry.category.value, expr, compute: entry.compute };
                    out.categories.push(Predicate { item, name, is });
                }
            }
        }
        let category = |name, expr| Category { name, expr, compute: true };
        out.categories.extend(self.salvaged("categories.yaml", "categories", "category", category).0);
        if let Some((file, graph)) = self.file::<GraphFile>("graph.yaml") {
            self.format(&file, &graph.version);
            out.chains = graph.chains;
            for entry in graph.transparent {
                out.cases.extend(cases(&file, Subject::Role, &entry.role.value, entry.hit, entry.miss));
                if let Some((expr, name, is)) = self.predicate(&file, &entry.role, &entry.is) {
                    out.roles.push(Predicate { item: TransparentRole { name: entry.role.value, expr }, name, is });
                }
            }
        }
        out
    }

    fn predicate(
        &mut self,
        file: &Arc<SourceFile>,
        name: &Spanned<String>,
        is: &Spanned<String>,
    ) -> Option<(Expr, Place, Place)> {
        let (name, is_place) = (Place::of(file, name), Place::of(file, is));
        match parse_expr(&is.value) {
            Ok(expr) => Some((expr, name, is_place)),
            Err(error) => {
                self.found.push(syntax(&is_place, error));
                None
            }
        }
    }

    fn format(&mut self, file: &Arc<SourceFile>, version: &Spanned<u32>) {
        self.found.extend(bad_format(file, version));
    }

    /// A term is a word that the match language can read.
    fn word(&mut self, file: &Arc<SourceFile>, term: &Spanned<String>) {
        let is_term =
            matches!(parse_expr(&term.value).map(|e| e.node), Ok(super::ast::ExprNode::Term(t)) if t == term.value);
        if !is_term {
            self.found.push(
                Diagnostic::new(Code::BadSetting, format!("`{}` cannot be a term", term.value))
                    .at(file, span_of(file, term), "not a word of the match language")
                    .help("a term is one word of letters, digits and `_`, other than `and`, `or`, `not`"),
            );
        }
    }

    /// Families in id order; of one id the last layer counts.
    fn families(&mut self, rules: &mut RuleSet) -> (Vec<LoadedFamily>, Vec<BrokenFamily>) {
        let sources = self.sources;
        let of_families = |e: &&Entry| e.logical.starts_with(CATALOGS) && e.logical != VERSION;
        let entries: Vec<&Entry> = sources.entries.iter().filter(of_families).collect();
        let loaded: Vec<(Result<LoadedFamily, BrokenFamily>, Vec<Diagnostic>)> = entries
            .par_iter()
            .map(|entry| match yaml::read(&entry.file) {
                Ok(file) => family::family(entry, file, !sources.untested),
                Err(broken) => family::broken(entry, broken),
            })
            .collect();
        let mut by_id: BTreeMap<String, LoadedFamily> = BTreeMap::new();
        let mut broken = Vec::new();
        for (family, found) in loaded {
            self.found.extend(found);
            let family = match family {
                Ok(family) => family,
                Err(family) => {
                    broken.push(family);
                    continue;
                }
            };
            let id = family.family.id.clone();
            match by_id.get(&id) {
                Some(other) if other.layer == family.layer => self.found.push(
                    Diagnostic::new(Code::DuplicateId, format!("`{id}` is the id of two families"))
                        .at(&family.id.file, family.id.span.clone(), "the second one")
                        .at(&other.id.file, other.id.span.clone(), "the first one"),
                ),
                Some(other) => {
                    let (by, instead_of) = (family.family.file.clone(), other.family.file.clone());
                    rules.overrides.push(Override { id: id.clone(), by, instead_of });
                    by_id.insert(id, family);
                }
                None => drop(by_id.insert(id, family)),
            }
        }
        rules.overrides.sort_by(|a, b| (&a.id, &a.by).cmp(&(&b.id, &b.by)));
        (by_id.into_values().collect(), broken)
    }

    fn version(&mut self) -> String {
        let Some(entry) = self.sources.entries.iter().find(|e| e.logical == VERSION) else {
            return "unknown".to_owned();
        };
        let version = entry.file.text.trim();
        if !is_version(version) {
            self.found.push(Diagnostic::new(Code::BadVersion, "this is no version of a catalog").at(
                &entry.file,
                0..entry.file.text.len(),
                "expected one line such as 2026.11.0",
            ));
        }
        version.to_owned()
    }

    fn unused_files(&mut self) {
        for (name, entry) in &self.rules {
            if !self.used.contains(name) {
                let warning = Diagnostic::new(Code::UnusedFile, format!("nothing reads {}", entry.file.path));
                self.found.push(match near(name, self.used.iter().copied()) {
                    Some(other) => warning.help(format!("did you mean `{other}`?")),
                    None => warning,
                });
            }
        }
    }
}

/// A mistake in a text of the match language.
pub(super) fn syntax(place: &Place, error: SyntaxError) -> Diagnostic {
    let mut diagnostic = place.diagnostic(Code::Syntax, error.message, &error.span, "");
    if let Some(opened) = &error.opened {
        diagnostic = diagnostic.at(&place.file, place.span_in(opened), "never closed");
    }
    match error.help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// The format's version must be 1.
pub(super) fn bad_format(file: &Arc<SourceFile>, version: &Spanned<u32>) -> Option<Diagnostic> {
    (version.value != 1).then(|| {
        Diagnostic::new(Code::BadVersion, format!("format version {} is not known", version.value))
            .at(file, span_of(file, version), "expected 1")
            .help("this tool may be older than the file")
    })
}

/// `0.5.9`, `0.11.0rc1`, `2026.11.0`: a digit first, then digits, letters, `.`, `+`, `-`.
pub(super) fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-'))
}

fn cases(
    file: &Arc<SourceFile>,
    subject: Subject,
    name: &str,
    hit: Vec<Spanned<LaunchEntry>>,
    miss: Vec<Spanned<LaunchEntry>>,
) -> Vec<TermCase> {
    let case = |hit: bool| {
        move |launch: Spanned<LaunchEntry>| TermCase {
            subject,
            name: name.to_owned(),
            file: file.path.clone(),
            line: launch.defined.line() as u32,
            place: Some((Arc::clone(file), span_of(file, &launch))),
            launch: launch.value.0,
            hit,
        }
    };
    hit.into_iter().map(case(true)).chain(miss.into_iter().map(case(false))).collect()
}

/// blake3 over logical paths and texts in order, 16 hex digits.
fn digest(sources: &Sources) -> String {
    let mut hasher = blake3::Hasher::new();
    for entry in &sources.entries {
        for part in [entry.logical.as_bytes(), entry.file.text.as_bytes()] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests;
