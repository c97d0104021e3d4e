//! Chains over real traces: set `LLM_PROF_REAL_TRACES` to a folder that has them. Without it these tests pass and say
//! that they looked at nothing. States, occurrences and times were read from the traces by hand.

#![allow(clippy::print_stdout, reason = "a test that looked at nothing says so")]

use std::path::PathBuf;

use llm_prof::attribution::{self, Given, Timeline};
use llm_prof::engine::{self, Finding, State};
use llm_prof::rules::{self, RuleSet, Sources};
use llm_prof::trace::{self, Trace};
use llm_prof::{graph, units::Nanos};

fn rules() -> RuleSet {
    rules::load(&Sources::embedded()).unwrap_or_else(|problems| {
        let texts: Vec<String> = problems
            .iter()
            .map(|problem| {
                let place = problem.labels.first().map_or("", |label| &label.file.path);
                format!("{place}: {}", problem.title)
            })
            .collect();
        panic!("{}", texts.join("\n"))
    })
}

fn read(rules: &RuleSet, name: &str) -> Option<Trace> {
    let folder = PathBuf::from(std::env::var_os("LLM_PROF_REAL_TRACES").unwrap_or_default());
    let path = folder.join(format!("{name}.trace.json.gz"));
    if !path.exists() {
        println!("no {name} in LLM_PROF_REAL_TRACES: nothing looked at");
        return None;
    }
    Some(trace::read(&path, &rules.trace).expect("a readable trace"))
}

/// The findings of a trace, most time first; none when the trace is not there.
fn findings(rules: &RuleSet, name: &str, captures: &[&str]) -> Option<(Timeline, Vec<Finding>)> {
    let trace = read(rules, name)?;
    let captures: Vec<Trace> = captures.iter().filter_map(|capture| read(rules, capture)).collect();
    let timeline = attribution::attribute(trace, &captures, &rules.attribution, &rules.names, &Given::default());
    let graph = graph::build(&timeline);
    let classes = engine::classify(rules, &timeline);
    let findings = engine::run(rules, &timeline, &graph, &classes);
    Some((timeline, findings))
}

/// Every row of `expected` (words of the id, state, occurrences, nanoseconds) is a row of the trace.
fn holds(name: &str, captures: &[&str], expected: &[(&str, State, usize, i64)]) {
    let rules = rules();
    let Some((_, found)) = findings(&rules, name, captures) else { return };
    for (id, state, n, ns) in expected {
        let row = found.iter().find(|row| rules.families[row.family].id == *id);
        let seen = row.map(|row| {
            let n = row.fused.occurrences.len() + row.split.occurrences.len();
            (row.state, n, row.fused.time + row.split.time)
        });
        assert_eq!(seen, Some((*state, *n, Nanos(*ns))), "{name}: {id}");
    }
}

#[test]
fn an_extend_step_of_a_dense_model() {
    holds(
        "sglang-qwen3-8b-mi300x-mixed",
        &[],
        &[
            ("sglang/residual-rmsnorm", State::InUse, 72, 8_699_121),
            ("sglang/activation-and-mul", State::InUse, 36, 16_508_145),
            ("sglang/qk-norm", State::Split, 36, 17_487_412),
            ("sglang/rope-kv-store", State::Split, 36, 5_996_326),
        ],
    );
}

#[test]
fn a_replayed_decode_step_with_its_capture() {
    holds(
        "sglang-qwen3-8b-mi300x-decode-graph",
        &["sglang-qwen3-8b-mi300x-decode-graph-capture"],
        &[
            ("sglang/activation-and-mul", State::InUse, 36, 324_367),
            ("sglang/qk-norm-rope", State::Split, 36, 527_236),
            ("sglang/rope-kv-store", State::Split, 36, 369_360),
        ],
    );
}

#[test]
fn a_replayed_decode_step_alone_has_the_same_figures() {
    holds(
        "sglang-qwen3-8b-mi300x-decode-graph",
        &[],
        &[
            ("sglang/activation-and-mul", State::InUse, 36, 324_367),
            ("sglang/qk-norm-rope", State::Split, 36, 527_236),
            ("sglang/rope-kv-store", State::Split, 36, 369_360),
        ],
    );
}

#[test]
fn a_prefill_step_of_experts_on_eight_ranks() {
    holds(
        "vllm-gpt-oss-b200-eager",
        &[],
        &[
            ("vllm/residual-rmsnorm", State::InUse, 72, 452_068),
            ("vllm/moe-experts", State::InUse, 36, 5_214_837),
            ("vllm/rope-quant-kv", State::Split, 36, 393_084),
        ],
    );
}

#[test]
fn eager_ladders() {
    holds(
        "transformers-qwen1.5-0.5b-h100-eager",
        &[],
        &[("any/eager-rmsnorm", State::Split, 70, 10_534_397), ("any/silu-mul", State::Split, 35, 3_140_596)],
    );
}

#[test]
fn nothing_is_said_of_training_capture_and_foreign_traces() {
    let rules = rules();
    for name in [
        "training-v100-large",
        "kineto-2020-list-form",
        "mi210-gpu-only",
        "cuda-event-sync",
        "mtia-no-cuda",
        "no-kernels-a100",
        "sglang-qwen3-8b-mi300x-decode-graph-capture",
    ] {
        if let Some((_, found)) = findings(&rules, name, &[]) {
            assert_eq!(found, [], "{name}");
        }
    }
    if let Some((_, found)) = findings(&rules, "xdit-flux1-mi300x-large", &["xdit-flux1-mi300x-large-capture"]) {
        assert!(found.iter().all(|row| rules.families[row.family].id.starts_with("any/")));
    }
}

#[test]
fn the_waits_that_a_trace_records_join_its_streams() {
    let rules = rules();
    let Some((timeline, _)) = findings(&rules, "cuda-event-sync", &[]) else { return };
    let graph = graph::build(&timeline);
    let waits = timeline.launch_ids().flat_map(|launch| graph.successors(launch));
    assert_eq!(waits.filter(|(_, edge)| *edge == graph::Edge::Wait).count(), 1);
}

#[test]
fn the_tests_of_all_families_hold() {
    let rules = rules();
    let results = engine::family_test::test_families(&rules, |_| true);
    let failed: Vec<_> = results.iter().filter(|result| result.fails()).collect();
    let drawings: Vec<_> = failed.iter().filter_map(|result| result.drawing.as_deref()).collect();
    assert!(failed.is_empty(), "{}", drawings.join("\n"));
}
