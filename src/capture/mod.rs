//! A running server in, traces of its stages out: the servers' profiler protocols over HTTP.
//!
//! What the servers say, want and answer is data ([`crate::rules::schema::servers`]); here are HTTP, templates of
//! requests, and a state machine with a way out of every state.

mod armed;
mod capabilities;
mod flush;
mod http;
mod launch;
mod load;
mod machine;
mod place;
mod plan;
pub mod probe;
mod problem;
mod record;
mod run;
mod server;
mod stacks;
mod stage;
mod template;
mod verify;
mod work;

#[cfg(test)]
mod tests;

pub use armed::{line, stop_for_good};
pub use capabilities::table;
pub use http::quoted;
pub use launch::{Launch, Launched, end_launched, kill_launched};
pub use machine::End;
pub use plan::{Lengths, Plan, Timeouts, Workload};
pub use problem::{Kind, Problem, fill};
pub use record::{CAPTURE, is_secret};
pub use run::{Done, Said, StageDone, run};
pub use stacks::{Patched, stacks_on};
