//! The program itself: `capture`, `triage --url`, and signals while a profiler runs.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::fake::{Fake, Flavour, Play};

pub(crate) fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_llm-prof"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_remove("LLM_PROF_API_KEY");
    command
}

pub(crate) fn run(args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = program(args).output().expect("the binary starts");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

fn server(folder: &Path, change: impl FnOnce(&mut Play)) -> Fake {
    let mut play = Play::new(Flavour::Sglang, "0.5.23", folder);
    change(&mut play);
    Fake::start(play)
}

#[test]
fn triage_of_a_url_is_a_capture_and_the_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let fake = server(folder.path(), |_| {});
    let dir = out.to_string_lossy();
    let args = [
        "triage",
        "--url",
        &fake.url,
        "--output-dir",
        &dir,
        "--warmup-steps",
        "1",
        "--note",
        "night run",
        "--bucket",
        "p95",
    ];
    let (code, report, said) = run(&args);
    assert_eq!(code, 0, "{said}");
    for part in ["## Kernel table", "### extend/prefill", "### decode", "SGLang", "0.5.23", "night run", "p95"] {
        assert!(report.contains(part), "no `{part}` in:\n{report}");
    }
    assert!(said.contains("SGLang 0.5.23 at http://127.0.0.1") && said.contains("seed "), "{said}");
    assert!(!said.contains('\u{1b}'), "no progress off a terminal: {said}");
}

#[test]
fn a_pair_of_urls_is_a_pair_of_traces() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mapping, formal) = (server(folder.path(), |_| {}), server(folder.path(), |_| {}));
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    let (code, report, said) = run(&[
        "triage",
        "--mapping-url",
        &mapping.url,
        "--formal-url",
        &formal.url,
        "--mapping-output-dir",
        &a.to_string_lossy(),
        "--formal-output-dir",
        &b.to_string_lossy(),
        "--warmup-steps",
        "0",
        "--profile-workload",
        "decode",
        "-f",
        "json",
    ]);
    assert_eq!(code, 0, "{said}");
    assert!(report.contains(r#""mode": "mapping-formal""#), "{report}");
    let prefix = |fake: &Fake| fake.posted("/start_profile")[0]["profile_prefix"].clone();
    assert_eq!((prefix(&mapping), prefix(&formal)), ("mapping-trace-decode".into(), "formal-trace-decode".into()));
}

#[test]
fn capture_says_what_there_is_now() {
    let folder = tempfile::tempdir().expect("a folder");
    let fake = server(folder.path(), |_| {});
    let out = folder.path().join("out");
    let (code, shown, said) = run(&["capture", &fake.url, "-o", &out.to_string_lossy(), "--warmup-steps", "1"]);
    assert_eq!(code, 0, "{said}");
    for part in ["prefill: 5 of 5 steps, 1 file\n", "decode: 5 of 5 steps, 1 file\n", "report: llm-prof triage "] {
        assert!(shown.contains(part), "{shown}");
    }
}

#[test]
fn codes_of_failures_are_those_of_the_help() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().to_string_lossy();
    let (code, _, said) = run(&["capture", "http://127.0.0.1:9", "-o", &dir]);
    assert_eq!(code, 3, "{said}");
    let fake = server(folder.path(), |play| play.disaggregation = Some("prefill"));
    let (code, _, said) = run(&["capture", &fake.url, "-o", &dir]);
    assert_eq!(code, 2, "{said}");
    let log = folder.path().join("server.log");
    std::fs::write(&log, "INFO Falling back to diffusers backend for m\n").expect("it is written");
    let (code, _, said) = run(&["capture", &fake.url, "-o", &dir, "--server-log", &log.to_string_lossy()]);
    assert_eq!(code, 5, "{said}");
    assert!(said.contains("diffusers"), "{said}");
    assert!(fake.posted("/start_profile").is_empty());
}

#[test]
fn one_stage_that_fails_is_reported_and_the_other_one_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    // One prompt of warm-up and five of prefill are answered.
    let fake = server(folder.path(), |play| play.faults.requests_fail = Some((7, 503)));
    let out = folder.path().join("out");
    let (code, report, said) =
        run(&["triage", "--url", &fake.url, "--output-dir", &out.to_string_lossy(), "--warmup-steps", "1"]);
    assert_eq!(code, 3, "{said}");
    assert!(report.contains("### extend/prefill"), "{report}");
    assert!(said.contains("error: decode: "), "{said}");
}

/// What a trace without its end holds is reported when somebody asks for it.
#[test]
fn the_complete_part_of_a_trace_without_its_end_can_be_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let fake = server(folder.path(), |play| play.faults.cut = true);
    let out = folder.path().join("out");
    let args = ["--profile-workload", "decode", "--warmup-steps", "0", "--flush-timeout", "1"];
    let (code, shown, said) = run(&[&["capture", &fake.url, "-o", &out.to_string_lossy()], &args[..]].concat());
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("not whole within 1 s") && said.contains("--flush-timeout"), "{said}");
    let kept = shown.split("kept in ").nth(1).expect("a folder").trim();
    let file = std::fs::read_dir(kept).expect("it is there").next().expect("a file").expect("a file").path();
    let (code, report, said) = run(&["triage", &file.to_string_lossy()]);
    assert_eq!(code, 0, "{said}");
    assert!(report.contains("5 launches") || report.contains("gemm"), "{report}");
}

#[test]
fn a_key_is_in_no_message() {
    let folder = tempfile::tempdir().expect("a folder");
    let fake = server(folder.path(), |play| {
        play.key = Some("k3y");
        play.faults.dies = true;
    });
    let out = folder.path().join("out");
    let (_, shown, said) =
        run(&["capture", &fake.url, "-o", &out.to_string_lossy(), "--api-key", "k3y", "--warmup-steps", "0"]);
    assert!(said.contains("$LLM_PROF_API_KEY"), "the line that stops it: {said}");
    assert!(!said.contains("k3y") && !shown.contains("k3y"), "{said}{shown}");
}

// --- signals -------------------------------------------------------------------------------------------------------

#[cfg(unix)]
fn wait_for(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().expect("kill is there");
    assert!(sent.success());
}

#[cfg(unix)]
fn end(child: Child) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = child.wait_with_output().expect("it ends");
    (status.code(), String::from_utf8_lossy(&stderr).into_owned())
}

/// Decode that stands still after three tokens, so that the capture waits while the profiler runs.
#[cfg(unix)]
fn stuck(folder: &Path, change: impl FnOnce(&mut Play)) -> (Fake, Child) {
    let fake = server(folder, |play| {
        play.tick = Duration::from_millis(300);
        change(play);
    });
    let out = folder.join("out");
    let args = [
        "capture",
        &fake.url,
        "-o",
        &out.to_string_lossy(),
        "--profile-workload",
        "decode",
        "--warmup-steps",
        "0",
        "--num-steps",
        "500",
    ];
    let child = program(&args).spawn().expect("the binary starts");
    wait_for("the profiler runs", || fake.profiles());
    (fake, child)
}

#[cfg(unix)]
#[test]
fn a_signal_stops_the_profiler_once_and_gives_its_code() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let folder = tempfile::tempdir().expect("a folder");
        let (fake, child) = stuck(folder.path(), |_| {});
        signal(&child, name);
        let (ended, said) = end(child);
        assert_eq!(ended, Some(code), "{said}");
        assert!(said.contains("stopping the server's profiler"), "{said}");
        assert!(!fake.profiles());
        assert_eq!(fake.posted("/stop_profile").len(), 1, "{said}");
        wait_for("our requests are cut off", || fake.active() == 0);
    }
}

#[cfg(unix)]
#[test]
fn a_second_signal_waits_no_longer_and_prints_the_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let (fake, child) = stuck(folder.path(), |play| play.faults.stop_hangs = true);
    signal(&child, "-INT");
    wait_for("the stop is sent", || fake.posted("/stop_profile").len() == 1);
    signal(&child, "-INT");
    let (ended, said) = end(child);
    assert_eq!(ended, Some(130), "{said}");
    assert!(said.contains("curl -X POST") && said.contains("/stop_profile"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_signal_before_the_start_touches_no_profiler() {
    let folder = tempfile::tempdir().expect("a folder");
    let fake = server(folder.path(), |play| play.tick = Duration::from_secs(3));
    let out = folder.path().join("out");
    let args = ["capture", &fake.url, "-o", &out.to_string_lossy(), "--profile-workload", "decode"];
    let child = program(&args).spawn().expect("the binary starts");
    wait_for("the warm-up runs", || !fake.posted("/generate").is_empty());
    signal(&child, "-INT");
    let (ended, said) = end(child);
    assert_eq!(ended, Some(130), "{said}");
    assert!(fake.posted("/start_profile").is_empty() && fake.posted("/stop_profile").is_empty());
}

/// The start is under way when the signal comes: its answer is awaited, then it is stopped.
#[cfg(unix)]
#[test]
fn a_signal_amid_the_start_stops_what_was_started() {
    let folder = tempfile::tempdir().expect("a folder");
    let (fake, child) = stuck(folder.path(), |play| play.faults.start_hangs = true);
    signal(&child, "-INT");
    let (ended, said) = end(child);
    assert_eq!(ended, Some(130), "{said}");
    assert_eq!(fake.posted("/stop_profile").len(), 1, "{said}");
    assert!(!fake.profiles());
}

// --- servers without a route ------------------------------------------------------------------------------------------

#[test]
fn a_release_without_the_route_gets_the_variables_of_one_run_for_each_stage() {
    let env = |args: &[&str]| run(&[&["trtllm", "env", "-o", "/data/it's"], args].concat());
    let (code, shown, said) = env(&["--stage", "prefill"]);
    assert_eq!(code, 0, "{said}");
    for line in [
        "export TLLM_PROFILE_START_STOP=11-15\n",
        "export TLLM_TORCH_PROFILE_TRACE='/data/it'\\''s/prefill.json'\n",
        "# then send 10 prompts",
        "llm-prof triage",
    ] {
        assert!(shown.contains(line), "no `{line}` in {shown}");
    }
    let (_, shown, _) = env(&["--stage", "decode", "--warmup-steps", "2", "--num-steps", "7"]);
    assert!(shown.contains("START_STOP=4-10\n") && shown.contains("decode.json"), "{shown}");
    // A shell takes it.
    let script = format!("{shown}printf %s \"$TLLM_TORCH_PROFILE_TRACE\"");
    let out = Command::new("sh").args(["-c", &script]).output().expect("a shell");
    assert_eq!(String::from_utf8_lossy(&out.stdout), "/data/it's/decode.json");
    // A release that leaves out the last step of a window.
    let folder = tempfile::tempdir().expect("a folder");
    let module = folder.path().join("py_executor.py");
    std::fs::write(&module, "if (self.iter_counter in self.profile_stop_iters\n").expect("it is written");
    let (_, shown, _) = env(&["--stage", "prefill", "--source", &module.to_string_lossy()]);
    assert!(shown.contains("START_STOP=11-16\n"), "{shown}");
    assert_eq!(run(&["trtllm", "env"]).0, 2, "a stage is wanted");
}

#[test]
fn a_copy_of_the_profiler_module_records_stacks_and_the_source_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let (source, output) = (folder.path().join("profiling.py"), folder.path().join("copy.py"));
    let text = "NAME = \"TLLM_TORCH_PROFILE_TRACE\"\nclass PyExecutorProfileManager:\n    p = torch.profiler.profile(activities=a, record_shapes=True, with_modules=True)\n";
    let patch = |output: &Path| {
        run(&["trtllm", "patch", "--source", &source.to_string_lossy(), "--output", &output.to_string_lossy()])
    };
    std::fs::write(&source, text).expect("it is written");
    let (code, shown, said) = patch(&output);
    assert_eq!(code, 0, "{said}");
    assert!(shown.contains("pyexecutor/profiling.py with stacks on, line 3"), "{shown}");
    let copy = std::fs::read_to_string(&output).expect("it was written");
    assert_eq!(copy, text.replace("with_modules=True", "with_modules=True, with_stack=True"));
    assert_eq!(std::fs::read_to_string(&source).expect("it is there"), text);
    assert_eq!(patch(&source).0, 2, "never in place");
    // What is not known is refused, and nothing is written.
    std::fs::write(&source, "import torch\n").expect("it is written");
    let other = folder.path().join("other.py");
    let (code, _, said) = patch(&other);
    assert_eq!(code, 5, "{said}");
    assert!(said.contains("profiling.py: this is no file") && said.contains("nothing is written"), "{said}");
    assert!(!other.exists());
    std::fs::remove_file(&source).expect("it is there");
    assert_eq!(patch(&other).0, 3);
}
