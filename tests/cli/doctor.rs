//! `llm-prof doctor`, and what a server's log says.

use super::{DECODE, PREFILL, run};

const VLLM: &str = "tests/fixtures/vllm-nvidia-tp2-prefill.trace.json.gz";

/// Code and level of each finding.
fn findings(args: &[&str]) -> Vec<(String, String)> {
    let done = run(&[&["doctor", "-f", "json"], args].concat());
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let list = done.report()["fitness"].as_array().expect("a list").clone();
    list.iter().map(|fitness| (text(&fitness["code"]), text(&fitness["level"]))).collect()
}

fn has(args: &[&str], code: &str) -> bool {
    findings(args).iter().any(|(known, _)| known == code)
}

#[test]
fn a_trace_that_can_be_judged_is_0_and_one_that_cannot_is_5() {
    let fit = run(&["doctor", DECODE]);
    assert_eq!(fit.code, 0, "{}", fit.err);
    assert!(fit.out.contains("Verdict:   fit to judge"), "{}", fit.out);
    let unfit = run(&["doctor", "tests/fixtures/no-gpu-events.trace.json.gz"]);
    assert_eq!(unfit.code, 5);
    assert!(unfit.out.contains("unfit   profiler-ranges") && unfit.out.contains("Verdict:   unfit"), "{}", unfit.out);
    assert_eq!(run(&["doctor", "missing.json"]).code, 3);
    let json = run(&["doctor", "-f", "json", "tests/fixtures/no-gpu-events.trace.json.gz"]);
    assert_eq!((json.code, &json.report()["fit"]), (5, &false.into()));
    assert_eq!(json.report()["schema"], "llm-prof.doctor/1");
}

#[test]
fn the_worst_comes_first_and_notes_come_last() {
    let levels: Vec<String> = findings(&["tests/fixtures/merged-tp2.trace.json.gz"]).into_iter().map(|f| f.1).collect();
    let mut sorted = levels.clone();
    sorted.sort_by_key(|level| ["unfit", "limits", "note"].iter().position(|known| known == level));
    assert_eq!(levels, sorted);
    assert!(levels.contains(&"note".to_owned()) && levels.contains(&"limits".to_owned()), "{levels:?}");
}

#[test]
fn triage_has_the_same_list_and_leaves_notes_out_of_its_head() {
    let json = run(&["triage", "-f", "json", PREFILL]).report();
    let codes: Vec<&str> =
        json["fitness"].as_array().expect("a list").iter().filter_map(|fitness| fitness["code"].as_str()).collect();
    let doctor: Vec<String> = findings(&[PREFILL]).into_iter().map(|f| f.0).collect();
    assert_eq!(codes, doctor);
    assert!(codes.contains(&"short-window"));
    assert!(!run(&["triage", PREFILL]).out.contains("short-window"));
}

#[test]
fn each_lack_has_its_name() {
    assert!(has(&["tests/fixtures/gpu-only.trace.json.gz"], "no-launches"));
    assert!(has(&["tests/fixtures/sglang-amd-decode-graph-capture.trace.json.gz"], "capture-only"));
    assert!(has(&["tests/fixtures/trtllm-nvidia-tp2-prefill.trace.json.gz"], "no-stacks"));
    assert!(has(&[VLLM], "one-rank"));
    assert!(has(&["tests/fixtures/broken-events.trace.json.gz"], "broken-events"));
    assert!(has(&["tests/fixtures/silence/foreign-unet.trace.json.gz"], "diffusers-frames"));
    let frontend = "tests/fixtures/vllm-nvidia-piecewise/host_17.async_llm.1767225600.pt.trace.json.gz";
    assert_eq!(findings(&[frontend]).first().map(|f| f.0.clone()).as_deref(), Some("frontend-trace"));
}

#[test]
fn a_fix_speaks_the_words_of_the_framework_and_its_version() {
    let fix = |version: &str| {
        let trace = "tests/fixtures/silence/foreign-accelerator.trace.json.gz";
        run(&["doctor", trace, "--framework", "vllm", "--framework-version", version]).out.replace("\n        ", " ")
    };
    assert!(fix("0.32.0").contains("--profiler-config") && !fix("0.32.0").contains("VLLM_TORCH_PROFILER_DIR"));
    assert!(fix("0.12.0").contains("VLLM_TORCH_PROFILER_DIR") && !fix("0.12.0").contains("--profiler-config"));
}

#[test]
fn a_family_that_only_an_op_could_find_says_that_it_cannot_look() {
    let folder = tempfile::tempdir().expect("a folder");
    let family = folder.path().join("fuse/any");
    std::fs::create_dir_all(&family).expect("a folder");
    let text = "version: 1\nid: any/by-op\ntitle: By op\nkind: fuse\norigin: mainline\nstatus: stable\n\
        sources: [a.py]\nchecked: { date: 2026-11-01, version: \"1\" }\nfused: op(\"x::y\")\nrationale: One.\ntests:\n  \
        - { name: hit, chain: [{ kernel: a, op: \"x::y\" }], expect: fused }\n  \
        - { name: miss, chain: [{ kernel: a, op: \"x::z\" }], expect: none }\n";
    std::fs::write(family.join("by-op.yaml"), text).expect("a file");
    let catalogs = folder.path().to_string_lossy().into_owned();
    let graph = "tests/fixtures/trtllm-nvidia-tp2-decode-graph.trace.json.gz";
    assert!(has(&[graph, "--catalogs", &catalogs], "families-could-not-look"));
    assert!(!has(&[graph], "families-could-not-look"), "no family of ours rests on an op alone");
    assert!(!has(&[PREFILL, "--catalogs", &catalogs], "families-could-not-look"), "ops are known there");
}

fn log(folder: &tempfile::TempDir, text: &str) -> String {
    let path = folder.path().join("server.log");
    std::fs::write(&path, text).expect("a file");
    path.to_string_lossy().into_owned()
}

#[test]
fn a_log_of_the_diffusers_backend_ends_the_work_with_5_and_no_table() {
    let folder = tempfile::tempdir().expect("a folder");
    for line in [
        "[12:00:01] WARNING Falling back to diffusers backend for FluxPipeline",
        "Using diffusers backend for model 'x' (explicitly requested)",
        "INFO: Loaded diffusers pipeline: FluxPipeline",
    ] {
        let done = run(&["triage", PREFILL, "--server-log", &log(&folder, &format!("start\n{line}\nready\n"))]);
        assert_eq!((done.code, done.out.as_str()), (5, ""), "{line}: {}", done.err);
        assert!(done.err.contains("backend") && done.err.contains(":2: ") && done.err.contains(line), "{}", done.err);
    }
    let native = log(&folder, "Using sglang backend\ndiffusers 0.35 is installed\n");
    assert_eq!(run(&["triage", PREFILL, "--server-log", &native]).code, 0);
    assert_eq!(run(&["triage", PREFILL, "--server-log", "missing.log"]).code, 3);
}

#[test]
fn a_fusion_that_the_log_asks_for_and_the_trace_lacks_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let advice = |text: &str| {
        let report = run(&["triage", "-f", "json", VLLM, "--server-log", &log(&folder, text)]).report();
        let row = report["fuse"].as_array().expect("rows").iter().find(|r| r["family"] == "vllm/allreduce-rmsnorm");
        row.expect("the row")["advice"].as_str().expect("advice").to_owned()
    };
    let asked = advice("INFO 11-24 [compilation.py:171] Enabled custom fusions: norm_quant, allreduce_rms\n");
    assert!(asked.contains("Enabled custom fusions: norm_quant, allreduce_rms"), "{asked}");
    assert!(asked.contains("the trace does not have it"), "{asked}");
    let other = advice("INFO 11-24 [compilation.py:171] Enabled custom fusions: norm_quant, act_quant\n");
    assert!(!other.contains("log"), "another fusion says nothing of this one: {other}");
}

#[test]
fn what_sglang_turned_on_by_itself_is_asked_for_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let tp2 = "tests/fixtures/sglang-nvidia-tp2/1767225600-TP-0-DECODE.trace.json.gz";
    let advice = |text: &str| {
        let report = run(&["triage", "-f", "json", tp2, "--server-log", &log(&folder, text)]).report();
        let rows = report["fuse"].as_array().expect("rows").clone();
        let row = rows.iter().find(|row| row["family"] == "sglang/allreduce-rmsnorm-flashinfer");
        row.expect("the row")["advice"].as_str().expect("advice").to_owned()
    };
    let asked = advice("[2026-01-01 00:00:00] Auto-enabling FlashInfer AllReduce Fusion on Hopper\n");
    assert!(asked.contains("Auto-enabling FlashInfer AllReduce Fusion"), "{asked}");
    assert!(!advice("ready\n").contains("Auto-enabling"));
}
