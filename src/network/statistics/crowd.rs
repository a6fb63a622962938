//! The users of one torrent, of one tracker, or of the whole network, and how long they stay as seeds.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::api::SeedTime;
use crate::base::{Moment, Span};

/// What a user is in a torrent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stance {
    /// It downloads.
    Peer,
    /// It has everything, since then.
    Seed { since: Moment },
}

/// Stays that have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    count: u64,
    micros: u128,
}

/// Users, each with how often it is here as a peer and as a seed. A stay begins with the first and ends with the last time
/// that a user is here as a seed.
#[derive(Default)]
pub(super) struct Crowd {
    here: BTreeMap<SocketAddr, Presence>,
    with_peers: u32,
    with_seeds: u32,
    with_both: u32,
    finished: Tally,
    /// The beginnings of all running stays, added up: the mean needs no walk over them.
    begun_micros: u128,
}

#[derive(Clone, Copy, Default)]
struct Presence {
    peers: u32,
    seeds: u32,
    since: Moment,
}

impl Stance {
    pub(super) fn is_seed(self) -> bool {
        matches!(self, Self::Seed { .. })
    }
}

impl Tally {
    pub(super) fn add(&mut self, stay: Span) {
        self.count += 1;
        self.micros += u128::from(stay.micros());
    }

    /// The mean with one running stay or none.
    pub(super) fn seed_time(self, running_since: Option<Moment>, now: Moment) -> SeedTime {
        let running = u64::from(running_since.is_some());
        let micros = running_since.map_or(0, |since| u128::from(now.since(since).micros()));
        self.mean(running, micros)
    }

    fn mean(self, running: u64, micros: u128) -> SeedTime {
        let stays = self.count + running;
        let mean = (stays > 0).then(|| (self.micros + micros) as f64 / 1e6 / stays as f64);
        SeedTime { time_seed_secs: mean, finished: self.count, running }
    }
}

impl Crowd {
    /// The user is here once more.
    pub(super) fn enter(&mut self, addr: SocketAddr, stance: Stance) {
        let mut presence = self.here.get(&addr).copied().unwrap_or_default();
        self.count(presence, u32::wrapping_sub);
        match stance {
            Stance::Peer => presence.peers += 1,
            Stance::Seed { since } => {
                presence.seeds += 1;
                if presence.seeds == 1 {
                    presence.since = since;
                    self.begun_micros += u128::from(since.micros());
                }
            }
        }
        self.count(presence, u32::wrapping_add);
        self.here.insert(addr, presence);
    }

    /// The user is here once less, for which it must have entered with that kind of stance; tells the stay that ended by it.
    pub(super) fn leave(&mut self, addr: SocketAddr, stance: Stance, at: Moment) -> Option<Span> {
        let mut presence = self.here.get(&addr).copied()?;
        let mut stay = None;
        self.count(presence, u32::wrapping_sub);
        match stance {
            Stance::Peer => presence.peers = presence.peers.saturating_sub(1),
            Stance::Seed { .. } => {
                presence.seeds = presence.seeds.saturating_sub(1);
                if presence.seeds == 0 {
                    let span = at.since(presence.since);
                    self.begun_micros -= u128::from(presence.since.micros());
                    self.finished.add(span);
                    stay = Some(span);
                }
            }
        }
        self.count(presence, u32::wrapping_add);
        if presence.peers + presence.seeds == 0 {
            self.here.remove(&addr);
        } else {
            self.here.insert(addr, presence);
        }
        stay
    }

    /// What the user is, a seed where it is both.
    pub(super) fn stance(&self, addr: SocketAddr) -> Option<Stance> {
        let presence = self.here.get(&addr)?;
        Some(if presence.seeds > 0 { Stance::Seed { since: presence.since } } else { Stance::Peer })
    }

    /// How often the user is here as a peer and as a seed, and since when it has been a seed.
    pub(super) fn presence(&self, addr: SocketAddr) -> (u32, u32, Option<Moment>) {
        let presence = self.here.get(&addr).copied().unwrap_or_default();
        (presence.peers, presence.seeds, (presence.seeds > 0).then_some(presence.since))
    }

    /// Users that are peers in something, whatever else they are.
    pub(super) fn peers(&self) -> u32 {
        self.with_peers
    }

    /// Users that are peers and nothing else.
    pub(super) fn only_peers(&self) -> u32 {
        self.with_peers - self.with_both
    }

    /// Users that are seeds of something.
    pub(super) fn seeds(&self) -> u32 {
        self.with_seeds
    }

    /// Whether nobody is here.
    pub(super) fn is_empty(&self) -> bool {
        self.here.is_empty()
    }

    /// Everybody, seeds first.
    pub(super) fn members(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        let of = |seeds: bool| {
            self.here.iter().filter(move |(_, p)| (p.seeds > 0) == seeds).map(|(addr, _)| *addr)
        };
        of(true).chain(of(false))
    }

    /// The mean of all stays up to `now`.
    pub(super) fn seed_time(&self, now: Moment) -> SeedTime {
        let running = u64::from(self.with_seeds);
        // A stay cannot have begun after `now`: reports date it back from the moment they arrive.
        let micros = (u128::from(now.micros()) * u128::from(running)).saturating_sub(self.begun_micros);
        self.finished.mean(running, micros)
    }

    fn count(&mut self, presence: Presence, step: fn(u32, u32) -> u32) {
        let (peer, seed) = (u32::from(presence.peers > 0), u32::from(presence.seeds > 0));
        self.with_peers = step(self.with_peers, peer);
        self.with_seeds = step(self.with_seeds, seed);
        self.with_both = step(self.with_both, peer * seed);
    }
}
