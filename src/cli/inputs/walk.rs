//! Paths as given in; every file that may be a trace, with what its name and first bytes say, out.

use std::fs;
use std::path::{Path, PathBuf};

use globset::GlobBuilder;

use super::names::{NamedRank, Names};
use crate::attribution::Stage;
use crate::cli::failure::Failure;
use crate::trace::{self, Looks};

/// Folders within folders that are looked into.
const DEEPEST: usize = 8;

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
        if path.as_os_str() == "-" {
            found.push(Found::once(path));
            continue;
        }
        let more = match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => in_folder(path, names, settings),
            Ok(meta) if !meta.is_file() => vec![Found::once(path)],
            Ok(_) => beside(look(path, true, names, settings), names, settings),
            Err(error) => match matching(path) {
                Some(paths) if !paths.is_empty() => {
                    let files = paths.iter().filter(|path| !is_ignored(path, names));
                    files.map(|path| Found { run: PathBuf::new(), ..look(path, false, names, settings) }).collect()
                }
                Some(_) => {
                    return Err(Failure::input(format!("{}: no file matches; check the pattern", path.display())));
                }
                None => {
                    return Err(Failure::input(format!(
                        "{}: cannot open it: {error}; give a trace file, a folder of traces, a glob, or - for standard input",
                        path.display()
                    )));
                }
            },
        };
        for file in more {
            if !found.iter().any(|other: &Found| other.path == file.path) {
                found.push(file);
            }
        }
    }
    Ok(found)
}

impl Found {
    /// Standard input or a pipe: what is looked at is gone, so it is only read.
    fn once(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            given: true,
            kind: Kind::Trace,
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
fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
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
    let here = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.clone() };
    let mut files: Vec<PathBuf> = (list(&here).into_iter())
        .map(|path| path.file_name().map(|name| folder.join(name)).unwrap_or(path))
        .filter(|path| names.is_capture_of(path, &trace.path) && *path != trace.path)
        .collect();
    let up = here.parent().filter(|up| !up.as_os_str().is_empty());
    for folder in std::iter::once(here.as_path()).chain(up) {
        files.extend(in_capture_folders(folder, names));
    }
    files.retain(|path| *path != trace.path);
    let captures: Vec<Found> = captures(files, &trace.run, names, settings).collect();
    std::iter::once(trace).chain(captures).collect()
}

/// What the name and the first bytes of a file say.
fn look(path: &Path, given: bool, names: &Names, settings: &trace::Settings) -> Found {
    let mut found = Found {
        path: path.to_owned(),
        given,
        kind: Kind::Trace,
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
            return found;
        }
    };
    let json = |key: &str| serde_json::from_str::<serde_json::Value>(sniff.header.values.get(key)?).ok();
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
