//! More than one connection with a peer, where it gives or takes faster than a wire of a gigabit carries.
//!
//! Many programs do what is asked on one connection one after another, on one core. On a line that is faster than that
//! core a second connection nearly doubles the rate. To who gives that fast we connect once more; who wants no second
//! connection refuses it, and is not asked again. Who takes that fast has connected to us, and we may not know where he
//! can be reached: he is told of further doors, ports that are open for him alone (as addresses by BEP 11), and comes or
//! stays away. To the user all of them are one peer.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::base::{ConnKey, PeerId};
use crate::engine::Output;
use crate::engine::limits::Way;
use crate::engine::shared::Shared;
use crate::wire::peer::Added;

use super::Torrent;
use super::link::Link;

/// Bytes a second that no wire of a gigabit carries: the line is not what keeps such a peer from giving or taking more.
pub(super) const FAST: u64 = 128 << 20;
/// With so many connections a second core is found among the other peers.
const FEW: usize = 4;
/// Further connections that one peer may make to us.
const GUESTS: usize = FEW - 1;

/// Further connections of a torrent with those whom it has met already: being made, made, or made to us.
#[derive(Debug, Default)]
pub(super) struct Twins {
    /// The first connection of each further one.
    first: BTreeMap<ConnKey, ConnKey>,
    /// First connections beside which there was one, however it ended.
    tried: BTreeSet<ConnKey>,
    /// First connections whose peers were told of further doors, and how many more may come through them.
    guests: BTreeMap<ConnKey, usize>,
}

impl Twins {
    /// The connection that this one is beside.
    pub(super) fn first_of(&self, conn: ConnKey) -> Option<ConnKey> {
        self.first.get(&conn).copied()
    }

    /// Whether a peer's further connection may stand beside its first one; it is counted if so.
    pub(super) fn receive(&mut self, conn: ConnKey, first: ConnKey) -> bool {
        let Some(left) = self.guests.get_mut(&first).filter(|left| conn.is_incoming() && **left > 0) else {
            return false;
        };
        *left -= 1;
        self.first.insert(conn, first);
        true
    }

    /// A connection is no more, or will never be. Of what was beside it the oldest goes on as one of its own, and the
    /// others beside that.
    pub(super) fn forget(&mut self, conn: ConnKey) {
        self.first.remove(&conn);
        self.tried.remove(&conn);
        self.guests.remove(&conn);
        let oldest = self.first.iter().find(|(_, first)| **first == conn).map(|(oldest, _)| *oldest);
        if let Some(oldest) = oldest {
            self.first.remove(&oldest);
            self.first.values_mut().filter(|first| **first == conn).for_each(|first| *first = oldest);
        }
    }

    /// Panics where one is beside a connection that is no more.
    pub(super) fn assert_sound(&self, stands: impl Fn(&ConnKey) -> bool) {
        let firsts = self.first.values().chain(&self.tried).chain(self.guests.keys());
        assert!(firsts.into_iter().all(stands), "a second connection has a first one");
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

    /// Opens further doors for a peer that takes very fast, where nobody else is served.
    pub(super) fn open_doors(&mut self, conn: ConnKey, shared: &mut Shared) {
        let is_alone = self.links.len() + self.connecting == 1 && conn.is_incoming();
        if !is_alone || !self.is_complete() || self.twins.guests.contains_key(&conn) {
            return;
        }
        let (Some(content), Some(link)) = (&self.content, self.links.get_mut(&conn)) else { return };
        // Who says where he listens goes by the ids of peers rather than by their addresses, and would refuse himself.
        let listens = link.extended.ids.pex.is_some() && link.extended.port.is_none();
        // Addresses of a private torrent's peers come from its trackers alone (BEP 27).
        if !listens || content.meta.private || link.up.rate(shared.now) < FAST {
            return;
        }
        let limited = shared.common.is_limited(Way::Up, &self.own_limits, &self.choices.label);
        if !limited && self.links.len() + GUESTS <= self.most_links(shared) {
            self.twins.guests.insert(conn, GUESTS);
            shared.emit(Output::OpenDoors { conn, count: GUESTS });
        }
    }

    /// The doors are open: the peer is told of them.
    pub(in crate::engine) fn doors_opened(&mut self, conn: ConnKey, addrs: Vec<SocketAddr>) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        link.say_extended(link.extended.ids.pex, Added(addrs).encode());
    }

    /// The first of the connections with somebody, other than this one.
    pub(super) fn met_already(&self, conn: ConnKey, peer_id: PeerId) -> Option<&Link> {
        let first = self.twins.first_of(conn);
        self.peers().find(|link| link.peer_id == peer_id && Some(link.conn) != first)
    }

    /// The peers, each once.
    pub(super) fn peers(&self) -> impl Iterator<Item = &Link> {
        self.links.values().filter(|link| self.twins.first_of(link.conn).is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn come(number: u64) -> ConnKey {
        ConnKey::incoming(number)
    }

    #[test]
    fn as_many_come_as_there_are_doors_and_only_to_whom_they_were_opened() {
        let mut twins = Twins::default();
        assert!(!twins.receive(come(2), come(1)));
        twins.guests.insert(come(1), 2);
        assert!(!twins.receive(ConnKey(7), come(1)), "we connected there ourselves");
        assert!(twins.receive(come(2), come(1)) && twins.receive(come(3), come(1)));
        assert!(!twins.receive(come(4), come(1)));
        assert_eq!(
            [2, 3, 4].map(|number| twins.first_of(come(number))),
            [Some(come(1)), Some(come(1)), None]
        );
    }

    #[test]
    fn when_the_first_one_ends_the_others_stay_one_peer() {
        let mut twins = Twins::default();
        twins.guests.insert(come(1), 3);
        assert!((2..5).all(|number| twins.receive(come(number), come(1))));
        twins.forget(come(3));
        twins.forget(come(1));
        assert_eq!([2, 4].map(|number| twins.first_of(come(number))), [None, Some(come(2))]);
        twins.assert_sound(|conn| [come(2), come(4)].contains(conn));
        twins.forget(come(2));
        twins.assert_sound(|conn| *conn == come(4));
        assert_eq!(twins.first_of(come(4)), None);
    }
}
