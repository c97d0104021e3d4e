//! Events with their places in, rows of the timeline out: kernels, streams and contexts once each.

use rustc_hash::FxHashMap;

use super::place::Place;
use super::stage::Where;
use super::{
    AttributionCounts, Context, ContextId, FoundBy, Kernel, KernelId, Launch, Lookup, Stage, Stream, StreamId, site,
};
use crate::kernel_name::{self, KernelName};
use crate::trace::{GpuKind, StreamKey, StringId, Strings, Trace};

/// Tables of the timeline while they grow.
pub(super) struct Rows<'a> {
    strings: &'a Strings,
    pub(super) kernels: Vec<Kernel>,
    kernel_ids: FxHashMap<(StringId, GpuKind), KernelId>,
    pub(super) streams: Vec<Stream>,
    stream_ids: FxHashMap<StreamKey, StreamId>,
    pub(super) contexts: Vec<Context>,
    context_ids: FxHashMap<Place, ContextId>,
    pub(super) launches: Vec<Launch>,
    pub(super) counts: AttributionCounts,
    /// Site and module path by frame node.
    shown: Vec<site::Shown>,
}

impl<'a> Rows<'a> {
    /// `launches`: how many there will be.
    pub(super) fn new(strings: &'a Strings, shown: Vec<site::Shown>, launches: usize) -> Self {
        Self {
            strings,
            kernels: Vec::new(),
            kernel_ids: FxHashMap::default(),
            streams: Vec::new(),
            stream_ids: FxHashMap::default(),
            contexts: Vec::new(),
            context_ids: FxHashMap::default(),
            launches: Vec::with_capacity(launches),
            counts: AttributionCounts::default(),
            shown,
        }
    }

    /// Adds one event with all that is known of it.
    #[expect(clippy::too_many_arguments, reason = "all that is known of one launch")]
    pub(super) fn add(
        &mut self,
        trace: &Trace,
        event: u32,
        call: Option<u32>,
        place: Place,
        replay: Option<u32>,
        found: Where,
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
        // Layers share their contexts, so instances are no part of these.
        let context = self.context(Place { instance: None, ..place });
        self.counts.launches += 1;
        match place.op_found_by {
            FoundBy::Id => self.counts.by_id += 1,
            FoundBy::Time => self.counts.by_time += 1,
            FoundBy::Position => self.counts.by_position += 1,
            FoundBy::Mapping => self.counts.by_mapping += 1,
            FoundBy::NoCounterpart | FoundBy::None => self.counts.without_op += 1,
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
            instance: place.instance,
        });
    }

    fn context(&mut self, place: Place) -> ContextId {
        if let Some(&known) = self.context_ids.get(&place) {
            return known;
        }
        let (site, module) = match place.frame {
            Lookup::At(frame) => self.shown[frame.0 as usize],
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
