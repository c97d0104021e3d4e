//! The first kilobytes of a file in; whether it is a trace, and what its header says, out.

use std::io::{self, Read};
use std::path::Path;

use super::error::Error;
use super::extract::Extractor;
use super::source::{self, Packing};
use super::{Header, Settings};

/// Unpacked bytes looked at.
const KILOBYTES: u64 = 256 * 1024;

/// What a file seems to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looks {
    /// Events were found, or the list of them.
    Trace,
    /// A JSON object whose events may come later than we looked.
    Unsure,
    /// No trace: what it is instead, in words.
    Foreign(String),
}

/// What the first kilobytes of a file tell.
#[derive(Clone, Debug)]
pub struct Sniff {
    /// What it seems to be.
    pub looks: Looks,
    /// Of what is no trace: whether it is empty or broken, rather than whole and of something else.
    pub damaged: bool,
    /// What it is packed with.
    pub packing: Packing,
    /// Top-level keys seen, in file order.
    pub keys: Vec<String>,
    /// Their values, as far as they are whole.
    pub header: Header,
}

/// Looks at the first kilobytes of `path`.
pub fn sniff(path: &Path, settings: &Settings) -> io::Result<Sniff> {
    let (packing, input) = source::unpack(source::open(path)?)?;
    let mut bytes = Vec::new();
    let mut input = input.take(KILOBYTES);
    // What is damaged further on shows when the file is read; what came before it is enough here.
    let whole = match input.read_to_end(&mut bytes) {
        Ok(_) => input.limit() > 0,
        Err(e) if bytes.is_empty() => return Err(e),
        Err(_) => false,
    };
    let name = path.to_string_lossy();
    let mut extractor = Extractor::new(&name, settings, None);
    let looked = extractor.look(&bytes, whole);
    let damaged = bytes.is_empty() || looked.as_ref().is_err_and(|error| !matches!(error, Error::NotATrace { .. }));
    let looks = match looked {
        _ if extractor.is_trace() => Looks::Trace,
        Err(Error::NotATrace { looks_like, .. }) => Looks::Foreign(looks_like),
        Err(Error::Malformed { at, expected, found, .. }) => {
            Looks::Foreign(format!("JSON that is broken at byte {at}: expected {expected}, found {found}"))
        }
        Err(e) => Looks::Foreign(e.to_string()),
        Ok(_) if whole || extractor.is_known_foreign() => Looks::Foreign(extractor.foreign_json()),
        Ok(_) => Looks::Unsure,
    };
    Ok(Sniff { looks, damaged, packing, keys: extractor.keys, header: extractor.columns.trace.header })
}
