//! A pair of traces: figures of one, places of the other.

use super::{DECODE, PREFILL, run};

/// The decode trace where no capture lies beside it.
fn alone(folder: &tempfile::TempDir) -> String {
    let path = folder.path().join("run.trace.json.gz");
    std::fs::copy(DECODE, &path).expect("a copy");
    path.to_string_lossy().into_owned()
}

/// A kernel's name, time and places, each with how it was found.
type Row = (String, f64, Vec<(String, String)>);

/// The rows of the kernel table.
fn kernels(report: &serde_json::Value) -> Vec<Row> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    (report["kernels"].as_array().expect("rows").iter())
        .map(|row| {
            let sites = row["sites"].as_array().expect("sites").iter();
            let sites = sites.map(|site| (text(&site["location"]), text(&site["found_by"]))).collect();
            (text(&row["name"]), row["time_us"].as_f64().expect("a time"), sites)
        })
        .collect()
}

#[test]
fn figures_are_the_formal_traces_and_places_those_that_its_capture_would_give() {
    let folder = tempfile::tempdir().expect("a folder");
    let decode = alone(&folder);
    let pair = run(&["triage", "-f", "json", "--mapping", PREFILL, &decode]);
    assert_eq!(pair.code, 0, "{}", pair.err);
    let (pair, captured) = (pair.report(), run(&["triage", "-f", "json", DECODE]).report());
    assert_eq!((&pair["mode"], &captured["mode"]), (&"mapping-formal".into(), &"single-trace".into()));
    assert_eq!(pair["gpu"]["total_us"], captured["gpu"]["total_us"]);
    let mut by_mapping = 0;
    for ((name, time, sites), (other, other_time, other_sites)) in kernels(&pair).iter().zip(&kernels(&captured)) {
        assert_eq!((name, time), (other, other_time));
        for (site, found_by) in sites {
            by_mapping += usize::from(found_by == "mapping");
            let same = other_sites.iter().any(|(other, _)| other == site);
            assert!(same || found_by == "no-counterpart", "{name}: {site} {found_by}, captured {other_sites:?}");
        }
    }
    assert!(by_mapping > 0 && pair["attribution"]["by_mapping"].as_u64() > Some(0));
    let roles: Vec<&str> =
        pair["traces"].as_array().expect("traces").iter().filter_map(|t| t["role"].as_str()).collect();
    assert_eq!(roles, ["formal", "mapping"]);
    for (report, read) in [(&pair, "from a pair: times of the formal trace, places of"), (&captured, "from one trace.")]
    {
        let summary = report["summary"].as_str().expect("a summary");
        assert!(summary.contains(&format!("Overlap was read {read}")), "{summary}");
    }
}

#[test]
fn another_stage_is_a_warning_and_the_old_flags_do_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let decode = alone(&folder);
    let new = run(&["triage", "--mapping", PREFILL, &decode]);
    assert!(new.err.contains("no mapping step of stage decode"), "{}", new.err);
    let old = run(&["--mapping-input", PREFILL, "--formal-input", &decode]);
    assert_eq!((old.code, &old.out), (0, &new.out), "{}", old.err);
    assert_eq!(run(&["--mapping-input", PREFILL]).code, 2, "one side of a pair is none");
}

#[test]
fn runs_of_unlike_servers_are_an_error_that_says_which_unless_forced() {
    let vllm = "tests/fixtures/vllm-nvidia-tp2-prefill.trace.json.gz";
    let done = run(&["triage", "--mapping", vllm, PREFILL]);
    assert_eq!((done.code, done.out.as_str()), (2, ""));
    assert!(done.err.contains("the framework is vllm") && done.err.contains("--force"), "{}", done.err);
    let forced = run(&["triage", "--mapping", vllm, "--force", PREFILL]);
    assert_eq!(forced.code, 0, "{}", forced.err);
    assert!(forced.err.contains("warning: the framework is vllm"), "{}", forced.err);
}

#[test]
fn doctor_and_explain_take_a_mapping_trace_and_ask_for_none_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let decode = alone(&folder);
    let fix = |args: &[&str]| {
        let report = run(&[&["doctor", "-f", "json", decode.as_str()], args].concat()).report();
        let list = report["fitness"].as_array().expect("a list").clone();
        let found = list.iter().find(|fitness| fitness["code"] == "graph-replay-without-capture");
        found.and_then(|fitness| fitness["fix"].as_str()).map(str::to_owned)
    };
    let alone = fix(&[]).expect("replays without places");
    assert!(alone.contains("as --mapping") && alone.contains("SGLANG_ENABLE_CUDA_GRAPH_CAPTURE_TRACE"), "{alone}");
    let paired = fix(&["--mapping", PREFILL]).expect("attention has no counterpart");
    assert!(!paired.contains("--mapping") && paired.contains("same stage"), "{paired}");
    let explained = |args: &[&str]| {
        let done = run(&[&["explain", "sglang/qk-norm-rope", decode.as_str()], args].concat());
        assert_eq!(done.code, 0, "{}", done.err);
        done.out
    };
    assert_ne!(explained(&[]), explained(&["--mapping", PREFILL]));
    let vllm = "tests/fixtures/vllm-nvidia-tp2-prefill.trace.json.gz";
    for command in [&["doctor"] as &[&str], &["explain", "sglang/qk-norm-rope"]] {
        assert_eq!(run(&[command, &["--mapping", vllm, PREFILL]].concat()).code, 2);
    }
}

#[test]
fn hints_for_graphs_are_in_the_words_of_the_framework_and_its_version() {
    let fix = |path: &str, version: &str| {
        let done = run(&["doctor", path, "--framework-version", version]);
        done.out.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let trtllm = fix("tests/fixtures/trtllm-nvidia-tp2-decode-graph.trace.json.gz", "1.2.0");
    assert!(trtllm.contains("cuda_graph_config: null") && trtllm.contains("TLLM_TORCH_PROFILE_TRACE"), "{trtllm}");
    assert!(!trtllm.contains("SGLANG") && !trtllm.contains("--enforce-eager"), "{trtllm}");
    let folder = tempfile::tempdir().expect("a folder");
    let decode = alone(&folder);
    let (old, new) = (fix(&decode, "0.5.20"), fix(&decode, "0.5.23"));
    assert!(old.contains("a run with --disable-cuda-graph as --mapping"), "{old}");
    assert!(new.contains("a run with cuda_graph_backend_decode disabled"), "{new}");
}
