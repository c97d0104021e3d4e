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

/// The categories of a rule set, compiled.
pub(super) struct Classifier {
    predicates: Predicates,
    ids: Vec<PredicateId>,
    /// Of each predicate: its category, an index into `names`.
    kind_of: Vec<u16>,
    names: Vec<String>,
    compute: Vec<bool>,
}

impl Classifier {
    pub(super) fn new(rules: &RuleSet) -> Self {
        let mut predicates = Predicates::new(rules);
        let ids: Vec<_> = rules.categories.iter().map(|c| predicates.add(&c.expr)).collect();
        let (mut names, mut compute): (Vec<String>, Vec<bool>) = (Vec::new(), Vec::new());
        let mut kind_of = Vec::with_capacity(ids.len());
        for category in &rules.categories {
            let known = names.iter().position(|name| *name == category.name);
            kind_of.push(known.unwrap_or_else(|| {
                names.push(category.name.clone());
                compute.push(category.compute);
                names.len() - 1
            }) as u16);
        }
        names.push(OTHER.to_owned());
        compute.push(true);
        Self { predicates, ids, kind_of, names, compute }
    }

    /// The category of every launch. An unknown counts as no, unless nothing says yes.
    pub(super) fn classify(&self, rules: &RuleSet, timeline: &Timeline) -> Classes {
        let answers = self.predicates.answer(timeline, &rules.names, None);
        let other = self.names.len() as u16 - 1;
        let mut classes = Classes {
            names: self.names.clone(),
            compute: self.compute.clone(),
            of_launch: Vec::with_capacity(timeline.launches.len()),
            unsure: Vec::with_capacity(timeline.launches.len()),
        };
        let by_class: Vec<(u16, bool)> = (0..answers.classes() as u32)
            .map(|class| {
                let launch = answers.first(class);
                let first = |wanted| self.ids.iter().position(|id| answers.link(*id, launch) == wanted);
                match (first(Tri::Yes), first(Tri::Unknown)) {
                    (Some(n), _) => (self.kind_of[n], false),
                    (None, Some(n)) => (self.kind_of[n], true),
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
}

/// The category of every launch.
pub fn classify(rules: &RuleSet, timeline: &Timeline) -> Classes {
    Classifier::new(rules).classify(rules, timeline)
}
