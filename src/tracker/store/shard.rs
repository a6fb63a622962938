//! A part of all swarms behind one lock. Whoever holds the store decides what the lock is.

use std::cell::RefCell;
use std::hash::{BuildHasher, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::base::{InfoHash, Moment, PeerId, Rng, Span};
use crate::tracker::store::index::hash;
use crate::tracker::store::{
    Change, Exchange, Found, Mark, Room, Saved, SharedPeer, State, Swarm, SwarmCounts, Want,
};
use crate::tracker::{Config, Gauges};

/// The shards of a store, each to be used by one at a time.
pub trait Shards {
    /// How many there are; at least one.
    fn shards(&self) -> usize;
    /// Lets `with` use the shard at `at`.
    fn with<R>(&self, at: usize, with: impl FnOnce(&mut Shard) -> R) -> R;
}

/// Shards that one thread uses.
impl Shards for Vec<RefCell<Shard>> {
    fn shards(&self) -> usize {
        self.len()
    }

    fn with<R>(&self, at: usize, with: impl FnOnce(&mut Shard) -> R) -> R {
        with(&mut self[at].borrow_mut())
    }
}

/// What all shards of a store may hold together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Torrents.
    pub torrents: usize,
    /// Peers of all torrents.
    pub peers: usize,
    /// Peers of one torrent.
    pub peers_per_torrent: usize,
}

/// A part of all swarms.
#[derive(Debug)]
pub struct Shard {
    swarms: IndexMap<InfoHash, Swarm, Keyed>,
    salt: u64,
    began: Moment,
    limits: Limits,
    seeders: usize,
    peers: usize,
    room: Room,
    /// Torrents forgotten since the last saving; nothing where nobody saves.
    forgotten: Option<Vec<InfoHash>>,
    /// What other machines are told and asked; nothing where there are none.
    exchange: Option<Box<Exchange>>,
    /// Seconds after which others are asked again for a torrent.
    ask_after_secs: u32,
    /// The answer to a scrape of all torrents and when it was made, in the first shard of a store.
    pub(crate) scrape: Option<(Moment, Arc<[u8]>)>,
}

/// A peer to be noted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Note {
    /// Where it listens.
    pub(crate) addr: SocketAddr,
    /// Its id, where others may ask for it.
    pub(crate) id: Option<PeerId>,
    /// What it is.
    pub(crate) state: State,
    /// Whether it has finished just now.
    pub(crate) completed: bool,
    /// Whether it runs on the tracker's own machine.
    pub(crate) here: bool,
}

/// What became of a peer that was to be noted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noted<'a> {
    /// Whether there was room for it.
    pub(crate) stored: bool,
    /// What it finds.
    pub(crate) found: Found<'a>,
}

/// The empty shards of a store that keeps to a configuration; `rng` must be one that strangers cannot foresee.
pub fn new_shards(config: &Config, began: Moment, rng: &mut Rng) -> Vec<Shard> {
    let count = Limits::shards(config);
    let (limits, room) = (Limits::of(config), Room::default());
    (0..count)
        .map(|_| {
            let mut shard = Shard::new(limits, began, rng);
            shard.room = room.shared();
            shard.forgotten = config.state_file.is_some().then(Vec::new);
            shard.exchange = config.shared_store.is_some().then(|| Box::new(Exchange::new()));
            shard.ask_after_secs = config.db_cache_peers_ttl;
            shard
        })
        .collect()
}

impl Limits {
    /// Shards for a store of this size: enough that two cores seldom want the same.
    pub(crate) fn shards(config: &Config) -> usize {
        (config.db_cache_size.min(config.max_peers) as usize / 4_096).next_power_of_two().clamp(1, 64)
    }

    /// What a configuration lets a store hold.
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            torrents: config.db_cache_size as usize,
            peers: config.max_peers as usize,
            peers_per_torrent: config.max_peers_per_torrent as usize,
        }
    }
}

impl Shard {
    /// Torrents looked at when one has to make room.
    const SAMPLE: usize = 8;
    /// Peers with which a torrent can do without another one, where that would take the place of another torrent.
    const ENOUGH: usize = 64;

    /// An empty shard whose time begins at `began`.
    pub fn new(limits: Limits, began: Moment, rng: &mut Rng) -> Self {
        let salt = rng.bits();
        let swarms = IndexMap::with_hasher(Keyed(rng.bits()));
        Self {
            swarms,
            salt,
            began,
            limits,
            seeders: 0,
            peers: 0,
            room: Room::default(),
            forgotten: None,
            exchange: None,
            ask_after_secs: 0,
            scrape: None,
        }
    }

    /// Changes what it may hold; what is above stays until it goes by itself.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Changes after how many seconds others are asked again for a torrent that somebody asks for here.
    pub(crate) fn set_ask_after(&mut self, secs: u32) {
        self.ask_after_secs = secs;
    }

    /// Notes a peer and finds others for it.
    pub(crate) fn announce(
        &mut self,
        hash: InfoHash,
        note: Note,
        want: Want,
        both: bool,
        now: Moment,
        rng: &mut Rng,
    ) -> Noted<'_> {
        let (at, own) = self.note(hash, note, now, rng);
        self.settle();
        let found = match at.and_then(|at| self.swarms.get_index(at)) {
            Some((_, swarm)) => swarm.choose(note.addr, own, want, both, rng),
            None => Found::none(SwarmCounts::default()),
        };
        Noted { stored: own.is_some(), found }
    }

    /// Forgets a peer.
    pub(crate) fn stop(&mut self, hash: InfoHash, addr: SocketAddr, now: Moment) -> SwarmCounts {
        if let Some(exchange) = &mut self.exchange {
            let peer = SharedPeer { addr, heard: now, state: None };
            exchange.tell(Change { info_hash: hash, peer, completed: false, news: true });
        }
        let Some((at, _, swarm)) = self.swarms.get_full_mut(&hash) else { return SwarmCounts::default() };
        if let Some(was) = swarm.remove(addr, self.salt) {
            self.peers -= 1;
            self.seeders -= usize::from(was == State::Seed);
            swarm.changed = true;
        }
        let counts = swarm.counts();
        if swarm.len() == 0 && swarm.downloaded == 0 {
            self.swarms.swap_remove_index(at);
            forget(&mut self.forgotten, hash, self.limits);
        }
        self.settle();
        counts
    }

    /// Adds up to `max` changed torrents from the `from`-th on, and those that are forgotten; gives where to go on, nothing at
    /// the end. What moves meanwhile is found the next time.
    pub(crate) fn changes(&mut self, from: usize, max: usize, out: &mut Vec<Saved>) -> Option<usize> {
        let began = self.began.micros() / 1_000_000;
        let full = out.len() + max;
        if let Some(forgotten) = &mut self.forgotten {
            // A torrent that has come again since is no longer forgotten.
            let gone = forgotten.drain(..).filter(|hash| !self.swarms.contains_key(hash));
            out.extend(gone.map(|info_hash| Saved { info_hash, ..Saved::default() }));
        }
        for at in from..self.swarms.len() {
            if out.len() >= full {
                return Some(at);
            }
            let Some((hash, swarm)) = self.swarms.get_index_mut(at).filter(|(_, swarm)| swarm.changed) else {
                continue;
            };
            swarm.changed = false;
            let touched_secs = began + u64::from(swarm.touched);
            let mut saved =
                Saved { info_hash: *hash, downloaded: swarm.downloaded, touched_secs, peers: Vec::new() };
            swarm.each(|addr, mark, state, id| saved.push(addr, mark, state, id, began));
            out.push(saved);
        }
        None
    }

    /// Puts a saved torrent back, but for what is known better already or does not fit.
    pub(crate) fn restore(&mut self, saved: &Saved) {
        let secs = |at: u64| at.saturating_sub(self.began.micros() / 1_000_000).min(1 << 29) as u32;
        if self.swarms.contains_key(&saved.info_hash) || self.all_torrents() >= self.limits.torrents {
            return;
        }
        let mut swarm = Swarm::default();
        (swarm.downloaded, swarm.touched) = (saved.downloaded, secs(saved.touched_secs));
        for peer in saved.each() {
            if self.all_peers() >= self.limits.peers || swarm.len() >= self.limits.peers_per_torrent {
                break;
            }
            let mark = Mark::new(secs(peer.secs.into()), peer.state, peer.here);
            let mark = if peer.foreign { mark.foreign() } else { mark };
            let (_, before) = swarm.put(peer.addr, mark, peer.state, peer.id, self.salt);
            self.peers += usize::from(before.is_none());
            self.seeders -= usize::from(before == Some(State::Seed));
            self.seeders += usize::from(peer.state == State::Seed);
        }
        self.swarms.insert(saved.info_hash, swarm);
        self.settle();
    }

    /// What others are to be told and asked since the last time; nothing where there are none.
    pub fn take_exchange(&mut self) -> Option<Exchange> {
        self.exchange.as_mut().map(|exchange| exchange.take())
    }

    /// Adds the peers that announced here themselves, of some torrents from the `from`-th on; gives where to go on.
    pub fn own(&self, from: usize, max: usize, out: &mut Vec<Change>) -> Option<usize> {
        let full = out.len() + max;
        for at in from..self.swarms.len() {
            if out.len() >= full {
                return Some(at);
            }
            let Some((info_hash, swarm)) = self.swarms.get_index(at) else { break };
            swarm.each(|addr, mark, state, _| {
                if !mark.is_foreign() {
                    let heard = self.began + Span::from_secs(mark.secs().into());
                    let peer = SharedPeer { addr, heard, state: Some(state) };
                    out.push(Change { info_hash: *info_hash, peer, completed: false, news: false });
                }
            });
        }
        None
    }

    /// Takes over what others know of a torrent, as far as it is newer than what is known here and fits. Nobody makes room
    /// for it. Gives how many peers it brought or took.
    pub fn merge(&mut self, hash: InfoHash, peers: &[SharedPeer], downloaded: u32) -> usize {
        let known = self.swarms.contains_key(&hash);
        let useful = downloaded > 0 || peers.iter().any(|peer| peer.state.is_some());
        if !known && (!useful || self.all_torrents() >= self.limits.torrents) {
            return 0;
        }
        let secs = |peer: &SharedPeer| peer.heard.since(self.began).secs().min(1 << 28) as u32;
        // As many as there is room for; what these words remove makes no more of it.
        let mut room = self.limits.peers.saturating_sub(self.all_peers());
        let (mut changed, swarm) = (0, self.swarms.entry(hash).or_default());
        swarm.downloaded = swarm.downloaded.max(downloaded);
        for peer in peers {
            let mark = swarm.mark(peer.addr, self.salt);
            if mark.is_some_and(|mark| {
                mark.secs() >= secs(peer) && (peer.state.is_some() || mark.secs() > secs(peer))
            }) {
                continue;
            }
            match peer.state {
                None => {
                    if let Some(was) = swarm.remove(peer.addr, self.salt) {
                        changed += 1;
                        self.peers -= 1;
                        self.seeders -= usize::from(was == State::Seed);
                    }
                }
                Some(state) => {
                    let full = room == 0 || swarm.len() >= self.limits.peers_per_torrent;
                    if mark.is_none() && full {
                        continue;
                    }
                    room -= usize::from(mark.is_none());
                    swarm.touched = swarm.touched.max(secs(peer));
                    let mark = Mark::new(secs(peer), state, false).foreign();
                    let (_, before) = swarm.put(peer.addr, mark, state, None, self.salt);
                    changed += 1;
                    self.peers += usize::from(before.is_none());
                    self.seeders -= usize::from(before == Some(State::Seed));
                    self.seeders += usize::from(state == State::Seed);
                }
            }
        }
        swarm.changed |= changed > 0;
        self.settle();
        changed
    }

    /// How many peers a torrent has; nothing where it is unknown.
    pub fn counts(&self, hash: &InfoHash) -> Option<SwarmCounts> {
        self.swarms.get(hash).map(Swarm::counts)
    }

    /// Seconds since a peer was heard last; nothing where it is unknown.
    pub(crate) fn silence(&self, hash: &InfoHash, addr: SocketAddr, now: Moment) -> Option<u32> {
        let mark = self.swarms.get(hash)?.mark(addr, self.salt)?;
        Some((now.since(self.began).secs() as u32).saturating_sub(mark.secs()))
    }

    /// Every torrent with its counts, in no order that means anything.
    pub fn torrents(&self) -> impl Iterator<Item = (InfoHash, SwarmCounts)> {
        self.swarms.iter().map(|(hash, swarm)| (*hash, swarm.counts()))
    }

    /// Whom a torrent has, and who of them is a seed, at most `max`.
    pub(crate) fn peers(&self, hash: &InfoHash, max: usize) -> Vec<(SocketAddr, bool)> {
        let mut peers = Vec::new();
        if let Some(swarm) = self.swarms.get(hash) {
            swarm.each(|addr, _, state, _| {
                if peers.len() < max {
                    peers.push((addr, state == State::Seed));
                }
            });
        }
        peers
    }

    /// What is there now.
    pub fn gauges(&self) -> Gauges {
        Gauges {
            torrents: self.swarms.len() as u64,
            seeders: self.seeders as u64,
            leechers: (self.peers - self.seeders) as u64,
        }
    }

    /// Forgets peers that have been silent for `silence`, and torrents that nobody has shared for three times that long.
    /// Gives how many peers it were.
    pub fn clean(&mut self, silence: Span, now: Moment) -> usize {
        let age = now.since(self.began).secs();
        let Some(before) = age.checked_sub(silence.secs()) else { return 0 };
        let idle_before = age.saturating_sub(silence.secs().saturating_mul(3)) as u32;
        let (mut peers, mut seeders) = (0, 0);
        self.swarms.retain(|hash, swarm| {
            let removed = peers;
            swarm.sweep(before as u32, self.salt, |state| {
                peers += 1;
                seeders += usize::from(state == State::Seed);
            });
            swarm.changed |= peers > removed;
            let stays = swarm.len() > 0 || swarm.downloaded > 0 && swarm.touched >= idle_before;
            if !stays {
                forget(&mut self.forgotten, *hash, self.limits);
            }
            stays
        });
        self.peers -= peers;
        self.seeders -= seeders;
        if self.swarms.capacity() > self.swarms.len() * 2 + 64 {
            self.swarms.shrink_to_fit();
        }
        self.settle();
        peers
    }

    fn all_torrents(&self) -> usize {
        self.room.torrents(self.swarms.len())
    }

    fn all_peers(&self) -> usize {
        self.room.peers(self.peers)
    }

    fn settle(&mut self) {
        self.room.settle(self.swarms.len(), self.peers);
    }

    /// Notes a peer where there is room for it; gives where its torrent stands, and where the peer stands in it.
    fn note(
        &mut self,
        hash: InfoHash,
        note: Note,
        now: Moment,
        rng: &mut Rng,
    ) -> (Option<usize>, Option<usize>) {
        let secs = now.since(self.began).secs() as u32;
        let mut at = self.swarms.get_index_of(&hash);
        let known = at.and_then(|at| self.swarms.get_index(at)).map(|(_, swarm)| swarm);
        let len = known.map_or(0, Swarm::len);
        let full = self.all_peers() >= self.limits.peers;
        let room = match known {
            None => {
                (self.all_torrents() < self.limits.torrents || self.make_room(&hash, 0, rng))
                    && (!full || self.make_room(&hash, 1, rng))
            }
            // Whoever is known already takes no more room.
            Some(swarm) if full || len >= self.limits.peers_per_torrent => {
                let known = swarm.mark(note.addr, self.salt).is_some();
                let few = len < Self::ENOUGH.min(self.limits.peers_per_torrent);
                let room = known || few && self.make_room(&hash, 1, rng);
                // Making room moves others about.
                at = self.swarms.get_index_of(&hash);
                room
            }
            Some(_) => true,
        };
        if !room {
            return (at, None);
        }
        let at = at.unwrap_or_else(|| self.swarms.insert_full(hash, Swarm::default()).0);
        let Some((_, swarm)) = self.swarms.get_index_mut(at) else { return (None, None) };
        (swarm.touched, swarm.changed) = (secs, true);
        let mark = Mark::new(secs, note.state, note.here);
        let (own, before) = swarm.put(note.addr, mark, note.state, note.id, self.salt);
        let completed = note.completed && before != Some(State::Seed);
        swarm.downloaded = swarm.downloaded.saturating_add(u32::from(completed));
        if let Some(exchange) = &mut self.exchange {
            let news = before != Some(note.state);
            let peer = SharedPeer { addr: note.addr, heard: now, state: Some(note.state) };
            exchange.tell(Change { info_hash: hash, peer, completed, news });
            let due = swarm.asked == 0 || secs > swarm.asked && secs - swarm.asked >= self.ask_after_secs;
            if due && exchange.ask(hash) {
                swarm.asked = secs;
            }
        }
        self.peers += usize::from(before.is_none());
        self.seeders -= usize::from(before == Some(State::Seed));
        self.seeders += usize::from(note.state == State::Seed);
        (Some(at), own)
    }

    /// Drops the torrent that was announced to least lately among a few that at most one peer shares: what a flood of made-up
    /// hashes leaves behind, while torrents where peers meet stay. Only those with `peers` or more count. Whether there was one.
    fn make_room(&mut self, keep: &InfoHash, peers: usize, rng: &mut Rng) -> bool {
        let victim = (0..Self::SAMPLE)
            .filter_map(|_| {
                let at = rng.below(self.swarms.len());
                let (hash, swarm) = self.swarms.get_index(at)?;
                ((peers..=1).contains(&swarm.len()) && hash != keep).then_some((swarm.touched, at))
            })
            .min();
        let Some((_, at)) = victim else { return false };
        if let Some((hash, swarm)) = self.swarms.swap_remove_index(at) {
            forget(&mut self.forgotten, hash, self.limits);
            self.peers -= swarm.len();
            self.seeders -= swarm.seeds();
        }
        true
    }
}

/// Notes that a torrent is no longer kept, where somebody saves. Where nobody takes that away, as when the disk is full, it is
/// left out: what is saved too long goes for its age when it is put back.
fn forget(forgotten: &mut Option<Vec<InfoHash>>, hash: InfoHash, limits: Limits) {
    if let Some(forgotten) = forgotten
        && forgotten.len() < limits.torrents
    {
        forgotten.push(hash);
    }
}

/// Hashes info-hashes so that nobody can choose ones that fall together.
#[derive(Clone, Debug)]
struct Keyed(u64);

struct KeyedHasher(u64, u64);

impl BuildHasher for Keyed {
    type Hasher = KeyedHasher;

    fn build_hasher(&self) -> KeyedHasher {
        KeyedHasher(self.0, 0)
    }
}

impl Hasher for KeyedHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.1 ^= hash(bytes, self.0);
    }

    // The length stands before the bytes, and is always the same.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.1
    }
}
