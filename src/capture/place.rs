//! Folders of a capture: where the server writes, what is new there, where it is kept. What was there before stays as it
//! is.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::{IpAddr, ToSocketAddrs, UdpSocket};
use std::path::{Path, PathBuf};

/// Folder of captures that are under way, or ended early; hidden, so that it is never read as a run.
const UNFINISHED: &str = ".partial";

/// Where the traces of one part go.
pub(super) struct Place {
    /// Where the server writes, seen from here.
    pub(super) writes: PathBuf,
    /// The same, seen from the server.
    pub(super) told: PathBuf,
    /// Where whole traces end up.
    keeps: PathBuf,
    /// Where what is not whole ends up.
    unfinished: PathBuf,
    /// Whether the folder is ours alone.
    own: bool,
    /// What was there before.
    before: BTreeSet<PathBuf>,
}

impl Place {
    /// A folder of its own in `folder`, which the server calls `server`; or, if `fixed`, `folder` itself.
    pub(super) fn make(folder: &Path, server: &Path, part: Option<&str>, id: &str, fixed: bool) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let name = part.map_or_else(|| id.to_owned(), |part| format!("{part}-{id}"));
        let below = Path::new(UNFINISHED).join(&name);
        let unfinished = folder.join(&below);
        let keeps = part.map_or_else(|| folder.to_owned(), |part| folder.join(part));
        if fixed {
            // Traces are moved within it once they are whole.
            writable(folder)?;
            let before = files(folder).into_iter().collect();
            let (writes, told) = (folder.to_owned(), server.to_owned());
            return Ok(Self { writes, told, keeps, unfinished, own: false, before });
        }
        fs::create_dir_all(&unfinished)?;
        writable(&unfinished)?;
        let told = server.join(&below);
        Ok(Self { writes: unfinished.clone(), told, keeps, unfinished, own: true, before: BTreeSet::new() })
    }

    /// Files that were not there before, by path.
    pub(super) fn new_files(&self) -> Vec<PathBuf> {
        let all = if self.own { below(&self.writes) } else { files(&self.writes) };
        all.into_iter().filter(|path| !self.before.contains(path)).collect()
    }

    /// Moves whole traces to their place; their paths there.
    pub(super) fn keep(&self, files: &[PathBuf]) -> io::Result<Vec<PathBuf>> {
        let kept = Self::shift(files, &self.keeps)?;
        if self.own {
            // What else the server wrote stays with its traces.
            Self::shift(&self.new_files(), &self.keeps)?;
        }
        self.tidy();
        Ok(kept)
    }

    /// Keeps what there is apart; where that is, when there is anything. Empty files are removed.
    pub(super) fn salvage(&self) -> Option<PathBuf> {
        let (empty, rest): (Vec<PathBuf>, Vec<PathBuf>) =
            self.new_files().into_iter().partition(|path| fs::metadata(path).is_ok_and(|meta| meta.len() == 0));
        for path in empty {
            // One that cannot be removed is as good as one that was.
            let _ = fs::remove_file(path);
        }
        if !rest.is_empty() && !self.own {
            // A file that is still written to is followed by its writer.
            Self::shift(&rest, &self.unfinished).ok()?;
        }
        self.tidy();
        (!rest.is_empty()).then(|| self.unfinished.clone())
    }

    fn shift(files: &[PathBuf], to: &Path) -> io::Result<Vec<PathBuf>> {
        let mut moved = Vec::new();
        for path in files {
            fs::create_dir_all(to)?;
            let mut target = to.join(path.file_name().unwrap_or_default());
            let mut n = 1;
            while target.exists() {
                // Two captures in one second, or a server that repeats a name: both stay.
                n += 1;
                target = to.join(format!("{n}-{}", path.file_name().unwrap_or_default().to_string_lossy()));
            }
            fs::rename(path, &target)?;
            moved.push(target);
        }
        Ok(moved)
    }

    /// Removes our own folders where they are empty.
    pub(super) fn tidy(&self) {
        if fs::remove_dir(&self.unfinished).is_ok()
            && let Some(above) = self.unfinished.parent()
        {
            let _ = fs::remove_dir(above);
        }
    }
}

/// Whether files can be made in a folder; the error says why not.
fn writable(folder: &Path) -> io::Result<()> {
    let probe = folder.join(format!(".llm-prof-{}", std::process::id()));
    fs::write(&probe, b"")?;
    fs::remove_file(&probe)
}

/// Files of a folder, hidden ones left out, by path.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut paths: Vec<PathBuf> = (entries.map(|entry| entry.path()))
        .filter(|path| !path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.')) && path.is_file())
        .collect();
    paths.sort();
    paths
}

/// Files of a folder and those in it.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    files(folder).into_iter().chain(folders.iter().flat_map(|folder| files(folder))).collect()
}

/// Names in folders where traces may appear when they do not where they should.
pub(super) fn elsewhere(folders: &[String]) -> BTreeSet<PathBuf> {
    folders.iter().flat_map(|folder| files(Path::new(folder))).collect()
}

/// Whether `host` is this machine: an address that something can be bound to.
pub(super) fn is_here(host: &str) -> bool {
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    let addresses: Vec<IpAddr> = match plain.parse() {
        Ok(address) => vec![address],
        Err(_) => {
            (plain, 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect()).unwrap_or_default()
        }
    };
    addresses.iter().any(|address| address.is_loopback() || UdpSocket::bind((*address, 0)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_told_by_its_addresses() {
        assert!(is_here("localhost") && is_here("127.0.0.1") && is_here("[::1]"));
        // Set aside for documents: nobody has it.
        assert!(!is_here("192.0.2.1"));
    }

    #[test]
    fn what_was_there_before_is_neither_moved_nor_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join("rank0.json");
        fs::write(&old, "old").unwrap();
        fs::create_dir(folder.path().join("decode")).unwrap();
        fs::write(folder.path().join("decode/rank1.json"), "old").unwrap();
        let place = Place::make(folder.path(), folder.path(), Some("decode"), "7", true).unwrap();
        let new = folder.path().join("rank1.json");
        fs::write(&new, "new").unwrap();
        assert_eq!(place.new_files(), std::slice::from_ref(&new));
        let kept = place.keep(&[new]).unwrap();
        assert_eq!(kept, [folder.path().join("decode/2-rank1.json")]);
        assert_eq!(fs::read_to_string(&old).unwrap(), "old");
        assert_eq!(fs::read_to_string(folder.path().join("decode/rank1.json")).unwrap(), "old");
    }

    #[test]
    fn what_is_kept_apart_is_where_no_run_is_looked_for_and_empty_files_are_gone() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::make(folder.path(), Path::new("/server"), Some("prefill"), "7", false).unwrap();
        assert_eq!(place.told, Path::new("/server/.partial/prefill-7"));
        fs::write(place.writes.join("a.json.gz"), "half").unwrap();
        fs::write(place.writes.join("b.json.gz"), "").unwrap();
        assert_eq!(place.salvage(), Some(folder.path().join(".partial/prefill-7")));
        assert_eq!(files(&place.writes), [place.writes.join("a.json.gz")]);
    }

    #[test]
    fn a_capture_that_wrote_nothing_leaves_no_folder() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::make(folder.path(), folder.path(), Some("prefill"), "7", false).unwrap();
        assert_eq!(place.salvage(), None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
