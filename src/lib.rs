//! llm-prof reads what `torch.profiler` writes from LLM servers and says where the GPU time goes,
//! which fused or overlapped path should apply, why it does not, and how sure that is.
//!
//! The pipeline, one folder a stage, arrows in one direction:
//! `trace -> attribution -> graph -> rules -> engine -> report -> runs`; `cut` copies a part of a trace; `cli` drives
//! them.
//! `units`, `diagnostic` and `kernel_name` are used by all and use none.

pub mod attribution;
pub mod cli;
pub mod cut;
pub mod diagnostic;
pub mod engine;
pub mod graph;
pub mod kernel_name;
pub mod report;
pub mod rules;
pub mod runs;
pub mod trace;
pub mod units;
