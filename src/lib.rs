//! llm-prof reads what `torch.profiler` writes from LLM servers and says where the GPU time goes,
//! which fused or overlapped path should apply, why it does not, and how sure that is.
//!
//! The pipeline, one module a stage, arrows in one direction:
//! `trace -> attribution -> graph -> rules -> engine -> report -> runs`. `cut` copies a part of a trace, `capture` gets
//! traces from running servers, `cli` drives it all.
//! `units`, `plain`, `diagnostic` and `kernel_name` are used by all and use none of these.
//!
//! | step | call | makes |
//! |---|---|---|
//! | rules | [`rules::load`] | a [`RuleSet`](rules::RuleSet), or every mistake in the files |
//! | read | [`trace::read`] | a [`Trace`](trace::Trace): columns of events, times in nanoseconds |
//! | attribute | [`attribution::attribute`] | a [`Timeline`](attribution::Timeline): each GPU event with its place, stage and step |
//! | graph | [`graph::build`] | a [`KernelGraph`](graph::KernelGraph): which launch comes after which |
//! | run | [`Engine::classify`](engine::Engine::classify), [`Engine::judge`](engine::Engine::judge) | categories, and a [`Judgement`](engine::Judgement): findings, overlap, what they are near |
//! | report | [`report::build`] | a [`Report`](report::Report), which is what JSON has, field for field |
//!
//! None of them prints, and none but the first two opens a file:
//!
//! ```
//! use std::path::Path;
//!
//! use llm_prof::attribution::{self, Given};
//! use llm_prof::engine::Engine;
//! use llm_prof::report::{self, Analysis, Options, text};
//! use llm_prof::rules::{self, Sources};
//! use llm_prof::{graph, trace};
//!
//! // The rules in the binary; `Sources::dirs` takes folders. An engine serves any number of traces.
//! let rules = rules::load(&Sources::embedded()).map_err(|mistakes| format!("{mistakes:?}"))?;
//! let engine = Engine::new(&rules);
//!
//! let trace = trace::read(Path::new("tests/fixtures/sglang-amd-prefill.trace.json.gz"), &rules.trace)?;
//! // `Given` is what the user knows of the run, such as its TP size; siblings with graph captures come before it.
//! let timeline = attribution::attribute(trace, &[], &rules.attribution, &rules.names, &Given::default());
//! let graph = graph::build(&timeline);
//! let classes = engine.classify(&rules, &timeline);
//! let judgement = engine.judge(&rules, &timeline, &graph, &classes);
//!
//! let analysis = Analysis::new(&timeline, &classes, &judgement);
//! let report = report::build(&[analysis], &rules, &Options::default());
//! assert_eq!(report.framework.as_deref(), Some("sglang"));
//! let split = report.fuse.iter().find(|row| row.state == "split").ok_or("a chain that could be fused")?;
//! println!("{}: {} us in {} occurrences", split.title, split.time_us, split.occurrences);
//! println!("{}", text::render(&report, text::Style::default()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`report::json`], [`report::markdown`], [`report::html`] and [`report::csv`] write the same report;
//! [`report::json::read`] reads one back.

pub mod attribution;
pub mod capture;
pub mod cli;
pub mod cut;
pub mod diagnostic;
pub mod engine;
pub mod graph;
pub mod kernel_name;
pub mod plain;
pub mod report;
pub mod rules;
pub mod runs;
pub mod trace;
pub mod units;
