//! What came of what was asked for.

use super::choose::Picker;
use super::open::Block;
use crate::base::{BlockRef, ConnKey, PieceIndex};

/// What a block is that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// It was missing.
    New {
        /// Whether the piece has all its blocks now.
        piece_complete: bool,
        /// Other peers that were asked for it too and are to be told not to send it.
        also_asked: Vec<ConnKey>,
    },
    /// It was asked of this peer once, but is here already.
    Duplicate,
    /// It was not asked of this peer.
    Unrequested,
}

impl Picker {
    /// A block has come from a peer.
    pub fn received(&mut self, peer: ConnKey, block: BlockRef) -> Received {
        let Some(who) = self.askers.id(peer) else { return Received::Unrequested };
        let asker = self.askers.get_mut(who);
        if !asker.strike(block) && !asker.comes_late(block) {
            return Received::Unrequested;
        }
        let Some((id, state)) = self.open.state(&self.layout, block) else { return Received::Duplicate };
        if state == Block::Done {
            return Received::Duplicate;
        }
        let asked = self.open.arrived(id, block);
        let mut also_asked = Vec::new();
        for other in asked.into_iter().filter(|other| *other != who) {
            let other = self.askers.get_mut(other);
            if other.strike(block) {
                other.may_come(block);
                also_asked.push(other.key);
            }
        }
        Received::New { piece_complete: self.open.get(id).is_whole(), also_asked }
    }

    /// The peer will not deliver a block that was asked of it: rejected, too late, or cancelled. Where it comes all the
    /// same, it is welcome.
    pub fn give_back(&mut self, peer: ConnKey, block: BlockRef) {
        if let Some(who) = self.askers.id(peer)
            && self.askers.get_mut(who).strike(block)
        {
            self.askers.get_mut(who).may_come(block);
            self.release(who, block);
        }
    }

    /// The peer rejected a request for a piece that it has (BEP 6): it is asked for nothing of it until forgiven.
    ///
    /// Where that answers our own cancel, somebody else has given the block, and only until one of the others gives nothing
    /// any more: what is asked of two in the end game comes twice, so that few should be asked again.
    pub fn refused(&mut self, peer: ConnKey, block: BlockRef) {
        let Some(who) = self.askers.id(peer) else { return };
        let asker = self.askers.get(who);
        let revoked = !asker.asked.contains(&block) && asker.is_late(block);
        self.give_back(peer, block);
        self.askers.get_mut(who).refuse(block.piece, revoked);
    }

    /// The peer may be asked for everything again: it has unchoked us.
    pub fn forgive(&mut self, peer: ConnKey) {
        if let Some(who) = self.askers.id(peer) {
            self.askers.get_mut(who).forgive();
        }
    }

    /// The peer will deliver nothing of what was asked of it: it choked us, or was silent for too long.
    pub fn give_back_all(&mut self, peer: ConnKey) {
        let Some(who) = self.askers.id(peer) else { return };
        if !self.askers.get(who).asked.is_empty() {
            self.askers.forgive_revoked();
        }
        while let Some(block) = self.askers.get_mut(who).asked.pop_front() {
            self.askers.get_mut(who).may_come(block);
            self.release(who, block);
        }
    }

    /// The peer has left: everything that was asked of it is free again.
    pub fn peer_gone(&mut self, peer: ConnKey) {
        self.give_back_all(peer);
        let Some(who) = self.askers.id(peer) else { return };
        let owned: Vec<usize> = self.open.ids().filter(|id| self.open.get(*id).owner == Some(who)).collect();
        for id in owned {
            self.open.get_mut(id).owner = None;
        }
        self.askers.leave(peer);
    }

    /// The piece is verified, wherever it came from.
    pub fn piece_done(&mut self, piece: PieceIndex) {
        self.parole.remove(&piece);
        if piece.at() < self.layout.piece_count() as usize {
            self.pool.take(piece);
        }
        self.drop_open(piece);
    }

    /// The piece was wrong or could not be stored: all of it is to be fetched anew.
    pub fn piece_failed(&mut self, piece: PieceIndex) {
        if let Some(level) = self.drop_open(piece) {
            self.pool.put(piece, level);
        }
    }

    /// From now on the piece is asked of one peer alone, so that it is known who is to blame for it.
    pub fn set_parole(&mut self, piece: PieceIndex) {
        self.parole.insert(piece);
    }

    /// Whether the piece is asked of one peer alone.
    pub fn is_parole(&self, piece: PieceIndex) -> bool {
        self.parole.contains(&piece)
    }

    /// Forgets what is known of an open piece; the level at which it is wanted, where it was open and is.
    fn drop_open(&mut self, piece: PieceIndex) -> Option<usize> {
        let id = self.open.id(piece)?;
        for number in 0..self.layout.block_count(piece) {
            let Some(block) = self.layout.block(piece, number) else { break };
            for who in self.open.arrived(id, block) {
                let asker = self.askers.get_mut(who);
                if asker.strike(block) {
                    asker.may_come(block);
                }
            }
        }
        self.open.close(id).level
    }

    /// Takes back what was asked of a peer; a piece of which nothing came and nothing is expected returns to the pool.
    fn release(&mut self, who: usize, block: BlockRef) {
        let Some((id, _)) = self.open.state(&self.layout, block) else { return };
        self.open.give_back(id, block, who);
        if self.open.get(id).is_untouched() {
            let partial = self.open.close(id);
            if let Some(level) = partial.level {
                self.pool.put(partial.piece, level);
            }
        }
    }
}
