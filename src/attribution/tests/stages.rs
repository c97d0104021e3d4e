//! Steps and stages.

use super::*;

const PREFILL: &str = "execute_context_1(888_788544)_generation_0(0)";

#[test]
fn the_call_decides_the_stage_however_late_the_kernel_runs() {
    let timeline = Make::new()
        .annotation(PREFILL, 0, 100)
        .annotation("execute_context_0(0)_generation_32(32)", 200, 300)
        .launch("prefill kernel", 50, 250, 1)
        .launch("decode kernel", 210, 900_000_000, 2)
        .attribute();
    assert_eq!(stages_of(&timeline), [Stage::Prefill, Stage::Decode]);
    let steps: Vec<(Stage, Option<i64>, Option<i64>)> =
        timeline.steps.iter().map(|s| (s.stage, s.tokens, s.requests)).collect();
    assert_eq!(steps, [(Stage::Prefill, Some(888), Some(1)), (Stage::Decode, Some(32), Some(32))]);
}

#[test]
fn requests_in_both_stages_are_a_mixed_step() {
    let timeline =
        Make::new().annotation("execute_context_1(888)_generation_16(16)", 0, 100).launch("k", 50, 60, 1).attribute();
    assert_eq!(stages_of(&timeline), [Stage::Mixed]);
}

/// Nested annotations are one step; what only the outer one encloses has its stage and is in no step.
#[test]
fn the_innermost_annotation_that_names_a_stage_is_the_step() {
    let timeline = Make::new()
        .annotation("execute_32_context_0(sq0sk0)_generation_32(sq32sk32785)", 0, 1_000)
        .annotation("step[DECODE bs=32]", 100, 900)
        .launch("metadata", 50, 60, 1)
        .launch("attention", 500, 600, 2)
        .launch("argmax", 950, 960, 3)
        .attribute();
    assert_eq!(stages_of(&timeline), [Stage::Decode; 3]);
    let steps: Vec<Option<StepId>> = timeline.launches.iter().map(|l| l.step).collect();
    assert_eq!(steps, [None, Some(StepId(0)), None]);
    assert_eq!(timeline.steps.len(), 1);
    assert_eq!((timeline.steps[0].tokens, timeline.steps[0].requests), (Some(32), Some(32)));
}

#[test]
fn a_profiler_step_bounds_a_step_without_a_stage() {
    let timeline = Make::new()
        .annotation("ProfilerStep#2", 0, 100)
        .annotation("ProfilerStep#3", 100, 200)
        .launch("a", 50, 60, 1)
        .launch("b", 150, 160, 2)
        .attribute();
    assert_eq!(stages_of(&timeline), [Stage::All; 2]);
    assert_eq!(timeline.launches.iter().map(|l| l.step).collect::<Vec<_>>(), [Some(StepId(0)), Some(StepId(1))]);
}

#[test]
fn a_profiler_step_around_steps_is_none() {
    let timeline = Make::new()
        .annotation("ProfilerStep#2", 0, 1_000)
        .annotation("step[EXTEND bs=1 toks=64]", 100, 200)
        .annotation("step[DECODE bs=1]", 300, 400)
        .launch("a", 150, 160, 1)
        .launch("b", 350, 360, 2)
        .launch("between", 250, 460, 3)
        .attribute();
    let steps: Vec<Stage> = timeline.steps.iter().map(|s| s.stage).collect();
    assert_eq!(steps, [Stage::Prefill, Stage::Decode]);
    assert_eq!(stages_of(&timeline), [Stage::Prefill, Stage::Decode, Stage::All]);
}

#[test]
fn a_draft_pass_belongs_to_the_step_around_it() {
    let timeline = Make::new()
        .annotation("step[EXTEND bs=1 toks=64]", 0, 1_000)
        .annotation("step[DRAFT_EXTEND bs=1]", 500, 900)
        .launch("target", 100, 110, 1)
        .launch("draft", 600, 610, 2)
        .attribute();
    assert_eq!(timeline.steps.len(), 1);
    assert_eq!(stages_of(&timeline), [Stage::Prefill; 2]);
    assert_eq!(timeline.launches[1].step, Some(StepId(0)));
}

#[test]
fn a_worker_thread_without_steps_has_those_of_its_process() {
    let timeline = Make::new()
        .annotation(PREFILL, 0, 100)
        .thread("1", "2")
        .launch("backward", 50, 60, 1)
        .thread("9", "9")
        .call("cudaLaunchKernel", 50, 99)
        .attribute();
    assert_eq!(stages_of(&timeline), [Stage::Prefill]);
}

#[test]
fn a_graph_capture_is_no_decode_step() {
    let timeline = Make::new()
        .annotation("ProfilerStep#134", 0, 1_000)
        .annotation("capture_32_DECODE", 10, 900)
        .launch("fill", 50, 60, 1)
        .attribute_with(&[], &Given { stage_hint: Some(Stage::Decode), ..given() });
    assert_eq!(stages_of(&timeline), [Stage::Capture]);
    let warning = &timeline.warnings[0];
    assert_eq!(warning.code, "stage-disagrees");
    assert!(warning.text.contains("decode") && warning.text.contains("capture"), "{}", warning.text);
}

#[test]
fn the_gpu_annotation_stages_a_kernel_without_a_call() {
    let timeline =
        Make::new().gpu_annotation("step[DECODE bs=4]", 1_000, 2_000).kernel("k", 1_500, 1).kernel("late", 2_500, 2);
    assert_eq!(stages_of(&timeline.attribute()), [Stage::Decode, Stage::All]);
}

#[test]
fn the_name_of_the_file_counts_where_annotations_say_nothing() {
    let hint = Given { stage_hint: Some(Stage::Decode), ..given() };
    let timeline = Make::new().launch("k", 1, 2, 1).attribute_with(&[], &hint);
    assert_eq!(stages_of(&timeline), [Stage::Decode]);
    let bound = Make::new().annotation("ProfilerStep#2", 0, 100).launch("k", 50, 60, 1).attribute_with(&[], &hint);
    assert_eq!((stages_of(&bound), bound.steps[0].stage), (vec![Stage::Decode], Stage::Decode));
    let make = Make::new().annotation(PREFILL, 0, 100).launch("k", 50, 60, 1).launch("outside", 150, 160, 2);
    let timeline = make.attribute_with(&[], &hint);
    assert_eq!(stages_of(&timeline), [Stage::Prefill, Stage::All], "a hint that is wrong counts for nothing");
    assert_eq!(timeline.warnings[0].code, "stage-disagrees");
}

/// Kernels that were launched and never seen: the trace ended before they ran.
#[test]
fn a_step_that_lacks_kernels_is_not_whole() {
    let timeline = Make::new()
        .annotation("step[DECODE bs=1]", 0, 100)
        .annotation("step[DECODE bs=1]", 200, 300)
        .launch("a", 50, 60, 1)
        .launch("b", 210, 260, 2)
        .call("cudaLaunchKernel", 220, 3)
        .call("cudaMemcpyAsync", 90, 4)
        .attribute();
    assert_eq!(timeline.steps.iter().map(|s| s.whole).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn rounding_does_not_push_a_launch_out_of_its_step() {
    let timeline = Make::new().annotation(PREFILL, 10, 100).launch("k", 9, 60, 1).attribute();
    assert_eq!(stages_of(&timeline), [Stage::Prefill]);
}
