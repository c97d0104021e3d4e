//! Traces that the stand-in servers write: a kernel for each step, and what marks the step.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

/// One forward of the engine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// Requests that read their prompt, and tokens of these.
    pub(crate) prefill: (u64, u64),
    /// Requests that get a token.
    pub(crate) decode: u64,
}

/// How a framework marks its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marks {
    Sglang,
    Vllm,
    Trtllm,
    Nothing,
}

fn name(marks: Marks, step: Step) -> Option<String> {
    let ((requests, tokens), decode) = (step.prefill, step.decode);
    match marks {
        Marks::Sglang if requests > 0 => Some(format!("step[EXTEND bs={requests} toks={tokens}]")),
        Marks::Sglang => Some(format!("step[DECODE bs={decode}]")),
        Marks::Vllm => Some(format!("execute_context_{requests}({tokens})_generation_{decode}({decode})")),
        Marks::Trtllm => {
            Some(format!("[Executor] _forward_step 7: {requests} ctx reqs, {tokens} ctx tokens, {decode} gen reqs"))
        }
        Marks::Nothing => None,
    }
}

/// The text of a trace.
pub(crate) fn text(marks: Marks, steps: &[Step], rank: u64, kernels: bool) -> String {
    let mut events = Vec::new();
    for (n, step) in steps.iter().enumerate() {
        let at = 1_000_000 + 1000 * n;
        if let Some(name) = name(marks, *step) {
            events.push(format!(
                r#"{{"ph":"X","cat":"user_annotation","name":"{name}","pid":9,"tid":9,"ts":{at},"dur":900,"args":{{"External id":{n}}}}}"#
            ));
        }
        events.push(format!(
            r#"{{"ph":"X","cat":"cuda_runtime","name":"cudaLaunchKernel","pid":9,"tid":9,"ts":{},"dur":5,"args":{{"correlation":{}}}}}"#,
            at + 100,
            n + 1
        ));
        if kernels && (step.prefill.0 > 0 || step.decode > 0) {
            events.push(format!(
                r#"{{"ph":"X","cat":"kernel","name":"ampere_bf16_s16816gemm_bf16_128x128","pid":0,"tid":7,"ts":{},"dur":500,"args":{{"device":0,"stream":7,"correlation":{}}}}}"#,
                at + 200,
                n + 1
            ));
        }
    }
    format!(
        r#"{{"schemaVersion":1,"with_stack":1,"distributedInfo":{{"rank":{rank},"world_size":1}},"traceEvents":[{}],"traceName":"t"}}"#,
        events.join(",\n")
    )
}

/// The same, packed.
pub(crate) fn gz(text: &str) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(text.as_bytes()).expect("memory takes it");
    out.finish().expect("memory takes it")
}
