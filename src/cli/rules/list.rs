//! `llm-prof rules list`: one line a family, grouped by framework; whole ids, so that lines can be searched.

use serde_json::json;

use super::super::args::{ListFormat, OriginArg, RulesList, StatusArg};
use super::super::failure::Failure;
use super::super::output::print;
use super::super::streams::Streams;
use super::super::{loading, session};
use super::families::group;
use super::terms;
use crate::diagnostic;
use crate::engine;
use crate::plain;
use crate::report::layout::cut;
use crate::rules::{Family, FamilyKind, Origin, RuleSet, Status};

/// Fewer letters of a title tell nothing; narrower terminals wrap.
const LEAST_TITLE: usize = 20;

/// Prints it.
pub(super) fn run(args: &RulesList, streams: &mut Streams) -> Result<(), Failure> {
    let rules = loading::rules(&args.knowledge, &args.terminal, streams)?;
    if args.terms {
        return print(&terms::list(args, &rules), streams);
    }
    let families = wanted(args, &rules)?;
    if families.is_empty() {
        session::say(streams, &format!("no family of {} is as asked for", rules.families.len()))?;
    }
    let text = match args.format {
        ListFormat::Text => text(&families, streams.out_is_terminal.then(|| streams.columns())),
        ListFormat::Markdown => markdown(&families),
        ListFormat::Json => json(&families),
    };
    print(&text, streams)
}

fn wanted<'r>(args: &RulesList, rules: &'r RuleSet) -> Result<Vec<&'r Family>, Failure> {
    let framework = match &args.framework {
        None => None,
        Some(name) => Some(framework(name, rules)?),
    };
    let origin = args.origin.map(|origin| match origin {
        OriginArg::Mainline => Origin::Mainline,
        OriginArg::Upstream => Origin::Upstream,
        OriginArg::Inflight => Origin::Inflight,
    });
    let status = args.status.map(|status| match status {
        StatusArg::Trial => Status::Trial,
        StatusArg::Stable => Status::Stable,
        StatusArg::Retired => Status::Retired,
    });
    let knowing = args.kernel.as_ref().map(|kernel| engine::knowing(rules, kernel));
    let is_wanted = |(n, family): &(usize, &Family)| {
        framework
            .as_deref()
            .is_none_or(|name| group(family) == name || family.when.frameworks.iter().any(|f| f == name))
            && origin.is_none_or(|origin| family.origin == origin)
            && status.is_none_or(|status| family.status == status)
            && knowing.as_ref().is_none_or(|knowing| knowing.contains(n))
    };
    Ok(rules.families.iter().enumerate().filter(is_wanted).map(|(_, family)| family).collect())
}

/// A framework as people write it, or `any`.
fn framework(name: &str, rules: &RuleSet) -> Result<String, Failure> {
    let groups: std::collections::BTreeSet<&str> = rules.families.iter().map(group).collect();
    if let Some(found) = groups.iter().find(|group| group.eq_ignore_ascii_case(name)) {
        return Ok((*found).to_owned());
    }
    if let Ok(Some(id)) = session::framework(name, rules) {
        return Ok(id);
    }
    let near = diagnostic::near(name, groups.iter().copied());
    let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    let all: Vec<&str> = groups.into_iter().collect();
    Err(Failure::usage(format!("--framework {name}: expected one of {}{near}", all.join(", "))))
}

fn groups<'a, 'r>(families: &'a [&'r Family]) -> impl Iterator<Item = &'a [&'r Family]> {
    families.chunk_by(|a, b| group(a) == group(b))
}

/// `columns`: of the terminal, where there is one: titles are cut to fit, so that a family stays one line.
fn text(families: &[&Family], columns: Option<usize>) -> String {
    let widest = families.iter().map(|family| family.id.len()).max().unwrap_or(0);
    let overlap = families.iter().any(|family| family.kind == FamilyKind::Overlap);
    let mut out = String::new();
    for (n, of) in groups(families).enumerate() {
        let plural = if of.len() == 1 { "family" } else { "families" };
        out.push_str(if n > 0 { "\n" } else { "" });
        plain::line(&mut out, format_args!("{}: {} {plural}", group(of[0]), of.len()));
        for family in of {
            let kind = if overlap { format!("  {:<7}", family.kind.id()) } else { String::new() };
            let (status, origin) = (family.status.id(), family.origin.id());
            let before = format!("{:<widest$}{kind}  {status:<7}  {origin:<8}  ", family.id);
            let room = columns.map_or(usize::MAX, |columns| columns.saturating_sub(before.len()).max(LEAST_TITLE));
            plain::line(&mut out, format_args!("{before}{}", cut(&family.title, room)));
        }
    }
    if families.len() > 1 {
        out.push('\n');
        plain::line(&mut out, format_args!("{}; `llm-prof rules show ID` is the page of one", total(families)));
    }
    out
}

/// How many there are, by status.
fn total(families: &[&Family]) -> String {
    let of = |status: Status| families.iter().filter(|family| family.status == status).count();
    let counts = [Status::Stable, Status::Trial, Status::Retired].map(|status| (of(status), status.id()));
    let counts: Vec<String> =
        counts.iter().filter(|(n, _)| *n > 0).map(|(n, status)| format!("{n} {status}")).collect();
    format!("{} families: {}", families.len(), counts.join(", "))
}

fn markdown(families: &[&Family]) -> String {
    let mut out = String::new();
    for (n, of) in groups(families).enumerate() {
        out.push_str(if n > 0 { "\n" } else { "" });
        plain::line(&mut out, format_args!("## {}", group(of[0])));
        out.push_str("\n| Family | Kind | Status | Origin | Title |\n");
        plain::line(&mut out, format_args!("| --- | --- | --- | --- | --- |"));
        for family in of {
            let (kind, status, origin) = (family.kind.id(), family.status.id(), family.origin.id());
            let title = family.title.replace('|', "\\|");
            plain::line(&mut out, format_args!("| `{}` | {kind} | {status} | {origin} | {title} |", family.id));
        }
    }
    out
}

fn json(families: &[&Family]) -> String {
    let row = |family: &&Family| {
        json!({
            "id": family.id,
            "title": family.title,
            "kind": family.kind.id(),
            "origin": family.origin.id(),
            "status": family.status.id(),
            "frameworks": family.when.frameworks,
            "aliases": family.aliases,
            "tests": family.tests.len(),
            "file": family.file,
        })
    };
    let rows: Vec<_> = families.iter().map(row).collect();
    plain::json(&rows)
}
