//! A second connection to a peer that gives faster than a wire of a gigabit carries.
//!
//! Many programs read, check and send what is asked on one connection one after another, on one core. On a line that is
//! faster than that core a second connection nearly doubles the rate. Who wants no second one refuses it, and is not
//! asked again. To the user both connections are one peer.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::ConnKey;
use crate::engine::shared::Shared;

use super::Torrent;
use super::link::Link;

/// Bytes a second that no wire of a gigabit carries: the line is not what keeps such a peer from giving more.
pub(super) const FAST: u64 = 128 << 20;
/// With so many connections a second core is found among the other peers.
const FEW: usize = 4;

/// Second connections of a torrent, being made or made.
#[derive(Debug, Default)]
pub(super) struct Twins {
    /// The first connection of each second one.
    first: BTreeMap<ConnKey, ConnKey>,
    /// First connections beside which there was one, however it ended.
    tried: BTreeSet<ConnKey>,
}

impl Twins {
    /// The connection that this one is beside.
    pub(super) fn first_of(&self, conn: ConnKey) -> Option<ConnKey> {
        self.first.get(&conn).copied()
    }

    /// A connection is no more, or will never be. What was beside it goes on as one of its own.
    pub(super) fn forget(&mut self, conn: ConnKey) {
        self.first.remove(&conn);
        self.first.retain(|_, first| *first != conn);
        self.tried.remove(&conn);
    }

    /// Panics where one is beside a connection that is no more.
    pub(super) fn assert_sound(&self, stands: impl Fn(&ConnKey) -> bool) {
        assert!(self.first.values().chain(&self.tried).all(stands), "a second connection has a first one");
    }
}

impl Torrent {
    /// Connects once more to a peer that gives very fast.
    pub(super) fn connect_again(&mut self, conn: ConnKey, shared: &mut Shared) {
        let Some(link) = self.links.get(&conn) else { return };
        let few = self.links.len() + self.connecting < FEW.min(self.most_links(shared));
        // Whoever connected to us may not be reached where he listens.
        let may = few && !conn.is_incoming() && self.twins.first_of(conn).is_none() && shared.may_connect();
        if !may || !self.twins.tried.insert(conn) {
            return;
        }
        self.connecting += 1;
        let twin = shared.connect(self.key, link.addr);
        self.twins.first.insert(twin, conn);
    }

    /// The peers, each once.
    pub(super) fn peers(&self) -> impl Iterator<Item = &Link> {
        self.links.values().filter(|link| self.twins.first_of(link.conn).is_none())
    }
}
