//! What a peer has asked for and not got yet.

use std::collections::{HashSet, VecDeque};

use crate::base::{BlockRef, limits};

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It waits its turn.
    Queued,
    /// It waits already.
    Twice,
    /// Too many wait.
    Full,
}

/// The requests of one peer, in the order they came.
#[derive(Clone, Debug, Default)]
pub struct Uploads {
    waiting: VecDeque<BlockRef>,
    /// The same, to be found quickly.
    known: HashSet<BlockRef>,
}

impl Uploads {
    /// Adds a request.
    pub fn add(&mut self, block: BlockRef) -> Asked {
        if self.waiting.len() >= limits::REQUESTS_IN {
            return Asked::Full;
        }
        if !self.known.insert(block) {
            return Asked::Twice;
        }
        self.waiting.push_back(block);
        Asked::Queued
    }

    /// Takes a request back; false where it does not wait.
    pub fn cancel(&mut self, block: BlockRef) -> bool {
        if !self.known.remove(&block) {
            return false;
        }
        self.waiting.retain(|waiting| *waiting != block);
        true
    }

    /// The request whose turn it is.
    pub fn first(&self) -> Option<BlockRef> {
        self.waiting.front().copied()
    }

    /// The requests in their order.
    pub fn iter(&self) -> impl Iterator<Item = BlockRef> + '_ {
        self.waiting.iter().copied()
    }

    /// Ends the first request.
    pub fn take_first(&mut self) -> Option<BlockRef> {
        let first = self.waiting.pop_front()?;
        self.known.remove(&first);
        Some(first)
    }

    /// Ends all requests that `keep` does not hold to, and hands them out.
    pub fn drop_unless(&mut self, mut keep: impl FnMut(BlockRef) -> bool) -> Vec<BlockRef> {
        let mut dropped = Vec::new();
        self.waiting.retain(|block| {
            let kept = keep(*block);
            if !kept {
                self.known.remove(block);
                dropped.push(*block);
            }
            kept
        });
        dropped
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::PieceIndex;

    fn block(piece: u32, begin: u32) -> BlockRef {
        BlockRef { piece: PieceIndex(piece), begin, len: 16_384 }
    }

    #[test]
    fn requests_wait_in_order_once_each_and_not_without_end() {
        let mut uploads = Uploads::default();
        assert_eq!(uploads.add(block(1, 0)), Asked::Queued);
        assert_eq!(uploads.add(block(1, 16_384)), Asked::Queued);
        assert_eq!(uploads.add(block(1, 0)), Asked::Twice);
        assert_eq!(uploads.add(block(1, 16_384)), Asked::Twice);
        assert_eq!(uploads.first(), Some(block(1, 0)));
        assert!(uploads.cancel(block(1, 0)) && !uploads.cancel(block(1, 0)));
        for piece in 2.. {
            if uploads.add(block(piece, 0)) == Asked::Full {
                break;
            }
        }
        assert_eq!(uploads.len(), limits::REQUESTS_IN);
        let dropped = uploads.drop_unless(|block| block.piece == PieceIndex(1));
        assert_eq!((dropped.len(), uploads.len()), (limits::REQUESTS_IN - 1, 1));
        assert_eq!(uploads.take_first(), Some(block(1, 16_384)));
        assert!(uploads.is_empty());
    }
}
