//! `llm-prof fleet tables`: reports in, rows of the five tables out, one JSON object a line.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use crate::cli::args::FleetTables;
use crate::cli::failure::{Failure, code};
use crate::cli::finished::holds_report;
use crate::cli::streams::Streams;
use crate::cli::{inputs, loading};
use crate::fleet::{self, Origins, Row};
use crate::plain;
use crate::report::json;
use crate::rules::RuleSet;

/// Prints the rows of each report as soon as it is read.
pub(super) fn run(args: &FleetTables, streams: &mut Streams) -> Result<(), Failure> {
    let origins = origins(&loading::settings(&args.knowledge, streams)?)?;
    let input = streams.input.take();
    let mut out = BufWriter::new(&mut *streams.out);
    let mut input = input.unwrap_or_else(|| Box::new(std::io::empty()));
    for path in files(&args.paths)? {
        let shown = path.to_string_lossy().replace('\\', "/");
        let read: &mut dyn Read = if shown == "-" {
            &mut input
        } else {
            &mut File::open(&path).map_err(|error| {
                Failure::input(format!(
                    "{shown}: cannot open it: {error}; expected a report, a folder of reports, or -"
                ))
            })?
        };
        let mut reports = 0;
        for text in serde_json::Deserializer::from_reader(BufReader::new(read)).into_iter::<Box<RawValue>>() {
            reports += 1;
            let cannot = |why: &dyn std::fmt::Display| {
                let nth = if reports > 1 { format!("report {reports}: ") } else { String::new() };
                Failure::input(format!("{shown}: {nth}cannot be read as a report: {why}"))
            };
            let text = text.map_err(|error| cannot(&error))?;
            let report = json::parse(text.get()).map_err(|unread| cannot(&unread))?;
            write(&fleet::rows(&report, &origins), &mut out)?;
        }
        if reports == 0 {
            return Err(Failure::input(format!(
                "{shown}: empty; expected reports, as `triage --format json` writes them"
            )));
        }
    }
    Ok(out.flush()?)
}

/// What paths say, by the rules.
pub(super) fn origins(rules: &RuleSet) -> Result<Origins, Failure> {
    let broken = |error: String| Failure::Said { code: code::RULES, message: format!("rules/fleet.yaml: {error}") };
    Origins::new(rules).map_err(broken)
}

/// A line a row.
pub(super) fn write(rows: &[Row], out: &mut impl Write) -> std::io::Result<()> {
    for row in rows {
        out.write_all(plain::json_line(row)?.as_bytes())?;
    }
    Ok(())
}

/// The paths, with the reports below a folder in its place.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let is_json = |path: &Path| path.extension().is_some_and(|ending| ending == "json");
        let mut files = inputs::files_below(path);
        files.retain(|path| is_json(path) && holds_report(path));
        if files.is_empty() {
            let shown = path.display();
            return Err(Failure::input(format!(
                "{shown}: no report in this folder; expected .json files that `triage --format json` wrote"
            )));
        }
        found.extend(files);
    }
    Ok(found)
}
