//! Generic launchers: kernels that run any functor, so that the functor's name says what they do.

use super::{Settings, glob, split};

/// How many wrappers are looked through; real names have four.
const DEPTH: usize = 16;

/// A generic launcher.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// Glob over the own identifier, namespaces included.
    pub identifier: String,
    /// Which argument holds the functor.
    pub functor: Functor,
}

/// A wrapper around a functor.
#[derive(Clone, Debug)]
pub struct Adapter {
    /// Glob over the wrapper's identifier.
    pub identifier: String,
    /// Which argument holds the functor.
    pub functor: Functor,
}

/// Where a functor stands among template arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Functor {
    /// The first argument that is a type (no number, no boolean).
    FirstType,
    /// The last argument that is a type.
    LastType,
    /// The argument at this position, counted from 0.
    At(usize),
}

/// The identifier of the functor that the launcher `identifier` runs; none when it is no launcher, or its arguments
/// are missing.
pub(super) fn functor(identifier: &str, args: &[&str], settings: &Settings) -> Option<String> {
    let launcher = settings.launchers.iter().find(|launcher| glob(&launcher.identifier, identifier))?;
    let mut held = pick(launcher.functor, args)?;
    for _ in 0..DEPTH {
        let entity = split::entity(held);
        let identifier = entity.identifier();
        let adapter = settings.adapters.iter().find(|adapter| glob(&adapter.identifier, &identifier));
        match adapter.and_then(|adapter| pick(adapter.functor, &entity.args())) {
            Some(inner) => held = inner,
            None => return Some(identifier),
        }
    }
    Some(split::entity(held).identifier())
}

fn pick<'a>(at: Functor, args: &[&'a str]) -> Option<&'a str> {
    match at {
        Functor::FirstType => args.iter().copied().find(|arg| split::is_type(arg)),
        Functor::LastType => args.iter().copied().rfind(|arg| split::is_type(arg)),
        Functor::At(position) => args.get(position).copied().filter(|arg| split::is_type(arg)),
    }
}
