//! Where a JSON token ends. Eight bytes are looked at together; nothing here decodes anything.
//!
//! `None` always means: not within these bytes. All loops move forward, nesting is a counter, so neither a long token
//! nor a deep one costs stack.

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

/// First byte after the number or word (`null`, `true`, `NaN`) at `at`: a comma, bracket or blank.
#[inline]
pub(super) fn scalar_end(bytes: &[u8], at: usize) -> Option<usize> {
    let ends = |b: u8| matches!(b, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
    find(
        bytes,
        at,
        |w| {
            w.equal(b',')
                | w.equal(b'}')
                | w.equal(b']')
                | w.equal(b' ')
                | w.equal(b'\n')
                | w.equal(b'\r')
                | w.equal(b'\t')
        },
        ends,
    )
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
fn find(bytes: &[u8], mut at: usize, wide: impl Fn(Wide) -> u64, one: impl Fn(u8) -> bool) -> Option<usize> {
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let hits = wide(Wide(u64::from_le_bytes(*chunk)));
        if hits != 0 {
            return Some(at + (hits.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    rest.iter().position(|&b| one(b)).map(|n| at + n)
}

/// Eight bytes side by side, the first one lowest.
#[derive(Clone, Copy)]
struct Wide(u64);

impl Wide {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;

    /// The top bit of each byte that equals `byte`. Bytes above the lowest such one may be marked wrongly (the
    /// subtraction borrows), which does no harm: only the lowest mark is asked for, also of several masks joined.
    #[inline]
    const fn equal(self, byte: u8) -> u64 {
        let zero_if_equal = self.0 ^ (Self::ONES * byte as u64);
        zero_if_equal.wrapping_sub(Self::ONES) & !zero_if_equal & Self::TOPS
    }

    #[inline]
    const fn with_bit(self, bit: u8) -> Self {
        Self(self.0 | (Self::ONES * bit as u64))
    }
}
