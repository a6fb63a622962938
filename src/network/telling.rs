//! What a member has to tell and has told: a revision that changes with it, so that a beat need not say again what the
//! coordinator knows.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::base::{InfoHash, Moment};
use crate::network::{Holding, PeerReport, SwarmReport};

/// What a user holds: since when it seeds each, or nothing for what it downloads.
#[derive(Clone, Debug, Default)]
pub struct Holdings {
    list: Arc<[(InfoHash, Option<Moment>)]>,
    revision: u64,
}

impl Holdings {
    /// Takes what is held now, each with whether it is seeded; true where that is not what it was. What was seeded before is
    /// since then.
    pub fn set(&mut self, now: Moment, held: &[(InfoHash, bool)]) -> bool {
        let same = |((torrent, since), (other, seeds)): (&(InfoHash, Option<Moment>), &(InfoHash, bool))| {
            torrent == other && since.is_some() == *seeds
        };
        if self.revision > 0 && self.list.len() == held.len() && self.list.iter().zip(held).all(same) {
            return false;
        }
        let before: HashMap<InfoHash, Moment> =
            self.list.iter().filter_map(|(torrent, since)| Some((*torrent, (*since)?))).collect();
        let since = |torrent: &InfoHash| before.get(torrent).copied().unwrap_or(now);
        self.list = held.iter().map(|(torrent, seeds)| (*torrent, seeds.then(|| since(torrent)))).collect();
        self.revision += 1;
        true
    }

    /// By what number the coordinator is to know it; 0 before anything was set.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// All of it, unless the coordinator has it: by the revision that it says.
    pub fn tell(&self, now: Moment, told: u64) -> Option<Vec<Holding>> {
        let holding = |(torrent, since): &(InfoHash, Option<Moment>)| Holding {
            torrent: *torrent,
            seed_secs: since.map(|since| now.since(since).secs()),
        };
        (self.revision == 0 || told != self.revision).then(|| self.list.iter().map(holding).collect())
    }
}

/// The swarms of a tracker: since when each of their seeds was seen to be one.
#[derive(Debug, Default)]
pub struct Swarms {
    list: Vec<(InfoHash, Vec<(SocketAddr, bool)>)>,
    seeds: HashMap<(InfoHash, SocketAddr), Moment>,
    revision: u64,
}

impl Swarms {
    /// Takes the swarms as they are now, each peer with whether it is a seed.
    pub fn set(&mut self, now: Moment, swarms: Vec<(InfoHash, Vec<(SocketAddr, bool)>)>) {
        if self.revision > 0 && self.list == swarms {
            return;
        }
        let mut seeds = HashMap::new();
        for (torrent, peers) in &swarms {
            for (addr, _) in peers.iter().filter(|(_, is_seed)| *is_seed) {
                let key = (*torrent, *addr);
                seeds.insert(key, self.seeds.get(&key).copied().unwrap_or(now));
            }
        }
        (self.list, self.seeds) = (swarms, seeds);
        self.revision += 1;
    }

    /// By what number the coordinator is to know them; 0 before anything was set.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// All of them, unless the coordinator has them: by the revision that it says.
    pub fn tell(&self, now: Moment, told: u64) -> Option<Vec<SwarmReport>> {
        let swarm = |(torrent, peers): &(InfoHash, Vec<(SocketAddr, bool)>)| {
            let since = |addr| self.seeds.get(&(*torrent, addr)).map(|since| now.since(*since).secs());
            let peer = |(addr, is_seed): &(SocketAddr, bool)| PeerReport {
                addr: *addr,
                seed_secs: is_seed.then(|| since(*addr)).flatten(),
            };
            SwarmReport { torrent: *torrent, peers: peers.iter().map(peer).collect() }
        };
        (self.revision == 0 || told != self.revision).then(|| self.list.iter().map(swarm).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;

    fn at(secs: u64) -> Moment {
        Moment::ZERO + Span::from_secs(secs)
    }

    fn hash(number: u8) -> InfoHash {
        InfoHash([number; 20])
    }

    #[test]
    fn holdings_are_told_until_they_are_known_and_again_once_they_have_changed() {
        let mut holdings = Holdings::default();
        assert!(holdings.set(at(1), &[]), "that nothing is held is told as well");
        assert!(holdings.set(at(5), &[(hash(1), true), (hash(2), false)]));
        assert!(!holdings.set(at(9), &[(hash(1), true), (hash(2), false)]), "time alone is no news");
        let revision = holdings.revision();
        assert_eq!(holdings.tell(at(9), revision), None);
        let told =
            |secs| [(1, secs), (2, None)].map(|(n, seed_secs)| Holding { torrent: hash(n), seed_secs });
        assert_eq!(
            holdings.tell(at(9), 0).as_deref(),
            Some(&told(Some(4))[..]),
            "a new coordinator has nothing"
        );
        assert!(holdings.set(at(20), &[(hash(2), true), (hash(1), true)]));
        assert_ne!(holdings.revision(), revision);
        let all = holdings.tell(at(30), revision).expect("what it has is old");
        assert_eq!(all.iter().map(|it| it.seed_secs).collect::<Vec<_>>(), [Some(10), Some(25)]);
    }

    #[test]
    fn swarms_are_told_until_they_are_known_and_a_seed_keeps_its_age() {
        let (one, two) = (([10, 0, 0, 1], 1).into(), ([10, 0, 0, 2], 2).into());
        let mut swarms = Swarms::default();
        swarms.set(at(3), vec![(hash(1), vec![(one, true), (two, false)])]);
        let revision = swarms.revision();
        swarms.set(at(5), vec![(hash(1), vec![(one, true), (two, false)])]);
        assert_eq!((swarms.revision(), swarms.tell(at(6), revision)), (revision, None));
        swarms.set(at(7), vec![(hash(1), vec![(one, true), (two, true)])]);
        let told = swarms.tell(at(10), revision).expect("it has changed");
        let ages: Vec<_> = told[0].peers.iter().map(|peer| peer.seed_secs).collect();
        assert_eq!(ages, [Some(7), Some(3)]);
    }
}
