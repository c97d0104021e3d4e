//! What goes wrong, what is said, and which exit code tells.

use std::io::{self, Write};

use llm_prof::cli::Streams;

use super::{DECODE, PREFILL, run};

#[test]
fn wrong_usage_is_2() {
    for args in [
        &["triage"][..],
        &["report", PREFILL],
        &["triage", PREFILL, "--min-share", "x"],
        &["triage", PREFILL, "--stage", "warm"],
        &["triage", PREFILL, "--framework", "vlm"],
        &["explain", "sglang/qk-norm-rop", PREFILL],
    ] {
        let done = run(args);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{args:?}: {}", done.err);
        assert!(!done.err.is_empty());
    }
    assert!(run(&["triage", PREFILL, "--framework", "vlm"]).err.contains("did you mean vllm?"));
    assert!(run(&["explain", "sglang/qk-norm-rop", PREFILL]).err.contains("did you mean sglang/qk-norm-rope?"));
}

#[test]
fn an_input_that_cannot_be_read_is_3_and_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_string_lossy().into_owned()
    };
    let (empty, foreign) = (path("empty.json", ""), path("x.json", "{\"a\": [1, 2]}"));
    let nothing = folder.path().join("none");
    std::fs::create_dir(&nothing).expect("a folder");
    for bad in ["missing.json", &empty, &foreign, &nothing.to_string_lossy(), "tests/fixtures/not-a-trace.json"] {
        let done = run(&["triage", bad]);
        assert_eq!((done.code, done.out.as_str()), (3, ""), "{bad}: {}", done.err);
        assert!(done.err.starts_with("error: ") && done.err.contains("trace"), "{bad}: {}", done.err);
    }
}

/// One damaged file of a folder is left, and said; asked for by name, or alone, it ends the run.
#[test]
fn a_damaged_file_of_a_folder_costs_the_others_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let mut damaged = std::fs::read(PREFILL).expect("the fixture is there");
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    std::fs::write(path("1-EXTEND.trace.json.gz"), &damaged).expect("a file");
    let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let (whole, file) = (text(folder.path()), text(&path("1-EXTEND.trace.json.gz")));
    let alone = run(&["triage", &whole]);
    assert!(alone.code == 3 && alone.out.is_empty() && alone.err.contains("checksum"), "{}", alone.err);

    std::fs::copy(DECODE, path("1-DECODE.trace.json.gz")).expect("a file");
    let capture = "1-EXTEND-capture.trace.json.gz";
    std::fs::copy(DECODE.replace("-graph", "-graph-capture"), path(capture)).expect("a file");
    let done = run(&["triage", "-f", "json", &whole]);
    assert!(done.code == 0 && done.err.contains("checksum") && done.err.contains("it is not used"), "{}", done.err);
    let report = done.report();
    let left = report["traces"].as_array().expect("traces").iter().find(|info| info["path"] == file).expect("listed");
    assert_eq!(left["taken"], false);
    assert!(left["reason"].as_str().is_some_and(|reason| reason.starts_with("damaged at byte ")), "{left}");
    assert!(report["traces"].as_array().is_some_and(|traces| traces.len() == 3), "{}", report["traces"]);
    assert!(report["kernels"].as_array().is_some_and(|rows| rows.len() > 5));
    assert_eq!(run(&["triage", &file, &text(&path("1-DECODE.trace.json.gz"))]).code, 3);
}

#[test]
fn a_device_or_rank_that_is_not_there_is_3_and_the_others_are_named() {
    let merged = "tests/fixtures/merged-tp2.trace.json.gz";
    for (path, args) in [(PREFILL, ["--device", "99"]), (merged, ["--device", "99"]), (merged, ["--rank", "5"])] {
        let done = run(&["triage", path, args[0], args[1]]);
        assert_eq!((done.code, done.out.as_str()), (3, ""), "{path} {args:?}: {}", done.err);
        assert!(done.err.contains("devices that have: "), "{}", done.err);
    }
    assert!(run(&["triage", merged, "--rank", "5"]).err.contains("[TP00] 0"));
    assert_eq!(run(&["triage", merged, "--rank", "0"]).code, 0);
    let other = run(&["triage", PREFILL, "--rank", "7"]);
    assert_eq!(other.code, 3);
    assert!(other.err.contains("this is rank 0, not rank 7"), "{}", other.err);
}

#[test]
fn a_stage_that_is_not_there_leaves_empty_tables_that_name_what_is() {
    let done = run(&["triage", PREFILL, "--stage", "decode", "-f", "json"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.report()["summary"], "No GPU event in the stage asked for; the trace has extend/prefill.");
}

#[test]
fn trace_events_that_are_no_list_are_said_to_be_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.json");
    std::fs::write(&path, "{\"traceEvents\": 5}").expect("a file");
    let done = run(&["triage", &path.to_string_lossy()]);
    assert_eq!(done.code, 3);
    assert!(done.err.contains("whose `traceEvents` is no list of events"), "{}", done.err);
}

#[test]
fn rules_that_do_not_load_are_4_and_a_failed_check_is_1() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("terms.yaml"), "version: 1\nterms: 3\n").expect("a file");
    let rules = folder.path().to_string_lossy().into_owned();
    let done = run(&["triage", PREFILL, "--rules", &rules]);
    assert_eq!(done.code, 4);
    assert!(done.err.contains("terms.yaml"), "{}", done.err);
    assert_eq!(run(&["rules", "check", "--rules", &rules]).code, 1);
    assert_eq!(run(&["triage", PREFILL, "--rules", "no/such/folder"]).code, 4);
}

#[test]
fn a_trace_without_gpu_events_is_0_and_says_why() {
    let done = run(&["triage", "tests/fixtures/no-gpu-events.trace.json.gz"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains("No row: No GPU event."), "{}", done.out);
}

/// A reader that goes away, as `head` does.
struct Gone;

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_broken_pipe_ends_quietly() {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut gone = Gone;
    let mut streams = Streams::buffers(&mut out, &mut err);
    streams.out = &mut gone;
    let args = ["llm-prof", "triage", PREFILL].map(std::ffi::OsString::from);
    assert_eq!(llm_prof::cli::run(args, &mut streams), 0);
    assert!(err.is_empty());
}
