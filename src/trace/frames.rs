//! Python frames packed as varints: about five bytes a frame, where the JSON has 250.

use super::{Frame, FrameLane, LaneId, StringId};
use crate::units::Nanos;

impl FrameLane {
    /// No frames yet.
    pub fn new(lane: LaneId) -> Self {
        Self { lane, len: 0, packed: Vec::new(), sorted: true, last_start: Nanos::ZERO }
    }

    /// Adds a frame after those there are.
    #[inline]
    pub fn push(&mut self, frame: Frame) {
        let delta = frame.start.0.wrapping_sub(self.last_start.0);
        self.sorted &= delta >= 0 || self.len == 0;
        // Three varints of at most ten bytes: written aside, so that the lane grows once.
        let mut bytes = [0; 30];
        let mut end = put(&mut bytes, 0, u64::from(frame.name.index()));
        end = put(&mut bytes, end, ((delta << 1) ^ (delta >> 63)) as u64);
        end = put(&mut bytes, end, frame.dur.0 as u64);
        // All thirty are copied: a copy of a known length needs no call.
        let length = self.packed.len() + end;
        super::columns::grow(&mut self.packed, bytes.len());
        self.packed.extend_from_slice(&bytes);
        self.packed.truncate(length);
        self.last_start = frame.start;
        self.len += 1;
    }

    /// Adds the frames of a lane that begins where this one ends.
    pub(super) fn append(&mut self, next: &Self) {
        let mut rest = next.frames();
        // Only the first one's start is told from a start that is not in `next`.
        let Some(first) = rest.next() else { return };
        self.push(first);
        super::columns::grow(&mut self.packed, rest.packed.len());
        self.packed.extend_from_slice(rest.packed);
        self.len += rest.left;
        self.last_start = next.last_start;
        self.sorted &= next.sorted;
    }

    /// The frames in file order.
    pub fn frames(&self) -> Frames<'_> {
        Frames { packed: &self.packed, left: self.len, last_start: 0 }
    }
}

/// Decodes the frames of a lane.
#[derive(Clone, Debug)]
pub struct Frames<'l> {
    packed: &'l [u8],
    left: usize,
    last_start: i64,
}

impl Iterator for Frames<'_> {
    type Item = Frame;

    #[inline]
    fn next(&mut self) -> Option<Frame> {
        self.left = self.left.checked_sub(1)?;
        let name = take(&mut self.packed)?;
        let delta = take(&mut self.packed)?;
        let dur = take(&mut self.packed)?;
        self.last_start = self.last_start.wrapping_add((delta >> 1) as i64 ^ -((delta & 1) as i64));
        Some(Frame { name: StringId::new(name as u32), start: Nanos(self.last_start), dur: Nanos(dur as i64) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left))
    }
}

/// Seven bits a byte, lowest first; the top bit says that more follow. Gives the end.
///
/// How long a number is cannot be foretold, so a loop over its bytes would keep the processor guessing: up to eight bytes
/// are put at once.
#[inline]
fn put(bytes: &mut [u8; 30], mut at: usize, mut value: u64) -> usize {
    while value >> 56 != 0 {
        bytes[at] = value as u8 | 0x80;
        value >>= 7;
        at += 1;
    }
    let length = (70 - (value | 1).leading_zeros() as usize) / 7;
    let more = MORE & !(u64::MAX << (8 * (length - 1)));
    if let Some(room) = bytes.get_mut(at..at + 8) {
        room.copy_from_slice(&(spread(value) | more).to_le_bytes());
    }
    at + length
}

/// The top bit of each byte.
const MORE: u64 = 0x8080_8080_8080_8080;

/// Seven bits to each byte.
#[inline]
fn spread(value: u64) -> u64 {
    let fours = (value & 0x0fff_ffff) | ((value & (0x0fff_ffff << 28)) << 4);
    let pairs = (fours & 0x0000_3fff_0000_3fff) | ((fours & 0x0fff_c000_0fff_c000) << 2);
    (pairs & 0x007f_007f_007f_007f) | ((pairs & 0x3f80_3f80_3f80_3f80) << 1)
}

/// The inverse of [`spread`]; top bits do not count.
#[inline]
fn gather(bytes: u64) -> u64 {
    let pairs = (bytes & 0x007f_007f_007f_007f) | ((bytes & 0x7f00_7f00_7f00_7f00) >> 1);
    let fours = (pairs & 0x0000_3fff_0000_3fff) | ((pairs & 0x3fff_0000_3fff_0000) >> 2);
    (fours & 0x0fff_ffff) | ((fours & (0x0fff_ffff << 32)) >> 4)
}

#[inline]
fn take(packed: &mut &[u8]) -> Option<u64> {
    if let Some(first) = packed.first_chunk() {
        let word = u64::from_le_bytes(*first);
        let last = !word & MORE;
        if last != 0 {
            // All up to the lowest top bit that is not set.
            let own = last ^ (last - 1);
            *packed = &packed[last.trailing_zeros() as usize / 8 + 1..];
            return Some(gather(word & own));
        }
    }
    take_slowly(packed)
}

/// The same near the end of the lane, and for numbers of more than eight bytes.
fn take_slowly(packed: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for (n, &byte) in packed.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * n);
        if byte < 0x80 {
            *packed = &packed[n + 1..];
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(name: u32, start: i64, dur: i64) -> Frame {
        Frame { name: StringId::new(name), start: Nanos(start), dur: Nanos(dur) }
    }

    #[test]
    fn what_is_packed_comes_out_again() {
        let frames =
            [frame(0, 0, 0), frame(u32::MAX - 1, i64::MAX, i64::MAX), frame(127, 5, 128), frame(128, 5, 1 << 40)];
        let mut lane = FrameLane::new(LaneId(3));
        for frame in frames {
            lane.push(frame);
        }
        assert_eq!(lane.frames().collect::<Vec<_>>(), frames);
        assert!(!lane.sorted, "the third frame goes back in time");
    }

    #[test]
    fn numbers_of_every_length_come_out_again() {
        for bits in 0..=64 {
            let most = u64::MAX.checked_shr(64 - bits).unwrap_or(0);
            for value in [most, most / 2 + 1, most / 3] {
                let mut bytes = [0; 30];
                let end = put(&mut bytes, 0, value);
                assert_eq!(end, 1.max((64 - value.leading_zeros() as usize).div_ceil(7)), "{value}");
                for room in [end, 30] {
                    let mut packed = &bytes[..room];
                    assert_eq!(take(&mut packed), Some(value));
                    assert_eq!(packed.len(), room - end);
                }
                assert_eq!(take(&mut &bytes[..end - 1]), None, "cut off");
            }
        }
    }

    #[test]
    fn equal_and_later_starts_are_sorted() {
        let mut lane = FrameLane::new(LaneId(0));
        for start in [1_606_911_006_433_250_000, 1_606_911_006_433_250_000, 1_606_911_006_433_250_001] {
            lane.push(frame(1, start, 1));
        }
        assert!(lane.sorted);
        lane.packed.truncate(3);
        assert_eq!(lane.frames().count(), 0, "broken bytes end the lane, they do not panic");
    }
}
