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
        let mut end = put(&mut bytes, 0, u64::from(frame.name.0));
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
        Some(Frame { name: StringId(name as u32), start: Nanos(self.last_start), dur: Nanos(dur as i64) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left))
    }
}

/// Seven bits a byte, lowest first; the top bit says that more follow. Gives the end.
#[inline]
fn put(bytes: &mut [u8; 30], mut at: usize, mut value: u64) -> usize {
    while value >= 0x80 {
        bytes[at] = value as u8 | 0x80;
        value >>= 7;
        at += 1;
    }
    bytes[at] = value as u8;
    at + 1
}

#[inline]
fn take(packed: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    let mut rest = *packed;
    let mut shift = 0;
    while let Some((&byte, after)) = rest.split_first() {
        value |= u64::from(byte & 0x7f) << shift;
        rest = after;
        if byte < 0x80 {
            *packed = rest;
            return Some(value);
        }
        shift += 7;
        if shift > 63 {
            break;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(name: u32, start: i64, dur: i64) -> Frame {
        Frame { name: StringId(name), start: Nanos(start), dur: Nanos(dur) }
    }

    #[test]
    fn what_is_packed_comes_out_again() {
        let frames = [frame(0, 0, 0), frame(u32::MAX, i64::MAX, i64::MAX), frame(127, 5, 128), frame(128, 5, 1 << 40)];
        let mut lane = FrameLane::new(LaneId(3));
        for frame in frames {
            lane.push(frame);
        }
        assert_eq!(lane.frames().collect::<Vec<_>>(), frames);
        assert!(!lane.sorted, "the third frame goes back in time");
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
