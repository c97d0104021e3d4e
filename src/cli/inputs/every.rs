//! Every trace of many runs: what is looked at once a folder, however many traces it holds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::walk::{self, Found, Kind};
use super::{Input, choice, names, shown, sidecar};
use crate::cli::failure::Failure;
use crate::report::TraceInfo;
use crate::rules::RuleSet;

/// What is read, what is left, and what is neither.
#[derive(Debug, Default)]
pub(in crate::cli) struct Every {
    /// By path.
    pub(in crate::cli) taken: Vec<Input>,
    /// Files that are no trace of a worker.
    pub(in crate::cli) left: Vec<TraceInfo>,
    /// What was given and cannot be read, with the reason, by path.
    pub(in crate::cli) broken: BTreeMap<String, String>,
}

/// Looks at all paths but what lies in `output`. A path that is nothing does not keep the others from being read.
pub(in crate::cli) fn every(paths: &[PathBuf], output: &Path, rules: &RuleSet) -> Result<Every, Failure> {
    let names = names(rules)?;
    let mut every = Every::default();
    let mut found: BTreeMap<PathBuf, Found> = BTreeMap::new();
    for path in paths {
        let inside = inside(path, output);
        let files = match walk::at(path, &names, &rules.trace) {
            Ok(files) => files.into_iter().filter(|file| inside.as_ref().is_none_or(|own| !file.path.starts_with(own))),
            Err(Failure::Said { message, .. }) => {
                every.broken.insert(shown(path), message);
                continue;
            }
            Err(other) => return Err(other),
        };
        let mut empty = true;
        for mut file in files {
            empty = false;
            file.path = file.path.strip_prefix("./").map(Path::to_owned).unwrap_or(file.path);
            if let (Kind::Foreign(what), true) = (&file.kind, file.given || file.damaged) {
                let expected = "expected JSON with traceEvents as torch.profiler writes it (.json, .json.gz, .zst)";
                every.broken.insert(shown(&file.path), format!("{}: no trace: {what}; {expected}", shown(&file.path)));
            } else {
                found.entry(file.path.clone()).or_insert(file);
            }
        }
        if empty {
            let expected = "expected .json, .json.gz or .zst files as torch.profiler writes them";
            every.broken.insert(shown(path), format!("{}: no trace found: {expected}", shown(path)));
        }
    }
    let mut alone: BTreeSet<PathBuf> = BTreeSet::new();
    for file in found.values_mut().filter(|file| file.run.as_os_str().is_empty()) {
        file.run = file.path.parent().map(Path::to_owned).unwrap_or_default();
        alone.insert(file.run.clone());
    }
    let mut runs: BTreeMap<PathBuf, Vec<Found>> = BTreeMap::new();
    for file in found.into_values() {
        runs.entry(file.run.clone()).or_default().push(file);
    }
    for folder in alone {
        let files = runs.entry(folder.clone()).or_default();
        let known: BTreeSet<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
        let more = walk::captures_of_folder(&folder, &names, &rules.trace);
        files.extend(more.into_iter().filter(|capture| !known.contains(&capture.path)));
    }
    for files in runs.into_values() {
        let inputs = choice::each(files, &names);
        every.taken.extend(inputs.taken);
        every.left.extend(inputs.left);
    }
    for input in &mut every.taken {
        input.server_args = sidecar::server_args_beside(&input.path, &names);
    }
    every.taken.sort_by(|a, b| a.info.path.cmp(&b.info.path));
    every.left.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(every)
}

/// Where `output` lies as seen from a folder that it lies in.
fn inside(folder: &Path, output: &Path) -> Option<PathBuf> {
    let (whole, output) = (fs::canonicalize(folder).ok()?, fs::canonicalize(output).ok()?);
    Some(folder.join(output.strip_prefix(whole).ok()?))
}
