//! Two parts of one trace in, the whole out: ids of the second become ids of the first, rows are put behind rows.
//!
//! Ids follow first appearance, so taken over part by part they are those that one thread gives.

use std::collections::hash_map::Entry;

use super::{Columns, grow};
use crate::trace::{Frame, FrameLane, LaneId, ProcessId, StreamKey, StringId, text};

/// By id of a part, the id of the whole.
pub(in crate::trace) struct Ids {
    strings: Vec<StringId>,
    processes: Vec<ProcessId>,
    lanes: Vec<LaneId>,
}

impl Ids {
    fn string(&self, id: &mut StringId) {
        *id = self.strings[id.index() as usize];
    }

    fn strings<'i>(&self, ids: impl IntoIterator<Item = &'i mut StringId>) {
        ids.into_iter().for_each(|id| self.string(id));
    }

    fn process(&self, id: &mut ProcessId) {
        *id = self.processes[id.0 as usize];
    }

    fn lane(&self, id: &mut LaneId) {
        *id = self.lanes[id.0 as usize];
    }
}

impl Columns {
    /// Takes in the texts, processes and threads of the part that follows.
    pub(in crate::trace) fn ids_of(&mut self, part: &Self) -> Ids {
        self.backslashes |= part.backslashes;
        let texts = (0..part.trace.strings.len() as u32).map(|index| part.trace.strings.get(StringId::new(index)));
        let strings: Vec<StringId> = texts.map(|text| self.trace.strings.intern(text)).collect();
        let of = |id: StringId| strings[id.index() as usize];
        let processes: Vec<ProcessId> = part.trace.processes.iter().map(|&pid| self.process_of(of(pid))).collect();
        let lanes = part.trace.lanes.iter().map(|lane| {
            let id = self.lane_of(processes[lane.process.0 as usize], of(lane.tid));
            if let Some(name) = lane.name {
                self.trace.lanes[id.0 as usize].name = Some(of(name));
            }
            id
        });
        let lanes = lanes.collect();
        Ids { strings, processes, lanes }
    }

    /// Rows with the ids of the whole.
    pub(in crate::trace) fn translate(&mut self, ids: &Ids) {
        self.odd_texts.values_mut().for_each(|id| ids.string(id));
        let trace = &mut self.trace;
        for row in &mut trace.gpu {
            ids.strings([&mut row.name].into_iter().chain(&mut row.grid).chain(&mut row.copy_kind));
            let StreamKey { process, .. } = &mut row.stream;
            ids.process(process);
        }
        trace.collectives.iter_mut().for_each(|row| ids.strings(&mut row.group));
        for row in &mut trace.runtime {
            ids.strings([&mut row.name].into_iter().chain(&mut row.kernel).chain(&mut row.copy_kind));
            ids.lane(&mut row.lane);
        }
        for row in &mut trace.ops {
            ids.strings([&mut row.name].into_iter().chain(&mut row.dims).chain(&mut row.collective));
            ids.lane(&mut row.lane);
        }
        for row in &mut trace.annotations {
            ids.string(&mut row.name);
            ids.lane(&mut row.lane);
        }
        for row in &mut trace.syncs {
            ids.string(&mut row.name);
            ids.process(&mut row.process);
        }
        for (process, name) in &mut trace.process_names {
            ids.process(process);
            ids.string(name);
        }
        for lane in &mut trace.frames {
            ids.lane(&mut lane.lane);
            let mut translated = FrameLane::new(lane.lane);
            for Frame { mut name, start, dur } in lane.frames() {
                ids.string(&mut name);
                translated.push(Frame { name, start, dur });
            }
            *lane = translated;
        }
    }

    /// Puts the rows of the part that follows behind those there are; its ids are those of the whole already.
    pub(in crate::trace) fn append(&mut self, mut part: Self) {
        let rows_before = self.trace.gpu.len() as u32;
        part.trace.collectives.iter_mut().for_each(|row| row.event += rows_before);
        self.counts.append(part.counts, self.trace.events);
        part.odd_texts.into_iter().for_each(|(raw, id)| {
            if let Entry::Vacant(new) = self.odd_texts.entry(raw) {
                self.repaired += u64::from(text::decode(new.key()).repaired);
                new.insert(id);
            }
        });
        let (whole, part) = (&mut self.trace, part.trace);
        behind(&mut whole.gpu, part.gpu);
        behind(&mut whole.collectives, part.collectives);
        behind(&mut whole.runtime, part.runtime);
        behind(&mut whole.ops, part.ops);
        behind(&mut whole.annotations, part.annotations);
        behind(&mut whole.syncs, part.syncs);
        behind(&mut whole.process_names, part.process_names);
        whole.header.values.extend(part.header.values);
        whole.warnings.extend(part.warnings);
        whole.events += part.events;
        for lane in part.frames {
            self.frames_of(lane.lane).append(&lane);
        }
    }
}

fn behind<T>(rows: &mut Vec<T>, mut more: Vec<T>) {
    grow(rows, more.len());
    rows.append(&mut more);
}
