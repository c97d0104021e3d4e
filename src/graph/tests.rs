//! What follows what, as claims. A launch is written `stream start..end`; its number is its place in the list.

use super::{Edge, build};
use crate::attribution::{ContextId, KernelId, Launch, Stage, Step, StepId, Stream, StreamId, Timeline};
use crate::trace::{ProcessId, StringId, SyncEvent};
use crate::units::{Maybe, Nanos};

fn timeline(launches: &[(u32, i64, i64)]) -> Timeline {
    let streams = launches.iter().map(|l| l.0).max().unwrap_or(0) + 1;
    Timeline {
        streams: (0..streams).map(|n| Stream { device: "0".into(), number: i64::from(n) }).collect(),
        launches: launches
            .iter()
            .enumerate()
            .map(|(index, (stream, start, end))| Launch {
                kernel: KernelId(0),
                stream: StreamId(*stream),
                start: Nanos(*start),
                dur: Nanos(end - start),
                called: None,
                context: ContextId(0),
                step: None,
                stage: Stage::All,
                replay: None,
                // The calls in between record and wait.
                correlation: Some(index as i64 * 10).into(),
                grid: None,
                bytes: Maybe::NONE,
                instance: None,
            })
            .collect(),
        ..Timeline::default()
    }
}

/// `stream` waits, right before launch `at`, for launch `until` of another stream.
fn wait(timeline: &mut Timeline, at: usize, until: usize) {
    timeline.syncs.push(SyncEvent {
        name: StringId::new(0),
        process: ProcessId(0),
        start: Nanos(0),
        dur: Nanos(0),
        stream: Some(i64::from(timeline.launches[at].stream.0)).into(),
        wait_on_stream: Some(i64::from(timeline.launches[until].stream.0)).into(),
        wait_on_record: Some(until as i64 * 10 + 1).into(),
        wait_on_event: Some(1).into(),
        correlation: Some(at as i64 * 10 - 1).into(),
    });
}

fn edges(timeline: &Timeline) -> Vec<(usize, usize, Edge)> {
    let graph = build(timeline);
    let mut edges: Vec<_> = graph
        .graph
        .edge_indices()
        .map(|edge| {
            let (from, to) = graph.graph.edge_endpoints(edge).unwrap();
            (from.index(), to.index(), graph.graph[edge])
        })
        .collect();
    edges.sort_unstable();
    edges
}

use Edge::{Stream as S, Time as T, Wait as W};

#[test]
fn launches_of_a_stream_follow_each_other_over_any_gap() {
    assert_eq!(edges(&timeline(&[(0, 0, 1), (0, 1, 2), (0, 1_000_000, 1_000_001)])), [(0, 1, S), (1, 2, S)]);
}

#[test]
fn a_launch_of_another_stream_beside_one_stands_in_no_line() {
    assert_eq!(edges(&timeline(&[(0, 0, 10), (1, 2, 4), (0, 10, 20)])), [(0, 2, S)]);
}

#[test]
fn a_launch_with_nothing_beside_it_stands_in_the_main_line_and_breaks_nothing() {
    assert_eq!(edges(&timeline(&[(0, 0, 10), (1, 10, 12), (0, 12, 20)])), [(0, 1, T), (0, 2, S), (1, 2, T)]);
}

#[test]
fn a_line_goes_on_in_another_stream() {
    assert_eq!(edges(&timeline(&[(0, 0, 10), (1, 10, 12), (1, 12, 20)])), [(0, 1, T), (1, 2, S)]);
}

#[test]
fn what_the_host_called_earlier_does_not_follow() {
    let mut timeline = timeline(&[(0, 0, 10), (1, 10, 12)]);
    timeline.launches[0].called = Some(Nanos(5));
    timeline.launches[1].called = Some(Nanos(4));
    assert_eq!(edges(&timeline), []);
}

#[test]
fn recorded_waits_join_streams_and_leave_nothing_to_guess() {
    let mut timeline = timeline(&[(0, 0, 10), (1, 10, 12), (2, 20, 30)]);
    wait(&mut timeline, 1, 0);
    assert_eq!(edges(&timeline), [(0, 1, W)]);
}

#[test]
fn an_event_covers_what_its_stream_was_given_before() {
    // 1 is called after the event is recorded, though it runs before 2.
    let mut timeline = timeline(&[(0, 0, 10), (0, 10, 12), (1, 20, 30)]);
    wait(&mut timeline, 2, 0);
    assert_eq!(edges(&timeline), [(0, 1, S), (0, 2, W)]);
}

#[test]
fn what_the_next_of_a_stream_waits_for_stands_between() {
    // 1 on another stream waits for 0, and 2 waits for it: the line is 0 1 2.
    let mut timeline = timeline(&[(0, 0, 10), (1, 10, 12), (0, 12, 20)]);
    wait(&mut timeline, 1, 0);
    wait(&mut timeline, 2, 1);
    assert_eq!(edges(&timeline), [(0, 1, W), (1, 2, W)]);
}

#[test]
fn two_branches_of_a_fork_both_lead_to_the_join() {
    let mut timeline = timeline(&[(0, 0, 10), (0, 10, 20), (1, 10, 18), (0, 20, 30)]);
    wait(&mut timeline, 2, 0);
    wait(&mut timeline, 3, 2);
    assert_eq!(edges(&timeline), [(0, 1, S), (0, 2, W), (1, 3, S), (2, 3, W)]);
}

#[test]
fn a_wait_that_says_nothing_new_makes_no_edge() {
    let mut timeline = timeline(&[(0, 0, 10), (1, 10, 12), (1, 12, 20)]);
    wait(&mut timeline, 1, 0);
    wait(&mut timeline, 2, 0);
    assert_eq!(edges(&timeline), [(0, 1, W), (1, 2, S)]);
}

#[test]
fn a_step_and_a_stage_are_borders() {
    let mut timeline = timeline(&[(0, 0, 1), (0, 1, 2), (0, 2, 3), (0, 3, 4)]);
    let step = Step {
        name: StringId::new(0),
        stage: Stage::Decode,
        start: Nanos(0),
        end: Nanos(9),
        tokens: None,
        requests: None,
        whole: true,
    };
    timeline.steps = vec![step.clone(), step];
    timeline.launches[1].step = Some(StepId(0));
    timeline.launches[2].step = Some(StepId(0));
    timeline.launches[3].step = Some(StepId(1));
    assert_eq!(edges(&timeline), [(1, 2, S)]);
    timeline.launches[2].stage = Stage::Prefill;
    assert_eq!(edges(&timeline), []);
}

#[test]
fn lines_never_mix_devices() {
    let mut timeline = timeline(&[(0, 0, 10), (1, 10, 12), (0, 12, 20)]);
    timeline.streams[1].device = "1".into();
    assert_eq!(edges(&timeline), [(0, 2, S)]);
}

#[test]
fn no_launches_make_no_graph() {
    assert!(build(&Timeline::default()).is_empty());
}
