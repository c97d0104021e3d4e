//! Predicates in, three-valued answers out. What a kernel's name decides is asked once a distinct kernel, what its place
//! decides once a distinct (kernel, context), and only numbers once a launch. Parts that several predicates share (terms
//! above all) are one node and are asked once.

use rustc_hash::FxHashMap;

use super::Tri;
use super::classify::Classes;
use crate::attribution::{CallTree, Context, ContextId, Kernel, KernelId, Launch, LaunchId, Lookup, NodeId, Timeline};
use crate::kernel_name::{self, glob};
use crate::rules::ast::{Atom, Compare, Expr, ExprNode};
use crate::rules::{RuleSet, Term, print_expr};
use crate::trace::{GpuKind, StringId};

/// One compiled predicate of [`Predicates`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PredicateId(u32);

/// A part of a predicate; parts come before what uses them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Node {
    Atom(Atom),
    Not(u32),
    And(Vec<u32>),
    Or(Vec<u32>),
}

/// What decides a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Kernel,
    Pair,
    Launch,
}

/// An answer, and whether a name-like atom carries it: for the predicate itself, and for its negation.
#[derive(Clone, Copy, Debug)]
struct Answer {
    tri: Tri,
    carried: bool,
    negation_carried: bool,
}

impl Answer {
    const NO: Self = Self { tri: Tri::No, carried: false, negation_carried: false };

    /// A name-like atom: it carries where it says yes, its negation never does.
    fn name_like(yes: bool) -> Self {
        Self { tri: Tri::from_bool(yes), carried: yes, negation_carried: false }
    }

    fn plain(tri: Tri) -> Self {
        Self { tri, carried: false, negation_carried: false }
    }

    fn negate(self) -> Self {
        Self { tri: self.tri.negate(), carried: self.negation_carried, negation_carried: self.carried }
    }

    /// All of them. Any part carries the whole; its negation is carried by a part that may hold in the negation.
    fn all(parts: impl Iterator<Item = Self>) -> Self {
        parts.fold(Self { tri: Tri::Yes, ..Self::NO }, |whole, part| Self {
            tri: whole.tri.and(part.tri),
            carried: whole.carried || part.carried,
            negation_carried: whole.negation_carried || (part.negation_carried && part.tri != Tri::Yes),
        })
    }

    fn any(parts: impl Iterator<Item = Self>) -> Self {
        Self::all(parts.map(Self::negate)).negate()
    }

    /// As a link: unknown stays unknown only where something carries it.
    fn link(self) -> Tri {
        if self.tri == Tri::Unknown && !self.carried { Tri::No } else { self.tri }
    }
}

/// Compiled predicates over the terms of a rule set.
#[derive(Debug, Default)]
pub struct Predicates {
    nodes: Vec<Node>,
    levels: Vec<Level>,
    known: FxHashMap<Node, u32>,
    exprs: FxHashMap<String, Expr>,
    terms: FxHashMap<String, Option<u32>>,
    categories_per_launch: bool,
}

impl Predicates {
    /// Ready to take predicates that use the terms and categories of `rules`.
    pub fn new(rules: &RuleSet) -> Self {
        let mut out = Self::of_terms(rules);
        for category in &rules.categories {
            let id = out.add(&category.expr);
            out.categories_per_launch |= out.is_per_launch(id);
        }
        out
    }

    /// The same before categories are known: to compile the categories themselves.
    pub(super) fn of_terms(rules: &RuleSet) -> Self {
        let exprs = rules.terms.iter().map(|t| (t.name.clone(), t.expr.clone())).collect();
        Self { exprs, ..Self::default() }
    }

    /// Compiles `expr`.
    pub fn add(&mut self, expr: &Expr) -> PredicateId {
        PredicateId(self.compile(expr))
    }

    /// Adds a term that the rules do not have.
    pub(super) fn define(&mut self, term: &Term) {
        self.exprs.insert(term.name.clone(), term.expr.clone());
    }

    /// Whether a number decides it, so that two launches of one kernel at one place may differ.
    pub fn is_per_launch(&self, id: PredicateId) -> bool {
        self.levels[id.0 as usize] == Level::Launch
    }

    fn compile(&mut self, expr: &Expr) -> u32 {
        let node = match &expr.node {
            ExprNode::Atom(atom) => Node::Atom(atom.clone()),
            ExprNode::Term(name) => return self.term(name),
            ExprNode::Not(inner) => Node::Not(self.compile(inner)),
            ExprNode::And(parts) => Node::And(parts.iter().map(|p| self.compile(p)).collect()),
            ExprNode::Or(parts) => Node::Or(parts.iter().map(|p| self.compile(p)).collect()),
        };
        self.node(node)
    }

    fn node(&mut self, node: Node) -> u32 {
        if let Some(&id) = self.known.get(&node) {
            return id;
        }
        let level = match &node {
            Node::Atom(atom) => self.atom_level(atom),
            Node::Not(inner) => self.levels[*inner as usize],
            Node::And(parts) | Node::Or(parts) => {
                parts.iter().map(|p| self.levels[*p as usize]).max().unwrap_or(Level::Kernel)
            }
        };
        let id = self.nodes.len() as u32;
        self.nodes.push(node.clone());
        self.levels.push(level);
        self.known.insert(node, id);
        id
    }

    /// A term is compiled at its first use. The loader refuses unknown terms and cycles; here they say no.
    fn term(&mut self, name: &str) -> u32 {
        if let Some(known) = self.terms.get(name) {
            return known.unwrap_or_else(|| self.node(Node::Or(Vec::new())));
        }
        let Some(expr) = self.exprs.remove(name) else { return self.node(Node::Or(Vec::new())) };
        self.terms.insert(name.to_owned(), None);
        let id = self.compile(&expr);
        self.terms.insert(name.to_owned(), Some(id));
        id
    }

    fn atom_level(&self, atom: &Atom) -> Level {
        match atom {
            Atom::Name(_) | Atom::Inductor(_) | Atom::Targs(_) | Atom::Targ(..) | Atom::Kind(_) => Level::Kernel,
            Atom::Category(_) if self.categories_per_launch => Level::Launch,
            Atom::Op(_) | Atom::Site(_) | Atom::Module(_) | Atom::Dims(_) | Atom::Category(_) => Level::Pair,
            Atom::Grid(_) | Atom::Number { .. } => Level::Launch,
        }
    }

    /// Asks all predicates on `timeline`; `classes` answers `category()`.
    pub fn answer<'a>(
        &'a self,
        timeline: &'a Timeline,
        names: &kernel_name::Settings,
        classes: Option<&'a Classes>,
    ) -> Answers<'a> {
        let mut pair_of = Vec::with_capacity(timeline.launches.len());
        let mut pairs = Vec::new();
        let mut first = Vec::new();
        let mut ids: FxHashMap<(KernelId, ContextId), u32> = FxHashMap::default();
        for (n, launch) in timeline.launches.iter().enumerate() {
            pair_of.push(*ids.entry((launch.kernel, launch.context)).or_insert_with(|| {
                pairs.push((launch.kernel, launch.context));
                first.push(LaunchId(n as u32));
                pairs.len() as u32 - 1
            }));
        }
        let mut answers = Answers { predicates: self, timeline, classes, pair_of, pairs, first, columns: Vec::new() };
        let mut asker = Asker::new(timeline, names);
        for (node, level) in self.nodes.iter().zip(&self.levels) {
            let column = match level {
                Level::Kernel => answers.on_kernels(node, &asker),
                Level::Pair => answers.on_pairs(node, &mut asker),
                Level::Launch => Vec::new(),
            };
            answers.columns.push(column);
        }
        answers
    }
}

/// The answers of all predicates on one timeline.
#[derive(Debug)]
pub struct Answers<'a> {
    predicates: &'a Predicates,
    timeline: &'a Timeline,
    classes: Option<&'a Classes>,
    pair_of: Vec<u32>,
    pairs: Vec<(KernelId, ContextId)>,
    /// First launch of each pair.
    first: Vec<LaunchId>,
    /// By node: by kernel, by pair, or nothing when each launch is asked.
    columns: Vec<Vec<Answer>>,
}

impl Answers<'_> {
    /// The answer as one link of a chain: unknown only where a positive name-like atom says yes beside it.
    pub fn link(&self, predicate: PredicateId, launch: LaunchId) -> Tri {
        self.get(predicate.0, launch).link()
    }

    /// The plain answer.
    pub fn plain(&self, predicate: PredicateId, launch: LaunchId) -> Tri {
        self.get(predicate.0, launch).tri
    }

    /// The number of the launch's (kernel, context): launches with equal numbers have equal answers to all predicates
    /// but those that are [`Predicates::is_per_launch`].
    pub fn pair(&self, launch: LaunchId) -> u32 {
        self.pair_of[launch.0 as usize]
    }

    /// How many distinct (kernel, context) there are.
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// The atoms that stayed unknown and left `predicate` unknown on `launch`, as text.
    pub fn unknowns(&self, predicate: PredicateId, launch: LaunchId) -> Vec<String> {
        let mut out = Vec::new();
        self.collect_unknowns(predicate.0, launch, &mut out);
        out
    }

    fn collect_unknowns(&self, node: u32, launch: LaunchId, out: &mut Vec<String>) {
        if self.get(node, launch).tri != Tri::Unknown {
            return;
        }
        match &self.predicates.nodes[node as usize] {
            Node::Atom(atom) => {
                let text = print_expr(&Expr { node: ExprNode::Atom(atom.clone()), span: 0..0 });
                if !out.contains(&text) {
                    out.push(text);
                }
            }
            Node::Not(inner) => self.collect_unknowns(*inner, launch, out),
            Node::And(parts) | Node::Or(parts) => {
                for part in parts {
                    self.collect_unknowns(*part, launch, out);
                }
            }
        }
    }

    fn get(&self, node: u32, launch: LaunchId) -> Answer {
        let column = &self.columns[node as usize];
        match self.predicates.levels[node as usize] {
            Level::Kernel => column[self.timeline.launch(launch).kernel.0 as usize],
            Level::Pair => column[self.pair(launch) as usize],
            Level::Launch => match &self.predicates.nodes[node as usize] {
                Node::Atom(Atom::Category(names)) => self.in_category(names, launch),
                Node::Atom(atom) => Answer::plain(of_launch(atom, self.timeline, launch)),
                Node::Not(inner) => self.get(*inner, launch).negate(),
                Node::And(parts) => Answer::all(parts.iter().map(|p| self.get(*p, launch))),
                Node::Or(parts) => Answer::any(parts.iter().map(|p| self.get(*p, launch))),
            },
        }
    }

    fn in_category(&self, names: &[String], launch: LaunchId) -> Answer {
        let Some(classes) = self.classes else { return Answer::NO };
        let own = classes.name_of(launch);
        let yes = names.iter().any(|n| n == own);
        if yes && !classes.is_sure(launch) { Answer::plain(Tri::Unknown) } else { Answer::name_like(yes) }
    }

    fn on_kernels(&self, node: &Node, asker: &Asker<'_>) -> Vec<Answer> {
        let part = |id: &u32, kernel: usize| self.columns[*id as usize][kernel];
        let all = 0..self.timeline.kernels.len();
        match node {
            Node::Atom(atom) => asker.of_kernels(atom).into_iter().map(Answer::name_like).collect(),
            Node::Not(inner) => all.map(|k| part(inner, k).negate()).collect(),
            Node::And(parts) => all.map(|k| Answer::all(parts.iter().map(|p| part(p, k)))).collect(),
            Node::Or(parts) => all.map(|k| Answer::any(parts.iter().map(|p| part(p, k)))).collect(),
        }
    }

    fn on_pairs(&self, node: &Node, asker: &mut Asker<'_>) -> Vec<Answer> {
        let part = |id: &u32, pair: usize| match self.predicates.levels[*id as usize] {
            Level::Kernel => self.columns[*id as usize][self.pairs[pair].0.0 as usize],
            _ => self.columns[*id as usize][pair],
        };
        let all = 0..self.pairs.len();
        match node {
            Node::Atom(Atom::Category(names)) => all.map(|pair| self.in_category(names, self.first[pair])).collect(),
            Node::Atom(atom) => {
                let by_context = asker.of_contexts(atom);
                self.pairs.iter().map(|(_, context)| Answer::plain(by_context[context.0 as usize])).collect()
            }
            Node::Not(inner) => all.map(|pair| part(inner, pair).negate()).collect(),
            Node::And(parts) => all.map(|pair| Answer::all(parts.iter().map(|p| part(p, pair)))).collect(),
            Node::Or(parts) => all.map(|pair| Answer::any(parts.iter().map(|p| part(p, pair)))).collect(),
        }
    }
}

/// Asks atoms; keeps what several of them need.
struct Asker<'a> {
    timeline: &'a Timeline,
    names: &'a kernel_name::Settings,
    module_frames: Option<bool>,
}

impl<'a> Asker<'a> {
    fn new(timeline: &'a Timeline, names: &'a kernel_name::Settings) -> Self {
        Self { timeline, names, module_frames: None }
    }

    /// An atom about the name, by kernel.
    fn of_kernels(&self, atom: &Atom) -> Vec<bool> {
        let ask = |is: &dyn Fn(&Kernel) -> bool| self.timeline.kernels.iter().map(is).collect();
        match atom {
            Atom::Name(texts) => {
                let texts = self.texts(texts);
                ask(&|k| texts.iter().any(|t| t.find(k.name.name_text(), |words| k.name.matches_words(words))))
            }
            Atom::Targs(texts) => {
                let texts = self.texts(texts);
                ask(&|k| {
                    let whole = k.name.template_args.join(", ");
                    texts.iter().any(|t| t.find(&whole, |words| k.name.targs_match_words(words)))
                })
            }
            Atom::Targ(at, text) if text.contains('*') => {
                ask(&|k| k.name.template_args.get(*at).is_some_and(|arg| glob(text, arg)))
            }
            Atom::Targ(at, text) => ask(&|k| {
                k.name.targ_is(*at, text) || k.name.template_args.get(*at).is_some_and(|arg| is_cast_truth(arg, text))
            }),
            Atom::Inductor(ops) => ask(&|k| k.name.has_ops(ops, self.names)),
            Atom::Kind(kinds) => ask(&|k| kinds.iter().any(|kind| kind == kind_word(k.kind))),
            _ => ask(&|_| false),
        }
    }

    fn texts(&self, texts: &[String]) -> Vec<Text> {
        let one = |text: &String| {
            if text.contains('*') {
                Text::Glob(text.to_lowercase())
            } else {
                Text::Words(kernel_name::words(text, self.names))
            }
        };
        texts.iter().map(one).collect()
    }

    /// An atom about the place, by context.
    fn of_contexts(&mut self, atom: &Atom) -> Vec<Tri> {
        let timeline = self.timeline;
        let strings = &timeline.strings;
        let prefix = timeline.module_prefix.as_str();
        let is_module = |name: &str| !prefix.is_empty() && name.starts_with(prefix);
        match atom {
            Atom::Op(texts) => walk(
                timeline,
                &timeline.ops,
                |c| c.op,
                |_| Tri::No,
                |name| texts.iter().any(|text| glob(text, strings.get(name))).then_some(Tri::Yes),
            ),
            // A stack of modules alone says nothing of Python files.
            Atom::Site(texts) => {
                let parts: Vec<FramePart<'_>> = texts.iter().map(|text| FramePart::new(text)).collect();
                walk(
                    timeline,
                    &timeline.frames,
                    |c| c.frame,
                    |_| Tri::Unknown,
                    |name| {
                        let frame = strings.get(name);
                        (!is_module(frame)).then(|| Tri::from_bool(parts.iter().any(|part| part.is_in(frame))))
                    },
                )
            }
            Atom::Module(texts) => {
                let recorded = *self
                    .module_frames
                    .get_or_insert_with(|| timeline.frames.nodes.iter().any(|(_, name)| is_module(strings.get(*name))));
                let otherwise = if recorded { Tri::No } else { Tri::Unknown };
                walk(
                    timeline,
                    &timeline.frames,
                    |c| c.frame,
                    |_| otherwise,
                    |name| {
                        let class = strings.get(name).strip_prefix(prefix).filter(|_| !prefix.is_empty())?;
                        let class = without_instance(class);
                        texts.iter().any(|text| glob(text, class)).then_some(Tri::Yes)
                    },
                )
            }
            Atom::Dims(globs) => timeline
                .contexts
                .iter()
                .map(|context| match (context.dims, context.op) {
                    (Some(dims), _) => Tri::from_bool(any_json(globs, strings.get(dims))),
                    (None, Lookup::Nowhere) => Tri::No,
                    (None, _) => Tri::Unknown,
                })
                .collect(),
            _ => vec![Tri::No; timeline.contexts.len()],
        }
    }
}

/// A text of `name()` or `targs()`: case matters in neither form.
enum Text {
    Words(Vec<String>),
    Glob(String),
}

impl Text {
    fn find(&self, whole: &str, has_words: impl Fn(&[String]) -> bool) -> bool {
        match self {
            Self::Words(words) => has_words(words),
            Self::Glob(pattern) => glob(pattern, &whole.to_lowercase()),
        }
    }
}

/// The greatest answer among a place and all that encloses it; `otherwise` where no name has one. Each node of the tree
/// and each name is asked once.
fn walk(
    timeline: &Timeline,
    tree: &CallTree,
    place: impl Fn(&Context) -> Lookup,
    otherwise: impl Fn(NodeId) -> Tri,
    mut ask: impl FnMut(StringId) -> Option<Tri>,
) -> Vec<Tri> {
    let mut names: FxHashMap<StringId, Option<Tri>> = FxHashMap::default();
    let mut nodes: Vec<Option<Option<Tri>>> = vec![None; tree.nodes.len()];
    let mut open = Vec::new();
    let mut answer = |node: NodeId| {
        let mut above = None;
        for step in tree.path(node) {
            if let Some(known) = nodes[step.0 as usize] {
                above = known;
                break;
            }
            open.push(step);
        }
        while let Some(step) = open.pop() {
            let name = tree.name(step);
            let own = *names.entry(name).or_insert_with(|| ask(name));
            above = above.max(own);
            nodes[step.0 as usize] = Some(above);
        }
        above.unwrap_or_else(|| otherwise(node))
    };
    let lookups = timeline.contexts.iter().map(place);
    lookups
        .map(|lookup| match lookup {
            Lookup::Unknown => Tri::Unknown,
            Lookup::Nowhere => Tri::No,
            Lookup::At(node) => answer(node),
        })
        .collect()
}

/// A text that is a part of a frame, `path.py(12): function`, or of the same without its line, `path.py:function`.
enum FramePart<'t> {
    /// The text, and what finds it: made once, asked of every frame.
    Text(&'t str, Box<memchr::memmem::Finder<'t>>),
    Glob(String),
}

impl<'t> FramePart<'t> {
    fn new(text: &'t str) -> Self {
        if text.contains('*') {
            Self::Glob(format!("*{text}*"))
        } else {
            Self::Text(text, Box::new(memchr::memmem::Finder::new(text)))
        }
    }

    fn is_in(&self, frame: &str) -> bool {
        let (text, has): (&str, &dyn Fn(&str) -> bool) = match self {
            Self::Text(text, finder) => (text, &|frame| finder.find(frame.as_bytes()).is_some()),
            Self::Glob(pattern) => (pattern, &|frame| glob(pattern, frame)),
        };
        let without_line = || frame.split_once('(').zip(frame.split_once("): "));
        has(frame)
            || text.contains(':')
                && without_line().is_some_and(|((path, _), (_, function))| has(&format!("{path}:{function}")))
    }
}

/// `Qwen3DecoderLayer_3` without its number.
fn without_instance(class: &str) -> &str {
    match class.rsplit_once('_') {
        Some((name, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => class,
    }
}

fn any_json(globs: &[String], json: &str) -> bool {
    let squeeze = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let json = squeeze(json);
    globs.iter().any(|g| glob(&squeeze(g), &json))
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

fn of_launch(atom: &Atom, timeline: &Timeline, id: LaunchId) -> Tri {
    let launch: &Launch = timeline.launch(id);
    match atom {
        Atom::Grid(globs) => match launch.grid {
            Some(grid) => Tri::from_bool(any_json(globs, timeline.strings.get(grid))),
            None if timeline.kernel(id).kind == GpuKind::Kernel => Tri::Unknown,
            None => Tri::No,
        },
        Atom::Number { field, compare, thousandths } => {
            let step = launch.step.map(|s| &timeline.steps[s.0 as usize]);
            // Nanoseconds are thousandths of a microsecond.
            let own = match field.as_str() {
                "dur_us" => Some(launch.dur.0),
                "tokens" => step.and_then(|s| s.tokens).map(|n| n.saturating_mul(1000)),
                "requests" => step.and_then(|s| s.requests).map(|n| n.saturating_mul(1000)),
                "bytes" => launch.bytes.map(|n| n.saturating_mul(1000)),
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

#[cfg(test)]
mod tests;
