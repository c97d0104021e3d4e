//! Writes `catalogs/COVERAGE.md`: `cargo run --example coverage`.

use std::io::Write as _;
use std::process::ExitCode;

mod page;

fn main() -> ExitCode {
    match write() {
        Ok(strays) => {
            for stray in strays {
                let _ = writeln!(std::io::stderr(), "coverage: no table has the row that is named here: {stray}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "coverage: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write() -> std::io::Result<Vec<String>> {
    let (page, strays) = page::page()?;
    std::fs::write(page::path(), page)?;
    Ok(strays)
}
