//! The tracker of a simulated world: who is in which swarm, and a random few of them for everybody who asks.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::announce::{AnnounceRequest, Answer, Facts, Failure, Kind};
use crate::base::{InfoHash, PeerId, Rng};
use crate::wire::tracker::Event;

/// A tracker for every torrent.
#[derive(Debug, Default)]
pub struct Tracker {
    /// Why it answers nobody, where it does not.
    pub fault: Option<Failure>,
    swarms: BTreeMap<InfoHash, Swarm>,
}

#[derive(Debug, Default)]
struct Swarm {
    members: Vec<Member>,
    places: BTreeMap<PeerId, usize>,
    downloaded: u32,
}

#[derive(Clone, Copy, Debug)]
struct Member {
    id: PeerId,
    addr: SocketAddr,
    left: u64,
}

impl Tracker {
    /// Takes an announce or a scrape that comes from `from`.
    ///
    /// # Errors
    /// While there is a fault.
    pub fn ask(
        &mut self,
        from: SocketAddr,
        facts: &Facts,
        request: &AnnounceRequest,
        rng: &mut Rng,
    ) -> Result<Answer, Failure> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let swarm = self.swarms.entry(facts.info_hash).or_default();
        let mut peers = Vec::new();
        if request.kind == Kind::Announce {
            let addr = SocketAddr::new(from.ip(), facts.port);
            swarm.note(Member { id: facts.peer_id, addr, left: request.stats.left }, request.event);
            if request.event != Event::Stopped && request.stats.want_peers {
                peers = swarm.some(facts.peer_id, request.numwant as usize, request.stats.left == 0, rng);
            }
        }
        let complete = swarm.members.iter().filter(|member| member.left == 0).count() as u32;
        Ok(Answer {
            peers,
            interval_secs: Some(INTERVAL_SECS),
            min_interval_secs: Some(30),
            complete: Some(complete),
            incomplete: Some(swarm.members.len() as u32 - complete),
            downloaded: Some(swarm.downloaded),
            ..Answer::default()
        })
    }

    /// How many are in a swarm.
    pub fn members(&self, torrent: InfoHash) -> usize {
        self.swarms.get(&torrent).map_or(0, |swarm| swarm.members.len())
    }
}

impl Swarm {
    fn note(&mut self, member: Member, event: Event) {
        self.downloaded += u32::from(event == Event::Completed);
        match (self.places.get(&member.id).copied(), event) {
            (Some(place), Event::Stopped) => {
                self.places.remove(&member.id);
                self.members.swap_remove(place);
                if let Some(moved) = self.members.get(place) {
                    self.places.insert(moved.id, place);
                }
            }
            (Some(place), _) => self.members[place] = member,
            (None, Event::Stopped) => {}
            (None, _) => {
                self.places.insert(member.id, self.members.len());
                self.members.push(member);
            }
        }
    }

    /// Different members at random; a seed is given none that need nothing.
    fn some(&self, asking: PeerId, wanted: usize, is_seed: bool, rng: &mut Rng) -> Vec<SocketAddr> {
        let mut places: Vec<usize> = (0..self.members.len()).collect();
        let mut peers = Vec::new();
        for at in 0..places.len() {
            if peers.len() == wanted.min(MOST) {
                break;
            }
            let other = at + rng.below(places.len() - at);
            places.swap(at, other);
            let member = self.members[places[at]];
            if member.id != asking && !(is_seed && member.left == 0) {
                peers.push(member.addr);
            }
        }
        peers
    }
}

/// Seconds between announces.
const INTERVAL_SECS: u32 = 120;
/// Peers in one answer.
const MOST: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::announce::Stats;

    fn ask(tracker: &mut Tracker, who: u8, left: u64, event: Event) -> Answer {
        let facts =
            Facts { info_hash: InfoHash([1; 20]), peer_id: PeerId([who; 20]), port: 1000 + u16::from(who) };
        let request = AnnounceRequest {
            id: 0,
            url: "http://tracker.sim/announce".into(),
            kind: Kind::Announce,
            event,
            numwant: 50,
            key: 0,
            tracker_id: None,
            stats: Stats { left, want_peers: true, ..Stats::default() },
        };
        let from = "10.0.0.1:1".parse().expect("an address");
        tracker.ask(from, &facts, &request, &mut Rng::new(1)).expect("it answers")
    }

    #[test]
    fn everybody_else_is_given_until_they_leave() {
        let mut tracker = Tracker::default();
        for who in 0..5 {
            let answer = ask(&mut tracker, who, u64::from(who), Event::Started);
            assert_eq!(answer.peers.len(), usize::from(who));
        }
        let answer = ask(&mut tracker, 0, 0, Event::Stopped);
        assert_eq!((answer.complete, answer.incomplete, answer.peers.len()), (Some(0), Some(4), 0));
        assert_eq!(ask(&mut tracker, 4, 0, Event::Completed).downloaded, Some(1));
        let answer = ask(&mut tracker, 3, 0, Event::None);
        assert_eq!(answer.peers.len(), 2, "no seed for a seed");
        tracker.fault = Some(Failure::Timeout);
    }
}
