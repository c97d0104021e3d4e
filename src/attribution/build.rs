//! The arrow of the room: launches, places, replays, steps and facts joined into one timeline.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::host::Late;
use super::launch::{CallRole, CallRoles, Joined, join};
use super::place::{Ask, Place, Scene, Texts, Trees, find};
use super::replay::{self, Captured, Demangler, Replays, Segment, Side};
use super::rows::Rows;
use super::stage::{Steps, Where};
use super::{CollectiveFacts, FoundBy, Given, LaunchId, Lookup, NodeId, Settings, Step, Timeline, host, run, site};
use crate::kernel_name;
use crate::trace::{Collective, GpuKind, LaneId, Strings, Trace, Warning};
use crate::units::{Maybe, Nanos};

/// Attributes the GPU events of one device of `trace`. `captures` are sibling files of the same rank that may hold its
/// graph captures.
pub fn attribute(
    mut trace: Trace,
    captures: &[Trace],
    settings: &Settings,
    names: &kernel_name::Settings,
    given: &Given,
) -> Timeline {
    let mut strings = std::mem::take(&mut trace.strings);
    let mut warnings = std::mem::take(&mut trace.warnings);
    let joined = join(&trace, &strings, settings, given, &mut warnings);
    let steps = Steps::find(&trace, &strings, &joined, settings, given.stage_hint);

    // This file first, then its siblings.
    let mut sides: Vec<Side<'_>> = vec![Side { trace: &trace, joined, steps, texts: Texts::new(None) }];
    for sibling in captures {
        let rank = Given { rank: given.rank, ..Given::default() };
        let joined = join(sibling, &sibling.strings, settings, &rank, &mut Vec::new());
        let steps = Steps::find(sibling, &sibling.strings, &joined, settings, None);
        sides.push(Side { trace: sibling, joined, steps, texts: Texts::new(Some(&sibling.strings)) });
    }
    let mut demangler = Demangler::new(names);
    let mut segments: Vec<Segment> = Vec::new();
    for (index, side) in sides.iter_mut().enumerate() {
        segments.extend(replay::segments(index, side, settings, &mut strings, &mut demangler));
    }
    let capture_launches = segments.iter().filter(|s| s.is_of(0)).map(|s| s.calls.len() as u64).sum();
    let Replays { replays, of: replay_of } =
        replay::replays(&sides[0], settings, &segments, &mut strings, &mut demangler);

    let mut trees = Trees::default();
    let own = &sides[0];
    let found: Vec<Where> = (own.joined.events.iter().zip(&own.joined.calls))
        .map(|(&event, &call)| stage_of(&trace, &strings, &own.steps, event, call))
        .collect();
    let mut late = Late::find(&trace, &own.joined, &found, settings);
    let places = places(&mut sides, &replay_of, settings, &mut late, (&mut trees, &mut strings));
    let Side { joined, steps, .. } = sides.swap_remove(0);
    drop(sides);
    let (ops, frames) = (trees.ops, trees.frames);

    let facts = run::facts(&run::Sources {
        trace: &trace,
        strings: &strings,
        joined: &joined,
        frames: &frames,
        launches: &launches_by_frame(&places),
        settings,
        given,
    });
    // Most of what was read; nothing asks for them from here on.
    trace.frames = Vec::new();
    let shown = site::shown(&frames.tree, &settings.sites, &mut strings);
    let disputed = disputed(&steps);
    let mut steps = steps.found;
    // Neither needs the other, and both take long.
    let (filled, rows) = rayon::join(
        || late.filled(&trace),
        || {
            let mut rows = Rows::new(&strings, shown, joined.events.len());
            for (at, (&event, place)) in joined.events.iter().zip(places).enumerate() {
                let replay = replay_of.get(at).copied().flatten().map(|(replay, _)| replay);
                rows.add(&trace, event, joined.calls[at], place, replay, found[at], names);
            }
            mark_whole(&mut steps, &trace, &joined, settings, &strings);
            rows
        },
    );
    let Rows { kernels, streams, contexts, launches, mut counts, .. } = rows;
    counts.capture_launches = capture_launches;
    warnings.extend(disputed);
    let collectives = collectives(&trace, &joined.events);
    let host = host::work(filled, &mut strings, &settings.sites);

    Timeline {
        path: trace.path,
        module_prefix: settings.sites.module_prefix.clone(),
        strings,
        kernels,
        launches,
        collectives,
        streams,
        contexts,
        ops: ops.tree,
        frames: frames.tree,
        steps,
        replays,
        host,
        syncs: trace.syncs,
        run: facts,
        counts,
        devices: joined.devices,
        skipped: trace.skipped,
        warnings,
    }
}

/// The place of each event: around its call, or around the captured launch that it replays.
fn places(
    sides: &mut [Side<'_>],
    replay_of: &[Option<(u32, Option<Captured>)>],
    settings: &Settings,
    late: &mut Late,
    (trees, strings): (&mut Trees, &mut Strings),
) -> Vec<Place> {
    let mut places = Vec::new();
    let mut by_capture: FxHashMap<(usize, u32), Place> = FxHashMap::default();
    for (index, side) in sides.iter_mut().enumerate() {
        let (trace, joined) = (side.trace, &side.joined);
        let mut wanted: Vec<u32> =
            replay_of.iter().flatten().filter_map(|(_, c)| *c).filter(|c| c.trace == index).map(|c| c.call).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut asks: Vec<Ask> = Vec::new();
        if index == 0 {
            asks.extend(joined.events.iter().zip(&joined.calls).map(|(&e, &call)| ask(trace, Some(e), call)));
        }
        let own = asks.len();
        asks.extend(wanted.iter().map(|&call| ask(trace, None, Some(call))));
        let scene = Scene { trace, hosts: &joined.hosts, sites: &settings.sites, slack: settings.slack };
        let late = (index == 0).then_some(&mut *late);
        let mut found = find(&scene, &asks, late, &mut side.texts, trees, strings);
        by_capture.extend(wanted.iter().map(|&call| (index, call)).zip(found.split_off(own)));
        if index == 0 {
            places = found;
        }
    }
    for (place, replay) in places.iter_mut().zip(replay_of) {
        match replay {
            None => {}
            // What launched the graph is not what launched the kernel.
            Some((_, None)) => *place = Place::UNKNOWN,
            Some((_, Some(captured))) => {
                let captured_at = by_capture.get(&(captured.trace, captured.call));
                *place = by_position(captured_at.copied().unwrap_or(Place::UNKNOWN), captured.sure);
            }
        }
    }
    places
}

fn ask(trace: &Trace, event: Option<u32>, call: Option<u32>) -> Ask {
    let call = call.map(|c| &trace.runtime[c as usize]);
    let event = event.map(|e| &trace.gpu[e as usize]);
    Ask {
        lane: call.map(|c| c.lane),
        time: call.map(|c| c.start).or(event.map(|e| e.start)).unwrap_or_default(),
        id: call.map_or(Maybe::NONE, |c| c.external_id).or(event.map_or(Maybe::NONE, |e| e.external_id)),
        correlation: call.map_or(Maybe::NONE, |c| c.correlation).or(event.map_or(Maybe::NONE, |e| e.correlation)),
    }
}

/// The place of a captured launch as the place of its replay. Its shapes hold only when the capture is sure to be that
/// of the replay, and not that of another batch size.
fn by_position(mut place: Place, sure: bool) -> Place {
    place.op_found_by = FoundBy::Position;
    if matches!(place.frame, Lookup::At(_)) {
        place.frame_found_by = FoundBy::Position;
    }
    place.dims = place.dims.filter(|_| sure);
    place
}

fn stage_of(trace: &Trace, strings: &Strings, steps: &Steps, event: u32, call: Option<u32>) -> Where {
    let event = &trace.gpu[event as usize];
    let by_call = call.map_or_else(Where::default, |call| {
        let call = &trace.runtime[call as usize];
        let process = trace.lanes[call.lane.0 as usize].process;
        steps.by_call(process, call.lane, call.start)
    });
    if by_call.stage.is_some() {
        return by_call;
    }
    let by_gpu = steps.by_gpu(trace, strings, event.stream.process, event.stream.stream, event.start);
    Where { step: by_call.step.or(by_gpu.step), stage: by_gpu.stage.or(steps.fallback) }
}

/// The warning of a stage in a name that all annotations contradict.
fn disputed(steps: &Steps) -> Option<Warning> {
    let (hint, named) = steps.disputed.as_ref()?;
    let named: Vec<&str> = named.iter().map(|s| s.id()).collect();
    Some(Warning {
        code: "stage-disagrees",
        text: format!(
            "the name of the file or its folder says {}, step annotations in it say {}; the annotations count",
            hint.id(),
            named.join(", ")
        ),
    })
}

/// A step is not whole when the trace lacks GPU events of kernels that were launched in it.
fn mark_whole(steps: &mut [Step], trace: &Trace, joined: &Joined, settings: &Settings, strings: &Strings) {
    let mut roles = CallRoles::new(&settings.calls);
    let mut lost: Vec<Nanos> = Vec::new();
    let mut capturing: FxHashMap<LaneId, bool> = FxHashMap::default();
    let mut order: Vec<u32> = (0..trace.runtime.len() as u32).collect();
    order.sort_by_key(|&i| (trace.runtime[i as usize].start, i));
    for i in order {
        let call = &trace.runtime[i as usize];
        let captures = capturing.entry(call.lane).or_default();
        match roles.of(call.name, strings.get(call.name)) {
            CallRole::CaptureBegin => *captures = true,
            CallRole::CaptureEnd => *captures = false,
            CallRole::Launch(GpuKind::Kernel) | CallRole::Graph
                if !*captures
                    && !joined.has_work[i as usize]
                    && joined.hosts[trace.lanes[call.lane.0 as usize].process.0 as usize] =>
            {
                lost.push(call.start);
            }
            _ => {}
        }
    }
    for step in steps {
        let from = lost.partition_point(|&t| t < step.start);
        if lost.get(from).is_some_and(|&t| t <= step.end) {
            step.whole = false;
        }
    }
}

/// What the events of the device say of their collectives.
fn collectives(trace: &Trace, events: &[u32]) -> Vec<CollectiveFacts> {
    if trace.collectives.is_empty() {
        return Vec::new();
    }
    let by_event: FxHashMap<u32, &Collective> = trace.collectives.iter().map(|c| (c.event, c)).collect();
    (events.iter().enumerate())
        .filter_map(|(at, event)| {
            let Collective { group, elements, .. } = **by_event.get(event)?;
            Some(CollectiveFacts { launch: LaunchId(at as u32), group, elements })
        })
        .collect()
}

fn launches_by_frame(places: &[Place]) -> run::Frames {
    let mut counts: BTreeMap<NodeId, u64> = BTreeMap::new();
    for place in places {
        if let Lookup::At(node) = place.frame {
            *counts.entry(node).or_default() += 1;
        }
    }
    counts.into_iter().collect()
}
