//! Trackers, addresses, and whom to connect to.

use std::net::SocketAddr;

use crate::announce::{Answer, Facts, Failure, Stats};
use crate::base::ConnKey;
use crate::engine::Output;
use crate::engine::shared::Shared;
use crate::swarm::{Found, Why};

use super::Torrent;

impl Torrent {
    /// Peers that the magnet link names (BEP 9).
    pub(super) fn add_hinted_peers(&mut self, shared: &Shared) {
        let Some(magnet) = &self.magnet else { return };
        let hinted: Vec<SocketAddr> = magnet.peers.iter().filter_map(|peer| peer.parse().ok()).collect();
        self.add_peers(&hinted, shared);
    }

    /// Peers given by hand.
    pub(in crate::engine) fn add_peers(&mut self, peers: &[SocketAddr], shared: &Shared) {
        for peer in peers.iter().filter(|peer| !shared.is_own(**peer)) {
            self.roster.add(*peer, Found::Hand, shared.now);
        }
    }

    /// Asks the trackers that are due.
    pub(super) fn ask_trackers(&mut self, shared: &mut Shared) {
        let stats = self.stats(shared);
        let facts = Facts { info_hash: self.info_hash, peer_id: self.peer_id, port: shared.port() };
        while let Some(request) = self.announcer.poll(shared.now, stats) {
            shared.emit(Output::Announce { torrent: self.key, facts, request });
        }
    }

    /// Asks the trackers as soon as they allow.
    pub(in crate::engine) fn announce_now(&mut self, shared: &Shared) {
        self.announcer.ask_now(shared.now);
    }

    /// A tracker has answered; true where a torrent at rest is to wake for it.
    pub(in crate::engine) fn announced(
        &mut self,
        id: u64,
        answer: Result<Answer, Failure>,
        shared: &mut Shared,
    ) -> bool {
        for peer in self.announcer.handle(shared.now, id, answer) {
            if !shared.is_own(peer) {
                self.roster.add(peer, Found::Tracker, shared.now);
            }
        }
        self.is_asleep() && self.hears_of_peers(shared)
    }

    fn stats(&self, shared: &Shared) -> Stats {
        let content = self.content.as_ref();
        // Without metadata nobody knows how much is missing, but it is more than nothing.
        let left = content.map_or(1, |content| content.pieces.total_left());
        let (left, complete) = match &self.sleep {
            Some(sleep) => (sleep.left, sleep.complete),
            None => (left, self.is_complete()),
        };
        Stats {
            uploaded: self.up.total(),
            downloaded: self.down.total(),
            left,
            // A seed asks too: one that nobody can connect to reaches others only by itself.
            want_peers: self.links.len() < self.most_links(shared).div_ceil(2),
            partial_seed: complete && left > 0,
        }
    }

    /// Connects to more peers.
    pub(super) fn connect_more(&mut self, shared: &mut Shared) {
        if !self.running {
            return;
        }
        let seeding = self.is_complete();
        while self.links.len() + self.connecting < self.most_links(shared)
            && shared.may_connect()
            && let Some(addr) = self.roster.next_candidate(shared.now, seeding)
        {
            if shared.is_own(addr) {
                self.roster.failed(addr, shared.now, Why::Itself);
                continue;
            }
            self.connecting += 1;
            shared.connect(self.key, addr);
        }
    }

    /// A connection that was being made is made, or will never be.
    pub(in crate::engine) fn connecting_ended(&mut self) {
        self.connecting -= 1;
    }

    /// Nothing came of a connection that was being made.
    pub(in crate::engine) fn contact_failed(
        &mut self,
        conn: ConnKey,
        addr: SocketAddr,
        why: Why,
        shared: &Shared,
    ) {
        let is_second = self.twins.first_of(conn).is_some();
        self.twins.forget(conn);
        if !is_second {
            self.roster.failed(addr, shared.now, why);
        }
    }
}
