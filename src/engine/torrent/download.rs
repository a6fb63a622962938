//! Asking for blocks and taking them.

use bytes::Bytes;

use crate::base::{BLOCK_SIZE, BlockRef, ConnKey, Moment, PieceIndex, limits};
use crate::disk::{DiskError, Job, Verdict};
use crate::engine::limits::Way;
use crate::engine::shared::Shared;
use crate::hash::sha1;
use crate::swarm::{Received, Sender, Speed};
use crate::wire::peer::Message;

use super::Torrent;
use super::content::Arriving;
use super::messages::Breach;
use super::peers::Parting;

/// Blocks that follow each other are given to the disk when there are so many bytes of them.
const RUN_BYTES: u32 = 128 * 1024;
/// So many blocks of one piece are asked for before some of the next, where a peer is so fast that what it is asked for at
/// once comes within this part of a second: the pieces arrive, and are hashed, side by side.
const SIDE_BY_SIDE: usize = 4;
const SIDE_BY_SIDE_PART: u64 = 4;
/// From so many blocks on a peer's queue is long.
const LONG_QUEUE: usize = 256;
/// Blocks that nobody asked for, taken from one peer before it is sent away.
const UNASKED: usize = 4 * limits::REQUESTS_OUT;
/// A peer that delivers a piece within so many seconds gets pieces of its own; a piece that takes longer is sooner passed on
/// where several deliver it together.
const FAST_PIECE_SECS: u64 = 3;

impl Torrent {
    /// Asks every peer that has room for more; says whether a limit stopped it.
    pub(super) fn ask_peers(&mut self, shared: &mut Shared) {
        let hungry: Vec<ConnKey> =
            self.links.values().filter(|link| link.hungry).map(|link| link.conn).collect();
        if hungry.is_empty() {
            return;
        }
        if !self.is_downloading() || self.fault.is_some() {
            hungry.iter().for_each(|conn| self.sate(*conn));
            return;
        }
        for conn in hungry {
            if !shared.disk_keeps_up() {
                return;
            }
            self.ask_peer(conn, shared);
        }
    }

    fn sate(&mut self, conn: ConnKey) {
        if let Some(link) = self.links.get_mut(&conn) {
            link.hungry = false;
        }
    }

    fn ask_peer(&mut self, conn: ConnKey, shared: &mut Shared) {
        let now = shared.now;
        let (Some(content), Some(link)) = (&mut self.content, self.links.get_mut(&conn)) else { return };
        let Some(has) = link.has.as_ref().filter(|_| link.may_ask()) else {
            link.hungry = false;
            return;
        };
        let asked = content.picker.requested_of(conn);
        let mut room = link.pipeline.target().saturating_sub(asked);
        // Topping up a long queue block by block would send a message for each; a part of it may be empty first, a third of
        // one so long that what is asked for at once is several pieces.
        let enough = if asked >= LONG_QUEUE { asked / 2 } else { asked / 4 };
        if room == 0 || (room < enough && asked > 8) {
            link.hungry = false;
            return;
        }
        let limited = shared.common.is_limited(Way::Down, &self.own_limits, &self.choices.label);
        let rate = link.down.rate(now);
        let piece_bytes = u64::from(content.meta.layout.piece_length());
        let speed =
            if rate.saturating_mul(FAST_PIECE_SECS) >= piece_bytes { Speed::Fast } else { Speed::Slow };
        let mut blocks: Vec<BlockRef> = Vec::new();
        let only = link.choking_us.then_some(&link.allowed_us[..]);
        link.hungry = false;
        while room > 0 {
            let (own, label) = (&mut self.own_limits, &self.choices.label);
            if limited && let Some(at) = shared.common.wait(Way::Down, own, label, now) {
                self.timers.throttled = self.timers.throttled.min(at);
                link.hungry = true;
                break;
            }
            let count = if limited { 1 } else { room };
            let before = blocks.len();
            content.picker.pick(&content.pieces, conn, has, count, speed, only, &mut blocks);
            let bytes: u64 = blocks[before..].iter().map(|block| u64::from(block.len)).sum();
            if bytes == 0 {
                break;
            }
            shared.common.take(Way::Down, own, label, now, bytes);
            room = room.saturating_sub(blocks.len() - before);
            if !limited {
                break;
            }
        }
        if speed == Speed::Fast && rate / SIDE_BY_SIDE_PART >= blocks.len() as u64 * u64::from(BLOCK_SIZE) {
            content.picker.side_by_side(conn, &mut blocks, SIDE_BY_SIDE);
        }
        let mut last = None;
        for block in &blocks {
            if last != Some(block.piece) {
                content.durable.suspect(block.piece);
                last = Some(block.piece);
            }
            link.say(Message::Request(*block));
        }
        if blocks.is_empty() {
            if asked == 0 && !link.hungry {
                self.weigh_again(conn);
            }
        } else {
            link.pipeline.asked(now);
            if rate >= super::twins::FAST && !limited {
                self.connect_again(conn, shared);
            }
        }
    }

    /// A peer of which nothing was asked may have nothing left for us.
    fn weigh_again(&mut self, conn: ConnKey) {
        self.weigh_interest(conn);
        self.sate(conn);
    }

    /// A block has come.
    pub(super) fn block_came(
        &mut self,
        conn: ConnKey,
        piece: PieceIndex,
        begin: u32,
        data: Bytes,
        shared: &mut Shared,
    ) -> Result<(), Breach> {
        let now = shared.now;
        let (Some(content), Some(link)) = (&mut self.content, self.links.get_mut(&conn)) else {
            return Ok(());
        };
        let len = data.len() as u32;
        let block = BlockRef { piece, begin, len };
        let bytes = u64::from(len);
        link.down.add(now, bytes);
        self.down.add(now, bytes);
        match content.picker.received(conn, block) {
            Received::New { piece_complete: _, also_asked } => {
                let sender = Sender { conn, addr: link.addr };
                content.trust.sent(block, sender);
                for other in also_asked {
                    if let Some(other) = self.links.get_mut(&other) {
                        other.say(Message::Cancel(block));
                        other.hungry = true;
                    }
                }
                self.take_block(block, data, shared);
                Ok(())
            }
            Received::Duplicate => {
                self.wasted += bytes;
                Ok(())
            }
            Received::Unrequested => {
                self.wasted += bytes;
                // Blocks that were asked for before a choke, and taken back, may still come; more than that is abuse.
                link.unasked += 1;
                if link.unasked > UNASKED { Err(Breach) } else { Ok(()) }
            }
        }
    }

    /// The end of a batch with blocks in it.
    pub(super) fn blocks_came(&mut self, conn: ConnKey, count: usize, now: Moment) {
        let (Some(content), Some(link)) = (&self.content, self.links.get_mut(&conn)) else { return };
        let expected = content.picker.requested_of(conn) > 0;
        link.pipeline.received(now, count, expected);
        link.hungry = true;
        self.save_later(now);
    }

    /// Gives what follows without a gap to the disk.
    fn take_block(&mut self, block: BlockRef, data: Bytes, shared: &mut Shared) {
        let key = self.key;
        let Some(content) = &mut self.content else { return };
        let size = content.meta.layout.piece_size(block.piece);
        let arriving = content.arriving.entry(block.piece).or_default();
        arriving.add(block.begin, data);
        let end = arriving.begin + arriving.bytes;
        let last = end == size;
        if arriving.bytes < RUN_BYTES && !last {
            return;
        }
        let suspect = content.trust.is_suspect(block.piece);
        let (begin, blocks) = arriving.take_run(suspect);
        shared.writing += blocks.iter().map(|block| block.len() as u64).sum::<u64>();
        shared.disk(Job::Store { torrent: key, piece: block.piece, begin, blocks, last });
    }

    /// The disk has dealt with a piece.
    pub(in crate::engine) fn stored(
        &mut self,
        piece: PieceIndex,
        outcome: Result<Verdict, DiskError>,
        shared: &mut Shared,
    ) {
        let Some(content) = &mut self.content else { return };
        // A piece that was given up meanwhile (a stop, a recheck) is not taken for what it was.
        let Some(arriving) = content.arriving.remove(&piece) else { return };
        match outcome {
            Ok(Verdict::Good) => {
                let liars = content.trust.acquit(piece, &arriving.digests);
                content.picker.piece_done(piece);
                if content.pieces.insert(piece) {
                    content.durable.verified(piece, shared.now);
                    self.piece_is_had(piece, shared);
                }
                self.punish(&liars, shared);
            }
            Ok(Verdict::Bad { blocks }) => {
                self.wasted += u64::from(content.meta.layout.piece_size(piece));
                content.picker.piece_failed(piece);
                let blame = content.trust.blame(piece, blocks);
                if blame.parole {
                    content.picker.set_parole(piece);
                }
                self.links.values_mut().for_each(|link| link.hungry = true);
                self.punish(&blame.liars, shared);
            }
            Err(error) => {
                content.picker.piece_failed(piece);
                content.trust.forget(piece);
                self.fail(&error, shared);
            }
        }
    }

    /// Everybody is told of a new piece, and what follows from it is done.
    fn piece_is_had(&mut self, piece: PieceIndex, shared: &mut Shared) {
        for link in self.links.values_mut() {
            link.say(Message::Have(piece));
        }
        if !self.is_complete() {
            return;
        }
        self.announcer.completed(shared.now);
        if let Some(content) = &mut self.content {
            content.durable.hurry(shared.now);
        }
        self.timers.choke_soon = true;
        let upload_only = crate::wire::peer::extended::UploadOnly(true).encode();
        let all: Vec<ConnKey> = self.links.keys().copied().collect();
        for conn in all {
            self.weigh_interest(conn);
            if let Some(link) = self.links.get_mut(&conn) {
                link.say_extended(link.extended.ids.upload_only, upload_only.clone());
            }
        }
    }

    /// Those who lied are sent away and not met again.
    fn punish(&mut self, liars: &[Sender], shared: &mut Shared) {
        for liar in liars {
            self.roster.ban(liar.addr, shared.now);
            let here: Vec<ConnKey> = self
                .links
                .values()
                .filter(|link| link.conn == liar.conn || link.addr == liar.addr)
                .map(|link| link.conn)
                .collect();
            for conn in here {
                self.part(conn, Parting::Liar, shared);
            }
        }
    }
}

impl Arriving {
    /// Puts a block in its place.
    fn add(&mut self, begin: u32, data: Bytes) {
        if begin != self.begin + self.bytes {
            self.later.insert(begin, data);
            return;
        }
        self.bytes += data.len() as u32;
        self.run.push(data);
        while let Some(next) = self.later.remove(&(self.begin + self.bytes)) {
            self.bytes += next.len() as u32;
            self.run.push(next);
        }
    }

    /// The blocks that follow each other, and where the first begins.
    fn take_run(&mut self, keep_digests: bool) -> (u32, Vec<Bytes>) {
        let (begin, blocks) = (self.begin, std::mem::take(&mut self.run));
        if keep_digests {
            self.digests.extend(blocks.iter().map(|block| sha1(block)));
        }
        self.begin += std::mem::take(&mut self.bytes);
        (begin, blocks)
    }
}

impl Torrent {
    /// What is wanted has changed: peers are weighed anew, and what is complete now is finished.
    pub(in crate::engine) fn wants_changed(&mut self, shared: &mut Shared) {
        let all: Vec<ConnKey> = self.links.keys().copied().collect();
        for conn in all {
            self.weigh_interest(conn);
        }
        if let Some(content) = &mut self.content {
            if content.pieces.is_complete() {
                content.durable.hurry(shared.now);
            } else if content.finished {
                content.finished = false;
                self.began_at = shared.now;
            }
        }
        self.finish_if_complete(shared);
    }
}
