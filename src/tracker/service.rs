//! Announces and scrapes on one store, whatever carries them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use crate::base::{InfoHash, Moment, PeerId, Rng};
use crate::tracker::addresses::{is_peer, is_private};
use crate::tracker::history::History;
use crate::tracker::limiter::Limiter;
use crate::tracker::siphash::{Key, siphash};
use crate::tracker::store::{
    Change, Exchange, Found, Limits, Note, Saved, Shard, Shards, SharedPeer, State, SwarmCounts, Want,
};
use crate::tracker::{Config, ConnectionIds, Counter, Gauges, Stats};
use crate::wire::tracker::{Event, RetryIn};

/// A tracker: swarms, counters and keys. Everything is shared; only the shards have a lock, which their holder brings.
#[derive(Debug)]
pub struct Tracker<S> {
    shards: S,
    ids: ConnectionIds,
    spread: Key,
    limiter: Limiter,
    history: History,
    /// What was counted since the start.
    pub stats: Stats,
}

/// Who asks, when, and by which rules it is answered.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// Where it asks from, in canonical form.
    pub ip: IpAddr,
    /// At which of the tracker's addresses it asks, where that is known.
    pub local: Option<IpAddr>,
    /// When.
    pub now: Moment,
    /// The rules.
    pub config: &'a Config,
}

/// What an announce says, as far as a tracker makes use of it.
#[derive(Clone, Copy, Debug)]
pub struct Announce {
    /// The torrent.
    pub info_hash: InfoHash,
    /// The client, for this session.
    pub peer_id: PeerId,
    /// The TCP port it listens on.
    pub port: u16,
    /// Bytes still missing, where it says.
    pub left: Option<u64>,
    /// Why it announces.
    pub event: Event,
    /// The address that it says others reach it at.
    pub ip: Option<IpAddr>,
    /// Peers wanted; nothing where the tracker is to choose.
    pub numwant: Option<u32>,
    /// Whether others may ask for its peer id.
    pub shows_id: bool,
    /// Whether peers of the other address family are welcome, too.
    pub both_families: bool,
}

/// A query that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The port cannot be connected to.
    #[error("port invalid value")]
    Port,
    /// The address cannot be connected to.
    #[error("ip invalid value")]
    Address,
    /// The torrent is not served here.
    #[error("this tracker does not serve the torrent")]
    Torrent,
    /// A key is needed, and none or an unknown one was shown.
    #[error("this tracker answers its users only, and the announce URL holds no key that it knows")]
    Key,
    /// One address asked too often.
    #[error("too many queries; ask again later")]
    TooMany,
    /// A peer that is known announced again before its time, with nothing new to say.
    #[error("announced too early; the next announce is welcome in {} min", self.minutes())]
    Early {
        /// Seconds that it should have waited still.
        secs: u32,
    },
    /// Memory is full of torrents that are in use.
    #[error("the tracker is full")]
    Full,
}

impl Refusal {
    /// How it is counted.
    pub(crate) fn counter(self) -> Counter {
        match self {
            Self::Port | Self::Address => Counter::InvalidQueries,
            Self::Torrent | Self::Key | Self::TooMany | Self::Early { .. } | Self::Full => Counter::Rejected,
        }
    }

    /// When to come back (BEP 31).
    pub(crate) fn retry_in(self) -> Option<RetryIn> {
        match self {
            Self::Port | Self::Address => None,
            Self::Torrent | Self::Key => Some(RetryIn::Never),
            Self::TooMany => Some(RetryIn::Minutes(2)),
            Self::Early { .. } => Some(RetryIn::Minutes(self.minutes())),
            Self::Full => Some(RetryIn::Minutes(15)),
        }
    }

    fn minutes(self) -> u32 {
        match self {
            Self::Early { secs } => secs.div_ceil(60),
            _ => 0,
        }
    }
}

/// Under which address a peer of this machine is known: one that announces over loopback and by the machine's own address
/// is one peer, and is counted once.
fn at_home(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if !ip.is_loopback() => Ipv4Addr::LOCALHOST.into(),
        ip => ip,
    }
}

impl<S: Shards> Tracker<S> {
    /// A tracker on these shards that proves addresses by `ids`; `rng` must be one that strangers cannot foresee.
    pub fn new(shards: S, ids: ConnectionIds, rng: &mut Rng) -> Self {
        let mut spread = [0; 16];
        rng.fill(&mut spread);
        Self {
            shards,
            ids,
            spread,
            limiter: Limiter::new(rng),
            history: History::new(),
            stats: Stats::default(),
        }
    }

    /// The connection ids.
    pub fn connection_ids(&self) -> &ConnectionIds {
        &self.ids
    }

    /// Whether whoever asks has not asked too often; counts where he has.
    pub(crate) fn within_limit(&self, asker: &Asker<'_>) -> bool {
        let limit = asker.config.rate_limit;
        limit == 0 || asker.ip.is_loopback() || self.limiter.admits(asker.ip, limit, asker.now)
    }

    /// Notes or forgets a peer and lets `answer` see what it finds. Counted as an announce where it is accepted.
    pub(crate) fn announce<R>(
        &self,
        asker: &Asker<'_>,
        announce: &Announce,
        rng: &mut Rng,
        answer: impl FnOnce(&Found<'_>) -> R,
    ) -> Result<R, Refusal> {
        if announce.port == 0 {
            return Err(Refusal::Port);
        }
        // What a client says of its address is believed only where it can say nothing of strangers.
        let named = announce.ip.filter(|_| asker.config.accept_ip && is_private(asker.ip));
        let ip = named.unwrap_or(asker.ip);
        if !is_peer(ip) {
            return Err(Refusal::Address);
        }
        if !asker.config.access.serves(&announce.info_hash) {
            return Err(Refusal::Torrent);
        }
        let here = ip.is_loopback() || asker.local == Some(ip);
        let addr = SocketAddr::new(if here { at_home(ip) } else { ip }, announce.port);
        let shard = self.shard_of(&announce.info_hash);
        if announce.event == Event::Stopped {
            let counts = self.shards.with(shard, |shard| shard.stop(announce.info_hash, addr, asker.now));
            self.stats.count(Counter::Announces);
            return Ok(answer(&Found::none(counts)));
        }
        let state = match announce.event {
            Event::Completed => State::Seed,
            _ if announce.left == Some(0) => State::Seed,
            Event::Paused => State::PartialSeed,
            _ => State::Leecher,
        };
        let note = Note {
            addr,
            id: announce.shows_id.then_some(announce.peer_id),
            state,
            completed: announce.event == Event::Completed,
            here,
        };
        let peers = announce.numwant.unwrap_or(u32::MAX).min(asker.config.answer_max_peers) as usize;
        // A partial seed wants nothing either (BEP 21).
        let want = Want { peers, seed: state != State::Leecher };
        // Whoever starts, finishes or pauses has something to say at any time.
        let waits = match announce.event {
            Event::None if asker.config.enforce_min_interval => asker.config.min_interval(),
            _ => 0,
        };
        let (stored, answer) = self.shards.with(shard, |shard| {
            if waits > 0
                && let Some(silent) = shard.silence(&announce.info_hash, addr, asker.now)
                // Times are kept in whole seconds.
                && let Some(secs) = waits.checked_sub(silent + 1).filter(|secs| *secs > 0)
            {
                return Err(Refusal::Early { secs });
            }
            let noted =
                shard.announce(announce.info_hash, note, want, announce.both_families, asker.now, rng);
            let known = noted.stored || noted.found.counts != SwarmCounts::default();
            Ok((noted.stored, known.then(|| answer(&noted.found))))
        })?;
        if !stored && answer.is_some() {
            self.stats.count(Counter::Rejected);
        }
        let answer = answer.ok_or(Refusal::Full)?;
        self.stats.count(Counter::Announces);
        Ok(answer)
    }

    /// How many peers a torrent has; nothing where it is unknown or not served.
    pub fn scrape(&self, config: &Config, hash: &InfoHash) -> Option<SwarmCounts> {
        if config.access.serves(hash) { self.counts(hash) } else { None }
    }

    /// How many peers a torrent has; nothing where it is unknown.
    pub fn counts(&self, hash: &InfoHash) -> Option<SwarmCounts> {
        self.shards.with(self.shard_of(hash), |shard| shard.counts(hash))
    }

    /// At most `max` torrents with their counts.
    pub fn torrents(&self, max: usize) -> Vec<(InfoHash, SwarmCounts)> {
        let mut torrents = Vec::new();
        for at in 0..self.shards.shards() {
            let room = max - torrents.len();
            self.shards.with(at, |shard| torrents.extend(shard.torrents().take(room)));
        }
        torrents
    }

    /// The `max` torrents with the most peers, the largest first.
    pub fn largest(&self, max: usize) -> Vec<(InfoHash, SwarmCounts)> {
        let size = |entry: &(InfoHash, SwarmCounts)| {
            (std::cmp::Reverse(u64::from(entry.1.complete) + u64::from(entry.1.incomplete)), entry.0)
        };
        let mut largest: Vec<(InfoHash, SwarmCounts)> = Vec::new();
        for at in 0..self.shards.shards() {
            self.shards.with(at, |shard| {
                for torrent in shard.torrents() {
                    largest.push(torrent);
                    // The list never becomes longer than twice what is wanted.
                    if largest.len() >= max.saturating_mul(2).max(64) {
                        largest.sort_unstable_by_key(size);
                        largest.truncate(max);
                    }
                }
            });
        }
        largest.sort_unstable_by_key(size);
        largest.truncate(max);
        largest
    }

    /// Whom a torrent has, and who of them is a seed, at most `max`.
    pub fn peers(&self, hash: &InfoHash, max: usize) -> Vec<(SocketAddr, bool)> {
        self.shards.with(self.shard_of(hash), |shard| shard.peers(hash, max))
    }

    /// What is there now.
    pub fn gauges(&self) -> Gauges {
        let mut sum = Gauges::default();
        for at in 0..self.shards.shards() {
            let part = self.shards.with(at, |shard| shard.gauges());
            sum.torrents += part.torrents;
            sum.seeders += part.seeders;
            sum.leechers += part.leechers;
        }
        sum
    }

    /// All figures by their names.
    pub fn figures(&self) -> Vec<(&'static str, u64)> {
        self.gauges().with(&self.stats)
    }

    /// Seconds between two calls of [`sample`](Self::sample).
    pub const SAMPLE_SECS: u32 = History::STEP_SECS;

    /// Notes how things stand, for the page that plots it.
    pub fn sample(&self) {
        self.history.note(&self.gauges(), &self.stats);
    }

    /// Announces, scrapes and refused queries of the last minute.
    pub fn last_minute(&self) -> [u64; 3] {
        self.history.last_minute(&self.stats)
    }

    /// The last hour.
    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    /// Removes silent peers from one shard, the `turn`-th; whoever calls goes through the turns, so that no announce waits for
    /// all of them.
    pub fn clean(&self, config: &Config, turn: usize, now: Moment) {
        let silence = crate::base::Span::from_secs(config.clean_interval.into());
        let at = turn % self.shards.shards();
        let removed = self.shards.with(at, |shard| shard.clean(silence, now));
        self.stats.add(Counter::DeletedPeers, removed as u64);
    }

    /// Adds some of the changed torrents of the `at`-th shard; gives where in it to go on.
    pub fn changes(&self, at: usize, from: usize, out: &mut Vec<Saved>) -> Option<usize> {
        // So few that no announce waits long.
        const SOME: usize = 256;
        self.shards.with(at, |shard| shard.changes(from, SOME, out))
    }

    /// Puts a saved torrent back.
    pub fn restore(&self, saved: &Saved) {
        self.shards.with(self.shard_of(&saved.info_hash), |shard| shard.restore(saved));
    }

    /// What other machines are to be told and asked by the `at`-th shard.
    pub fn take_exchange(&self, at: usize) -> Option<Exchange> {
        self.shards.with(at, Shard::take_exchange)
    }

    /// Adds some of the peers that announced here, of the `at`-th shard; gives where in it to go on.
    pub fn own(&self, at: usize, from: usize, out: &mut Vec<Change>) -> Option<usize> {
        const SOME: usize = 1_024;
        self.shards.with(at, |shard| shard.own(from, SOME, out))
    }

    /// Takes over what other machines know of a torrent.
    pub fn merge(&self, hash: InfoHash, peers: &[SharedPeer], downloaded: u32) -> usize {
        self.shards.with(self.shard_of(&hash), |shard| shard.merge(hash, peers, downloaded))
    }

    /// How many turns of [`clean`](Self::clean) go through everything.
    pub fn turns(&self) -> usize {
        self.shards.shards()
    }

    /// Keeps to other limits from now on.
    pub fn reload(&self, config: &Config) {
        self.keep_scrape(None);
        let count = self.shards.shards();
        for at in 0..count {
            self.shards.with(at, |shard: &mut Shard| {
                shard.set_limits(Limits::of(config));
                shard.set_ask_after(config.db_cache_peers_ttl);
            });
        }
    }

    /// The answer to a scrape of all torrents, and when it was made.
    pub(crate) fn kept_scrape(&self) -> Option<(Moment, Arc<[u8]>)> {
        self.shards.with(0, |shard| shard.scrape.clone())
    }

    /// Keeps that answer until another one is kept.
    pub(crate) fn keep_scrape(&self, scrape: Option<(Moment, Arc<[u8]>)>) {
        self.shards.with(0, |shard| shard.scrape = scrape);
    }

    /// Whether two secrets are the same, in a time that tells nothing of where they differ.
    pub(crate) fn is_same(&self, known: &[u8], shown: &[u8]) -> bool {
        // Without the key nobody can make hashes agree piece by piece.
        siphash(&self.spread, known) == siphash(&self.spread, shown) && known.len() == shown.len()
    }

    fn shard_of(&self, hash: &InfoHash) -> usize {
        siphash(&self.spread, &hash.0) as usize & (self.shards.shards() - 1)
    }
}
