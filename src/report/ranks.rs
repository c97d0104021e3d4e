//! Several ranks beside each other: sums of each rank as soon as it is read ([`Facts`]), the rank section from all.

mod build;
mod collectives;
mod model;
pub(super) mod words;

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::Analysis;
use super::kernels::Tally;
use crate::attribution::Stage;
use crate::engine::collective::{self, Series};
use crate::engine::{Confidence, State};
use crate::rules::RuleSet;

pub(super) use build::build;
pub use model::*;

/// Which rank it is. Several workers may have one number; the words after it tell them apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Worker {
    /// Its number; none when nothing tells it.
    pub rank: Option<i64>,
    /// Its other coordinates, in the order of `rules/inputs.yaml`.
    pub others: Vec<i64>,
    /// Number and coordinates as people read them.
    pub label: String,
}

/// What is kept of a rank once its trace is let go.
#[derive(Clone, Debug)]
pub struct Facts {
    worker: Worker,
    device: Option<String>,
    world_size: Option<i64>,
    tp: Option<i64>,
    stages: BTreeMap<Stage, StageFacts>,
    collectives: Series,
    /// Confirmed states by stage and index of the family.
    states: BTreeMap<(Stage, usize), State>,
}

/// Sums of one stage.
#[derive(Clone, Debug, Default)]
struct StageFacts {
    steps: u64,
    /// By kernel, as the trace has it, then category: one kernel may have two, by where it is launched.
    kernels: BTreeMap<String, BTreeMap<String, Tally>>,
}

impl Facts {
    /// Those of one trace of a rank.
    pub fn of(worker: Worker, analysis: &Analysis, rules: &RuleSet) -> Self {
        let timeline = analysis.timeline;
        let run = &timeline.run;
        let mut facts = Self {
            worker,
            device: timeline.devices.iter().find(|device| device.taken).map(|device| device.device.clone()),
            world_size: run.world_size.as_ref().map(|known| known.value),
            tp: run.tp.as_ref().map(|known| known.value),
            stages: BTreeMap::new(),
            collectives: collective::series(timeline, analysis.classes, rules),
            states: (analysis.findings.iter())
                .filter(|finding| finding.confidence == Confidence::Confirmed)
                .map(|finding| ((finding.stage, finding.family), finding.state))
                .collect(),
        };
        let mut sums: FxHashMap<_, Tally> = FxHashMap::default();
        for id in timeline.launch_ids() {
            let launch = timeline.launch(id);
            let key = (launch.stage, launch.kernel, analysis.classes.of_launch[id.0 as usize]);
            sums.entry(key).or_default().add(Tally { time: launch.dur, launches: 1 });
        }
        // Sorted, so that hash order reaches nothing.
        let mut sums: Vec<_> = sums.into_iter().collect();
        sums.sort_unstable_by_key(|(key, _)| *key);
        for ((stage, kernel, class), tally) in sums {
            let name = timeline.strings.get(timeline.kernels[kernel.0 as usize].raw);
            let kernels = &mut facts.stages.entry(stage).or_default().kernels;
            let category = analysis.classes.names[usize::from(class)].clone();
            kernels.entry(name.to_owned()).or_default().entry(category).or_default().add(tally);
        }
        for step in &timeline.steps {
            facts.stages.entry(step.stage).or_default().steps += 1;
        }
        facts
    }

    /// Which rank they are of.
    pub fn worker(&self) -> &Worker {
        &self.worker
    }

    /// Adds those of another trace of the same rank.
    pub fn join(&mut self, other: Self) {
        self.device = self.device.take().or(other.device);
        self.world_size = self.world_size.or(other.world_size);
        self.tp = self.tp.or(other.tp);
        for (stage, more) in other.stages {
            let facts = self.stages.entry(stage).or_default();
            facts.steps += more.steps;
            for (kernel, categories) in more.kernels {
                let own = facts.kernels.entry(kernel).or_default();
                for (category, tally) in categories {
                    own.entry(category).or_default().add(tally);
                }
            }
        }
        for (key, mut spans) in other.collectives {
            let own = self.collectives.entry(key).or_default();
            own.append(&mut spans);
            own.sort_by_key(|span| span.start);
        }
        self.states.extend(other.states);
    }
}
