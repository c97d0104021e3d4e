//! `llm-prof rules docs`: a page of markdown a framework, made from the catalog.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::super::args::RulesDocs;
use super::super::failure::Failure;
use super::super::loading;
use super::super::output::print;
use super::super::streams::Streams;
use super::families::group;
use super::{made, page};
use crate::plain;
use crate::rules::{Family, RuleSet};

/// Prints all pages, or writes or compares them.
pub(super) fn run(args: &RulesDocs, streams: &mut Streams) -> Result<(), Failure> {
    let rules = loading::rules(&args.knowledge, &args.terminal, streams)?;
    let pages = pages(&rules);
    if args.target.write.is_some() || args.target.check.is_some() {
        return made(&pages, &args.target, "llm-prof rules docs", streams);
    }
    let texts: Vec<&str> = pages.iter().map(|(_, text)| text.as_str()).collect();
    print(&texts.join("\n"), streams)
}

/// Name and text of each page.
fn pages(rules: &RuleSet) -> Vec<(String, String)> {
    let mut groups: BTreeMap<&str, Vec<&Family>> = BTreeMap::new();
    for family in &rules.families {
        groups.entry(group(family)).or_default().push(family);
    }
    let title = |name: &str| rules.report.titles.get(name).cloned().unwrap_or_else(|| name.to_owned());
    groups
        .into_iter()
        .map(|(name, families)| {
            let title = if name == "any" { "Any framework".to_owned() } else { title(name) };
            let mut out = format!("<!-- Made by `llm-prof rules docs --write catalogs/pages`. -->\n# {title}\n\n");
            for family in &families {
                plain::line(&mut out, format_args!("- [{}](#{})", family.title, anchor(&family.title)));
            }
            for family in &families {
                let _ = write!(out, "\n{}", page(family, 2));
            }
            (format!("{name}.md"), out)
        })
        .collect()
}

/// The anchor of a heading, as hosts of markdown make it.
fn anchor(title: &str) -> String {
    let kept = title.to_lowercase().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_')).collect();
    let kept: String = kept;
    kept.replace(' ', "-")
}
