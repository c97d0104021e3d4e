//! Facts of the run: what was given beats server arguments, which beat the trace. Absent is unknown.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::launch::Joined;
use super::nest::Tree;
use super::pattern::{Pattern, any};
use super::site::{PythonFrame, class_of, cut};
use super::{Given, Known, NodeId, RootSays, Run, Settings, stage};
use crate::trace::{FrameLane, StringId, Strings, Trace};

/// Frames around launches, each with the number of launches in it.
pub(super) type Frames = Vec<(NodeId, u64)>;

/// What the facts are read from.
pub(super) struct Sources<'a> {
    pub(super) trace: &'a Trace,
    pub(super) strings: &'a Strings,
    pub(super) joined: &'a Joined,
    pub(super) frames: &'a Tree,
    pub(super) launches: &'a Frames,
    pub(super) settings: &'a Settings,
    pub(super) given: &'a Given,
}

/// The facts.
pub(super) fn facts(sources: &Sources<'_>) -> Run {
    let (trace, given) = (sources.trace, sources.given);
    let (server_args, server_args_source) = match &given.server_args {
        Some((args, source)) => (args.clone(), Some(source.clone())),
        None => Default::default(),
    };
    let distributed = header(trace, "distributedInfo");
    let number = |key: &str| distributed.as_ref().and_then(|d| d.get(key)).and_then(Value::as_i64);
    let in_header = |value: i64| Known { value, source: "distributedInfo".to_owned() };
    let mut run = Run {
        framework: framework(sources),
        world_size: number("world_size").map(in_header),
        rank: rank(sources).or_else(|| number("rank").map(in_header)),
        with_stack: Some(flag(trace, "with_stack").unwrap_or(!trace.frames.is_empty())),
        record_shapes: Some(
            flag(trace, "record_shapes").unwrap_or_else(|| trace.ops.iter().any(|op| op.dims.is_some())),
        ),
        server_args,
        server_args_source,
        asked: given.asked.clone(),
        ..Run::default()
    };
    run.framework_version = by_user(given.version.clone(), "--framework-version")
        .or_else(|| argument(&run, &sources.settings.facts.version_args));
    run.model = by_user(given.model.clone(), "--model")
        .or_else(|| argument(&run, &sources.settings.facts.model_args))
        .or_else(|| model_of_frames(sources));
    run.tp = by_user(given.tp, "--tp").or_else(|| tp_of_args(sources, &run)).or_else(|| tp_of_labels(sources));
    run.tp = run.tp.or_else(|| {
        let sizes = group_sizes(distributed.as_ref());
        tp_of_groups(sources, run.world_size.as_ref()?.value, &sizes)
    });
    hardware(sources, &mut run);
    run
}

fn by_user<T>(value: Option<T>, flag: &str) -> Option<Known<T>> {
    Some(Known { value: value?, source: flag.to_owned() })
}

fn header(trace: &Trace, key: &str) -> Option<Value> {
    serde_json::from_str(trace.header.values.get(key)?).ok()
}

fn flag(trace: &Trace, key: &str) -> Option<bool> {
    match header(trace, key)? {
        Value::Bool(flag) => Some(flag),
        Value::Number(number) => number.as_i64().map(|n| n != 0),
        _ => None,
    }
}

/// Text of a server argument, without JSON quotes; none when it is null or empty.
fn argument(run: &Run, keys: &[String]) -> Option<Known<String>> {
    let source = run.server_args_source.as_deref()?;
    keys.iter().find_map(|key| {
        let value = match serde_json::from_str(run.server_args.get(key)?) {
            Ok(Value::String(text)) => text,
            Ok(Value::Number(number)) => number.to_string(),
            _ => return None,
        };
        (!value.is_empty()).then(|| Known { value, source: format!("{source}: {key}") })
    })
}

fn rank(sources: &Sources<'_>) -> Option<Known<i64>> {
    let ranks = super::launch::Ranks::new(sources.trace, sources.strings, sources.settings);
    let value = ranks.rank(sources.joined.device?)?;
    Some(Known { value, source: "process labels".to_owned() })
}

/// The framework: what was given, server arguments, then the outermost known frame around most launches, then ops,
/// process names and annotations that only one framework has. Never by absence.
fn framework(sources: &Sources<'_>) -> Option<Known<String>> {
    let (settings, given) = (sources.settings, sources.given);
    let known = |value: &str, source: String| Some(Known { value: value.to_owned(), source });
    if let Some(id) = &given.framework {
        return known(id, "--framework".to_owned());
    }
    if let Some((args, source)) = &given.server_args {
        let by_args = settings.frameworks.iter().find(|f| f.server_args.iter().any(|key| args.contains_key(key)));
        if let Some(framework) = by_args {
            return known(&framework.id, source.clone());
        }
    }
    let says = |text: &str| root_says(text, settings);
    match votes_of_outermost(sources, says).first() {
        Some((RootSays::Framework(id), n)) => return known(id, format!("Python frames around {n} launches")),
        Some((RootSays::Foreign, _)) => return None,
        _ => {}
    }
    if let Some((id, n)) = framework_of_frames(sources) {
        return known(id, format!("{n} Python frames"));
    }
    let mut votes: Votes<&str> = Votes::default();
    let mut by_name: FxHashMap<_, Option<&str>> = FxHashMap::default();
    for op in &sources.trace.ops {
        let id = *by_name.entry(op.name).or_insert_with(|| {
            let text = sources.strings.get(op.name);
            settings.frameworks.iter().find(|f| any(&f.ops, text)).map(|f| f.id.as_str())
        });
        votes.add(id, 1);
    }
    if let Some((id, n)) = votes.first() {
        return known(id, format!("{n} CPU ops"));
    }
    let mut votes: Votes<&str> = Votes::default();
    for (_, name) in &sources.trace.process_names {
        let text = sources.strings.get(*name);
        let framework = settings.frameworks.iter().find(|f| any(&f.processes, text));
        votes.add(framework.map(|f| f.id.as_str()), 1);
    }
    if let Some((id, _)) = votes.first() {
        return known(id, "process names".to_owned());
    }
    let mut votes: Votes<String> = Votes::default();
    let mut by_name: FxHashMap<StringId, Option<String>> = FxHashMap::default();
    for annotation in &sources.trace.annotations {
        let says = by_name.entry(annotation.name).or_insert_with(|| {
            stage::read(sources.strings.get(annotation.name), &settings.steps).and_then(|s| s.framework)
        });
        votes.add(says.clone(), 1);
    }
    let (id, n) = votes.first()?;
    known(&id, format!("{n} step annotations"))
}

fn root_says<'s>(frame: &str, settings: &'s Settings) -> Option<&'s RootSays> {
    let frame = PythonFrame::parse(frame)?;
    cut(frame.path, &settings.sites).1.map(|root| &root.says).filter(|says| **says != RootSays::Nothing)
}

/// The framework with most frames, where no launch has any; none when most are of another package.
fn framework_of_frames<'a>(sources: &Sources<'a>) -> Option<(&'a str, u64)> {
    let mut counts: Vec<u64> = Vec::new();
    for frame in sources.trace.frames.iter().flat_map(FrameLane::frames) {
        let at = frame.name.index() as usize;
        if counts.len() <= at {
            counts.resize(at + 1, 0);
        }
        counts[at] += 1;
    }
    let mut votes: Votes<&RootSays> = Votes::default();
    for (at, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let text = sources.strings.get(StringId::new(at as u32));
        votes.add(root_says(text, sources.settings), count);
    }
    match votes.first()? {
        (RootSays::Framework(id), n) => Some((id, n)),
        _ => None,
    }
}

/// What the outermost frame that says anything says, counted over launches. A node stands after the one around it, so
/// one pass over the tree is enough.
fn votes_of_outermost<'a, T: Copy + Ord>(sources: &Sources<'a>, says: impl Fn(&'a str) -> Option<T>) -> Votes<T> {
    let mut by_name: FxHashMap<StringId, Option<T>> = FxHashMap::default();
    let mut outermost: Vec<Option<T>> = Vec::with_capacity(sources.frames.tree.nodes.len());
    for &(around, name) in &sources.frames.tree.nodes {
        let own = *by_name.entry(name).or_insert_with(|| says(sources.strings.get(name)));
        outermost.push(around.and_then(|a| outermost[a.0 as usize]).or(own));
    }
    let mut votes = Votes::default();
    for &(node, launches) in sources.launches {
        votes.add(outermost[node.0 as usize], launches);
    }
    votes
}

/// The model file whose frames are around most launches, by the first form that has any; else a module of a whole
/// model. The outermost counts: a model may borrow layers from the file of another.
fn model_of_frames(sources: &Sources<'_>) -> Option<Known<String>> {
    let (facts, sites) = (&sources.settings.facts, &sources.settings.sites);
    let by_file = facts.model_files.iter().find_map(|form| {
        let model = |text| {
            let (path, _) = cut(PythonFrame::parse(text)?.path, sites);
            form.find(path)?.word("model").filter(|model| !facts.no_models.iter().any(|no| no == model))
        };
        votes_of_outermost(sources, model).first()
    });
    if let Some((model, _)) = by_file {
        return Some(Known { value: model.to_owned(), source: "model file in the Python frames".to_owned() });
    }
    let class = |text| class_of(text, sites).filter(|class| any(&facts.model_modules, class));
    let (class, _) = votes_of_outermost(sources, class).first()?;
    Some(Known { value: class.to_owned(), source: "module frames".to_owned() })
}

fn tp_of_args(sources: &Sources<'_>, run: &Run) -> Option<Known<i64>> {
    let found = argument(run, &sources.settings.facts.tp_args)?;
    Some(Known { value: found.value.parse().ok()?, source: found.source })
}

/// Tensor-parallel ranks that a merged file names; one of them alone tells nothing.
fn tp_of_labels(sources: &Sources<'_>) -> Option<Known<i64>> {
    let ranks = super::launch::Ranks::new(sources.trace, sources.strings, sources.settings);
    let mut found: Vec<i64> = ranks.tensor_parallel().collect();
    found.sort_unstable();
    found.dedup();
    let highest = found.last().filter(|_| found.len() > 1)?;
    Some(Known { value: highest + 1, source: "process labels".to_owned() })
}

/// Sizes of process groups that are more than one rank.
fn group_sizes(distributed: Option<&Value>) -> Vec<i64> {
    let groups = distributed.and_then(|d| d.get("pg_config")).and_then(Value::as_array);
    let mut sizes: Vec<i64> = groups
        .into_iter()
        .flatten()
        .filter_map(|group| group.get("pg_size").and_then(Value::as_i64))
        .filter(|&size| size > 1)
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// One rank has no tensor parallelism. With more, it has the size of the one kind of process group there is, when
/// frames or kernels prove that it is at work; data or expert parallelism alone would have such groups, too.
fn tp_of_groups(sources: &Sources<'_>, world_size: i64, sizes: &[i64]) -> Option<Known<i64>> {
    if world_size == 1 {
        return Some(Known { value: 1, source: "distributedInfo: world_size".to_owned() });
    }
    let &[size] = sizes else { return None };
    let facts = &sources.settings.facts;
    let is = |patterns: &[Pattern], name| any(patterns, sources.strings.get(name));
    let proof = if sources.frames.tree.nodes.iter().any(|&(_, name)| is(&facts.tp_frames, name)) {
        "frames"
    } else {
        let mut names: Vec<StringId> =
            sources.joined.events.iter().map(|&event| sources.trace.gpu[event as usize].name).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().any(|name| is(&facts.tp_kernels, name)).then_some("kernels")?
    };
    let source = format!("distributedInfo: process groups, and {proof} of tensor-parallel collectives");
    Some(Known { value: size, source })
}

fn hardware(sources: &Sources<'_>, run: &mut Run) {
    let (trace, settings) = (sources.trace, sources.settings);
    let devices = header(trace, "deviceProperties");
    let device = devices.as_ref().and_then(Value::as_array).and_then(|d| d.first());
    let known = |value: String| Some(Known { value, source: "deviceProperties".to_owned() });
    if let Some(name) = device.and_then(|d| d.get("name")).and_then(Value::as_str) {
        run.hardware = known(name.to_owned());
        if let Some(hardware) = settings.hardware.iter().find(|h| h.name.matches(name)) {
            run.vendor = known(hardware.vendor.clone());
            let part = |key| device.and_then(|d| d.get(key)).and_then(Value::as_i64).map(|n: i64| n.to_string());
            run.arch = hardware
                .arch
                .as_deref()
                .and_then(|arch| fill(arch, part("computeMajor"), part("computeMinor")))
                .and_then(known);
        }
    }
    if run.vendor.is_none() {
        let vendor = trace.runtime.iter().find_map(|call| {
            let name = sources.strings.get(call.name);
            settings.runtimes.iter().find(|(pattern, _)| pattern.matches(name)).map(|(_, vendor)| vendor.clone())
        });
        run.vendor = vendor.map(|value| Known { value, source: "runtime calls".to_owned() });
    }
}

/// Puts the compute capability into an architecture; none when it is asked for and not known.
fn fill(arch: &str, major: Option<String>, minor: Option<String>) -> Option<String> {
    let mut out = arch.to_owned();
    for (key, value) in [("{major}", major), ("{minor}", minor)] {
        if out.contains(key) {
            out = out.replace(key, &value?);
        }
    }
    Some(out)
}

/// Counts.
#[derive(Clone, Debug)]
struct Votes<T> {
    counts: BTreeMap<T, u64>,
}

impl<T> Default for Votes<T> {
    fn default() -> Self {
        Self { counts: BTreeMap::new() }
    }
}

impl<T: Ord> Votes<T> {
    fn add(&mut self, what: Option<T>, count: u64) {
        if let Some(what) = what {
            *self.counts.entry(what).or_default() += count;
        }
    }

    /// The one with most votes; of equals the first in order.
    fn first(self) -> Option<(T, u64)> {
        self.counts.into_iter().min_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)))
    }
}
