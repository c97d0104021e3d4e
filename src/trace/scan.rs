//! Where a JSON token ends. Sixteen bytes are looked at together; nothing here decodes anything.
//!
//! `None` always means: not within these bytes. All loops move forward, nesting is a counter, so neither a long token
//! nor a deep one costs stack.

use super::wide::{Hits, Wide};

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
    let mut walk = Walk::in_container();
    let end = walk.over(bytes, at + 1);
    walk.is_done().then_some(end)
}

/// A walk over one list, object or text that may be longer than the bytes at hand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Walk {
    depth: u64,
    in_text: bool,
    /// The last byte was a backslash in a text.
    escaped: bool,
    done: bool,
}

impl Walk {
    /// Behind the bracket that opens.
    pub(super) fn in_container() -> Self {
        Self { depth: 1, ..Self::default() }
    }

    /// Behind the quote that opens a text, which is all there is to walk over.
    pub(super) fn in_text() -> Self {
        Self { in_text: true, ..Self::default() }
    }

    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// Walks on from `at`: first byte after the value when [`Self::is_done`], else the end of `bytes`.
    pub(super) fn over(&mut self, bytes: &[u8], mut at: usize) -> usize {
        while !self.done && at < bytes.len() {
            let marks = bytes[at..].first_chunk().map(Marks::of);
            if let Some(marks) = marks.filter(|marks| self.depth > 0 && !self.escaped && marks.backslashes == 0) {
                at += self.over_64(&marks);
                continue;
            }
            for &byte in bytes[at..].iter().take(64) {
                at += 1;
                self.over_one(byte);
                if self.done {
                    break;
                }
            }
        }
        at
    }

    /// Inside a value, 64 bytes without a backslash; gives how many belong to the value.
    fn over_64(&mut self, marks: &Marks) -> usize {
        // From each opening quote on up to before the closing one.
        let in_text = odd_ones(marks.quotes) ^ if self.in_text { u64::MAX } else { 0 };
        let (opens, closes) = (marks.opens & !in_text, marks.closes & !in_text);
        if u64::from(closes.count_ones()) < self.depth {
            self.depth = self.depth + u64::from(opens.count_ones()) - u64::from(closes.count_ones());
        } else {
            let mut left = opens | closes;
            while left != 0 {
                let first = left & left.wrapping_neg();
                left ^= first;
                if opens & first != 0 {
                    self.depth += 1;
                    continue;
                }
                self.depth -= 1;
                if self.depth == 0 {
                    self.done = true;
                    return first.trailing_zeros() as usize + 1;
                }
            }
        }
        self.in_text = in_text >> 63 != 0;
        64
    }

    fn over_one(&mut self, byte: u8) {
        if self.escaped {
            self.escaped = false;
            return;
        }
        match byte {
            b'\\' if self.in_text => self.escaped = true,
            b'"' => {
                self.in_text = !self.in_text;
                self.done = !self.in_text && self.depth == 0;
            }
            _ if self.in_text => {}
            b'[' | b'{' => self.depth += 1,
            b']' | b'}' => {
                self.depth = self.depth.saturating_sub(1);
                self.done = self.depth == 0;
            }
            _ => {}
        }
    }
}

/// Where in 64 bytes something stands, one bit a byte.
struct Marks {
    quotes: u64,
    backslashes: u64,
    opens: u64,
    closes: u64,
}

impl Marks {
    fn of(bytes: &[u8; 64]) -> Self {
        let mut marks = Self { quotes: 0, backslashes: 0, opens: 0, closes: 0 };
        for (n, part) in bytes.as_chunks::<16>().0.iter().enumerate() {
            let wide = Wide::load(*part);
            // `[` and `{`, `]` and `}` differ in one bit only.
            let bracket = wide.with_bit(0x20);
            let place = |hits: Hits| u64::from(hits.bits()) << (16 * n);
            marks.quotes |= place(wide.equal(b'"'));
            marks.backslashes |= place(wide.equal(b'\\'));
            marks.opens |= place(bracket.equal(b'{'));
            marks.closes |= place(bracket.equal(b'}'));
        }
        marks
    }
}

/// Bits below or at which an odd number of ones stand.
fn odd_ones(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// First byte at or after `at` that is wanted; `wide` and `one` must say the same.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a closure that is not inlined costs more than the search")]
fn find(bytes: &[u8], mut at: usize, wide: impl Fn(Wide) -> Hits, one: impl Fn(u8) -> bool) -> Option<usize> {
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        let hits = wide(Wide::load(*chunk)).bits();
        if hits != 0 {
            return Some(at + hits.trailing_zeros() as usize);
        }
        at += 16;
    }
    let rest = bytes.get(at..)?;
    rest.iter().position(|&b| one(b)).map(|n| at + n)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, byte by byte.
    fn plain_end(bytes: &[u8]) -> Option<usize> {
        let (mut depth, mut in_text, mut escaped) = (0, false, false);
        for (at, &byte) in bytes.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_text => escaped = true,
                b'"' => in_text = !in_text,
                b'[' | b'{' if !in_text => depth += 1,
                b']' | b'}' if !in_text => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(at + 1);
            }
        }
        None
    }

    #[test]
    fn a_container_ends_at_the_same_byte_however_it_is_walked() {
        let mut random = 1_u64;
        for length in (1..400).chain([1000, 5000]) {
            for kinds in [8, 12, 40] {
                let mut bytes = vec![b'['];
                bytes.extend((0..length).map(|_| {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    *b"\"[]{},1x\"\\\"[".get((random >> 33) as usize % kinds).unwrap_or(&b'y')
                }));
                let end = plain_end(&bytes);
                assert_eq!(container_end(&bytes, 0), end, "{}", bytes.escape_ascii());
                for cut in [1, 2, 63, 64, 65, length / 2] {
                    let (first, rest) = bytes.split_at(cut.clamp(1, bytes.len()));
                    let mut walk = Walk::in_container();
                    let mut at = walk.over(first, 1);
                    if !walk.is_done() {
                        at += walk.over(rest, 0);
                    }
                    assert_eq!(walk.is_done().then_some(at), end, "cut at {cut}");
                }
            }
        }
    }
}
