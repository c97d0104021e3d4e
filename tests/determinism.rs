//! What must never show in a report: the number of threads, how the file was packed, the order of events in it.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

const FIXTURES: [&str; 3] = [
    "sglang-amd-prefill.trace.json.gz",
    "sglang-amd-decode-graph.trace.json.gz",
    "vllm-nvidia-tp2-prefill.trace.json.gz",
];

fn fixtures() -> impl Iterator<Item = PathBuf> {
    FIXTURES.iter().map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name))
}

fn json(path: &Path) -> String {
    let mut text = String::new();
    MultiGzDecoder::new(fs::File::open(path).expect("a fixture")).read_to_string(&mut text).expect("JSON");
    text
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).and_then(|()| out.finish()).expect("memory takes it")
}

fn report(path: &Path, more: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_llm-prof"));
    command.args(["triage", "--format", "json", "--min-share", "0"]).arg(path).args(more);
    let done = command.output().expect("the binary starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("UTF-8")
}

/// The reports of several files that take the same place one after the other.
fn reports(files: &[Vec<u8>]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.trace.json.gz");
    let write = |bytes: &Vec<u8>| fs::write(&path, bytes).expect("room");
    files.iter().inspect(|bytes| write(bytes)).map(|_| report(&path, &[])).collect()
}

#[test]
fn the_number_of_threads_never_shows() {
    for path in fixtures() {
        let one = report(&path, &["--threads", "1"]);
        for threads in ["2", "8"] {
            assert_eq!(report(&path, &["--threads", threads]), one, "{threads} threads, {}", path.display());
        }
    }
}

#[test]
fn joined_gzip_members_and_plain_json_never_show() {
    for path in fixtures() {
        let text = json(&path);
        let (first, rest) = text.as_bytes().split_at(text.len() / 3);
        let (second, third) = rest.split_at(rest.len() / 2);
        let joined = [gzip(first), gzip(second), gzip(third)].concat();
        let [whole, joined, plain] = &reports(&[gzip(text.as_bytes()), joined, text.into_bytes()])[..] else {
            panic!("three reports")
        };
        assert!(whole == joined && whole == plain, "{}", path.display());
    }
}

#[test]
fn the_order_of_events_never_shows() {
    for path in fixtures() {
        let mut trace: serde_json::Value = serde_json::from_str(&json(&path)).expect("JSON");
        let in_order = gzip(trace.to_string().as_bytes());
        let events = trace["traceEvents"].as_array_mut().expect("events");
        // A stride that shares no factor with their number visits each once.
        let stride =
            (events.len() / 3..=2 * events.len()).find(|stride| gcd(*stride, events.len()) == 1).expect("there is one");
        *events = (0..events.len()).map(|n| events[n * stride % events.len()].clone()).collect();
        let shuffled = gzip(trace.to_string().as_bytes());
        let [ordered, shuffled] = &reports(&[in_order, shuffled])[..] else { panic!("two reports") };
        assert!(ordered == shuffled, "{}", path.display());
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
