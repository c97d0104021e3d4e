//! Healthy and foreign runs: no family may find work in them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

#[path = "../common/mod.rs"]
mod common;

/// Fixtures of `tests/fixtures/silence` whose name starts so, and graph captures.
fn runs(prefix: &str) -> Vec<PathBuf> {
    let folder = common::fixture("silence");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the fixtures are there")
        .map(|entry| entry.expect("the fixtures are readable").path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no fixture starts with {prefix}");
    found
}

fn rows(path: &std::path::Path) -> Vec<String> {
    let done = common::triage(path);
    assert_eq!(done.code, 0, "{}: {}", path.display(), done.err);
    let report = done.report();
    let rows = report["fuse"].as_array().expect("a report has a fuse table");
    rows.iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
            format!("{} {} {}", text("stage"), text("state"), text("family"))
        })
        .collect()
}

/// Training, diffusion, another accelerator: whatever looks like a norm or an activation is none of ours.
#[test]
fn foreign_runs_have_no_fuse_row() {
    for path in runs("foreign-") {
        assert_eq!(rows(&path), [""; 0], "{}", path.display());
    }
}

/// A capture runs no forward pass: there is nothing to find in it by itself.
#[test]
fn graph_captures_have_no_fuse_row() {
    for name in ["sglang-amd-decode-graph-capture.trace.json.gz", "tokenspeed-nvidia-mla/graph_capture_profile"] {
        let path = common::fixture(name);
        assert_eq!(rows(&path), [""; 0], "{}", path.display());
    }
}

/// Servers that fuse what can be fused are told what is in use, and nothing else.
#[test]
fn healthy_servers_have_rows_in_use_only() {
    for path in runs("healthy-") {
        let wrong: Vec<String> = rows(&path).into_iter().filter(|row| !row.contains(" in-use ")).collect();
        assert_eq!(wrong, [""; 0], "{}", path.display());
    }
}

/// One kernel is the fused form of one family: that of its own library, on its own hardware.
#[test]
fn a_fused_kernel_is_in_use_once() {
    for path in runs("healthy-") {
        let report = common::triage(&path).report();
        let mut owners = BTreeMap::new();
        for row in report["fuse"].as_array().into_iter().flatten().filter(|row| row["covered_by"].is_null()) {
            for kernel in row["kernels"].as_array().into_iter().flatten() {
                let families: &mut Vec<&Value> = owners.entry(kernel["name"].to_string()).or_default();
                families.push(&row["family"]);
            }
        }
        for (kernel, families) in owners {
            assert_eq!(families.len(), 1, "{}: {kernel} is said to be the fused form of {families:?}", path.display());
        }
    }
}

/// Without a server's name a trace is nobody's: the framework is unknown, not the first of the list.
#[test]
fn foreign_runs_are_of_no_known_server() {
    for path in runs("foreign-") {
        let report = common::triage(&path).report();
        let framework = report["framework"].as_str().unwrap_or_default();
        assert!(
            !["sglang", "vllm", "trtllm", "tokenspeed"].contains(&framework),
            "{} is said to be {framework}",
            path.display()
        );
    }
}

/// Nothing in a healthy or a foreign run is near a family that no row speaks of, nor is there a cluster to look into.
#[test]
fn healthy_and_foreign_runs_have_no_note() {
    for path in [runs("healthy-"), runs("foreign-")].concat() {
        let report = common::triage(&path).report();
        assert_eq!(
            (&report["note"], &report["new_candidates"]),
            (&Value::Null, &serde_json::json!([])),
            "{}",
            path.display()
        );
    }
}

/// A trace without GPU events is read, and the empty table says why.
#[test]
fn no_gpu_event_is_an_answer() {
    let done = common::triage(&common::fixture("silence/foreign-accelerator.trace.json.gz"));
    let report = done.report();
    assert_eq!((done.code, &report["kernels"]), (0, &Value::Array(Vec::new())));
    assert!(report["fitness"].as_array().is_some_and(|list| !list.is_empty()), "{}", report["fitness"]);
}
