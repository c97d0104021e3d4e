//! Bad input: a clear message with the file in it, the documented exit code, never a panic, and no good event lost.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

mod common;

const READ: i32 = 0;
const USAGE: i32 = 2;
const NO_TRACE: i32 = 3;

/// Writes a file for one test.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(path.parent().expect("the path has a folder")).expect("the target folder is writable");
    std::fs::write(&path, bytes).expect("the target folder is writable");
    path
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut out).expect("a fixture is whole");
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).expect("memory is enough");
    out.finish().expect("memory is enough")
}

/// The small trace of the layout fixtures, as text.
fn small() -> String {
    let bytes = std::fs::read(common::fixture("layouts/one-line.trace.json.gz")).expect("the fixture is there");
    String::from_utf8(gunzip(&bytes)).expect("the fixture is text")
}

/// The small trace with events more at the front.
fn with(events: &str) -> Vec<u8> {
    small().replacen("\"traceEvents\": [", &format!("\"traceEvents\": [{events}, "), 1).into_bytes()
}

fn kernel(fields: &str) -> Vec<u8> {
    with(&format!("{{\"ph\": \"X\", \"cat\": \"kernel\", \"pid\": 0, \"tid\": 7, {fields}}}"))
}

/// Kernels of a report: name, microseconds, launches.
fn kernels(report: &Value) -> Vec<(String, f64, i64)> {
    let rows = report["kernels"].as_array().expect("a report has a kernel table");
    let mut list: Vec<_> = rows
        .iter()
        .map(|row| {
            let name = row["name"].as_str().unwrap_or_default().to_owned();
            (name, row["time_us"].as_f64().unwrap_or(-1.0), row["launches"].as_i64().unwrap_or(-1))
        })
        .collect();
    list.sort_by(|one, two| one.0.cmp(&two.0));
    list
}

struct Case {
    name: &'static str,
    path: PathBuf,
    /// Which of these; several where the file is cut off and may hold nothing.
    codes: &'static [i32],
    /// Words of which the message must hold one, in lower case; none: any message will do.
    hints: &'static [&'static str],
}

fn case(name: &'static str, path: PathBuf, codes: &'static [i32], hints: &'static [&'static str]) -> Case {
    Case { name, path, codes, hints }
}

fn unreadable() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile-folder");
    std::fs::create_dir_all(&folder).expect("the target folder is writable");
    std::fs::write(folder.join("notes.txt"), "no trace").expect("the target folder is writable");
    let mut cut = gzip(small().as_bytes());
    cut.truncate(20);
    vec![
        case(
            "a missing file",
            PathBuf::from("hostile-no-such.trace.json.gz"),
            &[NO_TRACE],
            &["no such file", "not found", "does not exist"],
        ),
        case("an empty file", file("hostile-empty.trace.json", b""), &[NO_TRACE], &["empty"]),
        case("an empty gzip", file("hostile-nothing.trace.json.gz", &gzip(b"")), &[NO_TRACE], &["empty"]),
        case("a folder without traces", folder, &[NO_TRACE], &["no trace"]),
        case("the output of another profiler", common::fixture("not-a-trace.json"), &[NO_TRACE], &["rocprof"]),
        case(
            "JSON that is no trace",
            file("hostile-config.json", b"{\"model\": \"x\", \"layers\": [1, 2]}"),
            &[NO_TRACE],
            &["traceevents"],
        ),
        case("a JSON text", file("hostile-text.json", b"\"traceEvents\""), &[NO_TRACE], &[]),
        case("no JSON", file("hostile-log.trace.json", b"INFO 12:00:01 server started\n"), &[NO_TRACE], &[]),
        case("zero bytes", file("hostile-zero.trace.json", &[0; 4096]), &[NO_TRACE], &[]),
        case("a gzip header and no more", file("hostile-head.trace.json.gz", &cut), &[NO_TRACE], &[]),
        case("gzip by name only", file("hostile-name.trace.json.gz", b"hello"), &[NO_TRACE], &[]),
        case(
            "a trace with no event",
            file("hostile-none.json", b"{\"schemaVersion\": 1, \"traceEvents\": []}"),
            &[READ],
            &[],
        ),
        case("a list with no event", file("hostile-list.json", b"[]"), &[READ, NO_TRACE], &[]),
        case("deep brackets", file("hostile-deep.json", "[".repeat(200_000).as_bytes()), &[NO_TRACE], &[]),
        case(
            "deep brackets in a field",
            file(
                "hostile-deep-field.json",
                format!("{{\"traceEvents\": [], \"x\": {}", "[".repeat(200_000)).as_bytes(),
            ),
            &[READ],
            &[],
        ),
    ]
}

#[test]
fn what_is_no_trace_gets_its_exit_code_and_a_message_that_names_it() {
    for case in unreadable() {
        let done = common::triage(&case.path);
        assert!(case.codes.contains(&done.code), "{}: exit {}: {}", case.name, done.code, done.err);
        if done.code == READ {
            continue;
        }
        let file = case.path.file_name().expect("a case is a file").to_string_lossy().into_owned();
        assert!(done.err.contains(&file), "{}: the message does not name {file}: {}", case.name, done.err);
        let message = done.err.to_lowercase();
        assert!(
            case.hints.is_empty() || case.hints.iter().any(|hint| message.contains(hint)),
            "{}: the message says none of {:?}: {}",
            case.name,
            case.hints,
            done.err
        );
        assert_eq!(done.out, "", "{}: half a report", case.name);
    }
}

#[test]
fn wrong_usage_is_told_apart_from_a_bad_trace() {
    assert_eq!(common::llm_prof(&["triage", "--format", "yaml", "x.json"]).code, USAGE);
    assert_eq!(common::llm_prof(&["triage", "--no-such-flag"]).code, USAGE);
    assert_eq!(common::llm_prof::<&str>(&["triage"]).code, USAGE);
}

/// One bad event among good ones: the good ones stand, whatever the bad one is.
#[test]
fn a_bad_event_costs_no_good_one() {
    let good = kernels(&common::triage(&common::fixture("layouts/one-line.trace.json.gz")).report());
    assert_eq!(good.iter().map(|row| row.2).sum::<i64>(), 12);
    let long = "x".repeat(1_000_000);
    let cases = [
        ("a time that is no number", kernel("\"name\": \"bad\", \"ts\": \"soon\", \"dur\": 1")),
        ("a time that is null", kernel("\"name\": \"bad\", \"ts\": null, \"dur\": 1")),
        ("no time", kernel("\"name\": \"bad\", \"dur\": 1")),
        ("a duration that is a list", kernel("\"name\": \"bad\", \"ts\": 3000000000000.0, \"dur\": [1]")),
        ("a negative duration", kernel("\"name\": \"bad\", \"ts\": 3000000000000.0, \"dur\": -1")),
        ("NaN", kernel("\"name\": \"bad\", \"ts\": NaN, \"dur\": 1")),
        ("a duration of NaN", kernel("\"name\": \"bad\", \"ts\": 3000000000000.0, \"dur\": NaN")),
        ("Infinity", kernel("\"name\": \"bad\", \"ts\": -Infinity, \"dur\": Infinity")),
        ("a number no clock has", kernel("\"name\": \"bad\", \"ts\": 1e400, \"dur\": 1")),
        ("a name that is a number", kernel("\"name\": 7, \"ts\": 3000000000000.0, \"dur\": 1")),
        ("no name", kernel("\"ts\": 3000000000000.0, \"dur\": 1")),
        (
            "a name of a million characters",
            kernel(&format!("\"name\": \"{long}\", \"ts\": 3000000000000.0, \"dur\": 1")),
        ),
        (
            "arguments that are a text",
            kernel("\"name\": \"bad\", \"ts\": 3000000000000.0, \"dur\": 1, \"args\": \"none\""),
        ),
        (
            "unknown keys",
            kernel("\"name\": \"bad\", \"ts\": 3000000000000.0, \"dur\": 1, \"new\": {\"deep\": [1, {}]}"),
        ),
        ("a control character in a name", kernel("\"name\": \"ba\u{1}d\", \"ts\": 3000000000000.0, \"dur\": 1")),
        ("a wrong escape in a name", kernel("\"name\": \"ba\\qd\", \"ts\": 3000000000000.0, \"dur\": 1")),
        ("an event that is null", with("null")),
        ("an event that is a list", with("[1, 2, [3]]")),
        ("an event that is a text", with("\"}, {\"")),
        ("an empty event", with("{}")),
        (
            "a launch of a million correlations",
            with(
                "{\"ph\": \"X\", \"cat\": \"cuda_runtime\", \"name\": \"cudaLaunchKernel\", \"pid\": 1, \"tid\": 1, \"ts\": 3000000000000.0, \"dur\": 1, \"args\": {\"correlation\": 99999999999999999999999999}}",
            ),
        ),
    ];
    for (at, (name, bytes)) in cases.iter().enumerate() {
        let done = common::triage(&file(&format!("hostile-event-{at}.trace.json"), bytes));
        assert_eq!(done.code, READ, "{name}: {}", done.err);
        let found = kernels(&done.report());
        for row in &good {
            assert!(found.contains(row), "{name}: lost {row:?}");
        }
    }
}

#[test]
fn broken_events_are_skipped_and_counted_once() {
    let good = kernels(&common::triage(&common::fixture("layouts/one-line.trace.json.gz")).report());
    let done = common::triage(&common::fixture("broken-events.trace.json.gz"));
    assert_eq!(done.code, READ, "{}", done.err);
    let report = done.report();
    let found = kernels(&report);
    for row in &good {
        assert!(found.contains(row), "lost {row:?}");
    }
    let said: Vec<&Value> = report["fitness"].as_array().into_iter().flatten().collect();
    let broken: Vec<&&Value> = said.iter().filter(|fitness| fitness["code"] == "broken-events").collect();
    let [broken] = broken[..] else { panic!("what was skipped is said once: {said:?}") };
    let finding = broken["finding"].as_str().unwrap_or_default();
    assert!(finding.contains(", first traceEvents[3]"), "nothing says where: {finding}");
}

/// However the small trace is written down, it says the same.
#[test]
fn every_layout_gives_the_same_kernels() {
    let layouts = std::fs::read_dir(common::fixture("layouts")).expect("the fixtures are there");
    let want = kernels(&common::triage(&common::fixture("layouts/one-line.trace.json.gz")).report());
    for entry in layouts {
        let path = entry.expect("the fixtures are readable").path();
        let done = common::triage(&path);
        assert_eq!(done.code, READ, "{}: {}", path.display(), done.err);
        assert_eq!(kernels(&done.report()), want, "{}", path.display());
    }
}

/// A file cut off anywhere is either read, with one warning, or refused by name; its complete events count.
#[test]
fn a_cut_file_gives_its_complete_events() {
    let text = small();
    let bytes = text.as_bytes();
    let whole = kernels(&common::triage(&common::fixture("layouts/one-line.trace.json.gz")).report());
    for part in 1..12 {
        let cut = bytes.len() * part / 12 + part;
        let complete = text[..cut].matches("\"cat\": \"kernel\"").count();
        for (ending, packed) in [("json", bytes[..cut].to_vec()), ("json.gz", gzip(&bytes[..cut]))] {
            let path = file(&format!("hostile-cut-{part}.trace.{ending}"), &packed);
            let done = common::triage(&path);
            assert!(done.code == READ || done.code == NO_TRACE, "cut at {cut}: {}", done.err);
            if done.code == NO_TRACE {
                assert!(complete == 0, "cut at {cut}: {complete} kernels were there: {}", done.err);
                continue;
            }
            let report = done.report();
            let found: i64 = kernels(&report).iter().map(|row| row.2).sum();
            // The last kernel that begins before the cut may itself be cut.
            let complete = i64::try_from(complete).expect("a dozen");
            assert!((complete - 1..=complete).contains(&found), "cut at {cut}: {found} of {complete} kernels");
            assert!(
                report["traces"][0]["warnings"].as_array().is_some_and(|list| !list.is_empty()),
                "cut at {cut}: nothing says that the file is cut off"
            );
            for (name, _, _) in kernels(&report) {
                assert!(whole.iter().any(|row| row.0 == name), "cut at {cut}: {name} is no kernel of the trace");
            }
        }
    }
}

/// A gzip stream cut in the middle loses its end, not what came before.
#[test]
fn a_cut_gzip_gives_what_can_be_unpacked() {
    let packed = std::fs::read(common::fixture("sglang-amd-prefill.trace.json.gz")).expect("the fixture is there");
    let cut = packed.len() * 95 / 100;
    let done = common::triage(&file("hostile-cut-gzip.trace.json.gz", &packed[..cut]));
    assert_eq!(done.code, READ, "{}", done.err);
    let report = done.report();
    assert!(!kernels(&report).is_empty(), "the events before the cut are lost");
    assert!(report["traces"][0]["warnings"].as_array().is_some_and(|list| !list.is_empty()));
}

/// No input may end in a panic: noise at every part of a file.
#[test]
fn noise_never_panics() {
    let text = small();
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    for round in 0..40 {
        let mut bytes = text.clone().into_bytes();
        for _ in 0..=round {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let at = usize::try_from(state % bytes.len() as u64).expect("an index");
            bytes[at] = (state >> 32) as u8;
        }
        let done = common::triage(&file(&format!("hostile-noise-{round}.trace.json"), &bytes));
        assert!(done.code == READ || done.code == NO_TRACE, "round {round}: exit {}: {}", done.code, done.err);
    }
}
