//! Calls in, their places in the host's code out: CPU op by External id or by time, Python frames by time.

use rustc_hash::FxHashMap;

use super::host::Late;
use super::nest::{Nest, Tree};
use super::pattern::any;
use super::{FoundBy, Lookup, NodeId, Sites, site};
use crate::trace::{CpuOp, Frame, FrameLane, LaneId, StringId, Strings, Trace};
use crate::units::{Maybe, Nanos};

/// A moment on a thread whose place is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask {
    /// The call's thread; none when there is no call and only an id may tell.
    pub(super) lane: Option<LaneId>,
    /// Begin of the call, else of the GPU event.
    pub(super) time: Nanos,
    /// External id.
    pub(super) id: Maybe,
    /// To tell ids from correlations.
    pub(super) correlation: Maybe,
}

/// Stands for the instance of a frame that is no module.
const NO_MODULE: u32 = u32::MAX;

/// A place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) op: Lookup,
    pub(super) op_found_by: FoundBy,
    pub(super) dims: Option<StringId>,
    pub(super) frame: Lookup,
    pub(super) frame_found_by: FoundBy,
    /// Innermost nn.Module frame as the trace has it.
    pub(super) instance: Option<StringId>,
}

impl Place {
    /// Nothing is known.
    pub(super) const UNKNOWN: Self = Self {
        op: Lookup::Unknown,
        op_found_by: FoundBy::None,
        dims: None,
        frame: Lookup::Unknown,
        frame_found_by: FoundBy::None,
        instance: None,
    };
}

/// Where places are written to: two trees over the texts of the timeline.
#[derive(Debug, Default)]
pub(super) struct Trees {
    pub(super) ops: Tree,
    pub(super) frames: Tree,
}

/// Texts of a trace as texts of the timeline.
pub(super) struct Texts<'a> {
    /// None: the trace is the timeline's own and has lent it its texts, so the ids are the same.
    from: Option<&'a Strings>,
    known: FxHashMap<StringId, StringId>,
}

impl<'a> Texts<'a> {
    pub(super) fn new(from: Option<&'a Strings>) -> Self {
        Self { from, known: FxHashMap::default() }
    }

    /// The id in the timeline.
    pub(super) fn map(&mut self, id: StringId, to: &mut Strings) -> StringId {
        match self.from {
            None => id,
            Some(from) => *self.known.entry(id).or_insert_with(|| to.intern(from.get(id))),
        }
    }

    /// The text of an id of the trace.
    pub(super) fn get<'t>(&'t self, id: StringId, timeline: &'t Strings) -> &'t str {
        self.from.unwrap_or(timeline).get(id)
    }
}

/// The same, borrowed with the texts.
struct Places<'a> {
    ops: &'a mut Tree,
    frames: &'a mut Tree,
    strings: &'a mut Strings,
}

/// What [`find`] looks into.
pub(super) struct Scene<'a> {
    pub(super) trace: &'a Trace,
    /// Processes whose ops count, by process.
    pub(super) hosts: &'a [bool],
    pub(super) sites: &'a Sites,
    pub(super) slack: Nanos,
}

/// Finds the places of `asks`. The frames on the way are shown to `late`: to unpack them again would take as long as
/// all the rest.
pub(super) fn find(
    scene: &Scene<'_>,
    asks: &[Ask],
    late: Option<&mut Late>,
    texts: &mut Texts<'_>,
    trees: &mut Trees,
    strings: &mut Strings,
) -> Vec<Place> {
    let out = &mut Places { ops: &mut trees.ops, frames: &mut trees.frames, strings };
    let mut places = vec![Place::UNKNOWN; asks.len()];
    let mut order: Vec<u32> = (0..asks.len() as u32).filter(|&i| asks[i as usize].lane.is_some()).collect();
    order.sort_by_key(|&i| (asks[i as usize].lane, asks[i as usize].time, i));
    let lane_of = |i: u32| asks[i as usize].lane;
    let by_lane: FxHashMap<LaneId, &[u32]> = order
        .chunk_by(|&a, &b| lane_of(a) == lane_of(b))
        .filter_map(|chunk| Some((lane_of(chunk[0])?, chunk)))
        .collect();
    ops(scene, asks, &by_lane, texts, out, &mut places);
    frames(scene, (asks, &by_lane), late, texts, out, &mut places);
    places
}

/// CPU ops: the one that the id names when it encloses the call, else the innermost around the call on its thread.
fn ops(
    scene: &Scene<'_>,
    asks: &[Ask],
    by_lane: &FxHashMap<LaneId, &[u32]>,
    texts: &mut Texts<'_>,
    out: &mut Places<'_>,
    places: &mut [Place],
) {
    let table = &scene.trace.ops;
    if table.is_empty() {
        return;
    }
    for (place, _) in places.iter_mut().zip(asks).filter(|(_, ask)| ask.lane.is_some()) {
        place.op = Lookup::Nowhere;
    }
    let named = named_ops(scene, asks);
    let mut wanted: FxHashMap<u32, Option<(NodeId, Option<StringId>)>> =
        named.iter().flatten().map(|&op| (op, None)).collect();
    let mut sorted: Vec<u32> = (0..table.len() as u32).collect();
    sorted.sort_by_key(|&i| {
        let op = &table[i as usize];
        (op.lane, op.start, std::cmp::Reverse(op.dur), i)
    });
    for lane in sorted.chunk_by(|&a, &b| table[a as usize].lane == table[b as usize].lane) {
        let mut asked =
            by_lane.get(&table[lane[0] as usize].lane).copied().unwrap_or_default().iter().copied().peekable();
        let mut nest = Nest::new(scene.slack);
        for &i in lane {
            let op = &table[i as usize];
            while let Some(ask) = asked.next_if(|&ask| asks[ask as usize].time < op.start) {
                answer(scene, &mut nest, asks[ask as usize].time, texts, out, &mut places[ask as usize]);
            }
            nest.open(op.start, op.start + op.dur, texts.map(op.name, out.strings), i);
            if let Some(known) = wanted.get_mut(&i) {
                nest.at(op.start, out.ops);
                let dims = dims(scene, nest.sources(op.start).skip_while(|&s| s != i), texts, out);
                *known = nest.node_of(i).map(|node| (node, dims));
            }
        }
        for ask in asked {
            answer(scene, &mut nest, asks[ask as usize].time, texts, out, &mut places[ask as usize]);
        }
    }
    for (place, op) in places.iter_mut().zip(&named) {
        if let Some((node, dims)) = op.and_then(|op| wanted.get(&op).copied().flatten()) {
            (place.op, place.op_found_by, place.dims) = (Lookup::At(node), FoundBy::Id, dims);
        }
    }
}

fn answer(
    scene: &Scene<'_>,
    nest: &mut Nest,
    time: Nanos,
    texts: &mut Texts<'_>,
    out: &mut Places<'_>,
    place: &mut Place,
) {
    if let Some((node, _)) = nest.at(time, out.ops) {
        let dims = dims(scene, nest.sources(time), texts, out);
        (place.op, place.op_found_by, place.dims) = (Lookup::At(node), FoundBy::Time, dims);
    }
}

/// Shapes of the innermost op that has any.
fn dims(
    scene: &Scene<'_>,
    mut sources: impl Iterator<Item = u32>,
    texts: &mut Texts<'_>,
    out: &mut Places<'_>,
) -> Option<StringId> {
    let dims = sources.find_map(|op| {
        scene.trace.ops[op as usize].dims.filter(|&d| texts.get(d, out.strings).contains(|c: char| c.is_ascii_digit()))
    })?;
    Some(texts.map(dims, out.strings))
}

/// The op that each ask's id names: it must enclose the moment, or begin before it where only the GPU event is known.
///
/// In old traces the id repeats the correlation and names nothing.
fn named_ops(scene: &Scene<'_>, asks: &[Ask]) -> Vec<Option<u32>> {
    let table = &scene.trace.ops;
    let repeats = asks.iter().filter(|a| a.id.get().is_some()).all(|a| a.id == a.correlation);
    if repeats {
        return vec![None; asks.len()];
    }
    let of_host = |op: &CpuOp| scene.hosts[scene.trace.lanes[op.lane.0 as usize].process.0 as usize];
    let id_of = |op: u32| table[op as usize].external_id.get();
    let mut by_id: Vec<u32> =
        (0..table.len() as u32).filter(|&i| id_of(i).is_some() && of_host(&table[i as usize])).collect();
    // Ids rise along each thread: the stable sort takes such runs as they are.
    by_id.sort_by_key(|&i| (id_of(i), table[i as usize].start));
    asks.iter()
        .map(|ask| {
            let id = Some(ask.id.get()?);
            let from = by_id.partition_point(|&op| id_of(op) < id);
            let same = by_id[from..].iter().copied().take_while(|&op| id_of(op) == id);
            same.filter(|&op| {
                let CpuOp { start, dur, .. } = table[op as usize];
                start <= ask.time + scene.slack && (ask.lane.is_none() || start + dur + scene.slack >= ask.time)
            })
            .last()
        })
        .collect()
}

/// Frames around the call on its thread.
fn frames(
    scene: &Scene<'_>,
    (asks, by_lane): (&[Ask], &FxHashMap<LaneId, &[u32]>),
    mut late: Option<&mut Late>,
    texts: &mut Texts<'_>,
    out: &mut Places<'_>,
    places: &mut [Place],
) {
    // By name of the trace: the name that is kept and whether it is a module's, none for frames that are not kept.
    let mut kept: Vec<Option<Option<(StringId, bool)>>> = Vec::new();
    for lane in &scene.trace.frames {
        let Some(&calling) = by_lane.get(&lane.lane) else { continue };
        let mut open = Nest::new(scene.slack);
        let mut calls = calling.iter().copied();
        let mut answer = |open: &mut Nest, ask: u32, tree: &mut Tree| {
            let (place, time) = (&mut places[ask as usize], asks[ask as usize].time);
            place.frame = Lookup::Nowhere;
            if let Some((node, _)) = open.at(time, tree) {
                (place.frame, place.frame_found_by) = (Lookup::At(node), FoundBy::Time);
                place.instance = open.sources(time).find(|source| *source != NO_MODULE).map(StringId::new);
            }
        };
        let time_of = |ask: u32| asks[ask as usize].time;
        let mut next = calls.next();
        let mut late = late.as_mut().and_then(|late| late.lane(lane.lane));
        in_start_order(lane, |frame| {
            while let Some(ask) = next.filter(|&ask| time_of(ask) < frame.start) {
                answer(&mut open, ask, out.frames);
                next = calls.next();
            }
            // Most frames are over before the next call, and so enclose none.
            let Some(ask) = next else { return false };
            if let Some(late) = &mut late {
                late.frame(&frame, scene.sites, || texts.get(frame.name, out.strings));
            }
            let end = frame.start + frame.dur;
            if end < time_of(ask) - scene.slack {
                return true;
            }
            let at = frame.name.index() as usize;
            if kept.len() <= at {
                kept.resize(at + 1, None);
            }
            let name = *kept[at].get_or_insert_with(|| {
                let text = texts.get(frame.name, out.strings);
                if any(&scene.sites.dropped, text) {
                    return None;
                }
                match site::module_of(text, scene.sites) {
                    // Instances of a class are one: all layers share their nodes.
                    Some(class) => {
                        let name = format!("{}{class}", scene.sites.module_prefix);
                        Some((out.strings.intern(&name), true))
                    }
                    None => Some((texts.map(frame.name, out.strings), false)),
                }
            });
            if let Some((name, module)) = name {
                let instance = if module { texts.map(frame.name, out.strings).index() } else { NO_MODULE };
                open.open(frame.start, end, name, instance);
            }
            true
        });
        for ask in next.into_iter().chain(calls) {
            answer(&mut open, ask, out.frames);
        }
    }
}

/// Frames of a lane in start order, until `each` wants no more; sorts only where the file did not.
fn in_start_order(lane: &FrameLane, each: impl FnMut(Frame) -> bool) {
    if lane.sorted {
        lane.frames().all(each);
        return;
    }
    let mut frames: Vec<Frame> = lane.frames().collect();
    frames.sort_by_key(|f| (f.start, std::cmp::Reverse(f.dur)));
    frames.into_iter().all(each);
}
