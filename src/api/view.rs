//! Snapshots: what a session looks like at one moment, in the units a reader wants.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::api::{FilePriority, Goals, Limits, NetworkView, RequestId, Settings};
use crate::base::InfoHash;

/// Who can reach a share's tracker and peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reachable {
    /// Programs on this computer only.
    ThisComputer,
    /// Everyone on the same local network.
    #[default]
    LocalNetwork,
}

/// What a torrent is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its files on the disk are being hashed.
    Checking,
    /// A magnet link that waits for the `info` dictionary.
    Metadata,
    /// Fetching.
    Downloading,
    /// Every wanted piece is there, and it gives.
    Seeding,
    /// Waiting for its turn in the queue.
    Queued,
    /// Stopped by the user.
    #[default]
    Paused,
    /// Stopped by a fault, which `reason` tells.
    Failed,
}

/// One torrent in the list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TorrentRow {
    /// Its identity.
    pub info_hash: InfoHash,
    /// What the user calls it; its name, as on the disk, where that is nothing else, and the hash while a magnet link's name
    /// is unknown.
    pub name: String,
    /// Its name, as on the disk, where the user calls it something else.
    pub name_on_disk: Option<String>,
    /// What it is doing.
    pub state: State,
    /// A sentence that says how it stands, with the reason where it does not move.
    pub reason: String,
    /// Bytes of all its files.
    pub size: u64,
    /// Bytes of the files that are wanted.
    pub wanted: u64,
    /// Bytes of wanted files that are there and verified.
    pub done: u64,
    /// Verified bytes per bytes wanted while downloading, or checked bytes per bytes to check; 0 to 1.
    pub progress: f32,
    /// Bytes received in its life, without protocol overhead.
    pub downloaded: u64,
    /// Bytes sent in its life, without protocol overhead.
    pub uploaded: u64,
    /// Bytes per second, lately.
    pub down_rate: u64,
    /// Bytes per second, lately.
    pub up_rate: u64,
    /// Seconds until it is complete at the present rate.
    pub eta_secs: Option<u64>,
    /// Connected peers.
    pub peers: u32,
    /// Connected peers that have everything.
    pub seeds: u32,
    /// Other peers that were seen to have everything, connected or not.
    pub whole_elsewhere: u32,
    /// Peers and seeds that trackers know of, where one has told: (incomplete, complete).
    pub swarm: Option<(u32, u32)>,
    /// Whole copies among connected peers: the rarest piece's count, and as a fraction how many pieces have one more.
    pub availability: f32,
    /// Bytes sent per bytes received, or per size for what was shared from here.
    pub ratio: f32,
    /// The folder it is saved in.
    pub folder: PathBuf,
    /// The folder it moves to, now or when it is complete.
    pub target: Option<PathBuf>,
    /// Seconds since 1970 when it was added.
    pub added_unix: u64,
    /// Seconds since 1970 when it became complete.
    pub completed_unix: Option<u64>,
    /// Whether it is private (BEP 27).
    pub private: bool,
    /// Whether pieces are fetched in order.
    pub sequential: bool,
    /// Whether it was made here by a share.
    pub shared_here: bool,
    /// Its own limits.
    pub limits: Limits,
    /// Its label; none where it is empty.
    pub label: String,
    /// When it has given enough, where that was set for it.
    pub goals: Goals,
    /// Its place in the queue, from 1.
    pub queue: u32,
    /// Seconds of its life in which it seeded, before the present stretch of it.
    pub seeded_secs: u64,
    /// Seconds since 1970 when the present stretch of seeding began; nothing while it does not seed.
    pub seeding_since_unix: Option<u64>,
    /// The magnet link that leads to it.
    pub magnet: String,
}

/// What stands behind a job row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Hashing a file or folder that is to be shared.
    Share,
    /// Moving a torrent's files to another folder.
    Move,
}

/// Long work that has a beginning and an end and can be cancelled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobRow {
    /// The request that began it; cancels it too.
    pub request: RequestId,
    /// What it is.
    pub kind: JobKind,
    /// The name of the file or folder it works on.
    pub name: String,
    /// Bytes done.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
    /// Bytes per second, lately.
    pub rate: u64,
}

/// One file of the watched torrent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileRow {
    /// Its number in the torrent.
    pub index: u32,
    /// The path below the torrent's folder, with `/` between its parts.
    pub path: String,
    /// Bytes.
    pub length: u64,
    /// Bytes verified.
    pub done: u64,
    /// How much it is wanted.
    pub priority: FilePriority,
}

/// One connected peer of the watched torrent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeerRow {
    /// Where it is.
    pub addr: SocketAddr,
    /// The program it says it is, or what its peer id says.
    pub client: String,
    /// Letters as in other clients: D d U u O S I K ? E H L F (see [`PeerRow::explain`]).
    pub flags: String,
    /// Pieces it has, 0 to 1.
    pub progress: f32,
    /// Bytes per second from it.
    pub down_rate: u64,
    /// Bytes per second to it.
    pub up_rate: u64,
    /// Bytes it gave.
    pub downloaded: u64,
    /// Bytes it got.
    pub uploaded: u64,
}

impl PeerRow {
    /// What one letter of `flags` means, as a sentence.
    pub fn explain(flag: char) -> &'static str {
        match flag {
            'D' => "We are downloading from this peer.",
            'd' => "We would download from this peer if it let us.",
            'U' => "We are uploading to this peer.",
            'u' => "We would upload to this peer if it wanted something.",
            'O' => "It has our optimistic slot: a turn to show what it can give.",
            'S' => "It has sent nothing for a minute although it was asked.",
            'I' => "It connected to us.",
            'K' => "It lets us download, but it has nothing that we need.",
            '?' => "We let it download, but it wants nothing.",
            'F' => "It speaks the Fast extension.",
            'E' => "The connection is encrypted.",
            _ => "",
        }
    }
}

/// How a tracker stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackerState {
    /// Not asked yet.
    Waiting,
    /// Being asked now.
    Announcing,
    /// Answered last time.
    Working,
    /// Did not, for this reason.
    Failed(String),
}

/// One tracker of the watched torrent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackerRow {
    /// Where it is.
    pub url: String,
    /// Its tier, from 0 (BEP 12).
    pub tier: u32,
    /// How it stands.
    pub state: TrackerState,
    /// Seconds until it is asked again.
    pub next_secs: Option<u64>,
    /// Peers it gave last time.
    pub peers: u32,
    /// Seeds it knows of.
    pub complete: Option<u32>,
    /// Downloaders it knows of.
    pub incomplete: Option<u32>,
    /// A remark of the tracker.
    pub warning: Option<String>,
}

/// The watched torrent in full.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Detail {
    /// Which.
    pub info_hash: InfoHash,
    /// Bytes of a piece.
    pub piece_length: u32,
    /// How many pieces there are.
    pub piece_count: u32,
    /// The pieces in at most 1,000 equal parts: 0 nothing there, 255 everything there.
    pub pieces: Vec<u8>,
    /// How many peers have each of those parts, at most 255.
    pub availability: Vec<u8>,
    /// The maker's comment.
    pub comment: Option<String>,
    /// The program that made it.
    pub created_by: Option<String>,
    /// Seconds since 1970 when it was made.
    pub creation_unix: Option<i64>,
    /// Its files, without padding.
    pub files: Vec<FileRow>,
    /// Its connected peers.
    pub peers: Vec<PeerRow>,
    /// Its trackers.
    pub trackers: Vec<TrackerRow>,
    /// Bytes received that were thrown away: corrupt, or twice.
    pub wasted: u64,
}

/// One swarm of the tracker in this program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostedSwarm {
    /// Which torrent.
    pub info_hash: InfoHash,
    /// Its name, where this session knows it.
    pub name: Option<String>,
    /// Complete peers.
    pub seeders: u32,
    /// Incomplete peers.
    pub leechers: u32,
    /// Downloads finished since the tracker knows it.
    pub downloaded: u32,
}

/// The tracker in this program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostedTracker {
    /// Whether it answers.
    pub running: bool,
    /// Why it does not, where it should.
    pub fault: Option<String>,
    /// The addresses it answers at, as announce URLs.
    pub urls: Vec<String>,
    /// Its largest swarms, at most 1,000.
    pub swarms: Vec<HostedSwarm>,
    /// Announces, scrapes and refused queries of the last minute.
    #[serde(default)]
    pub last_minute: [u64; 3],
    /// Counters by their names in `/stats`, in that order.
    pub counters: Vec<(String, u64)>,
}

/// Sums over the session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Bytes per second received.
    pub down_rate: u64,
    /// Bytes per second sent.
    pub up_rate: u64,
    /// Bytes received in the life of the session's state.
    pub downloaded: u64,
    /// Bytes sent in the life of the session's state.
    pub uploaded: u64,
    /// Connected peers.
    pub peers: u32,
    /// Bytes of blocks in memory: requested, queued for the disk, or queued for a socket.
    pub buffered: u64,
}

/// Everything, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Rises with each published view.
    pub generation: u64,
    /// Milliseconds since 1970 when it was made.
    pub unix_millis: u64,
    /// The torrents in the order they were added. While nothing of them changes, the next view has the same list.
    pub torrents: Arc<Vec<Arc<TorrentRow>>>,
    /// Long work.
    pub jobs: Vec<JobRow>,
    /// The watched torrent.
    pub detail: Option<Arc<Detail>>,
    /// Sums.
    pub totals: Totals,
    /// The tracker in this program.
    pub tracker: Arc<HostedTracker>,
    /// The network of this session, or the one that it has joined; nothing where neither runs.
    pub network: Option<Arc<NetworkView>>,
    /// Where peers reach this session; empty while it has no socket.
    pub listening: Vec<SocketAddr>,
    /// Why there is no socket, where there should be one.
    pub listen_fault: Option<String>,
    /// The settings in force.
    pub settings: Arc<Settings>,
}
