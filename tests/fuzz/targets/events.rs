//! Real events with their fields changed: a fixture is taken, some values in it become others (of other events, too),
//! events go, come twice or change places. On its whole way to the report nothing panics and all sums hold.
//!
//! The first byte is the fixture, then each change takes eight.

#![no_main]

use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::OnceLock;

use flate2::read::MultiGzDecoder;
use libfuzzer_sys::fuzz_target;
use llm_prof::trace::read_from;
use llm_prof_fuzz::{accounted, settings};
use serde_json::{Map, Value, json};

const FIXTURES: [&str; 12] = [
    "gpu-only.trace.json.gz",
    "two-streams.trace.json.gz",
    "overlap/three-streams-waits.trace.json.gz",
    "overlap/launch-bound.trace.json.gz",
    "overlap/experts-in-turn.trace.json.gz",
    "sglang-amd-decode-graph.trace.json.gz",
    "sglang-nvidia-tp4/merged-1767225600-DECODE.trace.json.gz",
    "trtllm-nvidia-tp2-prefill.trace.json.gz",
    "trtllm-nvidia-tp2-decode-graph.trace.json.gz",
    "sglang-nvidia-tp2/graph_capture_profile/cuda_graph_capture-decode-TP-0.json.gz",
    "vllm-nvidia-piecewise/rank0.1767225600.pt.trace.json.gz",
    "tokenspeed-nvidia-mla/run-TP-0-DECODE.trace.json.gz",
];

/// Fields of events; those of `args` begin with a dot.
const FIELDS: [&str; 24] = [
    "name",
    "cat",
    "ph",
    "ts",
    "dur",
    "pid",
    "tid",
    "args",
    ".stream",
    ".correlation",
    ".External id",
    ".grid",
    ".Input Dims",
    ".bytes",
    ".kind",
    ".kernel",
    ".Process Group Name",
    ".In msg nelems",
    ".Collective name",
    ".wait_on_stream",
    ".wait_on_cuda_event_record_corr_id",
    ".wait_on_cuda_event_id",
    ".name",
    ".Python id",
];

fn traces() -> &'static [Map<String, Value>] {
    static TRACES: OnceLock<Vec<Map<String, Value>>> = OnceLock::new();
    TRACES.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
        let read = |name| {
            let mut text = String::new();
            MultiGzDecoder::new(fs::File::open(folder.join(name)).expect("a fixture"))
                .read_to_string(&mut text)
                .expect("text");
            serde_json::from_str(&text).expect("a fixture is JSON")
        };
        FIXTURES.into_iter().map(read).collect()
    })
}

/// The field of an event.
fn field<'e>(event: &'e mut Value, name: &str) -> Option<&'e mut Value> {
    let event = event.as_object_mut()?;
    match name.strip_prefix('.') {
        None => Some(event.entry(name).or_insert(Value::Null)),
        Some(arg) => {
            let args = event.entry("args").or_insert_with(|| json!({})).as_object_mut()?;
            Some(args.entry(arg).or_insert(Value::Null))
        }
    }
}

/// A value of no event.
fn odd(kind: u8, number: u16, old: &Value) -> Value {
    let nearby = old.as_f64().unwrap_or(0.0);
    match kind % 20 {
        0 => Value::Null,
        1 => json!(number % 8),
        2 => json!(-i64::from(number)),
        3 => json!(i64::MAX - i64::from(number)),
        4 => json!(i64::MIN + i64::from(number)),
        5 => json!(u64::MAX),
        6 => json!(nearby + f64::from(number)),
        7 => json!(nearby - f64::from(number)),
        8 => json!(nearby + f64::from(number) / 1000.0),
        9 => json!(nearby * f64::from(number)),
        10 => json!(9.2e15 - f64::from(number)),
        11 => json!(f64::MIN_POSITIVE),
        12 => json!(""),
        13 => json!(number.to_string()),
        14 => json!(
            [
                "kernel",
                "cpu_op",
                "cuda_runtime",
                "python_function",
                "user_annotation",
                "gpu_user_annotation",
                "cuda_sync",
                "gpu_memcpy",
                "gpu_memset",
                "cuda_driver",
                "overhead"
            ][usize::from(number) % 11]
        ),
        15 => json!(
            [
                "cudaGraphLaunch",
                "hipGraphLaunch",
                "cudaStreamBeginCapture_v10000",
                "cudaStreamEndCapture_v10000",
                "cudaLaunchKernel",
                "hipLaunchKernel",
                "Stream Wait Event",
                "cudaEventRecord",
                "step[DECODE bs=1]",
                "step[EXTEND bs=1 toks=9]",
                "nn.Module: A_0",
                "a.py(1): f",
                "Memcpy DtoD"
            ][usize::from(number) % 13]
        ),
        16 => json!([number, 1, 1]),
        17 => json!([[number], [], [i64::MAX, 2]]),
        18 => json!({ "a": number }),
        _ => json!(number % 2 == 0),
    }
}

fn change(events: &mut Vec<Value>, change: [u8; 8]) {
    if events.is_empty() {
        return;
    }
    let [a, b, what, kind, c, d, e, f] = change;
    let at = usize::from(u16::from_le_bytes([a, b])) % events.len();
    let other = usize::from(u16::from_le_bytes([c, d])) % events.len();
    let name = FIELDS[usize::from(e) % FIELDS.len()];
    match what % 16 {
        0 => drop(events.remove(at)),
        1 => {
            let again = events[at].clone();
            events.insert(other, again);
        }
        2 => events.swap(at, other),
        // A run of events goes.
        3 => drop(events.drain(at..events.len().min(at + usize::from(f)))),
        4..=8 => {
            let value = field(&mut events[other].clone(), name).map(|value| value.clone());
            if let (Some(value), Some(place)) = (value, field(&mut events[at], name)) {
                *place = value;
            }
        }
        9 => {
            if let Some(event) = events[at].as_object_mut() {
                event.remove(name);
            }
        }
        _ => {
            if let Some(place) = field(&mut events[at], name) {
                *place = odd(kind, u16::from_le_bytes([c, f]), place);
            }
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let [fixture, changes @ ..] = bytes else { return };
    let mut trace = traces()[usize::from(*fixture) % FIXTURES.len()].clone();
    let Some(Value::Array(events)) = trace.get_mut("traceEvents") else { return };
    for one in changes.chunks_exact(8).take(200) {
        change(events, one.try_into().expect("eight bytes"));
    }
    let events: Vec<Value> = events.clone();
    let text = serde_json::to_vec(&trace).expect("it was JSON before");
    let trace = match read_from("x", text.as_slice(), &settings(1 << 20, true)) {
        Ok(trace) => trace,
        Err(error) => panic!("{} events are no trace: {error}", events.len()),
    };
    assert_eq!(trace.events, events.len() as u64);
    let metadata = events.iter().filter(|event| event["ph"] == "M").count() as u64;
    assert!(trace.events - accounted(&trace) <= metadata, "{} of {}", accounted(&trace), trace.events);
    llm_prof_fuzz::report(trace);
});
