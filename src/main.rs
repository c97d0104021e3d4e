//! The edge of the process: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    llm_prof::cli::main()
}
