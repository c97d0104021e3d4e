//! A reader in, windows of bytes out: one thread fills blocks, the caller's thread looks at them.
//!
//! A window is what the caller left of the last block, followed by the next block. The left part is copied into free
//! room before the new bytes, so windows are contiguous and the caller needs no state inside an event.

use std::io::{self, Read};
use std::sync::mpsc;
use std::thread;

use super::damage::Damage;

/// Blocks on their way from one thread to the other.
const IN_FLIGHT: usize = 4;
/// From this size on, an unfinished event is looked at again only after it has doubled: no quadratic cost.
const PATIENT: usize = 256 * 1024;

struct Block {
    /// Free room, as long as the block, then the block.
    bytes: Vec<u8>,
    end: usize,
}

/// Calls `look(window, last)` until the input ends; `look` gives how many bytes of the window it is done with, and may
/// leave `longest` at most.
///
/// `Ok(Some(e))` when the input broke with `e`: all bytes before it were looked at, the last window with `last` set.
pub(super) fn windows<E>(
    input: impl Read + Send,
    block_bytes: usize,
    longest: usize,
    mut look: impl FnMut(&[u8], bool) -> Result<usize, E>,
) -> Result<Option<io::Error>, E> {
    let room = block_bytes.max(1);
    let (full_sender, full) = mpsc::sync_channel(IN_FLIGHT);
    let (empty_sender, empty) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || fill_blocks(input, room, &full_sender, &empty));
        // Dropped with whatever ends this closure: a thread that waits to hand over a block would wait for ever.
        let full = full;
        let mut left = Left::Nothing;
        loop {
            match full.recv() {
                Ok(Ok(block)) => {
                    left = left.followed_by(block, room, &empty_sender, &mut look)?;
                    if left.bytes().len() > longest {
                        return Ok(Some(Damage::NoEnd { most: longest }.into()));
                    }
                }
                broken => {
                    look(left.bytes(), true)?;
                    return Ok(broken.ok().and_then(Result::err));
                }
            }
        }
    })
}

/// Ends with the input, with its first error, or when nobody listens any more.
fn fill_blocks(
    mut input: impl Read,
    room: usize,
    full: &mpsc::SyncSender<io::Result<Block>>,
    empty: &mpsc::Receiver<Vec<u8>>,
) {
    loop {
        let mut bytes = empty.try_recv().unwrap_or_else(|_| vec![0; 2 * room]);
        let mut end = room;
        let mut broken = None;
        while end < bytes.len() {
            match input.read(&mut bytes[end..]) {
                Ok(0) => break,
                Ok(n) => end += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    broken = Some(e);
                    break;
                }
            }
        }
        let ended = end < bytes.len();
        if end > room && full.send(Ok(Block { bytes, end })).is_err() {
            return;
        }
        if let Some(e) = broken {
            // Nobody listening is fine: then the caller has stopped for a reason of its own.
            let _ = full.send(Err(e));
            return;
        }
        if ended {
            return;
        }
    }
}

/// What the caller has not taken yet.
enum Left {
    Nothing,
    /// The rest of a block from the position on.
    InBlock(Block, usize),
    /// More than the free room holds: gathered here, looked at again at the given length.
    Long(Vec<u8>, usize),
}

impl Left {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Nothing => &[],
            Self::InBlock(block, start) => &block.bytes[*start..block.end],
            Self::Long(bytes, _) => bytes,
        }
    }

    fn followed_by<E>(
        self,
        mut block: Block,
        room: usize,
        recycle: &mpsc::Sender<Vec<u8>>,
        look: &mut impl FnMut(&[u8], bool) -> Result<usize, E>,
    ) -> Result<Self, E> {
        let left = self.bytes();
        if left.len() <= room && !matches!(self, Self::Long(_, wanted) if wanted > 0) {
            let start = room - left.len();
            block.bytes[start..room].copy_from_slice(left);
            if let Self::InBlock(old, _) = self {
                // The other thread may have ended already; then the block is simply dropped.
                let _ = recycle.send(old.bytes);
            }
            let done = look(&block.bytes[start..block.end], false)?;
            return Ok(Self::InBlock(block, start + done));
        }
        let (mut bytes, wanted) = match self {
            Self::Long(bytes, wanted) => (bytes, wanted),
            other => (other.bytes().to_vec(), 0),
        };
        bytes.extend_from_slice(&block.bytes[room..block.end]);
        let _ = recycle.send(block.bytes);
        if bytes.len() < wanted {
            return Ok(Self::Long(bytes, wanted));
        }
        let done = look(&bytes, false)?;
        bytes.drain(..done);
        let wanted = if done == 0 && bytes.len() > PATIENT { 2 * bytes.len() } else { 0 };
        Ok(if bytes.is_empty() { Self::Nothing } else { Self::Long(bytes, wanted) })
    }
}
