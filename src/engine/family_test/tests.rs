//! The runner of family tests: outcomes and drawings.

use super::super::tests::{family, launches, rules, with_fused};
use super::{CaseResult, test_families};
use crate::rules::{Case, CaseRow, Family, Outcome, parse_chain};

fn case(name: &str, chain: &[&str], expect: Outcome) -> Case {
    Case {
        name: name.into(),
        chain: launches(chain),
        expect,
        given: Vec::new(),
        trace: None,
        row: CaseRow::default(),
        todo: false,
        line: 21,
    }
}

fn run(family: Family, cases: Vec<Case>) -> Vec<CaseResult> {
    test_families(&rules(vec![Family { tests: cases, ..family }]), |_| true)
}

fn one(family: Family, case: Case) -> CaseResult {
    run(family, vec![case]).remove(0)
}

fn outcome(family: Family, chain: &[&str], given: &[(&str, &str)]) -> Outcome {
    let given = given.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    one(family, Case { given, ..case("x", chain, Outcome::None) }).outcome
}

fn qk() -> Family {
    let mut family = with_fused("sglang/qk-norm-rope", r#"name("fused_qknorm_rope")"#, "norm{2} ~> rope");
    family.after = Some(parse_chain("gemm").unwrap());
    family.when.frameworks = vec!["sglang".into()];
    family.when.vendor = vec!["nvidia".into()];
    family
}

const SPLIT: [&str; 6] =
    ["nvjet_gemm", "copy_kernel @ aten::clone", "rms_norm", "copy_kernel @ aten::clone", "rms_norm", "rotary_kernel"];

#[test]
fn gates_hold_and_one_layer_is_enough_in_a_test() {
    assert_eq!(outcome(qk(), &SPLIT, &[]), Outcome::Split);
    assert_eq!(outcome(qk(), &["nvjet_gemm", "fused_qknorm_rope_kernel"], &[]), Outcome::Fused);
    let both = [&SPLIT[..], &["nvjet_gemm", "fused_qknorm_rope_kernel"]].concat();
    assert_eq!(outcome(qk(), &both, &[]), Outcome::Partly);
    assert_eq!(outcome(qk(), &["rms_norm", "nvjet_gemm", "rotary_kernel"], &[]), Outcome::None);
}

#[test]
fn what_a_test_gives_is_asked() {
    assert_eq!(outcome(qk(), &SPLIT, &[("vendor", "amd")]), Outcome::OffByDesign);
    assert_eq!(outcome(qk(), &SPLIT, &[("framework", "vllm")]), Outcome::None);
    assert_eq!(outcome(qk(), &SPLIT, &[("framework", "sglang"), ("vendor", "nvidia")]), Outcome::Split);
    let mut few = qk();
    few.when.tokens = Some(crate::rules::Range { min: None, max: Some(128) });
    assert_eq!(outcome(few.clone(), &SPLIT, &[("tokens", "888")]), Outcome::OffByDesign);
    assert_eq!(outcome(few, &SPLIT, &[]), Outcome::Split);
}

#[test]
fn a_match_only_through_an_unknown_is_a_candidate() {
    let unknown = ["nvjet_gemm", "copy_kernel", "rms_norm", "rms_norm", "rotary_kernel"];
    assert_eq!(outcome(qk(), &unknown, &[]), Outcome::Candidate);
}

#[test]
fn a_broken_chain_is_drawn_with_a_caret_under_what_stood_there() {
    let chain = ["nvjet_gemm", "rms_norm", "rms_norm", "store_kvcache", "rotary_kernel"];
    let result = one(qk(), case("split in a decode layer", &chain, Outcome::Split));
    insta::assert_snapshot!(result.drawing.unwrap(), @r"
    FAIL  sglang/qk-norm-rope · split in a decode layer    sglang/qk-norm-rope.yaml:21    missing: expected split, found none
          after   gemm
          split   norm{2} ~> rope
          chain   nvjet_gemm  rms_norm  rms_norm  store_kvcache  rotary_kernel
                                                  ^ expected `rope`; store_kvcache is not, and `~>` steps over transparent kernels only (rules/graph.yaml)
                                                    its words: store kvcache
    ");
}

#[test]
fn a_match_that_should_not_be_is_drawn_with_what_matched() {
    let result = one(qk(), case("a norm pair is no pattern", &SPLIT, Outcome::None));
    insta::assert_snapshot!(result.drawing.unwrap(), @r"
    FAIL  sglang/qk-norm-rope · a norm pair is no pattern    sglang/qk-norm-rope.yaml:21    noisy: expected none, found split
          chain   nvjet_gemm  copy_kernel  rms_norm  copy_kernel  rms_norm  rotary_kernel
                              .            s         .            s         s
                  f fused, s split, ? matched through an unknown, . seen through, [ context
    ");
}

#[test]
fn a_known_gap_is_reported_and_never_fails() {
    let gap = Case { todo: true, ..case("x", &["nvjet_gemm"], Outcome::Split) };
    let result = one(qk(), gap);
    assert!(!result.passed() && !result.fails());
}

#[test]
fn results_come_in_id_order_and_in_the_order_of_the_file() {
    let tests = || vec![case("one", &["nvjet_gemm"], Outcome::None), case("two", &["nvjet_gemm"], Outcome::None)];
    let families = ["c/z", "a/y", "b/x"].map(|id| Family { tests: tests(), ..family(id, "rope") });
    let results = test_families(&rules(families.to_vec()), |id| id != "b/x");
    let names: Vec<_> = results.iter().map(|r| format!("{} {}", r.family, r.name)).collect();
    assert_eq!(names, ["a/y one", "a/y two", "c/z one", "c/z two"]);
}
