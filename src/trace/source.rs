//! A file or a pipe in, plain bytes out: what it is packed with is decided by its first bytes, never by its name.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::damage::Damage;
use super::gzip::Gzip;
use super::settings::Limits;
use super::zstd::Zstd;

/// What a file is packed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Plain bytes.
    Plain,
    /// Gzip (`.gz`).
    Gzip,
    /// Zstandard (`.zst`).
    Zstd,
}

impl Packing {
    pub(super) fn of(first: &[u8]) -> Self {
        match first {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A frame, or a skippable frame before it.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

/// The bytes of `path`; `-` is standard input. A file that grows is read up to where it ended when it was opened.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin()));
    }
    let file = File::open(path)?;
    match file.metadata() {
        // What the system makes up while it is read has no length.
        Ok(meta) if meta.is_file() && meta.len() > 0 => Ok(Box::new(file.take(meta.len()))),
        _ => Ok(Box::new(file)),
    }
}

/// `input` unpacked.
pub(super) fn unpack<'r>(mut input: impl Read + Send + 'r) -> io::Result<(Packing, Box<dyn Read + Send + 'r>)> {
    let mut first = Vec::with_capacity(4);
    input.by_ref().take(4).read_to_end(&mut first)?;
    let packing = Packing::of(&first);
    let whole = io::Cursor::new(first).chain(input);
    Ok((
        packing,
        match packing {
            Packing::Plain => Box::new(whole),
            Packing::Gzip => Box::new(Gzip::new(whole)),
            Packing::Zstd => Box::new(Zstd::new(whole)),
        },
    ))
}

/// The same, counted in `taken` before it is unpacked and held to the limits after.
pub(super) fn unpack_within<'r>(
    input: impl Read + Send + 'r,
    limits: Limits,
    taken: &Arc<AtomicU64>,
) -> io::Result<impl Read + Send + 'r> {
    let packed = Arc::new(AtomicU64::new(0));
    let counted = Counted { input, counters: vec![Arc::clone(taken), Arc::clone(&packed)] };
    Ok(Limited { input: unpack(counted)?.1, limits, packed, unpacked: 0 })
}

/// Adds up what is read.
pub(super) struct Counted<R> {
    input: R,
    counters: Vec<Arc<AtomicU64>>,
}

impl<R> Counted<R> {
    pub(super) fn new(input: R, taken: &Arc<AtomicU64>) -> Self {
        Self { input, counters: vec![Arc::clone(taken)] }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(out)?;
        for counter in &self.counters {
            counter.fetch_add(n as u64, Ordering::Relaxed);
        }
        Ok(n)
    }
}

struct Limited<R> {
    input: R,
    limits: Limits,
    packed: Arc<AtomicU64>,
    unpacked: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(out)?;
        self.unpacked += n as u64;
        let packed = self.packed.load(Ordering::Relaxed);
        let most = self.limits.most(packed);
        if self.unpacked > most {
            return Err(Damage::TooLong { unpacked: self.unpacked, packed, most }.into());
        }
        Ok(n)
    }
}
