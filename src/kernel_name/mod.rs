//! A kernel's name in, its parts out: identifier, template arguments, words. Interned: parsed once per distinct name.
//!
//! Every step is linear in the length of the name, and none of them can fail: a name that is not C++, or is cut short,
//! keeps what can be read of it.

mod demangle;
mod inductor;
mod launcher;
mod shorten;
mod split;
#[cfg(test)]
mod tests;
mod words;

pub use launcher::{Adapter, Functor, Launcher};
pub use shorten::shorten;
pub use words::WordRow;

use rustc_hash::{FxHashMap, FxHashSet};
use std::borrow::Cow;

use crate::plain::clean;

/// The parts of a kernel's name that the match language and the tables look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelName {
    /// The whole name, demangled when it was mangled.
    pub demangled: String,
    /// With namespace, without return type, template arguments and parameters; for a generic launcher its functor's.
    /// Never empty.
    pub identifier: String,
    /// Top-level template arguments of the identifier's own template (for a launcher: of the launcher), text as it
    /// stands, nesting kept.
    pub template_args: Vec<String>,
    /// The generic launcher whose functor gave the identifier.
    pub launcher: Option<String>,
    /// The identifier cut into lower-case words.
    pub words: Vec<String>,
    /// Ops in a `triton_*_fused_*` name (`rsqrt`, `mean`, ..); none for other names.
    pub inductor: Option<Vec<String>>,
    /// `words` as a row to search in.
    row: WordRow,
    /// The words of all template arguments, nested ones too.
    targs: WordRow,
    /// Length of the part of the identifier that `name()` may look into.
    looked_at: usize,
}

/// What the splitter is told; filled from `rules/names.yaml`.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Generic launchers: kernels that take their identity from a functor.
    pub launchers: Vec<Launcher>,
    /// Wrappers that a functor may be found in; looked through.
    pub adapters: Vec<Adapter>,
    /// Run-together words and their parts, lower case: `rmsnorm` to `rms`, `norm`.
    pub compounds: FxHashMap<String, Vec<String>>,
    /// Prefixes of compiler-generated names that list the ops fused (`triton_*_fused_`); `*` stands for letters.
    pub inductor: Vec<String>,
    /// Ops with an underscore inside, which such a list does not tell from two ops.
    pub ops: FxHashSet<String>,
    /// Endings that a loader adds to a name (`.kd`).
    pub suffixes: Vec<String>,
    /// What the names of copies begin with.
    pub copies: Vec<String>,
    /// What the names of sets begin with.
    pub sets: Vec<String>,
}

impl KernelName {
    /// Cuts `raw`, a name as a trace has it.
    pub fn parse(raw: &str, settings: &Settings) -> Self {
        let text = tidy(raw, &settings.suffixes);
        let demangled = demangle::demangle(&text).unwrap_or_else(|| text.into_owned());
        if let Some(listed) = inductor::split(&demangled, settings) {
            let words = words::cut(&demangled[..listed.prefix], settings);
            return Self {
                identifier: demangled.clone(),
                template_args: Vec::new(),
                launcher: None,
                row: WordRow::of(&words),
                words,
                inductor: Some(listed.ops),
                targs: WordRow::default(),
                looked_at: listed.prefix,
                demangled,
            };
        }
        let own = split::entity(&demangled);
        let template_args: Vec<String> = own.args().iter().map(|arg| (*arg).to_owned()).collect();
        let mut targs = WordRow::default();
        for args in own.all_args() {
            targs.append_nested(args, settings);
        }
        let own_identifier = own.identifier();
        let functor = launcher::functor(&own_identifier, &own.args(), settings);
        let (identifier, launcher) = match functor {
            Some(functor) => (functor, Some(own_identifier)),
            None => (own_identifier, None),
        };
        let words = words::cut(&identifier, settings);
        Self {
            template_args,
            launcher,
            row: WordRow::of(&words),
            words,
            inductor: None,
            targs,
            looked_at: identifier.len(),
            identifier,
            demangled,
        }
    }

    /// Whether these words stand in a row in the identifier: whole words, joined, so that `top`, `k` finds `topk`.
    pub fn matches_words(&self, words: &[String]) -> bool {
        self.row.has(&words.concat())
    }

    /// The text that a glob of `name()` looks at: the identifier, but of an Inductor name only the prefix, since names
    /// of neighbours leak into the rest.
    pub fn name_text(&self) -> &str {
        &self.identifier[..self.looked_at]
    }

    /// Whether these words stand in a row in one template argument, nested ones too.
    pub fn targs_match_words(&self, words: &[String]) -> bool {
        self.targs.has(&words.concat())
    }

    /// The words that `name()` looks into.
    pub(crate) fn row(&self) -> &WordRow {
        &self.row
    }

    /// The words that `targs()` looks into.
    pub(crate) fn targs_row(&self) -> &WordRow {
        &self.targs
    }

    /// Whether the template argument at a position, counted from 0, is `text`: as it stands, or as the value of a typed
    /// constant (`1024u`, `(ns::Kind)1`).
    pub fn targ_is(&self, position: usize, text: &str) -> bool {
        self.template_args.get(position).is_some_and(|arg| arg == text || split::value(arg) == text)
    }

    /// Whether all of these are among the ops of an Inductor name; `to_copy` means `_to_copy`, too.
    pub fn has_ops(&self, wanted: &[String], settings: &Settings) -> bool {
        self.inductor.as_ref().is_some_and(|ops| wanted.iter().all(|op| inductor::has(ops, op, settings)))
    }
}

/// `text` cut into lower-case words, compounds split: what both sides of a comparison by words go through.
pub fn words(text: &str, settings: &Settings) -> Vec<String> {
    words::cut(text, settings)
}

/// Runs of white space to one blank, no blank at either end, loader endings off, nothing hidden.
fn tidy<'a>(raw: &'a str, suffixes: &[String]) -> Cow<'a, str> {
    let mut text = raw.trim();
    for suffix in suffixes {
        text = text.strip_suffix(suffix.as_str()).filter(|rest| !rest.is_empty()).unwrap_or(text);
    }
    let even = text.bytes().all(|b| matches!(b, b' '..=b'~')) && memchr::memmem::find(text.as_bytes(), b"  ").is_none();
    if text.is_empty() {
        // An empty name still needs something to stand in a table.
        Cow::Borrowed("?")
    } else if even {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(clean(&text.split_whitespace().collect::<Vec<_>>().join(" ")))
    }
}

/// Whether `pattern`, in which `*` stands for any text, covers the whole of `text`.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(part) = last.replace(part) {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
    }
    last.map_or(rest.is_empty(), |part| rest.ends_with(part))
}
