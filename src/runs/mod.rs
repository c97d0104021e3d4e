//! What is made of several finished reports: runs in, a comparison, gates or a bundle out. Nothing is measured here; each
//! figure is one of a report, or a difference of two.

pub mod bundle;
pub mod compare;
pub mod gates;
mod run;

pub use run::{CaptureValue, Run};
