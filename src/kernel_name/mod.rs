//! A kernel's name in, its parts out: identifier, template arguments, words. Interned: parsed once per distinct name.

/// The parts of a kernel's name that the match language and the tables look at.
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

/// What the splitter is told; filled from `rules/names.yaml`.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Generic launchers: kernels that take their identity from a functor.
    pub launchers: Vec<Launcher>,
    /// Wrappers that a functor may be found in; looked through.
    pub adapters: Vec<Adapter>,
    /// Run-together words and their parts, lower case: `rmsnorm` to `rms`, `norm`.
    pub compounds: Vec<(String, Vec<String>)>,
    /// Prefixes of compiler-generated names that list the ops fused (`triton_poi_fused_`, ..), as globs.
    pub inductor: Vec<String>,
}

/// A generic launcher.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// Glob over the own identifier, namespaces included.
    pub identifier: String,
    /// Which argument holds the functor.
    pub functor: FunctorAt,
}

/// Where a launcher's functor stands among its template arguments.
#[derive(Clone, Debug)]
pub enum FunctorAt {
    /// The first argument that is a type (no number, no boolean).
    FirstType,
    /// The first argument that contains one of these words, inside the named wrapper when given.
    Holding(Vec<String>),
}

/// A wrapper around a functor.
#[derive(Clone, Debug)]
pub struct Adapter {
    /// Glob over the wrapper's identifier.
    pub identifier: String,
    /// True: the functor is the last type argument; false: the first.
    pub last: bool,
}

impl KernelName {
    /// Stand-in until the splitter lands.
    pub fn parse(raw: &str, settings: &Settings) -> Self {
        let identifier = raw.split(['<', '(']).next().unwrap_or(raw).trim().to_owned();
        let template_args = raw
            .split_once('<')
            .and_then(|(_, r)| r.rsplit_once('>'))
            .map(|(a, _)| a.split(',').map(|a| a.trim().to_owned()).collect())
            .unwrap_or_default();
        let inductor = raw
            .strip_prefix("triton_")
            .and_then(|r| r.split_once("_fused_"))
            .map(|(_, ops)| ops.split('_').map(str::to_owned).collect());
        let words = words(&identifier, settings);
        Self { demangled: raw.to_owned(), identifier, template_args, launcher: None, words, inductor }
    }
}

/// Stand-in until the splitter lands.
pub fn words(text: &str, _: &Settings) -> Vec<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect()
}
