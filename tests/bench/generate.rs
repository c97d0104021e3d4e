//! Writes a synthetic trace of any size, gzip level 6, and tells what is in it.
//!
//! Calibrated against traces of servers (SGLang on one line, xDiT and vLLM, MI300X and B200), since a trace that is too
//! regular unpacks twice as fast as a real one, and all ratios to that time mislead. Real, then made here with the
//! defaults:
//!
//! | figure | real | here |
//! |---|---|---|
//! | JSON to gzip: one line, as Kineto prints, pretty | 11.7, 15, 17.5 | 11.1, 12.6, 16.1 |
//! | bytes an event: one line, as Kineto prints | 253, 278 | 245, 284 |
//! | share of frames, CPU ops, runtime calls, kernels in percent | 88.4, 6.3, 1.8, 0.9 | 88.0, 6.5, 1.8, 0.9 |
//! | frames a kernel | 20 to 101 | 96 |
//! | depth of the stack: mean, most | 25, 42 | 18, 33 |
//! | length of a frame's name | 45 to 55 | 45 |
//! | distinct names of frames | 840 to 1656 | 363 |
//! | frames shorter than 10 us, in percent | 69 to 98 | 90 |

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
        let mut writer = Events::new(*self);
        while writer.written.events < self.events && out.1 < self.bytes {
            writer.step(&mut out)?;
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
const LAYERS: usize = 36;
/// Ops around each launch, outermost first, with their inputs.
const OPS: [(&str, usize); 7] = [
    ("server::layer_impl", 3),
    ("aten::view", 2),
    ("aten::slice", 5),
    ("aten::as_strided", 4),
    ("aten::empty", 6),
    ("aten::linear", 3),
    ("aten::mm", 2),
];
/// Events of a launch that are no frames: the ops, two calls, the kernel, three ends of arrows.
const OTHERS: f64 = OPS.len() as f64 + 6.0;
/// Frames of the server's loop around a step, and of the model around a layer.
const AROUND_STEP: u64 = 9;
const AROUND_LAYER: u64 = 5;
/// Distinct names of frames.
const NAMES: u64 = 900;

/// A frame or an op on the host, with its place in the list of its kind.
struct Span {
    text: String,
    /// Number of inputs of an op.
    inputs: Option<usize>,
    start: i64,
    dur: i64,
}

/// A call to come within the frames of one launch.
#[derive(Clone, Copy)]
struct Call {
    name: u64,
    depth: usize,
    /// What it takes without those inside it, nearly the same each time.
    own_ns: i64,
}

struct Events {
    recipe: Recipe,
    written: Written,
    random: u64,
    now: i64,
    /// Frames of each launch of a layer: the same calls in each layer and step, as a server makes them.
    scripts: Vec<Vec<Call>>,
    /// The last id of an op, which a kernel refers to.
    op_id: u64,
    /// Place of an event of the host in the profiler's own list.
    index: u64,
}

/// A key with its value as JSON.
type Pair = (&'static str, String);

const HOST: [u32; 2] = [251, 251];
const GPU: [u32; 2] = [0, 7];

impl Events {
    fn new(recipe: Recipe) -> Self {
        let mut events = Self {
            recipe,
            written: Written::default(),
            random: 1,
            now: 5_208_193_340_418_131,
            scripts: Vec::new(),
            op_id: 220_000,
            index: 33_000,
        };
        let frames = (OTHERS * recipe.frames / (1.0 - recipe.frames)).round() as u64;
        events.scripts = LAYER.iter().map(|_| events.script(frames)).collect();
        events
    }

    /// The calls of one launch: a walk up and down a stack. A few names make up most of them, and nearly all are short.
    fn script(&mut self, calls: u64) -> Vec<Call> {
        let mut depth = 0;
        let mut script = Vec::new();
        for _ in 0..calls {
            let name = [NAMES, 1, 1].into_iter().fold(0, |below, least| self.pick(below + least));
            let own_ns = 60 << self.pick(5);
            script.push(Call { name, depth, own_ns });
            depth = match self.pick(9) {
                0..5 if depth < 24 => depth + 1,
                up => depth.saturating_sub(up as usize - 4),
            };
        }
        script
    }

    /// One step: its annotation, then all ops, all frames, all calls and kernels, as profilers write them.
    fn step(&mut self, out: &mut impl Write) -> io::Result<()> {
        let (begin, first) = (self.now, self.op_id);
        let mut frames = Vec::new();
        let mut ops = Vec::new();
        let mut launches = Vec::new();
        let with_frames = self.recipe.frames > 0.0;
        let step = self.open(&mut frames, 0..AROUND_STEP * u64::from(with_frames), None);
        for layer in 0..LAYERS {
            let around = NAMES..NAMES + AROUND_LAYER * u64::from(with_frames);
            let layer = self.open(&mut frames, around, Some(layer));
            for place in 0..LAYER.len() {
                launches.push((place, self.calls(place, &mut frames, &mut ops)));
            }
            self.close(&mut frames, layer);
        }
        self.close(&mut frames, step);
        self.event(out, ["X", "user_annotation", "step[DECODE bs=8]"], HOST, begin, self.now - begin, &[])?;
        for (op, id) in ops.iter().zip(first..) {
            self.op(out, op, id)?;
        }
        for frame in &frames {
            let id = self.written.frames + 1_121_882;
            let args = [
                ("Python parent id", id.to_string()),
                ("Python id", (id + 1).to_string()),
                ("Ev Idx", self.index.to_string()),
            ];
            self.event(out, ["X", "python_function", &frame.text], HOST, frame.start, frame.dur, &args)?;
            self.index += 1;
            self.written.frames += 1;
        }
        for (n, (place, called)) in launches.into_iter().enumerate() {
            let op = first + (n * OPS.len() + OPS.len() - 1) as u64;
            self.launch(out, place, op, called)?;
        }
        Ok(())
    }

    fn open(
        &mut self,
        frames: &mut Vec<Span>,
        names: std::ops::Range<u64>,
        layer: Option<usize>,
    ) -> std::ops::Range<usize> {
        let begin = frames.len();
        for name in names {
            let text = match layer {
                Some(layer) if name == NAMES => format!("nn.Module: DecoderLayer_{layer}"),
                _ => Self::name(name),
            };
            frames.push(Span { text, inputs: None, start: self.now, dur: 0 });
            self.now += self.jitter(900);
        }
        begin..frames.len()
    }

    fn close(&mut self, frames: &mut [Span], opened: std::ops::Range<usize>) {
        for frame in frames[opened].iter_mut().rev() {
            self.now += self.jitter(400);
            frame.dur = self.now - frame.start;
        }
    }

    /// The frames of one launch, the ops in the last of them; gives when the kernel is called.
    fn calls(&mut self, place: usize, frames: &mut Vec<Span>, ops: &mut Vec<Span>) -> i64 {
        let script = std::mem::take(&mut self.scripts[place]);
        let mut open: Vec<(usize, usize)> = Vec::new();
        for call in &script {
            while let Some((_, frame)) = open.pop_if(|(depth, _)| *depth >= call.depth) {
                self.close(frames, frame..frame + 1);
            }
            let name = self.recipe.names.map_or(call.name, |names| NAMES + self.pick(names));
            self.now += self.jitter(call.own_ns / 2);
            open.push((call.depth, frames.len()));
            frames.push(Span { text: Self::name(name), inputs: None, start: self.now, dur: 0 });
            self.now += self.jitter(call.own_ns / 2);
        }
        let called = self.ops_of(place, ops);
        while let Some((_, frame)) = open.pop() {
            self.close(frames, frame..frame + 1);
        }
        self.scripts[place] = script;
        called
    }

    /// Ops within ops; gives when the innermost one calls.
    fn ops_of(&mut self, place: usize, ops: &mut Vec<Span>) -> i64 {
        let begin = ops.len();
        for (name, inputs) in OPS {
            let text = if begin == ops.len() { format!("{name}_{place}") } else { name.to_owned() };
            ops.push(Span { text, inputs: Some(inputs), start: self.now, dur: 0 });
            self.now += self.jitter(1_200);
        }
        let called = self.now;
        self.now += self.jitter(4_000);
        let end = ops.len();
        self.close(ops, begin..end);
        self.op_id += OPS.len() as u64;
        called
    }

    fn op(&mut self, out: &mut impl Write, op: &Span, id: u64) -> io::Result<()> {
        let inputs = op.inputs.unwrap_or(0);
        let place = (id / OPS.len() as u64) % LAYER.len() as u64;
        let width = if self.recipe.names.is_some() { self.pick(40) } else { place } * 64 + 64;
        let list = |of: &dyn Fn(usize) -> String| format!("[{}]", (0..inputs).map(of).collect::<Vec<_>>().join(", "));
        let args = [
            ("External id", id.to_string()),
            ("Record function id", "0".to_owned()),
            ("Concrete Inputs", list(&|n| if n < 2 { "\"\"".to_owned() } else { format!("\"{n}\"") })),
            ("Input type", list(&|n| if n < 2 { "\"c10::BFloat16\"" } else { "\"Scalar\"" }.to_owned())),
            ("Input Strides", list(&|n| if n < 2 { format!("[{width}, 1]") } else { "[]".to_owned() })),
            ("Input Dims", list(&|n| if n < 2 { format!("[{}, {width}]", 4096 * n + 8) } else { "[]".to_owned() })),
            ("Ev Idx", self.index.to_string()),
        ];
        self.index += 1;
        self.event(out, ["X", "cpu_op", &op.text], HOST, op.start, op.dur, &args)
    }

    /// Two calls, the kernel, the ends of the arrows between them.
    fn launch(&mut self, out: &mut impl Write, place: usize, op: u64, called: i64) -> io::Result<()> {
        let launch = self.written.gpu;
        let external = ("External id", op.to_string());
        for (name, cbid, n) in
            [("cudaOccupancyMaxActiveBlocksPerMultiprocessor", "217", 0), ("cudaLaunchKernel", "211", 1)]
        {
            let id = launch * 2 + n + 90_000;
            let args = [external.clone(), ("cbid", cbid.to_owned()), ("correlation", id.to_string())];
            let dur = self.jitter(1_500);
            self.event(out, ["X", "cuda_runtime", name], HOST, called + 1_600 * n.cast_signed(), dur, &args)?;
            self.arrow(out, "f", HOST, id, called)?;
        }
        let correlation = launch * 2 + 90_001;
        let kernel = match self.recipe.names {
            Some(names) => format!("void gemm_{}<float, {}, true>(float const*, float*)", self.pick(names), 128),
            None => LAYER[place].to_owned(),
        };
        let dur = 1_000 + self.pick(20_000).cast_signed();
        let args = [
            external,
            ("queued", "0".to_owned()),
            ("device", "0".to_owned()),
            ("stream", "7".to_owned()),
            ("correlation", correlation.to_string()),
            ("grid", format!("[{}, 16, 1]", place + 1)),
            ("block", "[128, 1, 1]".to_owned()),
            ("est. achieved occupancy %", "31".to_owned()),
        ];
        self.event(out, ["X", "kernel", &kernel], GPU, called + 9_000, dur, &args)?;
        self.written.gpu += 1;
        self.written.gpu_ns += dur;
        self.arrow(out, "s", GPU, correlation, called + 9_000)
    }

    fn arrow(&mut self, out: &mut impl Write, phase: &str, lane: [u32; 2], id: u64, at: i64) -> io::Result<()> {
        let pairs = [
            ("ph", format!("\"{phase}\"")),
            ("id", id.to_string()),
            ("pid", lane[0].to_string()),
            ("tid", lane[1].to_string()),
            ("ts", micros(at)),
            ("cat", "\"ac2g\"".to_owned()),
            ("name", "\"ac2g\"".to_owned()),
        ];
        self.print(out, &pairs, None)
    }

    /// Builtins, functions of torch and functions of the server, a third each.
    fn name(name: u64) -> String {
        const METHODS: [&str; 7] = ["append", "pop", "get", "items", "size", "view", "is_contiguous"];
        const TYPES: [&str; 4] = ["list", "dict", "Tensor", "type"];
        const MODULES: [&str; 6] =
            ["nn/modules/module", "_ops", "utils/_device", "utils/_contextlib", "fx/node", "autograd/function"];
        const FUNCTIONS: [&str; 5] = ["__getattr__", "_call_impl", "__torch_function__", "kind", "forward"];
        fn of<'t>(texts: &[&'t str], n: u64) -> &'t str {
            texts[(n % texts.len() as u64) as usize]
        }
        let (n, spread) = (name / 3, name.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 28);
        match name % 3 {
            0 => format!("torch/{}.py({}): {}", of(&MODULES, n), 100 + spread % 2_800, of(&FUNCTIONS, n / 7)),
            1 => format!("<built-in method {} of {} object at 0x7f{spread:09x}>", of(&METHODS, n), of(&TYPES, n / 5)),
            _ => format!("server/models/layer_{n}.py({}): {}", 20 + spread % 800, of(&FUNCTIONS, n)),
        }
    }

    fn event(
        &mut self,
        out: &mut impl Write,
        what: [&str; 3],
        lane: [u32; 2],
        start: i64,
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
            ("ts", micros(start)),
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

    /// Around `ns`, as a clock sees it that ticks every ten nanoseconds.
    fn jitter(&mut self, ns: i64) -> i64 {
        (ns * 3 / 4 + self.pick(ns.unsigned_abs() / 2 + 1).cast_signed()) / 10 * 10
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
