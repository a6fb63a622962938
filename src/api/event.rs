//! What happened in a session: answers to commands, and things a user wants to hear of.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::base::InfoHash;

/// A number that a caller gives to a request to know its answer by; the session only repeats it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(pub u64);

/// How serious a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Only for finding faults.
    Debug,
    /// What happens.
    Info,
    /// Something went wrong and goes on.
    Warning,
    /// Something went wrong and stopped.
    Error,
}

/// One line of the log, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Milliseconds since 1970 (UTC).
    pub unix_millis: u64,
    /// How serious it is.
    pub level: Level,
    /// The part of the program that speaks: `session`, `tracker`, `disk`, `net`, …
    pub room: String,
    /// What happened.
    pub text: String,
}

/// A file of a torrent that was read but not added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewFile {
    /// The path within the chosen folder, as it will stand on the disk, with `/` between its parts.
    pub path: String,
    /// Bytes.
    pub length: u64,
}

/// A torrent that was read but not added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// Its identity.
    pub info_hash: InfoHash,
    /// Its name, as it will stand on the disk.
    pub name: String,
    /// Bytes in all.
    pub total_length: u64,
    /// Its files without padding, in torrent order with their numbers; empty for a magnet link whose metadata is not yet known.
    pub files: Vec<(u32, PreviewFile)>,
    /// The maker's comment.
    pub comment: Option<String>,
    /// Whether it is private (BEP 27).
    pub private: bool,
    /// The trackers' URLs.
    pub trackers: Vec<String>,
    /// Whether the session has it already.
    pub known: bool,
    /// The folder it would be saved into.
    pub folder: PathBuf,
    /// Bytes free there, where that can be told.
    pub free_bytes: Option<u64>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The answer to [`Command::Inspect`](super::Command::Inspect).
    Inspected {
        /// The request it answers.
        request: RequestId,
        /// What was found.
        preview: Box<Preview>,
    },
    /// The answer to [`Command::Describe`](super::Command::Describe).
    Described {
        /// The request it answers.
        request: RequestId,
        /// The torrent in full.
        detail: Box<super::Detail>,
    },
    /// A torrent is on the list.
    Added {
        /// The request it answers.
        request: RequestId,
        /// Which.
        torrent: InfoHash,
        /// Whether it was there before.
        known: bool,
    },
    /// A share is hashed and seeding.
    Shared {
        /// The request it answers.
        request: RequestId,
        /// Which.
        torrent: InfoHash,
        /// The link to send to people.
        magnet: String,
    },
    /// A .torrent file was written.
    TorrentSaved {
        /// The request it answers.
        request: RequestId,
        /// Where to.
        path: PathBuf,
    },
    /// A torrent's files are in another folder.
    Moved {
        /// The request it answers; one that the session chose where it moved them by itself.
        request: RequestId,
        /// Which.
        torrent: InfoHash,
        /// Where they are now.
        folder: PathBuf,
    },
    /// Torrents stand still, and everything that is known of them is written.
    Serialized {
        /// The request it answers.
        request: RequestId,
        /// Which.
        torrents: Vec<InfoHash>,
    },
    /// What was asked before is done, and written where that belongs to it.
    Settled {
        /// The request it answers.
        request: RequestId,
    },
    /// A network was joined.
    Joined {
        /// The request it answers.
        request: RequestId,
    },
    /// A torrent is out of the index.
    Unlisted {
        /// The request it answers.
        request: RequestId,
        /// Its name.
        name: String,
    },
    /// A request could not be met; nothing was changed by it.
    Refused {
        /// The request it answers.
        request: RequestId,
        /// Why, and what to do, in a sentence.
        reason: String,
    },
    /// A magnet link's metadata arrived, or a torrent's name became known.
    Named {
        /// Which.
        torrent: InfoHash,
        /// Its name.
        name: String,
    },
    /// A torrent is seeding: all wanted pieces were there when it was added, or are now.
    Seeding {
        /// Which.
        torrent: InfoHash,
        /// Its name.
        name: String,
    },
    /// A download got its last wanted piece, verified and safely on the disk.
    Completed {
        /// Which.
        torrent: InfoHash,
        /// Its name.
        name: String,
        /// Seconds from its start.
        secs: f64,
    },
    /// A torrent stopped by itself.
    Failed {
        /// Which.
        torrent: InfoHash,
        /// Its name.
        name: String,
        /// Why, and what to do, in a sentence.
        reason: String,
    },
    /// A torrent is off the list.
    Removed(InfoHash),
    /// A line for the log.
    Log(LogLine),
    /// The session has ended and everything is written.
    Stopped,
}

impl Event {
    /// The request that it answers.
    pub fn answers(&self) -> Option<RequestId> {
        match self {
            Self::Inspected { request, .. }
            | Self::Described { request, .. }
            | Self::Added { request, .. }
            | Self::Shared { request, .. }
            | Self::TorrentSaved { request, .. }
            | Self::Moved { request, .. }
            | Self::Serialized { request, .. }
            | Self::Settled { request }
            | Self::Joined { request }
            | Self::Unlisted { request, .. }
            | Self::Refused { request, .. } => Some(*request),
            Self::Named { .. }
            | Self::Seeding { .. }
            | Self::Completed { .. }
            | Self::Failed { .. }
            | Self::Removed(_)
            | Self::Log(_)
            | Self::Stopped => None,
        }
    }
}
