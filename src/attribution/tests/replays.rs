//! Graph replays joined with their captures.

use super::*;
use crate::trace::Trace;

/// A capture of kernels `(name, op)`, 100 ns apart from `from` on. Names are told on HIP, not on CUDA.
fn capture(make: Make, from: i64, hip: bool, kernels: &[(&str, &str)]) -> Make {
    let runtime = if hip { "hip" } else { "cuda" };
    let mut make = make.call(&format!("{runtime}StreamBeginCapture"), from, from);
    for (i, (kernel, op)) in kernels.iter().enumerate() {
        let at = from + 100 * (i as i64 + 1);
        make = make
            .frame(&format!("vllm/models/m.py({i}): forward"), at, at + 90)
            .op(op, at, at + 90)
            .call(&format!("{runtime}StreamGetCaptureInfo"), at + 5, at + 5)
            .call_with(&format!("{runtime}LaunchKernel"), at + 10, at + 10, None, hip.then_some(*kernel));
    }
    let end = from + 100 * (kernels.len() as i64 + 1);
    make.call(&format!("{runtime}StreamEndCapture"), end, end)
}

/// A replay of kernels, 10 ns apart from `from` on.
fn replay(make: Make, from: i64, hip: bool, kernels: &[&str]) -> Make {
    let mut make = make.op("graph::replay", from - 50, from).call(
        if hip { "hipGraphLaunch" } else { "cudaGraphLaunch" },
        from - 10,
        from,
    );
    for (i, kernel) in kernels.iter().enumerate() {
        make = make.kernel(kernel, from + 10 * i as i64, from);
    }
    make
}

fn sibling(make: Make) -> [Trace; 1] {
    [make.trace]
}

const LAYER: [(&str, &str); 3] = [("gemm", "aten::mm"), ("rope", "_C::rotary"), ("gemm", "aten::addmm")];

#[test]
fn a_replay_takes_its_places_from_the_capture_in_the_same_file() {
    let timeline = replay(capture(Make::new(), 0, true, &LAYER), 9_000, true, &["gemm", "rope", "gemm"]).attribute();
    assert_eq!(innermost_ops(&timeline), ["aten::mm", "_C::rotary", "aten::addmm"]);
    assert_eq!(frames(&timeline, 1), ["vllm/models/m.py(1): forward"]);
    let counts = timeline.counts;
    assert_eq!((counts.by_position, counts.capture_launches, counts.without_launch), (3, 3, 0));
    assert_eq!(timeline.context(LaunchId(0)).op_found_by, FoundBy::Position);
    assert_eq!(timeline.context(LaunchId(0)).frame_found_by, FoundBy::Position);
    assert_eq!((timeline.replays[0].kernels, timeline.replays[0].joined), (3, 3));
    assert_eq!(timeline.launches[2].replay, Some(0));
}

#[test]
fn a_replay_takes_its_places_from_a_capture_in_a_sibling_file() {
    // Texts of the sibling have other ids.
    let other = sibling(capture(Make::new().op("zzz", 0, 1), 10, true, &LAYER));
    let timeline = replay(Make::new(), 9_000, true, &["gemm", "rope", "gemm"]).attribute_with(&other, &given());
    assert_eq!(innermost_ops(&timeline), ["aten::mm", "_C::rotary", "aten::addmm"]);
    let site = timeline.context(LaunchId(1)).site.map(|s| timeline.strings.get(s));
    assert_eq!(site, Some("vllm/models/m.py:1 forward"));
    assert_eq!(timeline.counts.capture_launches, 0, "captured in another file");
}

#[test]
fn without_a_capture_the_places_of_a_replay_are_unknown() {
    let timeline = replay(Make::new().frame("a.py(1): replay", 0, 9_999), 9_000, true, &["gemm"]).attribute();
    assert_eq!((ops(&timeline, 0), frames(&timeline, 0)), (vec!["?"], vec!["?"]));
    assert_eq!((timeline.replays[0].kernels, timeline.replays[0].joined), (1, 0));
    assert_eq!(timeline.launches[0].called, Some(crate::units::Nanos(8_990)), "the stage still has its call");
}

#[test]
fn a_capture_that_goes_on_is_joined_by_its_begin() {
    let mut longer = LAYER.to_vec();
    longer.push(("never replayed", "aten::copy_"));
    let other = sibling(capture(Make::new(), 0, true, &longer));
    let timeline = replay(Make::new(), 9_000, true, &["gemm", "rope", "gemm"]).attribute_with(&other, &given());
    assert_eq!(innermost_ops(&timeline), ["aten::mm", "_C::rotary", "aten::addmm"]);
}

#[test]
fn a_capture_of_other_kernels_lends_nothing() {
    let other = sibling(capture(Make::new(), 0, true, &LAYER));
    let timeline = replay(Make::new(), 9_000, true, &["gemm", "attention", "gemm"]).attribute_with(&other, &given());
    assert_eq!(innermost_ops(&timeline), ["?"; 3]);
}

#[test]
fn mangled_and_demangled_names_are_one_name() {
    let other = sibling(capture(Make::new(), 0, true, &[("_Z4gemmv", "aten::mm")]));
    let timeline = replay(Make::new(), 9_000, true, &["gemm()"]).attribute_with(&other, &given());
    assert_eq!(innermost_ops(&timeline), ["aten::mm"]);
}

#[test]
fn where_calls_name_no_kernel_equal_counts_are_joined_and_unequal_ones_are_not() {
    let other = sibling(capture(Make::new(), 0, false, &LAYER));
    let equal = replay(Make::new(), 9_000, false, &["gemm", "rope", "gemm"]).attribute_with(&other, &given());
    assert_eq!(innermost_ops(&equal), ["aten::mm", "_C::rotary", "aten::addmm"]);
    let fewer = replay(Make::new(), 9_000, false, &["gemm", "rope"]).attribute_with(&other, &given());
    assert_eq!(innermost_ops(&fewer), ["?"; 2]);
}

/// A piecewise graph: equal segments, one a layer, replayed in the order of their capture, step after step.
#[test]
fn equal_segments_are_taken_in_turn() {
    let mut captures = Make::new();
    for (layer, op) in ["layer0::mm", "layer1::mm"].iter().enumerate() {
        captures = capture(captures, layer as i64 * 1_000, true, &[("gemm", op)]);
    }
    let other = sibling(captures);
    let mut make = Make::new();
    for i in 0..4 {
        make = replay(make, 9_000 + 100 * i, true, &["gemm"]);
    }
    let timeline = make.attribute_with(&other, &given());
    assert_eq!(innermost_ops(&timeline), ["layer0::mm", "layer1::mm", "layer0::mm", "layer1::mm"]);
}

/// Captures of the same kernels for several batch sizes, each with its shapes.
fn captures_by_size(annotated: bool) -> [Trace; 1] {
    let mut make = Make::new();
    for (i, size) in [64, 8, 32].into_iter().enumerate() {
        let at = 1_000 * i as i64;
        if annotated {
            make = make.annotation(&format!("capture_{size}_DECODE"), at, at + 900);
        }
        make = make
            .call("hipStreamBeginCapture", at, at)
            .op_with("aten::mm", at + 10, at + 50, None, Some(&format!("[[{size}, 64]]")))
            .call_with("hipLaunchKernel", at + 20, at + 20, None, Some("gemm"))
            .call("hipStreamEndCapture", at + 100, at + 100);
    }
    sibling(make)
}

fn dims(timeline: &Timeline, launch: u32) -> Option<&str> {
    timeline.context(LaunchId(launch)).dims.map(|d| timeline.strings.get(d))
}

#[test]
fn of_equal_captures_the_smallest_that_holds_the_step_was_replayed() {
    let make = Make::new().annotation("step[DECODE bs=20]", 8_000, 9_999);
    let timeline = replay(make, 9_000, true, &["gemm"]).attribute_with(&captures_by_size(true), &given());
    assert_eq!((innermost_ops(&timeline)[0], dims(&timeline, 0)), ("aten::mm", Some("[[32, 64]]")));
}

#[test]
fn when_the_size_is_in_doubt_the_shapes_are_left_out() {
    for (annotated, step) in [(false, "step[DECODE bs=20]"), (true, "no step"), (true, "step[DECODE bs=500]")] {
        let make = Make::new().annotation(step, 8_000, 9_999);
        let timeline = replay(make, 9_000, true, &["gemm"]).attribute_with(&captures_by_size(annotated), &given());
        assert_eq!((innermost_ops(&timeline)[0], dims(&timeline, 0)), ("aten::mm", None), "{annotated} {step}");
    }
}

/// What runs while a capture is open was not captured.
#[test]
fn a_launch_that_ran_at_once_is_no_part_of_a_capture() {
    let make = Make::new()
        .call("hipStreamBeginCapture", 0, 1)
        .op("aten::fill_", 5, 20)
        .call_with("hipLaunchKernel", 10, 2, None, Some("fill"))
        .kernel("fill", 15, 2)
        .op("aten::mm", 30, 50)
        .call_with("hipLaunchKernel", 40, 3, None, Some("gemm"))
        .call("hipStreamEndCapture", 60, 4);
    let timeline = replay(make, 9_000, true, &["gemm"]).attribute();
    assert_eq!(innermost_ops(&timeline), ["aten::fill_", "aten::mm"]);
    assert_eq!(timeline.counts.capture_launches, 1);
}

#[test]
fn launches_in_a_capture_do_not_make_a_step_partial() {
    let make = Make::new().annotation("capture_32_DECODE", 0, 8_000);
    let timeline = capture(make, 0, true, &LAYER).launch("fill", 7_000, 7_010, 77).attribute();
    assert!(timeline.steps[0].whole);
}
