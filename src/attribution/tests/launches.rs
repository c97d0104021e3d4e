//! Which call launched a GPU event, and which device is looked at.

use super::*;
use crate::trace::GpuKind;

#[test]
fn a_copy_has_a_place_like_a_kernel_has() {
    let timeline = Make::new()
        .op("aten::copy_", 0, 100)
        .call("cudaMemcpyAsync", 50, 1)
        .gpu_event(GpuKind::Memcpy, "Memcpy DtoD (Device -> Device)", 60, Some(1), None)
        .attribute();
    assert_eq!(ops(&timeline, 0), ["aten::copy_"]);
}

#[test]
fn launches_stand_in_start_order_whatever_the_file_says() {
    let timeline = Make::new().launch("late", 1, 300, 1).launch("early", 2, 100, 2).attribute();
    let names: Vec<&str> = timeline.launch_ids().map(|l| timeline.strings.get(timeline.kernel(l).raw)).collect();
    assert_eq!(names, ["early", "late"]);
}

/// Two ranks in one file, the same correlations in both: each kernel keeps to its own rank.
#[test]
fn ranks_of_a_merged_file_never_mix() {
    let rank = |make: Make, label: &str, op: &str, kernels: i64| {
        let make = make.thread(&format!("[{label}] 251"), "251").op(op, 0, 100);
        let mut make = make.device(&format!("[{label}] 0"), 7);
        for i in 0..kernels {
            make = make.launch("gemm", 10 + i, 200 + 20 * i, i);
        }
        make
    };
    let both = || rank(rank(Make::new(), "TP00", "rank0::mm", 2), "TP01", "rank1::mm", 3);
    let timeline = both().attribute();
    assert_eq!(innermost_ops(&timeline), ["rank1::mm"; 3], "the device with most GPU time");
    let told: Vec<(&str, bool)> = timeline.devices.iter().map(|d| (d.device.as_str(), d.taken)).collect();
    assert_eq!(told, [("[TP01] 0", true), ("[TP00] 0", false)]);

    let timeline = both().attribute_with(&[], &Given { rank: Some(0), ..given() });
    assert_eq!(innermost_ops(&timeline), ["rank0::mm"; 2], "the rank asked for");
    assert_eq!(timeline.run.rank.unwrap().value, 0);
    let timeline = both().attribute_with(&[], &Given { device: Some("[TP00] 0".to_owned()), ..given() });
    assert_eq!(innermost_ops(&timeline), ["rank0::mm"; 2], "the device asked for");
}

#[test]
fn a_rank_that_is_not_there_is_said() {
    let make = Make::new().thread("[TP00] 1", "1").device("[TP00] 0", 7).launch("gemm", 1, 2, 1);
    let timeline = make.attribute_with(&[], &Given { rank: Some(3), ..given() });
    assert_eq!(timeline.launches.len(), 1);
    assert_eq!(timeline.warnings[0].code, "no-such-device");
    assert!(timeline.warnings[0].text.contains("[TP00] 0"));
}

/// Two processes without labels and with equal correlations: a device belongs to the process whose calls agree.
#[test]
fn equal_correlations_of_two_processes_are_told_apart() {
    let mut make = Make::new();
    for (pid, gpu, op, shift) in [("100", "0", "a::mm", 0), ("200", "1", "b::mm", 5_000)] {
        make = make.thread(pid, pid).op(op, shift, shift + 1_000).device(gpu, 7);
        for i in 0..3 {
            make = make.launch("gemm", shift + 10 + i, shift + 100 + 20 * i, i);
        }
    }
    for (device, op) in [("0", "a::mm"), ("1", "b::mm")] {
        let given = Given { device: Some(device.to_owned()), ..given() };
        let timeline = make.clone().attribute_with(&[], &given);
        assert_eq!(innermost_ops(&timeline), [op; 3], "device {device}");
    }
}

/// One process that drives two devices is paired with both.
#[test]
fn one_process_may_have_several_devices() {
    let make = Make::new().op("aten::mm", 0, 100).device("0", 7).launch("gemm", 1, 200, 1);
    let make = make.device("1", 7).launch("gemm", 2, 200, 2).launch("gemm", 3, 300, 3);
    let timeline = make.attribute();
    assert_eq!(innermost_ops(&timeline), ["aten::mm"; 2]);
    assert_eq!(timeline.devices.len(), 2);
}

#[test]
fn a_kernel_without_a_call_is_counted_and_unknown() {
    let timeline = Make::new().op("aten::mm", 0, 100).kernel("gemm", 50, 1).attribute();
    assert_eq!(ops(&timeline, 0), ["?"]);
    assert_eq!((timeline.counts.without_launch, timeline.launches[0].called), (1, None));
    assert_eq!(timeline.counts.without_op, 1);
}

#[test]
fn a_trace_without_gpu_events_is_an_empty_timeline() {
    let timeline = Make::new().op("aten::mm", 0, 100).call("cudaLaunchKernel", 5, 1).attribute();
    assert_eq!((timeline.launches.len(), timeline.devices.len()), (0, 0));
    assert_eq!(Make::new().attribute().launches.len(), 0);
}
