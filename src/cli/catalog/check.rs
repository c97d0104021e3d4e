//! `llm-prof catalog check`: what the catalog says of a package, looked for in a release of it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use aho_corasick::AhoCorasick;
use rustc_hash::FxHashSet;
use serde_json::json;

use super::super::args::{CatalogCheck, CheckFormat};
use super::super::failure::{Failure, code};
use super::super::loading;
use super::super::output::print;
use super::super::streams::Streams;
use super::release::Release;
use crate::plain;
use crate::rules::schema::releases::{Package, ReleasesFile};
use crate::rules::version::within;
use crate::rules::{Claim, ClaimKind, RuleSet, Versions};

const SCHEMA: &str = "llm-prof.catalog-check/1";
/// Shorter parts of a name are everywhere.
const LEAST_LETTERS: usize = 4;
/// Two names are near when they share so many of the words that either has.
const NEAR_PCT: usize = 50;

/// Prints what is stale; 1 when something is.
pub(super) fn run(args: &CatalogCheck, streams: &mut Streams) -> Result<(), Failure> {
    let rules = loading::rules(&args.knowledge, &args.terminal, streams)?;
    let narrowed = !args.knowledge.include.is_empty() || !args.knowledge.exclude.is_empty();
    let shown = args.wheel.display();
    let unread = |error: std::io::Error| Failure::input(format!("--wheel {shown}: cannot be read: {error}"));
    let release = Release::open(&args.wheel).map_err(unread)?;
    let settings = &rules.releases;
    let package = settings.packages.iter().find(|known| alike(&known.package, &release.package)).ok_or_else(|| {
        let known: Vec<&str> = settings.packages.iter().map(|known| known.package.as_str()).collect();
        Failure::Said {
            code: code::UNFIT,
            message: format!(
                "{shown} is a release of {}; rules/releases.yaml knows {}",
                release.package,
                known.join(", ")
            ),
        }
    })?;
    let checked = check(&rules, package, &release, narrowed).map_err(unread)?;
    let text = match args.format {
        CheckFormat::Text => text(&checked, &release),
        CheckFormat::Json => json(&checked, &release),
    };
    print(&text, streams)?;
    if checked.stale.is_empty() { Ok(()) } else { Err(Failure::Code(code::FAILED)) }
}

fn alike(one: &str, two: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().replace(['_', '.'], "-");
    plain(one) == plain(two)
}

/// What came out.
struct Checked<'a> {
    /// Claims looked for.
    looked_for: usize,
    /// Claims of this package that are said of other versions.
    other_versions: usize,
    stale: Vec<Stale<'a>>,
}

struct Stale<'a> {
    claim: &'a Claim,
    nearest: Option<String>,
}

/// How a text is looked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Needle {
    /// A file or folder.
    Path(String),
    /// Part of a path.
    InPath(String),
    /// A name of its own in the text of a file.
    Name(String),
    /// Part of the text of a file.
    Text(String),
}

/// `narrowed`: only what some families say is asked for, so that the names of a whole package are not.
fn check<'a>(rules: &'a RuleSet, package: &Package, release: &Release, narrowed: bool) -> std::io::Result<Checked<'a>> {
    let mut checked = Checked { looked_for: 0, other_versions: 0, stale: Vec::new() };
    let mut wanted: Vec<(&Claim, Vec<Needle>)> = Vec::new();
    let asked: BTreeSet<&str> = rules.families.iter().map(|family| family.id.as_str()).collect();
    // What a term says holds for every family.
    let is_asked = |claim: &&Claim| {
        if claim.owner.contains('/') {
            asked.contains(claim.owner.as_str())
        } else {
            !narrowed || claim.of.as_ref() != Some(&claim.owner)
        }
    };
    for claim in rules.claims.iter().filter(is_asked) {
        let needles = needles(claim, package, &rules.releases, release);
        if needles.is_empty() {
            continue;
        }
        if said_of(claim, package, &release.version) {
            wanted.push((claim, needles));
        } else {
            checked.other_versions += 1;
        }
    }
    checked.looked_for = wanted.len();
    let needles: BTreeSet<&Needle> = wanted.iter().flat_map(|(_, needles)| needles).collect();
    let text = Text::read(release, &needles, &rules.releases)?;
    for (claim, needles) in wanted {
        let there = needles.iter().any(|needle| match needle {
            Needle::Path(path) => {
                let folder = format!("{}/", path.trim_end_matches('/'));
                let below = release.paths.range(folder.clone()..).next().is_some_and(|next| next.starts_with(&folder));
                below || release.paths.contains(path)
            }
            Needle::InPath(part) => release.paths.iter().any(|path| in_order(path, part)),
            Needle::Name(_) | Needle::Text(_) => text.found.contains(needle),
        });
        if !there {
            checked.stale.push(Stale { claim, nearest: nearest(&needles, release, &text) });
        }
    }
    Ok(checked)
}

/// Whether the claim is said of the version. A library's versions are not those of the framework.
fn said_of(claim: &Claim, package: &Package, version: &str) -> bool {
    let holds = |versions: &Versions| {
        within(Some(version), versions.since.as_deref(), versions.until.as_deref()).unwrap_or(true)
    };
    let of_framework = package.framework.is_some() && package.framework == claim.framework;
    let own = claim.kind == ClaimKind::Kernel || of_framework;
    (!own || holds(&claim.versions)) && (!of_framework || holds(&claim.family))
}

/// What bears the claim out, any of it; nothing when it is no claim about this package.
fn needles(claim: &Claim, package: &Package, settings: &ReleasesFile, release: &Release) -> Vec<Needle> {
    let mut out = Vec::new();
    let of_framework = package.framework.is_some() && package.framework == claim.framework;
    for text in &claim.texts {
        match claim.kind {
            ClaimKind::Path => out.extend(paths(text, package, release)),
            ClaimKind::Kernel if claim.of.as_deref().is_some_and(|of| alike(of, &package.package)) => {
                out.push(Needle::Name(text.clone()));
            }
            ClaimKind::Op => {
                let base = package.ops.iter().find_map(|namespace| text.strip_prefix(namespace.as_str()));
                out.extend(base.and_then(name));
            }
            ClaimKind::Module if of_framework => out.extend(name(text)),
            ClaimKind::Site if settings.no_sites.contains(text) => {}
            ClaimKind::Site if text.contains(['/', '.']) => {
                let lies_here = |path: &String| package.folders.iter().any(|folder| path.starts_with(&folder.tree));
                if claim.of.as_ref().map_or(of_framework, lies_here) {
                    out.push(Needle::InPath(text.clone()));
                }
            }
            ClaimKind::Site if of_framework => out.extend(longest(text).map(|part| Needle::Text(part.to_owned()))),
            ClaimKind::Toggle
                if of_framework && claim.of.as_ref().is_some_and(|place| settings.places.contains(place)) =>
            {
                let last = text.rsplit('.').next().unwrap_or(text).trim_start_matches('-');
                out.push(Needle::Name(last.replace('-', "_")));
                out.push(Needle::Text(format!("--{}", last.replace('_', "-"))));
            }
            ClaimKind::Kernel | ClaimKind::Module | ClaimKind::Site | ClaimKind::Toggle => {}
        }
    }
    out
}

/// A path of the source tree as a wheel has it, and as an sdist does. A function behind `::` is no part of it.
fn paths(text: &str, package: &Package, release: &Release) -> Vec<Needle> {
    let path = text.split("::").next().unwrap_or(text);
    let Some(folder) =
        package.folders.iter().filter(|folder| path.starts_with(&folder.tree)).max_by_key(|f| f.tree.len())
    else {
        return Vec::new();
    };
    let below = &path[folder.tree.len()..];
    let in_wheel = folder.wheel.as_ref().map(|wheel| format!("{wheel}{below}"));
    // A folder that no wheel has is looked for where the release has its tree.
    let has_tree = release.paths.iter().any(|path| path.starts_with(&folder.tree));
    let in_tree = has_tree.then(|| path.to_owned());
    in_wheel.into_iter().chain(in_tree).map(Needle::Path).collect()
}

fn name(text: &str) -> Option<Needle> {
    if text.contains('*') {
        longest(text).map(|part| Needle::Text(part.to_owned()))
    } else {
        Some(Needle::Name(text.to_owned()))
    }
}

/// The longest part of a glob that has no `*`.
fn longest(glob: &str) -> Option<&str> {
    glob.split('*').max_by_key(|part| part.len()).filter(|part| part.len() >= LEAST_LETTERS)
}

/// Whether the parts of a glob stand in this order.
fn in_order(path: &str, glob: &str) -> bool {
    let mut rest = path;
    glob.split('*').all(|part| {
        rest.find(part).is_some_and(|at| {
            rest = &rest[at + part.len()..];
            true
        })
    })
}

/// What was found in the files.
struct Text {
    found: BTreeSet<Needle>,
    /// All names in text files, for what is near.
    names: BTreeSet<String>,
}

impl Text {
    fn read(release: &Release, needles: &BTreeSet<&Needle>, settings: &ReleasesFile) -> std::io::Result<Self> {
        let wanted: Vec<(&Needle, &str)> = needles
            .iter()
            .filter_map(|needle| match needle {
                Needle::Name(text) | Needle::Text(text) => Some((*needle, text.as_str())),
                Needle::Path(_) | Needle::InPath(_) => None,
            })
            .collect();
        let finder = AhoCorasick::new(wanted.iter().map(|(_, text)| text)).map_err(std::io::Error::other)?;
        let mut found = BTreeSet::new();
        let mut names = FxHashSet::default();
        let ends = |path: &str, endings: &[String]| {
            let ending = Path::new(path).extension().and_then(|ending| ending.to_str());
            ending.is_some_and(|ending| endings.iter().any(|known| known == ending))
        };
        let is_read = |path: &str| ends(path, &settings.texts) || ends(path, &settings.binaries);
        release.each(&is_read, &mut |path, bytes| {
            for hit in finder.find_overlapping_iter(bytes) {
                let (needle, _) = wanted[hit.pattern().as_usize()];
                if matches!(needle, Needle::Text(_)) || is_name(bytes, hit.start(), hit.end()) {
                    found.insert(needle.clone());
                }
            }
            if ends(path, &settings.texts) {
                let words = bytes.split(|byte| !is_part(*byte)).filter(|word| word.len() >= LEAST_LETTERS);
                for word in words.filter_map(|word| std::str::from_utf8(word).ok()) {
                    if !names.contains(word) {
                        names.insert(word.to_owned());
                    }
                }
            }
        })?;
        Ok(Self { found, names: names.into_iter().collect() })
    }
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether these bytes are a name of their own: no letter beside them, or their length before them, as compilers write
/// names into binaries.
fn is_name(bytes: &[u8], start: usize, end: usize) -> bool {
    let part_at = |at: usize| bytes.get(at).is_some_and(|byte| is_part(*byte));
    let joined = start > 0 && part_at(start - 1);
    if !joined && !part_at(end) {
        return true;
    }
    let digits = bytes[..start].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    // More digits may stand before, of a name that ends in one.
    (1..=digits.min(3)).any(|digits| {
        std::str::from_utf8(&bytes[start - digits..start]).is_ok_and(|text| text == (end - start).to_string())
    })
}

/// What in the release is most like what was looked for first: a file of the same name, else what shares most words.
fn nearest(needles: &[Needle], release: &Release, text: &Text) -> Option<String> {
    let (sought, is_path, all) = match needles.first()? {
        Needle::Path(path) | Needle::InPath(path) => (path, true, &release.paths),
        Needle::Name(name) | Needle::Text(name) => (name, false, &text.names),
    };
    let own = words(sought);
    let share = |other: &str| {
        let words = words(other);
        100 * own.intersection(&words).count() / own.union(&words).count().max(1)
    };
    let same_file = |other: &str| is_path && other.rsplit('/').next() == sought.rsplit('/').next();
    all.iter()
        .map(|other| (same_file(other), share(other), Reverse(other)))
        .max()
        .filter(|(same_file, share, _)| *same_file || *share >= NEAR_PCT)
        .map(|(_, _, Reverse(other))| other.clone())
}

/// Words of a name or a path, in lower case.
fn words(text: &str) -> BTreeSet<String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn text(checked: &Checked<'_>, release: &Release) -> String {
    let mut out = String::new();
    for Stale { claim, nearest } in &checked.stale {
        let near = nearest.as_ref().map_or_else(String::new, |nearest| format!("; nearest {nearest}"));
        let what = claim.texts.join(", ");
        let _ = writeln!(
            out,
            "{}:{}: {}: {} {what} is not there{near}",
            claim.file,
            claim.line,
            claim.owner,
            claim.kind.id()
        );
    }
    let mut kinds: BTreeMap<ClaimKind, usize> = BTreeMap::new();
    for stale in &checked.stale {
        *kinds.entry(stale.claim.kind).or_default() += 1;
    }
    let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {}", kind.id())).collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
    let _ = writeln!(
        out,
        "{} {}: {} claims looked for, {} stale{kinds}, {} said of other versions",
        release.package,
        release.version,
        checked.looked_for,
        checked.stale.len(),
        checked.other_versions
    );
    out
}

fn json(checked: &Checked<'_>, release: &Release) -> String {
    let stale: Vec<serde_json::Value> = checked
        .stale
        .iter()
        .map(|Stale { claim, nearest }| {
            json!({
                "owner": claim.owner, "file": claim.file, "line": claim.line, "kind": claim.kind.id(),
                "looked_for": claim.texts, "nearest": nearest,
            })
        })
        .collect();
    let all = json!({
        "schema": SCHEMA, "package": release.package, "version": release.version,
        "looked_for": checked.looked_for, "other_versions": checked.other_versions, "stale": stale,
    });
    plain::json(&all)
}
