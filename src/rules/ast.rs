//! The match language as a tree. `print(parse(x)) == x` for every expression.
//!
//! Predicates look at one GPU event; chains are regular expressions over the graph. Each node knows its place in the
//! text (`span`, byte offsets in the expression) so that a diagnostic can point at it.

use std::ops::Range;

/// Byte offsets in the expression's text.
pub type Span = Range<usize>;

/// A predicate over one GPU event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    /// What it says.
    pub node: ExprNode,
    /// Where it stands.
    pub span: Span,
}

/// What a predicate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExprNode {
    /// Looks at the event.
    Atom(Atom),
    /// A bare word: a term of `rules/terms.yaml`.
    Term(String),
    /// `not x`.
    Not(Box<Expr>),
    /// `x and y`.
    And(Vec<Expr>),
    /// `x or y`.
    Or(Vec<Expr>),
}

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Atom {
    /// `name("rms_norm", "*mla*decode*")`: by words, or by glob where there is a `*`; any of them.
    Name(Vec<String>),
    /// `inductor("rsqrt", "mean")`: all of them among the ops of an Inductor name.
    Inductor(Vec<String>),
    /// `targs("swiglu")`: by words in the template arguments, nested ones too; any of them.
    Targs(Vec<String>),
    /// `targ(4, "true")`: the template argument at a position, counted from 0.
    Targ(usize, String),
    /// `op("aten::mm", "_C::rotary*")`: any enclosing CPU op, whole name or glob; any of them.
    Op(Vec<String>),
    /// `site("layers/layernorm.py")`: any enclosing Python frame, as part of `path:function`; any of them.
    Site(Vec<String>),
    /// `module("*Attention")`: any enclosing nn.Module class, whole name or glob; any of them.
    Module(Vec<String>),
    /// `category(norm)`; any of them.
    Category(Vec<String>),
    /// `kind(memcpy)`; any of them.
    Kind(Vec<String>),
    /// `dims("[888, 2880]*")`: a glob over the input shapes of the launching op, JSON text without blanks; any of them.
    Dims(Vec<String>),
    /// `grid("[1,*")`: a glob over the launch grid, JSON text without blanks; any of them.
    Grid(Vec<String>),
    /// `tokens <= 128`, `dur_us > 5`, `bytes < 4096`, `requests > 1`.
    Number {
        /// Field, as written.
        field: String,
        /// Comparison.
        compare: Compare,
        /// Value in thousandths, so that `dur_us > 2.5` stays exact.
        thousandths: i64,
    },
}

/// Comparison of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compare {
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `>=`
    GreaterEqual,
    /// `>`
    Greater,
}

impl Compare {
    /// What holds where this does not.
    #[must_use]
    pub fn negate(self) -> Self {
        match self {
            Self::Less => Self::GreaterEqual,
            Self::LessEqual => Self::Greater,
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::GreaterEqual => Self::Less,
            Self::Greater => Self::LessEqual,
        }
    }
}

/// How one part of a chain follows the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// `~>`: next in its line, seeing through transparent launches.
    Loose,
    /// `->`: strictly the next event of its line.
    Strict,
}

/// A chain of GPU events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// What it says.
    pub node: ChainNode,
    /// Where it stands.
    pub span: Span,
}

impl Chain {
    /// Calls `found` with the predicate of each link, in order of the text.
    pub fn each_link(&self, found: &mut impl FnMut(&Expr)) {
        match &self.node {
            ChainNode::Any => {}
            ChainNode::Link(expr) => found(expr),
            ChainNode::Seq(head, rest) => {
                head.each_link(found);
                for (_, part) in rest {
                    part.each_link(found);
                }
            }
            ChainNode::Alt(parts) | ChainNode::Both(parts) => parts.iter().for_each(|part| part.each_link(found)),
            ChainNode::Repeat { inner, .. } | ChainNode::Context(inner) => inner.each_link(found),
        }
    }
}

/// What a chain says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainNode {
    /// One event.
    Link(Expr),
    /// `_`: any one event.
    Any,
    /// `a ~> b -> c`: the first part, then each further part with its join.
    Seq(Box<Chain>, Vec<(Join, Chain)>),
    /// `(a | b)`.
    Alt(Vec<Chain>),
    /// `(a & b)`: both, in any order, joined by `~>`.
    Both(Vec<Chain>),
    /// `a?`, `a*`, `a+`, `a{2}`, `a{0,4}`, `a{2,}`: repeats joined by `~>`.
    Repeat {
        /// What repeats.
        inner: Box<Chain>,
        /// At least.
        min: u32,
        /// At most; none: without end.
        max: Option<u32>,
    },
    /// `[a]`: must stand there, is shown, is not counted.
    Context(Box<Chain>),
}

/// `exposed(a) beside exposed(b) within 200us`: the two sides of an overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverlapClause {
    /// What could be hidden.
    pub exposed: Expr,
    /// Under what.
    pub beside: Expr,
    /// How far apart they may be, in microseconds.
    pub within_us: u32,
}
