//! All rules compiled: once, for any number of timelines.

use std::thread;

use super::classify::Classifier;
use super::look::Compiled;
use super::overlap::{Ground, Matcher, families, overlaps_by};
use super::run::{GivenUp, search_by};
use super::similarity::{Similarity, similar};
use super::{Classes, Exposure, Finding, Overlap, exposure};
use crate::attribution::Timeline;
use crate::graph::KernelGraph;
use crate::rules::RuleSet;

/// The categories and families of a rule set, ready to be asked. Where it is asked, the rules must be the same.
pub struct Engine {
    categories: Classifier,
    fuse: Compiled,
    overlap: Matcher,
}

/// What the rules make of a timeline.
#[derive(Debug)]
pub struct Judgement {
    /// How long each launch ran alone.
    pub exposure: Exposure,
    /// Fuse findings, most time first.
    pub findings: Vec<Finding>,
    /// Rows of the overlap table, as [`super::overlaps`] gives them.
    pub overlaps: Vec<Overlap>,
    /// Forms that were not searched for to the end: their chains cost more than they may.
    pub given_up: Vec<GivenUp>,
    /// What no row explains, compared with the families.
    pub similarity: Similarity,
}

impl Engine {
    /// Compiles `rules`.
    pub fn new(rules: &RuleSet) -> Self {
        Self { categories: Classifier::new(rules), fuse: Compiled::new(rules), overlap: families(rules) }
    }

    /// As [`super::classify`].
    pub fn classify(&self, rules: &RuleSet, timeline: &Timeline) -> Classes {
        self.categories.classify(rules, timeline)
    }

    /// Chains and what is near them on this thread, overlap on another one.
    pub fn judge(&self, rules: &RuleSet, timeline: &Timeline, graph: &KernelGraph, classes: &Classes) -> Judgement {
        thread::scope(|scope| {
            let beside = scope.spawn(|| {
                let exposure = exposure(timeline, classes, rules.overlap.same_stream_min());
                let overlaps = overlaps_by(&self.overlap, &Ground::new(rules, timeline, graph, classes, &exposure));
                (exposure, overlaps)
            });
            let search = search_by(&self.fuse, rules, timeline, graph, classes);
            let similarity = similar(rules, timeline, graph, classes, &search);
            let (exposure, overlaps) = beside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            let mut given_up = search.given_up;
            let near = similarity.given_up.iter().map(|family| GivenUp { family: *family, form: "similar" });
            given_up.extend(near);
            Judgement { exposure, findings: search.findings, overlaps, given_up, similarity }
        })
    }
}
