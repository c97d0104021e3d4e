//! Where a JSON token ends. Sixteen bytes are looked at together; nothing here decodes anything.
//!
//! `None` always means: not within these bytes. All loops move forward, nesting is a counter, so neither a long token
//! nor a deep one costs stack.

use super::wide::Wide;

/// First byte at or after `at` that is no blank.
#[inline]
pub(super) fn blanks(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The quote that ends the text whose first byte is at `at`.
#[inline]
pub(super) fn text_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let found = find(bytes, at, |w| w.equal(b'"') | w.equal(b'\\'), |b| b == b'"' || b == b'\\')?;
        if bytes[found] == b'"' {
            return Some(found);
        }
        at = found + 2;
    }
}

/// First byte after the number or word (`null`, `true`, `NaN`) at `at`: anything up to a comma, bracket, quote or blank.
#[inline]
pub(super) fn scalar_end(bytes: &[u8], at: usize) -> Option<usize> {
    // All of them but the brackets lie below `-`, and so does the `+` of an exponent.
    let mut end = at;
    loop {
        end = find(bytes, end, |w| w.below(b'-') | w.with_bit(0x20).equal(b'}'), |b| b < b'-' || b | 0x20 == b'}')?;
        if bytes[end] != b'+' {
            return Some(end);
        }
        end += 1;
    }
}

/// Whether a value that begins with `first` is a number or word.
#[inline]
pub(super) const fn begins_scalar(first: u8) -> bool {
    !(first < b'+' || matches!(first, b',' | b'[' | b']' | b'{' | b'}'))
}

/// First byte after the list or object that opens at `at`.
pub(super) fn container_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut walk = Walk::default();
    let end = walk.over(bytes, at);
    walk.is_done().then_some(end)
}

/// A walk over one list or object that may be longer than the bytes at hand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Walk {
    depth: u64,
    in_text: bool,
    /// The last byte was a backslash in a text.
    escaped: bool,
    done: bool,
}

impl Walk {
    /// Inside a text already, which is all there is to walk over.
    pub(super) fn in_text() -> Self {
        Self { in_text: true, ..Self::default() }
    }

    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// Walks on from `at`: first byte after the value when [`Self::is_done`], else the end of `bytes`.
    pub(super) fn over(&mut self, bytes: &[u8], mut at: usize) -> usize {
        if self.escaped && at < bytes.len() {
            self.escaped = false;
            at += 1;
        }
        loop {
            if self.in_text {
                let Some(found) = find(bytes, at, |w| w.equal(b'"') | w.equal(b'\\'), |b| b == b'"' || b == b'\\')
                else {
                    return bytes.len();
                };
                if bytes[found] == b'\\' {
                    self.escaped = found + 1 == bytes.len();
                    at = (found + 2).min(bytes.len());
                    continue;
                }
                self.in_text = false;
                at = found + 1;
                if self.depth == 0 {
                    self.done = true;
                    return at;
                }
            }
            // `[` and `{`, `]` and `}` differ in one bit only.
            let Some(found) = find(
                bytes,
                at,
                |w| w.equal(b'"') | w.with_bit(0x20).equal(b'{') | w.with_bit(0x20).equal(b'}'),
                |b| b == b'"' || matches!(b | 0x20, b'{' | b'}'),
            ) else {
                return bytes.len();
            };
            at = found + 1;
            match bytes[found] {
                b'"' => self.in_text = true,
                b'[' | b'{' => self.depth += 1,
                _ => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        self.done = true;
                        return at;
                    }
                }
            }
        }
    }
}

/// First byte at or after `at` that is wanted; `wide` and `one` must say the same.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a closure that is not inlined costs more than the search")]
fn find(bytes: &[u8], mut at: usize, wide: impl Fn(Wide) -> u32, one: impl Fn(u8) -> bool) -> Option<usize> {
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        let hits = wide(Wide::load(*chunk));
        if hits != 0 {
            return Some(at + hits.trailing_zeros() as usize);
        }
        at += 16;
    }
    let rest = bytes.get(at..)?;
    rest.iter().position(|&b| one(b)).map(|n| at + n)
}
