//! The shipped rules, and layers of folders.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

const FAMILY: &str = "version: 1
id: any/x
title: X
kind: fuse
origin: mainline
split: kind(kernel) ~> kind(kernel)
rationale: X.
tests:
  - { name: both, chain: [a, b], expect: split }
  - { name: one, chain: [{ kernel: a, op: [x, y], start_us: 1.5, dims: [[1, 2]], waits_for: 0 }], expect: none, given: { tp: 8 } }
";

/// A folder of its own for one test, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("llm-prof-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn loaded(sources: &Sources) -> RuleSet {
    load(sources).unwrap_or_else(|e| panic!("{}", diagnostic::render(&e, false)))
}

#[test]
fn the_rules_in_the_binary_load() {
    let rules = loaded(&Sources::embedded());
    assert!(rules.terms.len() > 20 && rules.categories.len() > 5 && rules.transparent.len() > 2);
    assert_eq!(rules.digest.len(), 16);
    assert!(is_version(&rules.version));
}

#[test]
fn settings_alone_are_those_of_the_whole() {
    let whole = loaded(&Sources::embedded());
    let settings = load_settings(&Sources::embedded()).unwrap();
    assert_eq!(format!("{:?}", settings.trace), format!("{:?}", whole.trace));
    assert_eq!(format!("{:?}", settings.attribution), format!("{:?}", whole.attribution));
    assert_eq!(format!("{:?}", settings.inputs), format!("{:?}", whole.inputs));
    assert!(settings.families.is_empty() && settings.terms.is_empty());
}

#[test]
fn without_tests_the_rules_are_the_same() {
    let mut whole = loaded(&Sources::embedded());
    let read = |rules: Result<RuleSet, Vec<Diagnostic>>| {
        let mut rules = rules.unwrap_or_else(|e| panic!("{}", diagnostic::render(&e, false)));
        rules.cut.tests.clear();
        rules.fleet.tests.clear();
        rules
    };
    let untested = read(load_untested(&Sources::embedded()));
    let settings = read(load_settings(&Sources::embedded()));
    let beside = read(load_rest(&Sources::embedded(), settings));
    assert!(untested.families.iter().all(|family| family.tests.is_empty()));
    whole.families.iter_mut().for_each(|family| family.tests.clear());
    whole.cut.tests.clear();
    whole.fleet.tests.clear();
    // What rules say of themselves, with places in their files, is for those who mend them. Lists on one line stay.
    let rest = |rules: RuleSet| RuleSet {
        claims: Vec::new(),
        case_places: BTreeMap::new(),
        term_cases: Vec::new(),
        kernels: KnownKernels::default(),
        warnings: Vec::new(),
        ..rules
    };
    let text = |rules| format!("{:#?}", rest(rules));
    assert!(text(untested) == text(whole.clone()), "without the tests");
    assert!(text(beside) == text(whole), "settings first");
}

/// `--rules rules/` of a checkout is what the binary has.
#[test]
fn a_folder_of_the_same_files_has_the_same_digest() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let from_folder = loaded(&Sources::dirs(Some(&here.join("rules")), &[]));
    assert_eq!(from_folder.digest, loaded(&Sources::embedded()).digest);
}

#[test]
fn an_added_catalog_overrides_by_id_and_says_so() {
    let (one, two) = (Folder::new("one"), Folder::new("two"));
    one.write("fuse/any/x.yaml", FAMILY);
    two.write("fuse/any/x.yaml", &FAMILY.replace("title: X", "title: Y"));
    let base = loaded(&Sources::embedded()).families.len();
    let rules = loaded(&Sources::dirs(None, &[one.0.clone(), two.0.clone()]));
    assert_eq!(rules.families.len(), base + 1);
    let family = rules.families.iter().find(|f| f.id == "any/x").unwrap();
    assert_eq!(family.title, "Y");
    assert_eq!(rules.overrides.len(), 1);
    assert!(
        rules.overrides[0].by.ends_with("fuse/any/x.yaml") && rules.overrides[0].by != rules.overrides[0].instead_of
    );
    let launch = &family.tests[1].chain[0];
    assert_eq!(
        (launch.start_ns, launch.dims.as_deref(), launch.waits_for.as_slice()),
        (Some(1500), Some("[[1,2]]"), &[0][..])
    );
    assert_eq!((family.tests[1].given[0].1.as_str(), family.tests[1].line), ("8", 10));
}

#[test]
fn a_rules_folder_lacking_files_and_folders_that_are_not_there_are_errors() {
    let folder = Folder::new("lacking");
    folder.write("rules/terms.yaml", "version: 1\nterms: []\n");
    folder.write("catalogs/fuse/any/x.yaml", FAMILY);
    let titles = |sources: &Sources| -> Vec<String> {
        load(sources).expect_err("mistakes").into_iter().map(|d| format!("{} {}", d.code.id(), d.title)).collect()
    };
    assert!(
        titles(&Sources::dirs(Some(&folder.0.join("rules")), &[]))
            .contains(&"E008 there is no rules/graph.yaml".to_owned())
    );
    let lost = titles(&Sources::dirs(None, &[folder.0.join("nowhere")]));
    assert!(
        lost[0].starts_with("E001 cannot read") && lost[0].ends_with("there is no such file or folder"),
        "{lost:?}"
    );
    folder.write("catalogs/fuse/any/latin.yaml", "");
    fs::write(folder.0.join("catalogs/fuse/any/latin.yaml"), [0xe9]).unwrap();
    let latin = titles(&Sources::dirs(None, &[folder.0.join("catalogs")]));
    assert!(latin[0].ends_with("it is no UTF-8 text"), "{latin:?}");
}

/// Catalogs in the neighbour of a rules folder come with it.
#[test]
fn the_neighbour_of_a_rules_folder_replaces_the_catalogs() {
    let folder = Folder::new("neighbour");
    for (path, file) in Sources::embedded().files().filter(|(path, _)| path.starts_with(RULES)) {
        folder.write(path, &file.text);
    }
    let without = loaded(&Sources::dirs(Some(&folder.0.join("rules")), &[]));
    assert_eq!(without.families.len(), loaded(&Sources::embedded()).families.len());
    folder.write("catalogs/fuse/any/x.yaml", FAMILY);
    let ids: Vec<String> =
        loaded(&Sources::dirs(Some(&folder.0.join("rules/")), &[])).families.into_iter().map(|f| f.id).collect();
    assert_eq!(ids, ["any/x"]);
}

/// What nothing reads is told, and terms come after those they use.
#[test]
fn terms_are_in_order_of_use() {
    let rules = loaded(&Sources::embedded());
    let mut seen = std::collections::BTreeSet::new();
    for term in &rules.terms {
        each_used(&term.expr, &mut |name| assert!(seen.contains(name), "{} before {name}", term.name));
        seen.insert(term.name.clone());
    }
}

fn each_used(expr: &super::super::ast::Expr, found: &mut impl FnMut(&str)) {
    use super::super::ast::ExprNode;
    match &expr.node {
        ExprNode::Atom(_) => {}
        ExprNode::Term(name) => found(name),
        ExprNode::Not(inner) => each_used(inner, found),
        ExprNode::And(parts) | ExprNode::Or(parts) => parts.iter().for_each(|p| each_used(p, found)),
    }
}
