//! llm-prof reads what `torch.profiler` writes from LLM servers and says where the GPU time goes,
//! which fused or overlapped path should apply, why it does not, and how sure that is.
//!
//! The pipeline, one folder a stage, arrows in one direction:
//! `trace -> attribution -> graph -> rules -> engine -> report`; `capture` gets traces from running servers; `cli` drives
//! it all.
//! `units`, `diagnostic` and `kernel_name` are used by all and use none.

pub mod attribution;
pub mod capture;
pub mod cli;
pub mod diagnostic;
pub mod engine;
pub mod graph;
pub mod kernel_name;
pub mod report;
pub mod rules;
pub mod trace;
pub mod units;
