//! What is tied, what is not, and which runs are no pair. Names are those of real kernels.

use super::*;
use crate::attribution::{FoundBy, Known, take_places};
use crate::engine::testing::timeline_of;
use crate::engine::{Confidence, Half, classify};
use crate::rules::{CaseLaunch, RuleSet, Sources, load};
use crate::units::Nanos;

const QKV: &str = "Cijk_Alik_Bljk_BBS_BH_Bias_HA_S_SAV_UserArgs_MT256x192x64";
const QKV_SMALL: &str = "Cijk_Alik_Bljk_BBS_BH_Bias_HA_S_SAV_UserArgs_MT64x32x256";
const ROPE: &str = "rotary_embedding_kernel";
const STORE: &str = "store_kvcache";
const NORM: &str = "rms_norm_kernel";

fn rules() -> RuleSet {
    load(&Sources::embedded()).expect("our own rules")
}

/// A timeline whose launches were made at these frames; none: the place is unknown.
fn run(rules: &RuleSet, launches: &[(&str, Option<&str>)]) -> Timeline {
    let chain: Vec<CaseLaunch> = (launches.iter())
        .map(|(kernel, site)| CaseLaunch {
            kernel: (*kernel).to_owned(),
            op: site.map(|site| vec![format!("op::{site}")]),
            site: site.map(|site| vec![format!("python/x/{site}.py(1): forward")]),
            ..CaseLaunch::default()
        })
        .collect();
    timeline_of(&chain, rules, &[])
}

/// Positions tied.
fn tied(rules: &RuleSet, formal: &Timeline, mapping: &Timeline) -> Vec<(u32, u32)> {
    let (ours, theirs) = (classify(rules, formal), classify(rules, mapping));
    let side = Side { timeline: mapping, classes: &theirs };
    let ties = ties(rules, Side { timeline: formal, classes: &ours }, &[side]);
    ties.of[0].iter().map(|(a, b)| (a.0, b.0)).collect()
}

fn layer<'a>(gemm: &'a str, attention: &[&'a str], known: bool) -> Vec<(&'a str, Option<&'a str>)> {
    let at = |site: &'a str| known.then_some(site);
    let mut launches = vec![(gemm, at("qkv")), (ROPE, at("rope")), (STORE, at("store"))];
    launches.extend(attention.iter().map(|kernel| (*kernel, at("attention"))));
    launches.extend([(gemm, at("out")), (NORM, at("norm"))]);
    launches
}

#[test]
fn a_gemm_of_another_size_is_tied_by_its_position_and_attention_of_another_kind_is_not() {
    let rules = rules();
    let formal =
        run(&rules, &layer(QKV_SMALL, &["paged_attention_ll4mi_QKV", "paged_attention_ll4mi_reduce"], false).repeat(2));
    let mapping = run(&rules, &layer(QKV, &["FmhaBatchPrefillWithPagedKVCacheKernel"], true).repeat(2));
    let ties = tied(&rules, &formal, &mapping);
    let layer = |n: u32| [(0, 0), (1, 1), (2, 2), (5, 4), (6, 5)].map(|(a, b)| (a + 7 * n, b + 6 * n));
    // The norm that ends the run has no other tie within reach on both sides: it might be any norm, and is not tied.
    let mut expected = [layer(0), layer(1)].concat();
    assert_eq!(expected.pop(), Some((13, 11)));
    assert_eq!(ties, expected);
}

#[test]
fn places_come_with_how_they_were_found_and_shapes_do_not() {
    let rules = rules();
    let mut formal = run(&rules, &layer(QKV_SMALL, &["paged_attention_ll4mi_QKV"], false));
    let mapping = run(&rules, &layer(QKV, &[], true));
    let ties = tied(&rules, &formal, &mapping).into_iter().map(|(a, b)| (LaunchId(a), LaunchId(b))).collect();
    take_places(&mut formal, &[&mapping], &[ties]);
    let found: Vec<FoundBy> = formal.launch_ids().map(|id| formal.context(id).frame_found_by).collect();
    let (yes, no) = (FoundBy::Mapping, FoundBy::NoCounterpart);
    assert_eq!(found, [yes, yes, yes, no, yes, yes]);
    assert_eq!(formal.counts.by_mapping, 5);
    let crate::attribution::Lookup::At(frame) = formal.context(LaunchId(1)).frame else { panic!("a frame") };
    assert_eq!(formal.strings.get(formal.frames.name(frame)), "python/x/rope.py(1): forward");
    assert!(formal.contexts.iter().all(|context| context.dims.is_none()));
}

#[test]
fn a_name_inside_another_name_ties_nothing() {
    let rules = rules();
    let formal = run(&rules, &[(ROPE, None), ("rms_norm", None), (STORE, None)]);
    let mapping = run(&rules, &[(ROPE, Some("rope")), ("fused_rms_norm_quant", Some("norm")), (STORE, Some("store"))]);
    assert_eq!(tied(&rules, &formal, &mapping), [(0, 0), (2, 2)]);
}

#[test]
fn one_equal_kernel_far_from_any_other_is_no_counterpart() {
    let rules = rules();
    let mut formal = vec![("store_kvcache", None)];
    let mut mapping = vec![("store_kvcache", Some("store"))];
    formal.extend(["a_kernel", "b_kernel", "c_kernel", "d_kernel"].map(|name| (name, None)));
    mapping.extend(["e_kernel", "f_kernel", "g_kernel", "h_kernel"].map(|name| (name, Some("other"))));
    assert_eq!(tied(&rules, &run(&rules, &formal), &run(&rules, &mapping)), []);
}

#[test]
fn an_alias_ties_between_two_ties_and_nowhere_else() {
    let rules = rules();
    let combine = "void flash::flash_attn_fwd_combine<128>(Params)";
    let sm90 = "void flash_attn_fwd_sm90<128>(Params)";
    let formal = [(ROPE, None), (STORE, None), (combine, None), (NORM, None)];
    let mapping = [(ROPE, Some("rope")), (STORE, Some("store")), (sm90, Some("attention")), (NORM, Some("norm"))];
    assert_eq!(tied(&rules, &run(&rules, &formal), &run(&rules, &mapping)), [(0, 0), (1, 1), (2, 2), (3, 3)]);
    let elsewhere = [(sm90, Some("attention")), (ROPE, Some("rope")), (STORE, Some("store")), (NORM, Some("norm"))];
    assert_eq!(tied(&rules, &run(&rules, &formal), &run(&rules, &elsewhere)), [(0, 1), (1, 2), (3, 3)]);
}

#[test]
fn runs_of_another_framework_model_or_tp_are_no_pair_and_unknown_is_no_difference() {
    let known = |value: &str| Some(Known { value: value.to_owned(), source: "given".to_owned() });
    let of = |framework: &str, model: &str, tp: i64| Run {
        framework: known(framework),
        model: known(model),
        tp: Some(Known { value: tp, source: "given".to_owned() }),
        ..Run::default()
    };
    let ours = of("sglang", "Qwen/Qwen3-8B", 2);
    assert!(unlike(&ours, &of("sglang", "qwen3", 2)).is_empty());
    assert!(unlike(&ours, &Run::default()).is_empty());
    assert_eq!(
        unlike(&ours, &of("vllm", "llama", 4)),
        [
            "the framework is vllm in the mapping trace and sglang in the formal trace",
            "the model is llama in the mapping trace and Qwen/Qwen3-8B in the formal trace",
            "TP is 4 in the mapping trace and 2 in the formal trace"
        ]
    );
}

fn finding(family: usize, at: Stage, state: State) -> Finding {
    Finding {
        family,
        stage: at,
        state,
        confidence: Confidence::Confirmed,
        reasons: Vec::new(),
        fused: Half::default(),
        split: Half::default(),
        could_save: Nanos::ZERO,
        launches_saved: 0,
        action: Action::Check,
        advice: "set it".to_owned(),
        covered_by: None,
        overlaps_with: Vec::new(),
    }
}

#[test]
fn fused_in_one_and_split_in_the_other_is_said_within_one_stage_only() {
    let mut formal = [
        finding(0, Stage::Decode, State::Split),
        finding(1, Stage::Decode, State::InUse),
        finding(2, Stage::Decode, State::Split),
        finding(3, Stage::Decode, State::OffByDesign),
    ];
    let mapping = [
        finding(0, Stage::Decode, State::InUse),
        finding(1, Stage::Decode, State::Split),
        finding(2, Stage::Prefill, State::InUse),
        finding(3, Stage::Decode, State::InUse),
    ];
    compare(&mut formal, &[&mapping]);
    let actions: Vec<Action> = formal.iter().map(|f| f.action).collect();
    assert_eq!(actions, [Action::Regressed, Action::NewlyFused, Action::Check, Action::Check]);
    assert_eq!(formal[0].advice, "fused in the mapping trace, split here; set it");
}
