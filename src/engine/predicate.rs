//! Predicates in, three-valued answers out. Each distinct text (a kernel's name, an op, a frame) is asked once what of
//! all atoms it says yes to (`predicate/atoms.rs`); launches of which all atoms say the same are one class, and the rest
//! is worked out once a class. Parts that several predicates share (terms above all) are one node.

mod atoms;
mod needles;

use std::sync::{Arc, OnceLock};

use rustc_hash::{FxHashMap, FxHashSet};

use super::Tri;
use super::classify::Classes;
use crate::attribution::{LaunchId, Timeline};
use crate::kernel_name;
use crate::rules::ast::{Atom, Expr, ExprNode};
use crate::rules::{RuleSet, Term, print_expr};
use atoms::{Atoms, Keys};

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

/// Compiled predicates over the terms of a rule set. As long as nothing is compiled, a clone costs nothing.
#[derive(Clone, Debug, Default)]
pub struct Predicates {
    nodes: Vec<Node>,
    known: FxHashMap<Node, u32>,
    exprs: Arc<FxHashMap<String, Expr>>,
    terms: FxHashMap<String, Option<u32>>,
    /// The atoms among the nodes, once they are asked.
    atoms: OnceLock<Atoms>,
}

impl Predicates {
    /// Ready to take predicates that use the terms of `rules`.
    pub fn new(rules: &RuleSet) -> Self {
        let exprs = rules.terms.iter().map(|t| (t.name.clone(), t.expr.clone())).collect();
        Self { exprs: Arc::new(exprs), ..Self::default() }
    }

    /// Whether any of them asks for a category.
    pub(super) fn ask_category(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node, Node::Atom(Atom::Category(_))))
    }

    /// Compiles `expr`.
    pub fn add(&mut self, expr: &Expr) -> PredicateId {
        self.atoms = OnceLock::new();
        PredicateId(self.compile(expr))
    }

    /// Adds a term that the rules do not have.
    pub(super) fn define(&mut self, term: &Term) {
        Arc::make_mut(&mut self.exprs).insert(term.name.clone(), term.expr.clone());
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
        let id = self.nodes.len() as u32;
        self.nodes.push(node.clone());
        self.known.insert(node, id);
        id
    }

    /// A term is compiled at its first use. The loader refuses unknown terms and cycles; here they say no.
    fn term(&mut self, name: &str) -> u32 {
        if let Some(known) = self.terms.get(name) {
            return known.unwrap_or_else(|| self.node(Node::Or(Vec::new())));
        }
        let exprs = Arc::clone(&self.exprs);
        let Some(expr) = exprs.get(name) else { return self.node(Node::Or(Vec::new())) };
        self.terms.insert(name.to_owned(), None);
        let id = self.compile(expr);
        self.terms.insert(name.to_owned(), Some(id));
        id
    }

    /// Asks all predicates on `timeline`; `names` are the settings of the rules, `classes` answers `category()`.
    pub fn answer<'a>(
        &'a self,
        timeline: &'a Timeline,
        names: &kernel_name::Settings,
        classes: Option<&'a Classes>,
    ) -> Answers<'a> {
        let all = self.nodes.iter().enumerate();
        let atoms = all.filter_map(|(n, node)| if let Node::Atom(atom) = node { Some((n as u32, atom)) } else { None });
        let atoms = self.atoms.get_or_init(|| Atoms::new(atoms, names));
        let mut answers = Answers { predicates: self, keys: atoms.keys(timeline, names, classes), columns: Vec::new() };
        answers.columns.resize(self.nodes.len(), Vec::new());
        atoms.answer(timeline, classes, &answers.keys, &mut answers.columns);
        for (n, node) in self.nodes.iter().enumerate() {
            let part = |id: &u32, class: usize| answers.columns[*id as usize][class];
            let all = 0..answers.keys.first.len();
            answers.columns[n] = match node {
                Node::Atom(_) => continue,
                Node::Not(inner) => all.map(|class| part(inner, class).negate()).collect(),
                Node::And(parts) => all.map(|class| Answer::all(parts.iter().map(|p| part(p, class)))).collect(),
                Node::Or(parts) => all.map(|class| Answer::any(parts.iter().map(|p| part(p, class)))).collect(),
            };
        }
        answers
    }
}

/// The answers of all predicates on one timeline.
#[derive(Debug)]
pub struct Answers<'a> {
    predicates: &'a Predicates,
    keys: Keys,
    /// By node, then by class.
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

    /// The number of the launch's class, less than [`Self::classes`]: launches of one class have equal answers to all
    /// predicates.
    pub fn class(&self, launch: LaunchId) -> u32 {
        self.keys.class_of[launch.0 as usize]
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.keys.first.len()
    }

    /// The first launch of a class.
    pub fn first(&self, class: u32) -> LaunchId {
        self.keys.first[class as usize]
    }

    /// The atoms that stayed unknown and left `predicate` unknown on `launch`, as text.
    pub fn unknowns(&self, predicate: PredicateId, launch: LaunchId) -> Vec<String> {
        let mut out = Vec::new();
        self.collect_unknowns(predicate.0, launch, &mut FxHashSet::default(), &mut out);
        out
    }

    fn collect_unknowns(&self, node: u32, launch: LaunchId, seen: &mut FxHashSet<u32>, out: &mut Vec<String>) {
        if !seen.insert(node) || self.get(node, launch).tri != Tri::Unknown {
            return;
        }
        match &self.predicates.nodes[node as usize] {
            Node::Atom(atom) => {
                let text = print_expr(&Expr { node: ExprNode::Atom(atom.clone()), span: 0..0 });
                if !out.contains(&text) {
                    out.push(text);
                }
            }
            Node::Not(inner) => self.collect_unknowns(*inner, launch, seen, out),
            Node::And(parts) | Node::Or(parts) => {
                for part in parts {
                    self.collect_unknowns(*part, launch, seen, out);
                }
            }
        }
    }

    fn get(&self, node: u32, launch: LaunchId) -> Answer {
        self.columns[node as usize][self.class(launch) as usize]
    }
}

#[cfg(test)]
mod tests;
