//! Traces that a claim is tried on.

use std::path::{Path, PathBuf};

/// Every trace below the fixtures, and those of the folder that the environment names, in order of path.
pub(crate) fn all() -> Vec<PathBuf> {
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")];
    open.extend(std::env::var_os("LLM_PROF_REAL_TRACES").map(PathBuf::from));
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().contains(".trace.json") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
