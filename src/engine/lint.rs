//! What only running the predicates tells of the rules: kernels in tests that nothing knows, or that nobody has.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::classify::{OTHER, classify};
use super::predicate::{PredicateId, Predicates};
use super::testing::timeline_of;
use super::{Classes, Tri};
use crate::attribution::{LaunchId, Timeline};
use crate::diagnostic::{Code, Diagnostic, SourceFile};
use crate::kernel_name::{KernelName, glob};
use crate::rules::ast::{Chain, ChainNode};
use crate::rules::{CaseLaunch, ClaimKind, Family, RuleSet, Status};

/// The name of no kernel: a predicate that says yes to it does not go by names.
const NOBODY: &str = "qzx";

/// A kernel by its name, and the first place of each family that tests with it.
type Kernels<'r> = BTreeMap<&'r str, Vec<(&'r str, usize, usize)>>;

/// Warnings, in order of file and place.
pub fn lint(rules: &RuleSet) -> Vec<Diagnostic> {
    let kernels = kernels(rules);
    let launches: Vec<CaseLaunch> = (kernels.keys().copied().chain([NOBODY]))
        .map(|kernel| CaseLaunch { kernel: kernel.to_owned(), ..CaseLaunch::default() })
        .collect();
    let timeline = timeline_of(&launches, rules, &[]);
    let classes = classify(rules, &timeline);
    let mut predicates = Predicates::new(rules);
    let mut ids: BTreeSet<PredicateId> = asked(rules, &mut predicates);
    let answers = predicates.answer(&timeline, &rules.names, Some(&classes));
    ids.retain(|id| answers.plain(*id, LaunchId(kernels.len() as u32)) != Tri::Yes);
    let known = |launch| is_named(&classes, launch) || ids.iter().any(|id| answers.plain(*id, launch) == Tri::Yes);
    let mut found = Vec::new();
    for (n, (kernel, places)) in kernels.iter().enumerate() {
        if known(LaunchId(n as u32)) {
            continue;
        }
        for (family, case, launch) in places {
            found.extend(unknown(rules, kernel, family, *case, *launch));
        }
    }
    found.extend(unsourced(rules, &kernels, false));
    crate::diagnostic::sort(&mut found);
    found
}

/// Families that count a kernel in one of their forms, or test with one whose name holds the text; by index.
pub fn knowing(rules: &RuleSet, kernel: &str) -> BTreeSet<usize> {
    let launch = CaseLaunch { kernel: kernel.to_owned(), ..CaseLaunch::default() };
    let timeline = timeline_of(&[launch], rules, &[]);
    let classes = classify(rules, &timeline);
    let mut predicates = Predicates::new(rules);
    let asked: Vec<BTreeSet<PredicateId>> = (rules.families.iter())
        .map(|family| {
            let mut ids = BTreeSet::new();
            for chain in [&family.fused, &family.split].into_iter().flatten() {
                links(chain, false, &mut predicates, &mut ids);
            }
            sides(family, &mut predicates, &mut ids);
            ids
        })
        .collect();
    let answers = predicates.answer(&timeline, &rules.names, Some(&classes));
    let part = kernel.to_lowercase();
    let tested = |n: usize| {
        let mut kernels = rules.families[n].tests.iter().flat_map(|case| &case.chain);
        kernels.any(|launch| launch.kernel.to_lowercase().contains(&part))
    };
    let matched = |ids: &BTreeSet<PredicateId>| ids.iter().any(|id| answers.link(*id, LaunchId(0)) == Tri::Yes);
    (0..rules.families.len()).filter(|n| matched(&asked[*n]) || tested(*n)).collect()
}

/// Terms that say yes to a launch, in order of name.
pub fn terms_of(rules: &RuleSet, timeline: &Timeline, classes: &Classes, launch: LaunchId) -> Vec<String> {
    let mut predicates = Predicates::new(rules);
    let ids: Vec<PredicateId> = rules.terms.iter().map(|term| predicates.add(&term.expr)).collect();
    let answers = predicates.answer(timeline, &rules.names, Some(classes));
    let mut out: Vec<String> = (rules.terms.iter().zip(ids))
        .filter(|(_, id)| answers.plain(*id, launch) == Tri::Yes)
        .map(|(term, _)| term.name.clone())
        .collect();
    out.sort();
    out
}

/// Whether `~>` sees through a launch.
pub fn is_transparent(rules: &RuleSet, timeline: &Timeline, classes: &Classes, launch: LaunchId) -> bool {
    let mut predicates = Predicates::new(rules);
    let ids: Vec<PredicateId> = rules.transparent.iter().map(|role| predicates.add(&role.expr)).collect();
    let answers = predicates.answer(timeline, &rules.names, Some(classes));
    ids.iter().any(|id| answers.link(*id, launch) == Tri::Yes)
}

fn is_named(classes: &Classes, launch: LaunchId) -> bool {
    classes.name_of(launch) != OTHER
}

fn kernels(rules: &RuleSet) -> Kernels<'_> {
    let mut out: Kernels = BTreeMap::new();
    for family in &rules.families {
        for (n, case) in family.tests.iter().enumerate() {
            for (m, launch) in case.chain.iter().enumerate() {
                let places = out.entry(&launch.kernel).or_default();
                if places.last().is_none_or(|(last, ..)| *last != family.id) {
                    places.push((&family.id, n, m));
                }
            }
        }
    }
    out
}

/// Terms, roles and the links of all families.
fn asked(rules: &RuleSet, predicates: &mut Predicates) -> BTreeSet<PredicateId> {
    let mut ids: BTreeSet<PredicateId> = BTreeSet::new();
    ids.extend(rules.terms.iter().map(|term| predicates.add(&term.expr)));
    ids.extend(rules.transparent.iter().map(|role| predicates.add(&role.expr)));
    for family in &rules.families {
        for chain in [&family.fused, &family.split, &family.after, &family.before].into_iter().flatten() {
            links(chain, true, predicates, &mut ids);
        }
        sides(family, predicates, &mut ids);
    }
    ids
}

/// Both sides of an overlap.
fn sides(family: &Family, predicates: &mut Predicates, ids: &mut BTreeSet<PredicateId>) {
    let sides = family.overlap.iter().flat_map(|clause| [&clause.exposed, &clause.beside]);
    ids.extend(sides.map(|side| predicates.add(side)));
}

fn links(chain: &Chain, context: bool, predicates: &mut Predicates, ids: &mut BTreeSet<PredicateId>) {
    match &chain.node {
        ChainNode::Any => {}
        ChainNode::Link(expr) => drop(ids.insert(predicates.add(expr))),
        ChainNode::Seq(head, rest) => {
            links(head, context, predicates, ids);
            for (_, part) in rest {
                links(part, context, predicates, ids);
            }
        }
        ChainNode::Alt(parts) | ChainNode::Both(parts) => {
            for part in parts {
                links(part, context, predicates, ids);
            }
        }
        ChainNode::Context(_) if !context => {}
        ChainNode::Repeat { inner, .. } | ChainNode::Context(inner) => links(inner, context, predicates, ids),
    }
}

/// Kernels of tests that nobody is known to have. A family on trial is there to be proved, so nothing is said of it unless
/// `trial_too`.
fn unsourced(rules: &RuleSet, kernels: &Kernels<'_>, trial_too: bool) -> Vec<Diagnostic> {
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for claim in rules.claims.iter().filter(|claim| claim.kind == ClaimKind::Kernel) {
        known.extend(claim.texts.iter().map(String::as_str));
    }
    let is_known = |kernel: &str, on_trial: bool| {
        let identifier = KernelName::parse(kernel, &rules.names).identifier;
        let name = identifier.rsplit("::").next().unwrap_or(&identifier);
        known.contains(name)
            || rules.kernels.libraries.iter().any(|names| glob(names, &identifier))
            || (on_trial && rules.kernels.unconfirmed.contains(name))
    };
    let warning = |file: &Arc<SourceFile>, span: &Range<usize>, help: &str| {
        Diagnostic::new(Code::UnsourcedKernel, "nobody is known to have a kernel of this name")
            .at(file, span.clone(), "")
            .help(help)
    };
    let mut found = Vec::new();
    for case in rules.term_cases.iter().filter(|case| case.hit && !is_known(&case.launch.kernel, false)) {
        let Some((file, span)) = &case.place else { continue };
        found.push(warning(file, span, "name its package or library in rules/kernels.yaml"));
    }
    for (kernel, places) in kernels {
        for (id, case, launch) in places {
            let on_trial = rules.families.iter().any(|family| family.id == *id && family.status == Status::Trial);
            let Some((file, span)) = place(rules, id, *case, *launch) else { continue };
            if (trial_too || !on_trial) && !is_known(kernel, on_trial) {
                found.push(warning(
                    file,
                    &span,
                    "name its package under `kernels:` of the family, or in rules/kernels.yaml",
                ));
            }
        }
    }
    found
}

/// Where a launch of a family's test stands.
fn place<'r>(
    rules: &'r RuleSet,
    family: &str,
    case: usize,
    launch: usize,
) -> Option<(&'r Arc<SourceFile>, Range<usize>)> {
    let places = rules.case_places.get(family)?;
    Some((places.file.as_ref()?, places.launches.get(case)?.get(launch)?.clone()))
}

fn unknown(rules: &RuleSet, kernel: &str, family: &str, case: usize, launch: usize) -> Option<Diagnostic> {
    let (file, span) = place(rules, family, case, launch)?;
    let words = KernelName::parse(kernel, &rules.names).words.join(" ");
    Some(
        Diagnostic::new(Code::UnknownTestKernel, "no term, category or family knows this kernel")
            .at(file, span, format!("its words: {words}"))
            .help("check the spelling against a trace; if it is right, a term of rules/terms.yaml should know it"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Sources, load};

    #[test]
    fn every_kernel_that_this_catalog_tests_with_has_an_owner_or_a_reason() {
        let rules = load(&Sources::embedded()).expect("the rules of this repository");
        let found = unsourced(&rules, &kernels(&rules), true);
        assert!(found.is_empty(), "{}", crate::diagnostic::render(&found, false));
    }
}
