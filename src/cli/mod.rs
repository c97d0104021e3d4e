//! The command line: one file a subcommand.

use std::process::ExitCode;

/// Parses the arguments, runs the command and gives its exit code.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
