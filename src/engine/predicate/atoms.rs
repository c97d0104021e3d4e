//! Atoms, sorted by what they look at: which of them say yes to a kernel, to a place, to a launch.
//!
//! Each distinct text is looked at once for all atoms together. What says yes to it is a set, sets are interned, and a
//! launch is told from another one by its sets alone: however many kernels and call sites a trace has, there are only as
//! many classes as the rules can tell apart.

use rustc_hash::FxHashMap;

use super::needles::Needles;
use super::{Answer, Classes};
use crate::attribution::{CallTree, Context, Kernel, Launch, LaunchId, Lookup, Timeline};
use crate::engine::Tri;
use crate::kernel_name::{self, glob};
use crate::rules::ast::{Atom, Compare};
use crate::trace::{GpuKind, StringId};

/// Stands in a set of frames for "there is a Python frame": a stack of modules alone says nothing of Python files.
const PYTHON: u32 = u32::MAX;

/// A text with the node of the atom that has it.
type Asked<T> = Vec<(T, u32)>;

/// The atoms of some predicates.
#[derive(Clone, Debug, Default)]
pub(super) struct Atoms {
    names: Words,
    targs: Words,
    targ: Asked<(usize, String)>,
    inductor: Asked<Vec<String>>,
    kinds: Asked<Vec<String>>,
    ops: Whole,
    modules: Whole,
    sites: Needles,
    /// The same without the line of the frame.
    sites_without_line: Needles,
    site_globs: Asked<String>,
    dims: Asked<Vec<String>>,
    categories: Asked<Vec<String>>,
    /// What may differ between launches of one kernel at one place.
    of_launch: Asked<Atom>,
    /// Nodes by what leaves them open.
    by_op: Vec<u32>,
    by_site: Vec<u32>,
    by_module: Vec<u32>,
    by_name: Vec<u32>,
}

/// Texts of `name()` or `targs()`: words, or globs in lower case.
#[derive(Clone, Debug, Default)]
struct Words {
    words: Needles,
    globs: Asked<String>,
}

impl Words {
    fn add(&mut self, texts: &[String], node: u32, names: &kernel_name::Settings) {
        for text in texts {
            if text.contains('*') {
                self.globs.push((text.to_lowercase(), node));
            } else {
                self.words.add(&kernel_name::words(text, names).concat(), node);
            }
        }
    }

    /// `row` are the words of `text`.
    fn find(&self, text: &str, row: &kernel_name::WordRow, yes: &mut Vec<u32>) {
        for at in row.starts() {
            self.words.at(row.joined().as_bytes(), at, |length, node| {
                if row.is_border(at + length) {
                    yes.push(node);
                }
            });
        }
        if !self.globs.is_empty() {
            let lower = text.to_lowercase();
            yes.extend(self.globs.iter().filter(|(pattern, _)| glob(pattern, &lower)).map(|(_, node)| node));
        }
    }
}

/// Texts that stand for a whole name, and globs over it.
#[derive(Clone, Debug, Default)]
struct Whole {
    texts: FxHashMap<String, Vec<u32>>,
    globs: Asked<String>,
}

impl Whole {
    fn add(&mut self, texts: &[String], node: u32) {
        for text in texts {
            if text.contains('*') {
                self.globs.push((text.clone(), node));
            } else {
                self.texts.entry(text.clone()).or_default().push(node);
            }
        }
    }

    fn find(&self, name: &str, yes: &mut Vec<u32>) {
        yes.extend(self.texts.get(name).into_iter().flatten());
        yes.extend(self.globs.iter().filter(|(pattern, _)| glob(pattern, name)).map(|(_, node)| node));
    }
}

/// Sets of nodes, each kept once. The first is empty.
#[derive(Debug)]
struct Sets {
    ids: FxHashMap<Box<[u32]>, u32>,
    all: Vec<Box<[u32]>>,
    unions: FxHashMap<(u32, u32), u32>,
}

impl Sets {
    fn new() -> Self {
        let mut sets = Self { ids: FxHashMap::default(), all: Vec::new(), unions: FxHashMap::default() };
        sets.id(&mut Vec::new());
        sets
    }

    /// The id of what is in `nodes`, which is emptied.
    fn id(&mut self, nodes: &mut Vec<u32>) -> u32 {
        nodes.sort_unstable();
        nodes.dedup();
        let id = self.ids.get(nodes.as_slice()).copied().unwrap_or_else(|| {
            self.ids.insert(nodes.as_slice().into(), self.all.len() as u32);
            self.all.push(nodes.as_slice().into());
            self.all.len() as u32 - 1
        });
        nodes.clear();
        id
    }

    fn union(&mut self, a: u32, b: u32) -> u32 {
        if a == b || b == 0 {
            return a;
        }
        if let Some(&known) = self.unions.get(&(a, b)) {
            return known;
        }
        let mut both = [self.get(a), self.get(b)].concat();
        let id = self.id(&mut both);
        self.unions.insert((a, b), id);
        id
    }

    fn get(&self, id: u32) -> &[u32] {
        &self.all[id as usize]
    }
}

/// A set, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Found {
    Unknown,
    Nowhere,
    Set(u32),
}

/// All that tells one launch from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    kernel: u32,
    op: Found,
    frame: Found,
    dims: Found,
    category: Option<(u16, bool)>,
    own: u32,
}

/// The classes of a timeline's launches.
#[derive(Debug)]
pub(super) struct Keys {
    /// By launch.
    pub(super) class_of: Vec<u32>,
    /// The first launch of each class.
    pub(super) first: Vec<LaunchId>,
    of_class: Vec<Key>,
    sets: Sets,
}

impl Atoms {
    /// `atoms` with the numbers of their nodes.
    pub(super) fn new<'a>(atoms: impl Iterator<Item = (u32, &'a Atom)>, names: &kernel_name::Settings) -> Self {
        let mut out = Self::default();
        for (node, atom) in atoms {
            match atom {
                Atom::Name(texts) => out.names.add(texts, node, names),
                Atom::Targs(texts) => out.targs.add(texts, node, names),
                Atom::Targ(at, text) => out.targ.push(((*at, text.clone()), node)),
                Atom::Inductor(ops) => out.inductor.push((ops.clone(), node)),
                Atom::Kind(kinds) => out.kinds.push((kinds.clone(), node)),
                Atom::Op(texts) => out.ops.add(texts, node),
                Atom::Module(texts) => out.modules.add(texts, node),
                Atom::Site(texts) => texts.iter().for_each(|text| out.site(text, node)),
                Atom::Dims(globs) => out.dims.push((globs.iter().map(|text| squeeze(text)).collect(), node)),
                Atom::Category(texts) => out.categories.push((texts.clone(), node)),
                Atom::Grid(_) | Atom::Number { .. } => out.of_launch.push((atom.clone(), node)),
            }
            match atom {
                Atom::Op(_) => out.by_op.push(node),
                Atom::Site(_) => out.by_site.push(node),
                Atom::Module(_) => out.by_module.push(node),
                Atom::Name(_) | Atom::Targs(_) | Atom::Targ(..) | Atom::Inductor(_) | Atom::Kind(_) => {
                    out.by_name.push(node);
                }
                Atom::Dims(_) | Atom::Category(_) | Atom::Grid(_) | Atom::Number { .. } => {}
            }
        }
        out
    }

    /// A part of a frame, `path.py(12): function`, or of the same without its line, `path.py:function`.
    fn site(&mut self, text: &str, node: u32) {
        if text.contains('*') {
            self.site_globs.push((format!("*{text}*"), node));
            return;
        }
        self.sites.add(text, node);
        if text.contains(':') {
            self.sites_without_line.add(text, node);
        }
    }

    /// The classes of all launches.
    pub(super) fn keys(&self, timeline: &Timeline, names: &kernel_name::Settings, classes: Option<&Classes>) -> Keys {
        let mut sets = Sets::new();
        let mut yes = Vec::new();
        let kernels: Vec<u32> = (timeline.kernels.iter())
            .map(|kernel| {
                self.of_kernel(kernel, names, &mut yes);
                sets.id(&mut yes)
            })
            .collect();
        let places = self.places(timeline, &mut sets);
        let classes = classes.filter(|_| !self.categories.is_empty());
        let mut owns: FxHashMap<Box<[Tri]>, u32> = FxHashMap::default();
        let mut own = Vec::new();
        let mut known: FxHashMap<Key, u32> = FxHashMap::default();
        let mut keys = Keys {
            class_of: Vec::with_capacity(timeline.launches.len()),
            first: Vec::new(),
            of_class: Vec::new(),
            sets,
        };
        for id in timeline.launch_ids() {
            let launch = timeline.launch(id);
            own.clear();
            own.extend(self.of_launch.iter().map(|(atom, _)| of_launch(atom, timeline, launch)));
            let number = owns.get(own.as_slice()).copied().unwrap_or_else(|| {
                owns.insert(own.as_slice().into(), owns.len() as u32);
                owns.len() as u32 - 1
            });
            let (op, frame, dims) = places[launch.context.0 as usize];
            let category = classes.map(|classes| (classes.of_launch[id.0 as usize], classes.is_sure(id)));
            let key = Key { kernel: kernels[launch.kernel.0 as usize], op, frame, dims, category, own: number };
            keys.class_of.push(*known.entry(key).or_insert_with(|| {
                keys.first.push(id);
                keys.of_class.push(key);
                keys.of_class.len() as u32 - 1
            }));
        }
        keys
    }

    /// Writes the columns of all atoms.
    pub(super) fn answer(
        &self,
        timeline: &Timeline,
        classes: Option<&Classes>,
        keys: &Keys,
        columns: &mut [Vec<Answer>],
    ) {
        let module_frames = timeline.frames.nodes.iter().any(|(_, name)| module_class(timeline, *name).is_some());
        let no_module = if module_frames { Tri::No } else { Tri::Unknown };
        let no_site = |set: u32| if keys.sets.get(set).contains(&PYTHON) { Tri::No } else { Tri::Unknown };
        let mut fill = |nodes: &[u32], otherwise: &dyn Fn(&Key) -> Tri| {
            let column: Vec<Answer> = keys.of_class.iter().map(|key| Answer::plain(otherwise(key))).collect();
            for node in nodes {
                columns[*node as usize].clone_from(&column);
            }
        };
        let unless_set = |found: Found, at: &dyn Fn(u32) -> Tri| match found {
            Found::Unknown => Tri::Unknown,
            Found::Nowhere => Tri::No,
            Found::Set(set) => at(set),
        };
        let of_dims: Vec<u32> = self.dims.iter().map(|(_, node)| *node).collect();
        fill(&self.by_name, &|_| Tri::No);
        fill(&self.by_op, &|key| unless_set(key.op, &|_| Tri::No));
        fill(&self.by_site, &|key| unless_set(key.frame, &no_site));
        fill(&self.by_module, &|key| unless_set(key.frame, &|_| no_module));
        fill(&of_dims, &|key| unless_set(key.dims, &|_| Tri::No));
        for (class, key) in keys.of_class.iter().enumerate() {
            for node in keys.sets.get(key.kernel) {
                columns[*node as usize][class] = Answer::name_like(true);
            }
            for found in [key.op, key.frame, key.dims] {
                let Found::Set(set) = found else { continue };
                for node in keys.sets.get(set).iter().filter(|node| **node != PYTHON) {
                    columns[*node as usize][class] = Answer::plain(Tri::Yes);
                }
            }
        }
        for (names, node) in &self.categories {
            let of = |launch: &LaunchId| in_category(names, classes, *launch);
            columns[*node as usize] = keys.first.iter().map(of).collect();
        }
        for (atom, node) in &self.of_launch {
            let of = |id: &LaunchId| Answer::plain(of_launch(atom, timeline, timeline.launch(*id)));
            columns[*node as usize] = keys.first.iter().map(of).collect();
        }
    }

    /// What says yes to a kernel's name.
    fn of_kernel(&self, kernel: &Kernel, names: &kernel_name::Settings, yes: &mut Vec<u32>) {
        let name = &kernel.name;
        self.names.find(name.name_text(), name.row(), yes);
        self.targs.find(&name.template_args.join(", "), name.targs_row(), yes);
        let targ = |at: usize, text: &str| {
            name.template_args.get(at).is_some_and(|arg| {
                if text.contains('*') { glob(text, arg) } else { name.targ_is(at, text) || is_cast_truth(arg, text) }
            })
        };
        yes.extend(self.targ.iter().filter(|((at, text), _)| targ(*at, text)).map(|(_, node)| node));
        if name.inductor.is_some() {
            yes.extend(self.inductor.iter().filter(|(ops, _)| name.has_ops(ops, names)).map(|(_, node)| node));
        }
        let kind = kind_word(kernel.kind);
        yes.extend(self.kinds.iter().filter(|(kinds, _)| kinds.iter().any(|k| k == kind)).map(|(_, node)| node));
    }

    /// Of each context: what says yes to its ops, frames and shapes.
    fn places(&self, timeline: &Timeline, sets: &mut Sets) -> Vec<(Found, Found, Found)> {
        let strings = &timeline.strings;
        let ops = along(&timeline.ops, sets, |name, yes| self.ops.find(strings.get(name), yes));
        let frames = along(&timeline.frames, sets, |name, yes| self.of_frame(timeline, name, yes));
        let mut shapes: FxHashMap<StringId, u32> = FxHashMap::default();
        let mut of_dims = |dims: StringId, sets: &mut Sets| {
            *shapes.entry(dims).or_insert_with(|| {
                let json = squeeze(strings.get(dims));
                let asked = self.dims.iter().filter(|(globs, _)| globs.iter().any(|pattern| glob(pattern, &json)));
                sets.id(&mut asked.map(|(_, node)| *node).collect())
            })
        };
        let found = |lookup, of: &[u32]| match lookup {
            Lookup::Unknown => Found::Unknown,
            Lookup::Nowhere => Found::Nowhere,
            Lookup::At(node) => Found::Set(of[node.0 as usize]),
        };
        (timeline.contexts.iter())
            .map(|context: &Context| {
                let dims = match (context.dims, context.op) {
                    (Some(dims), _) => Found::Set(of_dims(dims, sets)),
                    (None, Lookup::Nowhere) => Found::Nowhere,
                    (None, _) => Found::Unknown,
                };
                (found(context.op, &ops), found(context.frame, &frames), dims)
            })
            .collect()
    }

    fn of_frame(&self, timeline: &Timeline, name: StringId, yes: &mut Vec<u32>) {
        if let Some(class) = module_class(timeline, name) {
            return self.modules.find(class, yes);
        }
        yes.push(PYTHON);
        let frame = timeline.strings.get(name);
        let without_line = || {
            let ((path, _), (_, function)) = frame.split_once('(').zip(frame.split_once("): "))?;
            Some(format!("{path}:{function}"))
        };
        self.sites.within(frame, |node| yes.push(node));
        if let Some(frame) = without_line() {
            self.sites_without_line.within(&frame, |node| yes.push(node));
            let asked = self.site_globs.iter().filter(|(pattern, _)| pattern.contains(':') && glob(pattern, &frame));
            yes.extend(asked.map(|(_, node)| node));
        }
        yes.extend(self.site_globs.iter().filter(|(pattern, _)| glob(pattern, frame)).map(|(_, node)| node));
    }
}

/// Of each node of a tree: what says yes to its name or to that of what encloses it.
fn along(tree: &CallTree, sets: &mut Sets, mut ask: impl FnMut(StringId, &mut Vec<u32>)) -> Vec<u32> {
    let mut names: FxHashMap<StringId, u32> = FxHashMap::default();
    let mut yes = Vec::new();
    let mut out: Vec<u32> = Vec::with_capacity(tree.nodes.len());
    for (parent, name) in &tree.nodes {
        let own = *names.entry(*name).or_insert_with(|| {
            ask(*name, &mut yes);
            sets.id(&mut yes)
        });
        // What encloses a node comes before it.
        let above = parent.map_or(0, |parent| out[parent.0 as usize]);
        out.push(sets.union(above, own));
    }
    out
}

/// The class of an nn.Module frame, without its instance number; none for other frames.
fn module_class(timeline: &Timeline, name: StringId) -> Option<&str> {
    let prefix = timeline.module_prefix.as_str();
    let class = timeline.strings.get(name).strip_prefix(prefix).filter(|_| !prefix.is_empty())?;
    Some(without_instance(class))
}

/// `Qwen3DecoderLayer_3` without its number.
fn without_instance(class: &str) -> &str {
    match class.rsplit_once('_') {
        Some((name, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => class,
    }
}

fn in_category(names: &[String], classes: Option<&Classes>, launch: LaunchId) -> Answer {
    let Some(classes) = classes else { return Answer::NO };
    let own = classes.name_of(launch);
    let yes = names.iter().any(|n| n == own);
    if yes && !classes.is_sure(launch) { Answer::plain(Tri::Unknown) } else { Answer::name_like(yes) }
}

/// JSON text without blanks.
fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Some demanglers print `true` as `(bool)1`.
fn is_cast_truth(argument: &str, text: &str) -> bool {
    matches!((argument.trim(), text), ("(bool)1", "true") | ("(bool)0", "false"))
}

/// The word of `kind(..)`.
pub(crate) fn kind_word(kind: GpuKind) -> &'static str {
    match kind {
        GpuKind::Kernel => "kernel",
        GpuKind::Memcpy => "memcpy",
        GpuKind::Memset => "memset",
    }
}

fn of_launch(atom: &Atom, timeline: &Timeline, launch: &Launch) -> Tri {
    match atom {
        Atom::Grid(globs) => match launch.grid {
            Some(grid) => {
                let grid = squeeze(timeline.strings.get(grid));
                Tri::from_bool(globs.iter().any(|pattern| glob(&squeeze(pattern), &grid)))
            }
            None if timeline.kernels[launch.kernel.0 as usize].kind == GpuKind::Kernel => Tri::Unknown,
            None => Tri::No,
        },
        Atom::Number { field, compare, thousandths } => {
            let step = launch.step.map(|s| &timeline.steps[s.0 as usize]);
            // Nanoseconds are thousandths of a microsecond.
            let own = match field.as_str() {
                "dur_us" => Some(launch.dur.0),
                "tokens" => step.and_then(|s| s.tokens).map(|n| n.saturating_mul(1000)),
                "requests" => step.and_then(|s| s.requests).map(|n| n.saturating_mul(1000)),
                "bytes" => launch.bytes.get().map(|n| n.saturating_mul(1000)),
                _ => None,
            };
            own.map_or(Tri::Unknown, |own| Tri::from_bool(holds(*compare, own, *thousandths)))
        }
        _ => Tri::No,
    }
}

fn holds(compare: Compare, a: i64, b: i64) -> bool {
    match compare {
        Compare::Less => a < b,
        Compare::LessEqual => a <= b,
        Compare::Equal => a == b,
        Compare::NotEqual => a != b,
        Compare::GreaterEqual => a >= b,
        Compare::Greater => a > b,
    }
}
