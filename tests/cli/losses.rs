//! Nothing is lost in silence: what is skipped, repaired, unmatched or undecided is counted, in JSON and under `-v`.

use std::io::Read as _;

use flate2::read::GzDecoder;
use serde_json::Value;

use super::run;

/// Runs of two kernels of our own, in a family that asks for a switch which nothing in the trace tells.
const FAMILY: &str = "version: 1
id: any/two-steps
title: Two steps
kind: fuse
origin: mainline
when: { needs: { no_such_switch: true } }
split: name(\"step_one\") ~> name(\"step_two\")
rationale: One kernel does both.
tests:
  - { name: hit, chain: [step_one, step_two], expect: split }
  - { name: miss, chain: [step_two, step_one], expect: none }
";

/// Of each kind of loss one.
const EVENTS: &str = r#"{"ph": "X", "cat": "kernel", "name": "bad", "pid": 0, "tid": 7, "ts": "soon", "dur": 1},
    {"ph": "X", "cat": "weather", "name": "rain", "pid": 0, "tid": 7, "ts": 3000000000000.0, "dur": 1},
    {"ph": "X", "cat": "kernel", "name": "step_one", "pid": 0, "tid": 7, "ts": 3000000000900.0, "dur": 9},
    {"ph": "X", "cat": "kernel", "name": "step_two\q", "pid": 0, "tid": 7, "ts": 3000000000910.0, "dur": 9},"#;

fn losses(events: &str) -> (Value, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let (trace, catalog) = (folder.path().join("x.trace.json"), folder.path().join("mine"));
    let packed = std::fs::File::open("tests/fixtures/layouts/one-line.trace.json.gz").expect("a fixture");
    let mut json = String::new();
    GzDecoder::new(packed).read_to_string(&mut json).expect("text");
    let list = "\"traceEvents\": [";
    std::fs::write(&trace, json.replacen(list, &format!("{list}{events}"), 1)).expect("room");
    std::fs::create_dir_all(catalog.join("fuse/any")).expect("room");
    std::fs::write(catalog.join("fuse/any/two-steps.yaml"), FAMILY).expect("room");
    let (trace, catalog) = (trace.to_string_lossy(), catalog.to_string_lossy());
    let done = run(&["triage", &trace, "--catalogs", &catalog, "--format", "json", "-v"]);
    assert_eq!(done.code, 0, "{}", done.err);
    (done.report()["losses"].clone(), done.err)
}

#[test]
fn one_of_each_loss_is_counted_in_json_and_said_under_v() {
    let (none, _) = losses("");
    let (some, said) = losses(EVENTS);
    let counts =
        |losses: &Value| ["repaired_texts", "without_launch"].map(|key| losses[key].as_u64().expect("a number"));
    assert_eq!(counts(&none), [0, 0]);
    assert_eq!(none["broken_events"], serde_json::json!([]));
    assert_eq!(none["undecided_gates"], serde_json::json!([]));

    assert_eq!(counts(&some), [1, 2]);
    assert_eq!(some["unknown_categories"], serde_json::json!({ "weather": 1 }));
    let [broken] = some["broken_events"].as_array().expect("a list").as_slice() else { panic!("one: {some}") };
    assert_eq!(
        (&broken["reason"], &broken["count"], &broken["first"]),
        (&"ts is no number".into(), &1.into(), &0.into())
    );
    let [gate] = some["undecided_gates"].as_array().expect("a list").as_slice() else { panic!("one: {some}") };
    assert_eq!(gate["family"], "any/two-steps");
    assert!(gate["wants"].as_str().is_some_and(|wants| wants.contains("no_such_switch")), "{gate}");

    for line in [
        "1 broken event skipped: ts is no number, first traceEvents[0]",
        "1 event of unknown category weather passed over",
        "1 distinct text repaired",
        "2 GPU events without the call that launched them",
        "undecided for any/two-steps",
    ] {
        assert!(said.contains(line), "-v does not say `{line}`:\n{said}");
    }
}

/// What is known and not needed is a figure, too: all events of a file are kept, or counted by what they are.
#[test]
fn what_is_not_needed_is_counted_by_category() {
    let flow = r#"{"ph": "s", "cat": "ac2g", "name": "ac2g", "id": 1, "pid": 0, "tid": 7, "ts": 3000000000000.0},"#;
    let count = |losses: &Value| losses["not_needed"]["ac2g"].as_u64().unwrap_or(0);
    let ((before, _), (after, said)) = (losses(""), losses(&flow.repeat(3)));
    assert_eq!(count(&after), count(&before) + 3);
    assert!(said.contains("known kind"), "{said}");
}
