//! Any layout that JSON allows gives the same trace, however the file is cut into blocks.

use super::{dump, in_blocks_of, read, settings};
use crate::trace::{Error, EventKind, GpuKind, Looks, Settings, StringId, Trace, read_from, sniff};
use crate::units::Nanos;

/// A small trace with all that real traces have not: escapes, odd orders, odd types, two layouts.
const ODD: &str = r#"{"schemaVersion": 1, "note": "says \"traceEvents\": [ and \\", "deep": [[[{"a": "]}"}]]],
 "traceEvents": [
  {"ph": "X", "cat": "cpu_op", "name": "aten::mm", "pid": 251, "tid": 251, "ts": 10.001, "dur": 9.5, "args": {"External id": 7, "Input Dims": [[8, 16],
     [16,4], []], "note": "\\"}},
{"ph":"X","cat":"cuda_runtime","name":"launch \"quoted\" \\","pid":251,"tid":"251","ts":11,"dur":"0.5","args":{"correlation":5000000000,"External id":"7","kind":"1"}},
  {"args": {"stream": 7, "correlation": 5000000000, "grid": [1, 2, 3], "x": {"y": "}"}}, "dur": 1e0, "ts": 2.0004e1,
   "tid": 7, "pid": 0, "name": "k\u0065rnel \ud83d\ude00", "cat": "kernel", "ph": "X"},
  {"ph": "X", "cat": "kernel", "name": "kernel 😀", "pid": 0, "tid": "stream 9", "ts": 30, "dur": 0, "args": {"bytes": null}},
  {"ph": "X", "cat": "kernel", "name": "kernel 😀", "pid": 0, "tid": "stream 9", "ts": 31.5, "dur": 0, "args": {"bytes": 12}},
  {"ph": "X", "cat": "python_function", "name": "a.py(1): f", "pid": 251, "tid": 251, "ts": 9, "dur": 20,
   "args": {"Python parent id": null, "Python id": 1}}, {"ph": "f", "id": 1, "pid": 0, "tid": 7, "ts": 1, "cat": "ac2g", "name": "ac2g", "bp": "e"},
  {"ph": "X", "cat": "made_up", "name": "x", "pid": 0, "tid": 7, "ts": 1, "dur": 1},
  {"ph": "X", "cat": "kernel", "name": "late", "pid": 0, "tid": 7, "ts": NaN, "dur": 1},
  {"ph": "X", "cat": "kernel", "name": "back", "pid": 0, "tid": 7, "ts": 1, "dur": -2},
  {"ph": "X", "cat": "kernel", "name": "long", "pid": 0, "tid": 7, "ts": 1, "dur": Infinity},
  {"ph": "X", "cat": "kernel", "name": 5, "pid": 0, "tid": 7, "ts": 1, "dur": 1},
  {"ph": "X", "cat": "kernel", "name": "never", "pid": 0, "tid": 7, "dur": 1}, 17, "text", [1, {"a": 2}], {"ph": "X" 5},
  {"ph": "X", "cat": "cuda_sync", "name": "Stream Wait Event", "pid": 0, "tid": 5, "ts": 1, "dur": 0, "args": {"stream": -1, "wait_on_stream": 7}},
  {"name": "process_name", "ph": "M", "ts": 1, "pid": 0, "tid": 0, "args": {"name": "python3"}},
  {"name": "process_labels", "ph": "M", "ts": 1, "pid": 0, "tid": 0, "args": {"labels": "GPU 0"}},
  {"name": "thread_name", "ph": "M", "ts": 1, "pid": 251, "tid": 251, "args": {"name": "main"}},
  {"name": "sort", "ph": "M", "ts": 1, "pid": 251, "tid": 251, "args": {"sort_index": 3}},
 ],
 "deviceProperties": [{"id": 0}], "traceName": "x"}
"#;

fn text(trace: &Trace, id: StringId) -> &str {
    trace.strings.get(id)
}

#[test]
fn odd_events_are_read_as_json_means_them() {
    let trace = read(ODD.as_bytes()).expect("a trace");
    assert_eq!(trace.events, 22);
    let [first, second, third] = &trace.gpu[..] else { panic!("three kernels, not {:?}", trace.gpu) };
    assert_eq!((first.start, first.dur, first.stream.stream), (Nanos(20_004), Nanos(1_000), 7));
    assert_eq!(
        (first.correlation.get(), first.grid.map(|g| text(&trace, g))),
        (Some(5_000_000_000), Some("[1, 2, 3]"))
    );
    assert_eq!((second.name, second.dur, second.stream.stream), (first.name, Nanos::ZERO, 9));
    assert_eq!((third.start, third.bytes.get(), text(&trace, third.name)), (Nanos(31_500), Some(12), "kernel 😀"));
    let op = trace.ops[0];
    assert_eq!((op.start, op.dims.map(|d| text(&trace, d))), (Nanos(10_001), Some("[[8, 16], [16, 4], []]")));
    let call = trace.runtime[0];
    assert_eq!((text(&trace, call.name), call.lane, call.dur), ("launch \"quoted\" \\", op.lane, Nanos(500)));
    assert_eq!(call.external_id, op.external_id);
    assert_eq!((trace.syncs[0].stream.get(), trace.syncs[0].wait_on_stream.get()), (Some(-1), Some(7)));
    assert_eq!(trace.frames[0].frames().map(|f| text(&trace, f.name)).collect::<Vec<_>>(), ["a.py(1): f"]);
    assert_eq!(trace.lanes[op.lane.0 as usize].name.map(|n| text(&trace, n)), Some("main"));
    assert_eq!(trace.process_names.iter().map(|(_, n)| text(&trace, *n)).collect::<Vec<_>>(), ["python3", "GPU 0"]);
}

#[test]
fn nothing_is_lost_in_silence() {
    let trace = read(ODD.as_bytes()).expect("a trace");
    let skipped = [&trace.skipped.ignored, &trace.skipped.unknown].into_iter().flatten();
    assert_eq!(
        skipped.map(|(what, n)| (what.as_str(), *n)).collect::<Vec<_>>(),
        [("M", 1), ("ac2g", 1), ("made_up", 1)]
    );
    let broken = trace.skipped.broken.iter();
    assert_eq!(
        broken.map(|(why, of)| (why.as_str(), of.count, of.first)).collect::<Vec<_>>(),
        [
            ("dur is negative", 1, 9),
            ("dur is no number", 1, 10),
            ("name is no text", 1, 11),
            ("no JSON object inside its brackets", 1, 16),
            ("no object", 3, 13),
            ("ts is absent", 1, 12),
            ("ts is no number", 1, 8),
        ],
        "how often, and the place of the first in the list of events"
    );
    assert_eq!(trace.warnings, [], "escapes are legal, and so is every layout");
}

#[test]
fn header_values_before_and_after_the_events_are_kept() {
    let trace = read(ODD.as_bytes()).expect("a trace");
    let header: Vec<(&str, &str)> = trace.header.values.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(
        header,
        [
            ("deep", r#"[[[{"a": "]}"}]]]"#),
            ("deviceProperties", r#"[{"id": 0}]"#),
            ("note", r#""says \"traceEvents\": [ and \\""#),
            ("schemaVersion", "1"),
            ("traceName", r#""x""#),
        ]
    );
}

/// Escapes, keys and numbers are all cut somewhere when each block size has its turn.
#[test]
fn block_size_never_shows() {
    let twice = ODD.replace(
        "\"deviceProperties\"",
        &format!(
            "\"traceEvents\": {}, \"dp\"",
            &ODD[ODD.find("[\n").expect("list")..=ODD.rfind("],\n").expect("list")]
        ),
    );
    for json in [ODD.to_owned(), ODD.replace('\n', "\r\n"), format!("\u{feff}\n{ODD}"), twice] {
        let whole = dump(&in_blocks_of(1 << 20, json.as_bytes()).expect("a trace"));
        for block_bytes in (1..=400).chain([511, 1000, 2048, json.len() - 1, json.len()]) {
            let cut = dump(&in_blocks_of(block_bytes, json.as_bytes()).expect("a trace"));
            assert_eq!(cut, whole, "blocks of {block_bytes} bytes");
        }
    }
}

/// The second half of the file meets the layouts that the first half taught, with one thing changed.
#[test]
fn learned_layouts_read_what_the_parser_reads() {
    let event = r#"{"ph": "X", "cat": "kernel", "name": "k", "pid": 0, "tid": 7, "ts": 1.5, "dur": 2, "args": {"stream": 7, "grid": [1, 2], "kind": "x"}}"#;
    let changes = [
        ("", ""),
        ("\"k\"", "\"k\\\"\\\\\""),
        ("\"k\"", "\"k\\u00e9\""),
        ("\"k\"", "17"),
        ("1.5", "\"1.5\""),
        ("1.5", "null"),
        ("1.5", " 1.5"),
        ("1.5", "1.5 "),
        ("1.5", "1.5e+3"),
        ("1.5", "1..5"),
        ("1.5", "[1.5]"),
        ("1.5,", "1.5"),
        ("[1, 2]", "{\"a\": [1]}"),
        ("[1, 2]", "7"),
        ("{\"stream\": 7, \"grid\": [1, 2], \"kind\": \"x\"}", "[{\"stream\": 7}]"),
        ("\"x\"}", "\"x\", \"stream\": 9}"),
        ("\"dur\": 2", "\"dur\": 2, \"dur\": 3"),
        ("\"dur\": 2", "\"dur\": 2, \"cat\": \"gpu_memcpy\""),
        ("\"tid\": 7", "\"tid\": {\"args\": {}}"),
        ("\"x\"}}", "\"x\"}, \"ts\": 9}"),
        ("\"x\"}}", "\"x\"}, \"args\": {\"stream\": 11}}"),
        ("\"ph\"", "\"\\u0070h\""),
        ("kernel", "Kernel"),
        ("kernel", "kern\\u0065l"),
        ("kernel", "no such"),
        ("\"X\"", "\"B\""),
        ("\"X\"", "5"),
        ("7, \"grid\"", "7 , \"grid\""),
        ("{\"ph\"", "{ \"ph\""),
    ];
    let mut events = Vec::new();
    for (from, to) in changes {
        let other = event.replacen(from, to, 1);
        events.extend([event.to_owned(), other.clone(), event.to_owned(), other]);
    }
    let json = format!("{{\"traceEvents\": [{}]}}", events.join(",\n"));
    let with = |learn| read_from("t.json", json.as_bytes(), &Settings { learn, ..settings() }).expect("a trace");
    assert_eq!(dump(&with(true)), dump(&with(false)));
    assert!(with(true).gpu.len() > changes.len() * 2, "most of them are kernels");
}

#[test]
fn the_old_list_form_is_a_trace() {
    let json = br#"
[
  {"ph": "X", "cat": "Kernel", "name": "k", "pid": 0, "tid": "stream 7", "ts": 1606911006433250, "dur": 0, "args": {"external id": 5}},
  {"ph": "X", "cat": "Operator", "name": "aten::mm", "pid": 1, "tid": "1", "ts": 1, "dur": 1, "args": {"Input dims": [[1]]}}
]
"#;
    let trace = read(json).expect("a trace");
    let kernel = trace.gpu[0];
    assert_eq!((kernel.kind, kernel.stream.stream, kernel.external_id.get()), (GpuKind::Kernel, 7, Some(5)));
    assert_eq!(kernel.start, Nanos(1_606_911_006_433_250_000));
    assert_eq!(trace.ops[0].dims.map(|d| text(&trace, d)), Some("[[1]]"));
}

#[test]
fn frames_are_left_out_when_nobody_wants_them() {
    let skipping = Settings { keep_frames: false, ..settings() };
    let trace = read_from("t.json", ODD.as_bytes(), &skipping).expect("a trace");
    assert!(trace.frames.is_empty());
    assert_eq!(trace.skipped.ignored.get("python_function"), Some(&1));
}

#[test]
fn a_frame_that_no_launch_fits_in_is_only_counted() {
    let frame = |dur| format!(r#"{{"ph": "X", "cat": "python_function", "name": "f{dur}", "ts": 1, "dur": {dur}}}"#);
    // Of a layout seen before the category is not looked at again.
    let json = format!(r#"{{"traceEvents": [{}, {}, {}]}}"#, frame("0.5"), frame("0.499"), frame("0"));
    let trace = read_from("t.json", json.as_bytes(), &Settings { shortest_frame: Nanos(500), ..settings() });
    let trace = trace.expect("a trace");
    let names: Vec<&str> = trace.frames.iter().flat_map(|lane| lane.frames()).map(|f| text(&trace, f.name)).collect();
    assert_eq!((names, trace.events), (vec!["f0.5"], 3));
    assert_eq!(trace.skipped.ignored.get("python_function (too short for a launch)"), Some(&2));
}

#[test]
fn bad_escapes_and_control_characters_are_one_warning() {
    let json = "{\"traceEvents\": [{\"ph\": \"X\", \"cat\": \"cpu_op\", \"name\": \"C:\\qwen\", \"ts\": 1, \"dur\": 1},\n\
                {\"ph\": \"X\", \"cat\": \"cpu_op\", \"name\": \"tab\there\", \"ts\": 1, \"dur\": 1},\n\
                {\"ph\": \"X\", \"cat\": \"cpu_op\", \"name\": \"tab\there\", \"ts\": 1, \"dur\": 1}]}";
    let trace = read(json.as_bytes()).expect("a trace");
    assert_eq!(
        trace.ops.iter().map(|o| text(&trace, o.name)).collect::<Vec<_>>(),
        ["C:\\qwen", "tab\there", "tab\there"]
    );
    let [warning] = &trace.warnings[..] else { panic!("one warning, not {:?}", trace.warnings) };
    assert_eq!(warning.code, "repaired");
    assert!(warning.text.starts_with("2 distinct texts"), "{}", warning.text);
}

/// Neither an event nor a nesting is too large.
#[test]
fn one_event_may_be_of_any_size() {
    let (long, deep) = ("n".repeat(700_000), "[".repeat(300_000) + &"]".repeat(300_000));
    let json = format!(
        "{{\"big\": {deep}, \"bigger\": \"{}\", \"traceEvents\": [{{\"ph\": \"X\", \"cat\": \"kernel\", \"name\": \"{long}\", \
         \"ts\": 1, \"dur\": 2, \"args\": {{\"x\": {deep}}}}}, {{\"ph\": \"M\", \"name\": \"x\"}}]}}",
        "b".repeat(3 << 20)
    );
    for block_bytes in [1000, 64 * 1024, 16 << 20] {
        let trace = in_blocks_of(block_bytes, json.as_bytes()).expect("a trace");
        assert_eq!((trace.events, text(&trace, trace.gpu[0].name).len()), (2, 700_000));
        assert_eq!(trace.header.values.keys().collect::<Vec<_>>(), ["big"]);
        assert_eq!(trace.warnings.iter().map(|w| w.code).collect::<Vec<_>>(), ["long-header"]);
    }
}

#[test]
fn what_is_no_trace_is_named() {
    for (bytes, words) in [
        (&b""[..], "an empty file"),
        (b" \n\t ", "an empty file"),
        (b"\xef\xbb", "binary data that begins with ef bb"),
        (b"hello there", "text that begins with `hello there`"),
        (b"{\"a\": 1, \"b\": [{}]}", "its keys: `a`, `b`"),
        (b"{\"a\": 1, \"b\": [", "cut off; its keys: `a`"),
        (b"{\"rocprofiler-sdk-tool\": [{}]}", "rocprofiler-sdk"),
        (b"{\"traceEvents\": 5}", "whose `traceEvents` is no list of events"),
        (b"{}", "a JSON object without keys"),
        (b"[]", "a JSON list without items"),
        (b"[1, 2]", "a JSON list whose 2 items are no trace events"),
        (b"[{\"a\": 1}]", "a JSON list whose 1 items are no trace events"),
        (b"SQLite format 3\0 and more", "Nsight Systems"),
        (b"PK\x03\x04zip", "zip archive"),
        (b"\x00\x01\x02\x03", "binary data that begins with 00 01 02 03"),
        (b"<html>", "web page"),
        (b"\xff\xfe{\0\"\0", "UTF-16"),
        (b"\xfe\xff\0{\0\"", "UTF-16"),
    ] {
        for block_bytes in [1, 5, 1 << 20] {
            match in_blocks_of(block_bytes, bytes) {
                Err(Error::NotATrace { looks_like, .. }) => {
                    assert!(looks_like.contains(words), "{looks_like} / {words}");
                }
                other => panic!("{words}: {other:?}"),
            }
        }
    }
    assert_eq!(read(b"{\"traceEvents\": []}").expect("a trace without events").events, 0);
}

#[test]
fn broken_json_names_the_place() {
    for (json, place) in [
        ("{\"traceEvents\": [}", "byte 17: expected an event, `,` or `]`, found `}`"),
        ("{5: 1}", "byte 1: expected a key in quotes or `}`, found `5`"),
        ("{\"a\" 1}", "byte 5: expected `:` after a key, found `1`"),
        ("{\"a\": }", "byte 6: expected a value, found `}`"),
    ] {
        for block_bytes in [1, 1 << 20] {
            let error = in_blocks_of(block_bytes, json.as_bytes()).expect_err("no JSON").to_string();
            assert!(error.contains(place), "{error}");
        }
    }
}

#[test]
fn the_first_kilobytes_tell_what_a_file_is() {
    let folder = std::env::temp_dir().join(format!("llm-prof-sniff-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("x.bin");
    let looks = |bytes: &[u8]| {
        std::fs::write(&file, bytes).expect("written");
        sniff(&file, &settings()).expect("readable")
    };
    let found = looks(ODD.as_bytes());
    assert_eq!((found.looks, found.keys.len()), (Looks::Trace, 6), "the file is small, so all of it is seen");
    assert_eq!(found.header.values.get("schemaVersion").map(String::as_str), Some("1"));
    assert!(matches!(looks(b"{\"a\": 1}").looks, Looks::Foreign(words) if words.contains("`a`")));
    assert!(matches!(looks(b"").looks, Looks::Foreign(_)));
    assert!(looks(b"").damaged && looks(b"{'a': 1}").damaged && !looks(b"{\"a\": 1}").damaged);
    let broken = "JSON that is broken at byte 1: expected a key in quotes or `}`, found `'`";
    assert_eq!(looks(b"{'a': 1}").looks, Looks::Foreign(broken.to_owned()), "the caller names the file");
    let large = format!("{{\"model_path\": \"{}\"", "x".repeat(1 << 20));
    assert!(matches!(looks(large.as_bytes()).looks, Looks::Foreign(words) if words.contains("server")));
    let late = format!("{{\"a\": \"{}\", \"traceEvents\": []}}", "x".repeat(1 << 20));
    assert_eq!(looks(late.as_bytes()).looks, Looks::Unsure);
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[test]
fn a_kind_needs_its_exact_spelling() {
    let event = |cat| format!("[{{\"ph\": \"X\", \"cat\": \"{cat}\", \"name\": \"k\", \"ts\": 1, \"dur\": 1}}]");
    assert_eq!(read(event("Kernel").as_bytes()).expect("a trace").gpu.len(), 1);
    let shouted = read(event("KERNEL").as_bytes()).expect("a trace");
    assert_eq!((shouted.gpu.len(), shouted.skipped.unknown.get("KERNEL")), (0, Some(&1)));
    assert!(settings().categories.contains(&("gpu_memcpy".to_owned(), EventKind::Gpu(GpuKind::Memcpy))));
}
