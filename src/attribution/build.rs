//! The arrow of the room: launches, places, replays, steps and facts joined into one timeline.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::launch::{CallRole, CallRoles, Joined, join};
use super::nest::Tree;
use super::place::{Ask, Place, Places, Scene, Texts, find};
use super::replay::{Captured, Demangler, Replays, replays, segments};
use super::stage::{Steps, Where};
use super::{
    AttributionCounts, Context, ContextId, FoundBy, Given, Kernel, KernelId, Launch, Lookup, Settings, Stage, Stream,
    StreamId, Timeline, run, site,
};
use crate::kernel_name::{self, KernelName};
use crate::trace::{GpuKind, StreamKey, StringId, Strings, Trace, Warning};

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

    // Captures: this file's first, then its siblings'.
    let mut sides: Vec<Side<'_>> = vec![Side { trace: &trace, joined: None, texts: Texts::new(None) }];
    for capture in captures {
        let rank = Given { rank: given.rank, ..Given::default() };
        let joined = join(capture, &capture.strings, settings, &rank, &mut Vec::new());
        sides.push(Side { trace: capture, joined: Some(joined), texts: Texts::new(Some(&capture.strings)) });
    }
    let mut demangler = Demangler::new(names);
    let mut captured = Vec::new();
    for (index, side) in sides.iter_mut().enumerate() {
        let joined = side.joined.as_ref().unwrap_or(&joined);
        captured.extend(segments(side.trace, index, joined, settings, &mut side.texts, &mut strings, &mut demangler));
    }
    let capture_launches = captured.iter().filter(|s| s.is_of(0)).map(|s| s.calls.len() as u64).sum();
    let Replays { replays, of: replay_of } =
        replays(&trace, &joined, settings, &captured, &mut strings, &mut demangler);

    // Places.
    let (mut ops, mut frames) = (Tree::default(), Tree::default());
    let mut out = Places { ops: &mut ops, frames: &mut frames, strings: &mut strings };
    let own: Vec<Ask> = joined.events.iter().zip(&joined.calls).map(|(&e, &call)| ask(&trace, Some(e), call)).collect();
    let mut places = Vec::new();
    let mut captured_at: FxHashMap<Captured, Place> = FxHashMap::default();
    for (index, side) in sides.iter_mut().enumerate() {
        let mut wanted: Vec<Captured> =
            replay_of.iter().flatten().filter_map(|(_, c)| *c).filter(|c| c.trace == index).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut asks: Vec<Ask> = if index == 0 { own.clone() } else { Vec::new() };
        asks.extend(wanted.iter().map(|c| ask(side.trace, None, Some(c.call))));
        let hosts = &side.joined.as_ref().unwrap_or(&joined).hosts;
        let scene = Scene { trace: side.trace, hosts, sites: &settings.sites, slack: settings.slack };
        let mut found = find(&scene, &asks, &mut side.texts, &mut out);
        let of_captures = found.split_off(if index == 0 { own.len() } else { 0 });
        captured_at.extend(wanted.into_iter().zip(of_captures));
        if index == 0 {
            places = found;
        }
    }
    for (place, replay) in places.iter_mut().zip(&replay_of) {
        match replay {
            // What launched the graph is not what launched the kernel.
            Some((_, None)) => *place = Place::UNKNOWN,
            Some((_, Some(captured))) => *place = by_position(captured_at.get(captured).copied()),
            None => {}
        }
    }
    drop(sides);

    let steps = Steps::find(&trace, &strings, &joined, &settings.steps, settings.slack);
    let mut build = Build { strings, ..Build::default() };
    for (at, &event) in joined.events.iter().enumerate() {
        let replay = replay_of[at].map(|(replay, _)| replay);
        let place = places[at];
        let found = stage_of(&trace, &build.strings, &steps, event, joined.calls[at]);
        build.launch(&trace, event, joined.calls[at], place, replay, found, &frames, settings, names);
    }
    let Build { strings, kernels, streams, contexts, mut launches, mut counts, .. } = build;
    counts.capture_launches = capture_launches;
    warnings.extend(hint(&mut launches, &steps, given));
    let mut steps = steps.steps;
    mark_whole(&mut steps, &trace, &joined, settings, &strings);

    let weights = launches_by_frame(&launches, &contexts);
    let facts = run::facts(&run::Sources {
        trace: &trace,
        strings: &strings,
        joined: &joined,
        frames: &frames,
        launches: &weights,
        settings,
        given,
    });
    Timeline {
        path: trace.path,
        module_prefix: settings.sites.module_prefix.clone(),
        strings,
        kernels,
        launches,
        streams,
        contexts,
        ops: ops.tree,
        frames: frames.tree,
        steps,
        replays,
        syncs: trace.syncs,
        run: facts,
        counts,
        devices: joined.devices,
        skipped: trace.skipped,
        warnings,
    }
}

/// A trace that captures may be found in.
struct Side<'a> {
    trace: &'a Trace,
    /// None for the timeline's own.
    joined: Option<Joined>,
    texts: Texts<'a>,
}

fn ask(trace: &Trace, event: Option<u32>, call: Option<u32>) -> Ask {
    let call = call.map(|c| &trace.runtime[c as usize]);
    let event = event.map(|e| &trace.gpu[e as usize]);
    Ask {
        lane: call.map(|c| c.lane),
        time: call.map(|c| c.start).or(event.map(|e| e.start)).unwrap_or_default(),
        id: call.and_then(|c| c.external_id).or(event.and_then(|e| e.external_id)),
        correlation: call.and_then(|c| c.correlation).or(event.and_then(|e| e.correlation)),
    }
}

/// The place of a captured launch as the place of its replay.
fn by_position(place: Option<Place>) -> Place {
    let mut place = place.unwrap_or(Place::UNKNOWN);
    place.op_found_by = FoundBy::Position;
    if matches!(place.frame, Lookup::At(_)) {
        place.frame_found_by = FoundBy::Position;
    }
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
    Where { step: by_call.step.or(by_gpu.step), stage: by_gpu.stage }
}

/// Stage by folder and file names, where annotations say nothing; a hint that all annotations contradict counts for
/// nothing.
fn hint(launches: &mut [Launch], steps: &Steps, given: &Given) -> Option<Warning> {
    let hint = given.stage_hint.filter(|&hint| hint != Stage::All)?;
    let stages = steps.stages();
    if stages.is_empty() || stages.contains(&hint) {
        for launch in launches.iter_mut().filter(|l| l.stage == Stage::All && l.step.is_none()) {
            launch.stage = hint;
        }
        return None;
    }
    let said: Vec<&str> = stages.iter().map(|s| s.id()).collect();
    Some(Warning {
        code: "stage-disagrees",
        text: format!(
            "the name of the file or its folder says {}, step annotations in it say {}; the annotations count",
            hint.id(),
            said.join(", ")
        ),
    })
}

/// A step is not whole when the trace lacks GPU events of kernels that were launched in it.
fn mark_whole(steps: &mut [super::Step], trace: &Trace, joined: &Joined, settings: &Settings, strings: &Strings) {
    let mut roles = CallRoles::new(&settings.calls);
    let mut lost: Vec<crate::units::Nanos> = Vec::new();
    let mut capturing: FxHashMap<crate::trace::LaneId, bool> = FxHashMap::default();
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

fn launches_by_frame(launches: &[Launch], contexts: &[Context]) -> run::Frames {
    let mut counts: BTreeMap<super::NodeId, u64> = BTreeMap::new();
    for launch in launches {
        if let Lookup::At(node) = contexts[launch.context.0 as usize].frame {
            *counts.entry(node).or_default() += 1;
        }
    }
    counts.into_iter().collect()
}

/// The tables of the timeline while they grow.
#[derive(Default)]
struct Build {
    strings: Strings,
    kernels: Vec<Kernel>,
    kernel_ids: FxHashMap<(StringId, GpuKind), KernelId>,
    streams: Vec<Stream>,
    stream_ids: FxHashMap<StreamKey, StreamId>,
    contexts: Vec<Context>,
    context_ids: FxHashMap<Place, ContextId>,
    launches: Vec<Launch>,
    counts: AttributionCounts,
    sites: site::Finder,
}

impl Build {
    #[expect(clippy::too_many_arguments, reason = "all that is known of one launch")]
    fn launch(
        &mut self,
        trace: &Trace,
        event: u32,
        call: Option<u32>,
        place: Place,
        replay: Option<u32>,
        found: Where,
        frames: &Tree,
        settings: &Settings,
        names: &kernel_name::Settings,
    ) {
        let event = &trace.gpu[event as usize];
        let kernel = *self.kernel_ids.entry((event.name, event.kind)).or_insert_with(|| {
            let name = KernelName::parse(self.strings.get(event.name), names);
            self.kernels.push(Kernel { raw: event.name, kind: event.kind, name });
            KernelId(self.kernels.len() as u32 - 1)
        });
        let stream = *self.stream_ids.entry(event.stream).or_insert_with(|| {
            let device = self.strings.get(trace.processes[event.stream.process.0 as usize]).to_owned();
            self.streams.push(Stream { device, number: event.stream.stream });
            StreamId(self.streams.len() as u32 - 1)
        });
        let context = self.context(place, frames, settings);
        self.counts.launches += 1;
        match place.op_found_by {
            FoundBy::Id => self.counts.by_id += 1,
            FoundBy::Time => self.counts.by_time += 1,
            FoundBy::Position => self.counts.by_position += 1,
            FoundBy::Mapping => self.counts.by_mapping += 1,
            FoundBy::None => {}
        }
        self.counts.without_launch += u64::from(call.is_none());
        self.launches.push(Launch {
            kernel,
            stream,
            start: event.start,
            dur: event.dur,
            called: call.map(|c| trace.runtime[c as usize].start),
            context,
            step: found.step,
            stage: found.stage.unwrap_or(Stage::All),
            replay,
            correlation: event.correlation,
            grid: event.grid,
            bytes: event.bytes,
        });
    }

    fn context(&mut self, place: Place, frames: &Tree, settings: &Settings) -> ContextId {
        if let Some(&known) = self.context_ids.get(&place) {
            return known;
        }
        let (site, module) = match place.frame {
            Lookup::At(frame) => self.sites.shown(frame, frames, &settings.sites, &mut self.strings),
            _ => (None, None),
        };
        let id = ContextId(self.contexts.len() as u32);
        self.contexts.push(Context {
            op: place.op,
            frame: place.frame,
            dims: place.dims,
            op_found_by: place.op_found_by,
            frame_found_by: place.frame_found_by,
            site,
            module,
        });
        self.context_ids.insert(place, id);
        id
    }
}
