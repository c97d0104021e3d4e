//! `llm-prof rules new`: a family whose tests run at once, from nothing or from kernels of a real trace.

mod overlap;

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use super::super::args::{KindArg, RulesNew};
use super::super::failure::Failure;
use super::super::output::{print_line, save_whole};
use super::super::streams::Streams;
use super::super::{loading, session};
use crate::attribution::{CallTree, LaunchId, Lookup, Timeline};
use crate::engine::{self, Classes};
use crate::rules::{RuleSet, parse_expr, print_chain};

/// Writes the file and says what to do next.
pub(super) fn run(args: &RulesNew, streams: &mut Streams) -> Result<(), Failure> {
    let name = name(&args.id)?;
    let root = root(args);
    let path = root.join(args.kind.id()).join(format!("{}.yaml", args.id));
    if path.exists() {
        return Err(Failure::usage(format!("{} is there already", path.display())));
    }
    let text = match (args.kind, &args.from) {
        (KindArg::Fuse, None) => scaffold(&args.id, name, &Seed::plain()),
        (KindArg::Fuse, Some(trace)) => {
            let found = |rules: &RuleSet, timeline: &Timeline| {
                let launches = shortest(timeline, &args.kernels)?;
                let classes = engine::classify(rules, timeline);
                Ok(of_launches(rules, timeline, &classes, &args.kernels, &launches))
            };
            scaffold(&args.id, name, &seed(trace, args, streams, found)?)
        }
        (KindArg::Overlap, None) => overlap::scaffold(&args.id, name, &overlap::Sides::plain()),
        (KindArg::Overlap, Some(trace)) => {
            overlap::asked(&args.kernels)?;
            let found = |rules: &RuleSet, timeline: &Timeline| overlap::Sides::of(rules, timeline, &args.kernels);
            overlap::scaffold(&args.id, name, &seed(trace, args, streams, found)?)
        }
    };
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| save_whole(&path, &text));
    written.map_err(|error| Failure::usage(format!("{}: cannot write it: {error}", path.display())))?;
    let catalogs = if root.file_name().is_some_and(|name| name == "catalogs") && root.with_file_name("rules").is_dir() {
        format!("--rules {}", root.with_file_name("rules").display())
    } else {
        format!("--catalogs {}", root.display())
    };
    print_line(&path.display().to_string(), streams)?;
    print_line(&format!("next: edit it, then `llm-prof rules test {catalogs} --family {}`", args.id), streams)
}

/// The last part of the id.
fn name(id: &str) -> Result<&str, Failure> {
    let kebab = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    match id.split_once('/') {
        Some((framework, name)) if kebab(framework) && kebab(name) => Ok(name),
        _ => Err(Failure::usage(format!(
            "{id} is no id of a family: expected framework/name in small letters, digits and `-`, \
             such as any/add-norm"
        ))),
    }
}

/// The catalog to write into: the last one given, else the one beside the rules, else `catalogs`.
fn root(args: &RulesNew) -> PathBuf {
    let beside = args.knowledge.rules.as_ref().and_then(|rules| Some(rules.parent()?.join("catalogs")));
    args.knowledge.catalogs.last().cloned().or(beside).unwrap_or_else(|| PathBuf::from("catalogs"))
}

/// What the file is made of.
struct Seed {
    split: String,
    /// Launches of the split form as entries of a test.
    full: Vec<String>,
    /// The same by names alone, as a graph replay has them.
    bare: Vec<String>,
    /// A near miss.
    miss: Vec<String>,
    /// The kernel that ran before.
    before: Vec<String>,
}

impl Seed {
    fn plain() -> Self {
        let list = |words: [&str; 2]| words.map(|word| format!("{word}_kernel")).to_vec();
        Self {
            split: "name(\"step_one\") ~> name(\"step_two\")".to_owned(),
            full: list(["step_one", "step_two"]),
            bare: Vec::new(),
            miss: list(["step_two", "step_one"]),
            before: Vec::new(),
        }
    }
}

fn scaffold(id: &str, name: &str, seed: &Seed) -> String {
    let word = name.replace('-', "_");
    let title = name.replace('-', " ");
    let gate = gate(id);
    let mut tests = String::new();
    let mut test = |claim: &str, chain: &[String], expect: &str| {
        let _ = writeln!(tests, "  - name: {claim}\n    chain:");
        for entry in chain {
            let _ = writeln!(tests, "      - {entry}");
        }
        let _ = writeln!(tests, "    expect: {expect}");
    };
    test("the kernels that the fused one replaces", &seed.full, "split");
    if !seed.bare.is_empty() {
        test("the same from a graph replay", &seed.bare, "split");
    }
    let fused: Vec<String> = seed.before.iter().cloned().chain([format!("{word}_kernel")]).collect();
    test("already fused", &fused, "fused");
    test("near miss, say what makes it one", &seed.miss, "none");
    format!(
        "# yaml-language-server: $schema=../../../rules/schema/family.json
# To do: title, sources, rationale, the name of the fused kernel, toggles; then a near miss from another model or library.
version: 1
id: {id}
title: {title}
kind: fuse
origin: mainline
status: trial
sources: [where/the/fused/path/lives.py]
{gate}fused: name(\"{word}\")
split: {}
per: layer
rationale: One sentence, what the one kernel does and what it saves.
tests:
{tests}",
        quoted(&seed.split)
    )
}

/// The gate that an id asks for.
fn gate(id: &str) -> String {
    match id.split('/').next() {
        None | Some("any") => String::new(),
        Some(framework) => format!("when: {{ frameworks: [{framework}] }}\n"),
    }
}

/// A text as a YAML scalar: plain where that is safe.
fn quoted(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '(')
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
        && text.chars().any(|c| c.is_ascii_alphabetic());
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

/// What is `found` in the first of the trace's timelines that has all kernels; else it names the one that is missing.
fn seed<S>(
    trace: &std::path::Path,
    args: &RulesNew,
    streams: &mut Streams,
    found: impl Fn(&RuleSet, &Timeline) -> Result<S, String>,
) -> Result<S, Failure> {
    // The catalog that is written into may have no family yet.
    let mut knowledge = args.knowledge.clone();
    knowledge.catalogs.retain(|dir| ["fuse", "overlap", "catalogs"].iter().any(|inner| dir.join(inner).is_dir()));
    let rules = loading::rules(&knowledge, &args.terminal, streams)?;
    let session = session::open(&[trace.to_owned()], &args.input, &args.terminal, &rules, streams)?;
    let mut missing = Vec::new();
    for timeline in &session.timelines {
        match found(&rules, timeline) {
            Ok(seed) => return Ok(seed),
            Err(kernel) => missing.push(kernel),
        }
    }
    let kernel = missing.first().map_or("", String::as_str);
    Err(Failure::usage(format!(
        "--kernels: no kernel whose name holds `{kernel}` runs {}; `llm-prof triage {}` lists kernels",
        match args.kind {
            KindArg::Fuse => "on one stream after the others",
            KindArg::Overlap => "in the trace",
        },
        trace.display()
    )))
}

fn raw(timeline: &Timeline, launch: LaunchId) -> &str {
    timeline.strings.get(timeline.kernel(launch).raw)
}

/// The shortest run of launches on one stream in which the kernels stand in order, the first of its length; else the
/// kernel that is missing.
fn shortest(timeline: &Timeline, kernels: &[String]) -> Result<Vec<LaunchId>, String> {
    let holds =
        |launch: LaunchId, part: &str| raw(timeline, launch).to_lowercase().contains(&part.trim().to_lowercase());
    let mut best: Option<Vec<LaunchId>> = None;
    let mut furthest = 0;
    for stream in 0..timeline.streams.len() {
        let line: Vec<LaunchId> =
            timeline.launch_ids().filter(|id| timeline.launch(*id).stream.0 as usize == stream).collect();
        for start in 0..line.len() {
            let (mut at, mut found) = (start, 0);
            while found < kernels.len() && at < line.len() {
                if holds(line[at], &kernels[found]) {
                    found += 1;
                } else if found == 0 {
                    break;
                }
                at += 1;
                if best.as_ref().is_some_and(|best| at - start > best.len()) {
                    break;
                }
            }
            furthest = furthest.max(found);
            if found == kernels.len() && best.as_ref().is_none_or(|best| at - start < best.len()) {
                best = Some(line[start..at].to_vec());
            }
        }
    }
    best.ok_or_else(|| kernels.get(furthest).cloned().unwrap_or_default())
}

fn of_launches(
    rules: &RuleSet,
    timeline: &Timeline,
    classes: &Classes,
    kernels: &[String],
    launches: &[LaunchId],
) -> Seed {
    let mut links = Vec::new();
    let mut next = 0;
    for launch in launches {
        let asked = kernels
            .get(next)
            .is_some_and(|part| raw(timeline, *launch).to_lowercase().contains(&part.trim().to_lowercase()));
        let link = link(rules, timeline, classes, *launch);
        if asked {
            next += 1;
            links.push(link);
        } else if !engine::is_transparent(rules, timeline, classes, *launch) {
            links.push(format!("[{link}]"));
        }
    }
    let bare = |ids: &[LaunchId]| ids.iter().map(|id| quoted(raw(timeline, *id))).collect::<Vec<_>>();
    let before: Vec<LaunchId> = neighbour(timeline, launches).into_iter().collect();
    let with: Vec<LaunchId> = before.iter().chain(launches).copied().collect();
    let full: Vec<String> = with.iter().map(|id| entry(timeline, *id)).collect();
    let names = bare(&with);
    Seed {
        split: links.join(" ~> "),
        bare: if full == names { Vec::new() } else { names.clone() },
        full,
        miss: names[..names.len() - 1].to_vec(),
        before: bare(&before),
    }
}

/// What runs before on the same stream.
fn neighbour(timeline: &Timeline, launches: &[LaunchId]) -> Option<LaunchId> {
    let first = *launches.first()?;
    let stream = timeline.launch(first).stream;
    (0..first.0).rev().map(LaunchId).find(|id| timeline.launch(*id).stream == stream)
}

/// The term that families use most for a kernel; else its own words.
fn link(rules: &RuleSet, timeline: &Timeline, classes: &Classes, launch: LaunchId) -> String {
    let terms = engine::terms_of(rules, timeline, classes, launch);
    let uses = |term: &String| {
        let chains = rules.families.iter().flat_map(|family| [&family.fused, &family.split]).flatten();
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        chains.filter(|chain| print_chain(chain).split(|c| !is_word(c)).any(|word| word == term)).count()
    };
    // Of equals the first by name, on every machine.
    let best = terms.into_iter().rev().max_by_key(uses);
    best.unwrap_or_else(|| own_words(timeline, launch))
}

/// The kernel by its own words.
fn own_words(timeline: &Timeline, launch: LaunchId) -> String {
    let words = timeline.kernel(launch).name.words.join("_");
    let text = format!("name(\"{}\")", words.replace(['"', '\\'], ""));
    if parse_expr(&text).is_ok() { text } else { "kind(kernel)".to_owned() }
}

/// A launch with the op and the site that the trace gives it.
fn entry(timeline: &Timeline, launch: LaunchId) -> String {
    let place = place(timeline, launch);
    if place.is_empty() {
        return quoted(raw(timeline, launch));
    }
    format!("{{ kernel: {}{place} }}", double_quoted(raw(timeline, launch)))
}

/// `, op: [..], site: ..`, as far as the trace gives them.
fn place(timeline: &Timeline, launch: LaunchId) -> String {
    let context = timeline.context(launch);
    let path = |tree: &CallTree, at: Lookup, most: usize| match at {
        Lookup::At(node) => {
            tree.path(node).take(most).map(|node| timeline.strings.get(tree.name(node)).to_owned()).collect()
        }
        _ => Vec::new(),
    };
    let ops: Vec<String> = path(&timeline.ops, context.op, 3);
    let mut out = String::new();
    if !ops.is_empty() {
        let ops: Vec<String> = ops.iter().map(|op| double_quoted(op)).collect();
        let _ = write!(out, ", op: [{}]", ops.join(", "));
    }
    if let Some(site) = context.site {
        let _ = write!(out, ", site: {}", double_quoted(timeline.strings.get(site)));
    }
    out
}

fn double_quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
