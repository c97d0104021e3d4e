//! `llm-prof rules list --terms`: the words of which chains are made, all of them or those that know a kernel.

use std::fmt::Write;

use serde_json::json;

use super::super::args::{ListFormat, RulesList};
use crate::engine::{self, classify, testing::timeline_of};
use crate::kernel_name::KernelName;
use crate::plain;
use crate::rules::{CaseLaunch, RuleSet, Term, print_expr};

/// The list.
pub(super) fn list(args: &RulesList, rules: &RuleSet) -> String {
    let mut terms: Vec<&Term> = rules.terms.iter().collect();
    terms.sort_by(|a, b| a.name.cmp(&b.name));
    let mut words = None;
    if let Some(kernel) = &args.kernel {
        let launch = CaseLaunch { kernel: kernel.clone(), ..CaseLaunch::default() };
        let timeline = timeline_of(&[launch], rules, &[]);
        let classes = classify(rules, &timeline);
        let known = timeline.launch_ids().flat_map(|id| engine::terms_of(rules, &timeline, &classes, id));
        let known: Vec<String> = known.collect();
        terms.retain(|term| known.contains(&term.name));
        words = Some(KernelName::parse(kernel, &rules.names).words.join(" "));
    }
    match args.format {
        ListFormat::Text => text(&terms, words.as_deref()),
        ListFormat::Markdown => markdown(&terms),
        ListFormat::Json => {
            let rows: Vec<_> = (terms.iter())
                .map(|term| json!({ "term": term.name, "about": term.about, "is": print_expr(&term.expr) }))
                .collect();
            plain::json(&rows)
        }
    }
}

fn text(terms: &[&Term], words: Option<&str>) -> String {
    let mut out = String::new();
    if let Some(words) = words {
        plain::line(&mut out, format_args!("words  {words}"));
        if terms.is_empty() {
            let _ =
                writeln!(out, "no term knows it: write name(\"..\") of its words, or add a term to rules/terms.yaml");
        }
    }
    let widest = terms.iter().map(|term| term.name.len()).max().unwrap_or(0);
    for term in terms {
        plain::line(&mut out, format_args!("{:<widest$}  {}", term.name, term.about));
    }
    out
}

fn markdown(terms: &[&Term]) -> String {
    let mut out = "| Term | About |\n| --- | --- |\n".to_owned();
    for term in terms {
        plain::line(&mut out, format_args!("| `{}` | {} |", term.name, term.about.replace('|', "\\|")));
    }
    out
}
