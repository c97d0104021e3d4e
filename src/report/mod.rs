//! Timelines and findings in, [`Report`] out, and the report as text, markdown or JSON.

mod model;

pub use model::*;
