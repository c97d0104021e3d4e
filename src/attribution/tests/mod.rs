//! Claims about attribution over small traces made by hand, under the shipped rules.

mod build;
mod facts;
mod host;
mod launches;
mod places;
mod replays;
mod stages;

pub(super) use build::{Make, given};

use super::*;

/// The ops around a launch, innermost first; `?` unknown, `-` nowhere.
fn ops(timeline: &Timeline, launch: u32) -> Vec<&str> {
    path(timeline, timeline.context(LaunchId(launch)).op, &timeline.ops)
}

/// The frames around a launch, innermost first; `?` unknown, `-` nowhere.
fn frames(timeline: &Timeline, launch: u32) -> Vec<&str> {
    path(timeline, timeline.context(LaunchId(launch)).frame, &timeline.frames)
}

fn path<'t>(timeline: &'t Timeline, place: Lookup, tree: &'t CallTree) -> Vec<&'t str> {
    match place {
        Lookup::Unknown => vec!["?"],
        Lookup::Nowhere => vec!["-"],
        Lookup::At(node) => tree.path(node).map(|n| timeline.strings.get(tree.name(n))).collect(),
    }
}

/// The innermost op of each launch.
fn innermost_ops(timeline: &Timeline) -> Vec<&str> {
    (0..timeline.launches.len() as u32).map(|i| ops(timeline, i)[0]).collect()
}

fn stages_of(timeline: &Timeline) -> Vec<Stage> {
    timeline.launches.iter().map(|l| l.stage).collect()
}
