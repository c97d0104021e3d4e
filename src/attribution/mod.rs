//! [`Trace`](crate::trace::Trace) in, [`Timeline`] out: each GPU event with its launch, CPU ops, Python frames,
//! module, step and stage. Times in nanoseconds.

mod model;

pub use model::*;
