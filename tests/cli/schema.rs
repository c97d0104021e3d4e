//! The published schemas, held against what is really written.

use std::collections::BTreeSet;

use serde_json::Value;

use super::finished::{FUSED, Folder, NO_GPU, SPLIT, TRTLLM};
use super::{DECODE, run, traces};

const FOLDER: &str = "rules/schema/output";

fn validator(name: &str) -> jsonschema::Validator {
    let text = run(&["schema", name]).out;
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn hold(validator: &jsonschema::Validator, value: &Value, what: &str) {
    let found: Vec<String> =
        validator.iter_errors(value).take(3).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(found, [""; 0], "{what}");
}

/// Ids of the rows of a report; each stands once.
fn ids(report: &Value, what: &str) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for table in ["kernels", "fuse", "overlap"] {
        for row in report[table].as_array().expect("rows") {
            let id = row["id"].as_str().expect("an id").to_owned();
            assert!(ids.insert(id.clone()), "{what}: {id} stands twice");
        }
    }
    ids
}

#[test]
fn every_report_is_as_its_schema_says_and_every_row_has_an_id_of_its_own() {
    let (triage, doctor) = (validator("triage"), validator("doctor"));
    let mut read = 0;
    for path in traces::all() {
        let name = path.to_string_lossy().into_owned();
        let done = run(&["triage", "-q", "--timeline", "-f", "json", &name]);
        let Ok(report) = serde_json::from_str::<Value>(&done.out) else { continue };
        hold(&triage, &report, &name);
        ids(&report, &name);
        hold(&doctor, &run(&["doctor", "-q", "-f", "json", &name]).report(), &name);
        read += 1;
    }
    assert!(read > 20, "only {read} traces gave a report");
    let tables = validator("fleet-tables");
    let folder = Folder::new();
    let report = folder.path().join("report.json").to_string_lossy().into_owned();
    for path in traces::all() {
        if run(&["triage", "-q", &path.to_string_lossy(), "-o", &report]).code == 0 {
            for line in run(&["fleet", "tables", &report]).out.lines() {
                hold(&tables, &serde_json::from_str(line).expect("JSON"), line);
            }
        }
    }
    let fleet = folder.path().join("fleet").to_string_lossy().into_owned();
    assert_eq!(run(&["fleet", "-q", "tests/fixtures", "-o", &fleet]).code, 0);
    let summary = run(&["fleet", "report", "-f", "json", &fleet, "--baseline", &fleet]).report();
    hold(&validator("fleet-report"), &summary, "a fleet");
    let ranks = run(&["triage", "-q", "--rank", "all", "-f", "json", "tests/fixtures/sglang-nvidia-tp4"]).report();
    hold(&triage, &ranks, "four ranks");
}

#[test]
fn what_a_schema_does_not_allow_is_found() {
    let mut report = run(&["triage", DECODE, "-f", "json"]).report();
    report["kernels"][0]["time_us"] = "long".into();
    assert!(validator("triage").iter_errors(&report).next().is_some());
}

#[test]
fn comparisons_gates_and_bundles_are_as_their_schemas_say() {
    let compare = validator("compare");
    for (before, after) in [(FUSED, SPLIT), (SPLIT, TRTLLM), (DECODE, DECODE)] {
        hold(&compare, &run(&["compare", before, after, "-f", "json"]).report(), after);
    }
    let check = validator("check");
    let gates =
        ["--require", "sglang/rope-kv-store", "--forbid", "vllm/rope-kv", "--budget", "gemm=1", "--baseline", FUSED];
    for trace in [FUSED, SPLIT, NO_GPU] {
        hold(&check, &run(&[&["check", trace, "-f", "json"][..], &gates].concat()).report(), trace);
    }
    hold(&validator("bundle"), &run(&["bundle", FUSED, SPLIT, DECODE, NO_GPU, "-f", "json"]).report(), "a bundle");
}

#[test]
fn the_published_files_are_up_to_date() {
    let done = run(&["schema", "--check", FOLDER]);
    assert_eq!((done.code, done.out.as_str()), (0, ""), "run `llm-prof schema --write {FOLDER}`");
    let folder = Folder::new();
    let path = folder.path().to_string_lossy().into_owned();
    assert_eq!(run(&["schema", "--write", &path]).code, 0);
    assert_eq!(run(&["schema", "--check", &path]).code, 0);
    folder.write("triage.json", "{}");
    let stale = run(&["schema", "--check", &path]);
    assert!(stale.code == 1 && stale.out.contains("triage.json is not what"), "{}", stale.out);
    assert_eq!(run(&["schema", "nothing"]).code, 2);
}

/// A row is the same thing in every trace that has it: diffs and scripts key on its id.
#[test]
fn ids_of_rows_are_stable_from_run_to_run_and_from_trace_to_trace() {
    let report = |args: &[&str]| run(&[&["triage", "-q", "-f", "json"], args].concat()).report();
    let plain = ids(&report(&[DECODE]), DECODE);
    assert_eq!(ids(&report(&[DECODE, "-j", "3", "--min-share", "20", "--limit", "1"]), DECODE), plain);
    let ranks = |rank: &str| report(&["tests/fixtures/sglang-nvidia-tp2", "--rank", rank]);
    let names = |report: &Value| -> BTreeSet<(String, String)> {
        let rows = report["kernels"].as_array().expect("rows");
        rows.iter().map(|row| (row["name"].to_string(), row["id"].to_string())).collect()
    };
    let (first, second) = (ranks("0"), ranks("1"));
    assert_eq!(names(&first), names(&second), "one kernel has one id on every rank");
    assert!(plain.contains("fuse/sglang/qk-norm-rope/decode"), "{plain:?}");
    let kernel = plain.iter().find(|id| id.starts_with("kernel/decode/")).expect("a kernel");
    assert_eq!(kernel.rsplit('/').next().map(str::len), Some(12), "{kernel}");
}
