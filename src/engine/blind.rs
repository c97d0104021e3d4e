//! Families that a trace cannot show for want of places: each of their forms has a link that only an op, a frame or a
//! module decides.

use super::gates;
use crate::attribution::{Stage, Timeline};
use crate::rules::ast::{Atom, Chain, ChainNode, Expr, ExprNode};
use crate::rules::{FamilyKind, RuleSet, Status};

/// Indices of the families, in order, that are asked for in this run and could not look where places are unknown.
pub fn cannot_look(rules: &RuleSet, timeline: &Timeline) -> Vec<usize> {
    (rules.families.iter().enumerate())
        .filter(|(_, family)| family.kind == FamilyKind::Fuse && family.status != Status::Retired)
        .filter(|(_, family)| !gates::of_run(family, &timeline.run, Stage::All).iter().any(gates::Gate::shuts))
        .filter(|(_, family)| {
            let mut forms = family.fused.iter().chain(&family.split).peekable();
            forms.peek().is_some() && forms.all(|form| blind(rules, form))
        })
        .map(|(index, _)| index)
        .collect()
}

/// Whether some link that must be there cannot match where places are unknown.
fn blind(rules: &RuleSet, chain: &Chain) -> bool {
    match &chain.node {
        ChainNode::Link(expr) => !named(rules, expr, true, 0),
        ChainNode::Any => false,
        ChainNode::Seq(first, rest) => blind(rules, first) || rest.iter().any(|(_, part)| blind(rules, part)),
        ChainNode::Both(parts) => parts.iter().any(|part| blind(rules, part)),
        ChainNode::Alt(parts) => parts.iter().all(|part| blind(rules, part)),
        ChainNode::Repeat { inner, min, .. } => *min > 0 && blind(rules, inner),
        ChainNode::Context(inner) => blind(rules, inner),
    }
}

/// Whether a name can carry the predicate.
fn named(rules: &RuleSet, expr: &Expr, positive: bool, depth: usize) -> bool {
    match &expr.node {
        ExprNode::Atom(
            Atom::Op(_) | Atom::Site(_) | Atom::Module(_) | Atom::Dims(_) | Atom::Grid(_) | Atom::Number { .. },
        ) => false,
        ExprNode::Atom(_) => positive,
        ExprNode::Term(name) => match rules.terms.iter().find(|term| term.name == *name) {
            Some(term) if depth < rules.terms.len() => named(rules, &term.expr, positive, depth + 1),
            _ => true,
        },
        ExprNode::Not(inner) => named(rules, inner, !positive, depth),
        ExprNode::And(parts) | ExprNode::Or(parts) => parts.iter().any(|part| named(rules, part, positive, depth)),
    }
}
