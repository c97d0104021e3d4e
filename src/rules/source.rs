//! Where rules come from: the copies inside the binary, or folders. Every file has a logical path (`rules/terms.yaml`,
//! `catalogs/fuse/sglang/x.yaml`) that says what it is, and a shown path that says where it was read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use rust_embed::RustEmbed;

use crate::diagnostic::{Code, Diagnostic, SourceFile};

/// Catalogs begin with this.
pub(super) const CATALOGS: &str = "catalogs/";
/// Rule files begin with this.
pub(super) const RULES: &str = "rules/";
/// Files about servers begin with this.
pub(super) const SERVERS: &str = "rules/servers/";
/// Version of the catalog.
pub(super) const VERSION: &str = "catalogs/VERSION";
/// Kinds of families: the folders of a catalog.
const KINDS: [&str; 2] = ["fuse", "overlap"];

/// The largest file that is read as rules: ours are a hundredth of it.
const LARGEST: u64 = 8 << 20;

/// Keys of lists of tests.
const TESTS: [&str; 3] = ["tests:", "hit:", "miss:"];

#[derive(RustEmbed)]
#[folder = "rules/"]
#[include = "*.yaml"]
#[exclude = "servers/*"]
struct Rules;

#[derive(RustEmbed)]
#[folder = "rules/servers/"]
#[include = "*.yaml"]
struct Servers;

#[derive(RustEmbed)]
#[folder = "catalogs/"]
#[include = "fuse/**/*.yaml"]
#[include = "overlap/**/*.yaml"]
#[include = "VERSION"]
struct Catalogs;

/// One file.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) logical: String,
    /// 0 for the base, then one more for each folder of `--catalogs`.
    pub(super) layer: usize,
    pub(super) file: Arc<SourceFile>,
}

/// The files that [`super::load`] reads, in order of layer and logical path.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub(super) entries: Vec<Entry>,
    pub(super) problems: Vec<Diagnostic>,
    /// Whether the tests were taken out.
    pub(super) untested: bool,
    /// Whether the rules, not the catalogs, are those inside the binary, which its own tests hold to be right.
    pub(super) own_rules: bool,
}

impl Sources {
    /// What is inside the binary.
    pub fn embedded() -> Self {
        let mut out = Self::default();
        out.embed_rules();
        out.embed_catalogs();
        out.sort();
        out
    }

    /// `rules` replaces the rules, and the catalogs too when it or its neighbour `catalogs` has some; each of
    /// `catalogs` adds families, the later one wins. What is not given is taken from the binary.
    pub fn dirs(rules: Option<&Path>, catalogs: &[PathBuf]) -> Self {
        let mut out = Self::default();
        match rules {
            None => {
                out.embed_rules();
                out.embed_catalogs();
            }
            Some(dir) => {
                // What lies in folders below it (schemas, servers) is no rule of triage.
                out.read_yaml(dir, RULES);
                match catalogs_near(dir) {
                    Some(found) => out.read_catalog(&found, 0),
                    None => out.embed_catalogs(),
                }
            }
        }
        for (n, dir) in catalogs.iter().enumerate() {
            let found = Some(dir.join("catalogs")).filter(|d| has_families(d)).unwrap_or_else(|| dir.clone());
            out.read_catalog(&found, n + 1);
        }
        out.sort();
        out
    }

    /// The files about servers: of the folder `servers` in `rules` when it has one, else those inside the binary.
    pub(super) fn servers(rules: Option<&Path>) -> Self {
        let mut out = Self::default();
        match rules.map(|dir| dir.join("servers")).filter(|dir| dir.is_dir()) {
            Some(dir) => out.read_yaml(&dir, SERVERS),
            None => {
                for path in Servers::iter() {
                    out.embed(SERVERS, &path, Servers::get(&path));
                }
            }
        }
        out.sort();
        out
    }

    /// Texts by logical path, for tests and tools.
    pub fn texts<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut out = Self::default();
        for (path, text) in files {
            out.push(path.to_owned(), 0, path.to_owned(), text.to_owned().into());
        }
        out.sort();
        out
    }

    /// The logical and the shown path and the text of every file, in order.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Arc<SourceFile>)> {
        self.entries.iter().map(|e| (e.logical.as_str(), &e.file))
    }

    /// The same files without the tests and comments in them, four fifths of the text. Lines keep their numbers.
    pub(super) fn without_tests(&self) -> Self {
        let entries = self.entries.par_iter().map(|entry| {
            let file = SourceFile { path: entry.file.path.clone(), text: without_tests(&entry.file.text).into() };
            Entry { file: Arc::new(file), ..entry.clone() }
        });
        Self { entries: entries.collect(), problems: self.problems.clone(), untested: true, own_rules: self.own_rules }
    }

    fn embed_rules(&mut self) {
        self.own_rules = true;
        for path in Rules::iter() {
            self.embed(RULES, &path, Rules::get(&path));
        }
    }

    fn embed_catalogs(&mut self) {
        for path in Catalogs::iter() {
            self.embed(CATALOGS, &path, Catalogs::get(&path));
        }
    }

    fn embed(&mut self, root: &str, path: &str, file: Option<rust_embed::EmbeddedFile>) {
        // Those inside the binary are not copied; only a debug build reads them from the folder.
        let text = match file.map(|f| f.data) {
            Some(Cow::Borrowed(bytes)) => {
                std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
            }
            Some(Cow::Owned(bytes)) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
            None => Cow::default(),
        };
        let path = format!("{root}{path}");
        self.push(path.clone(), 0, path, text);
    }

    fn push(&mut self, logical: String, layer: usize, shown: String, text: Cow<'static, str>) {
        self.entries.push(Entry { logical, layer, file: Arc::new(SourceFile { path: shown, text }) });
    }

    fn sort(&mut self) {
        self.entries.sort_by(|a, b| (a.layer, &a.logical).cmp(&(b.layer, &b.logical)));
    }

    /// The YAML files of a folder itself, as files of `logical`.
    fn read_yaml(&mut self, dir: &Path, logical: &str) {
        match children(dir) {
            Err(error) => self.unreadable(dir, &error),
            Ok(paths) => {
                for (name, path) in paths {
                    if !path.is_dir() && is_yaml(&name) {
                        self.read(format!("{logical}{name}"), 0, &path);
                    }
                }
            }
        }
    }

    fn read_catalog(&mut self, dir: &Path, layer: usize) {
        let version = dir.join("VERSION");
        if layer == 0 && version.is_file() {
            self.read(VERSION.to_owned(), layer, &version);
        }
        if let Err(error) = fs::read_dir(dir) {
            return self.unreadable(dir, &error);
        }
        for kind in KINDS {
            let folder = dir.join(kind);
            if folder.is_dir() {
                self.read_families(&folder, &format!("{CATALOGS}{kind}"), layer, 0);
            }
        }
        if layer > 0 && !has_families(dir) {
            self.problems.push(
                Diagnostic::new(Code::Unreadable, format!("no families in {}", dir.display()))
                    .help("a catalog holds fuse/<framework>/<family>.yaml or overlap/<framework>/<family>.yaml"),
            );
        }
    }

    fn read_families(&mut self, dir: &Path, logical: &str, layer: usize, depth: usize) {
        match children(dir) {
            Err(error) => self.unreadable(dir, &error),
            Ok(paths) => {
                for (name, path) in paths {
                    let logical = format!("{logical}/{name}");
                    if path.is_dir() && depth < 8 {
                        self.read_families(&path, &logical, layer, depth + 1);
                    } else if is_yaml(&name) {
                        self.read(logical, layer, &path);
                    }
                }
            }
        }
    }

    fn read(&mut self, logical: String, layer: usize, path: &Path) {
        // A link may lead to a file that has no end.
        let mut bytes = Vec::new();
        let read = fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
        let text = read.and_then(|read| match read as u64 {
            0..=LARGEST => String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData.into()),
            _ => Err(io::ErrorKind::FileTooLarge.into()),
        });
        match text {
            Ok(text) => self.push(logical, layer, shown(path), text.into()),
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        let reason = match error.kind() {
            io::ErrorKind::InvalidData => "it is no UTF-8 text".to_owned(),
            io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
            io::ErrorKind::FileTooLarge => format!("it is larger than the {} MiB that rules may be", LARGEST >> 20),
            _ => error.to_string(),
        };
        self.problems.push(Diagnostic::new(Code::Unreadable, format!("cannot read {}: {reason}", shown(path))));
    }
}

/// `text` with the lists of tests empty, and without the comments that begin their line: with them a file takes five
/// times as long to read.
fn without_tests(text: &str) -> String {
    let mut out = String::new();
    // How far the key of the list stands in whose items we are.
    let mut tests = None;
    for line in text.lines() {
        let rest = line.trim_start();
        let indent = line.len() - rest.len();
        let is_item = |key: &usize| rest.is_empty() || indent > *key || (indent == *key && rest.starts_with("- "));
        tests = tests.filter(is_item);
        if tests.is_none() && !line.starts_with('#') {
            out.push_str(line);
            if TESTS.contains(&rest) {
                out.push_str(" []");
                tests = Some(indent);
            }
        }
        out.push('\n');
    }
    out
}

/// Files and folders of `dir` by name, hidden ones left out, in order of name.
fn children(dir: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut out = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            out.insert(name, entry.path());
        }
    }
    Ok(out)
}

fn is_yaml(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|e| e == "yaml" || e == "yml")
}

/// The catalog of a rules folder: inside of it, or its neighbour.
fn catalogs_near(dir: &Path) -> Option<PathBuf> {
    let neighbour = match dir.parent() {
        Some(parent) if dir.file_name().is_some() => parent.join("catalogs"),
        _ => dir.join("../catalogs"),
    };
    [dir.join("catalogs"), dir.to_path_buf(), neighbour].into_iter().find(|d| has_families(d))
}

fn has_families(dir: &Path) -> bool {
    KINDS.iter().any(|kind| dir.join(kind).is_dir())
}

/// A path as given, with `/` on every system.
fn shown(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}
