//! `llm-prof rules fmt`: keys of families in one order.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::args::RulesFmt;
use super::super::failure::{Failure, code};
use super::super::output::{print_line, save_whole};
use super::super::streams::Streams;
use crate::rules::tidy;

/// Mends the files, or names those out of order.
pub(super) fn run(args: &RulesFmt, streams: &mut Streams) -> Result<(), Failure> {
    let default = [PathBuf::from("catalogs")];
    let roots = if args.paths.is_empty() { &default[..] } else { &args.paths };
    let mut files = Vec::new();
    for root in roots {
        collect(root, &mut files)?;
    }
    let (mut changed, mut failed) = (0, false);
    for path in &files {
        let text = fs::read_to_string(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        match tidy(&text) {
            Ok(tidied) if tidied == text => {}
            Ok(tidied) => {
                changed += 1;
                let word = if args.check { "is out of order" } else { "put in order" };
                print_line(&format!("{}: {word}", path.display()), streams)?;
                if !args.check {
                    save_whole(path, &tidied)
                        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
                }
            }
            Err(reason) => {
                failed = true;
                print_line(&format!("{}: left as it is: {reason}", path.display()), streams)?;
            }
        }
    }
    let word = if args.check { "out of order" } else { "put in order" };
    print_line(&format!("{} files, {changed} {word}", files.len()), streams)?;
    if failed || args.check && changed > 0 { Err(Failure::Code(code::FAILED)) } else { Ok(()) }
}

/// YAML files below a folder, in order of path; what is given by name is taken as it is.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if !path.is_dir() {
        if path.exists() {
            files.push(path.to_owned());
            return Ok(());
        }
        return Err(Failure::usage(format!("{}: there is no such file or folder", path.display())));
    }
    let entries = fs::read_dir(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
        if path.is_dir() || yaml {
            collect(&path, files)?;
        }
    }
    Ok(())
}
