//! Every mistake a rule file can hold, and what its author is shown: `tests/diagnostics/<what-is-wrong>.yaml` beside
//! `.txt`. A part of such a file begins with `# file: <path>`; lines count from the top of the whole.
//! `UPDATE_DIAGNOSTICS=1 cargo test --test diagnostics` writes the texts anew.

use std::fs;
use std::path::{Path, PathBuf};

use llm_prof::diagnostic::{self, Code};
use llm_prof::rules::{Sources, load};

/// Shared files that stay as they are, so that near misses do not move with the shipped vocabulary.
const BASE: [(&str, &str); 4] = [
    (
        "rules/terms.yaml",
        "version: 1
terms:
  - { term: gemm, about: matrix multiplications, is: name(gemm) }
  - { term: rms_norm, about: norms, is: name(rms_norm) }
  - { term: rope, about: rotary embeddings, is: 'name(rope, rotary)' }
  - { term: copy, about: copies, is: name(copy) }
",
    ),
    (
        "rules/categories.yaml",
        "version: 1
categories:
  - { category: gemm, is: gemm }
  - { category: norm, is: rms_norm or rope or copy }
",
    ),
    ("rules/graph.yaml", "version: 1\nchains: { least: 4000000, per_launch: 200 }\ntransparent: []\n"),
    (
        "rules/kernels.yaml",
        "version: 1
packages: []
libraries: [{ about: made up, names: [\"*\"] }]
unconfirmed: []
",
    ),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics")
}

/// The parts of a golden file; lines before a part become blank, so that places are those of the file.
fn parts(text: &str) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for (n, line) in text.lines().enumerate() {
        if let Some(path) = line.strip_prefix("# file: ") {
            out.push((path.to_owned(), "\n".repeat(n)));
        }
        let (_, part) = out.last_mut().expect("a golden file begins with `# file: `");
        part.push_str(line);
        part.push('\n');
    }
    out
}

/// What the author of `yaml` is shown.
fn shown(yaml: &str) -> String {
    let shipped = Sources::embedded();
    let given = parts(yaml);
    let is_given = |path: &str| given.iter().any(|(p, _)| p == path);
    let shared = |path: &str| BASE.iter().any(|(p, _)| *p == path);
    let rooms = shipped
        .files()
        .filter(|(path, _)| !path.starts_with("catalogs/") && !shared(path) && !is_given(path))
        .map(|(path, file)| (path, &*file.text));
    let base = BASE.into_iter().filter(|(path, _)| !is_given(path));
    let own = given.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    match load(&Sources::texts(rooms.chain(base).chain(own))) {
        Ok(rules) => {
            let mut warnings = rules.warnings.clone();
            warnings.extend(llm_prof::engine::lint(&rules));
            diagnostic::sort(&mut warnings);
            diagnostic::render(&warnings, false)
        }
        Err(errors) => diagnostic::render(&errors, false),
    }
}

fn pairs() -> Vec<PathBuf> {
    let mut out: Vec<PathBuf> = fs::read_dir(folder())
        .expect("tests/diagnostics")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect();
    out.sort();
    out
}

#[test]
fn every_mistake_is_shown_as_its_golden_text_says() {
    let update = std::env::var_os("UPDATE_DIAGNOSTICS").is_some();
    let mut wrong = Vec::new();
    for path in pairs() {
        let seen = shown(&fs::read_to_string(&path).expect("a golden file"));
        let golden = path.with_extension("txt");
        if update {
            fs::write(&golden, &seen).expect("the golden text is written");
        } else if fs::read_to_string(&golden).unwrap_or_default() != seen {
            wrong.push(format!("{}:\n{seen}", golden.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A code without a golden pair is a message that nobody has read. Those of the file system and of reports have tests of
/// their own.
#[test]
fn every_code_has_a_golden_pair() {
    let texts: String =
        pairs().iter().map(|p| fs::read_to_string(p.with_extension("txt")).unwrap_or_default()).collect();
    let of_files = [Code::Unreadable, Code::MissingFile, Code::TomlSyntax, Code::ForeignReport, Code::BrokenReport];
    let lacking: Vec<&str> = Code::ALL
        .iter()
        .filter(|code| !of_files.contains(code) && !texts.contains(&format!("[{}]", code.id())))
        .map(|code| code.name())
        .collect();
    assert!(lacking.is_empty(), "{lacking:?}");
}
