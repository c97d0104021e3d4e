//! `catalogs/COVERAGE.md`: which family holds each row of the tables of known fused and overlapped paths.
//!
//! A family names rows in comments, `# covers: TITLE; TITLE`; `non-goals.tsv` names those that no family will hold, with
//! the reason. What neither names is open. Titles are compared by their letters and digits.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

/// Writes the page anew.
pub(crate) const RENEW: &str = "cargo run --example coverage";

const PAGE: &str = "catalogs/COVERAGE.md";
const COVERS: &str = "# covers:";

/// A table of known paths.
struct Table {
    file: &'static str,
    about: &'static str,
    /// Columns that together name a row for the reader.
    shown: &'static [usize],
    /// Column with what a family may name: all of it, or each of its parts.
    named: usize,
    /// What parts the column; without it a row is one thing.
    parts: &'static [&'static str],
}

const TABLES: [Table; 5] = [
    Table { file: "fusion-registry.tsv", about: "Registry of fused paths", shown: &[0], named: 0, parts: &[] },
    Table { file: "catalog-families.tsv", about: "Catalog of families", shown: &[1], named: 1, parts: &[] },
    Table {
        file: "vllm-compile-passes.tsv",
        about: "Compile passes of vLLM",
        shown: &[0, 1],
        named: 1,
        parts: &[" or ", ", ", "; "],
    },
    Table { file: "overlap-families.tsv", about: "Overlapped paths", shown: &[1], named: 1, parts: &[] },
    Table {
        file: "changes-2026-11.tsv",
        about: "Changes in the releases of November 2026",
        shown: &[0, 2, 3],
        named: 3,
        parts: &["; "],
    },
];

/// What holds a row.
enum Held {
    /// The reasons are those of parts that are non-goals.
    By(BTreeSet<String>, Vec<String>),
    /// Some parts are held; these are not.
    Partly(BTreeSet<String>, Vec<String>),
    NonGoal(String),
    Open,
}

struct Row {
    shown: String,
    held: Held,
}

/// Path of the page.
pub(crate) fn path() -> PathBuf {
    root().join(PAGE)
}

/// The page as the tables and families give it, and the titles that name no row.
pub(crate) fn page() -> io::Result<(String, Vec<String>)> {
    let families = families()?;
    let non_goals = non_goals()?;
    let mut used = BTreeSet::new();
    let mut tables = Vec::new();
    for table in &TABLES {
        let mut rows = Vec::new();
        for cells in read(table.file)? {
            let shown: Vec<&str> = table.shown.iter().filter_map(|&at| cells.get(at)).map(String::as_str).collect();
            let name = cells.get(table.named).map_or("", String::as_str);
            rows.push(Row { shown: shown.join(", "), held: held(table, name, &families, &non_goals, &mut used) });
        }
        tables.push((table, rows));
    }
    let strays: Vec<String> = families
        .iter()
        .filter(|(key, _)| !used.contains(*key))
        .flat_map(|(_, held)| held.ids.iter().map(|id| format!("{id}: {}", held.title)))
        .chain(
            non_goals
                .iter()
                .filter(|(key, _)| !used.contains(*key))
                .map(|(_, (title, _))| format!("non-goal: {title}")),
        )
        .collect();
    Ok((render(&tables), strays))
}

fn held(
    table: &Table,
    name: &str,
    families: &BTreeMap<String, Claim>,
    non_goals: &BTreeMap<String, (String, String)>,
    used: &mut BTreeSet<String>,
) -> Held {
    let whole = key(name);
    let mut ids = BTreeSet::new();
    let mut missing = Vec::new();
    let mut reasons = Vec::new();
    for part in parts(name, table.parts) {
        let keys = [key(part), key(part.split(" (").next().unwrap_or(part))];
        let reason = keys.iter().find_map(|key| non_goals.get(key));
        match (keys.iter().find_map(|key| families.get(key)), reason) {
            (Some(claim), _) => ids.extend(claim.ids.iter().cloned()),
            (None, Some((_, reason))) => reasons.push(format!("{part}: {reason}")),
            (None, None) => missing.push(part.to_owned()),
        }
        used.extend(keys);
    }
    used.insert(whole.clone());
    if let Some(claim) = families.get(&whole) {
        ids.extend(claim.ids.iter().cloned());
        missing.clear();
    }
    match (ids.is_empty(), missing.is_empty(), non_goals.get(&whole)) {
        (false, true, _) => Held::By(ids, reasons),
        (_, _, Some((_, reason))) => Held::NonGoal(reason.clone()),
        (true, true, None) => Held::NonGoal(reasons.join(" ")),
        (false, false, None) => Held::Partly(ids, missing),
        (true, false, None) => Held::Open,
    }
}

/// What a row consists of; what patterns become stands after `=>` and is no part.
fn parts<'a>(name: &'a str, separators: &[&str]) -> Vec<&'a str> {
    let mut parts = vec![name.split(" => ").next().unwrap_or(name)];
    for separator in separators {
        parts = parts.into_iter().flat_map(|part| part.split(separator)).collect();
    }
    parts.into_iter().map(str::trim).filter(|part| !key(part).is_empty()).collect()
}

/// Letters and digits of a title, in lower case.
fn key(title: &str) -> String {
    title.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Families that name a title.
struct Claim {
    title: String,
    ids: BTreeSet<String>,
}

fn families() -> io::Result<BTreeMap<String, Claim>> {
    let catalogs = root().join("catalogs");
    let mut open = vec![catalogs.join("fuse"), catalogs.join("overlap")];
    let mut files = BTreeSet::new();
    while let Some(folder) = open.pop() {
        for entry in folder.read_dir().into_iter().flatten() {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "yaml") {
                files.insert(path);
            }
        }
    }
    let mut claims = BTreeMap::new();
    for file in files {
        let id = id(&catalogs, &file);
        for title in std::fs::read_to_string(&file)?.lines().filter_map(|line| line.strip_prefix(COVERS)) {
            for title in title.split(';').map(str::trim).filter(|title| !title.is_empty()) {
                let claim =
                    claims.entry(key(title)).or_insert_with(|| Claim { title: title.to_owned(), ids: BTreeSet::new() });
                claim.ids.insert(id.clone());
            }
        }
    }
    Ok(claims)
}

/// Path below `catalogs/` without its ending: `fuse/sglang/qk-norm`.
fn id(catalogs: &Path, file: &Path) -> String {
    let below = file.strip_prefix(catalogs).unwrap_or(file).with_extension("");
    below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Title and reason by key.
fn non_goals() -> io::Result<BTreeMap<String, (String, String)>> {
    let mut all = BTreeMap::new();
    for cells in read("non-goals.tsv")? {
        let [title, reason] = cells.as_slice() else {
            return Err(io::Error::other(format!(
                "non-goals.tsv: a row has a title and a reason: {}",
                cells.join(" ")
            )));
        };
        all.insert(key(title), (title.clone(), reason.clone()));
    }
    Ok(all)
}

/// Rows of a table without its head.
fn read(file: &str) -> io::Result<Vec<Vec<String>>> {
    let text = std::fs::read_to_string(root().join("tests/coverage").join(file))?;
    let rows = text.lines().skip(1).filter(|line| !line.trim().is_empty());
    Ok(rows.map(|line| line.split('\t').map(str::to_owned).collect()).collect())
}

fn render(tables: &[(&Table, Vec<Row>)]) -> String {
    let mut out = format!(
        "<!-- Written by `{RENEW}`. -->\n# Coverage\n\n\
         Which family holds each row of the tables of known paths in `tests/coverage/`. A family names its rows in comments,\n\
         `{COVERS} TITLE; TITLE`. A row of several parts is covered when every part is, or is a non-goal beside one that is.\n\
         What no trace can show is a non-goal, with its reason, in `tests/coverage/non-goals.tsv`. The rest is open.\n\n\
         | Table | Rows | Covered | Non-goal | Open | Open, some parts held |\n|---|---:|---:|---:|---:|---:|\n"
    );
    let mut all = [0; 5];
    for (table, rows) in tables {
        let counts = counts(rows);
        line(&mut out, &format!("[{}](#{})", table.about, anchor(table.about)), &counts);
        for (sum, count) in all.iter_mut().zip(counts) {
            *sum += count;
        }
    }
    line(&mut out, "All", &all);
    for (table, rows) in tables {
        let _ = write!(out, "\n## {}\n\n| Row | Held by |\n|---|---|\n", table.about);
        for row in rows {
            let _ = writeln!(out, "| {} | {} |", cell(&row.shown), by(&row.held));
        }
    }
    out
}

fn line(out: &mut String, name: &str, [rows, covered, non_goals, open, partly]: &[usize; 5]) {
    let _ = writeln!(out, "| {name} | {rows} | {covered} | {non_goals} | {open} | {partly} |");
}

/// Rows, covered, non-goals, open with nothing held, open with some parts held.
fn counts(rows: &[Row]) -> [usize; 5] {
    let mut counts = [rows.len(), 0, 0, 0, 0];
    for row in rows {
        counts[match row.held {
            Held::By(..) => 1,
            Held::NonGoal(_) => 2,
            Held::Open => 3,
            Held::Partly(..) => 4,
        }] += 1;
    }
    counts
}

fn by(held: &Held) -> String {
    match held {
        Held::By(ids, reasons) if reasons.is_empty() => links(ids),
        Held::By(ids, reasons) => format!("{}; non-goal: {}", links(ids), cell(&reasons.join(" "))),
        Held::Partly(ids, missing) => format!("{}; open: {}", links(ids), cell(&missing.join(", "))),
        Held::NonGoal(reason) => format!("non-goal: {}", cell(reason)),
        Held::Open => "open".to_owned(),
    }
}

fn links(ids: &BTreeSet<String>) -> String {
    let links: Vec<String> = ids
        .iter()
        .map(|id| format!("[{}]({id}.yaml)", id.split_once('/').map_or(id.as_str(), |(_, short)| short)))
        .collect();
    links.join(", ")
}

/// A text that stays in its cell and is no markup.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('`', "").replace('*', "\\*").replace('<', "&lt;")
}

/// As renderers of Markdown make it from a heading.
fn anchor(heading: &str) -> String {
    heading.to_lowercase().replace(' ', "-")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
