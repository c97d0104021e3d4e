//! What terms and families say of releases, and a release can bear out: paths, kernels, ops, sites, modules, switches.

use std::sync::Arc;

use serde_yaml::Spanned;

use super::Origin;
use super::ast::{Atom, Chain, ChainNode, Expr, ExprNode};
use super::family::LoadedFamily;
use super::load::{Predicate, Shared};
use super::place::{Place, span_of};
use super::schema::family::FamilyFile;
use super::schema::kernels::PackageKernels;
use crate::diagnostic::{Label, SourceFile};

/// What is said to be in a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClaimKind {
    /// A file or folder of its source.
    Path,
    /// A kernel that its source spells.
    Kernel,
    /// An op of one of its namespaces.
    Op,
    /// Part of a path of its source, or a function.
    Site,
    /// A class.
    Module,
    /// A switch.
    Toggle,
}

impl ClaimKind {
    /// The word in output.
    pub fn id(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Kernel => "kernel",
            Self::Op => "op",
            Self::Site => "site",
            Self::Module => "module",
            Self::Toggle => "toggle",
        }
    }
}

/// `since` and `until`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// First version.
    pub since: Option<String>,
    /// First version without.
    pub until: Option<String>,
}

/// Something that a release can bear out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Family, or term, category, role.
    pub owner: String,
    /// Path of the file, as given.
    pub file: String,
    /// Line in it, from 1.
    pub line: usize,
    /// What is said to be there.
    pub kind: ClaimKind,
    /// Any of these is enough.
    pub texts: Vec<String>,
    /// The package of a kernel; of a switch the place where it is typed; of a site the source of the family that has it.
    pub of: Option<String>,
    /// The only framework of its family; none: there are several, or none.
    pub framework: Option<String>,
    /// Versions for which it is said: of the package for a kernel, else of the framework.
    pub versions: Versions,
    /// Versions of the framework for which its family is true.
    pub family: Versions,
}

/// All claims, those of terms first. What is not in a release yet, or no more, claims nothing.
pub(super) fn all(shared: &Shared, families: &[LoadedFamily]) -> Vec<Claim> {
    let mut out = Vec::new();
    of_predicates(&shared.terms, |term| (&term.name, &term.expr), &mut out);
    of_predicates(&shared.categories, |category| (&category.name, &category.expr), &mut out);
    of_predicates(&shared.roles, |role| (&role.name, &role.expr), &mut out);
    for loaded in families.iter().filter(|loaded| loaded.family.origin != Origin::Inflight) {
        let family = &loaded.family;
        let begin = out.len();
        out.extend(loaded.claims.iter().cloned());
        for (place, chain) in &loaded.chains {
            of_chain(chain, &mut |expr| out.extend(of_atom(expr, place)));
        }
        for claim in &mut out[begin..] {
            claim.owner.clone_from(&family.id);
            if claim.kind == ClaimKind::Site {
                let has = |path: &&str| claim.texts.iter().any(|text| path.contains(text.as_str()));
                claim.of = family.sources.iter().map(|source| source.path.as_str()).find(has).map(str::to_owned);
            }
            if let [framework] = family.when.frameworks.as_slice() {
                claim.framework = Some(framework.clone());
            }
            claim.family = Versions { since: family.since.clone(), until: family.until.clone() };
        }
    }
    out
}

/// What the keys of a family say; whose family it is, is filled in by [`all`].
pub(super) fn of_keys(file: &Arc<SourceFile>, yaml: &FamilyFile) -> Vec<Claim> {
    let claim = |kind, text: &str, span, of: Option<&str>, versions| Claim {
        of: of.map(str::to_owned),
        versions,
        ..bare(file, span, kind, vec![text.to_owned()])
    };
    let value = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.value.clone());
    let mut out = Vec::new();
    for source in &yaml.sources {
        let path = &source.value.0;
        let versions = Versions { since: path.since.clone(), until: path.until.clone() };
        out.push(claim(ClaimKind::Path, &path.path, span_of(file, source), None, versions));
    }
    for caller in &yaml.called_for {
        for path in &caller.files {
            let versions = Versions { since: value(&caller.since), until: value(&caller.until) };
            out.push(claim(ClaimKind::Path, &path.value, span_of(file, path), None, versions));
        }
    }
    for entry in &yaml.kernels {
        let kernel = &entry.value;
        let versions = Versions { since: value(&kernel.since), until: value(&kernel.until) };
        out.push(claim(ClaimKind::Kernel, &kernel.name, span_of(file, entry), Some(&kernel.package), versions));
    }
    for entry in &yaml.toggles {
        let toggle = &entry.value;
        let versions = Versions { since: value(&toggle.since), until: value(&toggle.until) };
        out.push(claim(ClaimKind::Toggle, &toggle.name, span_of(file, entry), Some(&toggle.place), versions));
    }
    out
}

/// The kernels that `rules/kernels.yaml` says packages spell.
pub(super) fn of_packages(file: &Arc<SourceFile>, packages: &[PackageKernels]) -> Vec<Claim> {
    let named = packages.iter().flat_map(|package| package.kernels.iter().map(move |entry| (package, entry)));
    named
        .map(|(package, entry)| {
            let kernel = &entry.value;
            Claim {
                owner: package.package.clone(),
                of: Some(package.package.clone()),
                versions: Versions { since: kernel.since.clone(), until: kernel.until.clone() },
                ..bare(file, span_of(file, entry), ClaimKind::Kernel, vec![kernel.name.clone()])
            }
        })
        .collect()
}

fn of_predicates<T>(predicates: &[Predicate<T>], parts: impl Fn(&T) -> (&String, &Expr), out: &mut Vec<Claim>) {
    for predicate in predicates {
        let (name, expr) = parts(&predicate.item);
        let begin = out.len();
        of_expr(expr, &mut |expr| out.extend(of_atom(expr, &predicate.is)));
        for claim in &mut out[begin..] {
            claim.owner.clone_from(name);
        }
    }
}

fn of_atom(expr: &Expr, place: &Place) -> Option<Claim> {
    let ExprNode::Atom(atom) = &expr.node else { return None };
    let (kind, texts) = match atom {
        Atom::Op(texts) => (ClaimKind::Op, texts),
        Atom::Site(texts) => (ClaimKind::Site, texts),
        Atom::Module(texts) => (ClaimKind::Module, texts),
        _ => return None,
    };
    Some(bare(&place.file, place.span_in(&expr.span), kind, texts.clone()))
}

fn bare(file: &Arc<SourceFile>, span: std::ops::Range<usize>, kind: ClaimKind, texts: Vec<String>) -> Claim {
    let line = Label { file: Arc::clone(file), span, text: String::new() }.line();
    Claim {
        owner: String::new(),
        file: file.path.clone(),
        line,
        kind,
        texts,
        of: None,
        framework: None,
        versions: Versions::default(),
        family: Versions::default(),
    }
}

fn of_chain(chain: &Chain, see: &mut impl FnMut(&Expr)) {
    match &chain.node {
        ChainNode::Link(expr) => of_expr(expr, see),
        ChainNode::Any => {}
        ChainNode::Seq(first, rest) => {
            of_chain(first, see);
            for (_, part) in rest {
                of_chain(part, see);
            }
        }
        ChainNode::Alt(parts) | ChainNode::Both(parts) => {
            for part in parts {
                of_chain(part, see);
            }
        }
        ChainNode::Repeat { inner, .. } | ChainNode::Context(inner) => of_chain(inner, see),
    }
}

fn of_expr(expr: &Expr, see: &mut impl FnMut(&Expr)) {
    see(expr);
    match &expr.node {
        ExprNode::Atom(_) | ExprNode::Term(_) => {}
        ExprNode::Not(inner) => of_expr(inner, see),
        ExprNode::And(parts) | ExprNode::Or(parts) => {
            for part in parts {
                of_expr(part, see);
            }
        }
    }
}
