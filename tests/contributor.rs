//! The commands of catalogs/README.md, run one after the other in a copy of the catalog: what the page shows comes out.

use std::fs;
use std::path::Path;
use std::process::Command;

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).expect("a folder");
        for entry in fs::read_dir(from).expect("a folder") {
            let entry = entry.expect("an entry");
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::copy(from, to).expect("a file");
    }
}

/// Commands with the lines that they show.
fn commands(page: &str) -> Vec<(String, Vec<String>)> {
    let mut out: Vec<(String, Vec<String>)> = Vec::new();
    let mut inside = false;
    for line in page.lines().map(str::trim_start) {
        match line.strip_prefix("```") {
            Some(fence) => inside = !inside && fence == "console",
            None if !inside => {}
            None => match (line.strip_prefix("$ "), out.last_mut()) {
                (Some(command), _) => out.push((command.to_owned(), Vec::new())),
                (None, Some((_, shown))) => shown.push(line.to_owned()),
                (None, None) => {}
            },
        }
    }
    out
}

/// Whether the lines came out in this order; `...` stands for any lines, `[..]` for any part of one.
fn shows(shown: &[String], out: &str) -> Result<(), String> {
    let mut lines = out.lines().map(str::trim_start);
    for wanted in shown.iter().filter(|line| *line != "..." && !line.is_empty()) {
        let parts: Vec<&str> = wanted.split("[..]").collect();
        let is = |line: &str| {
            let mut rest = line;
            parts.iter().all(|part| {
                let at = rest.find(part.trim());
                rest = at.map_or("", |at| &rest[at + part.trim().len()..]);
                at.is_some()
            })
        };
        if !lines.any(is) {
            return Err(format!("`{wanted}` does not come out"));
        }
    }
    Ok(())
}

#[test]
fn the_fifteen_minutes_go_as_the_page_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let clone = tempfile::tempdir().expect("a folder");
    for part in ["rules", "catalogs", "tests/fixtures"] {
        copy(&root.join(part), &clone.path().join(part));
    }
    let page = fs::read_to_string(root.join("catalogs/README.md")).expect("the page");
    let commands = commands(&page);
    assert!(commands.len() >= 6, "{commands:?}");
    let binary = Path::new(env!("CARGO_BIN_EXE_llm-prof"));
    for (command, shown) in commands {
        let mut words = command.split_whitespace();
        assert_eq!(words.next(), Some("llm-prof"), "{command}");
        let done = Command::new(binary)
            .args(words)
            .current_dir(clone.path())
            .env("NO_COLOR", "1")
            .output()
            .expect("the binary starts");
        let out = String::from_utf8_lossy(&done.stdout);
        let err = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{command}\n{out}{err}");
        shows(&shown, &out).unwrap_or_else(|error| panic!("{command}: {error}\n{out}{err}"));
    }
}
