//! Several trackers as one: each tells a shared store (Valkey or Redis) who announced to it, and takes over what the others
//! told. A thread does it, a batch at a time; nobody who announces waits for it. Where the store cannot be reached each tracker
//! goes on alone, and tells everything it knows when the store is there again.
//!
//! What is in the store, each name behind the prefix:
//!
//! - `peers:HASH`: a sorted set of compact peers. The score holds when a peer was heard by the store's own clock (32 bits),
//!   which tracker heard it (18 bits), and what it is (2 bits), so that the last word wins whatever the order of writing.
//! - `done:HASH`: how many downloads were ever finished
//! - `news`: a sorted set of torrents by when something happened to them that others do not know yet
//! - `key:HOUR`: the key of connection ids for one hour, so that a client may ask any of the trackers
//!
//! All of them expire: peers by their time, names some time after they were written last.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use redis::{Client, Connection, Pipeline, RedisError, RedisResult, cmd, pipe};

use crate::base::{InfoHash, Moment, Span};
use crate::net::tracker::behind::Behind;
use crate::net::tracker::cluster_peers::{Stamp, member, peer};
use crate::net::tracker::shared::{Shared, secret};
use crate::tracker::{Change, Config, ConnectionIds, Counter, SharedPeer};

/// A store that cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// Its address does not read.
    #[error("shared_store is no address of a Valkey or Redis: {0}")]
    Address(RedisError),
    /// The system gives no thread.
    #[error(transparent)]
    System(#[from] std::io::Error),
}

/// How long the store may take for an answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Torrents written or asked for at once.
const TORRENTS: usize = 256;
/// Peers written at once of one torrent, and read of it: the newest.
const PEERS: usize = 500;
/// Seconds between two times that everything is told, however much was forgotten meanwhile.
const ALL_SECS: u64 = 60;

/// Begins to exchange. Where the store answers at once, what it knows is there before anybody asks.
pub(super) fn start(url: &str, shared: &Arc<Shared>) -> Result<Behind, ClusterError> {
    let client = Client::open(url).map_err(ClusterError::Address)?;
    let mut node = Node::new(client, Arc::clone(shared))?;
    node.turn();
    let shared = Arc::clone(shared);
    let period = move || Duration::from_secs(shared.config().shared_store_interval.into());
    Ok(Behind::start("tracker-cluster", period, move || node.turn())?)
}

/// One of the trackers.
struct Node {
    shared: Arc<Shared>,
    client: Client,
    store: Option<Connection>,
    /// What tells our entries from those of others, who do not need to be asked for what we told.
    tag: u32,
    /// Keys of connection ids by their hour, and whether the store knows them.
    keys: BTreeMap<u32, ([u8; 16], bool)>,
    /// What could not be told yet.
    untold: Vec<Change>,
    /// When everything was told last, by the store's clock.
    told_all: Option<u64>,
    failing: bool,
}

impl Node {
    fn new(client: Client, shared: Arc<Shared>) -> std::io::Result<Self> {
        let tag = u32::from_ne_bytes(secret()?);
        Ok(Self {
            shared,
            client,
            store: None,
            tag,
            keys: BTreeMap::new(),
            untold: Vec::new(),
            told_all: None,
            failing: false,
        })
    }

    /// Exchanges once.
    fn turn(&mut self) {
        let result = self.exchange();
        self.give_keys();
        match result {
            Ok(()) if self.failing => {
                self.failing = false;
                tracing::info!("the shared store answers again");
            }
            Ok(()) => {}
            Err(error) => {
                self.store = None;
                self.shared.tracker.stats.count(Counter::StoreFailures);
                // Once is enough in a log.
                if !self.failing {
                    self.failing = true;
                    tracing::warn!(%error, "the shared store does not answer; this tracker goes on alone");
                }
            }
        }
    }

    fn exchange(&mut self) -> RedisResult<()> {
        let shared = Arc::clone(&self.shared);
        let config = shared.config();
        let prefix = config.shared_store_prefix.as_str();
        let mut store = match self.store.take() {
            Some(store) => store,
            None => {
                let store = self.client.get_connection_with_timeout(PATIENCE)?;
                store.set_read_timeout(Some(PATIENCE))?;
                store.set_write_timeout(Some(PATIENCE))?;
                // It may have lost everything, or somebody else may have come first.
                self.told_all = None;
                self.keys.values_mut().for_each(|(_, agreed)| *agreed = false);
                store
            }
        };
        let (secs, micros): (u64, u64) = cmd("TIME").query(&mut store)?;
        let clock = Clock { store: secs, at: shared.now() - Span::from_micros(micros) };
        self.agree_on_keys(&mut store, prefix)?;
        let mut wanted = self.tell(&mut store, &config, clock)?;
        wanted.extend(news(&mut store, prefix, secs)?);
        wanted.sort_unstable();
        wanted.dedup();
        for hashes in wanted.chunks(TORRENTS) {
            self.hear(&mut store, &config, clock, hashes)?;
        }
        self.store = Some(store);
        Ok(())
    }

    /// Tells what happened here; gives the torrents that others should be asked for.
    fn tell(&mut self, store: &mut Connection, config: &Config, clock: Clock) -> RedisResult<Vec<InfoHash>> {
        let shared = Arc::clone(&self.shared);
        let mut wanted = Vec::new();
        for at in 0..shared.tracker.turns() {
            let Some(exchange) = shared.tracker.take_exchange(at) else { continue };
            wanted.extend(exchange.wanted);
            self.untold.extend(exchange.changes);
            if exchange.forgot && self.told_all.is_some_and(|told| told + ALL_SECS <= clock.store) {
                self.told_all = None;
            }
        }
        let untold = std::mem::take(&mut self.untold);
        if let Err(error) = self.write(store, config, clock, &untold) {
            // Everything is told after a failure, but for what has gone.
            self.untold =
                untold.into_iter().filter(|change| change.peer.state.is_none() || change.completed).collect();
            self.untold.truncate(100_000);
            return Err(error);
        }
        if self.told_all.is_none() {
            let mut own = Vec::new();
            for at in 0..shared.tracker.turns() {
                let mut from = Some(0);
                while let Some(position) = from {
                    from = shared.tracker.own(at, position, &mut own);
                    // Others learn of it as news: they may have begun while the store was empty.
                    own.iter_mut().for_each(|change| change.news = true);
                    self.write(store, config, clock, &own)?;
                    own.clear();
                }
            }
            self.told_all = Some(clock.store);
        }
        Ok(wanted)
    }

    fn write(
        &self,
        store: &mut Connection,
        config: &Config,
        clock: Clock,
        changes: &[Change],
    ) -> RedisResult<()> {
        let prefix = config.shared_store_prefix.as_str();
        let life = u64::from(config.clean_interval);
        // The last word on each peer, in an order that is the same every time.
        let mut torrents: BTreeMap<InfoHash, Torrent> = BTreeMap::new();
        for change in changes {
            let torrent = torrents.entry(change.info_hash).or_default();
            torrent.news |= change.news;
            torrent.completed += u32::from(change.completed);
            let stamp =
                Stamp { secs: clock.secs(change.peer.heard), tag: self.tag, state: change.peer.state };
            torrent.peers.insert(member(change.peer.addr), stamp.score());
        }
        let torrents: Vec<(InfoHash, Torrent)> = torrents.into_iter().collect();
        for some in torrents.chunks(TORRENTS) {
            let mut pipe = pipe();
            let mut told = 0;
            for (hash, torrent) in some {
                torrent.write(&mut pipe, prefix, hash, clock, life);
                told += torrent.peers.len();
            }
            let fresh: Vec<_> =
                some.iter().filter(|(_, torrent)| torrent.news).map(|(hash, _)| hash).collect();
            if !fresh.is_empty() {
                let name = name(prefix, "news", "");
                let add = pipe.cmd("ZADD").arg(&name);
                for hash in fresh {
                    add.arg(clock.store).arg(&hash.0[..]);
                }
                add.ignore();
                pipe.cmd("ZREMRANGEBYSCORE").arg(&name).arg("-inf").arg(clock.store - NEWS_SECS).ignore();
                pipe.cmd("EXPIRE").arg(&name).arg(2 * NEWS_SECS).ignore();
            }
            pipe.exec(store)?;
            self.shared.tracker.stats.add(Counter::StoreTold, told as u64);
        }
        Ok(())
    }

    /// Takes over what others know of some torrents.
    fn hear(
        &self,
        store: &mut Connection,
        config: &Config,
        clock: Clock,
        hashes: &[InfoHash],
    ) -> RedisResult<()> {
        let prefix = config.shared_store_prefix.as_str();
        let oldest = Stamp::since(clock.store.saturating_sub(config.clean_interval.into()));
        let mut ranges = pipe();
        let mut done = cmd("MGET");
        for hash in hashes {
            let hex = hash.to_hex();
            ranges.cmd("ZREVRANGEBYSCORE").arg(name(prefix, "peers", &hex)).arg("+inf").arg(oldest);
            ranges.arg("WITHSCORES").arg("LIMIT").arg(0).arg(PEERS);
            done.arg(name(prefix, "done", &hex));
        }
        let found: Vec<Vec<(Vec<u8>, f64)>> = ranges.query(store)?;
        let done: Vec<Option<u64>> = done.query(store)?;
        let mut heard = 0;
        for ((hash, entries), done) in hashes.iter().zip(found).zip(done) {
            let peers: Vec<SharedPeer> = entries
                .into_iter()
                .filter_map(|(member, score)| {
                    let stamp = Stamp::of(score)?;
                    let (addr, heard) = (peer(&member)?, clock.moment(stamp.secs));
                    (stamp.tag != Stamp::tag(self.tag)).then_some(SharedPeer {
                        addr,
                        heard,
                        state: stamp.state,
                    })
                })
                .collect();
            let done = done.unwrap_or(0).min(u32::MAX.into()) as u32;
            heard += self.shared.tracker.merge(*hash, &peers, done);
        }
        self.shared.tracker.stats.add(Counter::StoreHeard, heard as u64);
        Ok(())
    }

    /// Has the same keys for connection ids as the others: whoever comes first says what they are.
    fn agree_on_keys(&mut self, store: &mut Connection, prefix: &str) -> RedisResult<()> {
        let hour = ConnectionIds::hour(self.shared.now());
        for hour in [hour - 1, hour, hour + 1] {
            let known = self.keys.get(&hour);
            if known.is_some_and(|(_, agreed)| *agreed) {
                continue;
            }
            let own = match known {
                Some((key, _)) => *key,
                None => secret()?,
            };
            let name = name(prefix, "key", &hour.to_string());
            cmd("SET").arg(&name).arg(&own[..]).arg("NX").arg("EX").arg(4 * 3_600).exec(store)?;
            let agreed: Vec<u8> = cmd("GET").arg(&name).query(store)?;
            let key = <[u8; 16]>::try_from(agreed).unwrap_or(own);
            self.keys.insert(hour, (key, true));
            self.shared.tracker.connection_ids().set_key(hour, key);
        }
        Ok(())
    }

    /// Sets a key of our own for the next hour where the store could not be asked for one.
    fn give_keys(&mut self) {
        let hour = ConnectionIds::hour(self.shared.now());
        self.keys.retain(|known, _| known + 1 >= hour);
        if !self.keys.contains_key(&(hour + 1))
            && let Ok(key) = secret()
        {
            self.keys.insert(hour + 1, (key, false));
            self.shared.tracker.connection_ids().set_key(hour + 1, key);
        }
    }
}

/// What is to be written of one torrent.
#[derive(Default)]
struct Torrent {
    peers: HashMap<Vec<u8>, u64>,
    completed: u32,
    news: bool,
}

impl Torrent {
    fn write(&self, pipe: &mut Pipeline, prefix: &str, hash: &InfoHash, clock: Clock, life: u64) {
        let hex = hash.to_hex();
        let peers = name(prefix, "peers", &hex);
        let mut entries = self.peers.iter().peekable();
        while entries.peek().is_some() {
            let add = pipe.cmd("ZADD").arg(&peers).arg("GT");
            for (member, score) in entries.by_ref().take(PEERS) {
                add.arg(*score).arg(&member[..]);
            }
            add.ignore();
        }
        let silent = Stamp::since(clock.store.saturating_sub(life));
        pipe.cmd("ZREMRANGEBYSCORE").arg(&peers).arg("-inf").arg(silent).ignore();
        pipe.cmd("EXPIRE").arg(&peers).arg(life + NEWS_SECS).ignore();
        let done = name(prefix, "done", &hex);
        if self.completed > 0 {
            pipe.cmd("INCRBY").arg(&done).arg(self.completed).ignore();
        }
        pipe.cmd("EXPIRE").arg(&done).arg(3 * life).ignore();
    }
}

/// How the store's clock and ours go together.
#[derive(Clone, Copy)]
struct Clock {
    /// Seconds since 1970 by the store's clock.
    store: u64,
    /// When that second began, by ours.
    at: Moment,
}

impl Clock {
    /// A moment of ours in seconds of the store.
    fn secs(&self, moment: Moment) -> u64 {
        match moment >= self.at {
            true => self.store + moment.since(self.at).secs(),
            false => self.store.saturating_sub(self.at.since(moment).secs()),
        }
    }

    /// A second of the store as a moment of ours; none is later than now.
    fn moment(&self, secs: u64) -> Moment {
        self.at - Span::from_secs(self.store.saturating_sub(secs))
    }
}

/// News read at once.
const NEWS: usize = 2_000;
/// Seconds for which news are kept, and for which they are read again: writers' clocks are the store's, but what they wrote
/// may come a moment later than they looked at it.
const NEWS_SECS: u64 = 60;
const AGAIN_SECS: u64 = 3;

/// Torrents that something happened to lately.
fn news(store: &mut Connection, prefix: &str, now: u64) -> RedisResult<Vec<InfoHash>> {
    let hashes: Vec<Vec<u8>> = cmd("ZREVRANGEBYSCORE")
        .arg(name(prefix, "news", ""))
        .arg("+inf")
        .arg(now - AGAIN_SECS)
        .arg("LIMIT")
        .arg(0)
        .arg(NEWS)
        .query(store)?;
    Ok(hashes.into_iter().filter_map(|hash| Some(InfoHash(hash.try_into().ok()?))).collect())
}

fn name(prefix: &str, kind: &str, rest: &str) -> String {
    format!("{prefix}:{kind}:{rest}")
}
