//! A trace by hand: columns as the reader fills them, times in nanoseconds.

use std::sync::LazyLock;

use super::*;
use crate::kernel_name;
use crate::rules::schema::{attribution, frameworks, hardware, names, sites, stages};
use crate::trace::{
    Annotation, CpuOp, Frame, FrameLane, GpuEvent, GpuKind, Lane, LaneId, ProcessId, RuntimeCall, StreamKey, Trace,
};
use crate::units::{Maybe, Nanos};

macro_rules! shipped {
    ($file:literal) => {
        serde_yaml::from_str(include_str!(concat!("../../../rules/", $file))).expect($file)
    };
}

static SETTINGS: LazyLock<(Settings, kernel_name::Settings)> = LazyLock::new(|| {
    let mut settings = Settings::default();
    let file: attribution::AttributionFile = shipped!("attribution.yaml");
    file.fill(&mut settings);
    let file: stages::StagesFile = shipped!("stages.yaml");
    file.fill(&mut settings).expect("stages.yaml");
    let file: sites::SitesFile = shipped!("sites.yaml");
    file.fill(&mut settings).expect("sites.yaml");
    let file: frameworks::FrameworksFile = shipped!("frameworks.yaml");
    file.fill(&mut settings);
    let file: hardware::HardwareFile = shipped!("hardware.yaml");
    file.fill(&mut settings);
    let names: names::Names = shipped!("names.yaml");
    (settings, names.into())
});

/// Nothing given.
pub(in super::super) fn given() -> Given {
    Given::default()
}

/// A trace under construction. The host is `pid` 1 with thread 1, the GPU `pid` 0 with stream 7, unless said otherwise.
#[derive(Clone, Default)]
pub(in super::super) struct Make {
    pub(super) trace: Trace,
    /// `pid` and `tid` of host events that follow.
    thread: (String, String),
    /// `pid` and stream of GPU events that follow.
    gpu: (String, i64),
}

impl Make {
    pub(in super::super) fn new() -> Self {
        Self { trace: Trace::default(), thread: ("1".to_owned(), "1".to_owned()), gpu: ("0".to_owned(), 7) }
    }

    /// Host events that follow are of this thread.
    pub(super) fn thread(mut self, pid: &str, tid: &str) -> Self {
        self.thread = (pid.to_owned(), tid.to_owned());
        self
    }

    /// GPU events that follow are of this device and stream.
    pub(super) fn device(mut self, pid: &str, stream: i64) -> Self {
        self.gpu = (pid.to_owned(), stream);
        self
    }

    fn process(&mut self, pid: &str) -> ProcessId {
        let pid = self.trace.strings.intern(pid);
        let at = self.trace.processes.iter().position(|p| *p == pid).unwrap_or_else(|| {
            self.trace.processes.push(pid);
            self.trace.processes.len() - 1
        });
        ProcessId(at as u32)
    }

    fn lane_of(&mut self, pid: &str, tid: &str) -> LaneId {
        let (process, tid) = (self.process(pid), self.trace.strings.intern(tid));
        let at = self.trace.lanes.iter().position(|l| (l.process, l.tid) == (process, tid)).unwrap_or_else(|| {
            self.trace.lanes.push(Lane { process, tid, name: None });
            self.trace.lanes.len() - 1
        });
        LaneId(at as u32)
    }

    fn lane(&mut self) -> LaneId {
        let (pid, tid) = self.thread.clone();
        self.lane_of(&pid, &tid)
    }

    /// A CPU op from `start` to `end`.
    pub(in super::super) fn op(self, name: &str, start: i64, end: i64) -> Self {
        self.op_with(name, start, end, None, None)
    }

    /// The same with its own id and shapes.
    pub(super) fn op_with(mut self, name: &str, start: i64, end: i64, id: Option<i64>, dims: Option<&str>) -> Self {
        let (lane, name) = (self.lane(), self.trace.strings.intern(name));
        let dims = dims.map(|d| self.trace.strings.intern(d));
        let (start, dur) = (Nanos(start), Nanos(end - start));
        self.trace.ops.push(CpuOp { name, lane, start, dur, external_id: id.into(), dims, collective: None });
        self
    }

    /// A Python frame from `start` to `end`.
    pub(in super::super) fn frame(mut self, name: &str, start: i64, end: i64) -> Self {
        let (lane, name) = (self.lane(), self.trace.strings.intern(name));
        let at = self.trace.frames.iter().position(|l| l.lane == lane).unwrap_or_else(|| {
            self.trace.frames.push(FrameLane::new(lane));
            self.trace.frames.len() - 1
        });
        self.trace.frames[at].push(Frame { name, start: Nanos(start), dur: Nanos(end - start) });
        self
    }

    /// An annotation of the host from `start` to `end`.
    pub(super) fn annotation(mut self, name: &str, start: i64, end: i64) -> Self {
        let (lane, name) = (self.lane(), self.trace.strings.intern(name));
        let (start, dur) = (Nanos(start), Nanos(end - start));
        self.trace.annotations.push(Annotation { name, lane, start, dur, external_id: Maybe::NONE, gpu: false });
        self
    }

    /// An annotation on the GPU's time line.
    pub(super) fn gpu_annotation(mut self, name: &str, start: i64, end: i64) -> Self {
        let (pid, stream) = self.gpu.clone();
        let (lane, name) = (self.lane_of(&pid, &stream.to_string()), self.trace.strings.intern(name));
        let (start, dur) = (Nanos(start), Nanos(end - start));
        self.trace.annotations.push(Annotation { name, lane, start, dur, external_id: Maybe::NONE, gpu: true });
        self
    }

    /// A runtime call of 1 ns.
    pub(in super::super) fn call(self, name: &str, start: i64, correlation: i64) -> Self {
        self.call_with(name, start, correlation, None, None)
    }

    /// The same with External id and the kernel it names.
    pub(super) fn call_with(
        mut self,
        name: &str,
        start: i64,
        correlation: i64,
        external_id: Option<i64>,
        kernel: Option<&str>,
    ) -> Self {
        let (lane, name) = (self.lane(), self.trace.strings.intern(name));
        let kernel = kernel.map(|k| self.trace.strings.intern(k));
        self.trace.runtime.push(RuntimeCall {
            name,
            lane,
            start: Nanos(start),
            dur: Nanos(1),
            correlation: Some(correlation).into(),
            external_id: external_id.into(),
            kernel,
            copy_kind: None,
            stream: Maybe::NONE,
        });
        self
    }

    /// A kernel of 10 ns.
    pub(in super::super) fn kernel(self, name: &str, start: i64, correlation: i64) -> Self {
        self.gpu_event(GpuKind::Kernel, name, start, Some(correlation), None)
    }

    /// Any GPU event of 10 ns.
    pub(super) fn gpu_event(
        mut self,
        kind: GpuKind,
        name: &str,
        start: i64,
        correlation: Option<i64>,
        external_id: Option<i64>,
    ) -> Self {
        let (pid, stream) = self.gpu.clone();
        let (process, name) = (self.process(&pid), self.trace.strings.intern(name));
        self.trace.gpu.push(GpuEvent {
            name,
            kind,
            stream: StreamKey { process, stream },
            start: Nanos(start),
            dur: Nanos(10),
            correlation: correlation.into(),
            external_id: external_id.into(),
            grid: None,
            bytes: Maybe::NONE,
            copy_kind: None,
        });
        self
    }

    /// A kernel and its launch by `cudaLaunchKernel`.
    pub(in super::super) fn launch(self, name: &str, called: i64, start: i64, correlation: i64) -> Self {
        self.call("cudaLaunchKernel", called, correlation).kernel(name, start, correlation)
    }

    /// A top-level key.
    pub(super) fn header(mut self, key: &str, json: &str) -> Self {
        self.trace.header.values.insert(key.to_owned(), json.to_owned());
        self
    }

    /// The timeline.
    pub(in super::super) fn attribute(self) -> Timeline {
        self.attribute_with(&[], &given())
    }

    /// The timeline with siblings and with what the user gave.
    pub(super) fn attribute_with(self, captures: &[Trace], given: &Given) -> Timeline {
        attribute(self.trace, captures, &SETTINGS.0, &SETTINGS.1, given)
    }
}
