//! Zstandard bytes in, plain bytes out: joined and skippable frames, checksums checked where a frame has one.

use std::io::{self, BufRead, BufReader, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::damage::Damage;

/// Reader of one or more joined zstd frames.
pub(super) struct Zstd<R> {
    input: Watched<R>,
    decoder: FrameDecoder,
    inside: bool,
    frames: u64,
    failed: bool,
}

impl<R: Read> Zstd<R> {
    /// `input` stands at the first byte of a frame.
    pub(super) fn new(input: R) -> Self {
        let input = Watched { input: BufReader::with_capacity(128 * 1024, input), at: 0, ended: false };
        Self { input, decoder: FrameDecoder::new(), inside: false, frames: 0, failed: false }
    }

    /// Begins the next frame; false at the end of the input.
    fn begin(&mut self) -> io::Result<bool> {
        loop {
            if self.input.input.fill_buf()?.is_empty() {
                return if self.frames == 0 { Err(Damage::CutOff { at: self.input.at }.into()) } else { Ok(false) };
            }
            match self.decoder.reset(&mut self.input) {
                Ok(()) => {
                    self.inside = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    self.frames += 1;
                    let skipped = io::copy(&mut (&mut self.input).take(u64::from(length)), &mut io::sink())?;
                    if skipped < u64::from(length) {
                        return Err(Damage::CutOff { at: self.input.at }.into());
                    }
                }
                Err(e) => return Err(self.broken(&e)),
            }
        }
    }

    /// ruzstd reports a missing byte as it does any other fault: whether the input ran dry tells them apart.
    fn broken(&self, error: &FrameDecoderError) -> io::Error {
        let at = self.input.at;
        if self.input.ended { Damage::CutOff { at } } else { Damage::BadData { at, what: error.to_string() } }.into()
    }

    fn fill(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.inside && !self.begin()? {
                return Ok(0);
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                if let Err(e) = self.decoder.decode_blocks(&mut self.input, BlockDecodingStrategy::UptoBlocks(1)) {
                    // What the window still holds was decoded well, so it is delivered first.
                    return Err(self.broken(&e));
                }
            }
            let written = self.decoder.read(out)?;
            if written > 0 {
                return Ok(written);
            }
            self.inside = false;
            self.frames += 1;
            let stored = self.decoder.get_checksum_from_data();
            if stored.is_some() && stored != self.decoder.get_calculated_checksum() {
                return Err(Damage::BadChecksum { part: self.frames, at: self.input.at }.into());
            }
        }
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() || self.failed {
            return Ok(0);
        }
        let result = self.fill(out);
        self.failed = result.is_err();
        result
    }
}

/// Counts what was read and remembers whether the input ran dry.
struct Watched<R> {
    input: BufReader<R>,
    at: u64,
    ended: bool,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(out)?;
        self.at += n as u64;
        self.ended |= n == 0 && !out.is_empty();
        Ok(n)
    }
}
