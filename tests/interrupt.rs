//! Ctrl-C and SIGTERM end the process at once, with their code, and leave no half file.
#![cfg(unix)]

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn begin(path: &str, output: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_llm-prof"))
        .args(["triage", path, "--format", "json", "--output"])
        .arg(output)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts")
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().expect("kill is there");
    assert!(sent.success() || name == "-TERM", "no process to signal");
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_signal_amid_reading_ends_it_with_the_code_that_shells_expect() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = begin("-", &folder.path().join("out.json"));
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(b"{\"traceEvents\": [").expect("it reads");
        std::thread::sleep(Duration::from_millis(400));
        let begun = Instant::now();
        signal(&child, name);
        let status = child.wait().expect("it ends");
        assert_eq!(status.code(), Some(code), "{name}: {status}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{name}: not at once");
        assert_eq!(files(folder.path()), Vec::<String>::new(), "{name}");
        drop(input);
    }
}

#[test]
fn whenever_the_signal_comes_the_output_is_whole_or_not_there() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sglang-amd-prefill.trace.json.gz");
    for round in 0..16 {
        let folder = tempfile::tempdir().expect("a folder");
        let output = folder.path().join("out.json");
        let mut child = begin(path.to_str().expect("UTF-8"), &output);
        std::thread::sleep(Duration::from_millis(20 * round));
        signal(&child, "-TERM");
        let status = child.wait().expect("it ends");
        // Before the first line of the program the system ends it.
        assert!(matches!(status.code(), Some(0 | 143) | None), "{round}: {status}");
        let left = files(folder.path());
        assert!(left.iter().all(|name| name == "out.json"), "{round}: {left:?}");
        if let Ok(text) = std::fs::read_to_string(&output) {
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{round}: half a file");
        }
    }
}
