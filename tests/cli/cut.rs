//! `llm-prof cut`: a small copy says what the trace said, and nothing that is nobody's business.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::{DECODE, Done, PREFILL, run};

const MIXED: &str = "tests/fixtures/sglang-nvidia-tp2-mixed.trace.json.gz";
const MERGED: &str = "tests/fixtures/merged-tp2.trace.json.gz";
const STREAMS: &str = "tests/fixtures/two-streams.trace.json.gz";
const TRTLLM: &str = "tests/fixtures/trtllm-nvidia-tp2-decode-graph.trace.json.gz";
const VLLM: &str = "tests/fixtures/vllm-nvidia-tp2-moe-mixed.trace.json.gz";

/// As the one of two fixtures is called whose capture stands beside it.
const NAME: &str = "sglang-amd-decode-graph.trace.json.gz";

/// Cuts into a folder of its own and gives the cut's text beside what was said.
fn cut(trace: &str, more: &[&str]) -> (Done, String, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join(NAME);
    // A capture beside the trace is wanted beside the cut, too.
    let capture = trace.replace(".trace.json.gz", "-capture.trace.json.gz");
    if Path::new(&capture).exists() {
        std::fs::copy(&capture, folder.path().join(NAME.replace(".trace", "-capture.trace"))).expect("room");
    }
    let path = output.to_str().expect("UTF-8");
    let done = run(&[&["cut", "--isolated", trace, "-o", path], more].concat());
    let mut text = String::new();
    if let Ok(file) = std::fs::File::open(&output) {
        MultiGzDecoder::new(file).read_to_string(&mut text).expect("UTF-8");
    }
    (done, text, folder)
}

fn report(path: &str, more: &[&str]) -> Value {
    run(&[&["triage", "--isolated", "--quiet", "--min-share", "0", "--format", "json", path], more].concat()).report()
}

/// Reports of a trace and of a cut of it.
fn both(trace: &str, how: &[&str], more: &[&str]) -> (Value, Value) {
    let (done, _, folder) = cut(trace, how);
    assert_eq!(done.code, 0, "{}", done.err);
    let output = folder.path().join(NAME);
    (report(trace, more), report(output.to_str().expect("UTF-8"), more))
}

fn rows<'r>(report: &'r Value, table: &str) -> &'r Vec<Value> {
    report[table].as_array().expect("a list")
}

/// Figures of steps without their number.
fn steps(report: &Value) -> Vec<Value> {
    let mut steps = report["gpu"]["steps"].as_array().cloned().unwrap_or_default();
    for step in &mut steps {
        step["n"] = Value::Null;
    }
    steps
}

/// Family, state and confidence of the stages that have steps.
fn findings(report: &Value) -> BTreeSet<String> {
    let in_steps = |row: &&Value| report["steps"].get(row["stage"].as_str().unwrap_or_default()).is_some();
    rows(report, "fuse")
        .iter()
        .filter(in_steps)
        .map(|r| format!("{} {} {}", r["stage"], r["family"], r["state"]))
        .collect()
}

#[test]
fn all_steps_of_a_trace_keep_every_figure_of_every_table() {
    let mut compared = 0;
    for trace in [DECODE, PREFILL, MIXED, STREAMS, TRTLLM, VLLM] {
        let (whole, cut) = both(trace, &["--steps", "0"], &[]);
        assert_eq!(steps(&cut), steps(&whole), "steps of {trace}");
        let only_steps = |stage: &Value| {
            let of = |step: &&Value| step["stage"] == stage["stage"];
            let launches: u64 =
                rows(&whole["gpu"], "steps").iter().filter(of).filter_map(|s| s["launches"].as_u64()).sum();
            stage["launches"] == launches
        };
        // A stage may be that of launches between its steps, too, by the name of the file: these are not copied.
        let stages: Vec<&Value> = rows(&whole, "stages").iter().filter(|stage| only_steps(stage)).collect();
        for table in ["kernels", "fuse", "overlap"] {
            for row in rows(&whole, table).iter().filter(|row| stages.iter().any(|s| s["stage"] == row["stage"])) {
                let own = rows(&cut, table).iter().find(|other| other["id"] == row["id"]);
                assert_eq!(own, Some(row), "{table} of {trace}");
                compared += 1;
            }
        }
        assert_eq!(findings(&cut), findings(&whole), "{trace}");
    }
    assert!(compared > 100, "only {compared} rows");
}

#[test]
fn one_step_keeps_its_figures_and_the_families_of_its_stage() {
    for trace in [DECODE, PREFILL, MIXED, STREAMS, TRTLLM, VLLM] {
        let (whole, cut) = both(trace, &[], &[]);
        let all = steps(&whole);
        let stages = whole["steps"].as_object().expect("steps").len();
        assert_eq!(steps(&cut).len(), stages, "one step a stage of {trace}");
        for step in steps(&cut) {
            assert!(all.contains(&step), "a step of {trace} changed: {step:#}");
        }
        assert_eq!(findings(&cut), findings(&whole), "{trace}");
    }
}

#[test]
fn a_cut_of_a_merged_file_is_of_one_rank() {
    let (whole, cut) = both(MERGED, &["--rank", "1", "--steps", "0"], &["--rank", "1"]);
    assert_eq!(steps(&cut), steps(&whole));
    assert_eq!(cut["gpu"]["devices"].as_array().map(Vec::len), Some(1));
    let (done, _, _folder) = cut_of_rank(MERGED, "7");
    assert_eq!((done.code, done.err.contains("has ranks 0, 1")), (2, true), "{}", done.err);
}

fn cut_of_rank(trace: &str, rank: &str) -> (Done, String, tempfile::TempDir) {
    cut(trace, &["--rank", rank])
}

#[test]
fn a_stream_or_a_stretch_of_time_can_be_chosen() {
    let (done, text, _folder) = cut(STREAMS, &["--steps", "0", "--stream", "7"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let of_gpu = |event: &&Value| matches!(event["cat"].as_str(), Some("kernel" | "gpu_memcpy" | "gpu_memset"));
    let trace: Value = serde_json::from_str(&text).expect("JSON");
    let events = trace["traceEvents"].as_array().expect("events");
    let streams: BTreeSet<i64> = events.iter().filter(of_gpu).filter_map(|e| e["args"]["stream"].as_i64()).collect();
    assert_eq!(streams, BTreeSet::from([7]));

    let whole = report(PREFILL, &[])["gpu"]["launches"].as_u64().expect("launches");
    let (done, _, folder) = cut(PREFILL, &["--window", "0us..500us"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let path = folder.path().join(NAME);
    let part = report(path.to_str().expect("UTF-8"), &[])["gpu"]["launches"].as_u64().expect("launches");
    assert!(part > 0 && part < whole, "{part} of {whole}");
}

/// The fixture as its JSON, changed and written beside.
fn changed(fixture: &str, folder: &Path, change: impl FnOnce(String) -> String) -> String {
    let mut text = String::new();
    MultiGzDecoder::new(std::fs::File::open(fixture).expect("a fixture")).read_to_string(&mut text).expect("UTF-8");
    let path = folder.join("told.trace.json");
    std::fs::write(&path, change(text)).expect("room");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn no_name_of_a_host_a_user_or_a_path_is_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let extra = r#""host_name": "gpu-node-17", "username": "alice", "traceName": "/srv/alice/x.json", "traceEvents": [
        {"ph": "M", "name": "process_labels", "pid": 1, "tid": 0, "args": {"labels": "gpu-node-17"}},
        {"ph": "M", "name": "thread_name", "pid": 1, "tid": 2, "args": {"name": "alice's worker"}},"#;
    let trace = changed(PREFILL, folder.path(), |text| {
        assert!(text.contains("sglang/srt/"), "frames of the fixture");
        let text = text.replace("/sgl-workspace/", "/srv/alice/lab/").replacen("\"traceEvents\": [", extra, 1);
        // An op that is named after a file of the user, on the node.
        text.replacen("\"aten::mm\"", "\"load /data/alice/weights.bin for bob@corp.example.com on gpu-node-17\"", 1)
    });
    let (done, text, _cut) = cut(&trace, &["--steps", "0", "--scrub", "qwen3"]);
    assert_eq!(done.code, 0, "{}", done.err);
    for secret in ["alice", "gpu-node", "/srv", "/data", "bob@", "qwen3", "sgl-workspace"] {
        assert!(
            !text.contains(secret),
            "{secret} is in the cut: {:?}",
            text.find(secret).map(|at| &text[at - 60..at + 60])
        );
    }
    assert!(text.contains("sglang/srt/"), "places of the framework stay");
}

#[test]
fn findings_are_a_track_that_is_no_time_of_the_gpu() {
    let (done, text, folder) = cut(DECODE, &["--annotate", "--steps", "0"]);
    assert!(done.err.contains("of the findings' track"), "{}", done.err);
    let trace: Value = serde_json::from_str(&text).expect("JSON");
    let marks: Vec<&Value> =
        trace["traceEvents"].as_array().expect("events").iter().filter(|event| event["cat"] == "llm_prof").collect();
    let whole = report(DECODE, &[]);
    let families: BTreeSet<&str> = marks.iter().filter_map(|mark| mark["args"]["family"].as_str()).collect();
    for row in rows(&whole, "fuse").iter().filter(|row| row["stage"] != "all") {
        assert!(families.contains(row["family"].as_str().expect("an id")), "{} has no mark", row["family"]);
    }
    // Within a lane no mark begins before the one before it has ended.
    for pair in marks.windows(2).filter(|pair| pair[0]["tid"] == pair[1]["tid"]) {
        let end = pair[0]["ts"].as_f64().expect("ts") + pair[0]["dur"].as_f64().expect("dur");
        assert!(end <= pair[1]["ts"].as_f64().expect("ts") + 0.0005, "{} overlaps the next", pair[0]);
    }
    let path = folder.path().join(NAME);
    let cut = report(path.to_str().expect("UTF-8"), &[]);
    assert_eq!(steps(&cut), steps(&whole), "marks count for nothing");
    assert_eq!(cut["traces"][0]["warnings"], serde_json::json!([]));
}

#[test]
fn what_cannot_be_cut_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let never = folder.path().join("never.json");
    let never = never.to_str().expect("UTF-8");
    let said = |args: &[&str]| {
        let done = run(&[&["cut", "--isolated"], args].concat());
        (done.code, done.err)
    };
    let (code, err) = said(&["tests/fixtures/gpu-only.trace.json.gz", "-o", never]);
    assert_eq!((code, err.contains("--window")), (5, true), "{err}");
    let (code, err) = said(&[DECODE, "-o", "cut.txt"]);
    assert_eq!((code, err.contains(".json or .json.gz")), (2, true), "{err}");
    let (code, err) = said(&[DECODE, "-o", DECODE]);
    assert_eq!((code, err.contains("the trace itself")), (2, true), "{err}");
    let (code, err) = said(&[DECODE, "-o", never, "--stream", "99"]);
    assert_eq!((code, err.contains("on streams")), (5, true), "{err}");
    let (code, err) = said(&["-", "-o", never]);
    assert_eq!((code, err.contains("reads a trace twice")), (2, true), "{err}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "nothing was written");
}

#[test]
fn which_of_several_ranks_is_cut_is_said() {
    let folder = "tests/fixtures/sglang-nvidia-tp4";
    let output = tempfile::tempdir().expect("a folder");
    let output = output.path().join(NAME);
    let of_folder = |more: &[&str]| {
        let path = output.to_str().expect("UTF-8");
        run(&[&["cut", "--isolated", folder, "-o", path], more].concat())
    };
    let done = of_folder(&[]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("TP-0") && done.err.contains("lowest rank"), "{}", done.err);
    assert_eq!(of_folder(&["-q"]).err, "");
    let (done, ..) = cut(&format!("{folder}/merged-1767225600-DECODE.trace.json.gz"), &[]);
    assert!(done.err.contains("several ranks and the lowest is cut"), "{}", done.err);
}
