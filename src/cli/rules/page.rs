//! The page of a family, in markdown: what `rules show` prints, and what the pages of the catalog are made of.

use std::fmt::Write;

use crate::engine::family_test::outcome_word;
use crate::plain;
use crate::rules::{
    Caller, Family, Gates, MessageLimit, SourcePath, Status, Toggle, TokenLimit, print_chain, print_overlap,
};

/// The page; its heading is of this level.
pub(in crate::cli) fn page(family: &Family, level: usize) -> String {
    let mut out = String::new();
    plain::line(&mut out, format_args!("{} {}", "#".repeat(level), family.title));
    let mut head = format!("`{}`, {}", family.id, family.origin.id());
    if !family.pr.is_empty() {
        let _ = write!(head, " ({})", family.pr.join(", "));
    }
    let _ = write!(head, ", {}", family.status.id());
    if let (Status::Retired, Some(by)) = (family.status, &family.replaced_by) {
        let _ = write!(head, ", replaced by `{by}`");
    }
    head.push_str(&versions(family.since.as_deref(), family.until.as_deref()));
    for (vendor, since) in &family.since_on {
        let _ = write!(head, ", on {vendor} since {since}");
    }
    out.push('\n');
    plain::line(&mut out, format_args!("{head}"));
    let _ = write!(out, "\n{}\n\n", plain::clean_lines(family.rationale.trim()));
    for (name, chain) in
        [("after", &family.after), ("fused", &family.fused), ("split", &family.split), ("before", &family.before)]
    {
        if let Some(chain) = chain {
            plain::line(&mut out, format_args!("- {name}: `{}`", print_chain(chain)));
        }
    }
    if let Some(clause) = &family.overlap {
        plain::line(&mut out, format_args!("- overlap: `{}`", print_overlap(clause)));
    }
    for gate in gates(&family.when) {
        plain::line(&mut out, format_args!("- when {gate}"));
    }
    for caller in &family.called_for {
        plain::line(&mut out, format_args!("- called {}", called(caller)));
    }
    for toggle in &family.toggles {
        plain::line(&mut out, format_args!("- turn on: {}", switch(toggle)));
    }
    for (what, ids) in [("better than", &family.subsumes), ("cannot run together with", &family.excludes)] {
        if !ids.is_empty() {
            let ids: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
            plain::line(&mut out, format_args!("- {what} {}", ids.join(", ")));
        }
    }
    if !family.aliases.is_empty() {
        plain::line(&mut out, format_args!("- once called {}", family.aliases.join(", ")));
    }
    if !family.sources.is_empty() {
        let sources: Vec<String> = family.sources.iter().map(source).collect();
        plain::line(&mut out, format_args!("- source: {}", sources.join(", ")));
    }
    if let Some((date, version)) = &family.checked {
        plain::line(&mut out, format_args!("- checked on {date} against {version}"));
    }
    if level == 1 {
        plain::line(&mut out, format_args!("- file: {}", family.file));
        out.push_str("\nTests:\n\n");
        for case in &family.tests {
            let todo = if case.todo { ", known to fail" } else { "" };
            plain::line(&mut out, format_args!("- {}: {}{todo}", case.name, outcome_word(case.expect)));
        }
    }
    out
}

fn versions(since: Option<&str>, until: Option<&str>) -> String {
    match (since, until) {
        (None, None) => String::new(),
        (Some(since), None) => format!(", since {since}"),
        (None, Some(until)) => format!(", until {until}"),
        (Some(since), Some(until)) => format!(", {since} until {until}"),
    }
}

fn gates(when: &Gates) -> Vec<String> {
    let mut out = Vec::new();
    let stages: Vec<String> = when.stages.iter().map(|stage| stage.id().to_owned()).collect();
    let lists = [
        ("framework", &when.frameworks),
        ("model", &when.models.any),
        ("stage", &stages),
        ("vendor", &when.vendor),
        ("architecture", &when.arch),
        ("dtype", &when.dtype),
    ];
    for (what, words) in lists {
        if !words.is_empty() {
            out.push(format!("{what} is {}", words.join(", ")));
        }
    }
    if !when.models.none.is_empty() {
        out.push(format!("model is not {}", when.models.none.join(", ")));
    }
    let ranges = [
        ("tensor-parallel size", when.tensor_parallel),
        ("tokens of the step", when.tokens),
        ("bytes of the message", when.message_bytes),
    ];
    for (what, range) in ranges {
        out.extend(range.map(|range| format!("{what} is {range}")));
    }
    out.extend(when.token_limits.iter().map(token_limit));
    out.extend(when.message_limits.iter().map(limit));
    out.extend(when.needs.iter().map(|(name, value)| format!("`{name}` is {value}")));
    out
}

fn called(caller: &Caller) -> String {
    let files: Vec<String> = caller.files.iter().map(|file| format!("`{file}`")).collect();
    let mut text = format!("in {}", files.join(", "));
    for (what, words) in [("for", &caller.models.any), ("but not for", &caller.models.none)] {
        if !words.is_empty() {
            text = format!("{text} {what} {}", words.join(", "));
        }
    }
    if let Some(vendor) = &caller.vendor {
        text = format!("{text} on {vendor}");
    }
    format!("{text}{}", versions(caller.since.as_deref(), caller.until.as_deref()))
}

fn token_limit(limit: &TokenLimit) -> String {
    let mut text = format!("tokens of the step is {}", limit.tokens);
    if !limit.arch.is_empty() {
        text = format!("{text} on {}", limit.arch.join(", "));
    }
    format!("{text}{}", versions(limit.since.as_deref(), limit.until.as_deref()))
}

fn limit(limit: &MessageLimit) -> String {
    let bytes = limit.bytes.map_or("in no range".to_owned(), |bytes| bytes.to_string());
    let mut text = format!("bytes of the message is {bytes}");
    if !limit.arch.is_empty() {
        text = format!("{text} on {}", limit.arch.join(", "));
    }
    if let Some(size) = limit.tensor_parallel {
        text = format!("{text} at tensor-parallel size {size}");
    }
    if let Some(switch) = &limit.raised_by {
        text = format!("{text}, unless `{switch}` moves it");
    }
    text
}

fn switch(toggle: &Toggle) -> String {
    let default = toggle.default.as_ref().map_or_else(String::new, |default| format!(", {default} unless set"));
    let versions = versions(toggle.since.as_deref(), toggle.until.as_deref());
    format!("`{}` = `{}` ({}{default}{versions})", toggle.name, toggle.value, toggle.place)
}

fn source(source: &SourcePath) -> String {
    let at = source.at.as_ref().map_or_else(String::new, |at| format!(" at {at}"));
    let on = source.vendor.as_ref().map_or_else(String::new, |vendor| format!(" on {vendor}"));
    let versions = versions(source.since.as_deref(), source.until.as_deref()).replacen(',', "", 1);
    format!("`{}`{at}{on}{versions}", source.path)
}
