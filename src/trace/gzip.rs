//! Gzip bytes in, plain bytes out, every member's checksum and length checked.
//!
//! flate2's own gzip readers sum up each small piece they inflate. Here the inflater is raw and the checksum runs over
//! the whole of what one `read` filled, which costs an eighth less; headers, trailers and joined members are therefore
//! ours to read (RFC 1952).

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};

use super::damage::Damage;

/// Compressed bytes fetched at once.
const FETCH: usize = 128 * 1024;

/// Reader of one or more joined gzip members.
pub(super) struct Gzip<R> {
    input: Fetched<R>,
    inflate: Decompress,
    crc: crc32fast::Hasher,
    part: Part,
    /// Members finished.
    members: u64,
    /// Plain bytes of this member, modulo 2^32 as its trailer has them.
    length: u32,
    /// What stopped us, told once the bytes before it are delivered.
    stopped: Option<Damage>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Header,
    Body,
    Trailer,
    End,
}

impl<R: Read> Gzip<R> {
    /// `input` stands at the first byte of a gzip header.
    pub(super) fn new(input: R) -> Self {
        Self {
            input: Fetched { input, buffer: vec![0; FETCH].into(), start: 0, end: 0, before: 0, ended: false },
            inflate: Decompress::new(false),
            crc: crc32fast::Hasher::new(),
            part: Part::Header,
            members: 0,
            length: 0,
            stopped: None,
        }
    }

    /// Reads a member's header. Its own checksum (FHCRC) is passed over: the body's is the one that counts.
    fn header(&mut self) -> io::Result<Result<(), Damage>> {
        if self.input.is_at_end()? {
            self.part = Part::End;
            return Ok(if self.members == 0 { Err(self.cut_off()) } else { Ok(()) });
        }
        let at = self.input.position();
        let mut fixed = [0; 10];
        for (n, byte) in fixed.iter_mut().enumerate() {
            let Some(next) = self.input.next()? else { return Ok(Err(self.cut_off())) };
            *byte = next;
            if self.members > 0 && n == 0 && next != 0x1f {
                return self.padding(at, next);
            }
        }
        let [0x1f, 0x8b, 8, flags, ..] = fixed else {
            return Ok(Err(Damage::BadData { at, what: "no gzip header of method deflate".to_owned() }));
        };
        if flags & 4 != 0 {
            let (Some(low), Some(high)) = (self.input.next()?, self.input.next()?) else {
                return Ok(Err(self.cut_off()));
            };
            for _ in 0..u16::from_le_bytes([low, high]) {
                if self.input.next()?.is_none() {
                    return Ok(Err(self.cut_off()));
                }
            }
        }
        // File name, then comment: each ends with a zero byte.
        for _ in 0..(flags & 8).count_ones() + (flags & 16).count_ones() {
            loop {
                match self.input.next()? {
                    Some(0) => break,
                    Some(_) => {}
                    None => return Ok(Err(self.cut_off())),
                }
            }
        }
        if flags & 2 != 0 && (self.input.next()?.is_none() || self.input.next()?.is_none()) {
            return Ok(Err(self.cut_off()));
        }
        self.inflate.reset(false);
        self.crc.reset();
        self.length = 0;
        self.part = Part::Body;
        Ok(Ok(()))
    }

    /// After the last member zeros are padding (tapes, block devices); anything else is told.
    fn padding(&mut self, at: u64, first: u8) -> io::Result<Result<(), Damage>> {
        let mut only_zeros = first == 0;
        while let Some(byte) = self.input.next()? {
            only_zeros &= byte == 0;
        }
        self.part = Part::End;
        Ok(if only_zeros { Ok(()) } else { Err(Damage::Trailing { at }) })
    }

    /// Inflates into `out`; gives how many bytes were written.
    fn body(&mut self, out: &mut [u8]) -> io::Result<(usize, Result<(), Damage>)> {
        let mut written = 0;
        let mut outcome = Ok(());
        while written < out.len() {
            if self.input.is_at_end()? {
                outcome = Err(self.cut_off());
                break;
            }
            let (read_before, written_before) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self.inflate.decompress(self.input.bytes(), &mut out[written..], FlushDecompress::None);
            let read = (self.inflate.total_in() - read_before) as usize;
            self.input.take(read);
            let wrote = (self.inflate.total_out() - written_before) as usize;
            written += wrote;
            match status {
                Ok(Status::StreamEnd) => {
                    self.part = Part::Trailer;
                    break;
                }
                Ok(Status::Ok | Status::BufError) if read + wrote > 0 => {}
                Ok(_) => {
                    outcome = Err(self.bad_data("the inflater does not move"));
                    break;
                }
                Err(e) => {
                    outcome = Err(self.bad_data(e.message().unwrap_or("not a deflate stream")));
                    break;
                }
            }
        }
        self.crc.update(&out[..written]);
        self.length = self.length.wrapping_add(written as u32);
        Ok((written, outcome))
    }

    /// Checks checksum and length of the member that just ended.
    fn trailer(&mut self) -> io::Result<Result<(), Damage>> {
        let mut crc = [0; 4];
        let mut length = [0; 4];
        for byte in crc.iter_mut().chain(&mut length) {
            let Some(next) = self.input.next()? else { return Ok(Err(self.cut_off())) };
            *byte = next;
        }
        let (crc, length) = (u32::from_le_bytes(crc), u32::from_le_bytes(length));
        self.members += 1;
        if (crc, length) != (self.crc.clone().finalize(), self.length) {
            return Ok(Err(Damage::BadChecksum { part: self.members, at: self.input.position() - 8 }));
        }
        self.part = Part::Header;
        Ok(Ok(()))
    }

    fn cut_off(&self) -> Damage {
        Damage::CutOff { at: self.input.position() }
    }

    fn bad_data(&self, what: &str) -> Damage {
        Damage::BadData { at: self.input.position(), what: what.to_owned() }
    }
}

impl<R: Read> Read for Gzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some(damage) = self.stopped.take() {
                self.part = Part::End;
                return Err(damage.into());
            }
            let outcome = match self.part {
                Part::End => return Ok(0),
                Part::Header => self.header()?,
                Part::Trailer => self.trailer()?,
                Part::Body => {
                    let (written, outcome) = self.body(out)?;
                    if written > 0 {
                        self.stopped = outcome.err();
                        return Ok(written);
                    }
                    outcome
                }
            };
            self.stopped = outcome.err();
        }
    }
}

/// The compressed input with a buffer that can be looked into.
struct Fetched<R> {
    input: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// Bytes of the input before the buffer.
    before: u64,
    ended: bool,
}

impl<R: Read> Fetched<R> {
    fn is_at_end(&mut self) -> io::Result<bool> {
        while self.start == self.end && !self.ended {
            self.before += self.end as u64;
            self.start = 0;
            self.end = 0;
            match self.input.read(&mut self.buffer) {
                Ok(0) => self.ended = true,
                Ok(n) => self.end = n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(self.start == self.end)
    }

    fn next(&mut self) -> io::Result<Option<u8>> {
        if self.is_at_end()? {
            return Ok(None);
        }
        self.start += 1;
        Ok(Some(self.buffer[self.start - 1]))
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    fn take(&mut self, n: usize) {
        self.start += n;
    }

    fn position(&self) -> u64 {
        self.before + self.start as u64
    }
}
