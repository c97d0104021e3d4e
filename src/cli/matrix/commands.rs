//! A run as the commands of a shell: what `--dry-run` prints, and by which a finished run is known again.

use std::fmt::Write;
use std::path::Path;

use super::plan::{Cell, Plan};
use crate::capture::{self, quoted};
use crate::rules::schema::servers::Servers;

/// All runs, and the document over them.
pub(super) fn of_plan(plan: &Plan, servers: &Servers) -> String {
    let mut out = String::new();
    for cell in &plan.cells {
        out += &of_cell(cell, servers);
        out.push('\n');
    }
    let folder = path(&plan.folder);
    let _ = write!(out, "llm-prof bundle --analysis-root {folder} --title {}", quoted(&plan.title));
    for name in super::DOCUMENTS {
        let _ = write!(out, " -o {}", path(&plan.folder.join(name)));
    }
    out.push('\n');
    out
}

/// One run; keys and tokens are named and not written.
pub(super) fn of_cell(cell: &Cell, servers: &Servers) -> String {
    let mut out = format!("# {} on {}\n", cell.model, cell.name);
    if let Some(launch) = &cell.launch {
        if let Some((source, copy)) = &launch.stacks_on {
            let _ = writeln!(out, "llm-prof trtllm patch --source {} --output {}", path(source), path(copy));
        }
        let _ = writeln!(out, "mkdir -p {}", path(&cell.traces));
        for (name, value) in &launch.env {
            let value = if capture::is_secret(name, servers) { format!("\"${name}\"") } else { quoted(value) };
            let _ = write!(out, "{name}={value} ");
        }
        let words: Vec<String> = launch.command.iter().map(|word| quoted(word)).collect();
        let _ = writeln!(out, "{} > {} 2>&1 &", words.join(" "), path(&cell.file(".log")));
        let (url, ready) = (quoted(&format!("{}{}", cell.url, servers.common.ready)), launch.ready.as_secs());
        let _ = writeln!(out, "timeout {ready} sh -c 'until curl -sf {url} > /dev/null; do sleep 1; done'");
    }
    let _ =
        write!(out, "llm-prof capture {} --framework {} -o {}", quoted(&cell.url), cell.framework, path(&cell.traces));
    for flag in &cell.flags {
        match flag.split_once('=') {
            Some((name, _)) if capture::is_secret(name.trim_start_matches('-'), servers) => {
                let _ = write!(out, " {name}=\"$LLM_PROF_API_KEY\"");
            }
            _ => {
                let _ = write!(out, " {}", quoted(flag));
            }
        }
    }
    let (traces, report) = (path(&cell.traces), path(&cell.report()));
    let _ = writeln!(out, "\nllm-prof triage {traces} --framework {} -f json -o {report}", cell.framework);
    if cell.launch.is_some() {
        out += "kill -- -$!\n";
    }
    out
}

fn path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}
