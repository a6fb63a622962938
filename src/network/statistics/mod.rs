//! Statistics (thesis: `statistic`): who downloads, who seeds, and for how long seeds stay.
//!
//! - `crowd`: the users of one torrent, one tracker, or the whole, and their stays
//! - `series`: [`Series`], a history for plots that never grows
//!
//! Trackers report their swarms, users report what they hold, each time all of it, under a revision: while that stands, a
//! source that has seen nothing new need not report. A user is known by the address its peer
//! listens on, so that one who is told of by two trackers and by itself counts once, and so does one who seeds ten torrents.
//! A user is a seed of a torrent as soon as one report says so.

mod crowd;
mod series;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::api::{NetworkStatistics, PartStatistics, StatisticsPoint, UserStatistics};
use crate::base::{InfoHash, Moment, Span};
use crate::network::MemberId;

use self::crowd::{Crowd, Stance, Tally};
use self::series::Series;

/// Who reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A tracker: its swarms.
    Tracker(MemberId),
    /// A user: what it holds itself.
    User(MemberId),
}

/// One user in one torrent, as one source has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Which torrent.
    pub torrent: InfoHash,
    /// Where the user's peer listens.
    pub addr: SocketAddr,
    /// For how long it has been a seed; nothing for one that downloads.
    pub seed_for: Option<Span>,
}

/// The statistics of a network.
pub struct Statistics {
    reports: BTreeMap<Source, Report>,
    /// Before when a source says nothing new: when it was last withdrawn. Keeps a time from being counted twice.
    floors: BTreeMap<Source, Moment>,
    /// Users who have left the network, and from when on they count again where they have come back. A tracker may take them
    /// for present until they miss an announce.
    away: BTreeMap<SocketAddr, Option<Moment>>,
    all: Crowd,
    all_history: Series,
    users: BTreeMap<SocketAddr, Tally>,
    torrents: BTreeMap<InfoHash, Part>,
    trackers: BTreeMap<MemberId, Part>,
}

/// What one source has.
#[derive(Default)]
struct Report {
    seen: BTreeMap<Key, Stance>,
    /// By what number the source knows it; 0 where some of what it reported does not count here.
    revision: u64,
}

/// One torrent or one tracker.
struct Part {
    crowd: Crowd,
    history: Series,
}

/// What the statistics do not know by themselves.
pub trait Names {
    /// What the user with that address calls itself.
    fn user(&self, addr: SocketAddr) -> Option<String>;
    /// The torrent's name.
    fn torrent(&self, torrent: InfoHash) -> Option<String>;
    /// The tracker's first announce URL.
    fn tracker(&self, tracker: MemberId) -> Option<String>;
}

/// Torrents told apart; beyond it, sightings in others are not counted.
const TORRENTS: usize = 20_000;
/// Trackers told apart.
const TRACKERS: usize = 1_000;
/// Users whose stays are remembered one by one.
const USERS: usize = 20_000;
/// Sources whose withdrawal is remembered.
const FLOORS: usize = 20_000;
/// Sightings of one report.
const SIGHTINGS: usize = 50_000;
/// Points of the whole's history, and of a part's.
const POINTS: usize = 360;
const PART_POINTS: usize = 96;
/// Rows of an answer, and how many torrents of them have their history in it.
const ROWS: usize = 1_000;
const HISTORIES: usize = 50;
/// Between two points of a history, at first.
const STEP: Span = Span::from_secs(5);

impl Default for Statistics {
    fn default() -> Self {
        Self {
            reports: BTreeMap::new(),
            floors: BTreeMap::new(),
            away: BTreeMap::new(),
            all: Crowd::default(),
            all_history: Series::new(POINTS, STEP),
            users: BTreeMap::new(),
            torrents: BTreeMap::new(),
            trackers: BTreeMap::new(),
        }
    }
}

impl Statistics {
    /// Takes everything that `source` sees now, in place of what it saw before; true where all of it counts.
    pub fn report(
        &mut self,
        now: Moment,
        source: Source,
        sightings: impl IntoIterator<Item = Sighting>,
    ) -> bool {
        let mut all_count = true;
        let floor = self.floors.get(&source).copied().unwrap_or(Moment::ZERO);
        let mut seen = BTreeMap::new();
        for sighting in sightings.into_iter().take(SIGHTINGS) {
            let floor = match self.away.get(&sighting.addr) {
                None => floor,
                Some(None) => {
                    all_count = false;
                    continue;
                }
                Some(Some(back)) => floor.max(*back),
            };
            let stance =
                sighting.seed_for.map_or(Stance::Peer, |age| Stance::Seed { since: (now - age).max(floor) });
            let key = (sighting.torrent, sighting.addr);
            // A source that names a user twice in one torrent means the more complete one.
            seen.entry(key).and_modify(|known: &mut Stance| *known = stance.max(*known)).or_insert(stance);
        }
        let before = self.reports.remove(&source).unwrap_or_default().seen;
        // What is new goes in before what is gone comes out, so that a seed that only changes torrents stays a seed.
        let mut now_there = BTreeMap::new();
        for (key, stance) in seen {
            match before.get(&key) {
                Some(known) if known.is_seed() == stance.is_seed() => {
                    now_there.insert(key, *known);
                }
                _ if self.enter(source, key, stance, now) => {
                    now_there.insert(key, stance);
                }
                _ => all_count = false,
            }
        }
        for (key, stance) in before {
            if now_there.get(&key).is_none_or(|known| known.is_seed() != stance.is_seed()) {
                self.leave(source, key, stance, now);
            }
        }
        self.reports.insert(source, Report { seen: now_there, revision: 0 });
        all_count
    }

    /// The revision of what `source` has reported; 0 where it is to report again.
    pub fn revision(&self, source: Source) -> u64 {
        self.reports.get(&source).map_or(0, |report| report.revision)
    }

    /// Remembers by what number `source` knows what it has reported; by 0 it is to report again.
    pub fn set_revision(&mut self, source: Source, revision: u64) {
        if let Some(report) = self.reports.get_mut(&source) {
            report.revision = revision;
        }
    }

    /// Forgets what `source` saw: it has gone, and was last heard of at `heard`.
    pub fn withdraw(&mut self, source: Source, heard: Moment) {
        for (key, stance) in self.reports.remove(&source).unwrap_or_default().seen {
            self.leave(source, key, stance, heard);
        }
        if self.floors.len() >= FLOORS {
            self.floors.pop_first();
        }
        self.floors.insert(source, heard);
    }

    /// A user with that address has gone, and was last heard of at `heard`: whoever still sees it is late.
    pub fn user_left(&mut self, user: MemberId, addr: SocketAddr, heard: Moment) {
        self.withdraw(Source::User(user), heard);
        let of_user = |report: &Report| -> Vec<(Key, Stance)> {
            report
                .seen
                .iter()
                .filter(|((_, seen), _)| *seen == addr)
                .map(|(key, stance)| (*key, *stance))
                .collect()
        };
        let late: Vec<_> = self.reports.iter().map(|(source, report)| (*source, of_user(report))).collect();
        for (source, sightings) in late {
            for (key, stance) in sightings {
                // Should it come back, it is to be told of again.
                let report = self.reports.entry(source).or_default();
                report.revision = 0;
                report.seen.remove(&key);
                self.leave(source, key, stance, heard);
            }
        }
        if self.away.len() >= USERS {
            self.away.pop_first();
        }
        self.away.insert(addr, None);
    }

    /// A user with that address has come.
    pub fn user_came(&mut self, addr: SocketAddr, now: Moment) {
        if let Some(back) = self.away.get_mut(&addr) {
            back.get_or_insert(now);
        }
    }

    /// Writes the histories on.
    pub fn tick(&mut self, now: Moment) {
        if self.all_history.due(now) {
            self.all_history.add(now, point(&self.all, now));
        }
        for part in self.torrents.values_mut().chain(self.trackers.values_mut()) {
            if part.history.due(now) && !(part.crowd.is_empty() && part.history.rests()) {
                part.history.add(now, point(&part.crowd, now));
            }
        }
    }

    /// Distinct users downloading something, and distinct users seeding something.
    pub fn counts(&self) -> (u32, u32) {
        (self.all.peers(), self.all.seeds())
    }

    /// Distinct users downloading that torrent, and distinct users seeding it.
    pub fn torrent(&self, torrent: InfoHash) -> (u32, u32) {
        self.torrents.get(&torrent).map_or((0, 0), |part| (part.crowd.only_peers(), part.crowd.seeds()))
    }

    /// Torrents with somebody at that tracker, distinct users downloading by it, and distinct users seeding by it.
    pub fn tracker(&self, tracker: MemberId) -> (u32, u32, u32) {
        let torrents = self.reports.get(&Source::Tracker(tracker)).map_or(0, |report| {
            let mut last = None;
            report.seen.keys().filter(|(torrent, _)| last.replace(*torrent) != Some(*torrent)).count()
        });
        let (peers, seeds) =
            self.trackers.get(&tracker).map_or((0, 0), |part| (part.crowd.peers(), part.crowd.seeds()));
        (torrents as u32, peers, seeds)
    }

    /// Users in that torrent, seeds first, each kind in the order of addresses.
    pub fn users_of(&self, torrent: InfoHash) -> impl Iterator<Item = SocketAddr> + '_ {
        self.torrents.get(&torrent).into_iter().flat_map(|part| part.crowd.members())
    }

    /// All figures at `now`, without the number of connected users, which the coordinator knows.
    pub fn view(&self, now: Moment, names: &dyn Names) -> NetworkStatistics {
        let mut torrents: Vec<_> = self.torrents.iter().collect();
        torrents.sort_by_key(|(_, part)| std::cmp::Reverse(part.crowd.peers() + part.crowd.seeds()));
        let torrents = torrents.into_iter().take(ROWS).enumerate().map(|(row, (torrent, part))| {
            let name = names.torrent(*torrent).unwrap_or_else(|| torrent.to_hex());
            let mut line = part.row(torrent.to_hex(), name, now, row < HISTORIES);
            line.n_peers = part.crowd.only_peers();
            line
        });
        let trackers = self.trackers.iter().map(|(tracker, part)| {
            let url = names.tracker(*tracker).unwrap_or_else(|| format!("gone: {tracker}"));
            part.row(url.clone(), url, now, true)
        });
        let users = self.users.iter().take(ROWS).map(|(addr, tally)| {
            let (downloading, seeding, since) = self.all.presence(*addr);
            UserStatistics {
                addr: *addr,
                name: names.user(*addr),
                downloading,
                seeding,
                time: tally.seed_time(since, now),
            }
        });
        NetworkStatistics {
            n_peers: self.all.peers(),
            n_seeds: self.all.seeds(),
            time: self.all.seed_time(now),
            n_users: 0,
            users: users.collect(),
            trackers: trackers.collect(),
            torrents: torrents.collect(),
            history: self.all_history.points().to_vec(),
        }
    }
}

impl Statistics {
    /// Counts a sighting; false where there is no room to tell it apart.
    fn enter(&mut self, source: Source, (torrent, addr): Key, stance: Stance, now: Moment) -> bool {
        if self.torrents.len() >= TORRENTS && !self.torrents.contains_key(&torrent) {
            self.torrents.retain(|_, part| !part.crowd.is_empty());
            if self.torrents.len() >= TORRENTS {
                return false;
            }
        }
        let part = self.torrents.entry(torrent).or_default();
        let before = part.crowd.stance(addr);
        part.crowd.enter(addr, stance);
        let after = part.crowd.stance(addr);
        self.shift(addr, before, after, now);
        if let Source::Tracker(tracker) = source {
            if self.trackers.len() >= TRACKERS && !self.trackers.contains_key(&tracker) {
                self.trackers.retain(|_, part| !part.crowd.is_empty());
            }
            self.trackers.entry(tracker).or_default().crowd.enter(addr, stance);
        }
        true
    }

    /// Takes a sighting back that `enter` has counted.
    fn leave(&mut self, source: Source, (torrent, addr): Key, stance: Stance, at: Moment) {
        if let Some(part) = self.torrents.get_mut(&torrent) {
            let before = part.crowd.stance(addr);
            part.crowd.leave(addr, stance, at);
            let after = part.crowd.stance(addr);
            self.shift(addr, before, after, at);
        }
        if let Source::Tracker(tracker) = source
            && let Some(part) = self.trackers.get_mut(&tracker)
        {
            part.crowd.leave(addr, stance, at);
        }
    }

    /// Carries a user's new stance in one torrent into the whole.
    fn shift(&mut self, addr: SocketAddr, before: Option<Stance>, after: Option<Stance>, at: Moment) {
        if before.map(Stance::is_seed) == after.map(Stance::is_seed) {
            return;
        }
        if let Some(stance) = after {
            if self.users.len() >= USERS && !self.users.contains_key(&addr) {
                self.users.retain(|addr, _| self.all.stance(*addr).is_some());
            }
            if self.users.len() < USERS {
                self.users.entry(addr).or_default();
            }
            self.all.enter(addr, stance);
        }
        if let Some(stance) = before
            && let Some(stay) = self.all.leave(addr, stance, at)
            && let Some(tally) = self.users.get_mut(&addr)
        {
            tally.add(stay);
        }
    }
}

/// A user in a torrent.
type Key = (InfoHash, SocketAddr);

impl Default for Part {
    fn default() -> Self {
        Self { crowd: Crowd::default(), history: Series::new(PART_POINTS, STEP) }
    }
}

impl Part {
    fn row(&self, key: String, name: String, now: Moment, with_history: bool) -> PartStatistics {
        PartStatistics {
            key,
            name,
            n_peers: self.crowd.peers(),
            n_seeds: self.crowd.seeds(),
            time: self.crowd.seed_time(now),
            history: if with_history { self.history.points().to_vec() } else { Vec::new() },
        }
    }
}

fn point(crowd: &Crowd, now: Moment) -> StatisticsPoint {
    StatisticsPoint {
        unix_secs: now.micros() / 1_000_000,
        n_peers: crowd.peers(),
        n_seeds: crowd.seeds(),
        time_seed_secs: crowd.seed_time(now).time_seed_secs.unwrap_or(0.0) as f32,
    }
}
