//! What is said of a fleet, against what its generator put into it.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Fleet;
use crate::common::llm_prof;
use crate::generate::{SLOW_RANK, SLOW_SERVER};

/// `fleet report` of a result.
fn told(fleet: &Fleet, output: &str, more: &[&str]) -> Value {
    let done = llm_prof(&[&["fleet", "report", "-f", "json", &fleet.path(output)][..], more].concat());
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    serde_json::from_str(&done.out).expect("JSON")
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("{key} is a list"))
}

#[test]
fn the_slow_server_and_the_slow_rank_are_named_and_no_other() {
    let fleet = Fleet::new(150);
    assert_eq!(fleet.take("out", &["-q"]).code, 0);
    let report = told(&fleet, "out", &[]);
    let slow: BTreeSet<(String, Option<i64>)> = (list(&report, "stragglers").iter())
        .map(|one| (one["server"].as_str().unwrap_or_default().to_owned(), one["rank"].as_i64()))
        .collect();
    let node = |server: usize| format!("node{server:03}");
    assert_eq!(slow, [(node(SLOW_SERVER), None), (node(SLOW_RANK), Some(3))].into());
    let whole = &report["fleet"];
    assert_eq!(whole["failed"], fleet.made.damaged.len());
    assert_eq!((&whole["traces"], &whole["servers"]), (&fleet.made.traces.len().into(), &40.into()));
    assert_eq!(whole["hosts"], whole["servers"], "by the trace or by its path");
}

/// Every figure of a family once more, straight from the table.
#[test]
fn families_say_what_the_tables_say_and_no_time_counts_twice() {
    let fleet = Fleet::new(150);
    assert_eq!(fleet.take("out", &["-q"]).code, 0);
    let report = told(&fleet, "out", &[]);
    let rows = fleet.lines("out/findings.ndjson");
    let families = list(&report, "families");
    assert!(families.len() > 1, "{families:?}");
    let mut last = f64::INFINITY;
    for family in families {
        let of = || rows.iter().filter(|row| row["family"] == family["family"]);
        let open = |row: &&Value| (row["state"] == "split" || row["state"] == "partly") && row["covered_by"].is_null();
        let servers: BTreeSet<&str> = of().filter(open).filter_map(|row| row["server"].as_str()).collect();
        assert_eq!(family["servers"], servers.len(), "{}", family["family"]);
        let stake: f64 = of().filter_map(|row| row["at_stake_us"].as_f64()).sum();
        let told = family["at_stake_us"].as_f64().expect("a time");
        assert!((told - stake).abs() < 0.01, "{}: {told} {stake}", family["family"]);
        assert!(told <= last, "most first");
        last = told;
    }
    let fused = families.iter().find(|family| family["family"] == "sglang/allreduce-rmsnorm-flashinfer");
    let settings = &fused.expect("it is off on most servers")["settings"];
    assert_eq!(
        settings[0],
        serde_json::json!({ "argument": "enable_flashinfer_allreduce_fusion", "affected": "false", "in_use": "true" })
    );
    let gpu: f64 = fleet.lines("out/runs.ndjson").iter().filter_map(|row| row["gpu_us"].as_f64()).sum();
    let all: f64 = families.iter().filter_map(|family| family["at_stake_us"].as_f64()).sum();
    assert!(0.0 < all && all < gpu, "{all} of {gpu}");
}

#[test]
fn four_formats_say_the_same_and_the_page_needs_nothing_from_elsewhere() {
    let fleet = Fleet::new(150);
    assert_eq!(fleet.take("out", &["-q"]).code, 0);
    let first = told(&fleet, "out", &[])["families"][0]["title"].as_str().expect("a title").to_owned();
    for format in ["text", "markdown", "html", "json"] {
        let file = fleet.path(&format!("report.{format}"));
        let args = ["fleet", "report", "-f", format, &fleet.path("out"), "--limit", "0", "-o", &file];
        let done = llm_prof(&args);
        assert_eq!((done.code, done.out.as_str()), (0, ""), "{}", done.err);
        let text = fs::read_to_string(&file).expect("written");
        let wide = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        match format {
            "text" => assert!(wide <= 100, "{wide} columns"),
            "html" => assert!(!text.contains("src=\"http") && !text.contains("<link")),
            _ => {}
        }
        for says in [&first[..12], "node007", "node012"] {
            assert!(text.contains(says), "{format}: {says}\n{text}");
        }
    }
}

#[test]
fn against_a_baseline_what_is_gone_is_told() {
    let fleet = Fleet::new(150);
    assert_eq!(fleet.take("before", &["-q"]).code, 0);
    for day in fs::read_dir(fleet.folder.path().join("in")).expect("days") {
        let day = day.expect("a day").path();
        let nodes = [SLOW_SERVER, SLOW_RANK].map(|server| day.join(format!("node{server:03}")));
        for folder in nodes.iter().filter(|folder| folder.is_dir()) {
            fs::remove_dir_all(folder).expect("there");
        }
    }
    assert_eq!(fleet.take("after", &["-q"]).code, 0);
    let report = told(&fleet, "after", &["--baseline", &fleet.path("before")]);
    let changes = &report["changes"];
    assert_eq!((&changes["servers_gone"], &changes["servers_new"]), (&2.into(), &0.into()));
    let fused = list(changes, "families").iter().find(|one| one["family"] == "sglang/allreduce-rmsnorm-flashinfer");
    let fused = fused.expect("on fewer servers");
    assert_eq!(fused["change"], "fewer");
    assert_eq!(fused["before"].as_u64().map(|before| before - 2), fused["now"].as_u64());
    assert_eq!(list(&report, "stragglers").len(), 0);
    let same = told(&fleet, "after", &["--baseline", &fleet.path("after")]);
    assert!(list(&same["changes"], "families").is_empty() && list(&same["changes"], "categories").is_empty());
}

#[test]
fn a_folder_without_tables_is_named() {
    let fleet = Fleet::new(4);
    let done = llm_prof(&["fleet", "report", &fleet.path("in")]);
    assert!(done.code == 3 && done.err.contains("runs.ndjson: cannot read it"), "{}", done.err);
    assert_eq!(fleet.take("out", &["-q"]).code, 0);
    fs::write(fleet.path("out/kernels.ndjson"), "{\"table\":\"kernels\"}\n").expect("room");
    let done = llm_prof(&["fleet", "report", &fleet.path("out")]);
    assert!(done.code == 3 && done.err.contains("kernels.ndjson: cannot read it: line 1: missing"), "{}", done.err);
}

/// Of two thousand reports; the bound is for a busy machine and an unoptimised build.
#[test]
fn thousands_of_reports_take_seconds() {
    let fleet = Fleet::new(150);
    assert_eq!(fleet.take("one", &["-q"]).code, 0);
    let runs = fleet.made.traces.len();
    fs::create_dir(fleet.path("many")).expect("room");
    for table in ["runs", "steps", "kernels", "findings", "overlap"] {
        let text = fs::read_to_string(fleet.path(&format!("one/{table}.ndjson"))).expect("a table");
        let many: String = (0..2000_usize.div_ceil(runs))
            .map(|n| text.replace("/in/2026", &format!("/in{n}/2026")).replace("\"node", &format!("\"cell{n}-node")))
            .collect();
        fs::write(fleet.path(&format!("many/{table}.ndjson")), many).expect("room");
    }
    let begin = Instant::now();
    let report = told(&fleet, "many", &["--baseline", &fleet.path("many")]);
    let took = begin.elapsed();
    assert!(report["fleet"]["traces"].as_u64() >= Some(2000), "{}", report["fleet"]["traces"]);
    assert!(took < Duration::from_secs(10), "{took:?}");
}
