//! What a gate answers, and from what.

use super::super::tests::{family, known};
use super::{Effect, Gate, argument, first_shape, of_run, same_value};
use crate::attribution::{Run, Stage};
use crate::engine::Tri;
use crate::rules::{Caller, Family, ModelWords, Origin, Range, TokenLimit};

fn gate(family: &Family, run: &Run) -> Gate {
    let mut gates = of_run(family, run, Stage::Mixed);
    assert_eq!(gates.len(), 1, "{gates:?}");
    gates.remove(0)
}

fn asking(change: impl FnOnce(&mut Family)) -> Family {
    let mut family = family("any/x", "gemm");
    change(&mut family);
    family
}

fn args(list: &[(&str, &str)]) -> Run {
    Run {
        server_args: list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        server_args_source: Some("server_args.json".into()),
        ..Run::default()
    }
}

#[test]
fn a_model_word_is_found_in_any_spelling_and_its_near_miss_is_not() {
    let qwen = asking(|f| {
        f.when.models.any = vec!["qwen3".into()];
        f.when.models.none = vec!["qwen3.5".into()];
    });
    let of = |model: &str| gate(&qwen, &Run { model: Some(known(model.to_owned())), ..Run::default() }).answer;
    assert_eq!(of("Qwen/Qwen3-8B"), Tri::Yes);
    assert_eq!(of("qwen3_5-moe"), Tri::No);
    assert_eq!(of("llama-3"), Tri::No);
    let unknown = gate(&qwen, &Run::default());
    assert_eq!(unknown.reason(), "needs model qwen3 but not qwen3.5: unknown, pass --model");
}

#[test]
fn a_mixed_step_is_neither_prefill_nor_decode_alone() {
    let of = |stages: &[Stage]| gate(&asking(|f| f.when.stages = stages.to_vec()), &Run::default()).answer;
    assert_eq!(of(&[Stage::Decode]), Tri::Unknown);
    assert_eq!(of(&[Stage::Prefill, Stage::Decode]), Tri::Yes);
    assert_eq!(of(&[Stage::Capture]), Tri::No);
}

#[test]
fn a_dtype_is_told_by_the_model_or_the_arguments() {
    let fp8 = asking(|f| f.when.dtype = vec!["fp8".into()]);
    assert_eq!(gate(&fp8, &args(&[("quantization", "\"fp8\""), ("dtype", "\"bfloat16\"")])).answer, Tri::Yes);
    assert_eq!(gate(&fp8, &args(&[("quantization", "null"), ("dtype", "\"bfloat16\"")])).answer, Tri::No);
    assert_eq!(gate(&fp8, &args(&[("quantization", "\"modelopt\""), ("dtype", "\"bfloat16\"")])).answer, Tri::Unknown);
    assert_eq!(gate(&fp8, &args(&[("dtype", "\"auto\"")])).answer, Tri::Unknown);
    let named = Run { model: Some(known("Qwen3-8B-FP8".to_owned())), ..Run::default() };
    assert_eq!(gate(&fp8, &named).answer, Tri::Yes);
}

#[test]
fn arguments_are_found_however_they_are_spelled() {
    let run = args(&[
        ("enable_x", "true"),
        ("compilation_config", r#"{"pass_config": {"fuse_norm_quant": false}, "level": 3}"#),
    ]);
    assert_eq!(argument(&run, "--enable-x").as_deref(), Some("true"));
    assert_eq!(argument(&run, "pass_config.fuse_norm_quant").as_deref(), Some("false"));
    assert_eq!(argument(&run, "compilation_config.level").as_deref(), Some("3"));
    assert_eq!(argument(&run, "enable"), None);
    assert!(same_value("True", "true") && same_value("1", "true") && !same_value("0", "true"));
}

#[test]
fn what_is_needed_says_where_it_was_read() {
    let needs = asking(|f| f.when.needs = vec![("attention_backend".into(), "fa3".into())]);
    let found = gate(&needs, &args(&[("attention_backend", "\"triton\"")]));
    assert_eq!(found.reason(), "needs attention_backend = fa3: attention_backend is triton (server_args.json)");
    assert_eq!(gate(&needs, &args(&[])).reason(), "needs attention_backend = fa3: unknown, pass --server-args");
}

#[test]
fn the_message_is_the_first_shape() {
    assert_eq!(first_shape("[[888, 2880], [], [4]]"), Some(888 * 2880));
    assert_eq!(first_shape("[[[888, 2880]], []]"), Some(888 * 2880));
    assert_eq!(first_shape("[[], \"x\"]"), None);
    assert_eq!(first_shape("no json"), None);
}

#[test]
fn a_message_is_judged_only_where_no_element_size_changes_the_answer() {
    use crate::rules::CaseLaunch;
    let launch = CaseLaunch { kernel: "gemm".into(), dims: Some("[[1000]]".into()), ..CaseLaunch::default() };
    let line = crate::engine::testing::timeline_of(&[launch], &crate::rules::RuleSet::default(), &[]);
    let occurrence = crate::engine::Occurrence {
        launches: vec![crate::attribution::LaunchId(0)],
        transparent: Vec::new(),
        context: Vec::new(),
        unknown: false,
        inferred: false,
    };
    let of = |max: i64| {
        let family = asking(|f| f.when.message_bytes = Some(Range { min: None, max: Some(max) }));
        super::of_occurrence(&family, &line, &occurrence)[0].answer
    };
    assert_eq!([of(999), of(4_000), of(8_000)], [Tri::No, Tri::Unknown, Tri::Yes]);
}

#[test]
fn a_limit_that_a_switch_moves_is_that_of_the_gpu_and_forbids_nothing() {
    use crate::rules::{CaseLaunch, MessageLimit};
    let launch = CaseLaunch { kernel: "gemm".into(), dims: Some("[[1000]]".into()), ..CaseLaunch::default() };
    let mut line = crate::engine::testing::timeline_of(&[launch], &crate::rules::RuleSet::default(), &[]);
    let occurrence = crate::engine::Occurrence {
        launches: vec![crate::attribution::LaunchId(0)],
        transparent: Vec::new(),
        context: Vec::new(),
        unknown: false,
        inferred: false,
    };
    let limit = |arch: &str, most| MessageLimit {
        arch: vec![arch.to_owned()],
        tensor_parallel: Some(Range { min: Some(8), max: Some(8) }),
        bytes: Some(Range { min: None, max: Some(most) }),
        raised_by: Some("--most".to_owned()),
    };
    let family = asking(|f| f.when.message_limits = vec![limit("sm90", 9_000), limit("sm100", 900)]);
    let unknown = super::of_occurrence(&family, &line, &occurrence).remove(0);
    assert_eq!(unknown.answer, Tri::Unknown);
    line.run.tp = Some(known(8));
    line.run.arch = Some(known("sm100".to_owned()));
    let over = super::of_occurrence(&family, &line, &occurrence).remove(0);
    assert_eq!((over.answer, over.effect, over.forbids()), (Tri::No, Effect::Raise, false));
    assert_eq!(
        over.reason(),
        "needs a message of ≤ 900 bytes (TP 8, sm100) unless `--most` says more: 1000 elements of 1 to 8 bytes"
    );
    line.run.tp = Some(known(4));
    assert!(super::of_occurrence(&family, &line, &occurrence).is_empty());
    // A size that no message is taken of is off by design, or a switch away.
    let mut family = family;
    family.when.message_limits.push(MessageLimit { tensor_parallel: None, bytes: None, ..limit("sm100", 0) });
    let none = super::of_occurrence(&family, &line, &occurrence).remove(0);
    assert_eq!((none.answer, none.effect, none.forbids()), (Tri::No, Effect::Raise, false));
    let words = "needs a message that it takes (sm100) unless `--most` says more: it takes none there";
    assert_eq!(none.reason(), words);
    family.when.message_limits[2].raised_by = None;
    assert!(super::of_occurrence(&family, &line, &occurrence)[0].forbids());
}

#[test]
fn a_path_for_another_vendor_is_off_by_design_and_one_in_flight_is_silent() {
    let amd = Run { vendor: Some(known("amd".to_owned())), ..Run::default() };
    let of = |origin| {
        let asked = asking(|f| {
            f.origin = origin;
            f.when.vendor = vec!["nvidia".into()];
        });
        let gate = gate(&asked, &amd);
        (gate.answer, gate.effect)
    };
    assert_eq!(of(Origin::Mainline), (Tri::No, Effect::OffByDesign));
    assert_eq!(of(Origin::Inflight), (Tri::No, Effect::Silent));
}

#[test]
fn who_calls_a_path_depends_on_model_version_and_gpu() {
    let caller = |file: &str, model: &str, since: Option<&str>, vendor: Option<&str>| Caller {
        files: vec![format!("python/sglang/srt/models/{file}")],
        models: ModelWords { any: vec![model.to_owned()], none: Vec::new() },
        since: since.map(Into::into),
        vendor: vendor.map(Into::into),
        ..Caller::default()
    };
    let family = asking(|f| {
        f.called_for = vec![
            caller("qwen3_moe.py", "qwen3-moe", None, None),
            caller("mellum.py", "mellum", Some("0.5.16"), Some("nvidia")),
        ];
    });
    let of = |model: &str, version: &str, vendor: &str| {
        let run = Run {
            framework: Some(known("sglang".to_owned())),
            framework_version: Some(known(version.to_owned())),
            model: Some(known(model.to_owned())),
            vendor: Some(known(vendor.to_owned())),
            ..Run::default()
        };
        gate(&family, &run)
    };
    assert_eq!(of("Qwen3_MoE", "0.5.9", "amd").answer, Tri::Yes);
    assert_eq!(of("mellum", "0.5.16", "nvidia").answer, Tri::Yes);
    let dense = of("qwen3", "0.5.23", "nvidia");
    assert_eq!((dense.answer, dense.effect, dense.forbids(), dense.shuts()), (Tri::No, Effect::Uncalled, false, false));
    assert_eq!(
        dense.found,
        "no file of sglang 0.5.23 calls it for qwen3 on a GPU of nvidia: it is called in \
         python/sglang/srt/models/qwen3_moe.py for qwen3-moe, in python/sglang/srt/models/mellum.py for mellum"
    );
    // Where the model has a caller elsewhere, that one is told.
    let early = "no file of sglang 0.5.9 calls it for mellum on a GPU of amd: it is called in \
                 python/sglang/srt/models/mellum.py for mellum on a GPU of nvidia since 0.5.16";
    assert_eq!(of("mellum", "0.5.9", "amd").found, early);
    let unknown = gate(&family, &Run::default());
    assert_eq!(unknown.answer, Tri::Unknown);
    assert!(
        unknown.found.starts_with("the model is unknown (pass --model), and it is called in "),
        "{}",
        unknown.found
    );
}

#[test]
fn the_tokens_that_a_path_takes_are_those_of_the_gpu_and_the_version() {
    let launch = crate::rules::CaseLaunch { kernel: "gemm".into(), ..crate::rules::CaseLaunch::default() };
    let limit = |arch: &str, min, max, until: Option<&str>| TokenLimit {
        arch: vec![arch.to_owned()],
        tokens: Range { min, max },
        since: None,
        until: until.map(Into::into),
    };
    let family = asking(|f| {
        f.when.token_limits = vec![
            limit("sm90", None, Some(32), None),
            limit("sm100", None, Some(32), Some("0.31")),
            limit("gfx950", None, Some(32), None),
            limit("gfx950", Some(2048), None, None),
        ];
    });
    let of = |arch: Option<&str>, tokens: i64, version: &str| {
        let given = [("tokens".to_owned(), tokens.to_string())];
        let mut line = crate::engine::testing::timeline_of(
            std::slice::from_ref(&launch),
            &crate::rules::RuleSet::default(),
            &given,
        );
        line.run.arch = arch.map(|arch| known(arch.to_owned()));
        line.run.framework_version = Some(known(version.to_owned()));
        let first = crate::engine::Occurrence {
            launches: vec![crate::attribution::LaunchId(0)],
            transparent: Vec::new(),
            context: Vec::new(),
            unknown: false,
            inferred: false,
        };
        super::of_occurrence(&family, &line, &first).first().map(|gate| (gate.answer, gate.reason()))
    };
    let answer = |arch, tokens| of(Some(arch), tokens, "0.33").map(|(answer, _)| answer);
    assert_eq!([answer("sm90", 32), answer("sm90", 33)], [Some(Tri::Yes), Some(Tri::No)]);
    assert_eq!([answer("sm100", 512), answer("sm103", 512)], [None, None]);
    assert_eq!([answer("gfx950", 8), answer("gfx950", 4096)], [Some(Tri::Yes), Some(Tri::Yes)]);
    let between = of(Some("gfx950"), 512, "0.33").unwrap();
    assert_eq!(between, (Tri::No, "needs tokens of the step ≤ 32 or ≥ 2048: 512 tokens in the step".to_owned()));
    assert_eq!(of(Some("sm100"), 512, "0.30").unwrap().0, Tri::No);
    assert_eq!(of(None, 512, "0.33").unwrap().0, Tri::Unknown);
}

#[test]
fn a_vendor_has_a_first_version_of_its_own() {
    let family = asking(|f| {
        f.since = Some("0.20".into());
        f.since_on = [("amd".to_owned(), "0.31".to_owned())].into();
    });
    let of = |vendor: Option<&str>, version: &str| {
        let run = Run {
            framework: Some(known("vllm".to_owned())),
            framework_version: Some(known(version.to_owned())),
            vendor: vendor.map(|vendor| known(vendor.to_owned())),
            ..Run::default()
        };
        gate(&family, &run)
    };
    assert_eq!(of(Some("amd"), "0.28").reason(), "needs vllm ≥ 0.31: this is 0.28 (test)");
    assert_eq!([of(Some("amd"), "0.31"), of(Some("nvidia"), "0.28")].map(|gate| gate.answer), [Tri::Yes, Tri::Yes]);
    assert_eq!([of(Some("nvidia"), "0.19"), of(None, "0.28")].map(|gate| gate.answer), [Tri::No, Tri::Yes]);
}
