//! Text of the match language in, its tree out; a mistake comes back as one sentence with its place (byte offsets in
//! the text). The grammar is `grammar/match.pest`; what it cannot say (nesting, bounds) is checked here.
//!
//! Long because each way to get the language wrong has a sentence of its own.

use pest::Parser;
use pest::iterators::Pair;

use super::ast::{Atom, Chain, ChainNode, Compare, Expr, ExprNode, Join, OverlapClause, Span};
use crate::diagnostic::near;

/// Parentheses, brackets and `not` within each other; deeper text is refused, so that no walk can run out of stack.
const MAX_DEPTH: usize = 48;
/// Largest number in `{n}`: chains are compiled to an automaton that holds each repeat.
const MAX_REPEAT: u32 = 64;
/// Farthest in `within 200us`: a tenth of a second is no neighbourhood.
const MAX_WITHIN_US: u32 = 100_000;
/// What an atom may look at, for near misses.
const ATOMS: [&str; 11] =
    ["name", "inductor", "targs", "targ", "op", "site", "module", "category", "kind", "dims", "grid"];
/// Numbers that can be compared.
pub const FIELDS: [&str; 4] = ["tokens", "requests", "dur_us", "bytes"];

#[derive(pest_derive::Parser)]
#[grammar = "../grammar/match.pest"]
struct MatchParser;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Byte offsets in the text; empty at the end of it.
    pub span: Span,
    /// What was expected, a phrase.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
    /// The bracket that is never closed.
    pub opened: Option<Span>,
}

impl SyntaxError {
    fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None, opened: None }
    }

    /// The same in a text in which this one stands at `at`.
    fn moved(mut self, at: usize) -> Self {
        for span in [Some(&mut self.span), self.opened.as_mut()].into_iter().flatten() {
            *span = span.start + at..span.end + at;
        }
        self
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A predicate: `is:` of terms, categories and roles.
pub fn parse_expr(text: &str) -> Result<Expr, SyntaxError> {
    let whole = pairs(Rule::predicate_only, text)?;
    link(first(whole))
}

/// A chain: `fused:`, `split:`, `after:`, `before:`.
pub fn parse_chain(text: &str) -> Result<Chain, SyntaxError> {
    let whole = pairs(Rule::chain_only, text)?;
    sequence(first(whole))
}

/// The two sides of an overlap: `overlap:`.
pub fn parse_overlap(text: &str) -> Result<OverlapClause, SyntaxError> {
    let whole = pairs(Rule::overlap_only, text)?;
    let mut sides = Vec::new();
    let mut within_us = 0;
    for part in whole.into_inner() {
        match part.as_rule() {
            Rule::side => sides.extend(part.into_inner().find(|p| p.as_rule() == Rule::link).map(link)),
            Rule::within => {
                let micros = part.into_inner().find(|p| p.as_rule() == Rule::microseconds).map(first);
                let micros = micros.expect("a distance has a number");
                within_us =
                    micros.as_str().parse().ok().filter(|us| (1..=MAX_WITHIN_US).contains(us)).ok_or_else(|| {
                        SyntaxError::new(span(&micros), format!("a distance goes from 1us to {MAX_WITHIN_US}us"))
                    })?;
            }
            _ => {}
        }
    }
    let beside = sides.pop().expect("the grammar gives two sides")?;
    let exposed = sides.pop().expect("the grammar gives two sides")?;
    Ok(OverlapClause { exposed, beside, within_us })
}

fn pairs(rule: Rule, text: &str) -> Result<Pair<'_, Rule>, SyntaxError> {
    if text.trim().is_empty() {
        return Err(SyntaxError::new(0..0, "expected a kernel predicate, found nothing"));
    }
    check_depth(text)?;
    match MatchParser::parse(rule, text) {
        Ok(mut pairs) => pairs.next().ok_or_else(|| SyntaxError::new(0..0, "expected a kernel predicate")),
        Err(_) => Err(explain(rule, text, stopped_at(rule, text))),
    }
}

/// How far the grammar could follow a text that it refuses. Attempts are only kept track of once there is such a text.
fn stopped_at(rule: Rule, text: &str) -> usize {
    pest::set_error_detail(true);
    MatchParser::parse(rule, text).err().map_or(0, |error| {
        let plain = match error.location {
            pest::error::InputLocation::Pos(at) | pest::error::InputLocation::Span((at, _)) => at,
        };
        let detailed = error.parse_attempts().map_or(0, |a| a.max_position);
        plain.max(detailed)
    })
}

fn check_depth(text: &str) -> Result<(), SyntaxError> {
    let (mut depth, mut nots, mut quoted, mut escaped) = (0usize, 0usize, false, false);
    let mut word_start = None;
    for (at, c) in text.char_indices() {
        if quoted {
            (quoted, escaped) = (escaped || c != '"', !escaped && c == '\\');
            continue;
        }
        if c.is_ascii_alphanumeric() || c == '_' {
            word_start.get_or_insert(at);
            continue;
        }
        if let Some(start) = word_start.take() {
            nots = if &text[start..at] == "not" { nots + 1 } else { 0 };
        }
        match c {
            '"' => quoted = true,
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH || nots > MAX_DEPTH {
            return Err(SyntaxError::new(at..at + c.len_utf8(), format!("nested deeper than {MAX_DEPTH} levels"))
                .help("give the inner part a name in rules/terms.yaml"));
        }
    }
    Ok(())
}

/// The mistake inside of a side, `exposed( .. )`, if that is where it is.
fn in_a_side(text: &str) -> Option<SyntaxError> {
    const SIDE: &str = "exposed(";
    text.match_indices(SIDE).find_map(|(at, _)| {
        let begin = at + SIDE.len();
        let inner = &text[begin..];
        parse_expr(&inner[..closing(inner)?]).err().map(|error| error.moved(begin))
    })
}

/// Where the bracket is closed that stands before `text`.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0u32, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if quoted => (quoted, escaped) = (escaped || c != '"', !escaped && c == '\\'),
            '"' => quoted = true,
            '(' | '[' => depth += 1,
            ')' | ']' if depth == 0 => return Some(at),
            ')' | ']' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Our own sentence for a text that the grammar refuses at `at`.
fn explain(rule: Rule, text: &str, at: usize) -> SyntaxError {
    let at = text.len().min(at);
    let rest = &text[at..];
    let at = at + (rest.len() - rest.trim_start().len());
    let rest = &text[at..];
    let before = text[..at].trim_end();
    let width = token_width(rest);
    let here = at..at + width;
    let found = if rest.is_empty() { "the end of the text".to_owned() } else { format!("`{}`", &rest[..width]) };
    let is_chain = rule == Rule::chain_only;

    if rule == Rule::overlap_only {
        if let Some(error) = in_a_side(text) {
            return error;
        }
        return SyntaxError::new(here, format!("expected two sides and how far apart they may be, stopped at {found}"))
            .help("write `exposed(a) beside exposed(b) within 200us`, a and b being predicates over one event");
    }
    if let Some(open) = unclosed_quote(text) {
        return SyntaxError::new(open..text.len(), "this quote is never closed").help("end the text with `\"`");
    }
    // A word that looks like an atom but is none: the grammar stops before or behind it.
    let word_at = before.len() - trailing_word(before).len();
    let (word, word_at) =
        if rest.starts_with('(') { (trailing_word(before), word_at) } else { (leading_word(rest), at) };
    let after_word = text[word_at + word.len()..].trim_start();
    if !word.is_empty() && after_word.starts_with('(') && !ATOMS.contains(&word) && !is_keyword(word) {
        let error = SyntaxError::new(word_at..word_at + word.len(), format!("there is no predicate `{word}(..)`"));
        return error.help(near(word, ATOMS.iter().copied()).map_or_else(
            || format!("predicates are {}; a term is a word without parentheses", ATOMS.join(", ")),
            |n| format!("did you mean `{n}(..)`?"),
        ));
    }
    if let Some(c @ ('|' | '&')) = rest.chars().next() {
        return if is_chain {
            SyntaxError::new(here, "`|` and `&` stand in parentheses")
                .help(format!("write `(a {c} b)`; for one event of two kinds, `a or b` or `a and b`"))
        } else {
            SyntaxError::new(here, format!("`{c}` joins parts of a chain; this is a predicate over one event"))
                .help(if c == '|' { "write `or`" } else { "write `and`" })
        };
    }
    if !is_chain && (rest.starts_with("~>") || rest.starts_with("->")) {
        return SyntaxError::new(here, "a chain cannot stand here, only a predicate over one event");
    }
    if !is_chain && rest.starts_with(['?', '*', '+', '{', '[']) {
        return SyntaxError::new(here, format!("{found} belongs to chains; this is a predicate over one event"));
    }
    if let Some(c) = rest.chars().next().filter(|c| matches!(c, ')' | ']')) {
        let open = if c == ')' { '(' } else { '[' };
        if open_brackets(&text[..at]).last().is_none_or(|&(_, b)| b != open) {
            return SyntaxError::new(here, format!("this `{c}` closes nothing"));
        }
    }
    let needs_operand = before.is_empty()
        || before.ends_with(['(', '[', ',', '|', '&', '>'])
        || before.ends_with(['<', '='])
        || is_keyword(trailing_word(before));
    if needs_operand {
        let wanted = if before.ends_with(',')
            || ATOMS.iter().any(|a| before.strip_suffix('(').is_some_and(|b| trailing_word(b) == *a))
        {
            if rest.starts_with('\'') {
                return SyntaxError::new(here, "texts stand in double quotes").help("write `\"..\"`");
            }
            "a text in double quotes"
        } else if before.ends_with(['<', '='])
            || (before.ends_with('>') && !before.ends_with("~>") && !before.ends_with("->"))
        {
            "a number"
        } else if is_chain && !is_keyword(trailing_word(before)) {
            "a term, a predicate, `_`, `(` or `[`"
        } else {
            "a term or a predicate"
        };
        return SyntaxError::new(here, format!("expected {wanted}, found {found}"));
    }
    match open_brackets(&text[..at]).last() {
        Some(&(open, bracket)) => {
            let close = if bracket == '(' { ')' } else { ']' };
            let in_atom = bracket == '(' && ATOMS.contains(&trailing_word(text[..open].trim_end()));
            if rest.is_empty() {
                let what = if in_atom { "`,` or `)`".to_owned() } else { format!("`{close}`") };
                let error = SyntaxError::new(here, format!("expected {what}, found {found}"));
                SyntaxError { opened: Some(open..open + 1), ..error }
            } else if in_atom {
                SyntaxError::new(here, format!("expected `,` or `)`, found {found}"))
            } else {
                SyntaxError::new(here, format!("expected `and`, `or`{} or `{close}`, found {found}", joins(is_chain)))
            }
        }
        None => SyntaxError::new(here, format!("expected `and`, `or`{} or the end, found {found}", joins(is_chain))),
    }
}

fn joins(is_chain: bool) -> &'static str {
    if is_chain { ", `~>`, `->`, a repeat" } else { "" }
}

fn is_keyword(word: &str) -> bool {
    matches!(word, "and" | "or" | "not")
}

fn leading_word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    &text[..end]
}

fn trailing_word(text: &str) -> &str {
    let start = text.rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    &text[start.map_or(0, |s| s + text[s..].chars().next().map_or(1, char::len_utf8))..]
}

/// Bytes of the token that `rest` begins with; 0 at the end.
fn token_width(rest: &str) -> usize {
    let word = leading_word(rest).len();
    match rest {
        _ if word > 0 => word,
        _ if ["~>", "->", "<=", ">=", "==", "!="].iter().any(|t| rest.starts_with(t)) => 2,
        _ => rest.chars().next().map_or(0, char::len_utf8),
    }
}

/// Where a quote opens that nothing closes.
fn unclosed_quote(text: &str) -> Option<usize> {
    let (mut open, mut escaped) = (None, false);
    for (at, c) in text.char_indices() {
        match (open, c) {
            (None, '"') => open = Some(at),
            (Some(_), '"') if !escaped => open = None,
            _ => {}
        }
        escaped = open.is_some() && c == '\\' && !escaped;
    }
    open
}

/// Brackets open at the end of `text`.
fn open_brackets(text: &str) -> Vec<(usize, char)> {
    let (mut open, mut quoted, mut escaped) = (Vec::new(), false, false);
    for (at, c) in text.char_indices() {
        if quoted {
            (quoted, escaped) = (escaped || c != '"', !escaped && c == '\\');
            continue;
        }
        match c {
            '"' => quoted = true,
            '(' | '[' => open.push((at, c)),
            ')' | ']' => drop(open.pop()),
            _ => {}
        }
    }
    open
}

// The tree. The grammar fixes the shape of each pair, so a child that it promises is taken without asking.

fn first(pair: Pair<'_, Rule>) -> Pair<'_, Rule> {
    pair.into_inner().next().expect("the grammar gives this rule a child")
}

fn span(pair: &Pair<'_, Rule>) -> Span {
    let span = pair.as_span();
    span.start()..span.start() + span.as_str().trim_end().len()
}

fn sequence(pair: Pair<'_, Rule>) -> Result<Chain, SyntaxError> {
    let whole = span(&pair);
    let mut inner = pair.into_inner();
    let head = item(inner.next().expect("a sequence has an item"))?;
    let rest = joined(inner)?;
    Ok(if rest.is_empty() { head } else { Chain { node: ChainNode::Seq(Box::new(head), rest), span: whole } })
}

fn joined<'a>(mut pairs: impl Iterator<Item = Pair<'a, Rule>>) -> Result<Vec<(Join, Chain)>, SyntaxError> {
    let mut rest = Vec::new();
    while let (Some(join), Some(part)) = (pairs.next(), pairs.next()) {
        let join = if first(join).as_rule() == Rule::strict { Join::Strict } else { Join::Loose };
        rest.push((join, item(part)?));
    }
    Ok(rest)
}

fn item(pair: Pair<'_, Rule>) -> Result<Chain, SyntaxError> {
    let whole = span(&pair);
    let mut inner = pair.into_inner();
    let body = inner.next().expect("an item has a body");
    let body_span = span(&body);
    let mut bare_operator = false;
    let chain = match body.as_rule() {
        Rule::any => Chain { node: ChainNode::Any, span: body_span },
        Rule::context => Chain { node: ChainNode::Context(Box::new(choice(first(body))?)), span: body_span },
        Rule::group => choice(first(body))?,
        _ => {
            bare_operator = has_bare_operator(&body);
            Chain { node: ChainNode::Link(link(body)?), span: body_span.clone() }
        }
    };
    let Some(repeat) = inner.next() else { return Ok(chain) };
    let repeat_span = span(&repeat);
    if bare_operator {
        let text = repeat.as_str().trim();
        return Err(SyntaxError::new(repeat_span, format!("`{text}` repeats one name or a group in parentheses"))
            .help(format!("write `(..){text}` around all that repeats")));
    }
    let (min, max) = repeat_bounds(repeat)?;
    Ok(Chain { node: ChainNode::Repeat { inner: Box::new(chain), min, max }, span: whole })
}

/// Whether a link has an `and`, `or` or `not` outside of parentheses.
fn has_bare_operator(link: &Pair<'_, Rule>) -> bool {
    let mut conjunctions = link.clone().into_inner();
    let Some(conjunction) = conjunctions.next() else { return false };
    let mut negations = conjunction.into_inner();
    let Some(negation) = negations.next() else { return false };
    conjunctions.next().is_some() || negations.next().is_some() || negation.into_inner().count() > 1
}

fn repeat_bounds(pair: Pair<'_, Rule>) -> Result<(u32, Option<u32>), SyntaxError> {
    let whole = span(&pair);
    let kind = first(pair);
    let rule = kind.as_rule();
    let counts = kind.into_inner().map(|p| number_of(&p)).collect::<Result<Vec<_>, _>>()?;
    let (min, max) = match (rule, counts.as_slice()) {
        (Rule::optional, _) => (0, Some(1)),
        (Rule::star, _) => (0, None),
        (Rule::plus, _) => (1, None),
        (Rule::exactly, &[n]) => (n, Some(n)),
        (Rule::between, &[min, max]) => (min, Some(max)),
        (_, &[min, ..]) => (min, None),
        (_, []) => (0, None),
    };
    if max.is_some_and(|m| m < min) {
        return Err(SyntaxError::new(whole, "the upper bound is below the lower one").help("write `{least,most}`"));
    }
    if max == Some(0) {
        return Err(SyntaxError::new(whole, "this repeats nothing").help("leave the part out"));
    }
    Ok((min, max))
}

fn number_of(pair: &Pair<'_, Rule>) -> Result<u32, SyntaxError> {
    pair.as_str()
        .parse()
        .ok()
        .filter(|n| *n <= MAX_REPEAT)
        .ok_or_else(|| SyntaxError::new(span(pair), format!("numbers here go up to {MAX_REPEAT}")))
}

fn choice(pair: Pair<'_, Rule>) -> Result<Chain, SyntaxError> {
    sides(pair, ChainNode::Alt, |pair| sides(pair, ChainNode::Both, sequence))
}

/// One side stands for itself, several are joined.
fn sides(
    pair: Pair<'_, Rule>,
    join: fn(Vec<Chain>) -> ChainNode,
    parse: impl Fn(Pair<'_, Rule>) -> Result<Chain, SyntaxError>,
) -> Result<Chain, SyntaxError> {
    let whole = span(&pair);
    let mut parts = pair.into_inner().map(parse).collect::<Result<Vec<_>, _>>()?;
    Ok(if parts.len() == 1 { parts.remove(0) } else { Chain { node: join(parts), span: whole } })
}

fn link(pair: Pair<'_, Rule>) -> Result<Expr, SyntaxError> {
    operands(pair, Rule::conjunction, ExprNode::Or, |p| operands(p, Rule::negation, ExprNode::And, negation))
}

/// One operand stands for itself, several are joined.
fn operands(
    pair: Pair<'_, Rule>,
    operand: Rule,
    join: fn(Vec<Expr>) -> ExprNode,
    parse: impl Fn(Pair<'_, Rule>) -> Result<Expr, SyntaxError>,
) -> Result<Expr, SyntaxError> {
    let whole = span(&pair);
    let inner = pair.into_inner().filter(|p| p.as_rule() == operand);
    let mut parts = inner.map(parse).collect::<Result<Vec<_>, _>>()?;
    Ok(match parts.len() {
        1 => parts.remove(0),
        _ => Expr { node: join(parts), span: whole },
    })
}

fn negation(pair: Pair<'_, Rule>) -> Result<Expr, SyntaxError> {
    let whole = span(&pair);
    let mut starts = Vec::new();
    let mut expr = None;
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::not => starts.push(part.as_span().start()),
            _ => expr = Some(primary(part)?),
        }
    }
    let expr = expr.expect("a negation has a primary");
    Ok(starts
        .into_iter()
        .rev()
        .fold(expr, |inner, start| Expr { node: ExprNode::Not(Box::new(inner)), span: start..whole.end }))
}

fn primary(pair: Pair<'_, Rule>) -> Result<Expr, SyntaxError> {
    let whole = span(&pair);
    let node = match pair.as_rule() {
        Rule::parenthesised => return link(first(pair)),
        Rule::number => ExprNode::Atom(number(pair)?),
        Rule::position => {
            let mut inner = pair.into_inner().skip(1);
            let at = number_of(&inner.next().expect("targ has a position"))?;
            let value = argument(inner.next().expect("targ has a value"))?;
            ExprNode::Atom(Atom::Targ(at as usize, value))
        }
        Rule::words => ExprNode::Atom(words(pair)?),
        _ => ExprNode::Term(pair.as_str().to_owned()),
    };
    Ok(Expr { node, span: whole })
}

fn words(pair: Pair<'_, Rule>) -> Result<Atom, SyntaxError> {
    let mut inner = pair.into_inner();
    let looks_at = inner.next().expect("an atom says what it looks at");
    let arguments = inner.map(argument).collect::<Result<Vec<_>, _>>()?;
    Ok(match looks_at.as_str() {
        "name" => Atom::Name(arguments),
        "inductor" => Atom::Inductor(arguments),
        "targs" => Atom::Targs(arguments),
        "op" => Atom::Op(arguments),
        "site" => Atom::Site(arguments),
        "module" => Atom::Module(arguments),
        "category" => Atom::Category(arguments),
        "kind" => Atom::Kind(arguments),
        "dims" => Atom::Dims(arguments),
        _ => Atom::Grid(arguments),
    })
}

fn argument(pair: Pair<'_, Rule>) -> Result<String, SyntaxError> {
    let whole = span(&pair);
    let inner = first(pair);
    let text = inner.as_str();
    if inner.as_rule() == Rule::bare {
        return Ok(text.to_owned());
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text[1..text.len() - 1].chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    if out.trim().is_empty() {
        return Err(SyntaxError::new(whole, "this text is empty, it would match anything"));
    }
    Ok(out)
}

fn number(pair: Pair<'_, Rule>) -> Result<Atom, SyntaxError> {
    let mut inner = pair.into_inner();
    let field = inner.next().expect("a number has a field");
    let compare = match inner.next().expect("a number has a comparison").as_str() {
        "<" => Compare::Less,
        "<=" => Compare::LessEqual,
        "==" => Compare::Equal,
        "!=" => Compare::NotEqual,
        ">=" => Compare::GreaterEqual,
        _ => Compare::Greater,
    };
    let value = inner.next().expect("a number has a value");
    let name = field.as_str();
    if !FIELDS.contains(&name) {
        return Err(SyntaxError::new(span(&field), format!("`{name}` is no number that a trace has")).help(
            near(name, FIELDS.iter().copied())
                .map_or_else(|| format!("there are {}", FIELDS.join(", ")), |n| format!("did you mean `{n}`?")),
        ));
    }
    let thousandths = thousandths(value.as_str())
        .ok_or_else(|| SyntaxError::new(span(&value), "expected a number below 9e15 with up to three decimals"))?;
    Ok(Atom::Number { field: name.to_owned(), compare, thousandths })
}

fn thousandths(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |t| (-1, t));
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    if decimals.len() > 3 {
        return None;
    }
    let decimals: i64 = format!("{decimals:0<3}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(1000)?.checked_add(decimals)?.checked_mul(sign)
}

#[cfg(test)]
mod tests;
