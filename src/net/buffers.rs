//! Memory that sockets are read to, used again once every block in it is written, and the limit on all of it.
//!
//! A fresh buffer of this size costs the system more time than the copy into it: each page is cleared and mapped first.
//! While too many blocks wait for the engine and the disk no socket is read, so that the peers are slowed by theirs.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Waker};

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
    /// Bytes of blocks on their way to the engine, and those that it has and the disk has not written.
    unread: AtomicU64,
    unwritten: AtomicU64,
    /// Connections that wait until those are fewer.
    waiting: Mutex<Vec<Waker>>,
}

/// Buffers kept of each size; what may wait fits into two thirds of so many large ones.
const KEPT: usize = 96;
/// Bytes of blocks that may wait for the engine and the disk while sockets are read.
const WAITING_BYTES: u64 = 16 * 1024 * 1024;

impl Buffers {
    /// An empty buffer with room for at least `size`: of those that are free the one that was filled last, which is likely
    /// to be in the processor's cache. They become free in about the order they were filled.
    pub(super) fn take(&self, size: Size) -> BytesMut {
        if let Some(shelf) = self.shelf(size) {
            let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
            // Those from some place on are still in use; the one before it was used last.
            let (mut free, mut used) = (0, shelf.len());
            while free < used {
                let middle = free.midpoint(used);
                if shelf[middle].try_reclaim(size.bytes()) {
                    free = middle + 1;
                } else {
                    used = middle;
                }
            }
            if let Some(buffer) = free.checked_sub(1).and_then(|last| shelf.remove(last)) {
                return buffer;
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

    /// Whether more may be read; where not, whoever asks is woken when it may.
    pub(super) fn may_fill(&self, cx: &Context<'_>) -> bool {
        if self.has_room() {
            return true;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            waiting.push(cx.waker().clone());
        }
        false
    }

    /// So many bytes of blocks go to the engine.
    pub(super) fn read(&self, bytes: u64) {
        self.unread.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The engine has taken so many of them.
    pub(super) fn taken(&self, bytes: u64) {
        self.unread.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// So many of those that it has taken are not written yet.
    pub(super) fn set_unwritten(&self, bytes: u64) {
        self.unwritten.store(bytes, Ordering::Relaxed);
        if self.has_room() {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let wakers = std::mem::take(&mut *waiting);
            drop(waiting);
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    fn has_room(&self) -> bool {
        self.unread.load(Ordering::Relaxed) + self.unwritten.load(Ordering::Relaxed) < WAITING_BYTES
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
    fn who_finds_no_room_is_woken_when_there_is_some() {
        struct Bell(AtomicU64);
        impl std::task::Wake for Bell {
            fn wake(self: std::sync::Arc<Self>) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let bell = std::sync::Arc::new(Bell(AtomicU64::new(0)));
        let waker = Waker::from(std::sync::Arc::clone(&bell));
        let cx = Context::from_waker(&waker);
        let buffers = Buffers::default();
        assert!(buffers.may_fill(&cx));
        buffers.read(WAITING_BYTES);
        assert!(!buffers.may_fill(&cx) && !buffers.may_fill(&cx));
        buffers.taken(WAITING_BYTES);
        buffers.set_unwritten(WAITING_BYTES);
        assert!(!buffers.may_fill(&cx));
        assert_eq!(bell.0.load(Ordering::Relaxed), 0);
        buffers.set_unwritten(WAITING_BYTES - 1);
        assert_eq!(bell.0.load(Ordering::Relaxed), 1, "once, however often it asked");
        assert!(buffers.may_fill(&cx));
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
