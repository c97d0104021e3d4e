//! The category of each launch: the first predicate of `rules/categories.yaml` that says yes.

use super::Tri;
use super::predicate::{PredicateId, Predicates};
use crate::attribution::{LaunchId, Timeline};
use crate::rules::RuleSet;

/// What no category says yes to.
pub const OTHER: &str = "other";

/// Categories of a timeline's launches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Classes {
    /// Names in order of first appearance, [`OTHER`] last.
    pub names: Vec<String>,
    /// Whether the category counts as compute, by the same index.
    pub compute: Vec<bool>,
    /// Index into `names` by [`LaunchId`].
    pub of_launch: Vec<u16>,
    /// True where only an unknown left the category standing.
    pub(super) unsure: Vec<bool>,
}

impl Classes {
    /// The category's name.
    pub fn name_of(&self, launch: LaunchId) -> &str {
        &self.names[self.of_launch[launch.0 as usize] as usize]
    }

    /// False where the category rests on something that the trace cannot tell.
    pub fn is_sure(&self, launch: LaunchId) -> bool {
        !self.unsure[launch.0 as usize]
    }

    /// Whether the launch counts as compute.
    pub fn is_compute(&self, launch: LaunchId) -> bool {
        self.compute[self.of_launch[launch.0 as usize] as usize]
    }
}

/// The categories, ready to be asked.
pub(super) struct Categories {
    predicates: Predicates,
    ids: Vec<PredicateId>,
}

impl Categories {
    pub(super) fn new(rules: &RuleSet) -> Self {
        let mut predicates = Predicates::new(rules);
        let ids = rules.categories.iter().map(|c| predicates.add(&c.expr)).collect();
        Self { predicates, ids }
    }
}

/// The category of every launch. An unknown counts as no, unless nothing says yes.
pub fn classify(rules: &RuleSet, timeline: &Timeline) -> Classes {
    classify_by(&Categories::new(rules), rules, timeline)
}

/// The same with the categories of `rules` compiled before.
pub(super) fn classify_by(categories: &Categories, rules: &RuleSet, timeline: &Timeline) -> Classes {
    let Categories { predicates, ids } = categories;
    let answers = predicates.answer(timeline, &rules.names, None);
    let mut kinds: Vec<(&str, bool)> = Vec::new();
    let kind_of: Vec<u16> = rules
        .categories
        .iter()
        .map(|c| {
            let known = kinds.iter().position(|(name, _)| *name == c.name);
            known.unwrap_or_else(|| {
                kinds.push((&c.name, c.compute));
                kinds.len() - 1
            }) as u16
        })
        .collect();
    let other = kinds.len() as u16;
    kinds.push((OTHER, true));
    let mut classes = Classes {
        names: kinds.iter().map(|(name, _)| (*name).to_owned()).collect(),
        compute: kinds.iter().map(|(_, compute)| *compute).collect(),
        of_launch: Vec::with_capacity(timeline.launches.len()),
        unsure: Vec::with_capacity(timeline.launches.len()),
    };
    let by_class: Vec<(u16, bool)> = (0..answers.classes() as u32)
        .map(|class| {
            let launch = answers.first(class);
            let first = |wanted| ids.iter().position(|id| answers.link(*id, launch) == wanted);
            match (first(Tri::Yes), first(Tri::Unknown)) {
                (Some(n), _) => (kind_of[n], false),
                (None, Some(n)) => (kind_of[n], true),
                (None, None) => (other, false),
            }
        })
        .collect();
    for launch in timeline.launch_ids() {
        let (class, unsure) = by_class[answers.class(launch) as usize];
        classes.of_launch.push(class);
        classes.unsure.push(unsure);
    }
    classes
}
