//! Facts of the run.

use std::collections::BTreeMap;

use super::*;

fn framework(make: Make) -> Option<String> {
    make.attribute().run.framework.map(|f| f.value)
}

fn with_stack(frames: &[&str]) -> Make {
    let mut make = Make::new();
    for (depth, frame) in frames.iter().enumerate() {
        make = make.frame(frame, depth as i64, 100 - depth as i64);
    }
    make.launch("k", 50, 60, 1)
}

fn args(entries: &[(&str, &str)]) -> Given {
    let args: BTreeMap<String, String> = entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Given { server_args: Some((args, "server_args.json".to_owned())), ..given() }
}

#[test]
fn the_outermost_known_frame_tells_the_framework() {
    let sglang = "/w/sglang/python/sglang/srt/managers/scheduler.py(1): run";
    assert_eq!(framework(with_stack(&[sglang, "vllm/_custom_ops.py(3): f"])).as_deref(), Some("sglang"));
    assert_eq!(framework(with_stack(&["vllm/v1/x.py(1): f", "transformers/m.py(1): g"])).as_deref(), Some("vllm"));
    assert_eq!(framework(with_stack(&["transformers/m.py(1): g", "vllm/_custom_ops.py(3): f"])), None);
    assert_eq!(framework(with_stack(&["/data/me/vllm-study/main.py(1): main"])), None);
}

#[test]
fn without_frames_ops_tell_it_and_shared_ones_do_not() {
    let op = |name| Make::new().op(name, 0, 100).launch("k", 50, 60, 1);
    assert_eq!(framework(op("vllm::unified_attention")).as_deref(), Some("vllm"));
    assert_eq!(framework(op("sgl_kernel::silu_and_mul")).as_deref(), Some("sglang"));
    assert_eq!(framework(op("aten::mm")), None);
    assert_eq!(framework(op("_C::rms_norm")), None, "SGLang calls vLLM's kernels, too");
}

#[test]
fn an_annotation_that_only_one_framework_writes_tells_it() {
    let step = |name| Make::new().annotation(name, 0, 100).launch("k", 50, 60, 1);
    assert_eq!(framework(step("step[DECODE bs=32]")).as_deref(), Some("sglang"));
    assert_eq!(framework(step("execute_context_0(0)_generation_32(32)")), None, "SGLang writes it, too");
}

#[test]
fn nothing_known_is_no_framework() {
    assert_eq!(framework(Make::new().launch("vllm::rms_norm_kernel<float>", 1, 2, 1)), None);
}

#[test]
fn server_arguments_and_the_user_beat_the_trace() {
    let given = args(&[
        ("model_path", "\"Qwen/Qwen3-8B\""),
        ("tp_size", "4"),
        ("schedule_policy", "\"lpm\""),
        ("version", "\"0.5.9\""),
    ]);
    let run = with_stack(&["vllm/v1/x.py(1): f"]).attribute_with(&[], &given).run;
    let text = |k: &Option<Known<String>>| k.as_ref().map(|k| k.value.clone());
    assert_eq!(text(&run.framework).as_deref(), Some("sglang"));
    assert_eq!(text(&run.model).as_deref(), Some("Qwen/Qwen3-8B"));
    assert_eq!(text(&run.framework_version).as_deref(), Some("0.5.9"));
    let tp = run.tp.unwrap();
    assert_eq!((tp.value, tp.source.as_str()), (4, "server_args.json: tp_size"));

    let told = Given { tp: Some(2), model: Some("m".to_owned()), framework: Some("vllm".to_owned()), ..given };
    let run = with_stack(&[]).attribute_with(&[], &told).run;
    assert_eq!(
        (run.tp.unwrap().value, text(&run.model), text(&run.framework)),
        (2, Some("m".to_owned()), Some("vllm".to_owned()))
    );
}

#[test]
fn the_outermost_model_file_names_the_model() {
    let stack = [
        "/w/sglang/python/sglang/srt/models/qwen3.py(507): forward",
        "/w/sglang/python/sglang/srt/models/qwen2.py(340): forward",
        "/w/sglang/python/sglang/srt/models/utils.py(394): helper",
    ];
    assert_eq!(with_stack(&stack).attribute().run.model.unwrap().value, "qwen3");
    let only_helper = with_stack(&stack[2..]).attribute().run.model;
    assert_eq!(only_helper, None);
    let class = with_stack(&["nn.Module: LlamaForCausalLM_0", "x.py(1): f"]).attribute().run.model.unwrap();
    assert_eq!((class.value.as_str(), class.source.as_str()), ("LlamaForCausalLM", "module frames"));
}

/// Groups of eight may be data or expert parallelism as well; a tensor-parallel collective at work proves it.
#[test]
fn tensor_parallel_size_needs_a_proof() {
    let header = r#"{"rank": 0, "world_size": 8, "pg_config": [{"pg_size": 8}, {"pg_size": 1}, {"pg_size": 8}]}"#;
    let collective = "vllm/distributed/communication_op.py(12): tensor_model_parallel_all_reduce";
    let tp = |make: Make| make.header("distributedInfo", header).attribute().run.tp.map(|tp| tp.value);
    assert_eq!(tp(with_stack(&[collective])), Some(8));
    assert_eq!(tp(with_stack(&["vllm/v1/x.py(1): f"])), None);
    let one = with_stack(&[]).header("distributedInfo", r#"{"world_size": 1}"#).attribute().run;
    assert_eq!((one.tp.unwrap().value, one.world_size.unwrap().value), (1, 1));
}

/// Only tensor-parallel groups use these; NCCL's all-reduce serves data parallelism as well.
#[test]
fn an_all_reduce_of_tensor_parallel_groups_proves_it_without_frames() {
    let header = r#"{"rank": 0, "world_size": 2, "pg_config": [{"pg_size": 2}]}"#;
    let tp = |kernel| {
        let run = Make::new().launch(kernel, 1, 2, 1).header("distributedInfo", header).attribute().run;
        run.tp.map(|tp| tp.value)
    };
    assert_eq!(tp("void vllm::cross_device_reduce_1stage<float, 2>(RankData*)"), Some(2));
    assert_eq!(tp("ncclDevKernel_AllReduce_Sum_bf16_RING_LL"), None);
}

#[test]
fn a_merged_file_of_tensor_parallel_ranks_tells_their_number() {
    let ranks = |labels: &[&str]| {
        let mut make = Make::new();
        for (n, label) in labels.iter().enumerate() {
            make = make
                .thread(&format!("[{label}] 1"), "1")
                .device(&format!("[{label}] 0"), 7)
                .launch("k", 1, 2, n as i64);
        }
        make.attribute().run.tp.map(|tp| tp.value)
    };
    assert_eq!(ranks(&["TP00", "TP01"]), Some(2));
    assert_eq!(ranks(&["TP00-DP00", "TP03-DP01"]), Some(4));
    assert_eq!(ranks(&["TP01"]), None, "one rank of how many?");
    assert_eq!(ranks(&["DP00", "DP01"]), None);
}

#[test]
fn two_sizes_of_groups_leave_the_size_open() {
    let header = r#"{"world_size": 8, "pg_config": [{"pg_size": 8}, {"pg_size": 4}]}"#;
    let collective = "vllm/distributed/communication_op.py(12): tensor_model_parallel_all_reduce";
    assert_eq!(with_stack(&[collective]).header("distributedInfo", header).attribute().run.tp, None);
}

#[test]
fn the_device_tells_vendor_and_architecture() {
    let device = |json: &str| {
        let run = Make::new().launch("k", 1, 2, 1).header("deviceProperties", json).attribute().run;
        (run.vendor.map(|v| v.value), run.arch.map(|a| a.value))
    };
    let known = |vendor: &str, arch: &str| (Some(vendor.to_owned()), Some(arch.to_owned()));
    let b200 = r#"[{"name": "NVIDIA B200", "computeMajor": 10, "computeMinor": 0}]"#;
    assert_eq!(device(b200), known("nvidia", "sm100"));
    let mi300x = r#"[{"name": "AMD Instinct MI300X", "computeMajor": 9, "computeMinor": 4}]"#;
    assert_eq!(device(mi300x), known("amd", "gfx942"));
    let no_capability = r#"[{"name": "NVIDIA B200"}]"#;
    assert_eq!(device(no_capability), (Some("nvidia".to_owned()), None));
    assert_eq!(device("[]"), (Some("nvidia".to_owned()), None), "by its runtime calls");
    assert_eq!(device("not json"), (Some("nvidia".to_owned()), None));
}

#[test]
fn what_was_not_recorded_is_said() {
    let run = Make::new().launch("k", 1, 2, 1).attribute().run;
    assert_eq!((run.with_stack, run.record_shapes), (Some(false), Some(false)));
    let run =
        Make::new().launch("k", 1, 2, 1).header("with_stack", "1").header("record_shapes", "true").attribute().run;
    assert_eq!((run.with_stack, run.record_shapes), (Some(true), Some(true)));
}
