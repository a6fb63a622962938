//! The peers chosen for one answer: runs within the columns of a swarm, copied once.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::base::{PeerId, Rng};
use crate::tracker::store::{Mark, SwarmCounts};

/// Peers chosen from one address family of one swarm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Picked<'a, const N: usize> {
    from: Columns<'a, N>,
    runs: Runs,
}

/// What a swarm keeps of one address family.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns<'a, const N: usize> {
    pub(super) keys: &'a [[u8; N]],
    pub(super) marks: &'a [Mark],
    /// Empty where no ids are known.
    pub(super) ids: &'a [PeerId],
    /// How many are seeds; those stand in front.
    pub(super) seeds: usize,
    pub(super) home: Home,
}

/// Whether a swarm ever had peers of the tracker's own machine, whose addresses not everybody can use. Most never have, and
/// then nobody looks for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Home {
    /// At an address of the loopback network.
    loopback: bool,
    /// At another one.
    elsewhere: bool,
}

impl Home {
    /// Notes a peer.
    pub(super) fn note<const N: usize>(&mut self, key: &[u8; N], mark: Mark) {
        self.loopback |= is_loopback(key);
        self.elsewhere |= mark.is_here() && !is_loopback(key);
    }
}

/// What an announce finds.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// How many there are of each kind.
    pub counts: SwarmCounts,
    pub(crate) four: Picked<'a, 6>,
    pub(crate) six: Picked<'a, 18>,
}

impl Found<'_> {
    /// Counts without a peer.
    pub(crate) fn none(counts: SwarmCounts) -> Self {
        Self { counts, four: Picked::NONE, six: Picked::NONE }
    }
}

const NOWHERE: Home = Home { loopback: false, elsewhere: false };

/// For whom peers are written out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct For {
    /// Where the client asks from.
    pub(crate) ip: IpAddr,
    /// The port it listens on.
    pub(crate) port: u16,
    /// Its id.
    pub(crate) id: PeerId,
    /// At which of the tracker's addresses it asked.
    pub(crate) local: Option<IpAddr>,
}

/// Who asks, as far as the choice depends on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Want {
    /// Peers wanted at most.
    pub(crate) peers: usize,
    /// Whether a seed asks, to whom other seeds are of no use.
    pub(crate) seed: bool,
}

/// Up to six runs of positions.
#[derive(Clone, Copy, Debug, Default)]
struct Runs {
    runs: [(u32, u32); 6],
    used: usize,
    /// Positions in all of them.
    len: usize,
}

impl<'a, const N: usize> Picked<'a, N> {
    pub(crate) const NONE: Self = Self {
        from: Columns { keys: &[], marks: &[], ids: &[], seeds: 0, home: NOWHERE },
        runs: Runs { runs: [(0, 0); 6], used: 0, len: 0 },
    };

    /// Chooses peers out of columns, other than the one at `own`. Where there are more than
    /// wanted, runs from random places are taken: half from the seeds and half from the others, more from one side where the
    /// other has too few. A seed is given others first.
    pub(super) fn choose(from: Columns<'a, N>, own: Option<usize>, want: Want, rng: &mut Rng) -> Self {
        let Columns { keys, seeds, .. } = from;
        let mut runs = Runs::default();
        let own_seed = own.filter(|own| *own < seeds);
        let own_other = own.filter(|own| *own >= seeds);
        let there_seeds = seeds - usize::from(own_seed.is_some());
        let there_others = keys.len() - seeds - usize::from(own_other.is_some());
        let others = if want.seed {
            there_others.min(want.peers)
        } else {
            there_others.min((want.peers - want.peers / 2).max(want.peers.saturating_sub(there_seeds)))
        };
        runs.take(0, seeds, own_seed, there_seeds.min(want.peers - others), rng);
        runs.take(seeds, keys.len(), own_other, others, rng);
        Self { from, runs }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.runs.len
    }

    /// Appends them in the compact form, as far as they are of use to who asks.
    pub(crate) fn write(&self, to: &For, out: &mut Vec<u8>) {
        if self.from.ids.is_empty() && !self.needs_care(to) {
            for run in self.runs.iter() {
                out.extend_from_slice(self.from.keys[run].as_flattened());
            }
            return;
        }
        // A peer known over loopback and by another address of this machine is written once.
        let (start, twice) = (out.len(), self.needs_care(to));
        for (key, _) in self.each(to) {
            if !(twice && out[start..].as_chunks::<N>().0.contains(&key)) {
                out.extend_from_slice(&key);
            }
        }
    }

    /// The same peers with their ids, where they are known.
    pub(crate) fn list(&self, to: &For, mut each: impl FnMut(SocketAddr, Option<PeerId>)) {
        for (key, at) in self.each(to) {
            each(address(&key), self.from.ids.get(at).copied().filter(|id| *id != PeerId::default()));
        }
    }

    /// Those that are of use to who asks, at the addresses that it can reach.
    fn each(&self, to: &For) -> impl Iterator<Item = ([u8; N], usize)> {
        self.runs.iter().flatten().filter_map(move |at| Some((self.key_for(at, to)?, at)))
    }

    fn needs_care(&self, to: &For) -> bool {
        let asks_here = to.ip.is_loopback();
        if !(if asks_here { self.from.home.elsewhere } else { self.from.home.loopback }) {
            return false;
        }
        self.runs.iter().flatten().any(|at| {
            let (key, mark) = (&self.from.keys[at], self.from.marks[at]);
            if asks_here {
                mark.is_here() && !is_loopback(key) && port(key) == to.port
            } else {
                is_loopback(key)
            }
        })
    }

    /// The address of a peer as the asker can reach it; nothing where that is the asker itself or out of its reach.
    ///
    /// A peer that announced from this machine over loopback is where the tracker is: another machine reaches it at the
    /// address where it reached the tracker.
    fn key_for(&self, at: usize, to: &For) -> Option<[u8; N]> {
        let (key, mark) = (self.from.keys[at], self.from.marks[at]);
        if self.from.ids.get(at).is_some_and(|id| *id == to.id) {
            return None;
        }
        // The same port on the same machine is the asker itself, whatever address stands before it; but every address of the
        // loopback network is a peer of its own.
        let asker_is_here = to.ip.is_loopback() || to.local == Some(to.ip);
        let both_loopback = to.ip.is_loopback() && is_loopback(&key);
        if asker_is_here && mark.is_here() && !both_loopback && port(&key) == to.port {
            return None;
        }
        if to.ip.is_loopback() || !is_loopback(&key) {
            return Some(key);
        }
        // What another tracker heard over loopback is on a machine of which nothing is known here.
        if mark.is_foreign() {
            return None;
        }
        let local = to.local.filter(|ip| !ip.is_loopback())?;
        compact(SocketAddr::new(local, port(&key)))
    }
}

impl Runs {
    /// Adds `count` positions out of `start..end` other than `own`; all of them, or neighbours from a random place on.
    fn take(&mut self, start: usize, end: usize, own: Option<usize>, count: usize, rng: &mut Rng) {
        if count == 0 {
            return;
        }
        self.len += count;
        // Positions without a gap: those from `own` on stand one further.
        let there = end - start - usize::from(own.is_some());
        let first = if count < there { rng.below(there) } else { 0 };
        let until = (first + count).min(there);
        self.add(start + first, start + until, own);
        self.add(start, start + (first + count - until), own);
    }

    fn add(&mut self, start: usize, end: usize, own: Option<usize>) {
        match own {
            Some(own) if own <= start => self.push(start + 1, end + 1),
            Some(own) if own < end => {
                self.push(start, own);
                self.push(own + 1, end + 1);
            }
            _ => self.push(start, end),
        }
    }

    fn push(&mut self, start: usize, end: usize) {
        if start < end {
            self.runs[self.used] = (start as u32, end as u32);
            self.used += 1;
        }
    }

    fn iter(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        self.runs[..self.used].iter().map(|(start, end)| *start as usize..*end as usize)
    }
}

/// An address in the compact form of one family; nothing where it is of the other.
pub(crate) fn compact<const N: usize>(addr: SocketAddr) -> Option<[u8; N]> {
    let mut key = [0; N];
    match (addr.ip(), N) {
        (IpAddr::V4(ip), 6) => key[..4].copy_from_slice(&ip.octets()),
        (IpAddr::V6(ip), 18) => key[..16].copy_from_slice(&ip.octets()),
        _ => return None,
    }
    key[N - 2..].copy_from_slice(&addr.port().to_be_bytes());
    Some(key)
}

/// The address behind a compact peer.
pub(crate) fn address<const N: usize>(key: &[u8; N]) -> SocketAddr {
    let (ip, _) = key.split_at(N - 2);
    let ip = match (<[u8; 4]>::try_from(ip), <[u8; 16]>::try_from(ip)) {
        (Ok(ip), _) => IpAddr::V4(Ipv4Addr::from(ip)),
        (_, Ok(ip)) => IpAddr::V6(Ipv6Addr::from(ip)),
        _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    };
    SocketAddr::new(ip, port(key))
}

fn port<const N: usize>(key: &[u8; N]) -> u16 {
    u16::from_be_bytes([key[N - 2], key[N - 1]])
}

fn is_loopback<const N: usize>(key: &[u8; N]) -> bool {
    if N == 6 { key[0] == 127 } else { key[..15].iter().all(|byte| *byte == 0) && key[15] == 1 }
}
