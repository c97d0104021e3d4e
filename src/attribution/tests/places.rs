//! CPU op, Python frames, site and module of a launch.

use super::*;
use crate::trace::GpuKind;

#[test]
fn the_innermost_op_around_the_call_with_all_that_encloses_it() {
    let timeline = Make::new()
        .op("aten::linear", 0, 100)
        .op("aten::addmm", 10, 90)
        .op("aten::empty", 12, 20)
        .launch("gemm", 50, 1_000, 1)
        .attribute();
    assert_eq!(ops(&timeline, 0), ["aten::addmm", "aten::linear"]);
    assert_eq!(timeline.counts.by_time, 1);
}

#[test]
fn an_op_of_another_thread_is_not_around_the_call() {
    let timeline =
        Make::new().thread("1", "2").op("aten::other", 0, 100).thread("1", "1").launch("gemm", 50, 60, 1).attribute();
    assert_eq!(ops(&timeline, 0), ["-"]);
}

#[test]
fn a_launch_outside_any_op_is_nowhere_but_without_ops_it_is_unknown() {
    let outside = Make::new().op("aten::mm", 0, 10).launch("jit", 50, 60, 1).attribute();
    assert_eq!(ops(&outside, 0), ["-"]);
    let none_recorded = Make::new().launch("jit", 50, 60, 1).attribute();
    assert_eq!(ops(&none_recorded, 0), ["?"]);
}

#[test]
fn an_external_id_names_the_op() {
    let timeline = Make::new()
        .op_with("aten::mm", 0, 100, Some(40), Some("[[8, 16]]"))
        .op_with("aten::inner", 10, 90, Some(41), None)
        .call_with("cudaLaunchKernel", 50, 7, Some(40), None)
        .kernel("gemm", 60, 7)
        .attribute();
    assert_eq!(ops(&timeline, 0), ["aten::mm"]);
    assert_eq!(timeline.counts.by_id, 1);
    let dims = timeline.context(LaunchId(0)).dims.unwrap();
    assert_eq!(timeline.strings.get(dims), "[[8, 16]]");
}

/// In old traces the External id repeats the correlation, and happens to be that of some other op.
#[test]
fn an_external_id_that_repeats_the_correlation_names_nothing() {
    let timeline = Make::new()
        .op_with("aten::fill_", 0, 100, Some(1), None)
        .op_with("aten::add_", 200, 300, Some(2), None)
        .call_with("cudaLaunchKernel", 250, 1, Some(1), None)
        .gpu_event(GpuKind::Kernel, "add", 400, Some(1), Some(1))
        .attribute();
    assert_eq!(ops(&timeline, 0), ["aten::add_"]);
}

#[test]
fn an_id_of_an_op_that_is_over_names_nothing() {
    let timeline = Make::new()
        .op_with("aten::before", 0, 10, Some(5), None)
        .op_with("aten::around", 20, 100, Some(6), None)
        .call_with("cudaLaunchKernel", 50, 1, Some(5), None)
        .kernel("k", 60, 1)
        .attribute();
    assert_eq!(ops(&timeline, 0), ["aten::around"]);
}

#[test]
fn shapes_come_from_the_innermost_op_that_has_any() {
    let timeline = Make::new()
        .op_with("aten::linear", 0, 100, None, Some("[[1, 2], [3, 4]]"))
        .op_with("aten::wrapper", 5, 95, None, Some("[[], []]"))
        .launch("gemm", 50, 60, 1)
        .attribute();
    let dims = timeline.context(LaunchId(0)).dims.unwrap();
    assert_eq!(timeline.strings.get(dims), "[[1, 2], [3, 4]]");
}

#[test]
fn frames_are_the_stack_at_the_call_without_what_names_no_place() {
    let timeline = Make::new()
        .frame("vllm/a.py(1): f", 0, 100)
        .frame("vllm/b.py(2): done", 5, 8)
        .frame("nn.Module: RMSNorm_12", 10, 90)
        .frame("<built-in method mm of Tensor object at 0x7f00>", 20, 80)
        .launch("k", 50, 60, 1)
        .attribute();
    assert_eq!(frames(&timeline, 0), ["nn.Module: RMSNorm", "vllm/a.py(1): f"]);
}

#[test]
fn without_stacks_the_place_is_unknown_and_between_frames_it_is_nowhere() {
    let no_stacks = Make::new().op("aten::mm", 0, 100).launch("k", 50, 60, 1).attribute();
    assert_eq!(frames(&no_stacks, 0), ["?"]);
    let between = Make::new().frame("a.py(1): f", 0, 10).launch("k", 50, 60, 1).attribute();
    assert_eq!(frames(&between, 0), ["-"]);
    let other_thread = Make::new().thread("1", "2").frame("a.py(1): f", 0, 100).thread("1", "1");
    assert_eq!(frames(&other_thread.launch("k", 50, 60, 1).attribute(), 0), ["?"]);
}

#[test]
fn layers_share_a_context() {
    let mut make = Make::new();
    for layer in 0..3 {
        let at = layer * 100;
        make = make
            .frame(&format!("nn.Module: DecoderLayer_{layer}"), at, at + 90)
            .op_with("aten::mm", at + 10, at + 50, Some(layer), Some("[[4, 4]]"))
            .launch("gemm", at + 20, 1_000 + at, 10 + layer);
    }
    assert_eq!(make.attribute().contexts.len(), 1);
}

/// Stacks of the servers, outermost first, and the site that people should be shown.
#[test]
fn wrappers_are_not_the_site() {
    let stacks: [(&[&str], &str); 6] = [
        (
            &[
                "/w/sglang/python/sglang/srt/layers/attention/aiter_backend.py(2039): forward_extend",
                "aiter/ops/mha.py(2929): mha_batch_prefill_func",
                "/w/sglang/python/sglang/srt/utils/kernel_shape_profiler.py(302): impl",
                "torch/_ops.py(1244): __call__",
                "aiter/jit/core.py(1396): wrapper",
            ],
            "python/sglang/srt/layers/attention/aiter_backend.py:2039 forward_extend",
        ),
        (
            &[
                "/w/sglang/python/sglang/srt/models/qwen2.py(94): forward",
                "nn.Module: RowParallelLinear_1",
                "torch/nn/modules/module.py(1779): _call_impl",
                "/w/sglang/python/sglang/srt/layers/linear.py(1500): forward",
                "/w/sglang/python/sglang/srt/layers/quantization/unquant.py(136): apply",
            ],
            "python/sglang/srt/models/qwen2.py:94 forward",
        ),
        (
            &[
                "vllm/model_executor/models/gpt_oss.py(130): forward",
                "vllm/model_executor/layers/linear.py(234): apply",
                "vllm/model_executor/layers/utils.py(99): default_unquantized_gemm",
                "vllm/model_executor/parameter.py(122): __torch_function__",
            ],
            "vllm/model_executor/models/gpt_oss.py:130 forward",
        ),
        (
            &[
                "vllm/model_executor/custom_op.py(46): forward",
                "vllm/model_executor/layers/layernorm.py(35): fused_add_rms_norm",
                "vllm/_custom_ops.py(334): fused_add_rms_norm",
            ],
            "vllm/model_executor/layers/layernorm.py:35 fused_add_rms_norm",
        ),
        (
            &[
                "/app/xDiT/xfuser/model_executor/models/runner_models/flux.py(114): _run_pipe",
                "/app/xDiT/xfuser/model_executor/models/transformers/transformer_flux.py(264): forward",
                "torch/_inductor/utils.py(3013): run",
                "/tmp/torchinductor_root/dn/cdniggn.py(6894): partition_0",
            ],
            "xfuser/model_executor/models/transformers/transformer_flux.py:264 forward",
        ),
        (
            &["/w/sglang/python/sglang/srt/model_executor/model_runner.py(3194): _forward_raw", "aiter/x.py(1): f"],
            "python/sglang/srt/model_executor/model_runner.py:3194 _forward_raw",
        ),
    ];
    for (stack, site) in stacks {
        let mut make = Make::new();
        for (depth, frame) in stack.iter().enumerate() {
            make = make.frame(frame, depth as i64, 100 - depth as i64);
        }
        let timeline = make.launch("k", 50, 60, 1).attribute();
        let found = timeline.context(LaunchId(0)).site.map(|s| timeline.strings.get(s));
        assert_eq!(found, Some(site));
    }
}

#[test]
fn frames_out_of_order_are_sorted_first() {
    let timeline =
        Make::new().frame("b.py(2): inner", 20, 80).frame("a.py(1): outer", 0, 100).launch("k", 50, 60, 1).attribute();
    assert_eq!(frames(&timeline, 0), ["b.py(2): inner", "a.py(1): outer"]);
}
