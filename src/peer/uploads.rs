//! What a peer has asked for and not got yet.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet, VecDeque};

use crate::base::{BLOCK_SIZE, BlockRef, PieceIndex, limits};

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
    known: Known,
}

/// A set of blocks. Those that follow each other are asked for one after the other, so they stand side by side in a word: a
/// table of single blocks has each in another place, which is out of the processor's cache by the time it is needed.
#[derive(Clone, Debug, Default)]
struct Known {
    /// Whole blocks in their places, by piece and [`SPAN`].
    whole: BTreeMap<(PieceIndex, u32), u64>,
    /// The others: the last of a torrent, and what only few programs ask for.
    odd: HashSet<BlockRef>,
}

/// Bytes of a piece whose blocks stand in one word.
const SPAN: u32 = 64 * BLOCK_SIZE;

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
        if !self.known.remove(block) {
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
        self.known.remove(first);
        Some(first)
    }

    /// Ends all requests that `keep` does not hold to, and hands them out.
    pub fn drop_unless(&mut self, mut keep: impl FnMut(BlockRef) -> bool) -> Vec<BlockRef> {
        let mut dropped = Vec::new();
        self.waiting.retain(|block| {
            let kept = keep(*block);
            if !kept {
                self.known.remove(*block);
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

impl Known {
    /// False where it is there already.
    fn insert(&mut self, block: BlockRef) -> bool {
        let Some((place, bit)) = Self::place(block) else { return self.odd.insert(block) };
        let word = self.whole.entry(place).or_default();
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// False where it is not there.
    fn remove(&mut self, block: BlockRef) -> bool {
        let Some((place, bit)) = Self::place(block) else { return self.odd.remove(&block) };
        let Entry::Occupied(mut word) = self.whole.entry(place) else { return false };
        let was_there = *word.get() & bit != 0;
        *word.get_mut() &= !bit;
        if *word.get() == 0 {
            word.remove();
        }
        was_there
    }

    fn place(block: BlockRef) -> Option<((PieceIndex, u32), u64)> {
        let is_whole = block.len == BLOCK_SIZE && block.begin.is_multiple_of(BLOCK_SIZE);
        is_whole.then(|| ((block.piece, block.begin / SPAN), 1 << (block.begin % SPAN / BLOCK_SIZE)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

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

    #[test]
    fn what_is_known_is_what_a_plain_set_would_know() {
        let mut rng = Rng::new(7);
        let (mut known, mut plain) = (Known::default(), HashSet::new());
        for _ in 0..20_000 {
            let begin = rng.below(130) as u32 * BLOCK_SIZE + u32::from(rng.below(8) == 0);
            let len = BLOCK_SIZE - u32::from(rng.below(8) == 0);
            let block = BlockRef { piece: PieceIndex(rng.below(3) as u32), begin, len };
            if rng.below(2) == 0 {
                assert_eq!(known.insert(block), plain.insert(block));
            } else {
                assert_eq!(known.remove(block), plain.remove(&block));
            }
        }
        plain.into_iter().for_each(|block| assert!(known.remove(block)));
        assert!(known.whole.is_empty() && known.odd.is_empty());
    }
}
