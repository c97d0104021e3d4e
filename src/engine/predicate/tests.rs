//! What each atom sees, and what an unknown may do.

use super::*;
use crate::engine::{classify, testing::timeline_of};
use crate::rules::{CaseLaunch, Category, Term, parse_expr};

fn kernel(name: &str) -> CaseLaunch {
    CaseLaunch { kernel: name.into(), ..CaseLaunch::default() }
}

fn under(name: &str, ops: &[&str]) -> CaseLaunch {
    CaseLaunch { op: Some(ops.iter().map(|o| (*o).to_owned()).collect()), ..kernel(name) }
}

fn rules(terms: &[(&str, &str)]) -> RuleSet {
    let term =
        |(name, is): &(&str, &str)| Term { name: (*name).into(), about: String::new(), expr: parse_expr(is).unwrap() };
    RuleSet { terms: terms.iter().map(term).collect(), ..RuleSet::default() }
}

/// What rules/ says of names and frames, as far as it is needed here.
fn told(mut rules: RuleSet) -> RuleSet {
    rules.names.inductor = vec!["triton_*_fused_".into()];
    rules.names.copies = vec!["Memcpy".into()];
    rules.names.sets = vec!["Memset".into()];
    rules.attribution.sites.module_prefix = "nn.Module: ".into();
    rules
}

/// The answers of `is` on each launch, as links: `y`, `n`, `?`.
fn ask_with(rules: &RuleSet, is: &str, chain: &[CaseLaunch], given: &[(String, String)]) -> String {
    let timeline = timeline_of(chain, rules, given);
    let classes = classify(rules, &timeline);
    let mut predicates = Predicates::new(rules);
    let id = predicates.add(&parse_expr(is).unwrap());
    let answers = predicates.answer(&timeline, &rules.names, Some(&classes));
    timeline
        .launch_ids()
        .map(|l| match answers.link(id, l) {
            Tri::Yes => 'y',
            Tri::No => 'n',
            Tri::Unknown => '?',
        })
        .collect()
}

fn ask(is: &str, chain: &[CaseLaunch]) -> String {
    ask_with(&told(RuleSet::default()), is, chain, &[])
}

#[test]
fn name_goes_by_words_and_globs_by_the_whole_identifier() {
    let chain = [kernel("rms_norm_kernel<float, 8>"), kernel("property_kernel"), kernel("flash_MLA_decode_x")];
    assert_eq!(ask("name(\"rms_norm\")", &chain), "ynn");
    assert_eq!(ask("name(\"rope\")", &chain), "nnn");
    assert_eq!(ask("name(\"float\")", &chain), "nnn");
    assert_eq!(ask("name(\"*mla*decode*\")", &chain), "nny");
    assert_eq!(ask("name(\"*decode\")", &chain), "nnn");
}

/// Names of neighbours leak into what a compiler names after the ops it fused.
#[test]
fn name_does_not_look_into_inductor_names() {
    let chain = [kernel("triton_red_fused_mean_mul_rsqrt_3"), kernel("rsqrt_kernel")];
    assert_eq!(ask("name(\"rsqrt\", \"*rsqrt*\")", &chain), "ny");
    assert_eq!(ask("inductor(\"rsqrt\", \"mean\")", &chain), "yn");
    assert_eq!(ask("inductor(\"rsqrt\", \"silu\")", &chain), "nn");
}

#[test]
fn template_arguments_by_position_are_compared_whole() {
    let chain =
        [kernel("k<float, 256, true>"), kernel("k<(int)25, (bool)1, x>"), kernel("k<float, 256u, silu_and_mul>")];
    assert_eq!(ask("targ(1, \"256\")", &chain), "yny");
    assert_eq!(ask("targ(2, \"true\")", &chain), "ynn");
    assert_eq!(ask("targ(1, \"true\")", &chain), "nyn");
    assert_eq!(ask("targ(0, \"25\")", &chain), "nyn");
    assert_eq!(ask("targ(2, \"silu\")", &chain), "nnn");
    assert_eq!(ask("targ(2, \"silu*\")", &chain), "nny");
    assert_eq!(ask("targs(\"silu_and\")", &chain), "nny");
    assert_eq!(ask("targ(9, \"true\")", &chain), "nnn");
}

#[test]
fn any_enclosing_op_counts() {
    let chain = [under("copy", &["aten::copy_", "aten::clone"]), under("copy", &[]), kernel("copy")];
    assert_eq!(ask("name(\"copy\") and op(\"aten::clone\")", &chain), "yn?");
    assert_eq!(ask("name(\"copy\") and op(\"aten::cl*\")", &chain), "yn?");
    assert_eq!(ask("name(\"copy\") and not op(\"aten::clone\")", &chain), "ny?");
}

/// An op that the trace cannot tell may narrow a link, never carry it.
#[test]
fn unknown_never_carries() {
    let chain = [kernel("nvjet_gemm"), kernel("copy")];
    for (is, want) in [
        ("op(\"aten::mm\")", "nn"),
        ("not op(\"aten::mm\")", "nn"),
        ("name(\"gemm\") and op(\"aten::mm\")", "?n"),
        ("not name(\"copy\") and op(\"aten::mm\")", "nn"),
        ("not not name(\"gemm\") and op(\"aten::mm\")", "?n"),
        ("not (not name(\"gemm\") or op(\"aten::mm\"))", "?n"),
        ("name(\"gemm\") or op(\"aten::mm\")", "yn"),
        ("kind(kernel) and op(\"aten::mm\")", "??"),
        ("name(\"gemm\") and name(\"x\") or op(\"aten::mm\")", "nn"),
        ("name(\"gemm\") and (op(\"aten::mm\") or dims(\"[1]\"))", "?n"),
        ("dur_us > 0.5 and op(\"aten::mm\")", "nn"),
    ] {
        assert_eq!(ask(is, &chain), want, "{is}");
    }
}

#[test]
fn sites_are_parts_of_frames_and_modules_lose_their_number() {
    let at = |site: Option<&str>, module: Option<&str>| CaseLaunch {
        site: site.map(|s| vec![s.to_owned(), "a/serve.py(1): main".to_owned()]),
        module: module.map(|m| vec![m.to_owned(), "Model_0".to_owned()]),
        ..kernel("k")
    };
    let chain = [at(Some("x/layers/layernorm.py(65): forward_cuda"), Some("Qwen3Attention_11")), at(None, None)];
    let site = |text: &str| ask(&format!("name(\"k\") and site(\"{text}\")"), &chain);
    assert_eq!(site("layers/layernorm.py"), "y?");
    assert_eq!(site("layernorm.py:forward"), "y?");
    assert_eq!(site("layers/*: forward_"), "y?");
    assert_eq!(site("serve.py"), "y?");
    assert_eq!(site("layers/norm.py"), "n?");
    let module = |text: &str| ask(&format!("name(\"k\") and module(\"{text}\")"), &chain);
    assert_eq!(module("*Attention"), "y?");
    assert_eq!(module("Model"), "y?");
    assert_eq!(module("Attention"), "n?");
}

/// Stacks without module frames anywhere were recorded without them.
#[test]
fn modules_are_unknown_where_none_is_recorded() {
    let chain = [CaseLaunch { site: Some(vec!["a.py(1): f".into()]), ..kernel("k") }];
    assert_eq!(ask("name(\"k\") and module(\"M\")", &chain), "?");
    let chain = [CaseLaunch { module: Some(vec!["M".into()]), ..kernel("k") }];
    assert_eq!(ask("name(\"k\") and site(\"a.py\")", &chain), "?");
}

#[test]
fn numbers_come_from_the_launch_and_its_step() {
    let chain = [CaseLaunch { dur_ns: Some(2_500), ..kernel("k") }, CaseLaunch { dur_ns: Some(2_501), ..kernel("k") }];
    assert_eq!(ask("dur_us > 2.5", &chain), "ny");
    assert_eq!(ask("name(\"k\") and tokens <= 128", &chain), "??");
    let given = [("tokens".to_owned(), "128".to_owned())];
    assert_eq!(ask_with(&RuleSet::default(), "tokens <= 128", &chain, &given), "yy");
}

#[test]
fn dims_are_compared_without_blanks() {
    let chain =
        [CaseLaunch { dims: Some("[[888, 2880], [2880]]".into()), ..kernel("k") }, kernel("k"), under("k", &[])];
    assert_eq!(ask("name(\"k\") and dims(\"[[888, 2880]*\")", &chain), "y?n");
}

#[test]
fn kinds_follow_the_name_of_the_activity() {
    let chain = [kernel("Memcpy DtoD (Device -> Device)"), kernel("Memset (Device)"), kernel("gemm")];
    assert_eq!(ask("kind(memcpy)", &chain), "ynn");
    assert_eq!(ask("kind(memset, kernel)", &chain), "nyy");
}

#[test]
fn terms_use_terms() {
    let rules = rules(&[("copy", "name(\"copy\")"), ("clone", "copy and op(\"aten::clone\")")]);
    let chain = [under("copy", &["aten::clone"]), kernel("copy"), kernel("gemm")];
    assert_eq!(ask_with(&rules, "clone", &chain, &[]), "y?n");
}

#[test]
fn a_category_is_the_first_that_says_yes() {
    let category = |name: &str, is: &str| Category { name: name.into(), expr: parse_expr(is).unwrap(), compute: true };
    let categories = vec![
        category("communication", "op(\"c10d::*\") or name(\"nccl\") and op(\"x\")"),
        category("gemm", "name(\"gemm\")"),
    ];
    let rules = RuleSet { categories, ..RuleSet::default() };
    let chain =
        [kernel("gemm"), under("gemm", &["c10d::allreduce_"]), kernel("x"), kernel("nccl"), kernel("nccl_gemm")];
    let classes = classify(&rules, &timeline_of(&chain, &rules, &[]));
    let names: Vec<&str> = (0..5).map(|n| classes.name_of(LaunchId(n))).collect();
    assert_eq!(names, ["gemm", "communication", "other", "communication", "gemm"]);
    assert_eq!((classes.is_sure(LaunchId(3)), classes.is_sure(LaunchId(4))), (false, true));
    assert_eq!(ask_with(&rules, "category(gemm) and op(\"aten::mm\")", &chain, &[]), "?nnn?");
    assert_eq!(ask_with(&rules, "category(communication, other)", &chain, &[]), "nyynn");
}

#[test]
fn what_stayed_unknown_is_named() {
    let timeline = timeline_of(&[kernel("gemm")], &RuleSet::default(), &[]);
    let mut predicates = Predicates::default();
    let id = predicates.add(&parse_expr("name(\"gemm\") and (op(\"*router*\") or name(\"router\"))").unwrap());
    let answers = predicates.answer(&timeline, &kernel_name::Settings { ..Default::default() }, None);
    assert_eq!(answers.unknowns(id, LaunchId(0)), ["op(\"*router*\")"]);
}
