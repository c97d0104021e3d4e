//! Names for a table: short, and still different where the kernels are.

use super::{KernelName, split};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Stands for what was left out.
const GAP: &str = "…";

/// Stands in a name, but tells no two kernels apart.
const UNNAMED: &str = "(anonymous namespace)::";

/// In larger groups of alike names a number tells them apart, since comparing all with all would take too long.
const LARGEST_GROUP: usize = 2000;

/// Parts of one name that are looked at.
const MOST_PARTS: usize = 400;

/// Wider pieces of an identifier are cut again.
const LONGEST_PIECE: usize = 24;

/// One short form each: `identifier<what differs>`, at most `width` columns. Namespaces go first, then the middle. Equal
/// names get equal forms, distinct ones distinct forms where `width` allows (from 24 columns on it does).
pub fn shorten(names: &[&KernelName], width: usize) -> Vec<String> {
    let distinct: BTreeMap<&str, &KernelName> = names.iter().map(|name| (name.demangled.as_str(), *name)).collect();
    let distinct: Vec<&KernelName> = distinct.into_values().collect();
    let details = details(&distinct);
    let long = long_names(&distinct, width);
    let mut forms: Vec<String> = distinct
        .iter()
        .zip(&details)
        .enumerate()
        .map(|(n, (name, detail))| long.get(&n).cloned().unwrap_or_else(|| form(&name.identifier, detail, width)))
        .collect();
    number_alike(&mut forms, width);
    let by_name: FxHashMap<&str, &String> = distinct.iter().map(|name| name.demangled.as_str()).zip(&forms).collect();
    names.iter().map(|name| by_name[name.demangled.as_str()].clone()).collect()
}

/// `identifier<detail>` in `width` columns.
fn form(identifier: &str, detail: &str, width: usize) -> String {
    let identifier = identifier.replace(UNNAMED, "");
    let brackets = |detail: &str| if detail.is_empty() { String::new() } else { format!("<{detail}>") };
    // The own name keeps two thirds when both are long.
    let own = identifier.rsplit("::").next().unwrap_or(&identifier).width();
    let room = width.saturating_sub(own.min(width * 2 / 3));
    let detail = brackets(&cut_middle(detail, room.saturating_sub(2)));
    let room = width.saturating_sub(detail.width());
    let mut name = identifier.as_str();
    let mut columns = name.width();
    while columns > room {
        match name.split_once("::") {
            Some((space, rest)) if !rest.is_empty() => {
                name = rest;
                columns = columns.saturating_sub(space.width() + 2);
            }
            _ => break,
        }
    }
    format!("{}{detail}", cut_middle(name, room))
}

/// What tells each name from the others of its identifier; empty where it is the only one.
fn details(names: &[&KernelName]) -> Vec<String> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (n, name) in names.iter().enumerate() {
        groups.entry(name.identifier.replace(UNNAMED, "")).or_default().push(n);
    }
    let mut details = vec![String::new(); names.len()];
    for group in groups.into_values().filter(|group| group.len() > 1) {
        let members: Vec<&KernelName> = group.iter().map(|&n| names[n]).collect();
        let told = by_position(&members).unwrap_or_else(|| by_parts(&members));
        for (n, detail) in group.into_iter().zip(told) {
            details[n] = detail;
        }
    }
    details
}

/// The template arguments at the positions where they differ; none when that tells too little.
fn by_position(names: &[&KernelName]) -> Option<Vec<String>> {
    let count = names.first()?.template_args.len();
    if names.iter().any(|name| name.template_args.len() != count || name.launcher.is_some()) {
        return None;
    }
    let brief: Vec<Vec<String>> =
        names.iter().map(|name| name.template_args.iter().map(|arg| brief(arg)).collect()).collect();
    let differing: Vec<usize> = (0..count).filter(|&at| brief.iter().any(|args| args[at] != brief[0][at])).collect();
    let told: Vec<String> =
        brief.iter().map(|args| differing.iter().map(|&at| args[at].as_str()).collect::<Vec<_>>().join(", ")).collect();
    all_distinct(&told).then_some(told)
}

/// A template argument without namespaces and nested arguments.
fn brief(arg: &str) -> String {
    if split::is_type(arg) {
        let identifier = split::entity(arg).identifier();
        identifier.rsplit("::").next().unwrap_or(&identifier).to_owned()
    } else {
        split::value(arg).to_owned()
    }
}

/// The fewest parts of each name that no other has.
fn by_parts(names: &[&KernelName]) -> Vec<String> {
    let parts: Vec<Vec<Part>> = names.iter().map(|name| parts(name)).collect();
    let told = |(picked, parts): (&Vec<usize>, &Vec<Part>)| {
        let texts: Vec<&str> = picked.iter().map(|&at| parts[at].bare()).collect();
        texts.join(", ")
    };
    distinguish(&parts).iter().zip(&parts).map(told).collect()
}

/// A part of a name that may tell it from others.
#[derive(Debug)]
struct Part {
    /// One that comes again is marked as such, so that three of it are not two.
    text: String,
    /// Lower ones are tried first.
    rank: u8,
}

impl Part {
    fn bare(&self) -> &str {
        self.text.trim_end_matches('\0')
    }
}

/// Parts of a name beside its identifier: words around its functor (types, wrappers), the launcher, other words,
/// numbers.
fn parts(name: &KernelName) -> Vec<Part> {
    let own = name.identifier.rsplit("::").next().unwrap_or(&name.identifier);
    let launcher = name.launcher.as_deref().map(|launcher| launcher.rsplit("::").next().unwrap_or(launcher));
    // Without template arguments it differs in its parameters.
    let whole = std::slice::from_ref(&name.demangled);
    let texts = if name.template_args.is_empty() { whole } else { &name.template_args };
    let mut words: Vec<(u8, &str)> = launcher.map(|launcher| (1, launcher)).into_iter().collect();
    for text in texts {
        let near = launcher.is_none() || text.contains(own);
        let mut rest = text.as_str();
        while let Some(start) = rest.find(is_word).filter(|_| words.len() < MOST_PARTS) {
            let end = rest[start..].find(|c| !is_word(c)).map_or(rest.len(), |length| start + length);
            let word = &rest[start..end];
            rest = &rest[end..];
            words.push(match word {
                "anonymous" | "namespace" => continue,
                // A namespace says least.
                _ if rest.starts_with("::") => (4, word),
                _ if word.starts_with(|c: char| c.is_ascii_digit()) => (3, split::value(word)),
                _ => (if near { 0 } else { 2 }, word),
            });
        }
    }
    words.sort_by_key(|(rank, _)| *rank);
    let mut seen: FxHashMap<&str, usize> = FxHashMap::default();
    let mut part = |(rank, word)| {
        let again = seen.entry(word).or_default();
        *again += 1;
        Part { text: format!("{word}{}", "\0".repeat(*again - 1)), rank }
    };
    words.into_iter().map(&mut part).collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Forms for identifiers that are too long and have no namespace to cut: the pieces that tell them apart.
fn long_names(names: &[&KernelName], width: usize) -> FxHashMap<usize, String> {
    let mut families: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (n, name) in names.iter().enumerate() {
        if name.identifier.width() > width && !name.identifier.contains("::") {
            families.entry(name.identifier.split('_').next().unwrap_or_default()).or_default().push(n);
        }
    }
    let mut forms = FxHashMap::default();
    for family in families.into_values() {
        let pieces: Vec<Vec<Part>> = family.iter().map(|&n| pieces(&names[n].identifier)).collect();
        let picks = distinguish(&pieces);
        for ((n, pieces), picked) in family.into_iter().zip(&pieces).zip(picks) {
            forms.insert(n, join_pieces(pieces, picked, width));
        }
    }
    forms
}

/// An identifier cut before underscores and blanks; very long pieces before capitals, too.
fn pieces(identifier: &str) -> Vec<Part> {
    let mut pieces: Vec<Part> = Vec::new();
    let mut push = |text: &str| pieces.push(Part { rank: u8::from(!is_tile(text)), text: text.to_owned() });
    for segment in split_before(identifier, |_, c| matches!(c, '_' | ' ')).into_iter().take(MOST_PARTS) {
        if segment.width() > LONGEST_PIECE {
            let capitals =
                split_before(segment, |last, c| c.is_ascii_uppercase() && !last.is_ascii_uppercase() && last != '_');
            capitals.into_iter().take(MOST_PARTS).for_each(&mut push);
        } else {
            push(segment);
        }
    }
    pieces
}

fn split_before(text: &str, cut: impl Fn(char, char) -> bool) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut last) = (0, ' ');
    for (at, c) in text.char_indices() {
        if at > start && cut(last, c) {
            found.push(&text[start..at]);
            start = at;
        }
        last = c;
    }
    found.push(&text[start..]);
    found
}

/// `MT320x224x64`, `128x64`: the size of a tile, what people know such kernels by.
fn is_tile(segment: &str) -> bool {
    let segment = segment.trim_start_matches(['_', ' ']);
    let digits = segment.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let sizes: Vec<&str> = digits.split('x').collect();
    segment.len() - digits.len() <= 3
        && sizes.len() > 1
        && sizes.iter().all(|size| !size.is_empty() && size.bytes().all(|b| b.is_ascii_digit()))
}

/// The picked pieces, then its tile and as many of the first ones as fit, in their order, gaps shown.
fn join_pieces(pieces: &[Part], picked: Vec<usize>, width: usize) -> String {
    let mut shown: BTreeSet<usize> = picked.into_iter().collect();
    let told = join(pieces, &shown);
    let mut add = |at: usize| {
        let fits = shown.contains(&at) || {
            shown.insert(at);
            join(pieces, &shown).width() <= width
        };
        if !fits {
            shown.remove(&at);
        }
        fits
    };
    let tile = pieces.iter().position(|piece| piece.rank == 0).filter(|_| add(0));
    tile.map(&mut add);
    let _ = (0..pieces.len()).all(&mut add);
    let text = join(pieces, &shown);
    if shown.contains(&0) {
        return cut_middle(&text, width);
    }
    // Not even the first piece fits beside what was picked; a name needs its beginning.
    let told = told.trim_matches('…');
    let head = cut_end(pieces[0].bare(), width.saturating_sub(told.width() + 2 * GAP.width()).max(width / 4));
    let head = head.trim_end_matches('…');
    format!("{head}{GAP}{}", cut_middle(told, width.saturating_sub(head.width() + GAP.width())))
}

fn join(pieces: &[Part], shown: &BTreeSet<usize>) -> String {
    let mut text = String::new();
    let mut next = 0;
    for &at in shown {
        let piece = pieces[at].bare();
        if at == next {
            text.push_str(piece);
        } else {
            text.push_str(GAP);
            text.push_str(piece.trim_start_matches(['_', ' ']));
        }
        next = at + 1;
    }
    if next < pieces.len() {
        text.push_str(GAP);
    }
    text
}

/// For each list the places of the fewest parts that no other list has all of, lower ranks first. Greedy, so "fewest" is
/// not proved; where others have all parts of a list, what comes nearest.
fn distinguish(lists: &[Vec<Part>]) -> Vec<Vec<usize>> {
    if lists.len() > LARGEST_GROUP {
        return vec![Vec::new(); lists.len()];
    }
    let blocks = lists.len().div_ceil(64);
    let mut holders: FxHashMap<&str, Vec<u64>> = FxHashMap::default();
    for (n, list) in lists.iter().enumerate() {
        for part in list {
            holders.entry(&part.text).or_insert_with(|| vec![0; blocks])[n / 64] |= 1 << (n % 64);
        }
    }
    lists.iter().map(|list| pick(list, &holders, lists.len())).collect()
}

fn pick(list: &[Part], holders: &FxHashMap<&str, Vec<u64>>, count: usize) -> Vec<usize> {
    let mut alike = vec![u64::MAX; count.div_ceil(64)];
    if let Some(last) = alike.last_mut().filter(|_| !count.is_multiple_of(64)) {
        *last = (1 << (count % 64)) - 1;
    }
    let mut places: Vec<usize> = Vec::new();
    loop {
        let before: u32 = alike.iter().map(|block| block.count_ones()).sum();
        let left = |at: usize| -> u32 {
            let held = &holders[list[at].text.as_str()];
            held.iter().zip(&alike).map(|(held, alike)| (held & alike).count_ones()).sum()
        };
        let helps = (0..list.len()).map(|at| (list[at].rank, left(at), at)).filter(|&(_, left, _)| left < before);
        let Some((.., best)) = helps.min().filter(|_| before > 1) else {
            places.sort_unstable();
            return places;
        };
        for (alike, held) in alike.iter_mut().zip(&holders[list[best].text.as_str()]) {
            *alike &= held;
        }
        places.push(best);
    }
}

/// Forms that still are alike get a number, in the order of their whole names.
fn number_alike(forms: &mut [String], width: usize) {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for form in forms.iter() {
        *count.entry(form.clone()).or_default() += 1;
    }
    taken.extend(count.iter().filter(|(_, count)| **count == 1).map(|(form, _)| form.clone()));
    let mut next: BTreeMap<String, usize> = BTreeMap::new();
    for form in forms.iter_mut().filter(|form| count[form.as_str()] > 1) {
        let number = next.entry(form.clone()).or_insert(0);
        loop {
            *number += 1;
            let suffix = format!("~{number}");
            let numbered = format!("{}{suffix}", cut_middle(form, width.saturating_sub(suffix.width())));
            if taken.insert(numbered.clone()) {
                *form = numbered;
                break;
            }
        }
    }
}

fn all_distinct(texts: &[String]) -> bool {
    texts.iter().collect::<BTreeSet<_>>().len() == texts.len()
}

/// `text` in `width` columns: both ends are kept, a gap in between.
fn cut_middle(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(GAP.width());
    let tail_room = room / 2;
    let head = take(text.chars(), room - tail_room);
    let tail = take(text.chars().rev(), tail_room);
    let end: String = text.chars().skip(text.chars().count() - tail).collect();
    let start: String = text.chars().take(head).collect();
    if width == 0 { String::new() } else { format!("{start}{GAP}{end}") }
}

/// The beginning of `text` in `width` columns.
fn cut_end(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let head: String = text.chars().take(take(text.chars(), width.saturating_sub(GAP.width()))).collect();
    head + GAP
}

/// How many of these characters fit.
fn take(chars: impl Iterator<Item = char>, room: usize) -> usize {
    let mut used = 0;
    chars
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= room
        })
        .count()
}
