//! Findings as claims.

use super::super::testing::timeline_of;
use super::super::tests::{cut, family, known, launches, rules, timeline, with_fused};
use super::super::{Action, Confidence, Finding, State, advice, classify};
use crate::attribution::{Stage, Timeline};
use crate::rules::{Caller, Family, Gates, ModelWords, Origin, Per, Range, RuleSet, Status, Toggle, parse_chain};
use crate::units::Nanos;

const COPY: &str = "direct_copy_kernel @ aten::clone";

fn run(rules: &RuleSet, timeline: &Timeline) -> Vec<Finding> {
    super::run(rules, timeline, &crate::graph::build(timeline), &classify(rules, timeline))
}

fn one(family: Family, timeline: &Timeline) -> Finding {
    let mut found = run(&rules(vec![family]), timeline);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn times(n: usize, layer: &[&'static str]) -> Vec<&'static str> {
    layer.iter().copied().cycle().take(n * layer.len()).collect()
}

fn rope_store() -> Family {
    with_fused("any/rope-store", r#"name("rope_kvcache")"#, "rope ~> store")
}

fn toggle(name: &str, since: Option<&str>, until: Option<&str>) -> Toggle {
    Toggle {
        name: name.into(),
        value: "true".into(),
        place: "server_args".into(),
        since: since.map(Into::into),
        until: until.map(Into::into),
        default: None,
        vendor: None,
        models: ModelWords::default(),
    }
}

const LAYER: [&str; 4] = ["gemm", "rotary_kernel", COPY, "store_kvcache"];

#[test]
fn a_chain_in_two_layers_is_confirmed_and_its_sums_are_exact() {
    let found = one(rope_store(), &timeline(&times(2, &LAYER)));
    assert_eq!((found.state, found.confidence), (State::Split, Confidence::Confirmed));
    assert_eq!(found.reasons, [""; 0]);
    assert_eq!((found.split.time, found.split.transparent), (Nanos(4_000), Nanos(2_000)));
    // Three launches become one, as long as the longest.
    assert_eq!((found.could_save, found.launches_saved), (Nanos(4_000), 4));
    assert_eq!((found.action, found.advice.as_str()), (Action::Check, "the fused path should apply here"));
}

#[test]
fn a_chain_in_one_layer_only_is_a_candidate() {
    let found = one(rope_store(), &timeline(&LAYER));
    assert_eq!(found.confidence, Confidence::Candidate);
    assert_eq!(found.reasons, ["the split form was seen once only; in every layer is expected"]);
}

#[test]
fn once_a_request_is_enough_for_what_is_per_request() {
    assert_eq!(one(Family { per: Per::Request, ..rope_store() }, &timeline(&LAYER)).confidence, Confidence::Confirmed);
}

#[test]
fn what_is_per_step_must_stand_in_every_whole_step() {
    let per_step = || Family { per: Per::Step, ..rope_store() };
    let mut line = timeline(&[&LAYER[..], &["gemm"], &LAYER[..]].concat());
    cut(&mut line, Stage::Decode, &[4, 1, 4]);
    let found = one(per_step(), &line);
    assert_eq!(found.reasons, ["the split form was seen in 2 of 3 steps; in every step is expected"]);
    line.steps[1].whole = false;
    assert_eq!(one(per_step(), &line).confidence, Confidence::Confirmed);
}

#[test]
fn a_chain_does_not_go_over_the_end_of_a_step() {
    let mut line = timeline(&["rotary_kernel", "store_kvcache"]);
    cut(&mut line, Stage::Decode, &[1, 1]);
    assert_eq!(run(&rules(vec![rope_store()]), &line), []);
}

#[test]
fn a_quantisation_in_between_is_not_seen_through() {
    let line = timeline(&times(2, &["rotary_kernel", "scaled_quant", "store_kvcache"]));
    assert_eq!(run(&rules(vec![rope_store()]), &line), []);
}

#[test]
fn a_copy_of_unknown_op_makes_a_candidate_that_says_which_question_is_open() {
    let found = one(rope_store(), &timeline(&times(2, &["rotary_kernel", "direct_copy_kernel", "store_kvcache"])));
    assert_eq!(found.confidence, Confidence::Candidate);
    assert_eq!(found.reasons, [r#"2 of 2 rest on what this trace cannot tell: op("aten::clone")"#]);
}

#[test]
fn the_fused_kernel_is_in_use_and_saves_nothing_more() {
    let found = one(rope_store(), &timeline(&["gemm", "rope_kvcache_kernel", "gemm", "rope_kvcache_kernel"]));
    assert_eq!((found.state, found.confidence, found.action), (State::InUse, Confidence::Confirmed, Action::None));
    assert_eq!((found.fused.time, found.could_save, found.launches_saved), (Nanos(2_000), Nanos::ZERO, 0));
}

#[test]
fn both_forms_in_one_stage_are_partly() {
    let found = one(rope_store(), &timeline(&[&times(2, &LAYER)[..], &["rope_kvcache_kernel"; 2]].concat()));
    assert_eq!((found.state, found.confidence), (State::Partly, Confidence::Confirmed));
    assert_eq!((found.fused.time, found.split.time), (Nanos(2_000), Nanos(4_000)));
}

#[test]
fn stages_are_counted_apart() {
    let mut line = timeline(&[&times(2, &LAYER)[..], &["rope_kvcache_kernel"; 2]].concat());
    cut(&mut line, Stage::Prefill, &[8]);
    for launch in &mut line.launches[8..] {
        launch.stage = Stage::Decode;
        launch.step = None;
    }
    let states: Vec<_> = run(&rules(vec![rope_store()]), &line).iter().map(|f| (f.stage, f.state)).collect();
    assert_eq!(states, [(Stage::Prefill, State::Split), (Stage::Decode, State::InUse)]);
}

#[test]
fn launches_that_are_fused_are_not_split_as_well() {
    let both = with_fused("any/experts", "gemm ~> gemm", "gemm ~> gemm");
    let found = one(both, &timeline(&["gemm", "gemm", "gemm", "gemm"]));
    assert_eq!((found.state, found.split.occurrences.len()), (State::InUse, 0));
}

#[test]
fn a_graph_capture_is_no_forward_pass() {
    let mut line = timeline(&times(2, &LAYER));
    cut(&mut line, Stage::Capture, &[8]);
    assert_eq!(run(&rules(vec![rope_store()]), &line), []);
}

#[test]
fn another_framework_is_not_spoken_of_and_an_unknown_one_is_another() {
    let mut sglang = rope_store();
    sglang.when.frameworks = vec!["sglang".into()];
    let mut line = timeline(&times(2, &LAYER));
    assert_eq!(run(&rules(vec![sglang.clone()]), &line), []);
    line.run.framework = Some(known("vllm".to_owned()));
    assert_eq!(run(&rules(vec![sglang.clone()]), &line), []);
    line.run.framework = Some(known("sglang".to_owned()));
    assert_eq!(one(sglang, &line).confidence, Confidence::Confirmed);
}

#[test]
fn an_unmet_condition_is_named_and_nothing_recommended() {
    let mut amd = rope_store();
    amd.when.vendor = vec!["amd".into()];
    let mut line = timeline(&times(2, &LAYER));
    line.run.vendor = Some(known("nvidia".to_owned()));
    let found = one(amd.clone(), &line);
    assert_eq!((found.state, found.action, found.could_save), (State::OffByDesign, Action::OffByDesign, Nanos::ZERO));
    assert_eq!(found.reasons, ["needs a GPU of amd: this is nvidia (test)"]);
    assert_eq!(found.advice, found.reasons[0]);
    // It runs all the same: then it is in use.
    let fused = timeline(&["rope_kvcache_kernel"; 2]);
    assert_eq!(one(amd, &fused).state, State::InUse);
}

#[test]
fn an_undecided_condition_makes_a_candidate_and_says_what_to_pass() {
    let mut tp = rope_store();
    tp.when.tensor_parallel = Some(Range { min: Some(2), max: None });
    let mut line = timeline(&times(2, &LAYER));
    let found = one(tp.clone(), &line);
    assert_eq!((found.state, found.confidence), (State::Split, Confidence::Candidate));
    assert_eq!(found.reasons, ["needs TP ≥ 2: unknown, pass --tp"]);
    line.run.tp = Some(known(1));
    assert_eq!(one(tp, &line).state, State::OffByDesign);
}

#[test]
fn only_the_steps_within_the_token_window_count() {
    let mut small = rope_store();
    small.when.tokens = Some(Range { min: None, max: Some(128) });
    let mut line = timeline(&times(4, &LAYER));
    cut(&mut line, Stage::Decode, &[8, 8]);
    line.steps[0].tokens = Some(64);
    line.steps[1].tokens = Some(4096);
    let found = one(small.clone(), &line);
    assert_eq!((found.state, found.confidence), (State::Split, Confidence::Confirmed));
    assert_eq!(found.split.occurrences.len(), 2);
    let left = "2 more are left out, by design: needs tokens of the step ≤ 128: 4096 tokens in the step";
    assert_eq!(found.reasons, [left]);
    line.steps[0].tokens = Some(4096);
    let found = one(small.clone(), &line);
    assert_eq!((found.state, found.split.occurrences.len()), (State::OffByDesign, 4));
    line.steps[0].tokens = None;
    line.steps[1].tokens = None;
    assert_eq!(one(small, &line).reasons, ["needs tokens of the step ≤ 128: unknown"]);
}

#[test]
fn a_path_of_a_later_version_says_upgrade() {
    let later = Family { since: Some("0.11".into()), ..rope_store() };
    let mut line = timeline(&times(2, &LAYER));
    line.run.framework = Some(known("vllm".to_owned()));
    line.run.framework_version = Some(known("0.9.2".to_owned()));
    let found = one(later.clone(), &line);
    assert_eq!((found.state, found.confidence, found.action), (State::Split, Confidence::Confirmed, Action::Upgrade));
    assert_eq!(found.advice, "needs vllm ≥ 0.11: this is 0.9.2 (test)");
    line.run.framework_version = None;
    let found = one(later, &line);
    assert_eq!(found.action, Action::Check);
    assert!(
        found.advice.ends_with("it is in vllm ≥ 0.11, and the version of this trace is unknown"),
        "{}",
        found.advice
    );
}

#[test]
fn a_path_that_is_gone_is_off_by_design() {
    let gone = Family { until: Some("0.33".into()), ..rope_store() };
    let mut line = timeline(&times(2, &LAYER));
    line.run.framework_version = Some(known("0.33.0".to_owned()));
    assert_eq!(one(gone, &line).state, State::OffByDesign);
}

#[test]
fn a_toggle_of_another_vendor_is_nothing_to_type() {
    let of_nvidia = Toggle { vendor: Some("nvidia".into()), ..toggle("--fused", None, None) };
    let family = Family { toggles: vec![of_nvidia], ..rope_store() };
    let mut line = timeline(&times(2, &LAYER));
    line.run.vendor = Some(known("amd".to_owned()));
    let found = one(family.clone(), &line);
    let nothing = "the fused path is there for nvidia GPUs (`--fused`); nothing is known that turns it on here";
    assert_eq!((found.state, found.action, found.advice.as_str()), (State::Split, Action::Check, nothing));
    for vendor in [Some(known("nvidia".to_owned())), None] {
        line.run.vendor = vendor;
        assert_eq!(one(family.clone(), &line).advice, "check that `--fused` is set");
    }
}

#[test]
fn a_path_that_nobody_calls_for_the_model_has_no_switch_and_says_where_to_call_it() {
    let caller = Caller {
        files: vec!["python/sglang/srt/models/qwen3_moe.py".into()],
        models: ModelWords { any: vec!["qwen3-moe".into()], none: Vec::new() },
        ..Caller::default()
    };
    let family = Family { called_for: vec![caller], toggles: vec![toggle("--fused", None, None)], ..rope_store() };
    let site = "/srv/sglang/python/sglang/srt/models/qwen3.py(167): forward_prepare";
    let mut layer = launches(&times(2, &LAYER));
    for launch in &mut layer {
        launch.site = Some(vec![site.to_owned()]);
    }
    let mut line = timeline_of(&layer, &RuleSet::default(), &[]);
    line.run.model = Some(known("qwen3".to_owned()));
    let found = one(family.clone(), &line);
    assert_eq!((found.state, found.confidence, found.action), (State::Split, Confidence::Confirmed, Action::Check));
    assert_eq!(
        found.advice,
        "no file of the framework calls it for qwen3: it is called in python/sglang/srt/models/qwen3_moe.py for \
         qwen3-moe; call it in python/sglang/srt/models/qwen3.py"
    );
    assert!(advice::toggles(&family, &line.run).is_empty());
    line.run.model = Some(known("qwen3_moe".to_owned()));
    assert_eq!(one(family.clone(), &line).advice, "check that `--fused` is set");
    line.run.model = None;
    let unknown = "check that `--fused` is set; the model is unknown (pass --model), and it is called in \
                   python/sglang/srt/models/qwen3_moe.py for qwen3-moe alone";
    assert_eq!(one(family, &line).advice, unknown);
}

#[test]
fn a_toggle_known_to_be_off_says_what_to_type_in_the_spelling_of_the_version() {
    let mut switched = rope_store();
    switched.toggles =
        vec![toggle("--enable-rope-store", None, Some("0.6")), toggle("--rope-store", Some("0.6"), None)];
    let mut line = timeline(&times(2, &LAYER));
    line.run.framework_version = Some(known("0.5.9".to_owned()));
    line.run.server_args.insert("enable_rope_store".into(), "false".into());
    let found = one(switched.clone(), &line);
    assert_eq!((found.action, found.advice.as_str()), (Action::TurnOn, "set `--enable-rope-store`"));
    line.run.server_args.insert("enable_rope_store".into(), "true".into());
    let found = one(switched.clone(), &line);
    assert_eq!(found.action, Action::Check);
    assert!(found.advice.starts_with("`--enable-rope-store` is set, and yet"), "{}", found.advice);
    line.run.framework_version = None;
    let advice = one(switched.clone(), &line).advice;
    assert!(advice.starts_with("`--enable-rope-store` is set, and yet"), "its arguments tell the spelling: {advice}");
    line.run.server_args.clear();
    let advice = one(switched, &line).advice;
    assert!(advice.starts_with("check that `--rope-store` is set; spelled as in the newest version"), "{advice}");
}

#[test]
fn what_is_in_flight_or_on_trial_is_never_confirmed() {
    let line = timeline(&times(2, &LAYER));
    let inflight = Family { origin: Origin::Inflight, pr: vec!["#123".into()], ..rope_store() };
    let found = one(inflight, &line);
    assert_eq!((found.confidence, found.action), (Confidence::Candidate, Action::InFlight));
    assert!(found.advice.ends_with("#123"));
    let trial = Family { status: Status::Trial, ..rope_store() };
    assert_eq!(one(trial.clone(), &line).confidence, Confidence::Candidate);
    // A fused kernel's own name proves itself, through a term too; what is no name does not.
    let fused = timeline(&["rope_kvcache_kernel"; 2]);
    assert_eq!(one(trial, &fused).confidence, Confidence::Confirmed);
    let fused_by = |fused| Family { status: Status::Trial, ..with_fused("any/x", fused, "") };
    let rotary = timeline(&["rotary_kernel"; 2]);
    assert_eq!(one(fused_by("rope"), &rotary).confidence, Confidence::Confirmed);
    assert_eq!(one(fused_by("rope or kind(kernel)"), &rotary).confidence, Confidence::Candidate);
}

#[test]
fn a_retired_path_is_seen_in_use_and_its_split_form_is_its_successors() {
    let retired = Family { status: Status::Retired, ..rope_store() };
    assert_eq!(run(&rules(vec![retired.clone()]), &timeline(&times(2, &LAYER))), []);
    assert_eq!(one(retired, &timeline(&["rope_kvcache_kernel"; 2])).state, State::InUse);
}

#[test]
fn the_longer_chain_covers_the_shorter_and_no_figure_changes() {
    let line = timeline(&times(2, &["rms_norm", "rotary_kernel", "store_kvcache"]));
    let long = family("any/long", "norm ~> rope ~> store");
    let short = family("any/short", "rope ~> store");
    let found = run(&rules(vec![long.clone(), short.clone()]), &line);
    let labels: Vec<_> = found.iter().map(|f| (f.family, f.covered_by, f.split.time)).collect();
    assert_eq!(labels, [(0, None, Nanos(6_000)), (1, Some(0), Nanos(4_000))]);

    // Of two that share all, the one that can apply is the row.
    let off =
        Family { when: Gates { vendor: vec!["amd".into()], ..Gates::default() }, ..family("any/a", "rope ~> store") };
    let mut nvidia = timeline(&times(2, &LAYER));
    nvidia.run.vendor = Some(known("nvidia".to_owned()));
    let found = run(&rules(vec![off, short.clone()]), &nvidia);
    let labels: Vec<_> = found.iter().map(|f| (f.family, f.state, f.covered_by)).collect();
    assert_eq!(labels, [(0, State::OffByDesign, Some(1)), (1, State::Split, None)]);

    // A family whose condition fails swallows nothing.
    let mut closed = long;
    closed.when.vendor = vec!["amd".into()];
    let mut line = line;
    line.run.vendor = Some(known("nvidia".to_owned()));
    let found = run(&rules(vec![closed, short]), &line);
    assert_eq!(found.iter().map(|f| f.covered_by).collect::<Vec<_>>(), [None, None]);
}

#[test]
fn a_guess_covers_nothing_that_is_proven_whatever_it_says_it_subsumes() {
    let line = timeline(&times(2, &["rms_norm", "rotary_kernel", "store_kvcache"]));
    let subsumes = vec!["any/short".into()];
    let long = Family { status: Status::Trial, subsumes, ..family("any/long", "norm ~> rope ~> store") };
    let short = family("any/short", "rope ~> store");
    let labels = |found: Vec<Finding>| -> Vec<_> {
        found.into_iter().map(|f| (f.confidence, f.covered_by, f.overlaps_with)).collect()
    };
    let found = labels(run(&rules(vec![long.clone(), short.clone()]), &line));
    assert_eq!(found, [(Confidence::Candidate, None, vec![1]), (Confidence::Confirmed, None, vec![0])]);
    // Of two guesses, the longer one.
    let guess = Family { status: Status::Trial, ..short };
    assert_eq!(run(&rules(vec![long, guess]), &line)[1].covered_by, Some(0));
}

#[test]
fn chains_that_share_some_launches_name_each_other() {
    let line = timeline(&times(2, &["rms_norm", "rotary_kernel", "store_kvcache"]));
    let found = run(&rules(vec![family("any/a", "norm ~> rope"), family("any/b", "rope ~> store")]), &line);
    let labels: Vec<_> = found.iter().map(|f| (f.covered_by, f.overlaps_with.clone())).collect();
    assert_eq!(labels, [(None, vec![1]), (None, vec![0])]);
}

#[test]
fn of_equal_chains_the_one_with_priority_stands_then_the_first_id() {
    let line = timeline(&times(2, &LAYER));
    let (a, b) = (family("any/a", "rope ~> store"), family("any/b", "rope ~> store"));
    let covered = |families| run(&rules(families), &line).iter().map(|f| f.covered_by).collect::<Vec<_>>();
    assert_eq!(covered(vec![a.clone(), b.clone()]), [None, Some(0)]);
    assert_eq!(covered(vec![a.clone(), Family { priority: 1, ..b.clone() }]), [Some(1), None]);
    assert_eq!(covered(vec![a, Family { subsumes: vec!["any/a".into()], ..b }]), [Some(1), None]);
}

#[test]
fn what_is_in_use_never_competes_with_what_is_split() {
    let line = timeline(&times(2, &["rope_kvcache_kernel", "gemm"]));
    let fused = with_fused("any/a", r#"name("rope_kvcache")"#, "");
    let split = family("any/b", r#"name("rope") ~> gemm"#);
    let found = run(&rules(vec![fused, split]), &line);
    assert!(found.iter().all(|f| f.covered_by.is_none() && f.overlaps_with.is_empty()), "{found:?}");
}

#[test]
fn advice_names_what_it_cannot_run_together_with() {
    let line = timeline(&[&times(2, &LAYER)[..], &["other_fused_kernel"; 2]].concat());
    let exclusive = Family { excludes: vec!["any/other".into(), "any/unheard-of".into()], ..rope_store() };
    let other = with_fused("any/other", r#"name("other_fused")"#, "");
    let found = run(&rules(vec![exclusive, other]), &line);
    assert!(found[0].advice.ends_with("; cannot run together with ANY/OTHER, which is in use here"), "{found:?}");
}

#[test]
fn context_around_a_finding_is_asked_for_and_not_counted() {
    let mut norm = family("any/qk-norm", "norm{2}");
    norm.after = Some(parse_chain("gemm").unwrap());
    norm.before = Some(parse_chain("rope").unwrap());
    let layer = ["gemm", COPY, "rms_norm", COPY, "rms_norm", "rotary_kernel"];
    let found = one(norm.clone(), &timeline(&times(2, &layer)));
    assert_eq!((found.split.time, found.split.transparent), (Nanos(4_000), Nanos(4_000)));
    // Two norms of a block that rotates nothing.
    assert_eq!(run(&rules(vec![norm]), &timeline(&times(2, &["gemm", "rms_norm", "rms_norm", "gemm"]))), []);
}

#[test]
fn numbers_decide_launch_by_launch() {
    let mut line = timeline(&times(4, &["rotary_kernel"]));
    line.launches[1].dur = Nanos(9_000);
    line.launches[3].dur = Nanos(9_000);
    let found = one(family("any/slow", "rope and dur_us > 5"), &line);
    assert_eq!((found.split.occurrences.len(), found.split.time), (2, Nanos(18_000)));
}

#[test]
fn rows_come_by_time_then_by_id() {
    let line = timeline(&times(2, &["rms_norm", "rotary_kernel", "store_kvcache"]));
    let families = vec![family("any/c", "norm"), family("any/b", "rope ~> store"), family("any/a", "rope")];
    assert_eq!(run(&rules(families), &line).iter().map(|f| f.family).collect::<Vec<_>>(), [1, 0, 2]);
}

#[test]
fn what_runs_beside_a_graph_capture_raises_no_row() {
    let mut line = timeline(&times(2, &LAYER));
    assert_eq!(run(&rules(vec![rope_store()]), &line).len(), 1);
    for launch in &mut line.launches {
        (launch.step, launch.stage) = (None, Stage::All);
    }
    assert_eq!(run(&rules(vec![rope_store()]), &line).len(), 1);
    let end = line.launches.last().unwrap().start;
    line.steps.push(crate::attribution::Step {
        name: line.kernels[0].raw,
        stage: Stage::Capture,
        start: end,
        end,
        tokens: None,
        requests: None,
        whole: true,
    });
    assert_eq!(run(&rules(vec![rope_store()]), &line), []);
}
