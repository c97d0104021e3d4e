//! Traces become whole: the packing ends with its checksum, the JSON closes, and there is one for every rank.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use globset::GlobSet;
use indicatif::DecimalBytes;

use super::record::globs;
use crate::rules::schema::inputs::InputsFile;
use crate::rules::schema::servers::Waits;
use crate::trace::{self, Looks, Whole};

/// What file names say, by the rules.
pub(super) struct Names {
    ignored: GlobSet,
    frontend: GlobSet,
}

impl Names {
    /// Globs that are none match nothing; the rules are checked elsewhere.
    pub(super) fn new(inputs: &InputsFile) -> Self {
        Self { ignored: globs(&inputs.ignored), frontend: globs(&inputs.frontend) }
    }
}

/// A file on its way.
#[derive(Clone, Debug)]
struct Watched {
    size: u64,
    since: Instant,
    /// Next look inside, and how long until the one after it.
    look: Instant,
    pause: Duration,
    whole: Option<Whole>,
}

/// What there is after the wait.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Flushed {
    /// Whole traces of workers, by name.
    pub(super) traces: Vec<PathBuf>,
    /// Traces of the front end.
    pub(super) frontend: Vec<PathBuf>,
    /// Not whole: name, bytes, whether it grew at the end.
    pub(super) growing: Vec<(String, u64, bool)>,
    /// Never whole: name and what is wrong.
    pub(super) foreign: Vec<(String, String)>,
    /// Whether everything that was waited for is there.
    pub(super) done: bool,
}

/// What is waited for.
pub(super) struct Wanted<'w> {
    /// Traces; none: those that appear.
    pub(super) traces: Option<u64>,
    /// What their names begin with, when the server was told.
    pub(super) prefix: Option<&'w str>,
    pub(super) longest: Duration,
    pub(super) waits: Waits,
}

/// Waits for whole traces among the files that `list` gives; `say` hears how they grow.
pub(super) fn wait(
    list: impl Fn() -> Vec<PathBuf>,
    names: &Names,
    wanted: &Wanted,
    settings: &trace::Settings,
    mut say: impl FnMut(&str),
) -> Flushed {
    let ms = Duration::from_millis;
    let begin = Instant::now();
    let mut files: BTreeMap<PathBuf, Watched> = BTreeMap::new();
    let mut last_new = begin;
    loop {
        let now = Instant::now();
        for path in list().into_iter().filter(|path| is_candidate(path, names, wanted.prefix)) {
            let size = fs::metadata(&path).map_or(0, |meta| meta.len());
            let file = files.entry(path.clone()).or_insert_with(|| {
                last_new = now;
                Watched { size, since: now, look: now, pause: ms(wanted.waits.still_ms), whole: None }
            });
            if size != file.size {
                *file = Watched { size, since: now, look: now, pause: ms(wanted.waits.still_ms), whole: None };
            }
            let still = now - file.since >= ms(wanted.waits.still_ms);
            if still && now >= file.look && matches!(file.whole, None | Some(Whole::NotYet)) {
                // A file that cannot be read yet may be readable later.
                file.whole = Some(look(&path, settings).unwrap_or(Whole::NotYet));
                file.look = Instant::now() + file.pause;
                file.pause = (file.pause * 2).min(ms(wanted.waits.backoff_ms));
            }
        }
        let whole = |file: &Watched| file.whole == Some(Whole::Yes);
        let count = files.iter().filter(|(path, file)| whole(file) && !is_frontend(path, names)).count() as u64;
        let on_its_way = |file: &Watched| matches!(file.whole, None | Some(Whole::NotYet));
        let open = files.iter().any(|(path, file)| on_its_way(file) && !is_frontend(path, names));
        let enough = match wanted.traces {
            Some(wanted) => count >= wanted,
            None => count > 0 && last_new.elapsed() >= ms(wanted.waits.settle_ms),
        };
        if enough && !open {
            return sorted(&files, names, true);
        }
        if begin.elapsed() >= wanted.longest {
            return sorted(&files, names, false);
        }
        for (path, file) in files.iter().filter(|(_, file)| !whole(file)) {
            say(&format!("{}: {} so far", name_of(path), DecimalBytes(file.size)));
        }
        std::thread::sleep(ms(wanted.waits.poll_ms));
    }
}

/// Whether a file is whole, and a trace.
fn look(path: &Path, settings: &trace::Settings) -> io::Result<Whole> {
    Ok(match trace::whole(path)? {
        Whole::Yes => match trace::sniff(path, settings)?.looks {
            Looks::Foreign(what) => Whole::Never(what),
            Looks::Trace | Looks::Unsure => Whole::Yes,
        },
        other => other,
    })
}

fn sorted(files: &BTreeMap<PathBuf, Watched>, names: &Names, done: bool) -> Flushed {
    let mut out = Flushed { done, ..Flushed::default() };
    for (path, file) in files {
        match &file.whole {
            Some(Whole::Yes) if is_frontend(path, names) => out.frontend.push(path.clone()),
            Some(Whole::Yes) => out.traces.push(path.clone()),
            Some(Whole::Never(what)) => out.foreign.push((name_of(path), what.clone())),
            None | Some(Whole::NotYet) => out.growing.push((name_of(path), file.size, file.whole.is_none())),
        }
    }
    out
}

fn is_candidate(path: &Path, names: &Names, prefix: Option<&str>) -> bool {
    let name = name_of(path);
    !names.ignored.is_match(&name) && prefix.is_none_or(|prefix| name.starts_with(prefix))
}

fn is_frontend(path: &Path, names: &Names) -> bool {
    names.frontend.is_match(name_of(path))
}

/// The name of a file, for people.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
