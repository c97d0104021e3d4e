//! `llm-prof man`: the man page, from the definition that `--help` is printed from.

use std::fs;

use clap::CommandFactory;

use super::args::{Cli, Man};
use super::failure::Failure;
use super::output::print_as_is;
use super::streams::Streams;

/// Prints the page of the program, or writes those of all commands.
pub(super) fn run(args: &Man, streams: &mut Streams) -> Result<(), Failure> {
    let Some(dir) = &args.write else {
        let mut page = Vec::new();
        // Written to memory, which takes everything.
        clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(|error| Failure::write(&error))?;
        return print_as_is(&String::from_utf8_lossy(&page), streams);
    };
    let written = fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(Cli::command(), dir));
    written.map_err(|error| Failure::input(format!("--write {}: cannot write the pages: {error}", dir.display())))
}
