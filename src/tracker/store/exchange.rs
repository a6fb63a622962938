//! What machines that share their swarms tell each other: peers heard here since the last time, and torrents that somebody
//! asks for here, of which others may know more.

use std::net::SocketAddr;

use crate::base::{InfoHash, Moment};
use crate::tracker::store::State;

/// A peer as one machine tells another of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedPeer {
    /// Where it listens.
    pub addr: SocketAddr,
    /// When it was heard.
    pub heard: Moment,
    /// What it is; nothing where it has stopped.
    pub state: Option<State>,
}

/// Something that happened to a peer here.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// The torrent.
    pub info_hash: InfoHash,
    /// The peer, and what it is now.
    pub peer: SharedPeer,
    /// Whether it has finished just now.
    pub completed: bool,
    /// Whether others do not know it yet.
    pub news: bool,
}

/// What a shard has to tell and to ask. Bounded: where nobody takes it away, it forgets and says so.
#[derive(Debug)]
pub struct Exchange {
    /// What is to be told, the oldest first.
    pub changes: Vec<Change>,
    /// Torrents that others should be asked for.
    pub wanted: Vec<InfoHash>,
    /// Whether something was forgotten, so that all has to be told again.
    pub forgot: bool,
}

impl Exchange {
    const MOST: usize = 8_192;

    /// With something forgotten, since nothing was told yet.
    pub(super) fn new() -> Self {
        Self { changes: Vec::new(), wanted: Vec::new(), forgot: true }
    }

    pub(super) fn tell(&mut self, change: Change) {
        if self.changes.len() < Self::MOST {
            self.changes.push(change);
        } else {
            self.forgot = true;
        }
    }

    /// Whether there was room for the question.
    pub(super) fn ask(&mut self, hash: InfoHash) -> bool {
        let room = self.wanted.len() < Self::MOST;
        if room {
            self.wanted.push(hash);
        }
        room
    }

    /// Everything since the last time.
    pub(super) fn take(&mut self) -> Self {
        std::mem::replace(self, Self { changes: Vec::new(), wanted: Vec::new(), forgot: false })
    }
}
