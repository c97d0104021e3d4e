//! The files of `rules/` as serde sees them.

mod fitness;
mod report;

pub use fitness::{FitnessCheck, FitnessFile, FitnessRule};
pub use report::{ReportFile, SummarySettings};
