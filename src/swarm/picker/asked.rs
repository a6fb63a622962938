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
    /// Those of them where it only answered that we no longer wanted a block.
    revoked: Vec<PieceIndex>,
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

    /// It gives nothing of a piece; `revoked` where we had taken the request back.
    pub(super) fn refuse(&mut self, piece: PieceIndex, revoked: bool) {
        if self.refused.len() == REFUSED {
            let first = self.refused.remove(0);
            self.revoked.retain(|of| *of != first);
        }
        if !self.refused.contains(&piece) {
            self.refused.push(piece);
            if revoked {
                self.revoked.push(piece);
            }
        } else if !revoked {
            self.revoked.retain(|of| *of != piece);
        }
    }

    /// Whether a block may still come although it is no longer expected.
    pub(super) fn is_late(&self, block: BlockRef) -> bool {
        self.late.contains(&block)
    }

    /// Everything may be asked of it again.
    pub(super) fn forgive(&mut self) {
        self.refused.clear();
        self.revoked.clear();
        self.memory = Memory::default();
    }

    /// What it did not give because we took it back may be asked of it again.
    fn forgive_revoked(&mut self) {
        if self.revoked.is_empty() {
            return;
        }
        let revoked = std::mem::take(&mut self.revoked);
        self.refused.retain(|piece| !revoked.contains(piece));
        self.memory = Memory::default();
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
                revoked: Vec::new(),
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

    /// Somebody gives nothing of what was asked of him: of those from whom we took it back, it is wanted again.
    pub(super) fn forgive_revoked(&mut self) {
        self.slots.iter_mut().for_each(|(_, asker)| asker.forgive_revoked());
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
