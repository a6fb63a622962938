//! Hiding pieces as the only seed, so that nothing is sent twice before all is out (BEP 16).
//!
//! It begins when a second download arrives: a single one can get nothing from anybody else, so that there is nothing to be
//! spared, and some programs are slow with a peer that shows its pieces one by one.

use crate::base::{Bitfield, ConnKey, Moment, PieceIndex};
use crate::swarm::SuperSeed;
use crate::wire::peer::Message;
use crate::wire::peer::extended::UploadOnly;

use super::Torrent;
use super::link::Link;

/// Pieces that can be hidden: each is shown by a message of its own in the end.
const HIDEABLE: usize = 20_000;

impl Torrent {
    /// Whether it hides pieces.
    pub(super) fn is_hiding(&self) -> bool {
        self.content.as_ref().is_some_and(|content| content.superseed.is_some())
    }

    /// Begins to hide, where it is the only seed and one more peer comes to one that downloads.
    pub(super) fn hide_from_newcomer(&mut self) {
        let seeds = self.links.values().any(Link::has_everything)
            || self.announcer.swarm().is_some_and(|(_, complete)| complete > 1);
        if seeds || self.is_hiding() || self.links.is_empty() || !self.is_complete() {
            return;
        }
        let Some(content) = &mut self.content else { return };
        let pieces = content.pieces.have().len();
        if !content.pieces.is_seed() || !(2..=HIDEABLE).contains(&pieces) {
            return;
        }
        let mut superseed = SuperSeed::new(content.meta.layout.piece_count(), self.rng.fork());
        for link in self.links.values_mut() {
            link.sees_all = true;
            superseed.peer_joins(link.conn, link.has.as_ref().unwrap_or(&Bitfield::new(pieces)));
        }
        content.superseed = Some(superseed);
    }

    /// Shows everything, where hiding is of no more use.
    pub(super) fn end_hiding(&mut self) {
        let Some(content) = &mut self.content else { return };
        if content.superseed.take().is_none() {
            return;
        }
        for link in self.links.values_mut() {
            let lacks = |piece: &PieceIndex| !link.has.as_ref().is_some_and(|has| has.contains(*piece));
            let hidden = content.meta.layout.pieces().filter(|_| !link.sees_all);
            let hidden: Vec<PieceIndex> = hidden.filter(lacks).collect();
            hidden.into_iter().for_each(|piece| link.say(Message::Have(piece)));
            link.sees_all = true;
            link.say_extended(link.extended.ids.upload_only, UploadOnly(true).encode());
        }
    }

    /// A peer that may have been hidden from has left.
    pub(super) fn hide_no_longer_from(&mut self, conn: ConnKey) {
        let Some(superseed) = self.content.as_mut().and_then(|content| content.superseed.as_mut()) else {
            return;
        };
        superseed.peer_leaves(conn);
        if self.links.len() < 2 {
            self.end_hiding();
        }
    }

    /// A peer has got a piece while we hide what we have.
    pub(super) fn hidden_from_has(&mut self, conn: ConnKey, piece: PieceIndex, now: Moment) {
        let Some(superseed) = self.content.as_mut().and_then(|content| content.superseed.as_mut()) else {
            return;
        };
        let passed_on = superseed.peer_has(conn, piece, now);
        if superseed.finished() {
            self.end_hiding();
            return;
        }
        self.show_more(conn, now);
        if let Some(keeper) = passed_on {
            self.show_more(keeper, now);
        }
    }

    /// Shows a peer the pieces that it may have next.
    pub(super) fn show_more(&mut self, conn: ConnKey, now: Moment) {
        let (Some(content), Some(link)) = (&mut self.content, self.links.get_mut(&conn)) else { return };
        let Some(superseed) = content.superseed.as_mut().filter(|_| !link.sees_all) else { return };
        while let Some(piece) = superseed.reveal(conn, now) {
            link.say(Message::Have(piece));
        }
    }
}
