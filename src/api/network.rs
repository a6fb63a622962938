//! What a network of coordinator, trackers, users, index and statistics looks like at one moment.
//!
//! The same types travel between machines as JSON, see `docs/network.md`.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::base::InfoHash;

/// The port of a coordinator that nobody chose another one for.
pub const COORDINATOR_PORT: u16 = 7_300;

/// What the coordinator holds and everyone in the network applies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkRules {
    /// Bytes of a piece in what is uploaded from now on, a power of two; chosen by size where absent.
    pub piece_length: Option<u32>,
    /// Connections of one torrent on one machine (the thesis's Max_N).
    pub max_connections: u32,
    /// The texts of the announcing windows.
    pub announcing: Announcing,
}

/// The texts of the two announcing windows of every user, each with the text that takes its place once a download completes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Announcing {
    /// On the right.
    pub right: String,
    /// At the bottom.
    pub bottom: String,
    /// On the right after a download has completed; as before where it is empty.
    pub right_completed: String,
    /// At the bottom after a download has completed; as before where it is empty.
    pub bottom_completed: String,
}

impl Default for NetworkRules {
    fn default() -> Self {
        Self { piece_length: None, max_connections: 100, announcing: Announcing::default() }
    }
}

impl Announcing {
    /// The two texts, right and bottom, before or after a download has completed.
    pub fn texts(&self, completed: bool) -> (&str, &str) {
        fn pick<'a>(completed: bool, before: &'a str, after: &'a str) -> &'a str {
            if completed && !after.is_empty() { after } else { before }
        }
        (
            pick(completed, &self.right, &self.right_completed),
            pick(completed, &self.bottom, &self.bottom_completed),
        )
    }
}

/// One line of a screen: what happened, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScreenLine {
    /// Milliseconds since 1970 (UTC).
    pub unix_millis: u64,
    /// What happened, or what a user wrote.
    pub text: String,
    /// Whether a user wrote it.
    pub note: bool,
}

/// A tracker in the coordinator's register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredTracker {
    /// Its announce URLs.
    pub urls: Vec<String>,
    /// Milliseconds since 1970 when it registered.
    pub since_unix_millis: u64,
    /// Milliseconds since 1970 when it was last heard of.
    pub heard_unix_millis: u64,
    /// Uploads assigned to it.
    pub assigned: u32,
    /// Torrents with a peer at it.
    pub torrents: u32,
    /// Distinct users downloading by it.
    pub peers: u32,
    /// Distinct users seeding by it.
    pub seeds: u32,
}

/// A user in the coordinator's register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredUser {
    /// What the user calls this machine.
    pub name: String,
    /// Where its peer listens.
    pub addr: SocketAddr,
    /// Milliseconds since 1970 when it connected.
    pub since_unix_millis: u64,
    /// Milliseconds since 1970 when it was last heard of.
    pub heard_unix_millis: u64,
    /// Torrents it seeds.
    pub seeding: u32,
    /// Torrents it downloads.
    pub downloading: u32,
}

/// A torrent that the index keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexEntry {
    /// Its identity.
    pub info_hash: InfoHash,
    /// Its name; others may have the same.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Files, without padding.
    pub files: u32,
    /// Bytes of a piece.
    pub piece_length: u32,
    /// Seconds since 1970 when it was uploaded.
    pub added_unix: u64,
    /// The name of the user who uploaded it.
    pub uploader: String,
    /// Announce URLs in tiers; the first tier is the tracker it was assigned to.
    pub tiers: Vec<Vec<String>>,
    /// How many other torrents of the index have the same name.
    pub namesakes: u32,
    /// Users seeding it.
    pub seeds: u32,
    /// Users downloading it.
    pub peers: u32,
}

/// How long seeds stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SeedTime {
    /// The mean of all stays, finished and running, in seconds (the thesis's timeSeed); nothing before the first seed.
    pub time_seed_secs: Option<f64>,
    /// Stays that have ended.
    pub finished: u64,
    /// Stays that go on.
    pub running: u64,
}

/// One point of a history.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatisticsPoint {
    /// Seconds since 1970.
    pub unix_secs: u64,
    /// Users downloading.
    pub n_peers: u32,
    /// Users seeding.
    pub n_seeds: u32,
    /// The mean stay up to then, in seconds; 0 before the first seed.
    pub time_seed_secs: f32,
}

/// Statistics of one user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserStatistics {
    /// Where its peer listens.
    pub addr: SocketAddr,
    /// What it calls itself, where it has registered.
    pub name: Option<String>,
    /// Torrents it downloads now.
    pub downloading: u32,
    /// Torrents it seeds now.
    pub seeding: u32,
    /// How long it stays as a seed.
    #[serde(flatten)]
    pub time: SeedTime,
}

/// Statistics of one tracker or one torrent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PartStatistics {
    /// The first announce URL, or the info-hash.
    pub key: String,
    /// What a person would call it.
    pub name: String,
    /// Users downloading.
    pub n_peers: u32,
    /// Users seeding.
    pub n_seeds: u32,
    /// How long seeds stay.
    #[serde(flatten)]
    pub time: SeedTime,
    /// Its history, oldest first.
    pub history: Vec<StatisticsPoint>,
}

/// The three figures of the thesis and what they are made of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NetworkStatistics {
    /// Distinct users downloading something.
    pub n_peers: u32,
    /// Distinct users seeding something.
    pub n_seeds: u32,
    /// How long users stay seeds of something.
    #[serde(flatten)]
    pub time: SeedTime,
    /// Connected users, busy or not.
    pub n_users: u32,
    /// By user, at most 1,000.
    pub users: Vec<UserStatistics>,
    /// By tracker.
    pub trackers: Vec<PartStatistics>,
    /// By torrent, the largest swarms first, at most 1,000.
    pub torrents: Vec<PartStatistics>,
    /// The history of the whole, oldest first.
    pub history: Vec<StatisticsPoint>,
}

/// One arrow of the swarm's picture: who sends how much to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Who sends.
    pub from: SocketAddr,
    /// Who receives.
    pub to: SocketAddr,
    /// What is sent.
    pub torrent: InfoHash,
    /// Bytes per second.
    pub rate: u64,
}

/// The coordinator's registers, its rules, and the arrows of the swarm's picture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registers {
    /// What applies.
    pub rules: NetworkRules,
    /// The trackers, the one whose turn is next first.
    pub trackers: Vec<RegisteredTracker>,
    /// The users in the order they connected.
    pub users: Vec<RegisteredUser>,
    /// Who sends to whom now.
    pub flows: Vec<Flow>,
}

/// The screen of one part of the network: what happened to it, in sentences.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScreenView {
    /// The last lines, oldest first.
    pub lines: Vec<ScreenLine>,
    /// Whether users may write notes on it.
    pub notes: bool,
}

/// A swarm at the tracker on this machine: its three lists are the users, the peers and the seeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackerSwarm {
    /// Which torrent.
    pub torrent: InfoHash,
    /// Its name, where the index or this machine knows it.
    pub name: Option<String>,
    /// Who downloads, at most 200.
    pub peers: Vec<SocketAddr>,
    /// Who seeds, at most 200.
    pub seeds: Vec<SocketAddr>,
}

/// The network as one machine sees it: its own, or one that it has joined. What it may not read is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NetworkView {
    /// Whether the coordinator runs on this machine.
    pub hosted: bool,
    /// Whether this machine is registered as a user.
    pub connected: bool,
    /// Why it is not, where it should be.
    pub fault: Option<String>,
    /// Whether this machine's user has disconnected: transfers and announces rest, and nothing can be uploaded or
    /// downloaded until it connects.
    pub disconnected: bool,
    /// Whether the coordinator on this machine can be reached from others.
    pub open: bool,
    /// Whether the tracker on this machine is registered.
    pub tracker_connected: bool,
    /// Why it is not, where it should be.
    pub tracker_fault: Option<String>,
    /// What this machine's user is called.
    pub user: String,
    /// Whether a download of this user has completed since it connected, so that the announcing windows say so.
    pub completed: bool,
    /// The swarms of the tracker on this machine, the largest first, at most 200.
    pub tracker_swarms: Vec<TrackerSwarm>,
    /// The link that others join with, where it is known here.
    pub link: Option<String>,
    /// Trackers, users, rules, and who sends to whom.
    pub registers: Registers,
    /// What the index keeps.
    pub index: Vec<IndexEntry>,
    /// The three figures and what they are made of.
    pub statistics: NetworkStatistics,
    /// The coordinator's screen.
    pub coordinator_screen: ScreenView,
    /// The screen of the trackers on this machine.
    pub tracker_screen: ScreenView,
    /// The screen of this machine's user.
    pub peer_screen: ScreenView,
    /// The index's screen.
    pub index_screen: ScreenView,
    /// The screen of the statistics.
    pub statistics_screen: ScreenView,
}
