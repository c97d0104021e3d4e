//! [`Trace`](crate::trace::Trace) in, [`Timeline`] out: each GPU event with its launch, CPU ops, Python frames,
//! module, step and stage. Times in nanoseconds.

mod build;
mod by_rank;
mod host;
mod launch;
mod mapping;
mod model;
mod nest;
mod pattern;
mod place;
mod replay;
mod rows;
mod run;
mod settings;
mod site;
mod stage;

#[cfg(test)]
mod tests;

pub use build::attribute;
pub use by_rank::by_rank;
pub use launch::NO_SUCH_DEVICE;
pub use mapping::take_places;
pub use model::*;
pub use pattern::{Found, Pattern};
pub use replay::capture_windows;
pub use settings::{
    Calls, FactKeys, Framework, Given, Hardware, Root, RootSays, Settings, Sites, StepCase, StepFormat, StepStage,
};
pub use site::{frame_path, public_path};
pub use stage::{StepSays, read as read_step};
