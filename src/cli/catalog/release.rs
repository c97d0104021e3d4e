//! A release of a Python package: a wheel, an sdist or a folder with one of them unpacked. Its name, version and paths
//! are known at once; the bytes of its files are handed over one file after the other.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

/// A release.
pub(super) struct Release {
    kind: Kind,
    /// As its metadata has it.
    pub(super) package: String,
    /// As its metadata has it.
    pub(super) version: String,
    /// Of files, with `/`, without the folder that an sdist packs everything into.
    pub(super) paths: BTreeSet<String>,
}

enum Kind {
    Wheel(PathBuf),
    Sdist(PathBuf),
    Folder(PathBuf),
}

impl Release {
    /// Reads the list of files and the metadata.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let name = path.to_string_lossy().to_lowercase();
        let kind = if path.is_dir() {
            Kind::Folder(path.to_owned())
        } else if name.ends_with(".tar.gz") {
            Kind::Sdist(path.to_owned())
        } else {
            Kind::Wheel(path.to_owned())
        };
        let mut paths = BTreeSet::new();
        let mut metadata: Vec<(String, Vec<u8>)> = Vec::new();
        kind.each(
            &mut |path| {
                paths.insert(path.to_owned());
                is_metadata(path)
            },
            &mut |path, bytes| metadata.push((path.to_owned(), bytes.to_owned())),
        )?;
        // The one nearest to the root: packages may carry others inside.
        metadata.sort_by_key(|(path, _)| (path.matches('/').count(), path.clone()));
        let (path, bytes) = metadata.first().ok_or_else(|| {
            io::Error::other("no METADATA or PKG-INFO in it; expected a wheel, an sdist or a folder with one unpacked")
        })?;
        let text = String::from_utf8_lossy(bytes);
        let field = |name: &str| {
            let value = text.lines().take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix(name));
            value
                .map(|value| value.trim().to_owned())
                .ok_or_else(|| io::Error::other(format!("{path} has no `{name}`")))
        };
        Ok(Self { package: field("Name:")?, version: field("Version:")?, kind, paths })
    }

    /// Hands over each file of which `wanted` says so.
    pub(super) fn each(&self, wanted: &dyn Fn(&str) -> bool, take: &mut dyn FnMut(&str, &[u8])) -> io::Result<()> {
        self.kind.each(&mut |path| wanted(path), take)
    }
}

/// `x.dist-info/METADATA` of a wheel, `PKG-INFO` of an sdist.
fn is_metadata(path: &str) -> bool {
    path.ends_with(".dist-info/METADATA") || path == "PKG-INFO" || path.ends_with("/PKG-INFO")
}

impl Kind {
    fn each(&self, wanted: &mut dyn FnMut(&str) -> bool, take: &mut dyn FnMut(&str, &[u8])) -> io::Result<()> {
        let mut bytes = Vec::new();
        match self {
            Self::Wheel(path) => {
                let mut archive = zip::ZipArchive::new(File::open(path)?)?;
                for at in 0..archive.len() {
                    let mut file = archive.by_index(at)?;
                    let path = file.name()?.into_owned();
                    if file.is_file() && wanted(&path) {
                        bytes.clear();
                        file.read_to_end(&mut bytes)?;
                        take(&path, &bytes);
                    }
                }
            }
            Self::Sdist(path) => {
                let mut archive = tar::Archive::new(MultiGzDecoder::new(File::open(path)?));
                for file in archive.entries()? {
                    let mut file = file?;
                    let whole = file.path()?.to_string_lossy().into_owned();
                    let Some((_, path)) = whole.split_once('/') else { continue };
                    if file.header().entry_type().is_file() && wanted(path) {
                        bytes.clear();
                        file.read_to_end(&mut bytes)?;
                        take(path, &bytes);
                    }
                }
            }
            Self::Folder(root) => {
                for path in files(root)? {
                    if wanted(&path) {
                        take(&path, &fs::read(root.join(&path))?);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Paths of all files below a folder; links are not followed.
fn files(root: &Path) -> io::Result<BTreeSet<String>> {
    let mut open = vec![root.to_owned()];
    let mut out = BTreeSet::new();
    while let Some(folder) = open.pop() {
        for entry in folder.read_dir()? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                open.push(entry.path());
            } else if let (true, Ok(below)) = (kind.is_file(), entry.path().strip_prefix(root)) {
                let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
                out.insert(parts.join("/"));
            }
        }
    }
    Ok(out)
}
