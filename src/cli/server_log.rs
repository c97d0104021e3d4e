//! `--server-log`: the gates that a log shuts, and the fused paths that it says were asked for.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::failure::{Failure, code};
use crate::rules::RuleSet;
use crate::rules::schema::server_log::{LogWitness, ServerLogFile};

/// Longest part of a line that is shown.
const SHOWN: usize = 160;

/// Toggles that the log says are on, each with its line.
pub(super) fn read(path: &Path, rules: &RuleSet) -> Result<BTreeMap<String, String>, Failure> {
    let shown = path.display();
    let broken = |error: std::io::Error| {
        Failure::input(format!(
            "--server-log {shown}: cannot read it: {error}; expected the text that the server wrote"
        ))
    };
    let mut lines = BufReader::new(File::open(path).map_err(broken)?);
    let (mut asked, mut bytes, mut number) = (BTreeMap::new(), Vec::new(), 0u64);
    while lines.read_until(b'\n', &mut bytes).map_err(broken)? > 0 {
        number += 1;
        let line = String::from_utf8_lossy(&bytes);
        gate(&rules.server_log, line.trim(), &format!("{shown}:{number}"))?;
        for (toggle, text) in witnesses(rules, line.trim()) {
            asked.entry(toggle).or_insert(text);
        }
        bytes.clear();
    }
    Ok(asked)
}

/// An error when the line says that the trace is of another program.
fn gate(log: &ServerLogFile, line: &str, place: &str) -> Result<(), Failure> {
    let shut = log.gates.iter().find(|gate| gate.lines.iter().any(|part| line.contains(part.as_str())));
    shut.map_or(Ok(()), |gate| {
        let said = cut(line);
        let lines = [format!("{}: {} {}", gate.code, gate.finding, gate.fix), format!("  {place}: {said}")];
        Err(Failure::lines(code::UNFIT, &lines))
    })
}

/// The toggles that a line says are on; one that no family has says nothing.
fn witnesses(rules: &RuleSet, line: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for witness in &rules.server_log.witnesses {
        let Some((before, behind)) = line.split_once(witness.line.as_str()) else { continue };
        let said = cut(&line[before.len()..]);
        found.extend(names(witness, behind).into_iter().map(|name| (name, said.clone())));
    }
    found
}

fn names(witness: &LogWitness, behind: &str) -> Vec<String> {
    let word = |c: char| !(c.is_alphanumeric() || c == '_');
    let items: Vec<&str> = behind.split(word).filter(|item| !item.is_empty()).collect();
    let of = |toggle: &String| -> Vec<String> {
        if toggle.contains("{item}") {
            items.iter().map(|item| toggle.replace("{item}", item)).collect()
        } else {
            vec![toggle.clone()]
        }
    };
    witness.toggles.iter().flat_map(of).collect()
}

/// A line for people: no control characters, and an end.
fn cut(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}
