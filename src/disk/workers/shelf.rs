//! Memory that runs are read to, used again once nobody holds the run: the system would clear and map fresh memory first,
//! and what was used last is still in the processor's cache.

use std::sync::{Arc, Mutex};

use crate::disk::files::lock;

/// Bytes of the buffers that are kept: a run that is read ahead.
pub(super) const RUN: usize = 256 * 1024;
/// Buffers kept while nobody needs them.
const KEPT: usize = 16;

/// Buffers that nobody holds, those used last at the end.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    free: Mutex<Vec<Vec<u8>>>,
}

/// A buffer that goes back to its shelf.
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    shelf: Arc<Shelf>,
}

impl Shelf {
    /// An empty buffer for so many bytes.
    pub(super) fn take(self: &Arc<Self>, len: usize) -> Buffer {
        // A short run must not hold the memory of a long one.
        let kept = if len > RUN / 2 && len <= RUN { lock(&self.free).pop() } else { None };
        let bytes =
            kept.unwrap_or_else(|| Vec::with_capacity(if len > RUN / 2 { len.max(RUN) } else { len }));
        Buffer { bytes, shelf: Arc::clone(self) }
    }
}

impl Buffer {
    /// What is to be filled.
    pub(super) fn fill(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.bytes.capacity() != RUN {
            return;
        }
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let mut free = lock(&self.shelf.free);
        if free.len() < KEPT {
            free.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn the_buffer_used_last_comes_back_first_and_none_while_it_is_held() {
        let shelf = Arc::<Shelf>::default();
        let filled = |with: u8| {
            let mut buffer = shelf.take(RUN);
            assert!(buffer.as_ref().is_empty());
            buffer.fill().extend_from_slice(&[with; RUN]);
            Bytes::from_owner(buffer)
        };
        let (first, second) = (filled(1), filled(2));
        let (at, part) = (first.as_ptr(), first.slice(5..9));
        drop(first);
        assert_ne!(filled(3).as_ptr(), at, "a part of it is held");
        assert_eq!(part[..], [1; 4]);
        drop((part, second));
        let latest = filled(4);
        drop(latest.slice(..1));
        let at = latest.as_ptr();
        drop(latest);
        assert_eq!(filled(5).as_ptr(), at);
    }

    #[test]
    fn short_runs_hold_little_and_the_shelf_has_an_end() {
        let shelf = Arc::<Shelf>::default();
        drop((0..KEPT + 9).map(|_| shelf.take(RUN)).collect::<Vec<_>>());
        assert_eq!(lock(&shelf.free).len(), KEPT);
        assert!(shelf.take(16_384).fill().capacity() < RUN);
        assert_eq!(lock(&shelf.free).len(), KEPT);
        assert!(shelf.take(RUN * 3).fill().capacity() >= RUN * 3);
    }
}
