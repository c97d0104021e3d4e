//! An overlap family whose tests run at once: two kinds of work one after the other, beside each other, far apart.

use std::fmt::Write;

use super::{double_quoted, gate, link, own_words, place, quoted, raw};
use crate::attribution::{LaunchId, Timeline};
use crate::cli::failure::Failure;
use crate::engine;
use crate::rules::RuleSet;

/// How far apart the sides may be.
const WITHIN_US: u32 = 200;

/// One side of the clause.
struct Side {
    link: String,
    /// `kernel: .., op: .., site: ..` of a test's entry.
    entry: String,
    dur_us: u32,
}

/// What could be hidden, and under what.
pub(super) struct Sides {
    exposed: Side,
    beside: Side,
}

/// There are two sides.
pub(super) fn asked(kernels: &[String]) -> Result<(), Failure> {
    if kernels.len() == 2 {
        return Ok(());
    }
    Err(Failure::usage(
        "--kernels: an overlap has two sides; name the kernel that could be hidden, then one that it could run beside"
            .to_owned(),
    ))
}

impl Sides {
    pub(super) fn plain() -> Self {
        let side = |word: &str, dur_us| Side {
            link: format!("name(\"{word}\")"),
            entry: format!("kernel: {word}_kernel"),
            dur_us,
        };
        Self { exposed: side("side_one", 20), beside: side("side_two", 60) }
    }

    /// The first launches of two kernels; else the kernel that is missing.
    pub(super) fn of(rules: &RuleSet, timeline: &Timeline, kernels: &[String]) -> Result<Self, String> {
        let find = |part: &String| {
            let holds = |id: &LaunchId| raw(timeline, *id).to_lowercase().contains(&part.trim().to_lowercase());
            timeline.launch_ids().find(holds).ok_or_else(|| part.clone())
        };
        let (exposed, beside) = (find(&kernels[0])?, find(&kernels[1])?);
        let classes = engine::classify(rules, timeline);
        let links = [exposed, beside].map(|id| link(rules, timeline, &classes, id));
        // A launch that is on both sides has no other side.
        let links = if links[0] == links[1] { [exposed, beside].map(|id| own_words(timeline, id)) } else { links };
        let side = |id: LaunchId, link: &str| Side {
            link: link.to_owned(),
            entry: format!("kernel: {}{}", double_quoted(raw(timeline, id)), place(timeline, id)),
            dur_us: (timeline.launch(id).dur.as_us().ceil() as u32).max(1),
        };
        Ok(Self { exposed: side(exposed, &links[0]), beside: side(beside, &links[1]) })
    }
}

/// The file.
pub(super) fn scaffold(id: &str, name: &str, sides: &Sides) -> String {
    let Sides { exposed, beside } = sides;
    let mut tests = String::new();
    let mut test = |claim: &str, chain: &[(&Side, u32, u32)], expect: &str| {
        let _ = writeln!(tests, "  - name: {claim}\n    chain:");
        for (side, stream, start) in chain {
            let (entry, dur) = (&side.entry, side.dur_us);
            let _ = writeln!(tests, "      - {{ {entry}, stream: {stream}, start_us: {start}, dur_us: {dur} }}");
        }
        let _ = writeln!(tests, "    expect: {expect}");
    };
    let after = exposed.dur_us;
    test("one after the other on one stream", &[(exposed, 7, 0), (beside, 7, after + 5)], "exposed");
    test("beside each other on streams of their own", &[(exposed, 7, 0), (beside, 8, 0)], "hidden");
    test("too far apart", &[(exposed, 7, 0), (beside, 7, after + 5 * WITHIN_US)], "no_partner");
    test("near miss, say what makes it one", &[(beside, 7, 0)], "none");
    let clause = format!("exposed({}) beside exposed({}) within {WITHIN_US}us", exposed.link, beside.link);
    format!(
        "# yaml-language-server: $schema=../../../rules/schema/family.json
# To do: title, sources, rationale, toggles; narrow the sides by `site` or `module`, or say with `when` where it applies.
version: 1
id: {id}
title: {title}
kind: overlap
origin: mainline
status: trial
sources: [where/the/two/streams/are/used.py]
{gate}overlap: {clause}
independent: declared
per: layer
rationale: One sentence, what runs beside what and why neither waits for the other.
tests:
{tests}",
        title = name.replace('-', " "),
        gate = gate(id),
        clause = quoted(&clause),
    )
}
