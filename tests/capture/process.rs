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
