//! Sixteen bytes side by side: which of them equal or lie below a byte, as one bit a byte, the first one lowest.

/// Sixteen bytes of the file.
#[derive(Clone, Copy)]
pub(super) struct Wide(imp::Bytes);

impl Wide {
    #[inline]
    pub(super) fn load(bytes: [u8; 16]) -> Self {
        Self(imp::load(bytes))
    }

    /// Bytes that equal `byte`.
    #[inline]
    pub(super) fn equal(self, byte: u8) -> Hits {
        Hits(imp::equal(self.0, byte))
    }

    /// Bytes that equal those of `other`.
    #[inline]
    pub(super) fn same(self, other: Self) -> Hits {
        Hits(imp::same(self.0, other.0))
    }

    /// Bytes below `limit`, which is above zero.
    #[inline]
    pub(super) fn below(self, limit: u8) -> Hits {
        Hits(imp::below(self.0, limit))
    }

    /// All bytes with `bit` set.
    #[inline]
    pub(super) fn with_bit(self, bit: u8) -> Self {
        Self(imp::or(self.0, imp::load([bit; 16])))
    }
}

/// Which of sixteen bytes are meant.
#[derive(Clone, Copy)]
pub(super) struct Hits(imp::Bytes);

impl Hits {
    /// One bit a byte, the first one lowest.
    #[inline]
    pub(super) fn bits(self) -> u32 {
        imp::bits(self.0)
    }

    /// Whether all sixteen are.
    #[inline]
    pub(super) fn all(self) -> bool {
        self.bits() == 0xffff
    }
}

impl std::ops::BitOr for Hits {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(imp::or(self.0, other.0))
    }
}

/// Whether `bytes` begins with `start`. Both are short: a call of the C library's comparison costs more than this.
#[inline]
pub(super) fn begins(bytes: &[u8], start: &[u8]) -> bool {
    let Some(bytes) = bytes.get(..start.len()) else { return false };
    let Some(last) = start.len().checked_sub(16) else { return bytes == start };
    let same = |at: usize| {
        let part = |of: &[u8]| of.get(at..).and_then(<[u8]>::first_chunk).map(|part| Wide::load(*part));
        part(bytes).zip(part(start)).is_some_and(|(a, b)| a.same(b).all())
    };
    // The last sixteen may overlap with those before.
    (0..last).step_by(16).all(same) && same(last)
}

/// The vector unit that every x86-64 has. Eight bytes at a time in a `u64`, the best that plain code can do, took a
/// quarter more instructions an event on a real trace (callgrind, whole extraction).
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[expect(unsafe_code, reason = "measured; the functions take and give values, no pointers")]
mod imp {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    };

    pub(super) type Bytes = __m128i;

    #[inline]
    pub(super) fn load(bytes: [u8; 16]) -> Bytes {
        let all = u128::from_le_bytes(bytes);
        // SAFETY: SSE2 is there, this module is compiled for no other target.
        unsafe { _mm_set_epi64x((all >> 64) as i64, all as i64) }
    }

    #[inline]
    pub(super) fn equal(bytes: Bytes, byte: u8) -> Bytes {
        // SAFETY: as above.
        unsafe { _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte.cast_signed())) }
    }

    #[inline]
    pub(super) fn same(bytes: Bytes, other: Bytes) -> Bytes {
        // SAFETY: as above.
        unsafe { _mm_cmpeq_epi8(bytes, other) }
    }

    #[inline]
    pub(super) fn below(bytes: Bytes, limit: u8) -> Bytes {
        // There is no unsigned comparison, but a smaller one of two.
        // SAFETY: as above.
        unsafe { _mm_cmpeq_epi8(bytes, _mm_min_epu8(bytes, _mm_set1_epi8((limit - 1).cast_signed()))) }
    }

    #[inline]
    pub(super) fn or(bytes: Bytes, other: Bytes) -> Bytes {
        // SAFETY: as above.
        unsafe { _mm_or_si128(bytes, other) }
    }

    #[inline]
    pub(super) fn bits(hits: Bytes) -> u32 {
        // SAFETY: as above.
        unsafe { _mm_movemask_epi8(hits) as u32 }
    }
}

/// The same in plain code for other processors; compilers make vector code of most of it.
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
use plain as imp;

#[cfg(any(test, not(all(target_arch = "x86_64", target_feature = "sse2"))))]
mod plain {
    pub(super) type Bytes = [u8; 16];

    pub(super) fn load(bytes: [u8; 16]) -> Bytes {
        bytes
    }

    pub(super) fn equal(bytes: Bytes, byte: u8) -> Bytes {
        bytes.map(|b| mask(b == byte))
    }

    pub(super) fn same(bytes: Bytes, other: Bytes) -> Bytes {
        std::array::from_fn(|n| mask(bytes[n] == other[n]))
    }

    pub(super) fn below(bytes: Bytes, limit: u8) -> Bytes {
        bytes.map(|b| mask(b < limit))
    }

    pub(super) fn or(bytes: Bytes, other: Bytes) -> Bytes {
        std::array::from_fn(|n| bytes[n] | other[n])
    }

    pub(super) fn bits(hits: Bytes) -> u32 {
        hits.iter().enumerate().fold(0, |bits, (n, &hit)| bits | (u32::from(hit >> 7) << n))
    }

    fn mask(hit: bool) -> u8 {
        if hit { 0xff } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::{Wide, begins, plain};

    #[test]
    fn both_ways_agree_on_every_byte() {
        for first in (0..=255_u8).step_by(16) {
            let bytes: [u8; 16] = std::array::from_fn(|n| first + n as u8);
            let (wide, bytes) = (Wide::load(bytes), plain::load(bytes));
            for byte in 0..=255 {
                assert_eq!(wide.equal(byte).bits(), plain::bits(plain::equal(bytes, byte)));
                let with_bit = plain::or(bytes, plain::load([0x20; 16]));
                assert_eq!(wide.with_bit(0x20).equal(byte).bits(), plain::bits(plain::equal(with_bit, byte)));
                let both = plain::or(plain::equal(bytes, byte), plain::equal(bytes, 7));
                assert_eq!((wide.equal(byte) | wide.equal(7)).bits(), plain::bits(both));
            }
            let other = bytes.map(|b| b & 0xf5);
            assert_eq!(wide.same(Wide::load(other)).bits(), plain::bits(plain::same(bytes, other)));
            for limit in 1..=255 {
                assert_eq!(wide.below(limit).bits(), plain::bits(plain::below(bytes, limit)));
            }
        }
    }

    #[test]
    fn every_byte_of_a_start_counts() {
        let bytes: Vec<u8> = (0..70).collect();
        for length in 0..bytes.len() {
            assert!(begins(&bytes, &bytes[..length]));
            assert!(!begins(&bytes[..length], &bytes[..=length]), "too short");
            for other in 0..length {
                let mut start = bytes[..length].to_vec();
                start[other] ^= 0x40;
                assert!(!begins(&bytes, &start), "{other} of {length}");
            }
        }
    }
}
