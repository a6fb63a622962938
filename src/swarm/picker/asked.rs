//! What each peer was asked for.

use std::collections::{HashMap, VecDeque};

use slab::Slab;

use crate::base::{BlockRef, ConnKey, PieceIndex};
use crate::swarm::pool::Memory;

/// Blocks remembered of one peer that may still come although they are no longer expected.
const LATE: usize = 512;
/// Pieces remembered that one peer has but refused.
const REFUSED: usize = 64;

/// One peer that was asked for something.
#[derive(Debug)]
pub(super) struct Asker {
    pub(super) key: ConnKey,
    /// Blocks that are expected, in the order they were asked for.
    pub(super) asked: VecDeque<BlockRef>,
    /// Blocks that were given up or came from somebody else, the latest at the end.
    late: VecDeque<BlockRef>,
    /// Pieces that it has and did not give.
    pub(super) refused: Vec<PieceIndex>,
    /// Where it has nothing for us.
    pub(super) memory: Memory,
    /// The piece it was last asked for.
    pub(super) current: Option<PieceIndex>,
}

impl Asker {
    /// Ends the expectation of a block; false where there was none.
    pub(super) fn strike(&mut self, block: BlockRef) -> bool {
        // Blocks mostly come in the order they were asked for.
        let Some(at) = self.asked.iter().position(|asked| *asked == block) else { return false };
        self.asked.remove(at);
        true
    }

    /// Remembers that a block may still come.
    pub(super) fn may_come(&mut self, block: BlockRef) {
        if self.late.len() == LATE {
            self.late.pop_front();
        }
        self.late.push_back(block);
    }

    /// Whether the block was to be expected late; it is only once.
    pub(super) fn comes_late(&mut self, block: BlockRef) -> bool {
        let Some(at) = self.late.iter().position(|late| *late == block) else { return false };
        self.late.remove(at);
        true
    }

    pub(super) fn refuse(&mut self, piece: PieceIndex) {
        if self.refused.len() == REFUSED {
            self.refused.remove(0);
        }
        if !self.refused.contains(&piece) {
            self.refused.push(piece);
        }
    }
}

/// All peers that were asked for something.
#[derive(Debug, Default)]
pub(super) struct Askers {
    slots: Slab<Asker>,
    by_key: HashMap<ConnKey, usize>,
}

impl Askers {
    pub(super) fn id(&self, key: ConnKey) -> Option<usize> {
        self.by_key.get(&key).copied()
    }

    /// The number of a peer, new or known.
    pub(super) fn enter(&mut self, key: ConnKey) -> usize {
        *self.by_key.entry(key).or_insert_with(|| {
            self.slots.insert(Asker {
                key,
                asked: VecDeque::new(),
                late: VecDeque::new(),
                refused: Vec::new(),
                memory: Memory::default(),
                current: None,
            })
        })
    }

    pub(super) fn leave(&mut self, key: ConnKey) {
        if let Some(id) = self.by_key.remove(&key) {
            self.slots.remove(id);
        }
    }

    pub(super) fn get(&self, id: usize) -> &Asker {
        &self.slots[id]
    }

    pub(super) fn get_mut(&mut self, id: usize) -> &mut Asker {
        &mut self.slots[id]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Asker)> {
        self.slots.iter()
    }
}
