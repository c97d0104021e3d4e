//! How large a chain becomes once it is unrolled: a limit that is checked before anything is built.

use super::ast::{Chain, ChainNode, Expr, Span};

/// Most links of one chain, repeats written out.
pub const MOST_LINKS: u64 = 2_000;
/// Most joins between them.
pub const MOST_JOINS: u64 = 20_000;
/// Deepest nesting of brackets and repeats.
pub const DEEPEST: u32 = 64;

/// Why a chain cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainProblem {
    /// Too many links or joins.
    #[error("this chain unrolls to {links} links and {joins} joins; at most {MOST_LINKS} and {MOST_JOINS} are allowed")]
    TooLarge {
        /// Links, repeats written out (stops counting at the largest number).
        links: u64,
        /// Joins between them.
        joins: u64,
        /// The part that is too large.
        span: Span,
    },
    /// Too deep.
    #[error("this chain nests deeper than {DEEPEST}")]
    TooDeep {
        /// The part that is too deep.
        span: Span,
    },
    /// Every counted link is optional.
    #[error("this chain can match without counting one event: every link is optional or in `[ ]`")]
    CountsNothing {
        /// The whole chain.
        span: Span,
    },
}

impl ChainProblem {
    /// The part of the expression that is wrong.
    pub fn span(&self) -> Span {
        match self {
            Self::TooLarge { span, .. } | Self::TooDeep { span } | Self::CountsNothing { span } => span.clone(),
        }
    }
}

/// Whether a chain can be run: small enough, and (`counted`: not for `after:` and `before:`) sure to count an event.
pub fn check_chain(chain: &Chain, counted: bool) -> Result<(), ChainProblem> {
    let shape = shape(chain, 0, false)?;
    if counted && shape.counted == 0 {
        return Err(ChainProblem::CountsNothing { span: chain.span.clone() });
    }
    Ok(())
}

/// The fewest events that a match of `chain` counts; 0 when it cannot be run.
pub fn fewest_counted(chain: &Chain) -> u64 {
    shape(chain, 0, false).map_or(0, |shape| shape.counted)
}

/// The links that a match of `chain` counts, in order.
pub fn counted_links(chain: &Chain) -> Vec<&Expr> {
    match &chain.node {
        ChainNode::Link(expr) => vec![expr],
        ChainNode::Any | ChainNode::Context(_) => Vec::new(),
        ChainNode::Seq(first, rest) => {
            counted_links(first).into_iter().chain(rest.iter().flat_map(|(_, part)| counted_links(part))).collect()
        }
        ChainNode::Alt(parts) | ChainNode::Both(parts) => parts.iter().flat_map(counted_links).collect(),
        ChainNode::Repeat { inner, .. } => counted_links(inner),
    }
}

#[derive(Clone, Copy)]
struct Shape {
    links: u64,
    joins: u64,
    first: u64,
    last: u64,
    nullable: bool,
    /// Fewest counted events of a match.
    counted: u64,
}

const EMPTY: Shape = Shape { links: 0, joins: 0, first: 0, last: 0, nullable: true, counted: 0 };

impl Shape {
    fn then(self, next: Self) -> Self {
        Self {
            links: self.links.saturating_add(next.links),
            joins: self.joins.saturating_add(next.joins).saturating_add(self.last.saturating_mul(next.first)),
            first: if self.nullable { self.first.saturating_add(next.first) } else { self.first },
            last: if next.nullable { next.last.saturating_add(self.last) } else { next.last },
            nullable: self.nullable && next.nullable,
            counted: self.counted.saturating_add(next.counted),
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            links: self.links.saturating_add(other.links),
            joins: self.joins.saturating_add(other.joins),
            first: self.first.saturating_add(other.first),
            last: self.last.saturating_add(other.last),
            nullable: self.nullable || other.nullable,
            counted: self.counted.min(other.counted),
        }
    }
}

fn shape(chain: &Chain, depth: u32, context: bool) -> Result<Shape, ChainProblem> {
    if depth > DEEPEST {
        return Err(ChainProblem::TooDeep { span: chain.span.clone() });
    }
    let inner = |part: &Chain| shape(part, depth + 1, context);
    let all = |parts: &[Chain]| parts.iter().map(inner).collect::<Result<Vec<_>, _>>();
    let shape = match &chain.node {
        ChainNode::Link(_) | ChainNode::Any => {
            Shape { links: 1, joins: 0, first: 1, last: 1, nullable: false, counted: u64::from(!context) }
        }
        ChainNode::Seq(first, rest) => {
            rest.iter().try_fold(inner(first)?, |so_far, (_, part)| Ok(so_far.then(inner(part)?)))?
        }
        ChainNode::Alt(parts) => all(parts)?.into_iter().reduce(Shape::or).unwrap_or(EMPTY),
        ChainNode::Both(parts) => {
            let one = all(parts)?.into_iter().fold(EMPTY, Shape::then);
            let orders = (1..=parts.len() as u64).fold(1, u64::saturating_mul);
            Shape {
                links: one.links.saturating_mul(orders),
                joins: one.links.saturating_mul(one.links).saturating_mul(orders),
                first: one.links.saturating_mul(orders),
                last: one.links.saturating_mul(orders),
                ..one
            }
        }
        ChainNode::Repeat { inner: part, min, max } => {
            let one = inner(part)?;
            let copies = u64::from(max.unwrap_or((*min).max(1)));
            let times = |x: u64, n: u64| x.saturating_mul(n);
            Shape {
                links: times(one.links, copies),
                joins: times(one.joins, copies).saturating_add(times(times(one.first, one.last), copies)),
                first: one.first,
                last: times(one.last, if one.nullable { copies } else { copies - u64::from(*min).min(copies) + 1 }),
                nullable: one.nullable || *min == 0,
                counted: if one.nullable { 0 } else { times(one.counted, u64::from(*min)) },
            }
        }
        ChainNode::Context(part) => self::shape(part, depth + 1, true)?,
    };
    if shape.links > MOST_LINKS || shape.joins > MOST_JOINS {
        return Err(ChainProblem::TooLarge { links: shape.links, joins: shape.joins, span: chain.span.clone() });
    }
    Ok(shape)
}

#[cfg(test)]
mod tests {
    use super::super::ast::{Expr, ExprNode};
    use super::*;

    fn link() -> Chain {
        Chain { node: ChainNode::Link(Expr { node: ExprNode::Term("a".into()), span: 0..1 }), span: 0..1 }
    }

    fn repeat(inner: Chain, min: u32, max: Option<u32>) -> Chain {
        Chain { node: ChainNode::Repeat { inner: Box::new(inner), min, max }, span: 0..9 }
    }

    #[test]
    fn a_thousand_times_a_thousand_is_refused_before_it_is_built() {
        let problem = check_chain(&repeat(repeat(link(), 1000, Some(1000)), 1000, Some(1000)), true).unwrap_err();
        assert!(problem.to_string().contains("1000000 links"), "{problem}");
        let most = Some(u32::MAX);
        assert!(check_chain(&repeat(repeat(repeat(link(), 1, most), 1, most), 1, most), true).is_err());
        assert!(check_chain(&repeat(link(), 1000, Some(1000)), true).is_ok());
    }

    #[test]
    fn ten_links_in_any_order_are_too_many() {
        let both = Chain { node: ChainNode::Both((0..10).map(|_| link()).collect()), span: 0..30 };
        assert!(matches!(check_chain(&both, true), Err(ChainProblem::TooLarge { .. })));
    }

    #[test]
    fn a_chain_of_nothing_but_options_counts_nothing() {
        let optional = repeat(link(), 0, Some(1));
        assert_eq!(check_chain(&optional, true), Err(ChainProblem::CountsNothing { span: 0..9 }));
        assert!(check_chain(&optional, false).is_ok());
        let context = Chain { node: ChainNode::Context(Box::new(link())), span: 0..3 };
        assert!(check_chain(&context, true).is_err());
    }

    #[test]
    fn nesting_has_an_end() {
        let deep = (0..100).fold(link(), |inner, _| repeat(inner, 1, Some(1)));
        assert!(matches!(check_chain(&deep, true), Err(ChainProblem::TooDeep { .. })));
    }
}
