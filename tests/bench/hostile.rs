//! Time and peak memory of triage on traces of hostile sizes: `cargo bench --bench hostile -- [--part 100] [CASE..]`.
//!
//! `--part N` takes the N-th part of each size. A case ends the run when its exit code or its number of launches is not
//! the one that must come out. Peak memory is read from /proc, so it is 0 elsewhere than on Linux.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

#[path = "../common/sizes.rs"]
mod sizes;

use sizes::Many;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "hostile sizes: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let (mut part, mut wanted) = (1, Vec::new());
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--part" => part = args.next().ok_or("--part: expected a number")?.parse::<u64>()?.max(1),
            _ => wanted.push(arg.to_lowercase()),
        }
    }
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|one| *one == name.to_lowercase());
    let mut out = io::stdout().lock();
    for (many, full) in Many::ALL.into_iter().filter(|(many, _)| is_wanted(&format!("{many:?}"))) {
        let n = full / part;
        let path = made(&format!("{many:?}-{n}.json.gz"), |out| sizes::write(many, n, out))?;
        let done = triage(&path)?;
        if done.code != Some(0) || done.launches != Some(many.launches(n)) {
            return Err(format!("{many:?}: exit {:?}, {:?} launches", done.code, done.launches).into());
        }
        writeln!(out, "{:10} {n:>10}  {done}", format!("{many:?}"))?;
    }
    if is_wanted("bomb") {
        let path = bomb()?;
        let done = triage(&path)?;
        if done.code != Some(3) {
            return Err(format!("the bomb: exit {:?}", done.code).into());
        }
        writeln!(out, "{:10} {:>10}  {done}", "Bomb", "25 GiB")?;
    }
    Ok(())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile-sizes")
}

/// A file that is made once.
fn made(name: &str, write: impl FnOnce(&mut GzEncoder<BufWriter<File>>) -> io::Result<()>) -> io::Result<PathBuf> {
    let path = folder().join(name);
    if !path.exists() {
        std::fs::create_dir_all(folder())?;
        let unfinished = path.with_extension("unfinished");
        let mut out = GzEncoder::new(BufWriter::new(File::create(&unfinished)?), Compression::fast());
        write(&mut out)?;
        out.finish()?.flush()?;
        std::fs::rename(unfinished, &path)?;
    }
    Ok(path)
}

/// Blanks: a member of 64 MiB, four hundred times.
fn bomb() -> io::Result<PathBuf> {
    let mut one = GzEncoder::new(Vec::new(), Compression::best());
    one.write_all(&vec![b' '; 64 << 20])?;
    let one = one.finish()?;
    let begin = std::fs::read(made("begin.gz", |out| out.write_all(b"{\"traceEvents\": ["))?)?;
    let path = folder().join("bomb.json.gz");
    let mut out = BufWriter::new(File::create(&path)?);
    out.write_all(&begin)?;
    for _ in 0..400 {
        out.write_all(&one)?;
    }
    out.flush()?;
    Ok(path)
}

struct Done {
    code: Option<i32>,
    wall: Duration,
    peak_kb: u64,
    launches: Option<u64>,
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{:7.2} s  {:6} MB peak", self.wall.as_secs_f64(), self.peak_kb / 1024)
    }
}

fn triage(path: &Path) -> Outcome<Done> {
    let output = folder().join("report.json");
    let begin = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_llm-prof"))
        .args(["triage", "--isolated", "--quiet", "--output"])
        .arg(&output)
        .arg(path)
        .stderr(Stdio::null())
        .spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kb = 0;
    let code = loop {
        // The high-water mark outlives what was freed, so looking now and then is enough.
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        peak_kb = peak_kb.max(mark.unwrap_or(0));
        if let Some(ended) = child.try_wait()? {
            break ended.code();
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let wall = begin.elapsed();
    let report = std::fs::read_to_string(&output).unwrap_or_default();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap_or_default();
    let _ = std::fs::remove_file(&output);
    Ok(Done { code, wall, peak_kb, launches: report["gpu"]["launches"].as_u64() })
}
