//! What the rules say of paths, and that no time is counted twice.

use super::*;
use crate::report::json;
use crate::rules::{self, RuleSet, Sources};

fn settings() -> RuleSet {
    rules::load_settings(&Sources::embedded()).expect("the rules")
}

/// A report that has nothing but what is put in.
fn report(change: impl FnOnce(&mut serde_json::Value)) -> crate::report::Report {
    let mut value = serde_json::json!({
        "schema": "llm-prof.triage/1", "tool": { "name": "llm-prof", "version": "0" },
        "rules": { "version": "0", "digest": "0", "families": 0 }, "mode": "single-trace",
        "traces": [{ "path": "x.json", "role": "trace", "stage": null, "rank": 3, "device": "0", "taken": true,
                     "reason": "", "warnings": [] }],
        "fitness": [], "framework": null, "framework_version": null, "model": null, "tp": null, "hardware": null,
        "attribution": { "launches": 0, "by_id": 0, "by_time": 0, "by_position": 0, "by_mapping": 0, "without_op": 0,
                         "without_launch": 0, "capture_launches": 0 },
        "server_args": { "source": null, "fields": {} }, "steps": {},
        "gpu": { "total_us": 0.0, "launches": 0, "devices": [], "same_stream": { "pairs": 0, "us": 0.0 }, "steps": [] },
        "stages": [], "kernels": [], "fuse": [], "overlap": [], "overlap_note": "", "overlap_why": {}, "ranks": null,
        "timelines": null, "hidden_rows": { "kernels": 0, "overlap": 0, "fuse": 0, "min_share_pct": 1.0, "limit": null },
        "note": null, "new_candidates": [], "summary": ""
    });
    change(&mut value);
    json::parse(&value.to_string()).expect("a report")
}

#[test]
fn paths_say_what_the_tests_of_the_rules_say() {
    let rules = settings();
    let origins = Origins::new(&rules).expect("the rules");
    assert!(rules.fleet.tests.len() > 8);
    for test in &rules.fleet.tests {
        let origin = origins.of(&report(|value| value["traces"][0]["path"] = test.path.clone().into()));
        let found = (&origin.key.run, &origin.key.host, &origin.date, &origin.model);
        assert_eq!(found, (&test.run, &test.host, &test.date, &test.model), "{}", test.path);
        assert_eq!(origin.key.server, test.host.clone().unwrap_or_else(|| test.run.clone()));
        assert_eq!((origin.key.trace, origin.key.rank), (test.path.clone(), Some(3)));
    }
}

/// The trace knows best, then the file of its capture, then whoever named its folder; a capture by `localhost` says nothing.
#[test]
fn what_the_trace_says_of_itself_counts_before_what_lies_beside_it_and_before_its_path() {
    let origins = Origins::new(&settings()).expect("the rules");
    let of = |host: Option<&str>, url: Option<&str>| {
        let origin = origins.of(&report(|value| {
            value["traces"][0]["path"] = "node7/2026-11-24/x.json".into();
            value["traces"][0]["host"] = host.into();
            value["traces"][0]["date"] = host.map(|_| "2026-11-01T00:00:00Z").into();
            value["capture"] = serde_json::json!({ "source": "", "host": url, "date": url.map(|_| "2026-11-02T00:00:00Z"),
                "work": "", "seed": null, "bucket": null, "note": null });
        }));
        (origin.key.host.expect("a host"), origin.date.expect("a date"))
    };
    let both = |host: &str, date: &str| (host.to_owned(), date.to_owned());
    assert_eq!(of(Some("a"), Some("b")), both("a", "2026-11-01T00:00:00Z"));
    assert_eq!(of(None, Some("b")), both("b", "2026-11-02T00:00:00Z"));
    assert_eq!(of(None, None), both("node7", "2026-11-24"));
    for own in ["localhost", "127.0.0.1", "::1"] {
        assert_eq!(of(None, Some(own)).0, "node7", "{own}");
    }
}

/// A fuse row as JSON.
fn fuse(family: &str, saves: Option<f64>, covered_by: Option<&str>, overlaps_with: &[&str]) -> serde_json::Value {
    let id = |family: &str| format!("fuse/{family}/decode");
    serde_json::json!({
        "id": id(family), "stage": "decode", "shown": true, "family": family, "title": family, "origin": "mainline",
        "state": if saves.is_some() { "split" } else { "in-use" }, "confidence": "Confirmed", "reasons": [],
        "time_us": 50.0, "transparent_us": 0.0, "could_save_us": saves, "launches_saved": 1, "share_pct": 5.0,
        "occurrences": 1, "per_step": 1.0, "fused": { "n": 0, "us": 0.0 }, "split": { "n": 1, "us": 50.0 },
        "kernels": [], "locations": [], "candidate": [], "action": "", "advice": "", "toggles": [],
        "covered_by": covered_by.map(id), "overlaps_with": overlaps_with.iter().map(|one| id(one)).collect::<Vec<_>>(),
        "rule": { "rationale": "", "status": "stable", "since": null, "until": null, "checked": null,
                  "checked_version": null, "clauses": [], "per": null, "gates": [] },
        "examples": []
    })
}

#[test]
fn of_rows_that_share_launches_the_largest_counts_and_no_other() {
    let origins = Origins::new(&settings()).expect("the rules");
    let mut list = vec![
        fuse("a/small", Some(10.0), None, &["a/large"]),
        // Only one side says so.
        fuse("a/large", Some(30.0), None, &[]),
        fuse("a/inner", Some(40.0), Some("a/large"), &[]),
        fuse("a/apart", Some(5.0), None, &[]),
        fuse("a/fused", None, None, &[]),
        // Shares with one that does not count itself.
        fuse("a/third", Some(7.0), None, &["a/small"]),
    ];
    for _ in 0..2 {
        let rows = rows(&report(|value| value["fuse"] = list.clone().into()), &origins);
        let mut stakes: Vec<(String, Option<f64>)> = (rows.into_iter())
            .filter_map(|row| match row {
                Row::Findings(row) => Some((row.family, row.at_stake_us)),
                _ => None,
            })
            .collect();
        stakes.sort_by(|a, b| a.0.cmp(&b.0));
        let wanted = [
            ("a/apart", Some(5.0)),
            ("a/fused", None),
            ("a/inner", Some(0.0)),
            ("a/large", Some(30.0)),
            ("a/small", Some(0.0)),
            ("a/third", Some(7.0)),
        ];
        assert_eq!(stakes, wanted.map(|(family, us)| (family.to_owned(), us)));
        list.reverse();
    }
}
