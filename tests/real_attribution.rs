//! Attribution over real traces: set `LLM_PROF_REAL_TRACES` to a folder that has them. Without it these tests pass and
//! say that they looked at nothing. Each test holds what was read from the traces by hand.

#![allow(clippy::print_stdout, reason = "a test that looked at nothing says so")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use llm_prof::attribution::{self, Given, Known, LaunchId, Lookup, Settings, Stage, Timeline};
use llm_prof::kernel_name;
use llm_prof::rules::schema::{
    attribution as schema, frameworks, hardware, names, sites, stages, trace as trace_schema,
};
use llm_prof::trace::{self, Trace};
use llm_prof::units::Maybe;

struct Rules {
    trace: trace::Settings,
    names: kernel_name::Settings,
    attribution: Settings,
}

fn yaml<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules").join(name);
    serde_yaml::from_str(&std::fs::read_to_string(path).expect("readable")).expect("readable")
}

fn rules() -> Rules {
    let mut attribution = Settings::default();
    yaml::<schema::AttributionFile>("attribution.yaml").fill(&mut attribution);
    yaml::<stages::StagesFile>("stages.yaml").fill(&mut attribution).expect("readable");
    yaml::<sites::SitesFile>("sites.yaml").fill(&mut attribution).expect("readable");
    yaml::<frameworks::FrameworksFile>("frameworks.yaml").fill(&mut attribution);
    yaml::<hardware::HardwareFile>("hardware.yaml").fill(&mut attribution);
    Rules {
        trace: yaml::<trace_schema::TraceFile>("trace.yaml").settings().expect("readable"),
        names: yaml::<names::Names>("names.yaml").into(),
        attribution,
    }
}

/// A trace of the folder; none, with a note, when there is no folder or no such file.
fn read(rules: &Rules, name: &str) -> Option<Trace> {
    let folder = PathBuf::from(std::env::var_os("LLM_PROF_REAL_TRACES").unwrap_or_default());
    let path = folder.join(format!("{name}.trace.json.gz"));
    if !path.exists() {
        println!("no {name} in LLM_PROF_REAL_TRACES: nothing looked at");
        return None;
    }
    Some(trace::read(&path, &rules.trace).expect("readable"))
}

fn timeline(name: &str, captures: &[&str]) -> Option<Timeline> {
    let rules = rules();
    let trace = read(&rules, name)?;
    let captures: Vec<Trace> = captures.iter().filter_map(|c| read(&rules, c)).collect();
    Some(attribution::attribute(trace, &captures, &rules.attribution, &rules.names, &Given::default()))
}

/// What is known of the launches of kernels whose raw name holds `part`: each distinct text with its launches, most
/// first.
fn tally(timeline: &Timeline, part: &str, text: impl Fn(&Timeline, LaunchId) -> String) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for id in timeline.launch_ids() {
        if timeline.strings.get(timeline.kernel(id).raw).contains(part) {
            *counts.entry(text(timeline, id)).or_default() += 1;
        }
    }
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    counts
}

fn site(timeline: &Timeline, id: LaunchId) -> String {
    timeline.context(id).site.map_or("-", |s| timeline.strings.get(s)).to_owned()
}

fn module(timeline: &Timeline, id: LaunchId) -> String {
    timeline.context(id).module.map_or("-", |s| timeline.strings.get(s)).to_owned()
}

fn op(timeline: &Timeline, id: LaunchId) -> String {
    match timeline.context(id).op {
        Lookup::At(node) => timeline.strings.get(timeline.ops.name(node)).to_owned(),
        other => format!("{other:?}"),
    }
}

/// The site of most launches of a kernel, and how many.
fn main_site(timeline: &Timeline, part: &str) -> (String, u64) {
    tally(timeline, part, site).into_iter().next().unwrap_or_default()
}

/// Launches and nanoseconds by stage.
fn stages(timeline: &Timeline) -> Vec<(Stage, u64, i64)> {
    let mut counts: BTreeMap<Stage, (u64, i64)> = BTreeMap::new();
    for launch in &timeline.launches {
        let (n, time) = counts.entry(launch.stage).or_default();
        (*n, *time) = (*n + 1, *time + launch.dur.0);
    }
    counts.into_iter().map(|(stage, (n, time))| (stage, n, time)).collect()
}

/// Launches in steps, and their nanoseconds.
fn in_steps(timeline: &Timeline) -> (u64, i64) {
    let within = timeline.launches.iter().filter(|l| l.step.is_some());
    within.fold((0, 0), |(n, time), l| (n + 1, time + l.dur.0))
}

fn framework(timeline: &Timeline) -> Option<&str> {
    timeline.run.framework.as_ref().map(|f| f.value.as_str())
}

fn text(known: Option<&Known<String>>) -> &str {
    known.map_or("-", |k| &k.value)
}

#[test]
fn sglang_prefill_is_one_step_with_a_place_for_each_launch() {
    let Some(t) = timeline("sglang-qwen3-8b-mi300x-mixed", &[]) else { return };
    assert_eq!(stages(&t), [(Stage::Prefill, 534, 492_811_563)]);
    assert_eq!(in_steps(&t), (524, 492_687_946));
    assert_eq!((t.steps.len(), t.steps[0].tokens, t.steps[0].requests), (1, Some(15_360), Some(15)));
    assert!(t.steps[0].whole);
    assert_eq!((t.counts.by_id, t.counts.without_launch), (532, 0));
    assert_eq!(
        main_site(&t, "FmhaBatchPrefillWithPagedKVCacheKernel"),
        ("python/sglang/srt/layers/attention/aiter_backend.py:2039 forward_extend".to_owned(), 36)
    );
    let copies = ("python/sglang/srt/models/utils.py:394 _reshape_for_qk_norm".to_owned(), 72);
    assert_eq!(main_site(&t, "direct_copy_kernel_cuda"), copies);
    assert_eq!(
        main_site(&t, "rotary_embedding_kernel").0,
        "python/sglang/srt/layers/rotary_embedding/base.py:335 forward_cuda"
    );
    assert_eq!(main_site(&t, "store_kvcache").0, "python/sglang/jit_kernel/kvcache.py:50 store_cache");
    // One name serves two modules: the module decides.
    let modules: Vec<(String, u64)> = tally(&t, "MT320x224x64", |t, id| {
        format!("{} | {}", site(t, id), module(t, id).rsplit('.').nth(1).unwrap_or("-"))
    });
    assert_eq!(
        modules,
        [
            ("python/sglang/srt/models/qwen2.py:94 forward | Qwen2MLP".to_owned(), 36),
            ("python/sglang/srt/models/qwen3.py:263 forward | Qwen3Attention".to_owned(), 36),
        ]
    );
    let norms = tally(&t, "bLi64ELi8ELb0E", |t, id| format!("{} {}", op(t, id), module(t, id)));
    let qk_norm = "aiter::rmsnorm Qwen3Model.Qwen3DecoderLayer.Qwen3Attention.RMSNorm".to_owned();
    assert_eq!(norms, [(qk_norm, 72)]);
    assert_eq!((framework(&t), text(t.run.model.as_ref())), (Some("sglang"), "qwen3"));
    assert_eq!((text(t.run.vendor.as_ref()), text(t.run.arch.as_ref())), ("amd", "gfx942"));
    assert_eq!(t.run.tp.as_ref().map(|tp| tp.value), Some(1));
}

#[test]
fn sglang_decode_takes_the_places_of_544_replayed_kernels_from_the_capture() {
    let capture = "sglang-qwen3-8b-mi300x-decode-graph-capture";
    let Some(t) = timeline("sglang-qwen3-8b-mi300x-decode-graph", &[capture]) else { return };
    assert_eq!(stages(&t), [(Stage::Decode, 558, 9_778_614)]);
    assert_eq!(in_steps(&t), (551, 9_694_013));
    assert_eq!((t.steps[0].tokens, t.steps[0].requests), (Some(32), Some(32)));
    let replays: Vec<(u32, u32)> = t.replays.iter().map(|r| (r.kernels, r.joined)).collect();
    assert_eq!(replays, [(544, 544)]);
    let replayed: i64 = t.launches.iter().filter(|l| l.replay.is_some()).map(|l| l.dur.0).sum();
    assert_eq!((t.counts.by_position, replayed), (544, 9_656_404));
    assert_eq!(
        main_site(&t, "paged_attention_ll4mi_QKV"),
        ("python/sglang/srt/layers/attention/aiter_backend.py:2435 forward_decode".to_owned(), 36)
    );
    assert_eq!(
        main_site(&t, "rotary_embedding_kernel"),
        ("python/sglang/srt/layers/rotary_embedding/base.py:335 forward_cuda".to_owned(), 36)
    );
    assert_eq!(tally(&t, "act_and_mul", op), [("sgl_kernel::silu_and_mul".to_owned(), 36)]);
}

#[test]
fn sglang_decode_without_its_capture_says_unknown() {
    let Some(t) = timeline("sglang-qwen3-8b-mi300x-decode-graph", &[]) else { return };
    assert_eq!((t.counts.by_position, t.replays[0].joined), (0, 0));
    assert_eq!(tally(&t, "act_and_mul", op), [("Unknown".to_owned(), 36)]);
    assert_eq!(stages(&t), [(Stage::Decode, 558, 9_778_614)]);
    assert_eq!(framework(&t), Some("sglang"));
}

#[test]
fn a_capture_is_no_decode_step() {
    let Some(t) = timeline("sglang-qwen3-8b-mi300x-decode-graph-capture", &[]) else { return };
    assert_eq!(stages(&t), [(Stage::Capture, 2, 11_015)]);
    assert_eq!((t.counts.launches, t.counts.capture_launches), (2, 544));
}

#[test]
fn vllm_prefill_of_one_rank_of_eight() {
    let Some(t) = timeline("vllm-gpt-oss-b200-eager", &[]) else { return };
    assert_eq!(stages(&t), [(Stage::Prefill, 929, 11_665_760)]);
    assert_eq!(in_steps(&t).0, 929);
    assert_eq!((t.steps.len(), t.steps[0].tokens, t.steps[0].whole), (1, Some(888), true));
    assert_eq!(
        main_site(&t, "bmm_MxE4m3"),
        ("vllm/model_executor/layers/quantization/mxfp4.py:889 apply".to_owned(), 36)
    );
    assert_eq!(
        main_site(&t, "multimem_all_reduce").0,
        "vllm/distributed/device_communicators/symm_mem.py:127 all_reduce"
    );
    assert_eq!(main_site(&t, "reshape_and_cache_flash").0, "vllm/v1/attention/backends/flashinfer.py:1064 forward");
    assert_eq!(main_site(&t, "nvjet_tst_64x16_64x16").0, "vllm/model_executor/models/gpt_oss.py:179 forward");
    assert_eq!(
        main_site(&t, "scaled_fp8_quant").0,
        "vllm/model_executor/layers/quantization/input_quant_fp8.py:67 forward_cuda"
    );
    assert_eq!((framework(&t), text(t.run.model.as_ref())), (Some("vllm"), "gpt_oss"));
    assert_eq!((text(t.run.hardware.as_ref()), text(t.run.arch.as_ref())), ("NVIDIA B200", "sm100"));
    let numbers = [&t.run.tp, &t.run.world_size, &t.run.rank].map(|k| k.as_ref().map(|k| k.value));
    assert_eq!(numbers, [Some(8), Some(8), Some(0)]);
}

#[test]
fn transformers_is_no_framework_of_ours_and_509_events_have_no_launch() {
    let Some(t) = timeline("transformers-qwen1.5-0.5b-h100-eager", &[]) else { return };
    assert_eq!((framework(&t), t.counts.launches, t.counts.without_launch), (None, 1_707, 509));
    let without: Vec<&attribution::Launch> = t.launches.iter().filter(|l| l.called.is_none()).collect();
    assert_eq!(without.iter().map(|l| l.dur.0).sum::<i64>(), 13_741_827);
    let first_called = t.launches.iter().position(|l| l.called.is_some());
    assert_eq!(first_called, Some(509), "all before the first launched one");
    assert_eq!(in_steps(&t), (1_198, 31_905_473));
    assert_eq!(tally(&t, "MeanOps", site)[0].0, "transformers/models/qwen2/modeling_qwen2.py:218 forward");
}

#[test]
fn training_is_attributed_by_time_on_the_launching_thread() {
    let Some(t) = timeline("training-v100-large", &[]) else { return };
    assert_eq!((framework(&t), t.counts.by_time, t.counts.by_id, t.counts.without_launch), (None, 22_290, 0, 0));
    let fills: Vec<LaunchId> = t
        .launch_ids()
        .filter(|&id| t.strings.get(t.kernel(id).raw).contains("FillFunctor<float>") && op(&t, id) == "aten::fill_")
        .collect();
    assert_eq!((fills.len(), fills.iter().map(|&id| t.launch(id).dur.0).sum::<i64>()), (2_065, 10_716_000));
    assert_eq!(t.steps.len(), 5);
    let numbers = [&t.run.tp, &t.run.world_size, &t.run.rank].map(|k| k.as_ref().map(|k| k.value));
    assert_eq!(numbers, [None, Some(2), Some(1)]);
}

#[test]
fn xdit_replays_are_joined_by_the_common_begin_of_names() {
    let Some(t) = timeline("xdit-flux1-mi300x-large", &["xdit-flux1-mi300x-large-capture"]) else { return };
    let replays: Vec<(u32, u32)> = t.replays.iter().map(|r| (r.kernels, r.joined)).collect();
    assert_eq!((replays, t.counts.by_position, t.counts.by_id), (vec![(1_566, 1_566); 4], 6_264, 1_602));
    let replayed: i64 = t.launches.iter().filter(|l| l.replay.is_some()).map(|l| l.dur.0).sum();
    assert_eq!(replayed, 170_998_308);
    let model = "xfuser/model_executor/models/transformers/transformer_flux.py:264 forward".to_owned();
    assert_eq!(tally(&t, "sage_fwd", site), [(model, 228)]);
    assert_eq!((framework(&t), text(t.run.model.as_ref())), (None, "flux"));
    let norms = tally(&t, "MeanOps", |t, id| module(t, id).rsplit('.').next().unwrap_or("-").to_owned());
    assert!(norms.contains(&("T5LayerNorm".to_owned(), 49)), "{norms:?}");
}

#[test]
fn files_without_half_of_it_are_read_all_the_same() {
    for (name, launches, time) in [
        ("kineto-2020-list-form", 9_848, 671_620_000),
        ("mi210-gpu-only", 562, 5_343_422),
        ("cuda-event-sync", 6, 372_000),
        ("no-kernels-a100", 0, 0),
        ("mtia-no-cuda", 0, 0),
    ] {
        let Some(t) = timeline(name, &[]) else { continue };
        let sum: i64 = t.launches.iter().map(|l| l.dur.0).sum();
        assert_eq!((t.counts.launches, sum, framework(&t)), (launches, time, None), "{name}");
    }
}

/// External id and enclosure in time are two sources for one fact.
#[test]
fn ids_and_times_name_the_same_ops() {
    let rules = rules();
    for name in [
        "sglang-qwen3-8b-mi300x-mixed",
        "vllm-gpt-oss-b200-eager",
        "transformers-qwen1.5-0.5b-h100-eager",
        "xdit-flux1-mi300x-large",
        "kineto-2020-list-form",
    ] {
        let Some(trace) = read(&rules, name) else { continue };
        let mut without_ids = trace.clone();
        without_ids.ops.iter_mut().for_each(|op| op.external_id = Maybe::NONE);
        let of = |trace| attribution::attribute(trace, &[], &rules.attribution, &rules.names, &Given::default());
        let (by_id, by_time) = (of(trace), of(without_ids));
        assert_eq!(by_time.counts.by_id, 0);
        let differ = by_id.launch_ids().filter(|&id| op(&by_id, id) != op(&by_time, id)).count();
        assert_eq!(differ, 0, "{name}");
    }
}
