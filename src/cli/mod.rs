//! The command line: one file a subcommand.

pub mod args;
mod failure;
mod inputs;
mod streams;

use std::process::ExitCode;

/// Parses the arguments, runs the command and gives its exit code.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
