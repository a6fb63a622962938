//! What the window shows of the network, put together once a second and told where it has changed.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};

use crate::api::{NetworkStatistics, NetworkView, Registers, ScreenView, TrackerSwarm};
use crate::base::InfoHash;
use crate::net::network::Host;
use crate::net::network::desk::{Room, Word};
use crate::net::network::still::still;
use crate::network::Screen;

/// Swarms of the tracker that are shown, and peers and seeds of each.
const SWARMS: usize = 200;
const PEERS: usize = 200;

impl Room {
    /// Looks, and tells what has changed; true where a user sees a difference.
    pub(super) async fn look(&mut self) -> bool {
        if let (None, Some(client), true) = (&self.host, &self.client, self.looks) {
            self.asked.look(client.clone(), self.far_known.clone());
        }
        let view = self.view();
        if view == *self.view {
            return false;
        }
        let still = still(&view);
        let is_news = still != self.still;
        (self.view, self.still) = (Arc::new(view), still);
        self.tell(Word::View(Arc::clone(&self.view), is_news)).await;
        is_news
    }

    fn view(&self) -> NetworkView {
        let seat = self.user.as_ref();
        let fault = self.fault.clone().or_else(|| seat.and_then(|seat| seat.fault.clone()));
        let far = self.far.as_ref().filter(|_| self.host.is_none() && self.client.is_some());
        let (index, screens) = match &self.host {
            Some(host) => host.with(|network, _| (network.entries(), network.screens().clone())),
            None => (far.map(|far| far.index.torrents.clone()).unwrap_or_default(), self.far_screens.clone()),
        };
        NetworkView {
            hosted: self.host.is_some(),
            connected: seat.is_some_and(|seat| seat.connected),
            fault: fault.filter(|_| !self.disconnected),
            disconnected: self.disconnected,
            open: self.host.as_ref().is_some_and(Host::is_open),
            tracker_connected: !self.seats.is_empty() && self.seats.iter().all(|seat| seat.connected),
            tracker_fault: self
                .seats
                .iter()
                .find_map(|seat| seat.fault.clone())
                .filter(|_| !self.tracker_off),
            user: self.facts.lock().unwrap_or_else(PoisonError::into_inner).name.clone(),
            completed: self.completed,
            tracker_swarms: self.tracker_swarms(),
            link: match (&self.host, &self.client) {
                (Some(host), _) => Some(host.link().to_string()),
                (None, client) => client.as_ref().map(|client| client.link().to_string()),
            },
            registers: self.registers(),
            index,
            statistics: self.statistics(),
            coordinator_screen: shown(&screens.coordinator),
            tracker_screen: shown(&self.tracker_screen),
            peer_screen: shown(&self.peer_screen),
            index_screen: shown(&screens.index),
            statistics_screen: shown(&screens.statistics),
        }
    }

    /// The registers of the network, as far as they are known.
    pub(super) fn registers(&self) -> Registers {
        match (&self.host, &self.far) {
            (Some(host), _) => host.with(|network, _| network.registers()),
            (None, Some(far)) if self.client.is_some() => far.registers.clone(),
            _ => Registers { rules: self.rules.clone(), ..Registers::default() },
        }
    }

    /// The figures, as far as they are known.
    pub(super) fn statistics(&self) -> NetworkStatistics {
        match (&self.host, &self.far) {
            (Some(host), _) => host.with(|network, now| network.statistics(now)),
            (None, Some(far)) if self.client.is_some() => far.statistics.clone(),
            _ => NetworkStatistics::default(),
        }
    }

    /// The swarms of the trackers in this program.
    pub(super) fn tracker_swarms(&self) -> Vec<TrackerSwarm> {
        let name = |torrent| match (&self.host, &self.far) {
            (Some(host), _) => host.with(|network, _| network.name_of(torrent)),
            (None, Some(far)) => {
                let entry = far.index.torrents.iter().find(|entry| entry.info_hash == torrent);
                entry.map(|entry| entry.name.clone())
            }
            _ => None,
        };
        // Who announces to two of them is one user; and a seed for who completed between the two.
        let mut swarms: BTreeMap<InfoHash, BTreeMap<SocketAddr, bool>> = BTreeMap::new();
        for (torrent, peers) in self.observers.iter().flat_map(|it| it.swarms(SWARMS, SWARMS * PEERS)) {
            let swarm = swarms.entry(torrent).or_default();
            for (addr, is_seed) in peers {
                *swarm.entry(addr).or_default() |= is_seed;
            }
        }
        let mut swarms: Vec<_> = swarms.into_iter().collect();
        swarms.sort_by_key(|(_, peers)| Reverse(peers.len()));
        let swarms = swarms.into_iter().take(SWARMS);
        swarms
            .map(|(torrent, all)| {
                let of = |seeds: bool| {
                    let some = all.iter().filter(|(_, is_seed)| **is_seed == seeds).map(|(addr, _)| *addr);
                    some.take(PEERS).collect()
                };
                TrackerSwarm { torrent, name: name(torrent), peers: of(false), seeds: of(true) }
            })
            .collect()
    }

    /// Keeps the screens of a coordinator that ends.
    pub(super) fn last_screens(&mut self, host: &Host) {
        self.far_screens = host.with(|network, _| network.screens().clone());
    }
}

fn shown(screen: &Screen) -> ScreenView {
    ScreenView { lines: screen.lines().cloned().collect(), notes: screen.notes_enabled() }
}
