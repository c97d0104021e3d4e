//! A launch is written `(stream, start, end, compute)`; times come out as (exclusive, hidden, hidden by compute).

use super::{SameStream, Times, exposure};
use crate::attribution::{ContextId, KernelId, Launch, Stage, Stream, StreamId, Timeline};
use crate::engine::Classes;
use crate::units::{Maybe, Nanos};

fn timeline(launches: &[(u32, i64, i64, bool)]) -> (Timeline, Classes) {
    let timeline = Timeline {
        streams: (0..4).map(|number| Stream { device: "0".into(), number }).collect(),
        launches: launches
            .iter()
            .map(|(stream, start, end, _)| Launch {
                kernel: KernelId(0),
                stream: StreamId(*stream),
                start: Nanos(*start),
                dur: Nanos(end - start),
                called: None,
                context: ContextId(0),
                step: None,
                stage: Stage::All,
                replay: None,
                correlation: Maybe::NONE,
                grid: None,
                bytes: Maybe::NONE,
                instance: None,
            })
            .collect(),
        ..Timeline::default()
    };
    let classes = Classes {
        names: vec!["other".into(), "gemm".into()],
        compute: vec![false, true],
        of_launch: launches.iter().map(|launch| u16::from(launch.3)).collect(),
        ..Classes::default()
    };
    (timeline, classes)
}

fn times(launches: &[(u32, i64, i64, bool)]) -> Vec<(i64, i64, i64)> {
    let (timeline, classes) = timeline(launches);
    let plain = |t: &Times| (t.exclusive.0, t.hidden.0, t.hidden_by_compute.0);
    exposure(&timeline, &classes, Nanos(1)).of_launch.iter().map(plain).collect()
}

#[test]
fn what_runs_beside_another_stream_is_hidden_for_as_long() {
    assert_eq!(times(&[(0, 0, 10, true), (1, 6, 14, false)]), [(6, 4, 0), (4, 4, 4)]);
}

#[test]
fn what_only_touches_is_not_beside() {
    assert_eq!(times(&[(0, 0, 10, true), (1, 10, 14, true)]), [(10, 0, 0), (4, 0, 0)]);
}

#[test]
fn hidden_by_two_streams_is_hidden_once() {
    // The copy of stream 0 lies under a gemm for 4, under another copy for 4, under both for 2.
    assert_eq!(times(&[(0, 0, 10, false), (1, 0, 4, true), (2, 2, 6, false)]), [(4, 6, 4), (0, 4, 0), (0, 4, 2)]);
}

#[test]
fn overlap_within_a_stream_hides_nothing_and_is_counted_apart() {
    let launches = [(0, 0, 10, true), (0, 8, 20, true), (0, 20, 22, true)];
    assert_eq!(times(&launches), [(10, 0, 0), (12, 0, 0), (2, 0, 0)]);
    let (timeline, classes) = timeline(&launches);
    assert_eq!(exposure(&timeline, &classes, Nanos(1)).same_stream, SameStream { pairs: 1, time: Nanos(2) });
    assert_eq!(exposure(&timeline, &classes, Nanos(3)).same_stream, SameStream::default(), "a rounding is none");
}

#[test]
fn devices_never_hide_each_other() {
    let (mut timeline, classes) = timeline(&[(0, 0, 10, true), (1, 0, 10, true)]);
    timeline.streams[1].device = "1".into();
    let all = exposure(&timeline, &classes, Nanos(1)).of_launch;
    assert!(all.iter().all(|times| times.hidden == Nanos::ZERO && times.exclusive == Nanos(10)));
}

#[test]
fn an_event_of_no_length_changes_nothing() {
    assert_eq!(times(&[(0, 0, 10, true), (1, 5, 5, true)]), [(10, 0, 0), (0, 0, 0)]);
}

/// The sweep against the obvious: every slice between two points asks every event.
#[test]
fn the_sweep_equals_the_slow_way_on_many_timelines() {
    let mut seed = 7_u64;
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((seed >> 33) % below) as i64
    };
    for _ in 0..200 {
        let mut launches: Vec<(u32, i64, i64, bool)> = (0..8)
            .map(|_| {
                let start = next(20);
                (next(3) as u32, start, start + next(9), next(2) == 1)
            })
            .collect();
        launches.sort_by_key(|launch| launch.1);
        let slow: Vec<(i64, i64, i64)> = launches
            .iter()
            .map(|own| {
                let at = |t: i64, compute: bool| {
                    launches.iter().any(|l| l.0 != own.0 && l.1 <= t && t < l.2 && (!compute || l.3))
                };
                let count = |compute| (own.1..own.2).filter(|t| at(*t, compute)).count() as i64;
                (own.2 - own.1 - count(false), count(false), count(true))
            })
            .collect();
        assert_eq!(times(&launches), slow, "{launches:?}");
    }
}
