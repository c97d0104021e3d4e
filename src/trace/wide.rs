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
    pub(super) fn equal(self, byte: u8) -> u32 {
        imp::equal(self.0, byte)
    }

    /// Bytes that equal those of `other`.
    #[inline]
    pub(super) fn same(self, other: Self) -> u32 {
        imp::same(self.0, other.0)
    }

    /// Bytes below `limit`; those from 128 on never are.
    #[inline]
    pub(super) fn below(self, limit: u8) -> u32 {
        imp::below(self.0, limit)
    }

    /// All bytes with `bit` set.
    #[inline]
    pub(super) fn with_bit(self, bit: u8) -> Self {
        Self(imp::with_bit(self.0, bit))
    }
}

/// The vector unit that every x86-64 has. Eight bytes at a time in a `u64`, the best that plain code can do, took a
/// quarter more instructions an event on a real trace (callgrind, whole extraction).
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[expect(unsafe_code, reason = "measured; the functions take and give values, no pointers")]
mod imp {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_cmplt_epi8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    };

    pub(super) type Bytes = __m128i;

    #[inline]
    pub(super) fn load(bytes: [u8; 16]) -> Bytes {
        let all = u128::from_le_bytes(bytes);
        // SAFETY: SSE2 is there, this module is compiled for no other target.
        unsafe { _mm_set_epi64x((all >> 64) as i64, all as i64) }
    }

    #[inline]
    pub(super) fn equal(bytes: Bytes, byte: u8) -> u32 {
        // SAFETY: as above.
        unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte.cast_signed()))) as u32 }
    }

    #[inline]
    pub(super) fn same(bytes: Bytes, other: Bytes) -> u32 {
        // SAFETY: as above.
        unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, other)) as u32 }
    }

    #[inline]
    pub(super) fn below(bytes: Bytes, limit: u8) -> u32 {
        // The comparison is signed: bytes from 128 on are negative, so they are taken out again.
        // SAFETY: as above.
        unsafe {
            let below = _mm_movemask_epi8(_mm_cmplt_epi8(bytes, _mm_set1_epi8(limit.cast_signed()))) as u32;
            below & !(_mm_movemask_epi8(bytes) as u32)
        }
    }

    #[inline]
    pub(super) fn with_bit(bytes: Bytes, bit: u8) -> Bytes {
        // SAFETY: as above.
        unsafe { _mm_or_si128(bytes, _mm_set1_epi8(bit.cast_signed())) }
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

    pub(super) fn equal(bytes: Bytes, byte: u8) -> u32 {
        mask(bytes, |b| b == byte)
    }

    pub(super) fn same(bytes: Bytes, other: Bytes) -> u32 {
        bytes.iter().zip(other).enumerate().fold(0, |mask, (n, (&a, b))| mask | (u32::from(a == b) << n))
    }

    pub(super) fn below(bytes: Bytes, limit: u8) -> u32 {
        mask(bytes, |b| b < limit)
    }

    pub(super) fn with_bit(bytes: Bytes, bit: u8) -> Bytes {
        bytes.map(|b| b | bit)
    }

    fn mask(bytes: Bytes, wanted: impl Fn(u8) -> bool) -> u32 {
        bytes.iter().enumerate().fold(0, |mask, (n, &b)| mask | (u32::from(wanted(b)) << n))
    }
}

#[cfg(test)]
mod tests {
    use super::{Wide, plain};

    #[test]
    fn both_ways_agree_on_every_byte() {
        for first in (0..=255_u8).step_by(16) {
            let bytes: [u8; 16] = std::array::from_fn(|n| first + n as u8);
            let wide = Wide::load(bytes);
            for byte in 0..=255 {
                assert_eq!(wide.equal(byte), plain::equal(plain::load(bytes), byte));
                assert_eq!(wide.with_bit(0x20).equal(byte), plain::equal(plain::with_bit(bytes, 0x20), byte));
            }
            let other = bytes.map(|b| b & 0xf5);
            assert_eq!(wide.same(Wide::load(other)), plain::same(bytes, other));
            for limit in 0..128 {
                assert_eq!(wide.below(limit), plain::below(bytes, limit));
            }
        }
    }
}
