//! What a report is made of.

use crate::attribution::{Stage, Timeline};
use crate::engine::similarity::Similarity;
use crate::engine::{Classes, Exposure, Finding, GivenUp, Judgement, Overlap};

use super::ranks::Facts;
use super::{CaptureInfo, TraceInfo};

/// One trace, attributed, classified and searched.
#[derive(Clone, Copy, Debug)]
pub struct Analysis<'a> {
    /// Its launches.
    pub timeline: &'a Timeline,
    /// The category of each launch.
    pub classes: &'a Classes,
    /// What the engine found.
    pub findings: &'a [Finding],
    /// How long each launch ran alone.
    pub exposure: &'a Exposure,
    /// What could be hidden, and what is.
    pub overlaps: &'a [Overlap],
    /// Forms of families that were not searched for to the end.
    pub given_up: &'a [GivenUp],
    /// What launches without a row are similar to.
    pub similarity: &'a Similarity,
}

impl<'a> Analysis<'a> {
    /// Of a timeline with what an engine made of it.
    pub fn new(timeline: &'a Timeline, classes: &'a Classes, judgement: &'a Judgement) -> Self {
        let Judgement { exposure, findings, overlaps, given_up, similarity } = judgement;
        Self { timeline, classes, findings, exposure, overlaps, given_up, similarity }
    }
}

/// At most so many rows a stage in each table; none: all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Of the kernel table.
    pub kernels: Option<usize>,
    /// Of the overlap table.
    pub overlap: Option<usize>,
    /// Of the fuse table.
    pub fuse: Option<usize>,
}

/// What the user asked for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Every file looked at.
    pub traces: Vec<TraceInfo>,
    /// Share under which rows are hidden; none: the bar of the rules.
    pub min_share: Option<f64>,
    /// How long the tables may be.
    pub limits: Limits,
    /// This stage only.
    pub stage: Option<Stage>,
    /// Whether places come from a mapping trace.
    pub pair: bool,
    /// All ranks that were read, in order; none when one was asked for.
    pub ranks: Vec<Facts>,
    /// Whether a typical stretch of each stage is shown.
    pub timeline: bool,
    /// Whether a typical step of each stage is kept.
    pub typical_steps: bool,
    /// What was asked of the capture of these traces.
    pub capture: Option<CaptureInfo>,
}
