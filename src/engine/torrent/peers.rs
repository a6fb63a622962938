//! Greeting peers, losing them, and what is told to each first.

use std::net::SocketAddr;

use crate::base::{Bitfield, ConnKey, limits};
use crate::engine::Output;
use crate::engine::shared::Shared;
use crate::peer::allowed_fast_set;
use crate::swarm::Why;
use crate::wire::peer::{Handshake, Message, Reserved, extended};

use super::Torrent;
use super::link::Link;

/// Pieces that a newcomer may have while choked (BEP 6).
const ALLOWED_FAST: usize = 8;
/// What we call ourselves (BEP 10).
const CLIENT: &str = concat!("Fyris ", env!("CARGO_PKG_VERSION"));

/// Why a link ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parting {
    /// The other side has left, or the connection broke.
    Theirs,
    /// It has nothing for us and we have nothing for it, or there is no more room.
    Idle,
    /// It broke the rules.
    Broken,
    /// It sent wrong data.
    Liar,
    /// The torrent stops.
    Stop,
}

impl Torrent {
    /// Our first 68 bytes.
    pub(in crate::engine) fn hello(&self) -> Handshake {
        Handshake { info_hash: self.info_hash, peer_id: self.peer_id, reserved: Reserved::ours() }
    }

    /// Whether somebody who connected may be a peer of this torrent.
    pub(in crate::engine) fn accepts(&self, addr: SocketAddr, shared: &Shared) -> bool {
        let room = self.links.len() + self.connecting < self.most_links(shared);
        self.running && room && !self.roster.is_banned(addr, shared.now)
    }

    /// Connections that this torrent may have (the thesis's Max_N).
    pub(super) fn most_links(&self, shared: &Shared) -> usize {
        shared.settings.max_connections_per_torrent as usize
    }

    /// Somebody has said who he is. Gives back the connection to be ended where it is one too many, or none of use.
    pub(in crate::engine) fn greeted(
        &mut self,
        conn: ConnKey,
        addr: SocketAddr,
        theirs: Handshake,
        shared: &mut Shared,
    ) -> Result<(), ()> {
        if theirs.peer_id == self.peer_id {
            if !conn.is_incoming() {
                self.roster.failed(addr, shared.now, Why::Itself);
            }
            self.twins.forget(conn);
            return Err(());
        }
        let met = self.met_already(conn, theirs.peer_id).map(|link| link.conn);
        // Who was told of further doors may come through them.
        let one_too_many = met.filter(|met| !self.twins.receive(conn, *met));
        let first = self.twins.first_of(conn);
        if let Some(old) = one_too_many {
            // Both sides connected at once: each keeps the connection that the one with the greater id began.
            let ours_stays = self.peer_id > theirs.peer_id;
            let old_is_ours = !old.is_incoming();
            let replace = old_is_ours == conn.is_incoming() && old_is_ours != ours_stays;
            if !conn.is_incoming() && first.is_none() {
                self.roster.failed(addr, shared.now, Why::Duplicate);
            }
            if !replace {
                self.twins.forget(conn);
                return Err(());
            }
            self.part(old, Parting::Idle, shared);
        }
        if !conn.is_incoming() && first.is_none() {
            self.roster.connected(addr, shared.now);
        }
        if first.is_none() {
            self.hide_from_newcomer();
        }
        let mut link = Link::new(conn, addr, theirs.peer_id, theirs.reserved, shared.now);
        self.introduce(&mut link, shared);
        self.links.insert(conn, link);
        self.timers.tick = self.timers.tick.min(shared.now + super::settle::TICK);
        if self.content.is_some() {
            let has = Bitfield::new(self.all_pieces().len());
            self.set_has(conn, has, shared);
        }
        Ok(())
    }

    /// Tells a new peer what we have and can do.
    fn introduce(&mut self, link: &mut Link, shared: &Shared) {
        let metadata_size = self.content.as_ref().and_then(|content| {
            u32::try_from(content.meta.info.len()).ok().filter(|size| *size <= limits::METADATA_BYTES)
        });
        if link.reserved.extended() {
            let hello = extended::Handshake {
                ids: extended::Ids::ours(),
                client: Some(CLIENT.into()),
                reqq: Some(limits::REQUESTS_IN as u32),
                metadata_size,
                port: Some(shared.port()).filter(|port| *port != 0),
                your_ip: Some(link.addr.ip()),
                // Who hides its pieces would be taken for a peer of no use.
                upload_only: self.is_complete() && !self.is_hiding(),
            };
            link.say(Message::Extended { id: extended::HANDSHAKE_ID, payload: hello.encode() });
        }
        let fast = link.reserved.fast();
        let Some(content) = &self.content else {
            if fast {
                link.say(Message::HaveNone);
            }
            return;
        };
        let have = content.pieces.have();
        if content.superseed.is_some() {
            // Some programs wait for the pieces of a peer before all else, be there none.
            link.say(if fast {
                Message::HaveNone
            } else {
                Message::Bitfield(vec![0; have.as_bytes().len()].into())
            });
            return;
        }
        match (fast, have.none(), have.all()) {
            (true, true, _) => link.say(Message::HaveNone),
            (true, false, true) => link.say(Message::HaveAll),
            (false, true, _) => {}
            _ => link.say(Message::Bitfield(bytes::Bytes::copy_from_slice(have.as_bytes()))),
        }
        if fast && !have.none() {
            let pieces = content.meta.layout.piece_count();
            link.allowed = allowed_fast_set(link.addr.ip(), self.info_hash, pieces, ALLOWED_FAST);
            for piece in link.allowed.clone().into_iter().filter(|piece| have.contains(*piece)) {
                link.say(Message::AllowedFast(piece));
            }
        }
    }

    /// A peer's pieces are known, or known anew.
    pub(super) fn set_has(&mut self, conn: ConnKey, has: Bitfield, shared: &mut Shared) {
        let Some(content) = &mut self.content else { return };
        let Some(link) = self.links.get_mut(&conn) else { return };
        if let Some(before) = &link.has {
            content.picker.peer_leaves(before);
        }
        content.picker.peer_has(&has);
        if let Some(superseed) = &mut content.superseed {
            superseed.peer_joins(conn, &has);
            if has.all() {
                // There is another seed: nothing is gained by hiding.
                self.end_hiding();
            }
        }
        let Some(link) = self.links.get_mut(&conn) else { return };
        self.roster.set_seed(link.addr, has.all());
        link.has = Some(has);
        self.weigh_interest(conn);
        self.show_more(conn, shared.now);
    }

    /// Says whether the peer has something for us.
    pub(super) fn weigh_interest(&mut self, conn: ConnKey) {
        let downloading = self.is_downloading();
        let (Some(content), Some(link)) = (&self.content, self.links.get_mut(&conn)) else { return };
        let wants = downloading && link.has.as_ref().is_some_and(|has| content.pieces.wants_from(has));
        if wants != link.interesting {
            link.interesting = wants;
            link.say(if wants { Message::Interested } else { Message::NotInterested });
        }
        link.hungry |= wants;
    }

    /// Ends a link from our side.
    pub(super) fn part(&mut self, conn: ConnKey, why: Parting, shared: &mut Shared) {
        if self.forget_link(conn, why, shared) {
            shared.forget(conn);
            shared.emit(Output::Close { conn });
        }
    }

    /// A link has ended; its books are closed. False where there was none.
    pub(in crate::engine) fn lost(&mut self, conn: ConnKey, broken: bool, shared: &mut Shared) -> bool {
        let why = if broken { Parting::Broken } else { Parting::Theirs };
        self.forget_link(conn, why, shared)
    }

    fn forget_link(&mut self, conn: ConnKey, why: Parting, shared: &mut Shared) -> bool {
        let Some(mut link) = self.links.remove(&conn) else { return false };
        self.twins.forget(conn);
        let now = shared.now;
        shared.sending.taken(&mut link.unsent, u64::MAX);
        if let Some(content) = &mut self.content {
            content.picker.peer_gone(conn);
            if let Some(has) = &link.has {
                content.picker.peer_leaves(has);
            }
        }
        self.hide_no_longer_from(conn);
        if let Some(fetch) = &mut self.fetch {
            fetch.gone(conn);
        }
        let connected = self.links.values().any(|other| other.addr == link.addr);
        match why {
            Parting::Theirs | Parting::Idle | Parting::Stop | Parting::Broken if connected => {}
            Parting::Theirs | Parting::Idle | Parting::Stop => self.roster.disconnected(link.addr, now),
            Parting::Broken => self.roster.failed(link.addr, now, Why::Broken),
            Parting::Liar => self.roster.ban(link.addr, now),
        }
        self.timers.choke_soon |= !link.choked;
        // What was asked of it is asked of others.
        self.links.values_mut().for_each(|other| other.hungry = true);
        true
    }

    /// Ends every link.
    pub(super) fn drop_all_links(&mut self, shared: &mut Shared) {
        let all: Vec<ConnKey> = self.links.keys().copied().collect();
        for conn in all {
            self.part(conn, Parting::Stop, shared);
        }
        shared.abandon_connecting(self.key);
        self.connecting = 0;
        self.twins = super::twins::Twins::default();
    }
}
