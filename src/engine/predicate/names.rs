//! Which kernels an atom about the name says yes to: all texts of all atoms are searched for in one pass over each name.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};
use rustc_hash::FxHashMap;

use super::kind_word;
use crate::attribution::Kernel;
use crate::kernel_name::{self, WordRow, glob};
use crate::rules::ast::Atom;

/// Answers atoms about names, by kernel.
pub(super) struct Names<'a> {
    kernels: &'a [Kernel],
    settings: &'a kernel_name::Settings,
    name_words: Found,
    targ_words: Found,
    name_globs: Found,
    targ_globs: Found,
}

/// Places of texts in the names: by text, the kernels that hold it, ascending.
#[derive(Default)]
struct Found(FxHashMap<String, Vec<u32>>);

impl Found {
    /// Searches `of` each kernel for all `texts`.
    fn new(kernels: &[Kernel], texts: Vec<String>, of: impl for<'k> Fn(&'k Kernel) -> Searched<'k>) -> Self {
        let mut found: FxHashMap<String, Vec<u32>> =
            texts.into_iter().filter(|text| !text.is_empty()).map(|text| (text, Vec::new())).collect();
        let mut texts: Vec<String> = found.keys().cloned().collect();
        texts.sort_unstable();
        let Ok(search) = AhoCorasick::builder().match_kind(MatchKind::Standard).build(&texts) else {
            return Self(found);
        };
        let mut lists: Vec<Vec<u32>> = vec![Vec::new(); texts.len()];
        for (n, kernel) in kernels.iter().enumerate() {
            let Searched { whole, words } = of(kernel);
            for hit in search.find_overlapping_iter(whole.as_ref()) {
                let list = &mut lists[hit.pattern().as_usize()];
                let counts = || words.is_none_or(|row| row.is_whole(hit.start(), hit.end()));
                if list.last() != Some(&(n as u32)) && counts() {
                    list.push(n as u32);
                }
            }
        }
        for (text, list) in texts.iter().zip(lists) {
            found.insert(text.clone(), list);
        }
        Self(found)
    }

    fn of(&self, text: &str) -> &[u32] {
        self.0.get(text).map_or(&[], Vec::as_slice)
    }
}

/// What a kernel is searched in.
struct Searched<'k> {
    whole: Cow<'k, str>,
    /// A text counts only where it begins and ends with words of this row; none: everywhere.
    words: Option<&'k WordRow>,
}

impl<'k> Searched<'k> {
    fn words(row: &'k WordRow) -> Self {
        Self { whole: Cow::Borrowed(row.joined()), words: Some(row) }
    }

    fn text(text: String) -> Self {
        Self { whole: Cow::Owned(text), words: None }
    }
}

/// The longest part of a pattern that stands in every text it covers.
fn literal(pattern: &str) -> &str {
    pattern.split('*').max_by_key(|part| part.len()).unwrap_or_default()
}

fn is_glob(text: &str) -> bool {
    text.contains('*')
}

impl<'a> Names<'a> {
    pub(super) fn new<'t>(
        kernels: &'a [Kernel],
        settings: &'a kernel_name::Settings,
        atoms: impl Iterator<Item = &'t Atom>,
    ) -> Self {
        let (mut names, mut targs): (Vec<&String>, Vec<&String>) = (Vec::new(), Vec::new());
        for atom in atoms {
            match atom {
                Atom::Name(texts) => names.extend(texts),
                Atom::Targs(texts) => targs.extend(texts),
                _ => {}
            }
        }
        let words = |texts: &[&String]| {
            texts.iter().filter(|text| !is_glob(text)).map(|text| kernel_name::words(text, settings).concat()).collect()
        };
        let globs = |texts: &[&String]| {
            texts.iter().filter(|text| is_glob(text)).map(|text| literal(&text.to_lowercase()).to_owned()).collect()
        };
        Self {
            kernels,
            settings,
            name_words: Found::new(kernels, words(&names), |k| Searched::words(k.name.name_row())),
            targ_words: Found::new(kernels, words(&targs), |k| Searched::words(k.name.targs_row())),
            name_globs: Found::new(kernels, globs(&names), |k| Searched::text(k.name.name_text().to_lowercase())),
            targ_globs: Found::new(kernels, globs(&targs), |k| Searched::text(targs_text(k))),
        }
    }

    /// The kernels that `atom` says yes to, ascending.
    pub(super) fn of(&self, atom: &Atom) -> Vec<u32> {
        match atom {
            Atom::Name(texts) => {
                self.any(texts, &self.name_words, &self.name_globs, |k| k.name.name_text().to_lowercase())
            }
            Atom::Targs(texts) => self.any(texts, &self.targ_words, &self.targ_globs, targs_text),
            Atom::Targ(at, text) if is_glob(text) => {
                self.all(|k| k.name.template_args.get(*at).is_some_and(|arg| glob(text, arg)))
            }
            Atom::Targ(at, text) => self.all(|k| {
                k.name.targ_is(*at, text) || k.name.template_args.get(*at).is_some_and(|arg| is_cast_truth(arg, text))
            }),
            Atom::Inductor(ops) => self.all(|k| k.name.has_ops(ops, self.settings)),
            Atom::Kind(kinds) => self.all(|k| kinds.iter().any(|kind| kind == kind_word(k.kind))),
            _ => Vec::new(),
        }
    }

    fn all(&self, is: impl Fn(&Kernel) -> bool) -> Vec<u32> {
        (0..self.kernels.len() as u32).filter(|n| is(&self.kernels[*n as usize])).collect()
    }

    fn any(&self, texts: &[String], words: &Found, globs: &Found, whole: impl Fn(&Kernel) -> String) -> Vec<u32> {
        let mut yes: Vec<u32> = Vec::new();
        for text in texts {
            if !is_glob(text) {
                yes.extend(words.of(&kernel_name::words(text, self.settings).concat()));
                continue;
            }
            let pattern = text.to_lowercase();
            let covers = |n: &u32| glob(&pattern, &whole(&self.kernels[*n as usize]));
            match literal(&pattern) {
                "" => yes.extend((0..self.kernels.len() as u32).filter(covers)),
                literal => yes.extend(globs.of(literal).iter().copied().filter(|n| covers(n))),
            }
        }
        yes.sort_unstable();
        yes.dedup();
        yes
    }
}

/// All template arguments in one text, as a glob of `targs()` looks at them.
fn targs_text(kernel: &Kernel) -> String {
    kernel.name.template_args.join(", ").to_lowercase()
}

/// Some demanglers print `true` as `(bool)1`.
fn is_cast_truth(argument: &str, text: &str) -> bool {
    matches!((argument.trim(), text), ("(bool)1", "true") | ("(bool)0", "false"))
}
