//! Raw events in, rows of the [`Trace`] out: texts interned, times in integer nanoseconds, broken events refused.

mod merge;

use rustc_hash::FxHashMap;

use super::class::{Class, Counts, Why};
use super::guess::Guess;
use super::number::{self, Fault};
use super::raw_event::{Field, RawEvent, Shape, Value};
use super::settings::{Arg, Settings};
use super::{
    Annotation, Collective, CpuOp, EventKind, Frame, FrameLane, GpuEvent, GpuKind, Lane, LaneId, ProcessId,
    RuntimeCall, StreamKey, StringId, SyncEvent, Trace, text,
};
use crate::units::Nanos;

/// The trace as far as it is read.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) trace: Trace,
    pub(super) counts: Counts,
    /// Which name comes next.
    pub(super) guess: Guess,
    /// Distinct texts that had to be repaired.
    pub(super) repaired: u64,
    /// Whether any text of the trace holds a backslash.
    backslashes: bool,
    /// Raw texts that do not stand for themselves: escapes, repairs.
    odd_texts: FxHashMap<Box<[u8]>, StringId>,
    /// Lists and objects, whose layout is brought to one line.
    values: FxHashMap<Box<[u8]>, StringId>,
    process_ids: FxHashMap<StringId, ProcessId>,
    lane_ids: FxHashMap<(ProcessId, StringId), LaneId>,
    /// By key of a layout that holds pid and tid.
    lanes_by_key: Vec<Option<LaneId>>,
    /// Raw pid and tid of the lane used last, which is the next one's more often than not.
    hot_lane: Option<HotLane>,
    /// Position in `trace.frames` by lane.
    frame_lanes: Vec<Option<usize>>,
    /// Frames shorter than this are no rows.
    shortest_frame: Nanos,
}

#[derive(Debug)]
struct HotLane {
    pid: Box<[u8]>,
    tid: Box<[u8]>,
    id: LaneId,
}

impl Columns {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { shortest_frame: settings.shortest_frame, ..Self::default() }
    }

    /// Adds a row, or counts why there is none.
    #[inline]
    pub(super) fn take(&mut self, class: Class, event: &RawEvent<'_>) {
        let at = self.trace.events;
        self.trace.events += 1;
        let (kind, short) = match class {
            Class::Count(counter) => return self.counts.count(counter, at),
            Class::Metadata => return self.metadata(event, at),
            Class::Frame(short) => (EventKind::PythonFrame, Some(short)),
            Class::Keep(kind) => (kind, None),
        };
        match self.row(kind, event) {
            Ok(true) => {}
            Ok(false) => short.into_iter().for_each(|short| self.counts.count(short, at)),
            Err(reason) => self.counts.broken(reason, at),
        }
    }

    /// Whether there is a row: no launch fits into the shortest frames.
    #[inline]
    fn row(&mut self, kind: EventKind, event: &RawEvent<'_>) -> Result<bool, &'static str> {
        let name = event.text(Field::NAME).ok_or("name is no text")?;
        let start = time(event.get(Field::START)).map_err(|fault| match fault {
            Some(Fault::NoNumber) => "ts is no number",
            Some(Fault::Negative) => "ts is negative",
            Some(Fault::TooLarge) => "ts is too large",
            None => "ts is absent",
        })?;
        let dur = time(event.get(Field::DURATION)).map_err(|fault| match fault {
            Some(Fault::NoNumber) => "dur is no number",
            Some(Fault::Negative) => "dur is negative",
            Some(Fault::TooLarge) => "dur is too large",
            None => "dur is absent",
        })?;
        if start.checked_add(dur).is_none() {
            return Err("ts + dur is too large");
        }
        let (start, dur) = (Nanos(start), Nanos(dur));
        let name = if let Some(known) = event.name {
            self.guess.right(known);
            known
        } else {
            let id = self.text(name);
            self.guess.wrong(id, name);
            id
        };
        match kind {
            EventKind::PythonFrame if dur < self.shortest_frame => return Ok(false),
            EventKind::PythonFrame => self.frame(event, Frame { name, start, dur }),
            EventKind::Gpu(kind) => self.gpu(event, kind, name, start, dur),
            EventKind::Runtime => self.runtime(event, name, start, dur),
            EventKind::CpuOp => self.op(event, name, start, dur),
            EventKind::Annotation | EventKind::GpuAnnotation => {
                let lane = self.lane(event);
                add(
                    &mut self.trace.annotations,
                    Annotation {
                        name,
                        lane,
                        start,
                        dur,
                        external_id: integer(event, Arg::ExternalId).into(),
                        gpu: kind == EventKind::GpuAnnotation,
                    },
                );
            }
            EventKind::Sync => self.sync(event, name, start, dur),
            // The classes count these; a row of one has no table.
            EventKind::Ignored => {}
        }
        Ok(true)
    }

    fn frame(&mut self, event: &RawEvent<'_>, frame: Frame) {
        let lane = self.lane(event);
        self.frames_of(lane).push(frame);
    }

    /// The frames of a thread, as far as they are read.
    #[inline]
    fn frames_of(&mut self, lane: LaneId) -> &mut FrameLane {
        let index = lane.0 as usize;
        if self.frame_lanes.len() <= index {
            self.frame_lanes.resize(index + 1, None);
        }
        let frames = &mut self.trace.frames;
        let at = *self.frame_lanes[index].get_or_insert_with(|| {
            frames.push(FrameLane::new(lane));
            frames.len() - 1
        });
        &mut frames[at]
    }

    fn gpu(&mut self, event: &RawEvent<'_>, kind: GpuKind, name: StringId, start: Nanos, dur: Nanos) {
        let process = self.process(event);
        let stream = integer(event, Arg::Stream).or_else(|| number_in(event.get(Field::THREAD)?.bytes)).unwrap_or(0);
        let copy_kind = if kind == GpuKind::Kernel { None } else { self.arg_text(event, Arg::CopyKind) };
        let row = GpuEvent {
            name,
            kind,
            stream: StreamKey { process, stream },
            start,
            dur,
            correlation: integer(event, Arg::Correlation).into(),
            external_id: integer(event, Arg::ExternalId).into(),
            grid: self.arg_value(event, Arg::Grid),
            bytes: integer(event, Arg::Bytes).into(),
            copy_kind,
        };
        let group = self.arg_text(event, Arg::ProcessGroup);
        let elements = integer(event, Arg::MessageElements);
        if group.is_some() || elements.is_some() {
            let event = self.trace.gpu.len() as u32;
            self.trace.collectives.push(Collective { event, group, elements });
        }
        add(&mut self.trace.gpu, row);
    }

    fn runtime(&mut self, event: &RawEvent<'_>, name: StringId, start: Nanos, dur: Nanos) {
        let row = RuntimeCall {
            name,
            lane: self.lane(event),
            start,
            dur,
            correlation: integer(event, Arg::Correlation).into(),
            external_id: integer(event, Arg::ExternalId).into(),
            kernel: self.arg_text(event, Arg::Kernel),
            copy_kind: self.arg_text(event, Arg::CopyKind),
            stream: integer(event, Arg::Stream).into(),
        };
        add(&mut self.trace.runtime, row);
    }

    fn op(&mut self, event: &RawEvent<'_>, name: StringId, start: Nanos, dur: Nanos) {
        let collective = self.arg_text(event, Arg::Collective);
        let row = CpuOp {
            name,
            lane: self.lane(event),
            start,
            dur,
            external_id: integer(event, Arg::ExternalId).into(),
            dims: self.arg_value(event, Arg::InputDims),
            collective: collective.or_else(|| self.arg_text(event, Arg::ProcessGroup)),
        };
        add(&mut self.trace.ops, row);
    }

    fn sync(&mut self, event: &RawEvent<'_>, name: StringId, start: Nanos, dur: Nanos) {
        let row = SyncEvent {
            name,
            process: self.process(event),
            start,
            dur,
            stream: integer(event, Arg::Stream).into(),
            wait_on_stream: integer(event, Arg::WaitOnStream).into(),
            wait_on_record: integer(event, Arg::WaitOnRecord).into(),
            wait_on_event: integer(event, Arg::WaitOnEvent).into(),
            correlation: integer(event, Arg::Correlation).into(),
        };
        add(&mut self.trace.syncs, row);
    }

    /// Names and labels are kept; sort orders and the like are not needed.
    fn metadata(&mut self, event: &RawEvent<'_>, at: u64) {
        let arg = match event.text(Field::NAME) {
            Some(b"process_name" | b"thread_name") => Arg::Name,
            Some(b"process_labels") => Arg::Labels,
            _ => {
                let counter = self.counts.counter(Why::Ignored, "M");
                return self.counts.count(counter, at);
            }
        };
        let Some(told) = self.arg_text(event, arg) else {
            return self.counts.broken("metadata without its text", at);
        };
        if event.text(Field::NAME) == Some(b"thread_name") {
            let lane = self.lane(event);
            self.trace.lanes[lane.0 as usize].name = Some(told);
        } else {
            let process = self.process(event);
            self.trace.process_names.push((process, told));
        }
    }

    fn process(&mut self, event: &RawEvent<'_>) -> ProcessId {
        let pid = self.text(plain(event.get(Field::PROCESS)));
        self.process_of(pid)
    }

    fn process_of(&mut self, pid: StringId) -> ProcessId {
        let processes = &mut self.trace.processes;
        *self.process_ids.entry(pid).or_insert_with(|| {
            processes.push(pid);
            ProcessId(processes.len() as u32 - 1)
        })
    }

    #[inline]
    fn lane(&mut self, event: &RawEvent<'_>) -> LaneId {
        let Some(key) = event.lane_key.map(|key| key as usize) else { return self.lane_by_text(event) };
        if let Some(&Some(known)) = self.lanes_by_key.get(key) {
            return known;
        }
        let lane = self.lane_by_text(event);
        if self.lanes_by_key.len() <= key {
            self.lanes_by_key.resize(key + 1, None);
        }
        self.lanes_by_key[key] = Some(lane);
        lane
    }

    fn lane_by_text(&mut self, event: &RawEvent<'_>) -> LaneId {
        let (pid, tid) = (plain(event.get(Field::PROCESS)), plain(event.get(Field::THREAD)));
        if let Some(hot) = &self.hot_lane
            && *hot.pid == *pid
            && *hot.tid == *tid
        {
            return hot.id;
        }
        let process = self.process(event);
        let name = self.text(tid);
        let lane = self.lane_of(process, name);
        self.hot_lane = Some(HotLane { pid: pid.into(), tid: tid.into(), id: lane });
        lane
    }

    fn lane_of(&mut self, process: ProcessId, tid: StringId) -> LaneId {
        let lanes = &mut self.trace.lanes;
        *self.lane_ids.entry((process, tid)).or_insert_with(|| {
            lanes.push(Lane { process, tid, name: None });
            LaneId(lanes.len() as u32 - 1)
        })
    }

    /// Text of an argument; numbers are taken as they are spelled.
    fn arg_text(&mut self, event: &RawEvent<'_>, arg: Arg) -> Option<StringId> {
        let value = event.arg(arg).filter(|v| v.bytes != b"null" || v.shape == Shape::Text)?;
        match value.shape {
            Shape::Text | Shape::Scalar => Some(self.text(value.bytes)),
            Shape::List | Shape::Object => self.arg_value(event, arg),
        }
    }

    /// JSON text of a list or object, on one line.
    fn arg_value(&mut self, event: &RawEvent<'_>, arg: Arg) -> Option<StringId> {
        let value = event.arg(arg).filter(|v| matches!(v.shape, Shape::List | Shape::Object))?;
        if let Some(&id) = self.values.get(value.bytes) {
            return Some(id);
        }
        let line = text::one_line(value.bytes);
        self.backslashes |= line.contains('\\');
        let id = self.trace.strings.intern(&line);
        self.values.insert(value.bytes.into(), id);
        Some(id)
    }

    /// Interns what stands between quotes.
    #[inline]
    fn text(&mut self, raw: &[u8]) -> StringId {
        let has_escapes = |raw| memchr::memchr(b'\\', raw).is_some();
        // A text without escapes that was met before stands for itself; with none in any text there is none in an
        // equal one.
        if let Some(id) = self.trace.strings.find_bytes(raw)
            && !(self.backslashes && has_escapes(raw))
        {
            return id;
        }
        if !has_escapes(raw)
            && let Ok(text) = std::str::from_utf8(raw)
            && raw.iter().all(|&b| b >= b' ')
        {
            return self.trace.strings.intern(text);
        }
        self.odd_text(raw)
    }

    fn odd_text(&mut self, raw: &[u8]) -> StringId {
        if let Some(&id) = self.odd_texts.get(raw) {
            return id;
        }
        let decoded = text::decode(raw);
        self.backslashes |= decoded.text.contains('\\');
        let id = self.trace.strings.intern(&decoded.text);
        self.repaired += u64::from(decoded.repaired);
        self.odd_texts.insert(raw.into(), id);
        id
    }
}

/// Adds a row.
#[inline]
fn add<T>(rows: &mut Vec<T>, row: T) {
    grow(rows, 1);
    rows.push(row);
}

/// Makes room for `more` rows, a quarter of what is there at least: what a table that doubles keeps free is most of
/// what a large trace takes.
#[inline]
pub(super) fn grow<T>(rows: &mut Vec<T>, more: usize) {
    if rows.capacity() - rows.len() < more {
        rows.reserve_exact(more.max(rows.len() / 4).max(1024));
    }
}

/// `null` and nothing are the empty text; `251` and `"251"` are the same.
fn plain(value: Option<Value<'_>>) -> &[u8] {
    match value {
        Some(Value { bytes: b"null", shape: Shape::Scalar }) | None => b"",
        Some(value) => value.bytes,
    }
}

/// Numbers in quotes are numbers. `None` as error: absent.
#[inline]
fn time(value: Option<Value<'_>>) -> Result<i64, Option<Fault>> {
    match value {
        Some(value) if matches!(value.shape, Shape::Scalar | Shape::Text) => number::nanos(value.bytes).map_err(Some),
        Some(_) => Err(Some(Fault::NoNumber)),
        None => Err(None),
    }
}

#[inline]
fn integer(event: &RawEvent<'_>, arg: Arg) -> Option<i64> {
    let value = event.arg(arg)?;
    if matches!(value.shape, Shape::Scalar | Shape::Text) { number::integer(value.bytes) } else { None }
}

/// `7` of `stream 7`, as old traces spell the stream.
fn number_in(tid: &[u8]) -> Option<i64> {
    let digits = tid.len() - tid.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    number::integer(&tid[digits..])
}
