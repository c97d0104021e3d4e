//! Paths as given in; what is read, in which role, and what is left and why, out.

mod choice;
mod every;
mod names;
mod sidecar;
mod walk;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::attribution::Stage;
use crate::cli::failure::Failure;
use crate::report::TraceInfo;
use crate::report::ranks::Worker;
use crate::rules::RuleSet;

pub(super) use every::{Every, every};
pub(super) use sidecar::{capture_beside, capture_file, server_args_of};

/// What the user said about the choice.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ask {
    /// This rank.
    pub(super) rank: Option<i64>,
    /// Every rank.
    pub(super) every_rank: bool,
    /// This stage.
    pub(super) stage: Option<Stage>,
}

/// One trace to be analysed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Input {
    /// Its file; `-` is standard input.
    pub(super) path: PathBuf,
    /// What the report says of it so far.
    pub(super) info: TraceInfo,
    /// Which worker wrote it.
    pub(super) worker: Worker,
    /// Stage that folder and file names say.
    pub(super) stage: Option<Stage>,
    /// Whether it was asked for by name, and not found in a folder.
    pub(super) by_name: bool,
    /// Whether it holds all ranks.
    pub(super) merged: bool,
    /// Graph captures that may explain its replays, and what the report says of them so far.
    pub(super) captures: Vec<(PathBuf, TraceInfo)>,
    /// Its server's arguments.
    pub(super) server_args: Option<PathBuf>,
}

/// What is read and what is left.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Inputs {
    /// In the order in which they are reported: by stage, then name; of all ranks the lowest first.
    pub(super) taken: Vec<Input>,
    /// The others, by name.
    pub(super) left: Vec<TraceInfo>,
    /// Those among them that were asked for, or begin as a trace does, and are none.
    pub(super) damaged: Vec<String>,
}

/// Looks at all paths and chooses.
pub(super) fn gather(paths: &[PathBuf], ask: Ask, rules: &RuleSet) -> Result<Inputs, Failure> {
    let names = names(rules)?;
    let found = walk::find(paths, &names, &rules.trace)?;
    if found.is_empty() {
        let places: Vec<String> = paths.iter().map(|path| shown(path)).collect();
        return Err(Failure::input(format!(
            "{}: no trace found: expected .json, .json.gz or .zst files as torch.profiler writes them",
            places.join(", ")
        )));
    }
    let mut inputs = choice::choose(found, ask, &names)?;
    for input in &mut inputs.taken {
        input.server_args = sidecar::server_args_beside(&input.path, &names);
    }
    Ok(inputs)
}

fn names(rules: &RuleSet) -> Result<names::Names, Failure> {
    names::Names::new(&rules.inputs).map_err(|error| Failure::Said {
        code: super::failure::code::RULES,
        message: format!("rules/inputs.yaml: {error}"),
    })
}

/// Files below a folder, by path; hidden ones are passed over.
pub(super) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    walk::walk(folder, walk::DEEPEST, &mut files);
    files
}

/// A path as the report shows it: as given, with `/` on every system.
fn shown(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}
