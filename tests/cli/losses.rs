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

/// A trace of 60000 launches that no step parts and no two stretches of which are alike.
fn restless(path: &std::path::Path) {
    use std::fmt::Write as _;
    let (mut json, mut seed) = ("{\"traceEvents\": [".to_owned(), 1u64);
    for n in 0..60_000u64 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (ts, comma) = (1000 + 10 * n, if n == 0 { "" } else { "," });
        let name = ["step_one", "step_two", "step_three"][(seed >> 33) as usize % 3];
        write!(
            json,
            "{comma}{{\"ph\":\"X\",\"cat\":\"kernel\",\"name\":\"{name}\",\"pid\":0,\"tid\":7,\"ts\":{ts},\"dur\":5,\
             \"args\":{{\"device\":0,\"stream\":7}}}}"
        )
        .expect("a string takes all");
    }
    std::fs::write(path, json + "]}").expect("room");
}

/// As large as a chain may be, at every launch of a stream, and longer at each: without an end it takes minutes and
/// gigabytes here.
const SLOW: &str = "version: 1
id: any/slow
title: Slow
kind: fuse
origin: mainline
split: name(\"step_three\") ~> (((_ | _ | _ | _){1,20}){1,20})+
rationale: None.
tests:
  - { name: hit, chain: [step_three, step_two], expect: split }
  - { name: miss, chain: [step_two], expect: none }
";

#[test]
fn a_chain_that_costs_more_than_it_may_is_given_up_and_said_and_the_others_count() {
    let folder = tempfile::tempdir().expect("a folder");
    let (trace, catalog) = (folder.path().join("x.json"), folder.path().join("mine"));
    restless(&trace);
    std::fs::create_dir_all(catalog.join("fuse/any")).expect("room");
    std::fs::write(
        catalog.join("fuse/any/two-steps.yaml"),
        FAMILY.replace("when: { needs: { no_such_switch: true } }\n", ""),
    )
    .expect("room");
    let (trace, catalog) = (trace.to_string_lossy(), catalog.to_string_lossy().into_owned());
    let triage = |flag: &str| run(&["triage", &trace, "--catalogs", &catalog, "--format", "json", flag]);
    let fast = triage("-v");
    assert_eq!(fast.report()["losses"]["given_up"], serde_json::json!([]));
    std::fs::write(format!("{catalog}/fuse/any/slow.yaml"), SLOW).expect("room");
    let begin = std::time::Instant::now();
    let slow = triage("-v");
    assert!(begin.elapsed() < std::time::Duration::from_mins(2), "{:?}", begin.elapsed());
    assert_eq!((fast.code, slow.code), (0, 0), "{}", slow.err);
    let given_up = serde_json::json!([{ "path": trace, "family": "any/slow", "form": "split" }]);
    assert_eq!(slow.report()["losses"]["given_up"], given_up);
    assert!(slow.err.contains("any/slow has no row, its split chain was given up"), "{}", slow.err);
    assert!(slow.err.contains("rules/graph.yaml"), "what to do is said: {}", slow.err);
    assert_eq!(fast.report()["fuse"], slow.report()["fuse"], "no other family loses an occurrence");
    assert!(!fast.report()["fuse"].as_array().expect("rows").is_empty());
    assert_eq!(triage("--threads=1").out, slow.out, "the same is given up in every run");
    let why = run(&["explain", "any/slow", &trace, "--catalogs", &catalog]);
    assert!(why.out.contains("given up: this chain costs more steps"), "{}", why.out);
}
