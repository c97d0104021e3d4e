//! A fleet into a folder: every trace accounted for, whatever happens to some of them or to the process.

#[path = "../fixtures/generate/all/mod.rs"]
mod all;
#[path = "../common/mod.rs"]
mod common;
#[path = "../fixtures/generate/fleet.rs"]
mod generate;
mod report;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{Done, fixture, llm_prof, triage};
use generate::Made;
use serde_json::Value;
use tempfile::TempDir;

/// A fleet of so many traces.
struct Fleet {
    folder: TempDir,
    made: Made,
}

impl Fleet {
    fn new(traces: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let made = generate::write(&folder.path().join("in"), traces).expect("room");
        Self { folder, made }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    /// Triages all of it into a folder beside.
    fn take(&self, output: &str, more: &[&str]) -> Done {
        llm_prof(&[&["fleet", &self.path("in"), "-o", &self.path(output)][..], more].concat())
    }

    /// Every file of a result, by its path inside.
    fn files(&self, output: &str) -> BTreeMap<String, Vec<u8>> {
        let top = self.folder.path().join(output);
        let mut open = vec![top.clone()];
        let mut files = BTreeMap::new();
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let name = path.strip_prefix(&top).expect("inside").to_string_lossy().into_owned();
                    files.insert(name, fs::read(&path).expect("a file"));
                }
            }
        }
        files
    }

    fn lines(&self, file: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        text.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect()
    }
}

/// A few lines about a result that differs, not the result.
fn same(one: &BTreeMap<String, Vec<u8>>, two: &BTreeMap<String, Vec<u8>>) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(one), names(two));
    let differ: Vec<&String> = one.keys().filter(|name| one[*name] != two[*name]).collect();
    assert!(differ.is_empty(), "{differ:?}");
}

fn texts(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| path.to_string_lossy().into_owned()).collect()
}

#[test]
fn every_input_is_in_the_tables_or_among_the_errors_once() {
    let fleet = Fleet::new(150);
    let done = fleet.take("out", &[]);
    assert_eq!(done.code, 0, "{}", done.err);
    let named = |rows: &[Value], key: &str| -> Vec<String> {
        rows.iter().map(|row| row[key].as_str().expect("a path").to_owned()).collect()
    };
    let mut traces = texts(&fleet.made.traces);
    traces.sort();
    assert_eq!(named(&fleet.lines("out/runs.ndjson"), "trace"), traces);
    let errors = fleet.lines("out/errors.jsonl");
    let mut damaged = texts(&fleet.made.damaged);
    damaged.sort();
    assert!(damaged.len() == 2 && named(&errors, "file") == damaged, "{errors:?}");
    for error in &errors {
        let reason = error["reason"].as_str().expect("a reason");
        assert!(error["code"] == 3 && done.err.contains(reason), "{reason}: {}", done.err);
    }
    assert!(!fleet.made.foreign.is_empty());
    for says in [
        format!("triaged    {:>7}", traces.len()),
        format!("failed     {:>7}", damaged.len()),
        format!("left       {:>7}", fleet.made.foreign.len()),
        format!("reports    {:>7}", traces.len()),
    ] {
        assert!(done.out.contains(&says), "{says}: {}", done.out);
    }
    let reports = fleet.files("out").keys().filter(|name| name.starts_with("reports/")).count();
    assert_eq!(reports, traces.len());
}

#[test]
fn a_report_is_what_triage_writes_and_its_rows_are_what_fleet_tables_prints() {
    let fleet = Fleet::new(12);
    // A trace whose places come from a capture beside it, and arguments of the server beside both.
    let below = fleet.folder.path().join("in/2026-09-01/node000");
    for name in ["sglang-amd-decode-graph.trace.json.gz", "sglang-amd-decode-graph-capture.trace.json.gz"] {
        fs::copy(fixture(name), below.join(name)).expect("room");
    }
    assert_eq!(fleet.take("out", &["-q"]).code, 0);
    let mut tables = BTreeMap::new();
    let rows = fleet.lines("out/runs.ndjson");
    assert_eq!(rows.len(), 13, "the capture is no trace of its own");
    for row in rows {
        let trace = row["trace"].as_str().expect("a path").to_owned();
        let alone = triage(Path::new(&trace));
        assert_eq!(alone.report()["traces"][0]["path"], row["trace"]);
        let kept = fleet.files("out").into_iter().find(|(name, text)| {
            name.starts_with("reports/") && String::from_utf8_lossy(text).contains(&format!("\"path\": \"{trace}\""))
        });
        let (name, text) = kept.expect("its report");
        assert!(text == alone.out.as_bytes(), "{name}");
        for line in llm_prof(&["fleet", "tables", &fleet.path(&format!("out/{name}"))]).out.lines() {
            let row: Value = serde_json::from_str(line).expect("JSON");
            let table: &mut String = tables.entry(row["table"].as_str().expect("a table").to_owned()).or_default();
            table.extend([line, "\n"]);
        }
    }
    for (table, text) in tables {
        assert!(fleet.files("out")[&format!("{table}.ndjson")] == text.as_bytes(), "{table}");
    }
}

#[test]
fn threads_memory_and_the_order_of_inputs_never_show() {
    let fleet = Fleet::new(60);
    assert_eq!(fleet.take("one", &["-q", "-j", "1"]).code, 0);
    assert_eq!(fleet.take("four", &["-q", "-j", "4", "--max-memory", "120M"]).code, 0);
    let list = fleet.path("runs.txt");
    let mut paths = texts(&fleet.made.traces);
    paths.extend(texts(&fleet.made.damaged));
    paths.reverse();
    fs::write(&list, format!("# newest first\n\n{}\r\n", paths.join("\n"))).expect("room");
    let listed = llm_prof(&["fleet", "-q", &format!("@{list}"), "-o", &fleet.path("listed")]);
    assert_eq!(listed.code, 0, "{}", listed.err);
    let glob = format!("{}/*/*/*.gz", fleet.path("in"));
    // All twice, of which each counts once.
    assert_eq!(llm_prof(&["fleet", "-q", &glob, &fleet.path("in"), "-o", &fleet.path("glob")]).code, 0);
    let one = fleet.files("one");
    for other in ["four", "listed", "glob"] {
        same(&one, &fleet.files(other));
    }
}

#[test]
fn what_is_done_is_not_done_again_until_content_rules_or_options_change() {
    let fleet = Fleet::new(24);
    let counts = |done: &Done| -> (u64, u64) {
        let count = |key: &str| {
            let line = done.out.lines().find(|line| line.starts_with(key));
            line.and_then(|line| line[10..].split_whitespace().next()?.parse().ok()).unwrap_or(0)
        };
        (count("triaged"), count("as before"))
    };
    assert_eq!(counts(&fleet.take("out", &[])), (24, 0));
    let first = fleet.files("out");
    assert_eq!(counts(&fleet.take("out", &["-j", "3"])), (0, 24));
    same(&first, &fleet.files("out"));
    // Another trace under one name; then the file of the server's arguments, which three ranks and more have in common.
    fs::copy(&fleet.made.traces[23], &fleet.made.traces[0]).expect("room");
    assert_eq!(counts(&fleet.take("out", &[])), (1, 23));
    fs::write(fleet.folder.path().join("in/2026-09-01/node001/server_args.json"), "{\"tp_size\": 4}").expect("room");
    assert_eq!(counts(&fleet.take("out", &[])), (4, 20));
    assert_eq!(counts(&fleet.take("out", &["--exclude", "sglang/*"])), (24, 0));
    assert_eq!(counts(&fleet.take("out", &["--exclude", "sglang/*"])), (0, 24));
    // One that could be read and cannot any more has no report any more.
    let path = &fleet.made.traces[5];
    fs::write(path, "{\"traceEvents\": [}").expect("room");
    let done = fleet.take("out", &[]);
    assert_eq!((done.code, counts(&done)), (0, (23, 0)));
    let text = path.to_string_lossy();
    assert!(fleet.lines("out/runs.ndjson").iter().all(|row| row["trace"] != *text));
    assert_eq!(fleet.files("out").keys().filter(|name| name.starts_with("reports/")).count(), 23);
    assert_eq!(fleet.lines("out/errors.jsonl").len(), 1);
    // What came before stays when other inputs come.
    let more = fixture("sglang-nvidia-tp4").to_string_lossy().into_owned();
    assert_eq!(llm_prof(&["fleet", "-q", &more, "-o", &fleet.path("out")]).code, 0);
    assert_eq!(fleet.lines("out/runs.ndjson").len(), 27);
}

#[test]
fn an_input_that_is_nothing_stops_no_other_and_nothing_at_all_is_a_failure() {
    let fleet = Fleet::new(4);
    let (empty, text) = (fleet.path("empty"), fleet.path("notes.json"));
    fs::create_dir(&empty).expect("room");
    fs::write(&text, "not a trace").expect("room");
    let bad = [empty.as_str(), &text, "nowhere/x.json", "nowhere/*.json"];
    let done = llm_prof(&[&["fleet", "-o", &fleet.path("out"), &fleet.path("in")][..], &bad].concat());
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(fleet.lines("out/runs.ndjson").len(), 4);
    let errors = fleet.lines("out/errors.jsonl");
    for (path, says) in bad.iter().zip(["no trace found", "no trace: ", "cannot open it", "no file matches"]) {
        let error = errors.iter().find(|error| error["file"] == *path).unwrap_or_else(|| panic!("{path}: {errors:?}"));
        let reason = error["reason"].as_str().expect("a reason");
        assert!(reason.contains(says) && done.err.contains(reason), "{reason}");
    }
    for args in [&bad[..1], &bad] {
        let done = llm_prof(&[&["fleet", "-o", &fleet.path("none")][..], args].concat());
        assert!(done.code == 3 && done.err.contains("no trace found"), "{}", done.err);
    }
    for (args, says) in
        [(["fleet", "-", "-o", "x"], "a fleet reads files"), (["fleet", "@nowhere.txt", "-o", "x"], "cannot read it")]
    {
        let done = llm_prof(&args);
        assert!(matches!(done.code, 2 | 3) && done.err.contains(says), "{}", done.err);
    }
}

/// The reports in it are no traces of the next night.
#[test]
fn a_result_inside_of_its_input_is_not_read() {
    let fleet = Fleet::new(4);
    for _ in 0..2 {
        let done = fleet.take("in/out", &[]);
        assert!(done.code == 0 && !done.out.contains("left"), "{}", done.out);
        assert_eq!(fleet.lines("in/out/runs.ndjson").len(), 4);
    }
}

#[test]
fn two_at_once_are_told_apart_and_the_lock_of_a_dead_one_is_taken_over() {
    let fleet = Fleet::new(4);
    assert_eq!(fleet.take("out", &[]).code, 0);
    let before = fleet.files("out");
    let lock = fs::OpenOptions::new().write(true).open(fleet.path("out/.llm-prof-fleet.lock")).expect("the lock");
    lock.lock().expect("free");
    fs::write(fleet.path("out/.llm-prof-fleet.lock"), "4711").expect("room");
    let second = fleet.take("out", &[]);
    assert!(second.code == 2 && second.err.contains("another llm-prof (process 4711) writes there"), "{}", second.err);
    drop(lock);
    let third = fleet.take("out", &[]);
    assert!(third.code == 0 && third.err.contains("process 4711 did not come to its end there"), "{}", third.err);
    same(&before, &fleet.files("out"));
    // A table of somebody else is not written over.
    fs::create_dir(fleet.path("theirs")).expect("room");
    fs::write(fleet.path("theirs/steps.ndjson"), "theirs").expect("room");
    let done = fleet.take("theirs", &[]);
    assert!(done.code == 2 && done.err.contains("did not write"), "{}", done.err);
    assert_eq!(fleet.files("theirs").len(), 1);
}

/// Waits until some parts are there.
fn begun(folder: &Path) {
    let begin = Instant::now();
    let parts = || fs::read_dir(folder.join("parts")).map_or(0, Iterator::count);
    while parts() < 5 && begin.elapsed() < Duration::from_mins(1) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn no_half_file(files: &BTreeMap<String, Vec<u8>>) {
    assert!(files.keys().all(|name| !name.ends_with(".partial")), "{:?}", files.keys());
    for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".ndjson")) {
        let last = text.split(|byte| *byte == b'\n').next_back().unwrap_or_default();
        assert!(last.is_empty(), "{name} ends within a line");
    }
    for (name, text) in files.iter().filter(|(name, _)| name.starts_with("reports/")) {
        assert!(serde_json::from_slice::<Value>(text).is_ok(), "{name} is half a report");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_with_130_and_the_same_command_goes_on() {
    let fleet = Fleet::new(150);
    assert_eq!(fleet.take("whole", &["-q"]).code, 0);
    let mut child = Command::new(env!("CARGO_BIN_EXE_llm-prof"))
        .args(["fleet", "-j", "2", &fleet.path("in"), "-o", &fleet.path("out")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    begun(&fleet.folder.path().join("out"));
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill is there");
    assert!(sent.success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let half = fleet.files("out");
    no_half_file(&half);
    assert!(half.keys().all(|name| name != "runs.ndjson"), "no table of a part");
    let done = fleet.take("out", &[]);
    assert!(done.code == 0 && done.out.contains("as before"), "{}{}", done.out, done.err);
    same(&fleet.files("whole"), &fleet.files("out"));
}

/// Also without a word from the process: nothing that it did not finish is taken for done.
#[cfg(unix)]
#[test]
fn a_killed_process_leaves_a_folder_that_the_same_command_completes() {
    let fleet = Fleet::new(150);
    assert_eq!(fleet.take("whole", &["-q"]).code, 0);
    let mut child = Command::new(env!("CARGO_BIN_EXE_llm-prof"))
        .args(["fleet", &fleet.path("in"), "-o", &fleet.path("out")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    begun(&fleet.folder.path().join("out"));
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    let done = fleet.take("out", &[]);
    assert!(done.code == 0 && done.err.contains("did not come to its end"), "{}{}", done.out, done.err);
    let left: Vec<String> = fleet.files("out").into_keys().filter(|name| name.ends_with(".partial")).collect();
    assert_eq!(left, [""; 0]);
    same(&fleet.files("whole"), &fleet.files("out"));
}

/// A limit on the size of files is met as a full disk is: a write fails.
#[cfg(unix)]
#[test]
fn a_disk_that_takes_no_more_is_told_and_nothing_is_half_written() {
    let fleet = Fleet::new(16);
    assert_eq!(fleet.take("whole", &["-q"]).code, 0);
    // In blocks of 1024 bytes: no report fits, then all reports and no table.
    let largest = |folder: &str| {
        let files = fleet.files("whole");
        files.iter().filter(|(name, _)| name.starts_with(folder)).map(|(_, text)| text.len()).max().unwrap_or(0)
    };
    let reports = largest("reports/").max(largest("parts/")) / 1024 + 1;
    assert!(largest("kernels.ndjson") / 1024 > reports);
    for (blocks, kept) in [(2, 0), (reports, 16)] {
        let done = Command::new("bash")
            .args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", &blocks.to_string()])
            .args([env!("CARGO_BIN_EXE_llm-prof"), "fleet", &fleet.path("in"), "-o", &fleet.path("out")])
            .output()
            .expect("bash is there");
        let err = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{err}");
        assert!(err.contains("cannot write there: File too large"), "{err}");
        assert!(err.contains("what was done is kept"), "{err}");
        let files = fleet.files("out");
        no_half_file(&files);
        assert_eq!(files.keys().filter(|name| name.starts_with("parts/")).count(), kept);
        assert!(!files.contains_key("runs.ndjson"), "all tables or none");
    }
    assert_eq!(fleet.take("out", &["-q"]).code, 0);
    same(&fleet.files("whole"), &fleet.files("out"));
}
