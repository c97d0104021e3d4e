//! The chains of a family with links left open: what almost is the family.

use super::super::chain::Pattern;
use crate::rules::ast::{Atom, Chain, ChainNode, Expr, ExprNode, Join};
use crate::rules::schema::similarity::Role;
use crate::rules::{Family, RuleSet, Term, fewest_counted};

/// What of a chain is left open.
#[derive(Clone, Debug)]
pub(super) enum Open {
    /// Any link, for unknown kernels at a place of its kind.
    Places,
    /// This link, for an unknown kernel at any place.
    Link(Expr),
}

/// One chain to look for.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    /// Index of the family in the rule set.
    pub(super) family: usize,
    pub(super) fused: bool,
    pub(super) open: Open,
    pub(super) chain: Chain,
}

impl Variant {
    pub(super) fn pattern<'a>(&'a self, rules: &'a RuleSet) -> Pattern<'a> {
        let family = &rules.families[self.family];
        Pattern { chain: &self.chain, after: family.after.as_ref(), before: family.before.as_ref() }
    }
}

/// The word by which an open link asks for a kernel that no rule knows; no word of the match language.
const UNKNOWN: &str = "<unknown>";

/// The term of that word.
pub(super) fn unknown(rules: &RuleSet) -> Term {
    Term { name: UNKNOWN.to_owned(), about: String::new(), expr: super::super::run::unknown(rules) }
}

/// Both forms of a family, with all links open to what runs at their places, and with one link open at a time.
pub(super) fn near(index: usize, family: &Family, roles: &[Role]) -> Vec<Variant> {
    let mut out = Vec::new();
    for (fused, form) in [(true, &family.fused), (false, &family.split)] {
        // One kernel is no chain.
        let Some(form) = form.as_ref().filter(|chain| fewest_counted(chain) > 1) else { continue };
        let variant = |open, chain| Variant { family: index, fused, open, chain };
        out.push(variant(Open::Places, placed(form, roles)));
        let opened = (0..).map_while(|nth| opened(form, &mut { nth }));
        out.extend(opened.map(|(chain, link)| variant(Open::Link(link), chain)));
    }
    out
}

/// The roles whose kernels a link asks for, by index.
pub(super) fn roles_of(link: &Expr, roles: &[Role]) -> Vec<usize> {
    let mut terms = Vec::new();
    positive_terms(link, &mut terms);
    let asked = |role: &Role| role.terms.iter().any(|term| terms.contains(&term.as_str()));
    roles.iter().enumerate().filter(|(_, role)| asked(role)).map(|(n, _)| n).collect()
}

/// Where kernels of a role run: op, frame, module; none where the role says nothing of them.
pub(super) fn places(role: &Role) -> [Option<Expr>; 3] {
    let some = |texts: &[String], atom: fn(Vec<String>) -> Atom| {
        (!texts.is_empty()).then(|| expr(ExprNode::Atom(atom(texts.to_vec()))))
    };
    [some(&role.ops, Atom::Op), some(&role.sites, Atom::Site), some(&role.modules, Atom::Module)]
}

fn positive_terms<'e>(link: &'e Expr, out: &mut Vec<&'e str>) {
    match &link.node {
        ExprNode::Term(name) => out.push(name),
        ExprNode::And(parts) | ExprNode::Or(parts) => parts.iter().for_each(|part| positive_terms(part, out)),
        ExprNode::Atom(_) | ExprNode::Not(_) => {}
    }
}

fn open() -> Expr {
    expr(ExprNode::Term(UNKNOWN.to_owned()))
}

fn expr(node: ExprNode) -> Expr {
    Expr { node, span: 0..0 }
}

/// Every counted link, or an unknown kernel at a place of its kind.
fn placed(chain: &Chain, roles: &[Role]) -> Chain {
    let all = |parts: &[Chain]| parts.iter().map(|part| placed(part, roles)).collect();
    let node = match &chain.node {
        ChainNode::Link(link) => {
            let at: Vec<Expr> = roles_of(link, roles).into_iter().flat_map(|n| places(&roles[n])).flatten().collect();
            let placed = expr(ExprNode::And(vec![open(), expr(ExprNode::Or(at))]));
            ChainNode::Link(expr(ExprNode::Or(vec![link.clone(), placed])))
        }
        ChainNode::Any | ChainNode::Context(_) => chain.node.clone(),
        ChainNode::Seq(first, rest) => ChainNode::Seq(
            Box::new(placed(first, roles)),
            rest.iter().map(|(join, part)| (*join, placed(part, roles))).collect(),
        ),
        ChainNode::Alt(parts) => ChainNode::Alt(all(parts)),
        ChainNode::Both(parts) => ChainNode::Both(all(parts)),
        ChainNode::Repeat { inner, min, max } => {
            ChainNode::Repeat { inner: Box::new(placed(inner, roles)), min: *min, max: *max }
        }
    };
    Chain { node, span: chain.span.clone() }
}

/// The chain with its `left`-th counted link open, and that link. What may be absent is never open; what stands `n`
/// times is open once.
fn opened(chain: &Chain, left: &mut usize) -> Option<(Chain, Expr)> {
    let one_of = |parts: &[Chain], left: &mut usize| {
        parts.iter().enumerate().find_map(|(n, part)| {
            let (new, link) = opened(part, left)?;
            let mut parts = parts.to_vec();
            parts[n] = new;
            Some((parts, link))
        })
    };
    let (node, link) = match &chain.node {
        ChainNode::Any | ChainNode::Context(_) | ChainNode::Repeat { min: 0, .. } => return None,
        ChainNode::Link(link) if *left == 0 => (ChainNode::Link(open()), link.clone()),
        ChainNode::Link(_) => {
            *left -= 1;
            return None;
        }
        ChainNode::Seq(first, rest) => {
            let (joins, mut parts): (Vec<Join>, Vec<Chain>) = rest.iter().cloned().unzip();
            parts.insert(0, (**first).clone());
            let (mut parts, link) = one_of(&parts, left)?;
            let first = Box::new(parts.remove(0));
            (ChainNode::Seq(first, joins.into_iter().zip(parts).collect()), link)
        }
        ChainNode::Alt(parts) => one_of(parts, left).map(|(parts, link)| (ChainNode::Alt(parts), link))?,
        ChainNode::Both(parts) => one_of(parts, left).map(|(parts, link)| (ChainNode::Both(parts), link))?,
        ChainNode::Repeat { inner, min, .. } => {
            let (mut parts, link) = one_of(&vec![(**inner).clone(); *min as usize], left)?;
            let first = Box::new(parts.remove(0));
            (ChainNode::Seq(first, parts.into_iter().map(|part| (Join::Loose, part)).collect()), link)
        }
    };
    Some((Chain { node, span: chain.span.clone() }, link))
}
