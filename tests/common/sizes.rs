//! Traces of hostile sizes: each as large as asked for in one way, and small in all others.

use std::io::{self, Write};

/// What there is too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Many {
    /// Launches in one step.
    Launches,
    /// Distinct kernels, each launched from a Python file of its own.
    Names,
    /// Streams on which something runs all the time.
    Streams,
    /// Streams that each wait for the one before, with the waits recorded.
    Waits,
    /// Frames, modules and ops within each other, with a launch from each.
    Depth,
    /// Bytes on one line.
    Line,
}

impl Many {
    /// All of them, with the number that must be borne.
    pub(crate) const ALL: [(Self, u64); 6] = [
        (Self::Launches, 10_000_000),
        (Self::Names, 1_000_000),
        (Self::Streams, 100_000),
        (Self::Waits, 100_000),
        (Self::Depth, 10_000),
        (Self::Line, 100_000_000),
    ];

    /// Launches in a trace of `n`.
    pub(crate) fn launches(self, n: u64) -> u64 {
        if self == Self::Line { n / 330 } else { n }
    }
}

/// Writes a trace with `n` of something.
pub(crate) fn write(many: Many, n: u64, out: &mut impl Write) -> io::Result<()> {
    let end = if many == Many::Line { "" } else { "\n" };
    let launches = many.launches(n);
    write!(out, "{{\"schemaVersion\": 1, \"traceEvents\": [{end}")?;
    let mut events = Events { out, end };
    events.event("user_annotation", "step[DECODE bs=1]", [1, 1], [0, 40 * launches + 100], "\"External id\": 1")?;
    if many == Many::Depth {
        // From the outside in; each level begins a microsecond later and ends a microsecond earlier.
        for level in 0..n {
            let (category, name) = match level % 3 {
                0 => ("python_function", format!("serve/models/deep.py({level}): forward")),
                1 => ("python_function", format!("nn.Module: Level_{level}")),
                _ => ("cpu_op", format!("aten::op_{level}")),
            };
            events.event(category, &name, [1, 1], [1 + 2 * level, 40 * n - 3 * level], "\"Python id\": 1")?;
        }
    }
    for launch in 0..launches {
        let (kernel, stream, dur) = match many {
            Many::Names => (format!("void serve::kernel_{launch}<float, {launch}>(float*)"), 7, 5),
            Many::Streams => (format!("void gemm_{}<float>(float*)", launch % 50), launch, 500_000),
            Many::Waits => (format!("void gemm_{}<float>(float*)", launch % 50), launch, 5),
            _ => (format!("void gemm_{}<float>(float*)", launch % 50), 7, 5),
        };
        let call = if many == Many::Depth { 2 + 2 * launch } else { 10 + 30 * launch };
        if many == Many::Names {
            let frame = format!("serve/models/model_{launch}.py({launch}): forward");
            events.event("python_function", &frame, [1, 1], [call - 1, 20], "\"Python id\": 1")?;
        }
        let correlation = format!("\"correlation\": {}", launch + 1);
        events.event("cuda_runtime", "cudaLaunchKernel", [1, 1], [call, 1], &correlation)?;
        let begin = if many == Many::Depth { 10 + 30 * launch } else { call + 5 };
        let args = format!("\"stream\": {stream}, {correlation}");
        events.event("kernel", &kernel, [0, stream], [begin, dur], &args)?;
        if many == Many::Waits && launch > 0 {
            let args = format!(
                "\"stream\": {stream}, \"wait_on_stream\": {}, \"wait_on_cuda_event_record_corr_id\": {launch}, {correlation}",
                stream - 1
            );
            events.event("cuda_sync", "Stream Wait Event", [0, stream], [call, 1], &args)?;
        }
    }
    writeln!(out, "{{}}]}}")
}

struct Events<'o, W> {
    out: &'o mut W,
    end: &'static str,
}

impl<W: Write> Events<'_, W> {
    /// `at`: begin and length in microseconds.
    fn event(&mut self, category: &str, name: &str, lane: [u64; 2], at: [u64; 2], args: &str) -> io::Result<()> {
        let ([pid, tid], [start, dur], end) = (lane, at, self.end);
        write!(
            self.out,
            "{{\"ph\": \"X\", \"cat\": \"{category}\", \"name\": \"{name}\", \"pid\": {pid}, \"tid\": {tid}, \
             \"ts\": {}.000, \"dur\": {dur}.000, \"args\": {{{args}}}}},{end}",
            1_000_000_000 + start
        )
    }
}
