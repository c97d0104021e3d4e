//! The way through this room: open, unpack, extract, and say what was wrong with the file.

use std::io::{self, Read};
use std::path::Path;

use super::blocks;
use super::damage::Damage;
use super::error::Error;
use super::extract::Extractor;
use super::segments;
use super::source;
use super::watch::Watch;
use super::{Settings, Trace};

/// Reads the trace at `path`; `-` is standard input. Gzip, zstd or plain is decided by content.
pub fn read(path: &Path, settings: &Settings) -> Result<Trace, Error> {
    if let Some(read) = segments::read(path, settings) {
        return read;
    }
    let name = path.to_string_lossy();
    match source::open(path) {
        Ok(input) => read_from(&name, input, settings),
        Err(source) => Err(Error::Open { path: name.into_owned(), source }),
    }
}

/// Reads a trace from `input`; `name` stands for it in messages.
pub fn read_from(name: &str, input: impl Read + Send, settings: &Settings) -> Result<Trace, Error> {
    extract(name, input, settings, None)
}

/// Goes through the trace at `path` without keeping anything.
pub(super) fn pass<'w>(path: &Path, settings: &Settings, watch: &'w mut Watch<'w>) -> Result<(), Error> {
    let name = path.to_string_lossy();
    match source::open(path) {
        Ok(input) => extract(&name, input, settings, Some(watch)).map(drop),
        Err(source) => Err(Error::Open { path: name.into_owned(), source }),
    }
}

fn extract<'w>(
    name: &str,
    input: impl Read + Send,
    settings: &Settings,
    watch: Option<&'w mut Watch<'w>>,
) -> Result<Trace, Error> {
    let failed = |at, source| Error::Read { path: name.to_owned(), at, source };
    let input = source::unpack_within(input, settings.limits, &settings.taken).map_err(|e| failed(0, e))?;
    let mut extractor = Extractor::new(name, settings, watch);
    let (block, longest) = (settings.block_bytes, settings.limits.event);
    let stopped = blocks::windows(input, block, longest, |window, last| extractor.look(window, last))?;
    ended(name, extractor, stopped)
}

/// The trace, once the input has ended or broken.
pub(super) fn ended(name: &str, mut extractor: Extractor<'_, '_>, stopped: Option<io::Error>) -> Result<Trace, Error> {
    let at = extractor.offset;
    let failed = |at, source| Error::Read { path: name.to_owned(), at, source };
    match stopped {
        None => extractor.finish(None),
        Some(e) => match Damage::of(&e) {
            Some(damage @ Damage::CutOff { .. }) => extractor.finish(Some(&damage.to_string())),
            Some(damage @ Damage::Trailing { .. }) => {
                extractor.warn("trailing-bytes", format!("{damage}; they are not read"));
                extractor.finish(None)
            }
            Some(damage @ (Damage::TooLong { .. } | Damage::NoEnd { .. })) => {
                Err(Error::TooLarge { path: name.to_owned(), at, what: damage.to_string() })
            }
            Some(damage) => Err(Error::Damaged { path: name.to_owned(), at, what: damage.to_string() }),
            None if e.kind() == io::ErrorKind::UnexpectedEof => extractor.finish(Some(&e.to_string())),
            None => Err(failed(at, e)),
        },
    }
}
