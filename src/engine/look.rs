//! Chains and their links, compiled, and the launches of a timeline as the automaton sees them.

use std::collections::BTreeSet;

use super::automaton::Alphabet;
use super::chain::{Pattern, Program};
use super::predicate::{Answers, PredicateId, Predicates};
use super::{Classes, Tri};
use crate::attribution::{LaunchId, Timeline};
use crate::rules::ast::{Chain, Expr};
use crate::rules::{Family, FamilyKind, RuleSet, Status, Term};

/// What the chains of all fuse families match, and how they looked at the launches.
pub(super) struct Compiled {
    pub(super) program: Program,
    predicates: Predicates,
    /// Of each link of the program.
    links: Vec<PredicateId>,
    roles: Vec<PredicateId>,
    /// Asked beside the chains.
    beside: Vec<PredicateId>,
}

impl Compiled {
    /// The chains of all fuse families: pattern 2n is the fused form of family n, pattern 2n + 1 its split form. What
    /// [`search_by`](super::run::search_by) asks stands beside them.
    pub(super) fn new(rules: &RuleSet) -> Self {
        let patterns: Vec<Option<Pattern<'_>>> = rules.families.iter().flat_map(patterns).collect();
        Self::with(Predicates::new(rules), rules, &patterns, &[], &[super::run::unknown(rules)])
    }

    /// `predicates` are those of the rule set, with none compiled yet.
    pub(super) fn of(predicates: Predicates, rules: &RuleSet, patterns: &[Option<Pattern<'_>>]) -> Self {
        Self::with(predicates, rules, patterns, &[], &[])
    }

    /// The same with more terms than the rules have, and with predicates that are asked beside the chains.
    pub(super) fn with(
        mut predicates: Predicates,
        rules: &RuleSet,
        patterns: &[Option<Pattern<'_>>],
        terms: &[Term],
        beside: &[Expr],
    ) -> Self {
        // A chain that cannot be run is an error of the rules, reported where they are loaded; here it finds nothing.
        let (compiled, _) = Program::new(patterns);
        for term in terms {
            predicates.define(term);
        }
        let links = compiled.links.iter().map(|link| predicates.add(link)).collect();
        let through = rules.transparent.iter().map(|role| predicates.add(&role.expr)).collect();
        let beside = beside.iter().map(|expr| predicates.add(expr)).collect();
        Self { program: compiled, predicates, links, roles: through, beside }
    }

    /// Whether any link asks for a category; if none does, [`Self::look`] needs no classes.
    pub(super) fn ask_category(&self) -> bool {
        self.predicates.ask_category()
    }

    pub(super) fn look<'a>(&'a self, rules: &RuleSet, timeline: &'a Timeline, classes: &'a Classes) -> Look<'a> {
        let answers = self.predicates.answer(timeline, &rules.names, Some(classes));
        let transparent = (0..answers.classes() as u32)
            .map(|class| {
                let launch = answers.first(class);
                self.roles.iter().map(|role| answers.link(*role, launch)).max().unwrap_or(Tri::No)
            })
            .collect();
        Look { compiled: self, answers, transparent }
    }
}

/// The forms of a family as patterns: fused, split.
pub(super) fn patterns(family: &Family) -> [Option<Pattern<'_>>; 2] {
    let pattern = |chain: &'_ Option<Chain>| -> bool { chain.is_some() && family.kind == FamilyKind::Fuse };
    let of = |chain| Pattern { chain, after: family.after.as_ref(), before: family.before.as_ref() };
    [
        family.fused.as_ref().filter(|_| pattern(&family.fused)).map(of),
        // The split form of a path that is gone is its successor's to report.
        family.split.as_ref().filter(|_| pattern(&family.split) && family.status != Status::Retired).map(of),
    ]
}

/// The launches of one timeline as the automaton sees them.
pub(super) struct Look<'a> {
    pub(super) compiled: &'a Compiled,
    answers: Answers<'a>,
    transparent: Vec<Tri>,
}

impl Alphabet for Look<'_> {
    fn class(&self, launch: LaunchId) -> u32 {
        self.answers.class(launch)
    }

    fn classes(&self) -> usize {
        self.answers.classes()
    }

    fn link(&self, class: u32, link: u32) -> Tri {
        self.answers.link(self.compiled.links[link as usize], self.answers.first(class))
    }

    fn transparent(&self, class: u32) -> Tri {
        self.transparent[class as usize]
    }
}

impl Look<'_> {
    /// What a predicate beside the chains says.
    pub(super) fn beside(&self, index: usize, launch: LaunchId) -> Tri {
        self.answers.plain(self.compiled.beside[index], launch)
    }

    /// What the trace cannot tell of `launch` that one of the links of a rule, or a transparent role, asks.
    pub(super) fn doubts(&self, launch: LaunchId, links: &[u32], through: bool) -> BTreeSet<String> {
        let asked = links.iter().map(|link| self.compiled.links[*link as usize]);
        let roles = self.compiled.roles.iter().copied().filter(|_| through);
        asked
            .chain(roles)
            .filter(|id| self.answers.link(*id, launch) == Tri::Unknown)
            .flat_map(|id| self.answers.unknowns(id, launch))
            .collect()
    }

    /// What the trace cannot tell of `launch` so that a link is not taken to match.
    pub(super) fn open(&self, launch: LaunchId, link: u32) -> Vec<String> {
        self.answers.unknowns(self.compiled.links[link as usize], launch)
    }
}
