//! `llm-prof triage` on fixtures.

use super::{DECODE, PREFILL, run, run_in};

#[test]
fn a_pipe_gets_markdown_and_a_terminal_text() {
    let piped = run(&["triage", DECODE]);
    assert_eq!(piped.code, 0, "{}", piped.err);
    for part in [
        "## Kernel table",
        "## Overlap-opportunity table",
        "## Fuse-pattern table",
        "### decode",
        "- Framework: SGLang",
    ] {
        assert!(piped.out.contains(part), "{part} is missing: {}", piped.out);
    }
    let terminal = run_in(&["triage", DECODE], |streams| {
        streams.out_is_terminal = true;
        streams.width = Some(90);
        streams.env.insert("NO_COLOR".to_owned(), "1".to_owned());
    });
    assert!(terminal.out.contains("KERNEL TABLE") && !terminal.out.contains('\u{1b}'), "{}", terminal.out);
    assert!(terminal.out.lines().all(|line| line.chars().count() <= 90), "{}", terminal.out);
}

#[test]
fn the_old_first_word_may_be_missing() {
    let (old, new) = (run(&["--input", DECODE]), run(&["triage", DECODE]));
    assert_eq!((old.code, &old.out), (0, &new.out), "{}", old.err);
}

#[test]
fn the_capture_beside_a_decode_trace_gives_its_replays_places() {
    let report = run(&["triage", DECODE, "-f", "json"]).report();
    let roles: Vec<(&str, bool)> = (report["traces"].as_array().expect("traces").iter())
        .map(|info| (info["role"].as_str().expect("a role"), info["taken"].as_bool().expect("taken")))
        .collect();
    assert_eq!(roles, [("trace", true), ("capture", true)]);
    assert!(report["attribution"]["by_position"].as_u64() > Some(0), "{}", report["attribution"]);
}

#[test]
fn json_sums_add_up() {
    let report = run(&["triage", PREFILL, "-f", "json", "--min-share", "0"]).report();
    let sum = |rows: &serde_json::Value, key: &str| -> f64 {
        rows.as_array().expect("rows").iter().filter_map(|row| row[key].as_f64()).sum()
    };
    let total = report["gpu"]["total_us"].as_f64().expect("a sum");
    assert!((sum(&report["kernels"], "time_us") - total).abs() < 0.001);
    assert!((sum(&report["stages"], "time_us") - total).abs() < 0.001);
    assert_eq!(report["schema"], "llm-prof.triage/1");
    assert_eq!(report["hidden_rows"]["kernels"], 0);
}

/// Each GPU event is counted by what told its op, or as one whose op nothing told.
#[test]
fn counts_of_attribution_add_up() {
    let graph_without_capture = "tests/fixtures/trtllm-nvidia-tp2-decode-graph.trace.json.gz";
    for path in [PREFILL, DECODE, graph_without_capture, "tests/fixtures/gpu-only.trace.json.gz"] {
        let report = run(&["triage", path, "-f", "json"]).report();
        let count = |key: &str| report["attribution"][key].as_u64().expect("a count");
        let sum: u64 = ["by_id", "by_time", "by_position", "by_mapping", "without_op"].into_iter().map(count).sum();
        assert_eq!(sum, count("launches"), "{path}: {}", report["attribution"]);
        assert!(count("without_launch") <= count("without_op"), "{path}");
    }
}

#[test]
fn the_same_bytes_come_out_with_any_number_of_threads() {
    let one = run(&["triage", DECODE, "-f", "json", "-j", "1"]);
    let many = run(&["triage", DECODE, "-f", "json", "-j", "7"]);
    assert_eq!(one.out, many.out);
}

#[test]
fn every_stage_tells_its_time_when_asked() {
    let told = run(&["triage", DECODE, "-v"]);
    for stage in ["read ", "attributed ", "loaded ", "classified ", "ordered ", "matched ", "made the report "] {
        let line = told.err.lines().find(|line| line.starts_with(stage));
        assert!(line.is_some_and(|line| line.ends_with(" ms")), "{stage}: {}", told.err);
    }
    let silent = run(&["triage", DECODE]);
    assert_eq!((&told.out, silent.err.as_str()), (&silent.out, ""));
}

#[test]
fn a_folder_of_the_same_rules_says_the_same_as_the_rules_in_the_binary() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/rules");
    assert_eq!(run(&["triage", DECODE, "--rules", folder]).out, run(&["triage", DECODE]).out);
}

#[test]
fn two_files_of_two_stages_make_one_report() {
    let folder = tempfile::tempdir().expect("a folder");
    for (from, to) in [(DECODE, "1-TP-0-DECODE.trace.json.gz"), (PREFILL, "1-TP-0-EXTEND.trace.json.gz")] {
        std::fs::copy(from, folder.path().join(to)).expect("a copy");
    }
    let done = run(&["triage", &folder.path().to_string_lossy(), "-f", "json"]);
    let report = done.report();
    let stages: Vec<&str> =
        report["stages"].as_array().expect("stages").iter().filter_map(|stage| stage["stage"].as_str()).collect();
    assert_eq!(&stages[..2], ["prefill", "decode"]);
    let ids: Vec<&str> =
        report["kernels"].as_array().expect("rows").iter().filter_map(|row| row["id"].as_str()).collect();
    let distinct: std::collections::BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), distinct.len(), "ids name one row each");
}

#[test]
fn a_trace_on_standard_input_is_read() {
    let bytes = std::fs::read(PREFILL).expect("a fixture");
    let done =
        run_in(&["triage", "-", "-f", "json"], |streams| streams.input = Some(Box::new(std::io::Cursor::new(bytes))));
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.report()["traces"][0]["path"], "-");
}

#[test]
fn what_the_user_says_of_the_run_beats_the_trace() {
    let args = ["triage", PREFILL, "-f", "json", "--framework", "TensorRT-LLM", "--model", "m", "--tp", "4"];
    let report = run(&args).report();
    assert_eq!((&report["framework"], &report["model"], &report["tp"]), (&"trtllm".into(), &"m".into(), &4.into()));
}

#[test]
fn outputs_appear_whole_in_the_format_of_their_ending() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let done = run(&["triage", PREFILL, "-o", &path("r.json"), "-o", &path("r.md"), "-o", &path("r.txt")]);
    assert_eq!((done.code, done.out.as_str()), (0, ""), "{}", done.err);
    let read = |name: &str| std::fs::read_to_string(path(name)).expect("a report");
    assert!(
        read("r.json").starts_with('{') && read("r.md").starts_with("# ") && read("r.txt").contains("KERNEL TABLE")
    );
    let files = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(files, 3, "nothing is left beside");
}

#[test]
fn a_stage_that_was_asked_for_is_alone_in_the_tables() {
    let done = run(&["triage", DECODE, "--stage", "decode"]);
    assert!(done.out.contains("### decode") && !done.out.contains("### all"), "{}", done.out);
    let other = run(&["triage", DECODE, "--stage", "prefill"]);
    assert!(other.out.contains("No row: no GPU event in the stage asked for; the trace has "), "{}", other.out);
}

#[test]
fn explain_says_why_a_family_has_its_row() {
    let done = run(&["explain", "sglang/qk-norm-rope", DECODE]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.starts_with("sglang/qk-norm-rope") && done.out.contains("Gates"), "{}", done.out);
    let row = run(&["explain", "fuse/sglang/qk-norm-rope/decode", DECODE]);
    assert_eq!(row.out, done.out);
    assert!(
        done.out.lines().filter(|line| line.contains("stream ")).all(|line| line.chars().count() < 170),
        "{}",
        done.out
    );
}

#[test]
fn explain_sends_no_control_characters_of_a_name_to_the_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("odd.json");
    let event = r#"{"ph": "X", "cat": "kernel", "name": "\u001b[31mred", "pid": 0, "tid": 7, "ts": 1, "dur": 1}"#;
    std::fs::write(&path, format!("[{event}]")).expect("written");
    let path = path.display().to_string();
    let id = run(&["triage", "-f", "json", &path]).report()["kernels"][0]["id"].as_str().expect("an id").to_owned();
    let done = run(&["explain", &id, &path]);
    assert!(done.code == 0 && done.out.starts_with("\u{fffd}[31mred\n"), "{:?}", done.out);
    assert!(!done.out.contains('\u{1b}'), "{:?}", done.out);
}

#[test]
fn the_flags_of_the_tool_before_limit_their_own_table() {
    let rows = |args: &[&str]| {
        let mut all = vec!["triage", "--format", "json", "--min-share", "0", "tests/fixtures/merged-tp2.trace.json.gz"];
        all.extend(args);
        let report = run(&all).report();
        ["kernels", "overlap", "fuse"].map(|table| {
            let rows = report[table].as_array().expect("rows").iter();
            rows.filter(|row| row["shown"] == true && row["stage"] == "decode").count()
        })
    };
    let [kernels, overlap, fuse] = rows(&[]);
    assert!(kernels > 2 && overlap > 0 && fuse > 1, "{kernels} {overlap} {fuse}");
    assert_eq!(rows(&["--limit", "1"]), [1, overlap.min(1), 1]);
    assert_eq!(rows(&["--kernel-table-limit", "2"]), [2, overlap, fuse]);
    assert_eq!(rows(&["--limit", "1", "--kernel-table-limit", "2", "--overlap-table-limit", "0"]), [2, overlap, 1]);
}

#[test]
fn a_path_of_another_vendor_is_not_where_the_fused_one_lives() {
    let trace = "tests/fixtures/vllm-nvidia-tp2-moe-mixed.trace.json.gz";
    let report = run(&["triage", "-f", "json", trace]).report();
    assert_eq!(
        (&report["framework_version"], report["hardware"].as_str().map(|n| &n[..6])),
        (&serde_json::Value::Null, Some("NVIDIA"))
    );
    let rows = report["fuse"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["family"] == "vllm/moe-experts").expect("a row");
    let paths = row["candidate"].to_string();
    assert!(paths.contains("flashinfer/fused_moe/core.py") && !paths.contains("aiter"), "{paths}");
}
