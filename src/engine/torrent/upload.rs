//! Serving blocks, and choosing whom to serve.

use bytes::Bytes;

use crate::base::{BLOCK_SIZE, BlockRef, ConnKey, Moment};
use crate::disk::DiskError;
use crate::engine::limits::Way;
use crate::engine::shared::Shared;
use crate::peer::Asked;
use crate::swarm::{Candidate, Upload};
use crate::wire::peer::Message;

use super::Torrent;
use super::link::Link;
use super::messages::Breach;

/// Blocks given to one peer before the next has its turn.
const TURN: usize = 16;
/// Blocks looked at for runs to be read before they are due. Where several pieces are asked for side by side, the next run of
/// each is due at about the same time.
const AHEAD: usize = 192;

impl Torrent {
    /// A peer asks for a block.
    pub(super) fn asked_for(&mut self, conn: ConnKey, block: BlockRef) -> Result<(), Breach> {
        let (content, link) = (self.content.as_ref(), self.links.get_mut(&conn));
        let Some(link) = link else { return Ok(()) };
        let fits = content.is_some_and(|content| content.meta.layout.holds(block));
        if !fits || block.len == 0 || block.len > BLOCK_SIZE {
            return Err(Breach);
        }
        let had =
            content.is_some_and(|content| content.is_ready() && content.pieces.have().contains(block.piece));
        let allowed = !link.choked || link.allowed.contains(&block.piece);
        let queued = had && allowed && link.uploads.add(block) != Asked::Full;
        if !queued && link.reserved.fast() {
            link.say(Message::Reject(block));
        }
        Ok(())
    }

    /// A peer wants something; where there is room it is served at once.
    pub(super) fn became_interested(&mut self, conn: ConnKey, shared: &mut Shared) {
        let taken = self.links.values().filter(|link| !link.choked && link.interested).count();
        let Some(link) = self.links.get_mut(&conn) else { return };
        link.interested = true;
        if link.choked && !link.is_seed() && self.choker.unchoke_now(taken) {
            link.unchoke(shared.now);
        }
    }

    /// Gives blocks to peers in turn, as far as limits and sockets allow.
    pub(super) fn serve_peers(&mut self, shared: &mut Shared) {
        let mut turn: Vec<ConnKey> =
            self.links.values().filter(|link| link.may_be_served(shared)).map(|link| link.conn).collect();
        if turn.is_empty() {
            return;
        }
        // Who comes first changes, so that a limit is shared fairly.
        let first = self.rng.below(turn.len());
        turn.rotate_left(first);
        let limited = shared.common.is_limited(Way::Up, &self.own_limits, &self.choices.label);
        let count = if limited { 1 } else { TURN };
        loop {
            let mut served = Vec::with_capacity(turn.len());
            for conn in turn {
                match self.serve_peer(conn, count, shared) {
                    Served::Some => served.push(conn),
                    Served::Nothing => {}
                    Served::Limit(until) => {
                        self.timers.throttled = self.timers.throttled.min(until);
                        return;
                    }
                }
            }
            if served.is_empty() {
                return;
            }
            turn = served;
        }
    }

    fn serve_peer(&mut self, conn: ConnKey, count: usize, shared: &mut Shared) -> Served {
        let (key, now) = (self.key, shared.now);
        let (Some(content), Some(link)) = (&mut self.content, self.links.get_mut(&conn)) else {
            return Served::Nothing;
        };
        let layout = &content.meta.layout;
        let mut served = Served::Nothing;
        for _ in 0..count {
            if !link.may_be_served(shared) {
                break;
            }
            let Some(block) = link.uploads.first() else { break };
            let (own, label) = (&mut self.own_limits, &self.choices.label);
            if let Some(at) = shared.common.wait(Way::Up, own, label, now) {
                return Served::Limit(at);
            }
            let Some(data) = content.reads.block(key, layout, block, shared) else { break };
            link.uploads.take_first();
            let bytes = data.len() as u64;
            shared.common.take(Way::Up, own, label, now, bytes);
            shared.sending.given(&mut link.unsent, bytes);
            link.say(Message::Piece { piece: block.piece, begin: block.begin, data });
            served = Served::Some;
        }
        content.reads.ahead(key, layout, link.uploads.iter().take(AHEAD), shared);
        served
    }

    /// The system has taken blocks that were given to a socket.
    pub(in crate::engine) fn sent(&mut self, conn: ConnKey, bytes: u64, shared: &mut Shared) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        let bytes = shared.sending.taken(&mut link.unsent, bytes);
        link.up.add(shared.now, bytes);
        link.sent_in_turn += bytes;
        link.said_at = shared.now;
        self.up.add(shared.now, bytes);
        shared.common.sent(&self.choices.label, shared.now, bytes);
        self.seeding.gave(shared.now);
        self.save_later(shared.now);
        self.open_doors(conn, shared);
    }

    /// A run was read.
    pub(in crate::engine) fn read(
        &mut self,
        run: BlockRef,
        outcome: Result<Bytes, DiskError>,
        shared: &mut Shared,
    ) {
        let Some(content) = &mut self.content else { return };
        match outcome {
            Ok(bytes) => content.reads.arrived(run, bytes),
            Err(error) => {
                content.reads.failed(run);
                for link in self.links.values_mut() {
                    let refused = link.uploads.drop_unless(|block| block.piece != run.piece);
                    link.reject(refused);
                }
                self.fail(&error, shared);
            }
        }
    }

    /// Decides anew whom to serve.
    pub(super) fn choke_round(&mut self, shared: &mut Shared) {
        self.timers.choke_soon = false;
        let now = shared.now;
        let seeding = !self.is_downloading();
        let own = (self.choices.limits.up, self.up.rate(now));
        let (limit, rate) = shared.common.tightest(own, &self.choices.label, now);
        let upload = Upload { limit, rate };
        let peers: Vec<Candidate> = self.links.values_mut().map(|link| link.candidate(now)).collect();
        let changes = self.choker.round(now, seeding, upload, &peers);
        for conn in changes.choke {
            if let Some(link) = self.links.get_mut(&conn) {
                link.choke(now);
            }
        }
        for conn in changes.unchoke {
            if let Some(link) = self.links.get_mut(&conn) {
                link.unchoke(now);
            }
        }
    }
}

/// What came of a peer's turn.
enum Served {
    Some,
    Nothing,
    /// A limit is used up until then.
    Limit(Moment),
}

impl Link {
    fn may_be_served(&self, shared: &Shared) -> bool {
        !self.uploads.is_empty() && shared.sending.may_give(self.unsent)
    }

    fn unchoke(&mut self, now: Moment) {
        (self.choked, self.turned_at, self.sent_in_turn) = (false, now, 0);
        self.say(Message::Unchoke);
    }

    /// Serves it no more; what it asked for is rejected, or forgotten where it cannot be told (BEP 6).
    fn choke(&mut self, now: Moment) {
        (self.choked, self.turned_at) = (true, now);
        self.say(Message::Choke);
        let allowed = std::mem::take(&mut self.allowed);
        let dropped = self.uploads.drop_unless(|block| allowed.contains(&block.piece));
        self.allowed = allowed;
        self.reject(dropped);
    }

    fn reject(&mut self, blocks: Vec<BlockRef>) {
        if self.reserved.fast() {
            blocks.into_iter().for_each(|block| self.say(Message::Reject(block)));
        }
    }

    fn candidate(&mut self, now: Moment) -> Candidate {
        Candidate {
            peer: self.conn,
            interested: self.interested,
            unchoked: !self.choked,
            snubbed: self.pipeline.is_snubbed(),
            is_seed: self.is_seed(),
            down_rate: self.down.rate(now),
            up_rate: self.up.rate(now),
            connected_at: self.connected_at,
            changed_at: self.turned_at,
            sent: self.sent_in_turn,
        }
    }
}
