//! What the machine asks its shell to do, and what comes back.

use std::sync::Arc;

use crate::base::{InfoHash, PeerId};
use crate::wire::tracker::{AnswerError, Event, RetryIn};

/// How a torrent stands when it announces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes uploaded since the torrent was started.
    pub uploaded: u64,
    /// Bytes downloaded since the torrent was started.
    pub downloaded: u64,
    /// Bytes missing of the whole torrent.
    pub left: u64,
    /// Whether more peers are wanted.
    pub want_peers: bool,
    /// Whether nothing more is wanted although something is missing: a partial seed (BEP 21).
    pub partial_seed: bool,
}

/// What every tracker of a torrent is told of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The torrent.
    pub info_hash: InfoHash,
    /// Our id.
    pub peer_id: PeerId,
    /// The port that peers reach us at.
    pub port: u16,
}

/// One question to one tracker. Each is answered exactly once, through [`Announcer::handle`](super::Announcer::handle).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnounceRequest {
    /// The name of the question; never used twice by one machine.
    pub id: u64,
    /// The tracker's announce URL.
    pub url: Arc<str>,
    /// What is asked.
    pub kind: Kind,
    /// Why now.
    pub event: Event,
    /// Peers wanted.
    pub numwant: u32,
    /// The secret that marks later announces as ours.
    pub key: u32,
    /// What the tracker wants to be told again.
    pub tracker_id: Option<Vec<u8>>,
    /// How the torrent stands.
    pub stats: Stats,
}

/// The kinds of question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An announce.
    Announce,
    /// The counts alone (BEP 48).
    Scrape,
}

/// Why a tracker brought nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It did not answer in time.
    #[error("no answer in time")]
    Timeout,
    /// It could not be reached.
    #[error("{0}")]
    Unreachable(String),
    /// Its answer makes no sense.
    #[error("{0}")]
    Unreadable(String),
    /// It said no.
    #[error("{reason}")]
    Refused {
        /// In its own words, made fit to be shown.
        reason: String,
        /// Whether and when to come back (BEP 31).
        retry_in: Option<RetryIn>,
    },
}

impl AnnounceRequest {
    /// Whether it tells that we leave; nobody waits long for its answer.
    pub fn is_farewell(&self) -> bool {
        self.event == Event::Stopped
    }
}

impl From<AnswerError> for Failure {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Malformed(_) => Self::Unreadable(error.to_string()),
            AnswerError::Refused { reason, retry_in } => Self::Refused { reason, retry_in },
        }
    }
}
