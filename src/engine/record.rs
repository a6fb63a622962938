//! What survives of a torrent between two runs, and the changes to it that the engine wants written.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::api::{FilePriority, Goals, Limits};
use crate::base::{Bitfield, InfoHash, PieceIndex};
use crate::disk::FileStamp;

/// Everything that is kept of one torrent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// Its identity.
    pub info_hash: InfoHash,
    /// The .torrent file, once it is known; a magnet link's trackers are in it as soon as its metadata is.
    pub torrent: Option<Vec<u8>>,
    /// The magnet link it was added by.
    pub magnet: Option<String>,
    /// The folder it is saved in.
    pub folder: PathBuf,
    /// The folder it moves to when it is complete.
    pub target: Option<PathBuf>,
    /// The folder its files are on the way to; some of them may be there.
    pub moving: Option<PathBuf>,
    /// Whether the user paused it.
    pub paused: bool,
    /// Priorities in file order; files beyond the end are normal.
    pub priorities: Vec<FilePriority>,
    /// Whether pieces are fetched in order.
    pub sequential: bool,
    /// Whether it was made here by a share.
    pub shared_here: bool,
    /// Its own limits.
    pub limits: Limits,
    /// Its label; none where it is empty.
    pub label: String,
    /// What the user calls it, where that is not its own name.
    pub title: Option<String>,
    /// When it has given enough.
    pub goals: Goals,
    /// Whether it has given enough, and what came of that.
    pub enough: Enough,
    /// Its place in the queue: whoever has the lowest has the first turn. The last one where it is 0.
    pub place: u64,
    /// Seconds since 1970 when it was added.
    pub added_unix: u64,
    /// Seconds since 1970 when it became complete.
    pub completed_unix: Option<u64>,
    /// What is known of it without its .torrent file, once its metadata is there.
    pub summary: Option<Summary>,
    /// What changes often.
    pub progress: Progress,
}

/// Whether a torrent has reached one of its goals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enough {
    /// Not yet.
    #[default]
    NotYet,
    /// It was paused for that.
    Paused,
    /// It was, and then resumed: it goes on without a goal until somebody sets another.
    GoOn,
}

/// What a start needs to know of a torrent that has nothing to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Its name, as on the disk.
    pub name: String,
    /// Bytes of all its files.
    pub size: u64,
    /// Bytes of a piece.
    pub piece_length: u32,
    /// Whether it is private (BEP 27).
    pub private: bool,
    /// Its trackers, in tiers (BEP 12).
    pub trackers: Vec<Vec<String>>,
    /// The link that leads to it.
    pub magnet: String,
}

impl Record {
    /// Whether the summary says how it stands while it waits for its turn to download.
    pub fn can_wait(&self) -> bool {
        let progress = &self.progress;
        let known = self.summary.is_some() && progress.have.is_some() && progress.suspect.is_empty();
        known && self.moving.is_none() && !self.priorities.contains(&FilePriority::Skip)
    }

    /// Whether a start needs no more of it than the summary: everything is there, or nothing is to be done because the user
    /// paused it. Of a paused one whose files are not all wanted more is needed to say how it stands.
    pub fn needs_no_metadata(&self) -> bool {
        let progress = &self.progress;
        let have = progress.have.as_ref();
        let whole = have.is_some_and(Bitfield::all) && self.target.is_none();
        let still = self.paused && have.is_some() && !self.priorities.contains(&FilePriority::Skip);
        self.summary.is_some() && self.moving.is_none() && progress.suspect.is_empty() && (whole || still)
    }
}

/// What changes while a torrent runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Bytes received in its life.
    pub downloaded: u64,
    /// Bytes sent in its life.
    pub uploaded: u64,
    /// Seconds of its life in which it seeded.
    pub seeded_secs: u64,
    /// The pieces that are verified and durable; nothing while the disk was never looked at.
    pub have: Option<Bitfield>,
    /// The pieces that may have been written since then; after a crash they, and only they, are hashed again.
    pub suspect: Vec<PieceIndex>,
    /// The files as they were when `have` was made, in torrent order.
    pub stamps: Vec<FileStamp>,
}

/// What is counted of a torrent of whose pieces nothing is in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes received in its life.
    pub downloaded: u64,
    /// Bytes sent in its life.
    pub uploaded: u64,
    /// Seconds of its life in which it seeded.
    pub seeded_secs: u64,
}

impl Counters {
    /// Puts them in place of those that were there.
    pub fn give_to(self, progress: &mut Progress) {
        let Self { downloaded, uploaded, seeded_secs } = self;
        (progress.downloaded, progress.uploaded, progress.seeded_secs) = (downloaded, uploaded, seeded_secs);
    }
}

/// One change to be written.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A torrent is new, or something of it that is not progress has changed: all of it is written.
    Put(Box<Record>),
    /// Its progress, in place of what was there.
    Progress(InfoHash, Progress),
    /// The counters of its progress; the rest of that stays.
    Counters(InfoHash, Counters),
    /// Pieces that are about to be written to, besides those that are suspect already.
    Suspect(InfoHash, Vec<PieceIndex>),
    /// A torrent is off the list; its copy goes too.
    Remove(InfoHash),
}
