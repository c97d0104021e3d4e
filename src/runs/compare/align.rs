//! Which kernels of two runs are the same: by what they are called and where they are launched, never by their number.

use std::collections::BTreeMap;

use crate::report::KernelRow;

/// Kernels of both runs that do one thing; one side may be empty.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) before: Vec<&'a KernelRow>,
    pub(super) after: Vec<&'a KernelRow>,
    /// `name`, `identifier`, `shape`, `place`; none where one side is empty.
    pub(super) by: Option<&'static str>,
}

/// What two kernels are alike in; none: nothing to go by.
type Key = fn(&KernelRow) -> Option<String>;

/// From what says most to what says least. At one place comes before anywhere.
const KEYS: [(&str, Key); 6] = [
    ("name", |row| Some(row.name.clone())),
    ("identifier", |row| Some(format!("{}\n{}", identifier(row), place(row)?))),
    ("identifier", |row| Some(identifier(row))),
    ("shape", |row| Some(format!("{}\n{}", shape(row)?, place(row)?))),
    ("place", |row| Some(format!("{}\n{}", row.category, place(row)?))),
    ("shape", shape),
];

/// Pairs the kernels of a stage. Several that one key does not tell apart are summed rather than guessed at.
pub(super) fn align<'a>(mut before: Vec<&'a KernelRow>, mut after: Vec<&'a KernelRow>) -> Vec<Group<'a>> {
    let mut groups = Vec::new();
    for (by, key) in KEYS {
        let mut keyed: BTreeMap<String, (Vec<&KernelRow>, Vec<&KernelRow>)> = BTreeMap::new();
        for row in &before {
            if let Some(key) = key(row) {
                keyed.entry(key).or_default().0.push(row);
            }
        }
        for row in &after {
            if let Some(key) = key(row) {
                keyed.entry(key).or_default().1.push(row);
            }
        }
        for (ours, theirs) in keyed.into_values().filter(|(ours, theirs)| !ours.is_empty() && !theirs.is_empty()) {
            before.retain(|row| !ours.iter().any(|own| own.id == row.id));
            after.retain(|row| !theirs.iter().any(|own| own.id == row.id));
            groups.push(Group { before: ours, after: theirs, by: Some(by) });
        }
    }
    groups.extend(before.into_iter().map(|row| Group { before: vec![row], after: Vec::new(), by: None }));
    groups.extend(after.into_iter().map(|row| Group { before: Vec::new(), after: vec![row], by: None }));
    groups
}

/// Kind of work and own identifier: what differs is in template arguments.
fn identifier(row: &KernelRow) -> String {
    format!("{}\n{}", row.category, row.parts.identifier)
}

/// The words of the identifier without numbers and letters that stand alone, as tile sizes and layouts do.
fn shape(row: &KernelRow) -> Option<String> {
    let telling = |word: &&String| word.chars().count() > 1 && !word.chars().any(|c| c.is_ascii_digit());
    let words: Vec<&str> = row.parts.words.iter().filter(telling).map(String::as_str).collect();
    (!words.is_empty()).then(|| format!("{}\n{}", row.category, words.join(" ")))
}

/// Where most of a kernel is launched: the innermost two modules, else the site without its line.
pub(super) fn place(row: &KernelRow) -> Option<String> {
    let most = row.sites.iter().fold(None::<&crate::report::Site>, |most, site| match most {
        Some(best) if best.share_pct >= site.share_pct => most,
        _ => Some(site),
    })?;
    if let Some(module) = &most.module {
        let parts: Vec<&str> = module.split('.').collect();
        return Some(parts[parts.len().saturating_sub(2)..].join("."));
    }
    let (file, rest) = most.location.as_deref()?.split_once(':')?;
    let function = rest.split_once(' ').map_or("", |(_, function)| function);
    Some(format!("{file} {function}"))
}
