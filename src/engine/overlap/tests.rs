//! Claims over timelines of two and three streams. A launch is written `(kernel, stream, start us, length us)`; figures are
//! computed by hand.

use super::{Overlap, Risk, Waiting, overlaps};
use crate::engine::testing::timeline_of;
use crate::engine::tests::{family, rules};
use crate::engine::{classify, exposure};
use crate::rules::{CaseLaunch, Category, Family, FamilyKind, Independence, Per, RuleSet, parse_expr, parse_overlap};
use crate::units::Nanos;

fn with_settings(families: Vec<Family>) -> RuleSet {
    let category =
        |name: &str, is: &str, compute| Category { name: name.into(), expr: parse_expr(is).unwrap(), compute };
    let mut told = rules(families);
    told.attribution.sites.module_prefix = "nn.Module: ".into();
    RuleSet {
        categories: vec![
            category("communication", r#"name("all_reduce")"#, false),
            category("memory", r#"name("copy")"#, false),
            category("gemm", "gemm", true),
            category("norm", "norm", true),
        ],
        overlap: serde_yaml::from_str(include_str!("../../../rules/overlap.yaml")).unwrap(),
        ..told
    }
}

fn launch(&(kernel, stream, start, dur): &(&str, i64, i64, i64)) -> CaseLaunch {
    CaseLaunch {
        kernel: kernel.into(),
        stream: Some(stream),
        start_ns: Some(start * 1000),
        dur_ns: Some(dur * 1000),
        ..CaseLaunch::default()
    }
}

fn launches(of: &[(&str, i64, i64, i64)]) -> Vec<CaseLaunch> {
    of.iter().map(launch).collect()
}

fn rows_of(rules: &RuleSet, chain: &[CaseLaunch]) -> Vec<Overlap> {
    let timeline = timeline_of(chain, rules, &[]);
    let graph = crate::graph::build(&timeline);
    let classes = classify(rules, &timeline);
    let exposure = exposure(&timeline, &classes, rules.overlap.same_stream_min());
    overlaps(rules, &timeline, &graph, &classes, &exposure)
}

fn rows(of: &[(&str, i64, i64, i64)]) -> Vec<Overlap> {
    rows_of(&with_settings(Vec::new()), &launches(of))
}

fn overlap_family(independent: Independence, text: &str) -> Family {
    Family {
        kind: FamilyKind::Overlap,
        overlap: Some(parse_overlap(text).unwrap()),
        independent,
        per: Per::Step,
        ..family("x/two-branches", "")
    }
}

fn facts(row: &Overlap) -> (&str, Risk, i64, i64, Option<i64>) {
    (&row.verdict, row.risks.worst(), row.time.0, row.times.exclusive.0, row.could_save.map(|save| save.0))
}

#[test]
fn gemms_of_one_stream_are_no_opportunity() {
    assert_eq!(rows(&[("gemm_a", 7, 0, 100), ("rms_norm", 7, 100, 10), ("gemm_b", 7, 110, 100)]), []);
}

#[test]
fn an_exposed_collective_is_shown_with_unclear_risk_where_nothing_tells_dependence() {
    let rows = rows(&[("gemm_a", 7, 0, 100), ("all_reduce", 7, 100, 30), ("rms_norm", 7, 130, 10)]);
    assert_eq!(rows.iter().map(facts).collect::<Vec<_>>(), [("headroom", Risk::Unclear, 30_000, 30_000, None)]);
    assert!(rows[0].reasons[0].starts_with("runs on one stream"), "{:?}", rows[0].reasons);
}

#[test]
fn a_collective_with_no_compute_near_it_has_no_partner() {
    assert_eq!(rows(&[("gemm_a", 7, 0, 100), ("all_reduce", 7, 400, 30)]), []);
}

#[test]
fn a_collective_under_compute_is_hidden_already() {
    // 20 of 25 us lie under the gemm: 80 %.
    let rows = rows(&[("gemm_a", 7, 0, 100), ("all_reduce", 14, 80, 25)]);
    assert_eq!(rows.iter().map(facts).collect::<Vec<_>>(), [("low-roi-hidden", Risk::Low, 25_000, 5_000, None)]);
    assert_eq!(rows[0].times.hidden_by_compute, Nanos(20_000));
}

#[test]
fn recorded_waits_that_leave_no_way_make_the_risk_low() {
    // Stream 14 waits for the first gemm alone; the second one on stream 7 has no way to or from the collective.
    let mut chain =
        launches(&[("gemm_a", 7, 0, 100), ("all_reduce", 14, 100, 30), ("gemm_b", 7, 140, 50), ("gemm_c", 7, 190, 50)]);
    chain[1].waits_for = vec![0];
    let rows = rows_of(&with_settings(Vec::new()), &chain);
    assert_eq!(rows.iter().map(facts).collect::<Vec<_>>(), [("headroom", Risk::Low, 30_000, 30_000, Some(30_000))]);
}

#[test]
fn recorded_waits_on_both_sides_make_it_high() {
    let mut chain = launches(&[("gemm_a", 7, 0, 100), ("all_reduce", 14, 100, 30), ("gemm_b", 7, 140, 50)]);
    chain[1].waits_for = vec![0];
    chain[2].waits_for = vec![1];
    let rows = rows_of(&with_settings(Vec::new()), &chain);
    assert_eq!(rows.iter().map(facts).collect::<Vec<_>>(), [("headroom", Risk::High, 30_000, 30_000, None)]);
}

#[test]
fn an_exposed_copy_is_a_row_only_with_proof() {
    let mut chain = launches(&[("gemm_a", 7, 0, 100), ("copy_x", 14, 100, 30), ("gemm_b", 7, 130, 50)]);
    assert_eq!(rows_of(&with_settings(Vec::new()), &chain), []);
    chain[1].waits_for = vec![0];
    let rows = rows_of(&with_settings(Vec::new()), &chain);
    assert_eq!(rows.iter().map(facts).collect::<Vec<_>>(), [("headroom", Risk::Low, 30_000, 30_000, Some(30_000))]);
}

#[test]
fn time_above_the_fastest_of_a_message_size_is_waiting() {
    let mut chain = launches(&[
        ("gemm_a", 7, 0, 10),
        ("all_reduce", 7, 10, 30),
        ("all_reduce", 7, 40, 20),
        ("all_reduce", 7, 60, 500),
        ("all_reduce", 7, 560, 90),
        ("gemm_b", 7, 650, 10),
    ]);
    for (n, dims) in [(1, "[[8,4]]"), (2, "[[8,4]]"), (3, "[[64,4]]")] {
        chain[n].dims = Some(dims.to_owned());
    }
    // Of one size 30 + 20 - 2 x 20; a size seen once and one that is unknown say nothing.
    let rows = rows_of(&with_settings(Vec::new()), &chain);
    assert_eq!(rows[0].waiting, Some(Waiting { time: Nanos(10_000), sized: true }));
}

/// Two branches one after the other on one stream, 40 and 30 us, no wait recorded.
fn branches() -> Vec<CaseLaunch> {
    launches(&[("gemm_shared", 7, 0, 40), ("gemm_routed", 7, 50, 30)])
}

const BRANCHES: &str = r#"exposed(name("gemm_shared")) beside exposed(name("gemm_routed")) within 100us"#;

#[test]
fn a_family_whose_sides_run_apart_is_headroom_and_saves_the_shorter_side() {
    let mut chain = branches();
    for (launch, module) in chain.iter_mut().zip(["MLP_0", "FusedMoE_0"]) {
        launch.module = Some(vec![module.to_owned()]);
    }
    let rules = with_settings(vec![overlap_family(Independence::Module, BRANCHES)]);
    let rows = rows_of(&rules, &chain);
    assert_eq!(rows.iter().map(facts).collect::<Vec<_>>(), [("headroom", Risk::Low, 40_000, 40_000, Some(30_000))]);
    for launch in &mut chain {
        launch.module = Some(vec!["MLP_0".to_owned()]);
    }
    assert_eq!(rows_of(&rules, &chain), [], "one module is no partner of itself");
}

#[test]
fn what_is_only_declared_stays_unclear() {
    let rules = with_settings(vec![overlap_family(Independence::Declared, BRANCHES)]);
    let rows = rows_of(&rules, &branches());
    assert_eq!(rows.iter().map(facts).collect::<Vec<_>>(), [("headroom", Risk::Unclear, 40_000, 40_000, None)]);
}

#[test]
fn two_instances_of_one_class_are_two_modules() {
    let mut chain = launches(&[("rms_norm", 7, 0, 4), ("rms_norm", 7, 5, 3)]);
    let text = "exposed(norm) beside exposed(norm) within 50us";
    let rules = with_settings(vec![overlap_family(Independence::Module, text)]);
    for (launch, module) in chain.iter_mut().zip(["RMSNorm_1", "RMSNorm_2"]) {
        launch.module = Some(vec![module.to_owned()]);
    }
    let rows = rows_of(&rules, &chain);
    assert_eq!(rows.iter().map(facts).collect::<Vec<_>>(), [("headroom", Risk::Low, 4_000, 4_000, Some(3_000))]);
}

#[test]
fn a_family_whose_sides_run_beside_each_other_has_nothing_to_gain() {
    let rules = with_settings(vec![overlap_family(Independence::Declared, BRANCHES)]);
    let rows = rows_of(&rules, &launches(&[("gemm_shared", 7, 0, 40), ("gemm_routed", 14, 5, 30)]));
    assert_eq!(rows.iter().map(facts).collect::<Vec<_>>(), [("overlapped", Risk::Low, 40_000, 10_000, None)]);
}

#[test]
fn sides_too_far_apart_are_no_pair() {
    let rules = with_settings(vec![overlap_family(Independence::Declared, BRANCHES)]);
    assert_eq!(rows_of(&rules, &launches(&[("gemm_shared", 7, 0, 40), ("gemm_routed", 7, 200, 30)])), []);
}

#[test]
fn what_recurs_by_layer_must_stand_twice_in_a_step() {
    let by_layer = Family { per: Per::Layer, ..overlap_family(Independence::Declared, BRANCHES) };
    let rules = with_settings(vec![by_layer]);
    assert_eq!(rows_of(&rules, &branches()), []);
    let mut twice = branches();
    twice.extend(launches(&[("gemm_shared", 7, 100, 40), ("gemm_routed", 7, 150, 30)]));
    assert_eq!(rows_of(&rules, &twice)[0].time, Nanos(80_000));
}

#[test]
fn three_streams_one_branch_under_two_others() {
    // The collective lies under the gemm of stream 7 for 10 us, under that of stream 14 for 10 us, alone for 10 us.
    let rows = rows(&[("gemm_a", 7, 0, 20), ("all_reduce", 21, 10, 30), ("gemm_b", 14, 30, 10)]);
    assert_eq!((rows[0].times.exclusive, rows[0].times.hidden_by_compute), (Nanos(10_000), Nanos(20_000)));
    assert_eq!(rows[0].verdict, "low-roi-hidden");
}
