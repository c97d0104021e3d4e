//! What the host did while the GPU had run dry.

use super::*;

/// A step with two launches; the second is called 9 us after the first has run.
fn late() -> Make {
    Make::new()
        .annotation("step[DECODE bs=1]", 0, 100_000)
        .launch("first", 100, 1_000, 1)
        .launch("late", 10_000, 11_000, 2)
}

/// Frame, op and call before the late launch.
fn before(timeline: &Timeline) -> Option<[Option<&str>; 3]> {
    let text = |id: Option<crate::trace::StringId>| id.map(|id| timeline.strings.get(id));
    let work = timeline.host_before(LaunchId(1))?;
    Some([text(work.frame), text(work.op), text(work.call)])
}

#[test]
fn the_innermost_that_fills_most_of_the_time_is_named() {
    let timeline = late()
        .frame("/x/run.py(1): outer", 0, 20_000)
        .frame("/x/sampler.py(88): forward", 2_000, 9_000)
        .frame("/x/short.py(3): helper", 3_000, 4_000)
        .op("aten::item", 2_500, 8_500)
        .op("aten::to", 2_600, 2_900)
        .attribute();
    assert_eq!(before(&timeline), Some([Some("x/sampler.py:88 forward"), Some("aten::item"), None]));
}

#[test]
fn what_fills_less_than_half_or_runs_on_another_thread_is_not_named() {
    let timeline = late()
        .op("aten::a", 1_100, 4_000)
        .op("aten::b", 4_000, 8_000)
        .thread("1", "2")
        .op("aten::elsewhere", 1_000, 10_000)
        .frame("/x/elsewhere.py(1): wait", 1_000, 10_000)
        .attribute();
    assert_eq!(before(&timeline), Some([None, None, None]));
}

#[test]
fn a_launch_that_was_queued_or_hardly_late_or_in_no_step_has_no_such_time() {
    let step = || Make::new().annotation("step[DECODE bs=1]", 0, 100_000).launch("first", 100, 1_000, 1);
    let queued = step().op("aten::item", 150, 900).launch("queued", 950, 20_000, 2).attribute();
    let hardly = step().launch("soon", 1_800, 2_000, 2).attribute();
    let outside = Make::new().launch("first", 100, 1_000, 1).launch("late", 10_000, 11_000, 2).attribute();
    assert!([queued, hardly, outside].iter().all(|timeline| timeline.host.is_empty()));
}
