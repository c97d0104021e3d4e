//! `llm-prof rules ..`: the contributor's loop, a file a command.

mod check;
mod docs;
mod families;
mod fmt;
mod list;
mod new;
mod page;
mod schema;
mod terms;
mod test;

use super::args::{RulesCommand, Target};
use super::failure::{Failure, code};
use super::loading;
use super::output::{print, print_line, save_whole};
use super::streams::Streams;
pub(super) use families::named;
pub(super) use page::page;

/// Runs one of them.
pub(super) fn run(command: &RulesCommand, streams: &mut Streams) -> Result<(), Failure> {
    match command {
        RulesCommand::Test(args) => test::run(args, streams),
        RulesCommand::Check(args) => check::run(args, streams),
        RulesCommand::List(args) => list::run(args, streams),
        RulesCommand::Show(args) => {
            let rules = loading::rules(&args.knowledge, &args.terminal, streams)?;
            let family = named(&args.id, &rules)?;
            print(&page(&rules.families[family], 1), streams)
        }
        RulesCommand::New(args) => new::run(args, streams),
        RulesCommand::Fmt(args) => fmt::run(args, streams),
        RulesCommand::Schema(args) => schema::run(args, streams),
        RulesCommand::Docs(args) => docs::run(args, streams),
    }
}

/// Compares or writes files that are made; `(name, text)`.
pub(in crate::cli) fn made(
    files: &[(String, String)],
    target: &Target,
    again: &str,
    streams: &mut Streams,
) -> Result<(), Failure> {
    if let Some(dir) = &target.write {
        std::fs::create_dir_all(dir).map_err(|error| cannot("--write", dir, &error))?;
        for (name, text) in files {
            save_whole(&dir.join(name), text).map_err(|error| cannot("--write", &dir.join(name), &error))?;
        }
        return Ok(());
    }
    let Some(dir) = &target.check else { return Ok(()) };
    let mut stale: Vec<String> = files
        .iter()
        .filter(|(name, text)| std::fs::read_to_string(dir.join(name)).ok().as_ref() != Some(text))
        .map(|(name, _)| format!("{} is not what `{again} --write {}` writes", dir.join(name).display(), dir.display()))
        .collect();
    let known = |name: &str| files.iter().any(|(own, _)| own == name);
    let mut more: Vec<String> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| !entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !known(name))
        .map(|name| format!("{} is written no more; remove it", dir.join(name).display()))
        .collect();
    more.sort();
    stale.extend(more);
    if stale.is_empty() {
        return Ok(());
    }
    stale.iter().try_for_each(|line| print_line(line, streams))?;
    Err(Failure::Code(code::FAILED))
}

fn cannot(flag: &str, path: &std::path::Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("{flag} {}: cannot write it: {error}; check the folder and its permissions", path.display()))
}
