//! A report that is read back from its JSON is the report it was written from, in every format.

use std::path::Path;

use llm_prof::report::{html, json, markdown, text};
use llm_prof::rules::{RuleSet, Sources, load_settings};

use super::{run, traces};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn settings() -> RuleSet {
    load_settings(&Sources::dirs(Some(&root().join("rules")), &[])).expect("the settings of this repository")
}

/// Reads the report of a trace back; false for a file that has none.
fn read_back(path: &Path, more: &[&str], rules: &RuleSet) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let files =
        ["x.json", "x.txt", "x.md", "x.html"].map(|name| folder.path().join(name).to_string_lossy().into_owned());
    let name = path.to_str().expect("UTF-8");
    let outputs: Vec<&str> = files.iter().flat_map(|file| ["--output", file]).collect();
    run(&[&["triage", "--quiet", "--isolated", "--timeline", name], more, &outputs].concat());
    let [written, as_text, as_markdown, as_html] = files.map(|file| std::fs::read_to_string(file).unwrap_or_default());
    if written.is_empty() {
        return false;
    }
    let report = json::read(&written, rules).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(json::render(&report), written, "JSON of {name}");
    assert_eq!(text::render(&report, text::Style::default()), as_text, "text of {name}");
    assert_eq!(markdown::render(&report), as_markdown, "markdown of {name}");
    assert_eq!(html::render(&report), as_html, "HTML of {name}");
    true
}

#[test]
fn a_report_read_back_gives_every_format_to_the_byte() {
    let rules = settings();
    let read = traces::all().iter().filter(|path| read_back(path, &[], &rules)).count();
    assert!(read > 20, "only {read} traces gave a report");
}

#[test]
fn so_does_one_of_several_ranks() {
    assert!(read_back(&root().join("tests/fixtures/sglang-nvidia-tp4"), &["--rank", "all"], &settings()));
}

#[test]
fn what_is_no_report_is_refused_with_the_reason() {
    let rules = settings();
    let refused = |text: &str| json::read(text, &rules).map(drop).expect_err("no report").to_string();
    assert_eq!(refused("{"), "line 1, column 1: EOF while parsing an object");
    assert!(refused("{\"traceEvents\": []}").starts_with("not a report: expected \"schema\": \"llm-prof.triage/1\""));
    assert!(refused("{\"schema\": \"llm-prof.doctor/1\"}").starts_with("not a report"));
    assert!(refused("{\"schema\": \"llm-prof.triage/2\"}").starts_with("\"schema\" is \"llm-prof.triage/2\""));
    assert_eq!(refused("{\"schema\":\n \"llm-prof.triage/1\"}"), "line 2, column 21: missing field `tool`");
}
