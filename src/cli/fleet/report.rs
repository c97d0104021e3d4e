//! `llm-prof fleet report DIR`: what the servers of a fleet have in common.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rayon::prelude::*;

use crate::cli::args::{FleetReport, Format};
use crate::cli::failure::Failure;
use crate::cli::streams::Streams;
use crate::cli::{loading, output};
use crate::fleet::TABLES;
use crate::fleet::summary::{self, BadLine, Facts};

use super::store::ERRORS;

/// Bytes of a table that are read at once, to the end of a line.
const BLOCK: usize = 8 << 20;

/// Reads the tables, puts them together, prints.
pub(super) fn run(args: &FleetReport, streams: &mut Streams) -> Result<(), Failure> {
    let rules = loading::settings(&args.knowledge, streams)?;
    let shown = |path: &Path| path.to_string_lossy().replace('\\', "/");
    let facts = read(&args.dir)?;
    let before = args.baseline.as_deref().map(|dir| Ok::<_, Failure>((shown(dir), read(dir)?))).transpose()?;
    let baseline = before.as_ref().map(|(path, facts)| (path.as_str(), facts));
    let summary = summary::summarise(&shown(&args.dir), &facts, baseline, &rules.fleet);
    let most = match args.limit {
        Some(0) => usize::MAX,
        limit => limit.unwrap_or(rules.fleet.rows),
    };
    let document = &args.document;
    output::documents(document.format, &document.output, &args.terminal, streams, |format, style| match format {
        Format::Text => Some(summary::text::render(&summary, &rules.fleet, most, style)),
        Format::Markdown => Some(summary::markdown::render(&summary, &rules.fleet, most)),
        Format::Html => Some(summary::html::render(&summary, &rules.fleet)),
        Format::Json => Some(summary::json(&summary)),
        Format::Csv => None,
    })
}

/// What the tables of a folder say; never more of them at once than some blocks.
fn read(dir: &Path) -> Result<Facts, Failure> {
    let path = |table: &str| dir.join(format!("{table}.ndjson"));
    let cannot = |table: &str, why: &dyn std::fmt::Display| {
        Failure::input(format!(
            "{}: cannot read it: {why}; expected a folder that `llm-prof fleet INPUT... -o DIR` wrote to its end",
            path(table).display()
        ))
    };
    let [runs, others @ ..] = TABLES;
    let lines = std::fs::read(path(runs)).map_err(|error| cannot(runs, &error))?;
    let mut facts = Facts::of_runs(&lines).map_err(|error| cannot(runs, &error))?;
    // A folder that something else filled may have none.
    let errors = std::fs::read(dir.join(ERRORS)).unwrap_or_default();
    facts.failed = memchr::memchr_iter(b'\n', &errors).count() as u64;
    for table in others {
        let mut file = File::open(path(table)).map_err(|error| cannot(table, &error))?;
        let (mut rest, mut before) = (Vec::new(), 0);
        loop {
            let blocks = blocks(&mut file, &mut rest).map_err(|error| cannot(table, &error))?;
            if blocks.is_empty() {
                break;
            }
            let read: Vec<Result<Facts, BadLine>> =
                blocks.par_iter().map(|block| facts.of_lines(table, block)).collect();
            for (block, more) in blocks.iter().zip(read) {
                let bad = |error: BadLine| cannot(table, &BadLine { line: error.line + before, ..error });
                facts.add(more.map_err(bad)?);
                before += memchr::memchr_iter(b'\n', block).count();
            }
        }
    }
    Ok(facts)
}

/// The next blocks of whole lines, one for each thread; `rest` is what was read beyond the last line's end.
fn blocks(file: &mut File, rest: &mut Vec<u8>) -> io::Result<Vec<Vec<u8>>> {
    let mut blocks = Vec::new();
    while blocks.len() < rayon::current_num_threads() {
        let mut block = std::mem::take(rest);
        let read = file.take(BLOCK as u64).read_to_end(&mut block)?;
        if read < BLOCK {
            blocks.extend(Some(block).filter(|block| !block.is_empty()));
            break;
        }
        let end = memchr::memrchr(b'\n', &block).map_or(0, |at| at + 1);
        *rest = block.split_off(end);
        // A line longer than a block is read on.
        blocks.extend(Some(block).filter(|block| !block.is_empty()));
    }
    Ok(blocks)
}
