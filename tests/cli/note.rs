//! The similarity note in each format, and how it was decided.

use std::io::Read;

use super::{PREFILL, run};

/// The prefill trace with its rotary kernel under another name.
fn renamed(to: &str) -> (tempfile::TempDir, String) {
    let mut text = String::new();
    let packed = std::fs::File::open(PREFILL).expect("the fixture is there");
    flate2::read::MultiGzDecoder::new(packed).read_to_string(&mut text).expect("the fixture is text");
    assert!(text.contains("void rotary_embedding_kernel<"));
    let folder = tempfile::tempdir().expect("a folder for one trace");
    let path = folder.path().join("sglang-amd-prefill.trace.json");
    std::fs::write(&path, text.replace("void rotary_embedding_kernel<", &format!("void {to}<")))
        .expect("it is written");
    let path = path.to_str().expect("its path is text").to_owned();
    (folder, path)
}

#[test]
fn every_format_says_it_once() {
    let (_folder, path) = renamed("acme_turn");
    let report = run(&["triage", "-f", "json", &path]).report();
    let note = &report["note"];
    assert_eq!((&note["level"], &note["family"]), (&"high".into(), &"sglang/qk-norm-rope".into()), "{note}");
    assert!(note["cues"].as_array().is_some_and(|cues| cues.len() > 2), "{note}");
    let said = note["text"].as_str().expect("a text");
    let levels = said.split(|c: char| !c.is_alphanumeric()).filter(|word| ["high", "medium", "low"].contains(word));
    assert_eq!(levels.count(), 1, "{said}");
    let markdown = run(&["triage", "-f", "markdown", &path]).out;
    let notes: Vec<&str> = markdown.lines().filter(|line| line.starts_with("Note: ")).collect();
    assert_eq!(notes.len(), 1, "{markdown}");
    let text = run(&["triage", "-f", "text", &path]).out;
    assert_eq!(text.lines().filter(|line| line.starts_with("Note: ")).count(), 1, "{text}");
    assert!(text.find("Note: ") > text.find("FUSE-PATTERN TABLE"), "after the tables: {text}");
}

#[test]
fn a_trace_that_rows_explain_has_none() {
    let report = run(&["triage", "-f", "json", PREFILL]).report();
    assert_eq!((&report["note"], &report["new_candidates"]), (&serde_json::Value::Null, &serde_json::json!([])));
    assert!(!run(&["triage", "-f", "markdown", PREFILL]).out.contains("Note: "));
}

#[test]
fn explain_shows_scores_and_why_the_others_lost() {
    let (_folder, path) = renamed("acme_turn");
    let done = run(&["explain", "note", &path]);
    assert_eq!(done.code, 0, "{}", done.err);
    for part in ["high similarity", "bars: high 70", "chain order", "weight 50: 2 of 3", "<- unknown, for rope"] {
        assert!(done.out.contains(part), "no `{part}` in {}", done.out);
    }
    let done = run(&["explain", "note", PREFILL]);
    assert!(done.out.starts_with("No note: "), "{}", done.out);
    assert!(done.out.contains("none: a row of sglang/qk-norm-rope explains these launches"), "{}", done.out);
    assert_eq!(run(&["explain", "note"]).code, 2, "a note is of a trace");
}
