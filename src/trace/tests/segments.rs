//! What several threads read of a plain file is what one reads.

use std::io::{self, Cursor, Read};
use std::ops::Range;

use super::{dump, settings};
use crate::trace::segments::in_parts;
use crate::trace::{Settings, Trace, read_from};

/// Read in so many parts; none when the cuts are no good.
pub(super) fn in_parts_of(parts: u64, json: &[u8], settings: &Settings) -> Option<Trace> {
    let open = |range: Range<u64>| -> io::Result<Box<dyn Read + Send>> {
        let bytes = json[range.start as usize..range.end as usize].to_vec();
        Ok(Box::new(Cursor::new(bytes)))
    };
    in_parts("t.json", &open, json.len() as u64, parts, settings).map(|read| read.expect("a trace"))
}

/// Kernels, calls, ops, frames, names of threads; texts with escapes and lists over several lines; odd events.
fn events(count: u64, line: &str) -> Vec<String> {
    let event = |n: u64| {
        let thread = format!(r#""pid": {}, "tid": {}"#, n % 3, n % 5);
        let time = format!(r#""ts": {}.{:03}, "dur": {}"#, 1000 + n * 7 / 3, n * 41 % 1000, n % 9);
        match n % 13 {
            0 => format!(
                r#"{{"ph": "X", "cat": "kernel", "name": "k{} \"q\" \\", {thread}, {time}, "args": {{"stream": {}, "correlation": {n}, "grid": [{line}1, {line}2, 3], "Process Group Name": "g{}"}}}}"#,
                n % 17,
                n % 4,
                n % 2
            ),
            1 => format!(
                r#"{{"ph": "X", "cat": "cuda_runtime", "name": "launch{}", {thread}, {time}, "args": {{"correlation": {n}, "kernel": "k{}"}}}}"#,
                n % 3,
                n % 17
            ),
            2 => format!(
                r#"{{"ph": "X", "cat": "cpu_op", "name": "op{}", {thread}, {time}, "args": {{"External id": {n}, "Input Dims": [[{}, 2], []]}}}}"#,
                n / 40,
                n % 7
            ),
            3 => format!(r#"{{"ph": "M", "name": "thread_name", {thread}, "args": {{"name": "thread {n}"}}}}"#),
            4 => format!(r#"{{"ph": "X", "cat": "unknown{}", "name": "x", {thread}, {time}}}"#, n % 2),
            5 => format!(r#"{{"ph": "X", "cat": "kernel", "name": "broken", {thread}, "ts": "no", "dur": 1}}"#),
            // What looks like an event and is none.
            6 => format!(
                r#"{{"ph": "X", "cat": "user_annotation", "name": ", {{\"ph\": \"X\"", {thread}, {time}, "args": {{"list": [1, {{"ph": "X", "name": "inner"}}]}}}}"#
            ),
            7 => format!("{{\"ph\": \"X\", \"cat\": \"cpu_op\", \"name\": \"tab\t{}\", {thread}, {time}}}", n % 4),
            8 => format!(
                r#"{{"ph": "X", "cat": "cuda_sync", "name": "s", {thread}, {time}, "args": {{"stream": 1, "correlation": {n}}}}}"#
            ),
            _ => format!(
                r#"{{"ph": "X", "cat": "python_function", "name": "f{}.py(1): g", {thread}, {time}}}"#,
                n * n % 23
            ),
        }
    };
    (0..count).map(event).collect()
}

fn whole(json: &str, settings: &Settings) -> Trace {
    read_from("t.json", json.as_bytes(), settings).expect("a trace")
}

#[test]
fn parts_of_every_number_give_what_one_thread_gives() {
    let settings = Settings { block_bytes: 300, ..settings() };
    for (between, line) in [(", ", ""), (",\n", ""), ("\n ,\n  ", "\n      ")] {
        let list = events(400, line).join(between);
        for json in [
            format!(
                r#"{{"schemaVersion": 1, "deviceProperties": [{{"id": 0}}], "traceEvents": [{list}], "traceName": "x"}}"#
            ),
            format!("[{list}]"),
            // Cut off inside the last event.
            format!(r#"{{"traceEvents": [{list}, {{"ph": "X", "cat": "ker"#),
        ] {
            let whole = dump(&whole(&json, &settings));
            let mut parted = 0;
            for parts in 2..60 {
                if let Some(trace) = in_parts_of(parts, json.as_bytes(), &settings) {
                    assert_eq!(dump(&trace), whole, "{parts} parts");
                    parted += 1;
                }
            }
            assert!(parted > 40, "only {parted} times was the file read in parts");
        }
    }
}

/// A list of events within an event, as long as several parts: cuts in it are wrong, and it is read on from the last
/// right one.
#[test]
fn from_a_wrong_cut_on_the_rest_is_read_by_one_thread() {
    let inner = events(150, "").join(", ");
    let (first, last) = (events(100, "").join(", "), events(50, "").join(", "));
    let odd = format!(
        r#"{{"ph": "X", "cat": "user_annotation", "name": "odd", "pid": 1, "tid": 1, "ts": 5, "dur": 1, "args": {{"list": [{inner}]}}}}"#
    );
    let json = format!(r#"{{"traceEvents": [{first}, {odd}, {last}]}}"#);
    let one = whole(&json, &settings());
    let parted = in_parts_of(12, json.as_bytes(), &settings()).expect("its first cuts are right");
    assert_eq!(dump(&parted), dump(&one));
    assert_eq!(one.events, 151);
}

#[test]
fn a_list_that_ends_early_is_no_ground_for_a_cut() {
    let list = events(60, "").join(", ");
    let json = format!(r#"{{"traceEvents": [{list}], "other": [{list}], "last": [{list}]}}"#);
    let one = whole(&json, &settings());
    for parts in 2..20 {
        if let Some(parted) = in_parts_of(parts, json.as_bytes(), &settings()) {
            assert_eq!(dump(&parted), dump(&one), "{parts} parts");
        }
    }
    assert_eq!(one.events, 60);
}
