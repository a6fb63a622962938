//! The addresses at which peers of one torrent may be, and which to try next.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use crate::base::{Moment, Rng, Span, limits};

/// The wait after a first failure; it doubles with each further one.
const BACK_OFF: Span = Span::from_secs(60);
/// The same for an address that the user gave, who may just be starting the other side.
const BACK_OFF_BY_HAND: Span = Span::from_secs(4);
/// The wait for an address that the user gave never grows above this.
const LONGEST_BY_HAND: Span = Span::from_secs(60);
/// A wait is shorter by up to this part, by lot: two who had no room for each other must not meet again at one moment.
const SPREAD: u64 = 4;
/// An address that failed so often in a row is forgotten.
const FAILURES: u32 = 5;
/// The wait after a connection that did what it should.
const REST: Span = Span::from_secs(15);
/// A connection that ended sooner is a failure.
const SHORT: Span = Span::from_secs(20);
/// How long a ban lasts.
const BAN: Span = Span::from_secs(3_600);
/// So many banned ports of one machine ban the machine.
const PORTS_BANNED: usize = 3;
/// Bans remembered.
const BANS: usize = 1_000;

/// How an address became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Found {
    /// The user or a magnet link gave it.
    Hand,
    /// It was announced on the local network.
    Local,
    /// A tracker gave it.
    Tracker,
    /// It connected to us and told where it listens.
    Incoming,
    /// Another peer gave it (BEP 11).
    Exchange,
    /// The DHT gave it (BEP 5).
    Dht,
}

/// Why nothing came of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// No connection came about, or no handshake.
    NoAnswer,
    /// It broke the rules.
    Broken,
    /// It is this program itself.
    Itself,
    /// The peer is connected already.
    Duplicate,
    /// There was no room here; it is no fault of the peer.
    NoRoom,
}

/// The known addresses of one torrent, at most [`limits::KNOWN_PEERS`].
#[derive(Debug)]
pub struct Roster {
    rng: Rng,
    known: BTreeMap<SocketAddr, Known>,
    /// This program's own addresses.
    own: BTreeSet<SocketAddr>,
    /// Banned until then.
    bans: BTreeMap<SocketAddr, Moment>,
    /// How many addresses of each kind were tried, so that none crowds out another.
    tries: [u64; 6],
    /// Where others see us, for canonical priorities.
    external: Option<IpAddr>,
    /// Nobody is to be tried before then.
    idle_until: Moment,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    found: Found,
    state: State,
    failures: u32,
    /// Not to be tried before then.
    not_before: Moment,
    /// When it was tried last.
    tried: Moment,
    is_seed: bool,
    /// Orders addresses that are equal otherwise.
    lot: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Trying,
    Connected(Moment),
}

impl Roster {
    /// Nobody is known.
    pub fn new(rng: Rng) -> Self {
        Self {
            rng,
            known: BTreeMap::new(),
            own: BTreeSet::new(),
            bans: BTreeMap::new(),
            tries: [0; 6],
            external: None,
            idle_until: Moment::ZERO,
        }
    }

    /// Adds an address; false where it is no peer's, or banned, or there is no room for it.
    pub fn add(&mut self, addr: SocketAddr, found: Found, now: Moment) -> bool {
        let addr = canonical(addr);
        if !may_be_peer(addr) || self.own.contains(&addr) || self.is_banned(addr, now) {
            return false;
        }
        if let Some(known) = self.known.get_mut(&addr) {
            if found < known.found {
                known.found = found;
                known.not_before = if found == Found::Hand { now } else { known.not_before };
                self.idle_until = Moment::ZERO;
            }
            return true;
        }
        if self.known.len() >= limits::KNOWN_PEERS && !self.make_room(found) {
            return false;
        }
        let lot = self.external.and_then(|ours| priority(ours, addr)).unwrap_or_else(|| self.rng.bits32());
        let (not_before, tried) = (now, Moment::ZERO);
        let fresh = Known { found, state: State::Idle, failures: 0, not_before, tried, is_seed: false, lot };
        self.known.insert(addr, fresh);
        self.idle_until = Moment::ZERO;
        true
    }

    /// An address of this program, never to be tried.
    pub fn add_own(&mut self, addr: SocketAddr) {
        let addr = canonical(addr);
        self.own.insert(addr);
        self.known.remove(&addr);
    }

    /// The address at which others see this machine.
    pub fn set_external(&mut self, ip: IpAddr) {
        if self.external == Some(ip) {
            return;
        }
        self.external = Some(ip);
        for (addr, known) in &mut self.known {
            known.lot = priority(ip, *addr).unwrap_or(known.lot);
        }
    }

    /// The address to try next, which counts as being tried from now on. While seeding, known seeds are left alone.
    pub fn next_candidate(&mut self, now: Moment, seeding: bool) -> Option<SocketAddr> {
        if now < self.idle_until {
            return None;
        }
        let tries = self.tries;
        let ready = self.known.iter().filter(|(_, known)| {
            known.state == State::Idle && known.not_before <= now && !(seeding && known.is_seed)
        });
        let best = ready.min_by_key(|(_, known)| {
            let by_hand = known.found == Found::Hand;
            (!by_hand, known.failures, tries[known.found as usize], known.tried, u32::MAX - known.lot)
        });
        let Some(addr) = best.map(|(addr, _)| *addr) else {
            let waits =
                self.known.values().filter(|known| known.state == State::Idle && known.not_before > now);
            self.idle_until = waits.map(|known| known.not_before).min().unwrap_or(Moment::NEVER);
            return None;
        };
        let known = self.known.get_mut(&addr)?;
        (known.state, known.tried) = (State::Trying, now);
        self.tries[known.found as usize] += 1;
        Some(addr)
    }

    /// When [`Roster::next_candidate`] may have one again after it had none.
    pub fn next_deadline(&self) -> Moment {
        self.idle_until
    }

    /// A connection with the address stands, whoever began it.
    pub fn connected(&mut self, addr: SocketAddr, now: Moment) {
        if let Some(known) = self.known.get_mut(&canonical(addr)) {
            known.state = State::Connected(now);
        }
    }

    /// A connection with the address has ended without anybody's fault.
    pub fn disconnected(&mut self, addr: SocketAddr, now: Moment) {
        let addr = canonical(addr);
        let Some(known) = self.known.get_mut(&addr) else { return };
        let short = matches!(known.state, State::Connected(since) if now.since(since) < SHORT);
        if short {
            self.failed(addr, now, Why::NoAnswer);
        } else {
            (known.state, known.failures, known.not_before) = (State::Idle, 0, now + REST);
            self.idle_until = Moment::ZERO;
        }
    }

    /// Nothing came of an address that was tried, or its connection was ended for a fault.
    pub fn failed(&mut self, addr: SocketAddr, now: Moment, why: Why) {
        let addr = canonical(addr);
        if why == Why::Itself {
            self.add_own(addr);
        }
        let Some(known) = self.known.get_mut(&addr) else { return };
        known.state = State::Idle;
        self.idle_until = Moment::ZERO;
        let rng = &mut self.rng;
        let mut spread = |wait: Span| {
            let less = rng.below((wait.micros() / SPREAD) as usize);
            Span::from_micros(wait.micros() - less as u64)
        };
        match why {
            Why::NoRoom => known.not_before = now + Span::from_secs(1),
            Why::Duplicate => known.not_before = now + BACK_OFF.times(10),
            _ if known.found == Found::Hand => {
                let wait = BACK_OFF_BY_HAND.times(1 << known.failures.min(8)).min(LONGEST_BY_HAND);
                known.not_before = now + spread(wait);
                known.failures = (known.failures + 1).min(FAILURES);
            }
            _ => {
                known.not_before = now + spread(BACK_OFF.times(1 << known.failures.min(8)));
                known.failures += 1;
                if known.failures >= FAILURES {
                    self.known.remove(&addr);
                }
            }
        }
    }

    /// Notes whether a peer has everything.
    pub fn set_seed(&mut self, addr: SocketAddr, is_seed: bool) {
        if let Some(known) = self.known.get_mut(&canonical(addr)) {
            known.is_seed = is_seed;
            self.idle_until = Moment::ZERO;
        }
    }

    /// Has nothing to do with the address for an hour; after several of one machine, with none of that machine.
    pub fn ban(&mut self, addr: SocketAddr, now: Moment) {
        let addr = canonical(addr);
        self.known.remove(&addr);
        self.bans.retain(|_, until| *until > now);
        if self.bans.len() < BANS {
            self.bans.insert(addr, now + BAN);
        }
    }

    /// Ends a ban.
    pub fn pardon(&mut self, addr: SocketAddr) {
        self.bans.remove(&canonical(addr));
    }

    /// The banned addresses.
    pub fn banned(&self, now: Moment) -> impl Iterator<Item = SocketAddr> + '_ {
        self.bans.iter().filter(move |(_, until)| **until > now).map(|(addr, _)| *addr)
    }

    /// Whether there is to be nothing to do with the address.
    pub fn is_banned(&self, addr: SocketAddr, now: Moment) -> bool {
        let addr = canonical(addr);
        let machine = SocketAddr::new(addr.ip(), 0)..=SocketAddr::new(addr.ip(), u16::MAX);
        let mut ports = self.bans.range(machine).filter(|(_, until)| **until > now);
        // Many peers may stand behind one address, and on this computer all of them do.
        let many = !addr.ip().is_loopback() && ports.clone().count() >= PORTS_BANNED;
        many || ports.any(|(banned, _)| *banned == addr)
    }

    /// Whether the user named somebody who may want something of a seed.
    pub fn awaits(&self) -> bool {
        self.known.values().any(|known| known.found == Found::Hand && !known.is_seed)
    }

    /// How many of the known addresses are of peers that have everything.
    pub fn seeds(&self) -> usize {
        self.known.values().filter(|known| known.is_seed).count()
    }

    /// How many addresses are known.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether no address is known.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Whether the address is being tried or connected.
    pub fn is_busy(&self, addr: SocketAddr) -> bool {
        self.known.get(&canonical(addr)).is_some_and(|known| known.state != State::Idle)
    }

    /// Forgets one address for a new one: one that failed, else one of the kind that there are most of.
    fn make_room(&mut self, found: Found) -> bool {
        let mut counts = [0usize; 6];
        self.known.values().for_each(|known| counts[known.found as usize] += 1);
        let idle =
            self.known.iter().filter(|(_, known)| known.state == State::Idle && known.found != Found::Hand);
        let worst = idle.max_by_key(|(_, known)| (known.failures, counts[known.found as usize], known.lot));
        let Some((addr, known)) = worst.map(|(addr, known)| (*addr, *known)) else { return false };
        if known.failures == 0 && counts[known.found as usize] <= counts[found as usize] {
            return false;
        }
        self.known.remove(&addr);
        true
    }
}

/// IPv4 addresses in their own form.
fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

/// Whether a peer can be at the address at all.
fn may_be_peer(addr: SocketAddr) -> bool {
    let ip = addr.ip();
    let broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast() || ip.octets()[0] == 0);
    addr.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !broadcast
}

/// The canonical priority of a connection between two addresses (BEP 40), the ports left out; the same on both sides.
fn priority(ours: IpAddr, theirs: SocketAddr) -> Option<u32> {
    fn masked<const N: usize>(a: [u8; N], b: [u8; N], near: usize) -> u32 {
        // Far apart: half of each byte after the network part counts. Closer: one byte more, and so on.
        let same = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
        let whole = if same < near { near } else { (same + 1).min(N) };
        let mask = |bytes: [u8; N]| -> [u8; N] {
            std::array::from_fn(|at| if at < whole { bytes[at] } else { bytes[at] & 0x55 })
        };
        let (low, high) = (mask(a).min(mask(b)), mask(a).max(mask(b)));
        crc32c(low.iter().chain(&high))
    }
    match (ours, theirs.ip()) {
        (IpAddr::V4(a), IpAddr::V4(b)) if a != b => Some(masked(a.octets(), b.octets(), 2)),
        (IpAddr::V6(a), IpAddr::V6(b)) if a != b => Some(masked(a.octets(), b.octets(), 6)),
        _ => None,
    }
}

/// CRC-32C, bit by bit: it runs once for each address that becomes known.
fn crc32c<'a>(bytes: impl Iterator<Item = &'a u8>) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
    !bytes.fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
#[path = "roster_tests.rs"]
mod tests;
