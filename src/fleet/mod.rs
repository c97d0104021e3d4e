//! Many reports in, flat tables and what a whole fleet has in common out. Nothing is measured here; each figure is one of
//! a report, or made of such figures.

mod model;
mod origin;
pub mod summary;
mod tables;

pub use model::*;
pub use origin::{Origin, Origins};
pub use tables::rows;

#[cfg(test)]
mod tests;
