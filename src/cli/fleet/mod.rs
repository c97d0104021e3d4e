//! `llm-prof fleet`: many traces into a folder, and what is made of it.

mod report;
mod store;
mod tables;
mod take;

use super::args::{Fleet, FleetCommand};
use super::failure::Failure;
use super::streams::Streams;

/// Does what was asked.
pub(super) fn run(args: &Fleet, streams: &mut Streams) -> Result<(), Failure> {
    match &args.command {
        None => take::run(args, streams),
        Some(FleetCommand::Report(args)) => report::run(args, streams),
        Some(FleetCommand::Tables(args)) => tables::run(args, streams),
    }
}
