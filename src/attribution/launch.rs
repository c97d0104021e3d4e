//! GPU events in, the calls that launched them out: by correlation, never across ranks or processes.

use rustc_hash::FxHashMap;

use super::pattern::any;
use super::{Calls, DeviceTime, Given, Settings};
use crate::trace::{GpuKind, ProcessId, RuntimeCall, StringId, Strings, Trace, Warning};
use crate::units::{Maybe, Nanos};

/// Code of the warning that the device or rank asked for is not in the file.
pub const NO_SUCH_DEVICE: &str = "no-such-device";

/// What a runtime call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallRole {
    /// Puts this work on the GPU.
    Launch(GpuKind),
    /// Launches a graph.
    Graph,
    /// Begins a graph capture.
    CaptureBegin,
    /// Ends it.
    CaptureEnd,
    /// Anything else.
    Other,
}

/// Roles of call names, looked up once a name.
pub(super) struct CallRoles<'a> {
    calls: &'a Calls,
    known: FxHashMap<StringId, CallRole>,
}

impl<'a> CallRoles<'a> {
    pub(super) fn new(calls: &'a Calls) -> Self {
        Self { calls, known: FxHashMap::default() }
    }

    /// The role of a call, by its name and the text of it.
    pub(super) fn of(&mut self, name: StringId, text: &str) -> CallRole {
        *self.known.entry(name).or_insert_with(|| {
            let calls = self.calls;
            if any(&calls.graph_launch, text) {
                CallRole::Graph
            } else if any(&calls.capture_begin, text) {
                CallRole::CaptureBegin
            } else if any(&calls.capture_end, text) {
                CallRole::CaptureEnd
            } else if any(&calls.kernel, text) {
                CallRole::Launch(GpuKind::Kernel)
            } else if any(&calls.copy, text) {
                CallRole::Launch(GpuKind::Memcpy)
            } else if any(&calls.set, text) {
                CallRole::Launch(GpuKind::Memset)
            } else {
                CallRole::Other
            }
        })
    }
}

/// Processes of a file by the rank they belong to.
pub(super) struct Ranks {
    /// Label by process; none in files of one rank.
    labels: Vec<Option<String>>,
    /// By process: the first one with its label.
    firsts: Vec<usize>,
    /// Rank that the label names.
    of_label: Vec<Option<i64>>,
    tensor_parallel: Vec<i64>,
}

impl Ranks {
    pub(super) fn new(trace: &Trace, strings: &Strings, settings: &Settings) -> Self {
        let labels: Vec<Option<String>> = trace
            .processes
            .iter()
            .map(|&pid| {
                let text = strings.get(pid);
                settings.rank_labels.iter().find_map(|p| p.find(text)?.word("label").map(str::to_owned))
            })
            .collect();
        let ranks = labels
            .iter()
            .map(|label| {
                let label = label.as_deref()?;
                settings.label_ranks.iter().find_map(|p| p.find(label)?.number("rank"))
            })
            .collect();
        let tensor_parallel = (labels.iter().flatten())
            .filter_map(|label| settings.tp_labels.iter().find_map(|p| p.find(label)?.number("rank")))
            .collect();
        let mut known: FxHashMap<&Option<String>, usize> = FxHashMap::default();
        let firsts = labels.iter().enumerate().map(|(at, label)| *known.entry(label).or_insert(at)).collect();
        Self { labels, firsts, of_label: ranks, tensor_parallel }
    }

    pub(super) fn label(&self, process: ProcessId) -> Option<&str> {
        self.labels.get(process.0 as usize)?.as_deref()
    }

    pub(super) fn rank(&self, process: ProcessId) -> Option<i64> {
        self.of_label.get(process.0 as usize).copied().flatten()
    }

    /// Tensor-parallel ranks that labels name.
    pub(super) fn tensor_parallel(&self) -> impl Iterator<Item = i64> + '_ {
        self.tensor_parallel.iter().copied()
    }

    pub(super) fn same(&self, a: ProcessId, b: ProcessId) -> bool {
        self.firsts.get(a.0 as usize) == self.firsts.get(b.0 as usize)
    }
}

/// The GPU events of one device with their launch calls.
pub(super) struct Joined {
    /// All devices of the file, the longest first.
    pub(super) devices: Vec<DeviceTime>,
    /// The device taken.
    pub(super) device: Option<ProcessId>,
    /// Its GPU events in start order, then file order.
    pub(super) events: Vec<u32>,
    /// Their calls.
    pub(super) calls: Vec<Option<u32>>,
    /// Processes whose calls, ops and annotations may belong to the device, by process.
    pub(super) hosts: Vec<bool>,
    /// Whether a call of the file has a GPU event, of any device.
    pub(super) has_work: Vec<bool>,
}

/// Joins the GPU events of one device with their calls.
pub(super) fn join(
    trace: &Trace,
    strings: &Strings,
    settings: &Settings,
    given: &Given,
    warnings: &mut Vec<Warning>,
) -> Joined {
    let ranks = Ranks::new(trace, strings, settings);
    let (devices, device) = choose_device(trace, strings, &ranks, given, warnings);
    let table = CallTable::new(trace);
    let hosts_of = pair(trace, &ranks, &table, settings.slack);

    let mut has_work = vec![false; trace.runtime.len()];
    let mut called: Vec<(u32, Option<u32>)> = Vec::new();
    for (i, event) in trace.gpu.iter().enumerate() {
        let call = table.call(trace, &ranks, &hosts_of, event.stream.process, event.correlation);
        if let Some(call) = call {
            has_work[call as usize] = true;
        }
        if Some(event.stream.process) == device {
            called.push((i as u32, call));
        }
    }
    called.sort_by_key(|&(i, _)| (trace.gpu[i as usize].start, i));
    let (events, calls) = called.into_iter().unzip();
    let hosts = (0..trace.processes.len() as u32)
        .map(|p| {
            device.is_none_or(|device| {
                let paired = hosts_of.get(&device).copied().flatten();
                ranks.same(device, ProcessId(p)) && paired.is_none_or(|host| host == ProcessId(p))
            })
        })
        .collect();
    Joined { devices, device, events, calls, hosts, has_work }
}

fn choose_device(
    trace: &Trace,
    strings: &Strings,
    ranks: &Ranks,
    given: &Given,
    warnings: &mut Vec<Warning>,
) -> (Vec<DeviceTime>, Option<ProcessId>) {
    let mut sums: Vec<(Nanos, u64)> = vec![(Nanos::ZERO, 0); trace.processes.len()];
    for event in &trace.gpu {
        let sum = &mut sums[event.stream.process.0 as usize];
        sum.0 += event.dur;
        sum.1 += 1;
    }
    let mut found: Vec<ProcessId> =
        (0..sums.len() as u32).map(ProcessId).filter(|p| sums[p.0 as usize].1 > 0).collect();
    found.sort_by_key(|p| (std::cmp::Reverse(sums[p.0 as usize]), *p));
    let text = |p: ProcessId| strings.get(trace.processes[p.0 as usize]);

    let asked: Vec<ProcessId> = found
        .iter()
        .copied()
        .filter(|&p| given.device.as_deref().is_none_or(|device| text(p) == device))
        .filter(|&p| given.rank.is_none_or(|rank| ranks.rank(p).is_none_or(|r| r == rank)))
        .collect();
    if asked.is_empty() && !found.is_empty() {
        let list: Vec<&str> = found.iter().map(|&p| text(p)).collect();
        warnings.push(Warning {
            code: NO_SUCH_DEVICE,
            text: format!(
                "the device or rank asked for has no GPU events in this file; devices that have: {}",
                list.join(", ")
            ),
        });
    }
    let taken = asked.first().or(found.first()).copied();
    let devices = found
        .iter()
        .map(|&p| {
            let (total, launches) = sums[p.0 as usize];
            DeviceTime { device: text(p).to_owned(), total, launches, taken: Some(p) == taken }
        })
        .collect();
    (devices, taken)
}

/// Calls by correlation.
struct CallTable {
    /// (correlation, call), sorted.
    sorted: Vec<(i64, u32)>,
}

impl CallTable {
    fn new(trace: &Trace) -> Self {
        let mut sorted: Vec<(i64, u32)> =
            trace.runtime.iter().enumerate().filter_map(|(i, c)| Some((c.correlation.get()?, i as u32))).collect();
        sorted.sort_unstable();
        Self { sorted }
    }

    /// Calls with this correlation, in file order.
    fn of(&self, correlation: i64) -> impl Iterator<Item = u32> + '_ {
        let from = self.sorted.partition_point(|&(c, _)| c < correlation);
        self.sorted[from..].iter().take_while(move |&&(c, _)| c == correlation).map(|&(_, i)| i)
    }

    fn call(
        &self,
        trace: &Trace,
        ranks: &Ranks,
        hosts: &FxHashMap<ProcessId, Option<ProcessId>>,
        gpu: ProcessId,
        correlation: Maybe,
    ) -> Option<u32> {
        let host = hosts.get(&gpu).copied().flatten();
        self.of(correlation.get()?).find(|&call| {
            let process = process_of(trace, &trace.runtime[call as usize]);
            ranks.same(gpu, process) && host.is_none_or(|host| host == process)
        })
    }
}

fn process_of(trace: &Trace, call: &RuntimeCall) -> ProcessId {
    trace.lanes[call.lane.0 as usize].process
}

/// The host process of each device, where several processes of a rank use the same correlations; none where the
/// correlation alone decides.
///
/// The pair that agrees for most events wins; of equals the one with the shorter wait between call and start, and a
/// process that no other device has before one that has.
fn pair(trace: &Trace, ranks: &Ranks, table: &CallTable, slack: Nanos) -> FxHashMap<ProcessId, Option<ProcessId>> {
    let mut collide: FxHashMap<ProcessId, bool> = FxHashMap::default();
    let mut stats: FxHashMap<(ProcessId, ProcessId), (u64, i128)> = FxHashMap::default();
    for event in &trace.gpu {
        let gpu = event.stream.process;
        let collide = collide.entry(gpu).or_default();
        let mut first = None;
        for call in event.correlation.get().into_iter().flat_map(|c| table.of(c)) {
            let call = &trace.runtime[call as usize];
            let host = process_of(trace, call);
            if !ranks.same(gpu, host) {
                continue;
            }
            *collide |= *first.get_or_insert(host) != host;
            let agrees = call.start <= event.start + slack
                && call.external_id.get().zip(event.external_id.get()).is_none_or(|(a, b)| a == b)
                && call.kernel.is_none_or(|kernel| kernel == event.name);
            let stat = stats.entry((gpu, host)).or_default();
            stat.0 += u64::from(agrees);
            stat.1 += i128::from((event.start - call.start).0.abs());
        }
    }
    let mut pairs: Vec<((ProcessId, ProcessId), (u64, i128))> = stats.into_iter().collect();
    pairs.sort_unstable_by_key(|&(pair, (agree, wait))| (std::cmp::Reverse(agree), wait, pair));
    let mut hosts: FxHashMap<ProcessId, Option<ProcessId>> = FxHashMap::default();
    let mut taken: Vec<ProcessId> = Vec::new();
    for &((gpu, host), (agree, _)) in &pairs {
        if !collide.get(&gpu).copied().unwrap_or_default() || hosts.contains_key(&gpu) {
            continue;
        }
        let free = pairs.iter().any(|&((g, h), (a, _))| g == gpu && a == agree && h != host && !taken.contains(&h));
        if taken.contains(&host) && free {
            continue;
        }
        hosts.insert(gpu, Some(host));
        taken.push(host);
    }
    hosts
}
