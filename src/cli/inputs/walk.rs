//! Paths as given in; every file that may be a trace, with what its name and first bytes say, out.

use std::fs;
use std::path::{Path, PathBuf};

use globset::GlobBuilder;

use super::names::{NamedRank, Names};
use crate::attribution::Stage;
use crate::cli::failure::Failure;
use crate::trace::{self, Looks};

/// Folders within folders that are looked into.
pub(super) const DEEPEST: usize = 8;

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A trace of a server's worker.
    Trace,
    /// Of the process that takes requests.
    Frontend,
    /// All ranks in one.
    Merged,
    /// Of a graph capture.
    Capture,
    /// None; what it is instead.
    Foreign(String),
}

/// A file that may be a trace.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// Given by name, not found in a folder.
    pub(super) given: bool,
    pub(super) kind: Kind,
    /// Of what is no trace: it is empty or broken, or cannot be read.
    pub(super) damaged: bool,
    /// The folder that stands for its run.
    pub(super) run: PathBuf,
    pub(super) stage: Option<Stage>,
    /// Rank that the contents say.
    pub(super) own_rank: Option<i64>,
    /// Rank that the name says.
    pub(super) named_rank: Option<NamedRank>,
    /// Other coordinates of the worker, by the name.
    pub(super) coordinates: Vec<i64>,
    /// When the profiler began, ns since 1970.
    pub(super) begin: Option<i64>,
}

/// All files that may be traces, in order of the arguments, then of their paths.
pub(super) fn find(paths: &[PathBuf], names: &Names, settings: &trace::Settings) -> Result<Vec<Found>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        let more = match <[Found; 1]>::try_from(at(path, names, settings)?) {
            Ok([file]) if file.given && path.is_file() => beside(file, names, settings),
            Ok([file]) => vec![file],
            Err(files) => files,
        };
        for file in more {
            if !found.iter().any(|other: &Found| other.path == file.path) {
                found.push(file);
            }
        }
    }
    Ok(found)
}

/// What a path given is: a file, those of a folder, those that a glob matches.
pub(super) fn at(path: &Path, names: &Names, settings: &trace::Settings) -> Result<Vec<Found>, Failure> {
    if path.as_os_str() == "-" {
        return Ok(vec![Found::once(path)]);
    }
    match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => Ok(in_folder(path, names, settings)),
        Ok(meta) if !meta.is_file() => Ok(vec![Found::once(path)]),
        Ok(_) => Ok(vec![look(path, true, names, settings)]),
        Err(error) => match matching(path) {
            Some(paths) if !paths.is_empty() => {
                let files = paths.iter().filter(|path| !is_ignored(path, names));
                Ok(files.map(|path| Found { run: PathBuf::new(), ..look(path, false, names, settings) }).collect())
            }
            Some(_) => Err(Failure::input(format!("{}: no file matches; check the pattern", path.display()))),
            None => Err(Failure::input(format!(
                "{}: cannot open it: {error}; give a trace file, a folder of traces, a glob, or - for standard input",
                path.display()
            ))),
        },
    }
}

impl Found {
    /// Standard input or a pipe: what is looked at is gone, so it is only read.
    fn once(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            given: true,
            kind: Kind::Trace,
            damaged: false,
            run: PathBuf::new(),
            stage: None,
            own_rank: None,
            named_rank: None,
            coordinates: Vec::new(),
            begin: None,
        }
    }
}

fn is_ignored(path: &Path, names: &Names) -> bool {
    let Some(name) = path.file_name() else { return true };
    let is_server_args = names.server_args.iter().any(|other| name == other.as_str());
    is_server_args || names.ignored.is_match(name) || !names.candidates.is_match(name)
}

fn in_folder(folder: &Path, names: &Names, settings: &trace::Settings) -> Vec<Found> {
    let mut files = Vec::new();
    walk(folder, DEEPEST, &mut files);
    files.retain(|path| !is_ignored(path, names));
    let mut found: Vec<Found> = (files.iter())
        .map(|path| {
            let mut run = path.parent().unwrap_or(folder);
            while run != folder && names.is_part_of_run(run) {
                run = run.parent().unwrap_or(folder);
            }
            Found { run: run.to_owned(), ..look(path, false, names, settings) }
        })
        .collect();
    // A server may write the captures of its graphs beside the folder of the run.
    let up = folder.parent().filter(|up| !up.as_os_str().is_empty() && !names.is_capture_folder(folder));
    let any = |kinds: &[Kind]| found.iter().any(|file| kinds.contains(&file.kind));
    if let Some(up) = up.filter(|_| any(&[Kind::Trace, Kind::Merged]) && !any(&[Kind::Capture])) {
        found.extend(captures(in_capture_folders(up, names), folder, names, settings));
    }
    found
}

/// Files in the folders of captures that stand in `folder`, by path.
fn in_capture_folders(folder: &Path, names: &Names) -> Vec<PathBuf> {
    let folders = fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut folders: Vec<PathBuf> = folders.filter(|path| names.is_capture_folder(path) && path.is_dir()).collect();
    folders.sort();
    folders.iter().flat_map(|folder| list(folder)).collect()
}

/// Those of `files` that may be captures of the run in the folder `run`.
fn captures<'a>(
    files: Vec<PathBuf>,
    run: &'a Path,
    names: &'a Names,
    settings: &'a trace::Settings,
) -> impl Iterator<Item = Found> + use<'a> {
    (files.into_iter()).filter(|path| !is_ignored(path, names)).map(|path| Found {
        kind: Kind::Capture,
        run: run.to_owned(),
        ..look(&path, false, names, settings)
    })
}

/// Files of one folder, by path.
fn list(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    walk(folder, 0, &mut files);
    files
}

/// Files below `folder`, by path; hidden ones and what cannot be listed are passed over.
pub(super) fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        match fs::metadata(&path) {
            _ if hidden => {}
            Ok(meta) if meta.is_dir() && depth > 0 => walk(&path, depth - 1, files),
            Ok(meta) if meta.is_file() => files.push(path),
            _ => {}
        }
    }
}

/// Files that a glob matches; none when `path` is no glob.
fn matching(path: &Path) -> Option<Vec<PathBuf>> {
    let pattern = path.to_str()?;
    let meta = pattern.find(['*', '?', '[', '{'])?;
    let base = pattern[..meta].rfind('/').map_or("", |slash| &pattern[..=slash]);
    let glob = GlobBuilder::new(pattern).literal_separator(true).build().ok()?.compile_matcher();
    let mut files = Vec::new();
    walk(Path::new(if base.is_empty() { "." } else { base }), DEEPEST, &mut files);
    let plain = |path: PathBuf| path.strip_prefix("./").map(Path::to_owned).unwrap_or(path);
    let files = files.into_iter().map(|path| if base.is_empty() { plain(path) } else { path });
    Some(files.filter(|path| glob.is_match(path)).collect())
}

/// A file given by name with the graph captures that stand beside it.
fn beside(trace: Found, names: &Names, settings: &trace::Settings) -> Vec<Found> {
    let folder = trace.path.parent().map(Path::to_owned).unwrap_or_default();
    let mut files = captures_around(&folder, names, |path| names.is_capture_of(path, &trace.path));
    files.retain(|path| *path != trace.path);
    let captures: Vec<Found> = captures(files, &trace.run, names, settings).collect();
    std::iter::once(trace).chain(captures).collect()
}

/// Files of a folder that `is_capture` says are captures, and those in the folders of captures in it or one up.
fn captures_around(folder: &Path, names: &Names, is_capture: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut files: Vec<PathBuf> = (list(here).into_iter())
        .map(|path| path.file_name().map(|name| folder.join(name)).unwrap_or(path))
        .filter(|path| is_capture(path))
        .collect();
    let up = here.parent().filter(|up| !up.as_os_str().is_empty());
    for folder in std::iter::once(here).chain(up) {
        files.extend(in_capture_folders(folder, names));
    }
    files
}

/// Captures that may be of the traces in a folder, whatever these are called.
pub(super) fn captures_of_folder(folder: &Path, names: &Names, settings: &trace::Settings) -> Vec<Found> {
    let files = captures_around(folder, names, |path| names.is_capture(path));
    captures(files, folder, names, settings).collect()
}

/// What the name and the first bytes of a file say.
fn look(path: &Path, given: bool, names: &Names, settings: &trace::Settings) -> Found {
    let mut found = Found {
        path: path.to_owned(),
        given,
        kind: Kind::Trace,
        damaged: false,
        run: PathBuf::new(),
        stage: names.stage(path),
        own_rank: None,
        named_rank: names.rank(path),
        coordinates: names.coordinates(path),
        begin: None,
    };
    let sniff = match trace::sniff(path, settings) {
        Ok(sniff) => sniff,
        Err(error) => {
            found.kind = Kind::Foreign(format!("cannot read it: {error}"));
            found.damaged = true;
            return found;
        }
    };
    let json = |key: &str| serde_json::from_str::<serde_json::Value>(sniff.header.values.get(key)?).ok();
    found.damaged = sniff.damaged;
    found.own_rank = json("distributedInfo").and_then(|info| info.get("rank")?.as_i64());
    found.begin = json("baseTimeNanoseconds").and_then(|time| time.as_i64());
    found.kind = match sniff.looks {
        Looks::Foreign(what) => Kind::Foreign(what),
        _ if names.is_frontend(path) => Kind::Frontend,
        _ if names.is_capture(path) => Kind::Capture,
        _ if names.is_merged(path) => Kind::Merged,
        Looks::Trace | Looks::Unsure => Kind::Trace,
    };
    found
}
