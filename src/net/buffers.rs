//! Memory that sockets are read to, used again once every block in it is written.
//!
//! A fresh buffer of this size costs the system more time than the copy into it: each page is cleared and mapped first.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use bytes::BytesMut;

/// How much a connection reads at once, by how fast it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Size {
    /// Words.
    Small,
    /// One block and what stands around it.
    Block,
    /// Some blocks.
    Medium,
    /// Many blocks.
    Large,
}

impl Size {
    /// In bytes.
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::Small => 2 * 1024,
            Self::Block => 20 * 1024,
            Self::Medium => 64 * 1024,
            Self::Large => 256 * 1024,
        }
    }

    /// The next one up.
    pub(super) const fn larger(self) -> Self {
        match self {
            Self::Small => Self::Block,
            Self::Block => Self::Medium,
            Self::Medium | Self::Large => Self::Large,
        }
    }

    /// The next one down.
    pub(super) const fn smaller(self) -> Self {
        match self {
            Self::Small | Self::Block => Self::Small,
            Self::Medium => Self::Block,
            Self::Large => Self::Medium,
        }
    }
}

/// Buffers that were read from, oldest first; blocks cut out of them may still be on their way to the disk.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    medium: Mutex<VecDeque<BytesMut>>,
    large: Mutex<VecDeque<BytesMut>>,
}

/// Buffers kept of each size; what the disk holds at most fits into so many large ones twice.
const KEPT: usize = 192;
/// Buffers looked at for one that is free. They become free in about the order they were filled.
const TRIES: usize = 3;

impl Buffers {
    /// An empty buffer with room for at least `size`.
    pub(super) fn take(&self, size: Size) -> BytesMut {
        if let Some(shelf) = self.shelf(size) {
            let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
            for _ in 0..TRIES.min(shelf.len()) {
                let Some(mut buffer) = shelf.pop_front() else { break };
                if buffer.try_reclaim(size.bytes()) {
                    return buffer;
                }
                shelf.push_back(buffer);
            }
        }
        BytesMut::with_capacity(size.bytes())
    }

    /// Takes back a buffer that was of this size; what is left in it is dropped.
    pub(super) fn give_back(&self, size: Size, mut buffer: BytesMut) {
        let Some(shelf) = self.shelf(size) else { return };
        buffer.clear();
        let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if shelf.len() >= KEPT {
            shelf.pop_front();
        }
        shelf.push_back(buffer);
    }

    /// Small ones cost nothing.
    fn shelf(&self, size: Size) -> Option<&Mutex<VecDeque<BytesMut>>> {
        match size {
            Size::Small | Size::Block => None,
            Size::Medium => Some(&self.medium),
            Size::Large => Some(&self.large),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_once_nothing_of_it_is_held() {
        let buffers = Buffers::default();
        let mut buffer = buffers.take(Size::Large);
        buffer.extend_from_slice(&[7; 100_000]);
        let at = buffer.as_ptr();
        let block = buffer.split_to(50_000).freeze();
        buffers.give_back(Size::Large, buffer);
        let other = buffers.take(Size::Large);
        assert!(other.as_ptr() != at && other.capacity() >= Size::Large.bytes());
        assert_eq!(block[49_999], 7);
        drop(block);
        let again = buffers.take(Size::Large);
        assert_eq!((again.as_ptr(), again.len()), (at, 0));
        assert!(again.capacity() >= Size::Large.bytes());
    }

    #[test]
    fn the_shelf_has_an_end() {
        let buffers = Buffers::default();
        for _ in 0..KEPT + 50 {
            buffers.give_back(Size::Medium, BytesMut::with_capacity(1));
        }
        assert_eq!(buffers.medium.lock().expect("no panic").len(), KEPT);
        assert!(buffers.take(Size::Medium).capacity() >= Size::Medium.bytes());
    }
}
