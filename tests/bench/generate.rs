//! Writes a synthetic trace of any size, gzip level 6, and tells what is in it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

/// How the events are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// The whole file on one line.
    Compact,
    /// Several keys a line, as Kineto prints.
    Kineto,
    /// One key a line, indented by four.
    Pretty,
}

/// What to write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipe {
    pub(crate) layout: Layout,
    /// Stop after so many events, or after so many bytes of JSON.
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    /// Share of Python frames among the events.
    pub(crate) frames: f64,
    /// Distinct names of frames and kernels, drawn for each launch anew; none: those of a model, the same in each layer
    /// and step.
    pub(crate) names: Option<u64>,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) events: u64,
    pub(crate) gpu: u64,
    pub(crate) gpu_ns: i64,
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
}

impl Recipe {
    /// Writes the trace to `path`, and what is in it beside; both are kept for the next run.
    pub(crate) fn write(&self, path: &Path) -> io::Result<Written> {
        let beside = path.with_extension("counts");
        if let Ok(counts) = std::fs::read_to_string(&beside)
            && let Some(written) = Written::parse(&counts)
        {
            return Ok(written);
        }
        let mut out = Counted(GzEncoder::new(BufWriter::new(File::create(path)?), Compression::new(6)), 0);
        out.write_all(
            b"{\"schemaVersion\": 1, \"deviceProperties\": [{\"id\": 0, \"name\": \"GPU\"}], \"traceEvents\": [",
        )?;
        let mut writer = Events { recipe: *self, written: Written::default(), random: 1, now: 5_208_193_340_418_131 };
        while writer.written.events < self.events && out.1 < self.bytes {
            writer.launch(&mut out)?;
        }
        out.write_all(b"\n], \"traceName\": \"synthetic\"}\n")?;
        let written = Written { bytes: out.1, ..writer.written };
        out.0.finish()?.flush()?;
        let Written { events, gpu, gpu_ns, frames, bytes } = written;
        std::fs::write(beside, format!("{events} {gpu} {gpu_ns} {frames} {bytes}\n"))?;
        Ok(written)
    }
}

impl Written {
    fn parse(text: &str) -> Option<Self> {
        let numbers: Vec<u64> = text.split_whitespace().map(|n| n.parse().ok()).collect::<Option<_>>()?;
        let [events, gpu, gpu_ns, frames, bytes] = *numbers else { return None };
        Some(Self { events, gpu, gpu_ns: gpu_ns.cast_signed(), frames, bytes })
    }
}

/// Kernels of one layer of a model, in order.
const LAYER: [&str; 10] = [
    "void flashinfer::norm::FusedAddRMSNormKernel<8u, __nv_bfloat16>(__nv_bfloat16*, __nv_bfloat16*, float)",
    "nvjet_tst_192x128_64x5_1x2_h_bz_coopB_TNT",
    "void flashinfer::norm::RMSNormKernel<8u, __nv_bfloat16>(__nv_bfloat16*, __nv_bfloat16*, float)",
    "void flashinfer::norm::RMSNormKernel<8u, __nv_bfloat16>(__nv_bfloat16*, __nv_bfloat16*, float)",
    "void flashinfer::BatchQKApplyRotaryPosIdsCosSinCacheKernel<true, 128u, 8u, 32u, __nv_bfloat16, long>()",
    "void flash::prepare_varlen_num_blocks_kernel<1, true>(int, int, int const*)",
    "nvjet_tst_64x64_64x16_2x1_v_bz_TNN",
    "void flashinfer::norm::FusedAddRMSNormKernel<8u, __nv_bfloat16>(__nv_bfloat16*, __nv_bfloat16*, float)",
    "void flashinfer::activation::act_and_mul_kernel<__nv_bfloat16, &silu>(__nv_bfloat16*, __nv_bfloat16 const*)",
    "nvjet_tst_64x64_64x16_4x1_v_bz_splitK_TNT",
];
const LAYERS: u64 = 36;
/// Between two launches, beside the frames.
const REST_NS: i64 = 30_000;
const FRAME_NS: i64 = 700;

struct Events {
    recipe: Recipe,
    written: Written,
    random: u64,
    now: i64,
}

/// A key with its value as JSON.
type Pair = (&'static str, String);

impl Events {
    /// One launch: the frames and the op around it, the call, the kernel, both ends of the arrow.
    fn launch(&mut self, out: &mut impl Write) -> io::Result<()> {
        const OTHERS: f64 = 5.0;
        let launch = self.written.gpu;
        let frames = (OTHERS * self.recipe.frames / (1.0 - self.recipe.frames)).round() as u64;
        let place = launch % LAYER.len() as u64;
        if launch.is_multiple_of(LAYERS * LAYER.len() as u64) {
            let length = (LAYERS * LAYER.len() as u64).cast_signed() * (frames.cast_signed() * FRAME_NS + REST_NS);
            self.event(out, ["X", "user_annotation", "step[DECODE bs=8]"], [251, 251], 0, length, &[])?;
        }
        for n in 0..frames {
            // The outer half is the server's loop, the same around all launches.
            let inner = if n < frames / 2 { n } else { frames * (place + 1) + n };
            let name = self.recipe.names.map_or(inner, |names| self.pick(names));
            let text = format!(
                "/opt/venv/lib/python3.12/site-packages/server/models/layer_{name}.py({}): forward",
                name % 977
            );
            let begin = n.cast_signed() * FRAME_NS;
            let dur = (frames - n).cast_signed() * FRAME_NS + 20_000 - n.cast_signed();
            let id = self.written.frames;
            let args = [("Python parent id", id.to_string()), ("Python id", (id + 1).to_string())];
            self.event(out, ["X", "python_function", &text], [251, 251], begin, dur, &args)?;
            self.written.frames += 1;
        }
        self.now += frames.cast_signed() * FRAME_NS;
        let external = ("External id", (launch + 7).to_string());
        let correlation = ("correlation", (launch + 90_000).to_string());
        let shape = if self.recipe.names.is_some() { self.pick(40) } else { place };
        let op = [
            external.clone(),
            ("Record function id", "0".to_owned()),
            ("Concrete Inputs", "[\"\", \"\", \"1\"]".to_owned()),
            ("Input type", "[\"c10::BFloat16\", \"c10::BFloat16\", \"Scalar\"]".to_owned()),
            ("Input Dims", format!("[[{}, 4096], [4096, {}], []]", shape + 1, 64 * shape + 64)),
        ];
        self.event(out, ["X", "cpu_op", "aten::mm"], [251, 251], 100, 9_000, &op)?;
        let call = [external.clone(), ("cbid", "211".to_owned()), correlation.clone()];
        self.event(out, ["X", "cuda_runtime", "cudaLaunchKernel"], [251, 251], 400, 5_000, &call)?;
        let kernel = match self.recipe.names {
            Some(names) => format!("void gemm_{}<float, {}, true>(float const*, float*)", self.pick(names), 128),
            None => LAYER[place as usize].to_owned(),
        };
        let dur = 1_000 + self.pick(20_000).cast_signed();
        let gpu = [
            external,
            ("queued", "0".to_owned()),
            ("device", "0".to_owned()),
            ("stream", "7".to_owned()),
            correlation,
            ("grid", format!("[{}, 16, 1]", shape + 1)),
            ("block", "[128, 1, 1]".to_owned()),
            ("est. achieved occupancy %", "31".to_owned()),
        ];
        self.event(out, ["X", "kernel", &kernel], [0, 7], 20_000, dur, &gpu)?;
        self.written.gpu += 1;
        self.written.gpu_ns += dur;
        for (phase, pid, tid) in [("s", 251, 251), ("f", 0, 7)] {
            let pairs = [
                ("ph", format!("\"{phase}\"")),
                ("id", (launch + 90_000).to_string()),
                ("pid", pid.to_string()),
                ("tid", tid.to_string()),
                ("ts", micros(self.now + 400)),
                ("cat", "\"ac2g\"".to_owned()),
                ("name", "\"ac2g\"".to_owned()),
            ];
            self.print(out, &pairs, None)?;
        }
        self.now += REST_NS;
        Ok(())
    }

    /// `what`: phase, category, name. `delay` is from now on.
    fn event(
        &mut self,
        out: &mut impl Write,
        what: [&str; 3],
        lane: [u32; 2],
        delay: i64,
        dur: i64,
        args: &[Pair],
    ) -> io::Result<()> {
        let [phase, category, name] = what.map(|text| format!("\"{text}\""));
        let [pid, tid] = lane.map(|id| id.to_string());
        let pairs = [
            ("ph", phase),
            ("cat", category),
            ("name", name),
            ("pid", pid),
            ("tid", tid),
            ("ts", micros(self.now + delay)),
            ("dur", micros(dur)),
        ];
        self.print(out, &pairs, Some(args))
    }

    fn print(&mut self, out: &mut impl Write, pairs: &[Pair], args: Option<&[Pair]>) -> io::Result<()> {
        let comma = if self.written.events == 0 { "" } else { "," };
        self.written.events += 1;
        let indent = |depth: usize| match self.recipe.layout {
            Layout::Compact => String::new(),
            Layout::Kineto => format!("\n{:1$}", "", 2 * depth),
            Layout::Pretty => format!("\n{:1$}", "", 4 * depth),
        };
        write!(out, "{comma}{}{{", if self.recipe.layout == Layout::Compact { " ".to_owned() } else { indent(1) })?;
        let between = |n: usize, depth: usize| {
            let comma = if n == 0 { "" } else { "," };
            // Kineto breaks the line after the category and after the thread.
            let same_line = self.recipe.layout == Layout::Kineto && !matches!(n, 0 | 2 | 5);
            if same_line || self.recipe.layout == Layout::Compact {
                format!("{comma}{}", if n == 0 { "" } else { " " })
            } else {
                format!("{comma}{}", indent(depth))
            }
        };
        for (n, (key, value)) in pairs.iter().enumerate() {
            write!(out, "{}\"{key}\": {value}", between(n, 2))?;
        }
        if let Some(args) = args {
            write!(
                out,
                ",{}\"args\": {{",
                if self.recipe.layout == Layout::Compact { " ".to_owned() } else { indent(2) }
            )?;
            for (n, (key, value)) in args.iter().enumerate() {
                write!(out, "{}\"{key}\": {value}", between(n, 3))?;
            }
            write!(out, "{}}}", indent(2))?;
        }
        write!(out, "{}}}", indent(1))
    }

    /// Below `limit`, the same in every run.
    fn pick(&mut self, limit: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % limit.max(1)
    }
}

fn micros(ns: i64) -> String {
    format!("{}.{:03}", ns / 1000, ns % 1000)
}

struct Counted<W>(W, u64);

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.0.write(bytes)?;
        self.1 += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
