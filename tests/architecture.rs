//! What the compiler does not hold: arrows between rooms, knowledge in data, sizes of files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Rooms from left to right; a room may use those to its left.
const ROOMS: [&str; 10] =
    ["trace", "attribution", "graph", "rules", "engine", "report", "runs", "cut", "capture", "cli"];

/// Used by all; they use each other only.
const SHARED: [&str; 4] = ["units", "plain", "diagnostic", "kernel_name"];

const MAIN_LINES: usize = 20;
const LONG: usize = 500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files below a folder with an ending, in order of path; none when there is no such folder.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut open = vec![root().join(folder)];
    let mut found = BTreeSet::new();
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten() {
            let path = entry.expect("the checkout is readable").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == ending) {
                found.insert(path);
            }
        }
    }
    found.into_iter().collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a file of the checkout is text")
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Source files that ship: not `tests.rs`, not below a folder `tests`, not declared under `#[cfg(test)]`.
fn sources() -> Vec<PathBuf> {
    let mut all = files("src", "rs");
    all.retain(|path| !path.iter().any(|part| part == "tests" || part == "tests.rs") && !for_tests(path));
    all
}

/// Whether the module file above declares this one for tests only.
fn for_tests(path: &Path) -> bool {
    let (Some(folder), Some(stem)) = (path.parent(), path.file_stem().and_then(|stem| stem.to_str())) else {
        return false;
    };
    [folder.join("mod.rs"), folder.with_extension("rs"), folder.join("lib.rs")].iter().any(|above| {
        let text = std::fs::read_to_string(above).unwrap_or_default();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        lines.windows(2).any(|pair| pair[0] == "#[cfg(test)]" && pair[1].ends_with(&format!("mod {stem};")))
    })
}

/// The room of a file, `None` for the two files beside the rooms.
fn room(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(root().join("src")).ok()?;
    let first = Path::new(inside.iter().next()?).file_stem()?.to_str()?;
    (first != "main" && first != "lib").then(|| first.to_owned())
}

/// A source without its comments and without what stands under `#[cfg(test)]`: code with literals emptied, and the
/// literals.
struct Scanned {
    code: String,
    literals: Vec<String>,
}

fn scan(source: &str) -> Scanned {
    let chars: Vec<char> = source.chars().collect();
    let mut out = Scanned { code: String::new(), literals: Vec::new() };
    let mut at = 0;
    let begins = |at: usize, text: &str| text.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c));
    // Some(level): inside an item under #[cfg(test)]; it ends with its braces, or with `;` before any.
    let mut hidden: Option<usize> = None;
    while at < chars.len() {
        let c = chars[at];
        if begins(at, "//") {
            while at < chars.len() && chars[at] != '\n' {
                at += 1;
            }
        } else if begins(at, "/*") {
            while at < chars.len() && !begins(at, "*/") {
                at += 1;
            }
            at += 2;
        } else if c == '"' || (c == 'r' && (begins(at, "r\"") || begins(at, "r#")) && !ident_before(&chars, at)) {
            let (text, end) = literal(&chars, at);
            at = end;
            if hidden.is_none() {
                out.literals.push(text);
                out.code.push_str("\"\"");
            }
        } else if c == '\'' && (chars.get(at + 2) == Some(&'\'') || chars.get(at + 1) == Some(&'\\')) {
            at += if chars.get(at + 1) == Some(&'\\') { 3 } else { 2 };
            while at < chars.len() && chars[at] != '\'' {
                at += 1;
            }
            at += 1;
        } else if begins(at, "#[cfg(test)]") {
            hidden = Some(hidden.unwrap_or(0));
            at += "#[cfg(test)]".len();
        } else {
            match (hidden, c) {
                (None, _) => out.code.push(c),
                (Some(0), ';') | (Some(1), '}') => hidden = None,
                (Some(level), '{') => hidden = Some(level + 1),
                (Some(level), '}') => hidden = Some(level.saturating_sub(1)),
                _ => {}
            }
            at += 1;
        }
    }
    out
}

fn ident_before(chars: &[char], at: usize) -> bool {
    at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_')
}

fn literal(chars: &[char], start: usize) -> (String, usize) {
    let mut at = start;
    let raw = chars[at] == 'r';
    let mut hashes = 0;
    if raw {
        at += 1;
        while chars.get(at) == Some(&'#') {
            hashes += 1;
            at += 1;
        }
    }
    at += 1;
    let from = at;
    while at < chars.len() {
        match chars[at] {
            '\\' if !raw => at += 1,
            '"' if (1..=hashes).all(|i| chars.get(at + i) == Some(&'#')) => break,
            _ => {}
        }
        at += 1;
    }
    (chars[from..at.min(chars.len())].iter().collect(), at + 1 + hashes)
}

/// Rooms named after `crate::`, also in groups.
fn rooms_used(code: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let names: Vec<&str> = match rest.strip_prefix('{') {
            Some(group) => top_level(group),
            None => vec![rest],
        };
        for name in names {
            let word: String = name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            used.insert(word);
        }
    }
    used
}

fn top_level(group: &str) -> Vec<&str> {
    let (mut depth, mut from, mut parts) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                parts.push(&group[from..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts
}

#[test]
fn no_arrow_points_back() {
    let mut wrong = Vec::new();
    for path in sources() {
        let Some(own) = room(&path) else { continue };
        let place = ROOMS.iter().position(|room| *room == own);
        for used in rooms_used(&scan(&read(&path)).code) {
            let allowed = match (place, ROOMS.iter().position(|room| *room == used)) {
                (Some(own), Some(used)) => used <= own,
                (None, Some(_)) => false,
                (_, None) => true,
            };
            if !allowed {
                wrong.push(format!("{} ({own}) uses {used}", shown(&path)));
            }
        }
    }
    assert_eq!(wrong, [""; 0], "order: {} ({} are used by all)", ROOMS.join(" -> "), SHARED.join(", "));
}

#[test]
fn every_folder_of_the_source_is_a_known_room() {
    let rooms: BTreeSet<String> = sources().iter().filter_map(|path| room(path)).collect();
    let unknown: Vec<&String> =
        rooms.iter().filter(|room| !ROOMS.contains(&room.as_str()) && !SHARED.contains(&room.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?} have no place among the rooms of this test");
}

/// Arguments of `name(..)` in rule files that look like the name of one kernel: two words or more, no glob.
fn kernel_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in files("rules", "yaml").into_iter().chain(files("catalogs", "yaml")) {
        let text = read(&path);
        for (at, _) in text.match_indices("name(") {
            if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let Some(call) = text[at + "name(".len()..].split(')').next() else { continue };
            for argument in call.split('"').skip(1).step_by(2) {
                let words = argument.split(['_', ':']).filter(|word| !word.is_empty()).count();
                if words >= 2 && !argument.contains('*') {
                    names.insert(argument.to_owned());
                }
            }
        }
    }
    names
}

#[test]
fn no_kernel_name_of_the_rules_stands_in_the_source() {
    let names = kernel_names();
    assert!(names.len() > 20, "only {} names were found: has the language of the rules changed?", names.len());
    let mut wrong = Vec::new();
    for path in sources() {
        for literal in scan(&read(&path)).literals {
            let words: Vec<&str> = literal.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).collect();
            for name in words.into_iter().filter(|word| names.contains(*word)) {
                wrong.push(format!("{}: `{name}`", shown(&path)));
            }
        }
    }
    assert_eq!(wrong, [""; 0], "kernel names belong to rules/ and catalogs/");
}

#[test]
fn main_is_the_edge_of_the_process_only() {
    let code = scan(&read(&root().join("src/main.rs"))).code;
    let lines = code.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(lines <= MAIN_LINES, "src/main.rs has {lines} lines of code");
}

#[test]
fn a_long_file_says_why_it_is_long() {
    for path in sources() {
        let text = read(&path);
        let lines = text.lines().count();
        let doc = text.lines().take_while(|line| line.starts_with("//!")).any(|line| line.contains("Long because"));
        assert!(
            lines <= LONG || doc,
            "{} has {lines} lines; split it, or say `Long because ...` in its module doc",
            shown(&path)
        );
    }
}

mod of_this_test {
    use super::{rooms_used, scan};

    #[test]
    fn what_stands_under_cfg_test_and_in_comments_does_not_count() {
        let scanned = scan(
            "use crate::trace; // crate::cli\n/* crate::cli */ fn f() { let c = '\"'; g(\"crate::report\", r#\"a\"b\"#); }\n\
             #[cfg(test)]\nmod tests { use crate::cli; fn h() { let s = \"hidden\"; } }\nuse crate::units;",
        );
        assert_eq!(rooms_used(&scanned.code).into_iter().collect::<Vec<_>>(), ["trace", "units"]);
        assert_eq!(scanned.literals, ["crate::report", "a\"b"]);
    }

    #[test]
    fn groups_name_several_rooms() {
        let used = rooms_used("use crate::{graph::{Edge, Node}, rules, units::Nanos};");
        assert_eq!(used.into_iter().collect::<Vec<_>>(), ["graph", "rules", "units"]);
    }
}
