//! Chains in, positions out: each link of a chain is one position of the automaton, and knows what may follow it.
//!
//! Repeats are written out, `(a & b)` becomes both orders. `x ~> a? -> b` without its `a` is `x -> b`: the join before
//! a link says how it follows whatever stands before it.

use crate::rules::ast::{Chain, ChainNode, Expr, Join};
use crate::rules::{ChainProblem, check_chain};

/// What a position counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Counted.
    Counted,
    /// In `[ ]`: shown, not counted.
    Context,
    /// `after:` or `before:`: outside the finding.
    Outside,
}

/// One link of a chain.
#[derive(Clone, Debug)]
pub(crate) struct Position {
    /// Index of the link's predicate; none: any event.
    pub(crate) link: Option<u32>,
    pub(crate) part: Part,
    /// What may come next, and how.
    pub(crate) follow: Vec<(u32, Join)>,
    /// Whether a match may end here.
    pub(crate) accept: bool,
    /// Whether a `~>` leads here.
    pub(crate) wanted: bool,
    pub(crate) rule: u32,
}

/// The pattern of one form of a family.
#[derive(Clone, Copy, Debug)]
pub struct Pattern<'a> {
    /// What is found.
    pub chain: &'a Chain,
    /// What must stand before it.
    pub after: Option<&'a Chain>,
    /// What must stand behind it.
    pub before: Option<&'a Chain>,
}

/// One direction of all patterns: positions of all rules together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Side {
    pub(crate) positions: Vec<Position>,
    /// Of each rule: where a match may begin.
    pub(crate) first: Vec<Vec<u32>>,
}

/// All patterns, compiled.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Distinct predicates of all links.
    pub(crate) links: Vec<Expr>,
    /// Chains and what stands behind them, in the direction of time.
    pub(crate) forward: Side,
    /// What stands before them, against the direction of time. A rule without `after:` has no first position here.
    pub(crate) backward: Side,
}

impl Program {
    /// Compiles all patterns; a pattern that cannot be run finds nothing, and its problem is returned beside the rest.
    pub fn new(patterns: &[Option<Pattern<'_>>]) -> (Self, Vec<(usize, ChainProblem)>) {
        let mut program = Self::default();
        let mut problems = Vec::new();
        let mut interned = std::collections::BTreeMap::new();
        for (rule, pattern) in patterns.iter().enumerate() {
            program.forward.first.push(Vec::new());
            program.backward.first.push(Vec::new());
            let Some(pattern) = pattern else { continue };
            let checked = check_chain(pattern.chain, true)
                .and_then(|()| pattern.after.map_or(Ok(()), |chain| check_chain(chain, false)))
                .and_then(|()| pattern.before.map_or(Ok(()), |chain| check_chain(chain, false)));
            if let Err(problem) = checked {
                problems.push((rule, problem));
                continue;
            }
            let mut builder = Builder {
                links: &mut program.links,
                interned: &mut interned,
                side: &mut program.forward,
                rule: rule as u32,
            };
            let mut whole = builder.fragment(pattern.chain, Part::Counted);
            if let Some(before) = pattern.before {
                let context = builder.fragment(before, Part::Outside);
                whole = builder.then(whole, context, Join::Loose);
            }
            for last in &whole.last {
                program.forward.positions[*last as usize].accept = true;
            }
            program.forward.first[rule] = whole.first;

            let Some(after) = pattern.after else { continue };
            let mut builder = Builder {
                links: &mut program.links,
                interned: &mut interned,
                side: &mut program.backward,
                rule: rule as u32,
            };
            let begin = builder.side.positions.len();
            let context = builder.fragment(after, Part::Outside);
            if !context.nullable {
                program.backward.reverse(begin);
                for first in &context.first {
                    program.backward.positions[*first as usize].accept = true;
                }
                for last in &context.last {
                    program.backward.positions[*last as usize].wanted = true;
                }
                program.backward.first[rule] = context.last;
            }
        }
        (program, problems)
    }
}

impl Side {
    /// Turns the joins of the positions from `begin` on around.
    fn reverse(&mut self, begin: usize) {
        let mut turned: Vec<Vec<(u32, Join)>> = vec![Vec::new(); self.positions.len() - begin];
        for (index, position) in self.positions.iter_mut().enumerate().skip(begin) {
            for (next, join) in position.follow.drain(..) {
                turned[next as usize - begin].push((index as u32, join));
            }
            position.wanted = false;
        }
        for (position, follow) in self.positions[begin..].iter_mut().zip(turned) {
            position.follow = follow;
        }
        for index in begin..self.positions.len() {
            for (next, join) in self.positions[index].follow.clone() {
                if join == Join::Loose {
                    self.positions[next as usize].wanted = true;
                }
            }
        }
    }
}

struct Fragment {
    nullable: bool,
    first: Vec<u32>,
    last: Vec<u32>,
}

struct Builder<'a> {
    links: &'a mut Vec<Expr>,
    interned: &'a mut std::collections::BTreeMap<String, u32>,
    side: &'a mut Side,
    rule: u32,
}

impl Builder<'_> {
    fn link(&mut self, expr: &Expr) -> u32 {
        *self.interned.entry(spelling(expr)).or_insert_with(|| {
            self.links.push(expr.clone());
            self.links.len() as u32 - 1
        })
    }

    fn position(&mut self, link: Option<u32>, part: Part) -> Fragment {
        let position = Position { link, part, follow: Vec::new(), accept: false, wanted: false, rule: self.rule };
        self.side.positions.push(position);
        let id = self.side.positions.len() as u32 - 1;
        Fragment { nullable: false, first: vec![id], last: vec![id] }
    }

    fn then(&mut self, a: Fragment, b: Fragment, join: Join) -> Fragment {
        self.join(&a.last, &b.first, join);
        let mut first = a.first;
        if a.nullable {
            first.extend(&b.first);
        }
        let mut last = b.last;
        if b.nullable {
            last.extend(&a.last);
        }
        Fragment { nullable: a.nullable && b.nullable, first, last }
    }

    fn join(&mut self, from: &[u32], to: &[u32], join: Join) {
        for a in from {
            for b in to {
                let follow = &mut self.side.positions[*a as usize].follow;
                match follow.iter_mut().find(|(next, _)| next == b) {
                    Some(known) if join == Join::Loose => known.1 = Join::Loose,
                    Some(_) => {}
                    None => follow.push((*b, join)),
                }
                if join == Join::Loose {
                    self.side.positions[*b as usize].wanted = true;
                }
            }
        }
    }

    fn fragment(&mut self, chain: &Chain, part: Part) -> Fragment {
        match &chain.node {
            ChainNode::Link(expr) => {
                let link = self.link(expr);
                self.position(Some(link), part)
            }
            ChainNode::Any => self.position(None, part),
            ChainNode::Seq(first, rest) => {
                let mut so_far = self.fragment(first, part);
                for (join, next) in rest {
                    let next = self.fragment(next, part);
                    so_far = self.then(so_far, next, *join);
                }
                so_far
            }
            ChainNode::Alt(parts) => {
                let mut either = Fragment { nullable: false, first: Vec::new(), last: Vec::new() };
                for one in parts {
                    let one = self.fragment(one, part);
                    either.nullable |= one.nullable;
                    either.first.extend(one.first);
                    either.last.extend(one.last);
                }
                either
            }
            ChainNode::Both(parts) => {
                let mut either = Fragment { nullable: false, first: Vec::new(), last: Vec::new() };
                for order in orders(parts.len()) {
                    let mut one = Fragment { nullable: true, first: Vec::new(), last: Vec::new() };
                    for index in order {
                        let next = self.fragment(&parts[index], part);
                        one = self.then(one, next, Join::Loose);
                    }
                    either.nullable |= one.nullable;
                    either.first.extend(one.first);
                    either.last.extend(one.last);
                }
                either
            }
            ChainNode::Repeat { inner, min, max } => self.repeat(inner, *min, *max, part),
            ChainNode::Context(inner) => self.fragment(inner, if part == Part::Counted { Part::Context } else { part }),
        }
    }

    fn repeat(&mut self, inner: &Chain, min: u32, max: Option<u32>, part: Part) -> Fragment {
        let copies = max.unwrap_or(min.max(1));
        let mut whole = Fragment { nullable: min == 0, first: Vec::new(), last: Vec::new() };
        let mut previous: Vec<u32> = Vec::new();
        for copy in 1..=copies {
            let one = self.fragment(inner, part);
            self.join(&previous, &one.first, Join::Loose);
            if copy == 1 {
                whole.first.clone_from(&one.first);
                whole.nullable |= one.nullable;
            }
            // A copy that may be empty need not stand there, so a match may end at any of them.
            if copy >= min || one.nullable {
                whole.last.extend(&one.last);
            }
            if copy == copies && max.is_none() {
                self.join(&one.last, &one.first, Join::Loose);
            }
            previous = one.last;
        }
        whole
    }
}

/// All orders of `n` things, the given one first.
fn orders(n: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for _ in 0..n {
        all = all
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                let free: Vec<usize> = (0..n).filter(|index| !order.contains(index)).collect();
                free.into_iter().map(move |index| {
                    let mut longer = order.clone();
                    longer.push(index);
                    longer
                })
            })
            .collect();
    }
    all
}

/// The same for predicates that say the same, wherever they stand.
fn spelling(expr: &Expr) -> String {
    use crate::rules::ast::ExprNode;
    let several =
        |word: &str, parts: &[Expr]| format!("({word} {})", parts.iter().map(spelling).collect::<Vec<_>>().join(" "));
    match &expr.node {
        ExprNode::Atom(atom) => format!("{atom:?}"),
        ExprNode::Term(name) => name.clone(),
        ExprNode::Not(inner) => format!("(not {})", spelling(inner)),
        ExprNode::And(parts) => several("and", parts),
        ExprNode::Or(parts) => several("or", parts),
    }
}
