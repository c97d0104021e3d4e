//! `--format csv`: the rows of JSON, all of them, in their order.

use serde_json::Value;

use super::{PREFILL, run};

#[test]
fn every_row_of_json_is_a_line_with_the_same_figures() {
    let json = run(&["triage", "-q", PREFILL, "--format", "json"]).report();
    let done = run(&["triage", "-q", PREFILL, "--format", "csv"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let mut lines = ::csv::Reader::from_reader(done.out.as_bytes());
    let heads = lines.headers().expect("a head").clone();
    let at = |name: &str| heads.iter().position(|head| head == name).unwrap_or_else(|| panic!("no column {name}"));
    let lines: Vec<::csv::StringRecord> = lines.records().map(|line| line.expect("a whole line")).collect();
    let rows: Vec<(&str, &Value)> = ["kernels", "fuse", "overlap"]
        .into_iter()
        .flat_map(|table| json[table].as_array().expect("rows").iter().map(move |row| (table, row)))
        .collect();
    assert_eq!(lines.len(), rows.len());
    for (line, (table, row)) in lines.iter().zip(rows) {
        assert_eq!(&line[at("table")], table);
        for key in ["id", "stage", "state", "confidence", "priority", "verdict", "risk", "action"] {
            assert_eq!(&line[at(key)], row[key].as_str().unwrap_or(""), "{key} of {}", row["id"]);
        }
        for key in ["time_us", "share_pct", "exclusive_us", "could_save_us", "per_step", "transparent_us"] {
            assert_eq!(line[at(key)].parse().ok(), row[key].as_f64(), "{key} of {}", row["id"]);
        }
        assert_eq!(line[at("shown")] == *"true", row["shown"] == true);
    }
}

#[test]
fn a_trace_without_gpu_events_has_the_head_alone() {
    let done = run(&["triage", "-q", "tests/fixtures/no-gpu-events.trace.json.gz", "--format", "csv"]);
    assert_eq!(done.out.lines().count(), 1, "{}", done.out);
    assert!(done.out.starts_with("table,id,stage,shown,name,"));
}
