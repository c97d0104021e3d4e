//! The folder of a fleet: a report and a part of the tables for each input, the tables of all, and a lock.
//!
//! An input is done when its part is there: the part is written last, and its first line says of what content it is. Tables
//! are the parts one after the other, in order of the inputs' paths, so that nothing depends on what was done when.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cli::failure::Failure;
use crate::cli::output::{Beside, save_whole, save_with};
use crate::fleet::{Row, TABLES};
use crate::plain;
use crate::report::{Report, json};

use super::tables::write;

/// Held while a process writes; it stays, and says that the folder is one of ours.
const LOCK: &str = ".llm-prof-fleet.lock";
/// What could not be read, and why.
pub(super) const ERRORS: &str = "errors.jsonl";
const REPORTS: &str = "reports";
const PARTS: &str = "parts";

/// What became of an input: the first line of its part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Done {
    /// Path as given.
    pub(super) trace: String,
    /// Digest of all that the result depends on.
    pub(super) key: String,
    /// Why there is no report.
    pub(super) error: Option<Error>,
}

/// A line of `errors.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Error {
    /// What could not be read.
    pub(super) file: String,
    /// What the exit code of `triage` is.
    pub(super) code: u8,
    /// What is said.
    pub(super) reason: String,
}

/// The folder, locked.
#[derive(Debug)]
pub(super) struct Store {
    dir: PathBuf,
    lock: File,
}

impl Store {
    /// Makes the folder and locks it; with the process that locked it before and did not end well.
    pub(super) fn open(dir: &Path) -> Result<(Self, Option<String>), Failure> {
        let shown = dir.display();
        let cannot = |error: io::Error| {
            Failure::usage(format!("-o {shown}: cannot write there: {error}; check the folder and its permissions"))
        };
        let foreign = TABLES.iter().map(|table| format!("{table}.ndjson")).find(|name| dir.join(name).exists());
        if let (Some(name), false) = (foreign, dir.join(LOCK).exists()) {
            return Err(Failure::usage(format!(
                "-o {shown}: there is a {name} that llm-prof fleet did not write; give another folder"
            )));
        }
        for folder in [dir, &dir.join(REPORTS), &dir.join(PARTS)] {
            fs::create_dir_all(folder).map_err(cannot)?;
        }
        let path = dir.join(LOCK);
        let mut lock =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(cannot)?;
        let locked = lock.try_lock();
        let mut before = String::new();
        lock.read_to_string(&mut before).map_err(cannot)?;
        let before = before.trim().to_owned();
        match locked {
            Err(TryLockError::WouldBlock) => {
                // It may not have said its number yet.
                let who = if before.is_empty() { String::new() } else { format!(" (process {before})") };
                return Err(Failure::usage(format!(
                    "-o {shown}: another llm-prof{who} writes there; wait for its end, or give another folder"
                )));
            }
            // A file system that knows no locks: whoever shares it between machines keeps them apart.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let store = Self { dir: dir.to_owned(), lock };
        store.sign(&std::process::id().to_string()).map_err(|error| store.full(&error))?;
        store.sweep();
        Ok((store, Some(before).filter(|before| !before.is_empty())))
    }

    /// Removes what killed processes were writing; nobody else writes here now.
    fn sweep(&self) {
        for folder in [self.dir.clone(), self.dir.join(REPORTS), self.dir.join(PARTS)] {
            let names = fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
            for path in names.filter(|path| path.extension().is_some_and(|ending| ending == "partial")) {
                // One that stays is in nobody's way.
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Puts into the lock who holds it.
    fn sign(&self, who: &str) -> io::Result<()> {
        use io::Seek;
        let mut lock = &self.lock;
        self.lock.set_len(0)?;
        lock.rewind()?;
        lock.write_all(who.as_bytes())
    }

    /// What is said when the folder takes no more.
    pub(super) fn full(&self, error: &io::Error) -> Failure {
        let shown = self.dir.display();
        Failure::usage(format!(
            "-o {shown}: cannot write there: {error}; what was done is kept: give it room, and the same command goes on"
        ))
    }

    /// What is done, by path of the input. A part whose first line is not ours is none.
    pub(super) fn done(&self) -> io::Result<BTreeMap<String, Done>> {
        let mut done = BTreeMap::new();
        for entry in fs::read_dir(self.dir.join(PARTS))? {
            let path = entry?.path();
            let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
            if hidden {
                continue;
            }
            let mut line = String::new();
            BufReader::new(File::open(&path)?).read_line(&mut line)?;
            if let Ok(one) = serde_json::from_str::<Done>(&line) {
                done.insert(one.trace.clone(), one);
            }
        }
        Ok(done)
    }

    /// Keeps what became of an input.
    pub(super) fn keep(&self, done: &Done, report: Option<(&Report, &[Row])>) -> io::Result<()> {
        let path = self.report(&done.trace);
        match report {
            Some((report, _)) => save_whole(&path, &json::render(report))?,
            // Of another content that could be read.
            None if path.exists() => fs::remove_file(&path)?,
            None => {}
        }
        save_with(&self.part(&done.trace), |file| {
            let mut out = BufWriter::new(file);
            out.write_all(plain::json_line(done)?.as_bytes())?;
            if let Some((_, rows)) = report {
                write(rows, &mut out)?;
            }
            out.flush()
        })
    }

    /// Removes what is kept of an input; the part first, without which the report is none.
    pub(super) fn forget(&self, trace: &str) -> io::Result<()> {
        fs::remove_file(self.part(trace))?;
        match fs::remove_file(self.report(trace)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn report(&self, trace: &str) -> PathBuf {
        self.dir.join(REPORTS).join(format!("{}.json", name(trace)))
    }

    fn part(&self, trace: &str) -> PathBuf {
        self.dir.join(PARTS).join(format!("{}.ndjson", name(trace)))
    }

    /// Writes the tables of all that is done, and the errors; all of them, or none.
    pub(super) fn finish(&self, done: &BTreeMap<String, Done>, errors: &[&Error]) -> io::Result<()> {
        let mut files = Vec::new();
        for table in TABLES {
            let file = Beside::create(&self.dir.join(format!("{table}.ndjson")))?;
            files.push((format!("{{\"table\":\"{table}\""), BufWriter::new(file)));
        }
        let mut line = Vec::new();
        for one in done.values().filter(|one| one.error.is_none()) {
            let mut part = BufReader::new(File::open(self.part(&one.trace))?);
            part.skip_until(b'\n')?;
            while part.read_until(b'\n', &mut line)? > 0 {
                if let Some((_, file)) = files.iter_mut().find(|(begin, _)| line.starts_with(begin.as_bytes())) {
                    file.write_all(&line)?;
                }
                line.clear();
            }
        }
        let mut list = BufWriter::new(Beside::create(&self.dir.join(ERRORS))?);
        for error in errors {
            list.write_all(plain::json_line(error)?.as_bytes())?;
        }
        let all = files.into_iter().map(|(_, file)| file).chain([list]);
        let whole: Vec<Beside> = all.map(|file| Ok(file.into_inner()?)).collect::<io::Result<_>>()?;
        whole.into_iter().try_for_each(Beside::finish)?;
        self.sign("")
    }
}

/// The name of an input's files: the end of its path, for people, and a digest of all of it.
fn name(trace: &str) -> String {
    const LONGEST: usize = 80;
    let plain: Vec<char> =
        trace.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
    let end: String = plain[plain.len().saturating_sub(LONGEST)..].iter().collect();
    format!("{}-{}", end.trim_start_matches(['.', '_', '-']), &blake3::hash(trace.as_bytes()).to_hex()[..12])
}
