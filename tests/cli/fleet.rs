//! Many traces: tables that say what the reports say.

use serde_json::Value;

use super::{DECODE, PREFILL, run, run_in};

/// A trace with rows in every table.
const MIXED: &str = "tests/fixtures/sglang-nvidia-tp2-mixed.trace.json.gz";

/// Rows of one table, out of NDJSON.
fn table(ndjson: &str, name: &str) -> Vec<Value> {
    let rows = ndjson.lines().map(|line| serde_json::from_str::<Value>(line).expect("a JSON object a line"));
    rows.filter(|row| row["table"] == name).collect()
}

fn reports(traces: &[&str]) -> (tempfile::TempDir, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let names = traces.iter().enumerate().map(|(n, trace)| {
        let path = folder.path().join(format!("{n}.json")).to_string_lossy().into_owned();
        assert_eq!(run(&["triage", trace, "-f", "json", "-o", &path]).code, 0);
        path
    });
    let names = names.collect();
    (folder, names)
}

#[test]
fn rows_have_the_figures_of_the_report_and_keys_that_name_them() {
    let (_folder, names) = reports(&[MIXED]);
    let tables = run(&["fleet", "tables", &names[0]]);
    assert_eq!((tables.code, tables.err.as_str()), (0, ""));
    let report: Value = serde_json::from_str(&std::fs::read_to_string(&names[0]).expect("a report")).expect("JSON");
    for (name, rows) in
        [("kernels", &report["kernels"]), ("findings", &report["fuse"]), ("overlap", &report["overlap"])]
    {
        let found = table(&tables.out, name);
        let rows = rows.as_array().expect("rows");
        assert!(!rows.is_empty() && found.len() == rows.len(), "{name}");
        for (found, row) in found.iter().zip(rows) {
            assert_eq!((&found["trace"], &found["stage"]), (&Value::from(MIXED), &row["stage"]));
            for key in ["id", "shown", "time_us", "share_pct", "could_save_us", "title", "state", "risk", "category"] {
                assert_eq!(found.get(key), row.get(key), "{name}: {key}");
            }
        }
    }
    assert_eq!(table(&tables.out, "steps").len(), report["gpu"]["steps"].as_array().expect("steps").len());
    let [only] = &table(&tables.out, "runs")[..] else { panic!("one row") };
    assert_eq!(only["gpu_us"], report["gpu"]["total_us"]);
    assert_eq!(only["run"], "tests/fixtures/sglang-nvidia-tp2");
    let sum = |rows: &[Value], key: &str| rows.iter().filter_map(|row| row[key].as_f64()).sum::<f64>();
    let all = sum(&table(&tables.out, "kernels"), "time_us");
    let total = only["gpu_us"].as_f64().expect("a time");
    assert!((all - total).abs() < 0.01, "kernels add up to the GPU time: {all} {total}");
    let stake = sum(&table(&tables.out, "findings"), "at_stake_us");
    assert!(stake > 0.0 && stake < total, "{stake}");
}

#[test]
fn reports_on_standard_input_in_a_folder_and_as_files_give_the_same_rows() {
    let (folder, names) = reports(&[PREFILL, DECODE]);
    std::fs::write(folder.path().join("server_args.json"), "{}").expect("room");
    let files = run(&["fleet", "tables", &names[0], &names[1]]);
    let below = run(&["fleet", "tables", &folder.path().to_string_lossy()]);
    let text = |name: &String| std::fs::read_to_string(name).expect("a report");
    let lines = names.iter().map(|name| serde_json::from_str::<Value>(&text(name)).expect("JSON").to_string() + "\n");
    for input in [names.iter().map(text).collect::<String>(), lines.collect()] {
        let piped = run_in(&["fleet", "tables", "-"], |streams| {
            streams.input = Some(Box::new(std::io::Cursor::new(input.into_bytes())));
        });
        assert_eq!((piped.code, piped.err.as_str()), (0, ""));
        assert!(piped.out == files.out, "piped");
    }
    assert!(files.code == 0 && files.out == below.out && table(&files.out, "runs").len() == 2);
}

#[test]
fn what_is_no_report_is_named_with_its_place() {
    let (folder, names) = reports(&[DECODE]);
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("room");
        path.to_string_lossy().into_owned()
    };
    let report = std::fs::read_to_string(&names[0]).expect("a report");
    let empty = tempfile::tempdir().expect("a folder");
    for (paths, says) in [
        (path("trace.txt", "{\"traceEvents\": []}"), "trace.txt: cannot be read as a report: not a report"),
        (path("two.txt", &format!("{report}{}", &report[..900])), "two.txt: report 2: cannot be read"),
        (
            path("old.txt", &report.replace("triage/1", "triage/9")),
            "old.txt: cannot be read as a report: \"schema\" is",
        ),
        (path("empty.txt", ""), "empty.txt: empty; expected reports"),
        ("nowhere.json".to_owned(), "nowhere.json: cannot open it"),
        (empty.path().to_string_lossy().into_owned(), "no report in this folder"),
    ] {
        let done = run(&["fleet", "tables", &paths]);
        assert!(done.code == 3 && done.err.contains(says), "{says}: {}", done.err);
    }
}
