//! Connections until it is known which torrent they are about, and whom to give what they say.

use std::net::SocketAddr;

use crate::base::{ConnKey, Moment, Span, TorrentKey};
use crate::engine::shared::Conn;
use crate::engine::{End, Engine, Output};
use crate::peer::Item;
use crate::swarm::Why;
use crate::wire::peer::Handshake;

/// Connections that nobody answers are looked for so often.
pub(super) const SWEEP: Span = Span::from_secs(2);
/// A connection is made, and a greeting answered, within this.
const PATIENCE: Span = Span::from_secs(10);

impl Engine {
    /// The torrent that a connection is a peer of.
    pub(super) fn linked(&self, conn: ConnKey) -> Option<TorrentKey> {
        match self.shared.conns.get(&conn) {
            Some(Conn::Linked(torrent)) => Some(*torrent),
            _ => None,
        }
    }

    /// A connection of ours stands: we speak first.
    pub(super) fn connected(&mut self, conn: ConnKey) {
        let Some(Conn::Connecting { torrent, addr, .. }) = self.shared.conns.get(&conn).copied() else {
            return;
        };
        self.shared.half_open -= 1;
        let greeting = Conn::Greeting { torrent: Some(torrent), addr, since: self.shared.now };
        self.shared.conns.insert(conn, greeting);
        if let Some(torrent) = self.torrents.get(&torrent) {
            let items = vec![Item::Handshake(torrent.hello())];
            self.shared.emit(Output::Send { conn, items });
        }
    }

    pub(super) fn connect_failed(&mut self, conn: ConnKey) {
        self.give_up(conn, Why::NoAnswer, false);
    }

    /// Somebody connected; he speaks first.
    pub(super) fn accepted(&mut self, conn: ConnKey, addr: SocketAddr) {
        if !self.shared.may_have_one_more() || self.by_hash.is_empty() {
            self.shared.emit(Output::Close { conn });
            return;
        }
        self.shared.connections += 1;
        let greeting = Conn::Greeting { torrent: None, addr, since: self.shared.now };
        self.shared.conns.insert(conn, greeting);
        if self.sweep_at == Moment::NEVER {
            self.sweep_at = self.shared.now + SWEEP;
        }
    }

    pub(super) fn received(&mut self, conn: ConnKey, mut items: Vec<Item>) {
        match self.shared.conns.get(&conn).copied() {
            Some(Conn::Linked(torrent)) => {
                self.torrent(torrent, |torrent, shared| torrent.received(conn, items, shared));
            }
            Some(Conn::Held { torrent, .. }) => self.hold_more(torrent, conn, items),
            Some(Conn::Greeting { torrent, addr, .. }) if !items.is_empty() => {
                if let (Item::Handshake(theirs), None) = (&items[0], torrent)
                    && let Some(key) = self.by_hash.get(&theirs.info_hash).copied()
                {
                    match self.hold_conn(key, conn, items) {
                        Some(back) => items = back,
                        None => return,
                    }
                }
                let first = items.remove(0);
                let Item::Handshake(theirs) = first else {
                    self.give_up(conn, Why::Broken, true);
                    return;
                };
                if self.greeted(conn, torrent, addr, theirs)
                    && !items.is_empty()
                    && let Some(torrent) = self.linked(conn)
                {
                    self.torrent(torrent, |torrent, shared| torrent.received(conn, items, shared));
                }
            }
            _ => {}
        }
    }

    /// The other side has said what it is about; true where it is a peer now.
    fn greeted(
        &mut self,
        conn: ConnKey,
        expected: Option<TorrentKey>,
        addr: SocketAddr,
        theirs: Handshake,
    ) -> bool {
        let about = self.by_hash.get(&theirs.info_hash).copied();
        let (Some(key), true) = (about, expected.is_none_or(|expected| Some(expected) == about)) else {
            self.give_up(conn, Why::Broken, true);
            return false;
        };
        let Some(torrent) = self.torrents.get_mut(&key) else {
            // It rests, and takes part in nothing.
            self.give_up(conn, Why::Broken, true);
            return false;
        };
        if expected.is_some() {
            torrent.connecting_ended();
        } else if torrent.accepts(addr, &self.shared) {
            let items = vec![Item::Handshake(torrent.hello())];
            self.shared.emit(Output::Send { conn, items });
        } else {
            self.shared.forget(conn);
            self.shared.emit(Output::Close { conn });
            return false;
        }
        self.shared.conns.insert(conn, Conn::Linked(key));
        let welcome = torrent.greeted(conn, addr, theirs, &mut self.shared).is_ok();
        if !welcome {
            self.shared.forget(conn);
            self.shared.emit(Output::Close { conn });
        }
        self.touched.insert(key);
        welcome
    }

    /// A connection has ended by itself.
    pub(super) fn lost(&mut self, conn: ConnKey, end: End) {
        if let Some(torrent) = self.linked(conn) {
            self.shared.forget(conn);
            self.torrent(torrent, |torrent, shared| _ = torrent.lost(conn, end == End::Broken, shared));
        } else {
            self.give_up(conn, if end == End::Broken { Why::Broken } else { Why::NoAnswer }, false);
        }
    }

    /// Nothing comes of a connection.
    fn give_up(&mut self, conn: ConnKey, why: Why, close: bool) {
        let Some(gone) = self.shared.forget(conn) else { return };
        if close {
            self.shared.emit(Output::Close { conn });
        }
        let (Conn::Connecting { torrent, addr, .. } | Conn::Greeting { torrent: Some(torrent), addr, .. }) =
            gone
        else {
            return;
        };
        self.torrent(torrent, |torrent, shared| {
            torrent.connecting_ended();
            torrent.contact_failed(conn, addr, why, shared);
        });
    }

    /// Gives up connections that nobody answers.
    pub(super) fn sweep_conns(&mut self) {
        let now = self.shared.now;
        let waiting = |conn: &Conn| match conn {
            Conn::Connecting { since, .. } | Conn::Greeting { since, .. } | Conn::Held { since, .. } => {
                Some(*since)
            }
            Conn::Linked(_) => None,
        };
        let late: Vec<ConnKey> = self
            .shared
            .conns
            .iter()
            .filter(|(_, conn)| waiting(conn).is_some_and(|since| now.since(since) >= PATIENCE))
            .map(|(key, _)| *key)
            .collect();
        for conn in late {
            self.give_up(conn, Why::NoAnswer, true);
        }
        let any = self.shared.conns.values().any(|conn| waiting(conn).is_some());
        self.sweep_at = if any { now + SWEEP } else { Moment::NEVER };
    }
}
