//! Timelines and findings in, [`Report`] out, and the report as text, markdown, JSON, HTML or CSV.

mod analysis;
mod build;
pub(crate) mod cells;
pub mod csv;
pub mod doctor;
mod evidence;
mod fitness;
mod fuse;
mod gaps;
pub mod html;
pub mod json;
mod kernels;
pub(crate) mod layout;
pub mod losses;
pub mod markdown;
mod model;
mod overlap;
pub(crate) mod page;
pub mod ranks;
mod similarity;
mod steps;
mod summary;
pub mod text;
mod timeline;

pub use analysis::{Analysis, Limits, Options};
pub use build::build;
pub use model::*;
pub use timeline::{Beside, StepFinding, StepKernel, StepLaunch, StepTimeline, TimelineInfo, TimelineLaunch};

/// Name and version of the JSON contract of a report.
pub const SCHEMA: &str = "llm-prof.triage/1";

#[cfg(test)]
mod tests;
