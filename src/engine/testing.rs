//! The tests of rule files: kernels as a rule file names them in, a [`Timeline`] as a trace would give it out.

use rustc_hash::FxHashMap;

use crate::attribution::{
    Context, ContextId, FoundBy, Kernel, KernelId, Known, Launch, LaunchId, Lookup, NodeId, Stage, Step, StepId,
    Stream, StreamId, Timeline,
};
use crate::kernel_name::{self, KernelName};
use crate::rules::{CaseLaunch, RuleSet};
use crate::trace::{GpuKind, ProcessId, StringId, SyncEvent};
use crate::units::{Maybe, Nanos};

/// Length of a launch that gives none.
const DEFAULT_DUR: Nanos = Nanos(1_000);
/// Gap before a launch that gives no start.
const GAP: Nanos = Nanos(1_000);

/// A timeline of one whole step in which `chain` ran. What a launch does not give is unknown. `given` sets facts of the
/// run (`vendor`, `arch`, `tp`, `framework`, `version`, `model`, `stage`, `tokens`, `requests`); other keys are
/// server arguments.
pub fn timeline_of(chain: &[CaseLaunch], rules: &RuleSet, given: &[(String, String)]) -> Timeline {
    let mut builder = Builder::new(rules);
    builder.give(given);
    let mut cursor = Nanos::ZERO;
    for (n, launch) in chain.iter().enumerate() {
        let start = launch.start_ns.map_or(cursor + GAP, Nanos);
        let dur = launch.dur_ns.map_or(DEFAULT_DUR, Nanos);
        builder.launch(launch, n, start, dur);
        cursor = cursor.max(start + dur);
    }
    for (n, launch) in chain.iter().enumerate() {
        builder.waits(launch, n, chain);
    }
    builder.finish(cursor)
}

struct Builder<'a> {
    names: &'a kernel_name::Settings,
    timeline: Timeline,
    kernels: FxHashMap<(StringId, GpuKind), KernelId>,
    contexts: FxHashMap<Context, ContextId>,
    step: Step,
}

impl<'a> Builder<'a> {
    fn new(rules: &'a RuleSet) -> Self {
        let module_prefix = rules.attribution.sites.module_prefix.clone();
        let mut timeline = Timeline { module_prefix, ..Timeline::default() };
        let name = timeline.strings.intern("step");
        let step = Step {
            name,
            stage: Stage::All,
            start: Nanos::ZERO,
            end: Nanos::ZERO,
            tokens: None,
            requests: None,
            whole: true,
        };
        Self { names: &rules.names, timeline, kernels: FxHashMap::default(), contexts: FxHashMap::default(), step }
    }

    fn give(&mut self, given: &[(String, String)]) {
        let known = |value: &str| Some(Known { value: value.to_owned(), source: "given".to_owned() });
        let number = |value: &str| value.parse().ok();
        let run = &mut self.timeline.run;
        for (key, value) in given {
            match key.as_str() {
                "framework" => run.framework = known(value),
                "version" | "framework_version" => run.framework_version = known(value),
                "model" => run.model = known(value),
                "vendor" => run.vendor = known(value),
                "arch" => run.arch = known(value),
                "hardware" => run.hardware = known(value),
                "tp" | "tensor_parallel" => {
                    run.tp = number(value).map(|value| Known { value, source: "given".to_owned() });
                }
                "tokens" => self.step.tokens = number(value),
                "requests" => self.step.requests = number(value),
                "stage" => self.step.stage = Stage::from_id(value).unwrap_or(Stage::All),
                _ => drop(run.server_args.insert(key.clone(), value.clone())),
            }
        }
    }

    fn launch(&mut self, launch: &CaseLaunch, index: usize, start: Nanos, dur: Nanos) {
        let kernel = self.kernel(&launch.kernel);
        let stream = self.stream(launch.stream.unwrap_or(0));
        let context = self.context(launch);
        let grid = launch.grid.as_deref().map(|g| self.timeline.strings.intern(g));
        self.timeline.launches.push(Launch {
            kernel,
            stream,
            start,
            dur,
            called: Some(start),
            context,
            step: Some(StepId(0)),
            stage: self.step.stage,
            replay: None,
            correlation: Some(index as i64).into(),
            grid,
            bytes: Maybe::NONE,
            instance: None,
        });
    }

    fn kernel(&mut self, raw: &str) -> KernelId {
        let begins = |prefixes: &[String]| prefixes.iter().any(|prefix| raw.starts_with(prefix));
        let kind = if begins(&self.names.copies) {
            GpuKind::Memcpy
        } else if begins(&self.names.sets) {
            GpuKind::Memset
        } else {
            GpuKind::Kernel
        };
        let name = self.timeline.strings.intern(raw);
        let kernels = &mut self.timeline.kernels;
        *self.kernels.entry((name, kind)).or_insert_with(|| {
            kernels.push(Kernel { raw: name, kind, name: KernelName::parse(raw, self.names) });
            KernelId(kernels.len() as u32 - 1)
        })
    }

    fn stream(&mut self, number: i64) -> StreamId {
        let streams = &mut self.timeline.streams;
        let at = streams.iter().position(|s| s.number == number).unwrap_or_else(|| {
            streams.push(Stream { device: "0".to_owned(), number });
            streams.len() - 1
        });
        StreamId(at as u32)
    }

    fn context(&mut self, launch: &CaseLaunch) -> ContextId {
        let op = launch.op.as_ref().map_or(Lookup::Unknown, |ops| self.path(ops, false));
        let frame = match (&launch.site, &launch.module) {
            (None, None) => Lookup::Unknown,
            (site, module) => {
                // Sites innermost, modules around them: a site is a line of its module's code.
                let prefix = self.timeline.module_prefix.as_str();
                let modules = module.iter().flatten().map(|m| format!("{prefix}{m}"));
                let frames: Vec<String> = site.iter().flatten().cloned().chain(modules).collect();
                self.path(&frames, true)
            }
        };
        let strings = &mut self.timeline.strings;
        let context = Context {
            op,
            frame,
            dims: launch.dims.as_deref().map(|d| strings.intern(d)),
            op_found_by: if op == Lookup::Unknown { FoundBy::None } else { FoundBy::Time },
            frame_found_by: if frame == Lookup::Unknown { FoundBy::None } else { FoundBy::Time },
            site: launch.site.as_ref().and_then(|s| s.first()).map(|s| strings.intern(s)),
            module: launch.module.as_ref().map(|m| {
                let outermost_first: Vec<&str> = m.iter().rev().map(String::as_str).collect();
                strings.intern(&outermost_first.join("."))
            }),
        };
        let contexts = &mut self.timeline.contexts;
        *self.contexts.entry(context).or_insert_with(|| {
            contexts.push(context);
            ContextId(contexts.len() as u32 - 1)
        })
    }

    /// Names, innermost first, as a new path of the tree.
    fn path(&mut self, names: &[String], frames: bool) -> Lookup {
        let mut parent = None;
        for name in names.iter().rev() {
            let name = self.timeline.strings.intern(name);
            let tree = if frames { &mut self.timeline.frames } else { &mut self.timeline.ops };
            let known = tree.nodes.iter().position(|node| *node == (parent, name));
            parent = Some(NodeId(known.unwrap_or_else(|| {
                tree.nodes.push((parent, name));
                tree.nodes.len() - 1
            }) as u32));
        }
        parent.map_or(Lookup::Nowhere, Lookup::At)
    }

    /// A recorded wait of `launch`'s stream for each launch that it names.
    fn waits(&mut self, launch: &CaseLaunch, index: usize, chain: &[CaseLaunch]) {
        for &target in &launch.waits_for {
            let Some(waited) = chain.get(target) else { continue };
            let name = self.timeline.strings.intern("Stream Wait Event");
            self.timeline.syncs.push(SyncEvent {
                name,
                process: ProcessId(0),
                start: self.timeline.launches[index].start,
                dur: Nanos::ZERO,
                stream: Some(launch.stream.unwrap_or(0)).into(),
                wait_on_stream: Some(waited.stream.unwrap_or(0)).into(),
                wait_on_record: Some(target as i64).into(),
                wait_on_event: Some(target as i64).into(),
                correlation: Some(index as i64).into(),
            });
        }
    }

    fn finish(mut self, end: Nanos) -> Timeline {
        self.step.end = end;
        self.timeline.steps.push(self.step);
        // Launches are in start order, as in every timeline; equal starts keep the order of the test.
        self.timeline.launches.sort_by_key(|l| l.start);
        self.timeline.counts.launches = self.timeline.launches.len() as u64;
        self.timeline
    }
}

/// The position in the test's chain of a launch of its timeline.
pub fn position_of(timeline: &Timeline, launch: LaunchId) -> usize {
    timeline.launch(launch).correlation.get().map_or(0, |n| n as usize)
}
