//! Finished reports that tests change and give back, shared by the commands on them.

use std::path::Path;

use serde_json::Value;

use super::run;

pub(super) const SPLIT: &str = "tests/fixtures/sglang-nvidia-tp2-eager-decode.trace.json.gz";
pub(super) const FUSED: &str = "tests/fixtures/silence/healthy-sglang-nvidia.trace.json.gz";
pub(super) const TRTLLM: &str = "tests/fixtures/trtllm-nvidia-tp2-decode-graph.trace.json.gz";
pub(super) const NO_GPU: &str = "tests/fixtures/no-gpu-events.trace.json.gz";

/// The report of a trace.
pub(super) fn report(path: &str) -> Value {
    run(&["triage", "-q", path, "-f", "json"]).report()
}

/// A folder of reports.
pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file; its path.
    pub(super) fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, text).expect("a file");
        path.to_string_lossy().into_owned()
    }

    /// Writes a report; its path.
    pub(super) fn save(&self, name: &str, report: &Value) -> String {
        self.write(name, &serde_json::to_string_pretty(report).expect("JSON"))
    }

    /// Writes a report after a change; its path.
    pub(super) fn changed(&self, name: &str, report: &Value, change: impl FnOnce(&mut Value)) -> String {
        let mut report = report.clone();
        change(&mut report);
        self.save(name, &report)
    }
}

/// Rows of a table of a report.
pub(super) fn rows<'v>(report: &'v mut Value, table: &str) -> &'v mut Vec<Value> {
    report[table].as_array_mut().expect("rows")
}

/// The fuse row of a family.
pub(super) fn family<'v>(report: &'v mut Value, id: &str) -> &'v mut Value {
    rows(report, "fuse").iter_mut().find(|row| row["family"] == id).expect("the family")
}

/// Multiplies times of everything in a report, or of one kernel and what it is part of.
pub(super) fn slow(report: &mut Value, factor: f64) {
    let times = |value: &mut Value, keys: &[&str]| {
        for key in keys {
            if let Some(time) = value[*key].as_f64() {
                value[*key] = (time * factor).into();
            }
        }
    };
    for stage in rows(report, "stages") {
        times(stage, &["time_us", "time_per_step_us"]);
        stage["categories"].as_array_mut().expect("categories").iter_mut().for_each(|one| times(one, &["time_us"]));
    }
    for table in ["kernels", "fuse"] {
        for row in rows(report, table) {
            times(row, &["time_us"]);
        }
    }
    for step in report["gpu"]["steps"].as_array_mut().expect("steps") {
        times(step, &["span_us", "busy_us"]);
    }
}

/// Repeats what a report saw: so many times the steps, the time, the launches.
pub(super) fn repeat(report: &mut Value, n: u64) {
    slow(report, n as f64);
    let launches = |value: &mut Value| value["launches"] = (value["launches"].as_u64().expect("launches") * n).into();
    for stage in rows(report, "stages") {
        let time = stage["time_us"].as_f64().expect("a time");
        let steps = stage["steps"].as_u64().expect("steps") * n;
        (stage["steps"], stage["time_per_step_us"]) = (steps.into(), (time / steps as f64).into());
        launches(stage);
    }
    rows(report, "kernels").iter_mut().for_each(launches);
    let steps = report["gpu"]["steps"].as_array_mut().expect("steps");
    for step in steps.iter_mut() {
        for key in ["span_us", "busy_us"] {
            step[key] = (step[key].as_f64().expect("a time") / n as f64).into();
        }
    }
    let again: Vec<Value> = (1..n).flat_map(|_| steps.clone()).collect();
    steps.extend(again);
}
