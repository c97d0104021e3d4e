//! What is said of a family on a timeline.

use super::super::classify;
use super::super::tests::{family, known, rules, timeline, with_fused};
use super::{explain, family_of};
use crate::attribution::Timeline;
use crate::rules::{Family, Range};

fn text(family: Family, timeline: &Timeline) -> String {
    let rules = rules(vec![family]);
    let graph = crate::graph::build(timeline);
    explain(&rules, timeline, &graph, &classify(&rules, timeline), 0).text(&rules, timeline)
}

fn rope_store() -> Family {
    let mut family = with_fused("sglang/rope-store", r#"name("rope_kvcache")"#, "rope ~> store");
    family.when.frameworks = vec!["sglang".into()];
    family.when.tensor_parallel = Some(Range { min: Some(2), max: None });
    family
}

#[test]
fn gates_matches_and_the_nearest_miss_of_what_did_not_match() {
    let mut line = timeline(&["nvjet_gemm", "rotary_kernel", "copy_kernel @ aten::clone", "store_kvcache"]);
    line.run.framework = Some(known("sglang".to_owned()));
    insta::assert_snapshot!(text(rope_store(), &line), @r#"
    sglang/rope-store  SGLANG/ROPE-STORE

    Gates
      yes      framework sglang: sglang (test)
      unknown  TP ≥ 2: unknown, pass --tp

    fused: name("rope_kvcache")
      0 matches
      nearest miss: nothing here is `name("rope_kvcache")`

    split: rope ~> store
      1 match
      all, step 0, 2.00 µs
          1.00 µs  stream 0  rotary_kernel
          1.00 µs  stream 0  copy_kernel  seen through
          1.00 µs  stream 0  store_kvcache

    all: split, Candidate
      needs TP ≥ 2: unknown, pass --tp
      the split form was seen once only; in every layer is expected
    "#);
}

#[test]
fn the_link_that_broke_and_what_stood_there_instead() {
    let layer = ["nvjet_gemm", "rotary_kernel", "scaled_quant", "store_kvcache"];
    insta::assert_snapshot!(text(rope_store(), &timeline(&[layer, layer].concat())), @r#"
    sglang/rope-store  SGLANG/ROPE-STORE

    Gates
      no       framework sglang: unknown, pass --framework
      unknown  TP ≥ 2: unknown, pass --tp

    fused: name("rope_kvcache")
      0 matches
      nearest miss: nothing here is `name("rope_kvcache")`

    split: rope ~> store
      0 matches
      nearest miss (2 times alike): expected `store`; scaled_quant is not, and `~>` steps over transparent kernels only (rules/graph.yaml)
          1.00 µs  stream 0  rotary_kernel
          1.00 µs  stream 0  scaled_quant  <- stood there instead

    No row: nothing matched.
    "#);
}

#[test]
fn a_trace_without_launches_has_no_row() {
    assert!(text(rope_store(), &timeline(&[])).ends_with("No row: nothing matched.\n"));
}

#[test]
fn old_ids_are_known() {
    let renamed = Family { aliases: vec!["old/x".into()], ..family("new/x", "rope") };
    let rules = rules(vec![renamed]);
    assert_eq!(
        (family_of(&rules, "old/x"), family_of(&rules, "new/x"), family_of(&rules, "x")),
        (Some(0), Some(0), None)
    );
}
