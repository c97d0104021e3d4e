//! One plain file, read by several threads: cut at event starts, each part extracted by itself, the parts joined in file
//! order. What comes out is what one thread reads.
//!
//! A cut is a guess: a place that looks like the begin of an event. It is right once the part before it has ended there,
//! between two events. From the first wrong one on, one thread reads the rest.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use memchr::memmem;
use rayon::prelude::*;

use super::blocks;
use super::error::Error;
use super::extract::Extractor;
use super::reader::ended;
use super::source::{Counted, Packing};
use super::{Settings, Trace};

/// How far the begin of an event is looked for from where a cut is wanted.
const REACH: u64 = 1024 * 1024;
/// Parts for each thread: they do not all take as long.
const PARTS: u64 = 4;

/// Reads the trace at `path`, if it is a plain file that is worth more than one thread.
pub(super) fn read(path: &Path, settings: &Settings) -> Option<Result<Trace, Error>> {
    let length = path.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
    let threads = rayon::current_num_threads() as u64;
    let parts = (length / settings.segment_bytes.max(1)).min(threads * PARTS);
    if threads < 2 || parts < 2 || length > settings.limits.most(length) {
        return None;
    }
    let open = |range: Range<u64>| {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(range.start))?;
        Ok(file.take(range.end - range.start))
    };
    in_parts(&path.to_string_lossy(), &open, length, parts, settings)
}

/// The same of anything that can be opened at any place.
pub(super) fn in_parts<R: Read + Send>(
    name: &str,
    open: &(impl Fn(Range<u64>) -> io::Result<R> + Sync),
    length: u64,
    parts: u64,
    settings: &Settings,
) -> Option<Result<Trace, Error>> {
    let head = bytes(open, 0..REACH.min(length)).filter(|head| Packing::of(head) == Packing::Plain)?;
    let begin = Begin::of(&head)?;
    let cuts: Vec<u64> = (1..parts).filter_map(|n| begin.after(open, n * length / parts, length)).collect();
    let mut starts = vec![0];
    starts.extend(cuts);
    starts.dedup();
    let ends = starts[1..].iter().copied().chain([length]);
    let ranges: Vec<Range<u64>> = starts.iter().copied().zip(ends).map(|(from, to)| from..to).collect();
    let extract = |range: &Range<u64>| Part::extract(name, open, range.clone(), begin.bare_list, settings);
    let mut done: Vec<Part<'_>> = ranges.par_iter().map(extract).collect();
    let last = ranges.len() - 1;
    let right = ranges[..last].iter().zip(&done).take_while(|(range, part)| part.ends_at(range.end, &begin)).count();
    if right < last {
        if right == 0 {
            return None;
        }
        done.truncate(right);
        done.push(extract(&(ranges[right].start..length)));
    }
    join(name, done)
}

/// All bytes of a range; fewer when the file became shorter.
fn bytes<R: Read>(open: &impl Fn(Range<u64>) -> io::Result<R>, range: Range<u64>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    open(range).ok()?.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// How events of a file begin.
struct Begin {
    /// From the bracket to the colon after the first key.
    literal: Vec<u8>,
    bare_list: bool,
}

impl Begin {
    /// By the first event in the first bytes of a file.
    fn of(bytes: &[u8]) -> Option<Self> {
        let bare_list = bytes.trim_ascii_start().first() == Some(&b'[');
        let from = if bare_list { 0 } else { memmem::find(bytes, b"\"traceEvents\"")? };
        let list = from + memchr::memchr(b'[', &bytes[from..])?;
        let event = list + memchr::memchr(b'{', &bytes[list..])?;
        let colon = event + memchr::memchr(b':', &bytes[event..])?;
        Some(Self { literal: bytes[event..=colon].to_vec(), bare_list })
    }

    /// Where the first event after `from` seems to begin.
    fn after<R: Read>(&self, open: &impl Fn(Range<u64>) -> io::Result<R>, from: u64, length: u64) -> Option<u64> {
        let bytes = bytes(open, from..length.min(from + REACH))?;
        let follows = |at: &usize| bytes[..*at].trim_ascii_end().last() == Some(&b',');
        memmem::find_iter(&bytes, &self.literal).find(follows).map(|at| from + at as u64)
    }
}

/// What one thread made of its part.
struct Part<'s> {
    extractor: Extractor<'s, 'static>,
    stopped: Result<Option<io::Error>, Error>,
}

impl<'s> Part<'s> {
    fn extract<R: Read + Send>(
        name: &'s str,
        open: &impl Fn(Range<u64>) -> io::Result<R>,
        range: Range<u64>,
        bare_list: bool,
        settings: &'s Settings,
    ) -> Self {
        let mut extractor = Extractor::new(name, settings, None);
        if range.start > 0 {
            extractor.begin_among_events(range.start, bare_list);
        }
        let (block, longest) = (settings.block_bytes, settings.limits.event);
        let stopped = match open(range) {
            Ok(input) => {
                let counted = Counted::new(input, &settings.taken);
                blocks::windows(counted, block, longest, |window, last| extractor.look(window, last))
            }
            Err(error) => Ok(Some(error)),
        };
        Self { extractor, stopped }
    }

    fn followed_by(mut self, next: Self) -> Self {
        self.extractor.absorb(next.extractor);
        Self { extractor: self.extractor, stopped: next.stopped }
    }

    fn ends_at(&self, end: u64, begin: &Begin) -> bool {
        matches!(self.stopped, Ok(None)) && self.extractor.is_between_events(begin.bare_list, end)
    }
}

/// All parts as one trace.
fn join(name: &str, mut parts: Vec<Part<'_>>) -> Option<Result<Trace, Error>> {
    let (first, rest) = parts.split_first_mut()?;
    let ids: Vec<_> = rest.iter().map(|part| first.extractor.columns.ids_of(&part.extractor.columns)).collect();
    rest.par_iter_mut().zip(ids).for_each(|(part, ids)| part.extractor.columns.translate(&ids));
    parts.into_iter().reduce(Part::followed_by).map(|Part { extractor, stopped }| ended(name, extractor, stopped?))
}
