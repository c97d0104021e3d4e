//! The tree of the match language as text, in its one normal form: `print(parse(x)) == x` for a text in that form, and
//! `parse(print(tree)) == tree` for every tree.

use std::fmt::Write;

use super::ast::{Atom, Chain, ChainNode, Compare, Expr, ExprNode, Join, OverlapClause};

/// A predicate as text.
pub fn print_expr(expr: &Expr) -> String {
    let mut out = String::new();
    write_expr(&mut out, expr, Level::Or);
    out
}

/// A chain as text.
pub fn print_chain(chain: &Chain) -> String {
    let mut out = String::new();
    write_chain(&mut out, chain, Place::Top);
    out
}

/// The two sides of an overlap as text.
pub fn print_overlap(clause: &OverlapClause) -> String {
    let (exposed, beside) = (print_expr(&clause.exposed), print_expr(&clause.beside));
    format!("exposed({exposed}) beside exposed({beside}) within {}us", clause.within_us)
}

/// What may stand without parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Not,
    Primary,
}

fn write_expr(out: &mut String, expr: &Expr, level: Level) {
    let own = match &expr.node {
        ExprNode::Or(_) => Level::Or,
        ExprNode::And(_) => Level::And,
        ExprNode::Not(_) => Level::Not,
        ExprNode::Atom(_) | ExprNode::Term(_) => Level::Primary,
    };
    if own < level {
        out.push('(');
    }
    match &expr.node {
        ExprNode::Or(parts) => write_joined(out, parts, " or ", Level::And),
        ExprNode::And(parts) => write_joined(out, parts, " and ", Level::Not),
        ExprNode::Not(inner) => {
            out.push_str("not ");
            write_expr(out, inner, Level::Not);
        }
        ExprNode::Term(name) => out.push_str(name),
        ExprNode::Atom(atom) => write_atom(out, atom),
    }
    if own < level {
        out.push(')');
    }
}

fn write_joined(out: &mut String, parts: &[Expr], join: &str, level: Level) {
    for (n, part) in parts.iter().enumerate() {
        if n > 0 {
            out.push_str(join);
        }
        write_expr(out, part, level);
    }
}

fn write_atom(out: &mut String, atom: &Atom) {
    let (name, arguments, bare) = match atom {
        Atom::Name(a) => ("name", a, false),
        Atom::Inductor(a) => ("inductor", a, false),
        Atom::Targs(a) => ("targs", a, false),
        Atom::Op(a) => ("op", a, false),
        Atom::Site(a) => ("site", a, false),
        Atom::Module(a) => ("module", a, false),
        Atom::Category(a) => ("category", a, true),
        Atom::Kind(a) => ("kind", a, true),
        Atom::Dims(a) => ("dims", a, false),
        Atom::Grid(a) => ("grid", a, false),
        Atom::Targ(at, value) => {
            let _ = write!(out, "targ({at}, ");
            write_text(out, value, false);
            return out.push(')');
        }
        Atom::Number { field, compare, thousandths } => return write_number(out, field, *compare, *thousandths),
    };
    out.push_str(name);
    out.push('(');
    for (n, argument) in arguments.iter().enumerate() {
        if n > 0 {
            out.push_str(", ");
        }
        write_text(out, argument, bare);
    }
    out.push(')');
}

fn write_text(out: &mut String, text: &str, bare: bool) {
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if bare && is_word {
        return out.push_str(text);
    }
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

fn write_number(out: &mut String, field: &str, compare: Compare, thousandths: i64) {
    let sign = if thousandths < 0 { "-" } else { "" };
    let (whole, decimals) = (thousandths.unsigned_abs() / 1000, thousandths.unsigned_abs() % 1000);
    let compare = match compare {
        Compare::Less => "<",
        Compare::LessEqual => "<=",
        Compare::Equal => "==",
        Compare::NotEqual => "!=",
        Compare::GreaterEqual => ">=",
        Compare::Greater => ">",
    };
    let _ = write!(out, "{field} {compare} {sign}{whole}");
    if decimals > 0 {
        out.push('.');
        out.push_str(format!("{decimals:03}").trim_end_matches('0'));
    }
}

/// Where a part of a chain stands: decides its parentheses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// All that is in brackets.
    Bracket,
    /// A side of `|`.
    OfAlt,
    /// The whole text, or a side of `&`.
    Top,
    /// Between joins.
    Item,
    /// Before a repeat.
    Repeated,
}

fn write_chain(out: &mut String, chain: &Chain, place: Place) {
    match &chain.node {
        ChainNode::Any => out.push('_'),
        ChainNode::Link(expr) => {
            write_expr(out, expr, if place == Place::Repeated { Level::Primary } else { Level::Or });
        }
        ChainNode::Context(inner) => {
            out.push('[');
            write_chain(out, inner, Place::Bracket);
            out.push(']');
        }
        ChainNode::Repeat { inner, min, max } => {
            let parenthesised = place == Place::Repeated;
            if parenthesised {
                out.push('(');
            }
            write_chain(out, inner, Place::Repeated);
            match (min, max) {
                (0, Some(1)) => out.push('?'),
                (0, None) => out.push('*'),
                (1, None) => out.push('+'),
                (min, None) => drop(write!(out, "{{{min},}}")),
                (min, Some(max)) if min == max => drop(write!(out, "{{{min}}}")),
                (min, Some(max)) => drop(write!(out, "{{{min},{max}}}")),
            }
            if parenthesised {
                out.push(')');
            }
        }
        ChainNode::Seq(head, rest) => {
            let parenthesised = matches!(place, Place::Item | Place::Repeated);
            if parenthesised {
                out.push('(');
            }
            write_chain(out, head, Place::Item);
            for (join, part) in rest {
                out.push_str(if *join == Join::Strict { " -> " } else { " ~> " });
                write_chain(out, part, Place::Item);
            }
            if parenthesised {
                out.push(')');
            }
        }
        ChainNode::Alt(parts) => write_sides(out, parts, " | ", Place::OfAlt, place != Place::Bracket),
        ChainNode::Both(parts) => {
            write_sides(out, parts, " & ", Place::Top, !matches!(place, Place::Bracket | Place::OfAlt));
        }
    }
}

fn write_sides(out: &mut String, parts: &[Chain], join: &str, place: Place, parenthesised: bool) {
    if parenthesised {
        out.push('(');
    }
    for (n, part) in parts.iter().enumerate() {
        if n > 0 {
            out.push_str(join);
        }
        write_chain(out, part, place);
    }
    if parenthesised {
        out.push(')');
    }
}
