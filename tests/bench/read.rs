//! How fast a trace is read, as a ratio to decompressing it (D): `cargo bench --bench read -- --mb 100,600`.
//!
//! D is flate2's own gzip reader with 256 KiB reads on one thread; plain files are measured against the D of the same
//! JSON. All ways are run in turn, at least eleven times, so
//! that a busy machine disturbs them alike; D is measured twice, the second time against the first, which is the noise.
//! Counts are checked against what the generator wrote before a ratio is printed: a reader that stops early is quick.

mod generate;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use flate2::read::MultiGzDecoder;
use generate::{Layout, Recipe, Written};
use llm_prof::cli::{self, Streams};
use llm_prof::rules::schema::trace::TraceFile;
use llm_prof::trace::{self, Settings};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let result = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        // One way in a process of its own: how memory is measured, and what a profiler can be set on.
        ["--child", "decompress", file] => Way::Decompress.run(Path::new(file), None).map(drop),
        ["--child", "triage", threads, file] => triage_child(threads, file),
        ["--child", frames, block_kb, file] => child(Path::new(file), frames == "frames", block_kb),
        _ => run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            let _ = writeln!(io::stderr(), "read benchmark: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Outcome<()> {
    let options = Options::parse(args)?;
    let block_kb = options.block_kb;
    let mut out = io::stdout().lock();
    for input in options.inputs()? {
        let Input { path, label, expected } = &input;
        writeln!(out, "{label}")?;
        io::copy(&mut MultiGzDecoder::new(File::open(path)?), &mut File::create(plain_of(path))?)?;
        let ways: Vec<Way> = [
            Way::Decompress,
            Way::Decompress,
            Way::Extract { frames: false, block_kb },
            Way::Extract { frames: true, block_kb },
        ]
        .into_iter()
        .chain(Way::triage())
        .collect();
        let mut runs: Vec<Vec<Run>> = vec![Vec::new(); ways.len()];
        for _ in 0..options.runs {
            for (way, runs) in ways.iter().zip(&mut runs) {
                runs.push(way.run(path, *expected)?);
            }
        }
        let json_bytes = runs[0][0].bytes;
        for (n, (way, own)) in ways.iter().zip(&runs).enumerate() {
            let ratio = Spread::of(own.iter().zip(&runs[0]).map(|(run, d)| run.wall / d.wall));
            let cpu = Spread::of(own.iter().zip(&runs[0]).map(|(run, d)| run.cpu / d.cpu.max(0.01)));
            let wall = Spread::of(own.iter().map(|run| run.wall));
            let peak = way.peak_per_gb(path, json_bytes)?;
            writeln!(
                out,
                "  {:24} {:.2} D [{:.2}-{:.2}]  {:6.0} MB/s  CPU {:.2} D  {:.3} s{peak}",
                if n == 1 { "D again (noise)" } else { way.label() },
                ratio.median,
                ratio.least,
                ratio.most,
                json_bytes as f64 / 1e6 / wall.median,
                cpu.median,
                wall.median,
            )?;
        }
        std::fs::remove_file(plain_of(path))?;
    }
    Ok(())
}

/// Where the same JSON lies that is not packed.
fn plain_of(packed: &Path) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(packed.file_stem().unwrap_or_default())
}

/// What is measured.
#[derive(Clone, Debug)]
enum Way {
    Decompress,
    Extract {
        frames: bool,
        block_kb: usize,
    },
    /// The whole program, when it stands beside this benchmark.
    Triage {
        program: PathBuf,
        /// Of the same JSON, not packed, on so many threads.
        plain: Option<usize>,
    },
}

#[derive(Clone, Copy, Debug)]
struct Run {
    wall: f64,
    cpu: f64,
    bytes: u64,
}

impl Way {
    fn triage() -> Vec<Self> {
        let program = Path::new(env!("CARGO_BIN_EXE_llm-prof"));
        let help = Command::new(program).args(["triage", "--help"]).output();
        if !help.is_ok_and(|help| help.status.success() && !help.stdout.is_empty()) {
            return Vec::new();
        }
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        [None, Some(1), Some(threads)].map(|plain| Self::Triage { program: program.to_owned(), plain }).into()
    }

    /// The file that it reads.
    fn file(&self, packed: &Path) -> PathBuf {
        let plain = matches!(self, Self::Triage { plain: Some(_), .. });
        if plain { plain_of(packed) } else { packed.to_owned() }
    }

    fn threads(&self) -> String {
        match self {
            Self::Triage { plain: Some(threads), .. } => threads.to_string(),
            _ => std::thread::available_parallelism().map_or(1, usize::from).to_string(),
        }
    }

    fn label(&self) -> &'static str {
        match self {
            Self::Decompress => "D: decompress",
            Self::Extract { frames: false, .. } => "read, frames skipped",
            Self::Extract { frames: true, .. } => "read, frames kept",
            Self::Triage { plain: None, .. } => "whole triage",
            Self::Triage { plain: Some(1), .. } => "plain file, one thread",
            Self::Triage { plain: Some(_), .. } => "plain file, all threads",
        }
    }

    /// Runs once; an error when what came out is not what the generator wrote.
    fn run(&self, path: &Path, expected: Option<Written>) -> Outcome<Run> {
        let (begin, cpu) = (Instant::now(), cpu_seconds()?);
        let mut bytes = 0;
        match self {
            Self::Decompress => {
                let mut input = MultiGzDecoder::new(File::open(path)?);
                let mut buffer = vec![0; 256 * 1024];
                loop {
                    match input.read(&mut buffer)? {
                        0 => break,
                        n => bytes += n as u64,
                    }
                }
            }
            Self::Extract { frames, block_kb } => {
                let seen = counts(&trace::read(path, &settings(*frames, *block_kb)?)?);
                let wanted = expected.map(|w| if *frames { w } else { Written { frames: 0, ..w } });
                if wanted.is_some_and(|w| Written { bytes: 0, ..w } != seen) {
                    return Err(format!("{} gives {seen:?}, written was {expected:?}: no figures", self.label()).into());
                }
            }
            Self::Triage { program, .. } => {
                let mut triage = Command::new(program);
                triage.args(["triage", "--format", "json", "--threads", &self.threads()]);
                let output = triage.arg(self.file(path)).output()?;
                if !output.status.success() {
                    return Err(format!("triage ended with {}: no figures", output.status).into());
                }
                let report: serde_json::Value = serde_json::from_slice(&output.stdout)?;
                let (launches, total_us) = (report["gpu"]["launches"].as_u64(), report["gpu"]["total_us"].as_f64());
                let ns = total_us.map(|us| (us * 1000.0).round() as i64);
                if expected.is_some_and(|w| (Some(w.gpu), Some(w.gpu_ns)) != (launches, ns)) {
                    let gives = format!("triage gives {launches:?} launches, {ns:?} ns");
                    return Err(format!("{gives}; written was {expected:?}: no figures").into());
                }
            }
        }
        Ok(Run { wall: begin.elapsed().as_secs_f64(), cpu: cpu_seconds()? - cpu, bytes })
    }

    fn peak_per_gb(&self, path: &Path, json_bytes: u64) -> Outcome<String> {
        let mut child = Command::new(std::env::current_exe()?);
        child.arg("--child");
        match self {
            Self::Decompress => return Ok(String::new()),
            Self::Extract { frames, block_kb } => {
                child.args([if *frames { "frames" } else { "skip" }, &block_kb.to_string()])
            }
            Self::Triage { .. } => child.args(["triage", &self.threads()]),
        };
        let child = child.arg(self.file(path)).output()?;
        if !child.status.success() {
            return Err(format!("the child that measures memory ended with {}", child.status).into());
        }
        let peak_kb: f64 = String::from_utf8(child.stdout)?.trim().parse()?;
        let (mb, gb) = (peak_kb / 1024.0, json_bytes as f64 / 1e9);
        Ok(format!("  peak {mb:.0} MB, {:.0} MB a GB", mb / gb))
    }
}

fn child(path: &Path, frames: bool, block_kb: &str) -> Outcome<()> {
    let trace = trace::read(path, &settings(frames, block_kb.parse()?)?)?;
    print_peak()?;
    drop(trace);
    Ok(())
}

fn triage_child(threads: &str, path: &str) -> Outcome<()> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = ["llm-prof", "triage", "--format", "json", "--threads", threads, path].map(Into::into);
    match cli::run(args, &mut Streams::buffers(&mut out, &mut err)) {
        0 => print_peak(),
        code => Err(format!("triage ended with {code}: {}", String::from_utf8_lossy(&err)).into()),
    }
}

/// The most memory this process ever had, in kilobytes (Linux; else 0).
fn print_peak() -> Outcome<()> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()).unwrap_or("0");
    Ok(writeln!(io::stdout(), "{peak}")?)
}

fn settings(frames: bool, block_kb: usize) -> Outcome<Settings> {
    let file: TraceFile = serde_yaml::from_str(include_str!("../../rules/trace.yaml"))?;
    Ok(Settings { keep_frames: frames, block_bytes: block_kb * 1024, ..file.settings()? })
}

fn counts(trace: &trace::Trace) -> Written {
    // Frames into which no launch fits are counted and not kept.
    let short = trace.skipped.ignored.iter().filter(|(label, _)| label.ends_with("(too short for a launch)"));
    Written {
        events: trace.events,
        gpu: trace.gpu.len() as u64,
        gpu_ns: trace.gpu.iter().map(|g| g.dur.0).sum(),
        frames: trace.frames.iter().map(|f| f.len as u64).sum::<u64>() + short.map(|(_, count)| count).sum::<u64>(),
        bytes: 0,
    }
}

/// User and system time of this process and of children waited for, in hundredths of a second (Linux; else 0).
fn cpu_seconds() -> Outcome<f64> {
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else { return Ok(0.0) };
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: Vec<&str> = after_name.split_whitespace().skip(11).take(4).collect();
    Ok(ticks.iter().map(|t| t.parse::<f64>()).sum::<Result<f64, _>>()? / 100.0)
}

struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        Self { median: values[values.len() / 2], least: values[0], most: values[values.len() - 1] }
    }
}

/// `--events N | --mb N,N`, `--frames SHARE`, `--layout compact|kineto|pretty|all`, `--names few|many`, `--runs N`,
/// `--block-kb N`, or `--file TRACE` for a file of your own.
struct Options {
    recipe: Recipe,
    layouts: Vec<Layout>,
    /// Sizes of the JSON.
    megabytes: Vec<u64>,
    file: Option<PathBuf>,
    runs: usize,
    block_kb: usize,
}

struct Input {
    path: PathBuf,
    label: String,
    expected: Option<Written>,
}

impl Options {
    fn parse(args: &[String]) -> Outcome<Self> {
        let all = vec![Layout::Compact, Layout::Kineto, Layout::Pretty];
        let recipe = Recipe { layout: Layout::Compact, events: u64::MAX, bytes: u64::MAX, frames: 0.88, names: None };
        let mut options = Self {
            recipe,
            layouts: all.clone(),
            megabytes: vec![100, 600],
            file: None,
            runs: 11,
            block_kb: Settings::default().block_bytes / 1024,
        };
        let mut args = args.iter();
        while let Some(flag) = args.next() {
            let value = args.next().ok_or_else(|| format!("{flag} needs a value"))?;
            match (flag.as_str(), value.as_str()) {
                ("--events", n) => (options.recipe.events, options.megabytes) = (n.parse()?, vec![u64::MAX]),
                ("--mb", list) => {
                    options.megabytes = list.split(',').map(str::parse).collect::<Result<_, _>>()?;
                }
                ("--frames", share) => options.recipe.frames = share.parse::<f64>()?.clamp(0.0, 0.99),
                ("--layout", "compact") => options.layouts = vec![Layout::Compact],
                ("--layout", "kineto") => options.layouts = vec![Layout::Kineto],
                ("--layout", "pretty") => options.layouts = vec![Layout::Pretty],
                ("--layout", "all") => options.layouts.clone_from(&all),
                ("--names", "few") => options.recipe.names = None,
                ("--names", "many") => options.recipe.names = Some(200_000),
                ("--runs", n) => options.runs = n.parse::<usize>()?.max(1),
                ("--block-kb", n) => options.block_kb = n.parse()?,
                ("--file", path) => options.file = Some(path.into()),
                _ => return Err(format!("unknown option {flag} {value}").into()),
            }
        }
        Ok(options)
    }

    fn inputs(&self) -> Outcome<Vec<Input>> {
        if let Some(path) = &self.file {
            return Ok(vec![Input { path: path.clone(), label: path.display().to_string(), expected: None }]);
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let sizes = self.megabytes.iter().map(|mb| mb.saturating_mul(1_000_000));
        sizes
            .flat_map(|bytes| self.layouts.iter().map(move |&layout| Recipe { layout, bytes, ..self.recipe }))
            .map(|recipe| {
                let layout = recipe.layout;
                let path = folder.join(format!("calibrated {recipe:?}.json.gz").replace([' ', ':', '{', '}', ','], ""));
                let written = recipe.write(&path)?;
                let label = format!("{layout:?}: {} MB of JSON, {} events", written.bytes / 1_000_000, written.events);
                Ok(Input { path, label, expected: Some(written) })
            })
            .collect()
    }
}
