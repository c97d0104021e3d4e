//! Names in place of which something stands: terms, categories, kinds, ids of families. What no single file can tell.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ast::{Atom, Chain, Compare, Expr, ExprNode};
use super::family::{BrokenFamily, LoadedFamily};
use super::load::{Predicate, Shared};
use super::place::Place;
use super::print::print_expr;
use super::{CasePlaces, RuleSet};
use crate::diagnostic::{Code, Diagnostic};

/// The category of what no category names.
const OTHER: &str = "other";
/// Words of `kind(..)`.
const KINDS: [&str; 3] = ["kernel", "memcpy", "memset"];

/// Most atoms of a predicate, terms written out; ours have a few hundred.
const MOST_ATOMS: u64 = 20_000;
/// Title of a predicate that no launch matches.
const NEVER: &str = "no launch can ever match this";

/// Checks all names and fills `rules`.
pub(super) fn resolve(
    shared: Shared,
    families: Vec<LoadedFamily>,
    broken: &[BrokenFamily],
    rules: &mut RuleSet,
    found: &mut Vec<Diagnostic>,
) {
    duplicates("term", shared.terms.iter().map(|t| (t.item.name.as_str(), &t.name)), found);
    // A category may stand twice: what its name tells early, what is left over late.
    duplicates("role", shared.roles.iter().map(|r| (r.item.name.as_str(), &r.name)), found);

    let mut names = Names::new(&shared);
    for term in &shared.terms {
        names.expr(&term.item.expr, &term.is, Inside::Term, found);
    }
    for category in &shared.categories {
        names.expr(&category.item.expr, &category.is, Inside::Category, found);
    }
    for role in &shared.roles {
        names.expr(&role.item.expr, &role.is, Inside::Role, found);
        names.carried(&role.item.expr, &role.is, found);
    }
    for (place, chain) in families.iter().flat_map(|f| &f.chains).chain(broken.iter().flat_map(|f| &f.chains)) {
        names.chain(chain, place, found);
    }
    names.unused(&shared, found);
    ids(&families, broken, found);

    let order = order(&shared.terms, found);
    let chains = families.iter().flat_map(|f| &f.chains).chain(broken.iter().flat_map(|f| &f.chains));
    sizes(&shared, &order, chains, found);
    let mut terms: Vec<Option<_>> = shared.terms.into_iter().map(|t| Some(t.item)).collect();
    rules.terms = order.into_iter().filter_map(|n| terms[n].take()).collect();
    rules.categories = shared.categories.into_iter().map(|c| c.item).collect();
    rules.chains = shared.chains;
    rules.transparent = shared.roles.into_iter().map(|r| r.item).collect();
    rules.term_cases = shared.cases;
    rules.case_places = families
        .iter()
        .map(|f| {
            let places = CasePlaces { file: Some(Arc::clone(&f.id.file)), launches: f.launches.clone() };
            (f.family.id.clone(), places)
        })
        .collect();
    rules.families = families.into_iter().map(|f| f.family).collect();
}

fn duplicates<'a>(what: &str, names: impl Iterator<Item = (&'a str, &'a Place)>, found: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<&str, &Place> = BTreeMap::new();
    for (name, place) in names {
        match seen.get(name) {
            None => drop(seen.insert(name, place)),
            Some(first) => found.push(
                Diagnostic::new(Code::DuplicateId, format!("the {what} `{name}` stands twice"))
                    .at(&place.file, place.span.clone(), "the second one")
                    .at(&first.file, first.span.clone(), "the first one"),
            ),
        }
    }
}

/// Where a predicate stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Term,
    Category,
    Role,
    Family,
}

struct Names<'a> {
    terms: BTreeMap<&'a str, &'a Expr>,
    broken: BTreeSet<&'a str>,
    no_terms: bool,
    categories: BTreeSet<&'a str>,
    used: BTreeSet<String>,
    /// Terms that ask for a category, directly or through others.
    on_category: BTreeSet<&'a str>,
    /// Terms that hold (true) or whose negation holds (false) by a name-like atom, directly or through others.
    name_like: BTreeSet<(&'a str, bool)>,
}

impl<'a> Names<'a> {
    fn new(shared: &'a Shared) -> Self {
        let mut out = Self {
            terms: shared.terms.iter().map(|t| (t.item.name.as_str(), &t.item.expr)).collect(),
            no_terms: shared.no_terms,
            broken: shared.broken_terms.iter().map(String::as_str).collect(),
            categories: shared.categories.iter().map(|c| c.item.name.as_str()).chain([OTHER]).collect(),
            used: BTreeSet::new(),
            on_category: BTreeSet::new(),
            name_like: BTreeSet::new(),
        };
        // As often as terms are nested at most.
        for _ in 0..=out.terms.len() {
            let before = out.on_category.len();
            let more: Vec<&str> =
                out.terms.iter().filter(|(_, e)| asks_category(e, &out.on_category)).map(|(n, _)| *n).collect();
            out.on_category.extend(more);
            if out.on_category.len() == before {
                break;
            }
        }
        for _ in 0..=2 * out.terms.len() {
            let before = out.name_like.len();
            let all = out.terms.iter().flat_map(|(name, expr)| [(*name, *expr, true), (*name, *expr, false)]);
            let more: Vec<_> = all
                .filter(|(_, expr, positive)| out.has_name_like(expr, *positive))
                .map(|(name, _, positive)| (name, positive))
                .collect();
            out.name_like.extend(more);
            if out.name_like.len() == before {
                break;
            }
        }
        out
    }

    fn chain(&mut self, chain: &Chain, place: &Place, found: &mut Vec<Diagnostic>) {
        chain.each_link(&mut |expr| {
            self.expr(expr, place, Inside::Family, found);
            self.carried(expr, place, found);
        });
    }

    fn expr(&mut self, expr: &Expr, place: &Place, inside: Inside, found: &mut Vec<Diagnostic>) {
        match &expr.node {
            ExprNode::Atom(atom) => {
                self.atom(atom, expr, place, inside, found);
                if let Some(because) = numbers_apart(std::slice::from_ref(expr)) {
                    found.push(place.diagnostic(Code::NeverMatches, NEVER, &expr.span, &because));
                }
            }
            ExprNode::Term(name) => {
                self.used.insert(name.clone());
                let known = self.terms.contains_key(name.as_str());
                if !known && !self.no_terms && !self.broken.contains(name.as_str()) {
                    let near = place.diagnostic(
                        Code::UnknownTerm,
                        format!("no term `{name}`"),
                        &expr.span,
                        "not in rules/terms.yaml",
                    );
                    let words = self.terms.keys().chain(&self.broken).copied();
                    found.push(near.near(name, words, "a kernel's own name stands in name(\"..\")"));
                }
                if inside == Inside::Category && self.on_category.contains(name.as_str()) {
                    let title = format!("a category cannot use `{name}`, which asks for a category");
                    found.push(place.diagnostic(Code::CategoryInCategory, title, &expr.span, ""));
                }
            }
            ExprNode::Not(inner) => self.expr(inner, place, inside, found),
            ExprNode::And(parts) | ExprNode::Or(parts) => {
                if let (ExprNode::And(_), Some(because)) = (&expr.node, contradiction(parts)) {
                    found.push(place.diagnostic(Code::NeverMatches, NEVER, &expr.span, &because));
                }
                for part in parts {
                    self.expr(part, place, inside, found);
                }
            }
        }
    }

    fn atom(&self, atom: &Atom, expr: &Expr, place: &Place, inside: Inside, found: &mut Vec<Diagnostic>) {
        let mut unknown = |what: &str, word: &str, words: Vec<&str>| {
            let title = format!("there is no {what} `{word}`");
            let list = format!("there are {}", words.join(", "));
            found.push(
                place
                    .diagnostic(Code::UnknownWord, title, &expr.span, &format!("not a {what}"))
                    .near(word, words, list),
            );
        };
        match atom {
            Atom::Kind(words) => {
                for word in words.iter().filter(|w| !KINDS.contains(&w.as_str())) {
                    unknown("kind", word, KINDS.to_vec());
                }
            }
            Atom::Category(_) if inside == Inside::Category => {
                let title = "a category cannot ask for a category";
                found.push(place.diagnostic(Code::CategoryInCategory, title, &expr.span, ""));
            }
            // Without any, their file is what must be mended first.
            Atom::Category(_) if self.categories.len() == 1 => {}
            Atom::Category(words) => {
                for word in words.iter().filter(|w| !self.categories.contains(w.as_str())) {
                    unknown("category", word, self.categories.iter().copied().collect());
                }
            }
            _ => {}
        }
    }

    /// A link that only places decide can never match where places are unknown.
    fn carried(&self, expr: &Expr, place: &Place, found: &mut Vec<Diagnostic>) {
        if !self.has_name_like(expr, true) {
            found.push(
                place
                    .diagnostic(
                        Code::NoNameLike,
                        "this link can never match where its place is unknown",
                        &expr.span,
                        "",
                    )
                    .help("add name(..), targs(..), inductor(..), category(..) or kind(..) with `and`"),
            );
        }
    }

    fn has_name_like(&self, expr: &Expr, positive: bool) -> bool {
        match &expr.node {
            ExprNode::Atom(atom) => {
                positive
                    && matches!(
                        atom,
                        Atom::Name(_)
                            | Atom::Targs(_)
                            | Atom::Targ(..)
                            | Atom::Inductor(_)
                            | Atom::Category(_)
                            | Atom::Kind(_)
                    )
            }
            // What is unknown is reported as that.
            ExprNode::Term(name) => {
                !self.terms.contains_key(name.as_str()) || self.name_like.contains(&(name.as_str(), positive))
            }
            ExprNode::Not(inner) => self.has_name_like(inner, !positive),
            ExprNode::And(parts) | ExprNode::Or(parts) => parts.iter().any(|p| self.has_name_like(p, positive)),
        }
    }

    fn unused(&self, shared: &Shared, found: &mut Vec<Diagnostic>) {
        for term in shared.terms.iter().filter(|t| !self.used.contains(&t.item.name)) {
            let title = format!("nothing uses the term `{}`", term.item.name);
            found.push(Diagnostic::new(Code::UnusedTerm, title).at(&term.name.file, term.name.span.clone(), ""));
        }
    }
}

/// Why parts that must all hold never do, where two of them say so by themselves.
fn contradiction(parts: &[Expr]) -> Option<String> {
    let texts: Vec<String> = parts.iter().map(print_expr).collect();
    for part in parts {
        let ExprNode::Not(inner) = &part.node else { continue };
        let text = print_expr(inner);
        if texts.contains(&text) {
            return Some(format!("`{text}` must hold and must not"));
        }
    }
    if parts.iter().all(|part| numbers_apart(std::slice::from_ref(part)).is_none())
        && let Some(because) = numbers_apart(parts)
    {
        return Some(because);
    }
    let one_of = |part: &Expr| match &part.node {
        ExprNode::Atom(Atom::Kind(words)) => Some(("kind", words.clone())),
        ExprNode::Atom(Atom::Category(words)) => Some(("category", words.clone())),
        _ => None,
    };
    let lists: Vec<_> = parts.iter().filter_map(one_of).collect();
    lists.iter().enumerate().find_map(|(n, (what, words))| {
        let mut later = lists[n + 1..].iter().filter(|(other, _)| other == what);
        let apart = later.any(|(_, others)| !words.iter().any(|word| others.contains(word)));
        apart.then(|| format!("a launch has one {what}"))
    })
}

/// Why comparisons of one number that must all hold never do.
fn numbers_apart(parts: &[Expr]) -> Option<String> {
    let compared = |part: &Expr| {
        let (node, negated) = match &part.node {
            ExprNode::Not(inner) => (&inner.node, true),
            other => (other, false),
        };
        let ExprNode::Atom(Atom::Number { field, compare, thousandths }) = node else { return None };
        Some((field.clone(), if negated { compare.negate() } else { *compare }, *thousandths))
    };
    let all: Vec<(String, Compare, i64)> = parts.iter().filter_map(compared).collect();
    let mut fields: Vec<&str> = all.iter().map(|(field, ..)| field.as_str()).collect();
    fields.sort_unstable();
    fields.dedup();
    fields.into_iter().find_map(|field| {
        // Only times have fractions; none of the numbers is below zero.
        let step = if field == "dur_us" { 1 } else { 1000 };
        let (mut least, mut most) = (0, i64::MAX);
        let mut barred = Vec::new();
        for (_, compare, value) in all.iter().filter(|(own, ..)| own == field) {
            let (below, above) = (value.div_euclid(step) * step, -(-value).div_euclid(step) * step);
            match compare {
                Compare::Less => most = most.min(above - step),
                Compare::LessEqual => most = most.min(below),
                Compare::Greater => least = least.max(below + step),
                Compare::GreaterEqual => least = least.max(above),
                Compare::Equal => (least, most) = (least.max(above), most.min(below)),
                Compare::NotEqual => barred.push(*value),
            }
        }
        let never = least > most || (least == most && barred.contains(&least));
        never.then(|| format!("no `{field}` is like that"))
    })
}

fn asks_category(expr: &Expr, known: &BTreeSet<&str>) -> bool {
    match &expr.node {
        ExprNode::Atom(atom) => matches!(atom, Atom::Category(_)),
        ExprNode::Term(name) => known.contains(name.as_str()),
        ExprNode::Not(inner) => asks_category(inner, known),
        ExprNode::And(parts) | ExprNode::Or(parts) => parts.iter().any(|p| asks_category(p, known)),
    }
}

/// Terms so that each stands after those it uses; those of a cycle are reported and left out.
fn order(terms: &[Predicate<super::Term>], found: &mut Vec<Diagnostic>) -> Vec<usize> {
    let index: BTreeMap<&str, usize> = terms.iter().enumerate().map(|(n, t)| (t.item.name.as_str(), n)).collect();
    let uses: Vec<Vec<(usize, std::ops::Range<usize>)>> = terms
        .iter()
        .map(|t| {
            let mut out = Vec::new();
            each_term(&t.item.expr, &mut |name, span| {
                if let Some(n) = index.get(name) {
                    out.push((*n, span.clone()));
                }
            });
            out
        })
        .collect();
    let mut state = vec![State::New; terms.len()];
    let mut out = Vec::with_capacity(terms.len());
    for start in 0..terms.len() {
        // Depth first, without recursion: (term, next use to look at).
        let mut path = vec![(start, 0)];
        if state[start] != State::New {
            continue;
        }
        state[start] = State::Open;
        while let Some((term, next)) = path.last_mut() {
            let (term, at) = (*term, *next);
            *next += 1;
            let Some((other, span)) = uses[term].get(at) else {
                state[term] = State::Done;
                out.push(term);
                path.pop();
                continue;
            };
            match state[*other] {
                State::Done => {}
                State::New => {
                    state[*other] = State::Open;
                    path.push((*other, 0));
                }
                State::Open => {
                    let from = path.iter().position(|(t, _)| t == other).unwrap_or(0);
                    let mut round: Vec<&str> = path[from..].iter().map(|(t, _)| terms[*t].item.name.as_str()).collect();
                    round.push(&terms[*other].item.name);
                    let title = format!("the term `{}` uses itself", terms[*other].item.name);
                    let label = if round.len() == 2 { String::new() } else { round.join(" uses ") };
                    found.push(terms[term].is.diagnostic(Code::TermCycle, title, span, &label));
                }
            }
        }
    }
    out
}

/// Predicates are small enough when the terms in them are written out: what asks them may take as long as that.
fn sizes<'a>(
    shared: &'a Shared,
    order: &[usize],
    chains: impl Iterator<Item = &'a (Place, Chain)>,
    found: &mut Vec<Diagnostic>,
) {
    let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
    let check = |expr: &Expr, place: &Place, sizes: &BTreeMap<&str, u64>, found: &mut Vec<Diagnostic>| {
        let size = written_out(expr, sizes);
        // What is too large itself has been said.
        if size.is_some_and(|size| size > MOST_ATOMS) {
            let title = format!("this predicate has {} parts with its terms written out", size.unwrap_or(0));
            let label = format!("at most {MOST_ATOMS} are allowed");
            found.push(
                place
                    .diagnostic(Code::ChainTooLarge, title, &expr.span, &label)
                    .help("a term that is used often in one predicate should be a smaller one"),
            );
        }
        size
    };
    for term in order.iter().map(|n| &shared.terms[*n]) {
        if let Some(size) = check(&term.item.expr, &term.is, &sizes, found).filter(|size| *size <= MOST_ATOMS) {
            sizes.insert(&term.item.name, size);
        }
    }
    let categories = shared.categories.iter().map(|c| (&c.item.expr, &c.is));
    for (expr, place) in categories.chain(shared.roles.iter().map(|r| (&r.item.expr, &r.is))) {
        check(expr, place, &sizes, found);
    }
    for (place, chain) in chains {
        chain.each_link(&mut |expr| {
            check(expr, place, &sizes, found);
        });
    }
}

/// Atoms of a predicate, terms written out; none when a term is unknown or too large.
fn written_out(expr: &Expr, sizes: &BTreeMap<&str, u64>) -> Option<u64> {
    match &expr.node {
        ExprNode::Atom(_) => Some(1),
        ExprNode::Term(name) => sizes.get(name.as_str()).copied(),
        ExprNode::Not(inner) => written_out(inner, sizes),
        ExprNode::And(parts) | ExprNode::Or(parts) => parts.iter().map(|part| written_out(part, sizes)).sum(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}

fn each_term(expr: &Expr, found: &mut impl FnMut(&str, &std::ops::Range<usize>)) {
    match &expr.node {
        ExprNode::Atom(_) => {}
        ExprNode::Term(name) => found(name, &expr.span),
        ExprNode::Not(inner) => each_term(inner, found),
        ExprNode::And(parts) | ExprNode::Or(parts) => parts.iter().for_each(|p| each_term(p, found)),
    }
}

/// Aliases are free, and ids that families name exist.
fn ids(families: &[LoadedFamily], broken: &[BrokenFamily], found: &mut Vec<Diagnostic>) {
    let mut known: BTreeMap<&str, &Place> = families.iter().map(|f| (f.family.id.as_str(), &f.id)).collect();
    for family in families {
        for (alias, place) in family.family.aliases.iter().zip(&family.aliases) {
            match known.get(alias.as_str()) {
                Some(other) => found.push(
                    Diagnostic::new(Code::DuplicateId, format!("the alias `{alias}` is taken"))
                        .at(&place.file, place.span.clone(), "an old id of this family")
                        .at(&other.file, other.span.clone(), "has it already"),
                ),
                None => drop(known.insert(alias, place)),
            }
        }
    }
    for family in families {
        for (key, id, place) in &family.references {
            let own = *id == family.family.id;
            let is_known = known.contains_key(id.as_str()) || broken.iter().any(|other| other.id == *id);
            if own || !is_known {
                let title = if own {
                    format!("`{id}` names itself in `{key}`")
                } else {
                    format!("`{key}` names no family: `{id}`")
                };
                let words = known.keys().copied().filter(|k| *k != family.family.id);
                found.push(
                    Diagnostic::new(Code::UnknownId, title)
                        .at(&place.file, place.span.clone(), if own { "its own id" } else { "no such id" })
                        .near(id, words, "ids are paths below catalogs/fuse/ and catalogs/overlap/, without .yaml"),
                );
            }
        }
    }
}
