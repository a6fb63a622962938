//! One torrent: what it is doing, and what it is made of.
//!
//! - `content`: what is known once the metadata is there: pieces, picker, trust, disk
//! - `link`: one connected peer
//! - `stage`: from the disk's first look to leaving: opening, checking, running, pausing, failing
//! - `peers`: greeting peers, losing them, and what each says of itself
//! - `messages`: what peers say, one message after another
//! - `download`: asking for blocks and taking them
//! - `upload`: serving blocks, and choosing whom to serve
//! - `goals`: waiting for a turn, and having given enough
//! - `hiding`: showing pieces one by one, as the only seed
//! - `reads`: runs of pieces read for uploads, shared by all who ask
//! - `moving`: its files on their way to another folder
//! - `durable`: which pieces are safe on the disk, and when that is written down
//! - `metadata`: the `info` dictionary from and for peers (BEP 9)
//! - `contacts`: trackers, addresses, and whom to connect to
//! - `twins`: further connections with a peer that gives or takes very fast
//! - `sleep`: forgetting all but the summary while there is nothing to do
//! - `settle`: the timers, and what is decided at the end of each step
//! - `row`: what a user sees of it

mod contacts;
mod content;
mod download;
mod durable;
mod goals;
mod hiding;
mod link;
mod messages;
mod metadata;
mod moving;
mod peers;
mod reads;
mod row;
mod settle;
mod sleep;
mod stage;
mod twins;
mod upload;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::announce::Announcer;
use crate::api::{FilePriority, Goals, Limits, Queue};
use crate::base::{ConnKey, InfoHash, Moment, PeerId, RateMeter, Rng, TorrentKey};
use crate::engine::limits::Buckets;
use crate::engine::record::{Enough, Progress, Record};
use crate::engine::shared::Shared;
use crate::metainfo::Magnet;
use crate::peer::MetadataFetch;
use crate::swarm::{Choker, Roster};

pub(super) use goals::Class;

use content::Content;
use goals::Seeding;
use link::Link;
pub(super) use sleep::Brief;

/// One torrent of the session.
#[derive(Debug)]
pub(super) struct Torrent {
    pub(super) key: TorrentKey,
    pub(super) info_hash: InfoHash,
    pub(super) peer_id: PeerId,
    /// What the user chose, and what else changes seldom.
    pub(super) choices: Choices,
    magnet: Option<Magnet>,
    content: Option<Box<Content>>,
    fetch: Option<MetadataFetch>,
    fault: Option<Fault>,
    /// Set while it is at rest; it has no content then.
    sleep: Option<Box<sleep::Sleep>>,
    moving: Option<moving::Moving>,
    aftermath: moving::Aftermath,
    leaving: Option<Leaving>,
    /// Whether it takes part in its swarm now.
    running: bool,
    /// Whether it was at rest and takes part again as soon as its files were looked at; its trackers are told meanwhile.
    waking: bool,
    /// Whether it would take part in the swarm if the user were connected.
    resting: bool,
    links: BTreeMap<ConnKey, Link>,
    /// Connections being made.
    connecting: usize,
    /// Which of them, and of the links, are beside another one to the same peer.
    twins: twins::Twins,
    roster: Roster,
    announcer: Announcer,
    choker: Choker,
    own_limits: Buckets,
    /// Whether it is to be written down as soon as it is awake.
    unwritten: bool,
    /// Whether it waits for its turn in the queue, and its number in there.
    waits: bool,
    pub(super) position: u32,
    last_class: Class,
    seeding: Seeding,
    up: RateMeter,
    down: RateMeter,
    /// Totals of earlier runs.
    downloaded_before: u64,
    uploaded_before: u64,
    wasted: u64,
    /// When its download began, for the time it took.
    began_at: Moment,
    /// Whether the user was told that it seeds.
    told_seeding: bool,
    timers: Timers,
    rng: Rng,
    row: row::Cache,
}

/// What is due when. Each moment is [`Moment::NEVER`] while there is nothing to be done.
#[derive(Debug)]
struct Timers {
    /// The regular look at all peers, once a second while there are any.
    tick: Moment,
    /// Limits let something through again.
    throttled: Moment,
    /// Whether a round of choking is wanted before its time.
    choke_soon: bool,
    /// Progress is written down.
    save: Moment,
    /// It goes to rest, where there still is nothing to do then.
    rest: Moment,
}

/// What a user chose for a torrent.
#[derive(Clone, Debug)]
pub(super) struct Choices {
    pub(super) folder: PathBuf,
    /// The folder it moves to when it is complete.
    pub(super) target: Option<PathBuf>,
    pub(super) paused: bool,
    pub(super) priorities: Vec<FilePriority>,
    pub(super) sequential: bool,
    pub(super) limits: Limits,
    pub(super) label: String,
    pub(super) title: Option<String>,
    pub(super) goals: Goals,
    pub(super) enough: Enough,
    pub(super) place: u64,
    pub(super) shared_here: bool,
    pub(super) added_unix: u64,
    pub(super) completed_unix: Option<u64>,
}

/// Why a torrent stands still by itself.
#[derive(Clone, Debug)]
struct Fault {
    reason: String,
    /// When it is tried again by itself; never where only the user can help.
    retry_at: Moment,
}

/// Why a torrent ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaving {
    /// It is taken off the list.
    Removed {
        /// Whether its files go too.
        delete: bool,
    },
    /// The session ends.
    Ended,
}

/// How a torrent comes to be.
pub(super) struct Birth {
    pub(super) key: TorrentKey,
    pub(super) record: Record,
    pub(super) torrent: Option<Box<crate::metainfo::Torrent>>,
    pub(super) magnet: Option<Magnet>,
    /// Whether all data is known to be there and right.
    pub(super) seed_mode: bool,
}

impl Torrent {
    /// A torrent that has done nothing yet.
    pub(super) fn new(birth: Birth, shared: &mut Shared) -> Self {
        let Birth { key, record, torrent, magnet, seed_mode } = birth;
        let mut rng = shared.rng.fork();
        let tiers = match (&torrent, &magnet) {
            (Some(torrent), _) => torrent.trackers.clone(),
            (None, Some(magnet)) => magnet.trackers.iter().map(|url| vec![url.clone()]).collect(),
            (None, None) => Vec::new(),
        };
        let Progress { downloaded, uploaded, .. } = record.progress;
        let mut new = Self {
            key,
            info_hash: record.info_hash,
            peer_id: PeerId::generate(&mut rng),
            choices: Choices {
                folder: record.folder,
                target: record.target,
                paused: record.paused,
                priorities: record.priorities,
                sequential: record.sequential,
                limits: record.limits,
                label: record.label,
                title: record.title,
                goals: record.goals,
                enough: record.enough,
                place: record.place,
                shared_here: record.shared_here,
                added_unix: record.added_unix,
                completed_unix: record.completed_unix,
            },
            magnet,
            content: None,
            fetch: None,
            fault: None,
            sleep: None,
            moving: None,
            aftermath: moving::Aftermath::default(),
            leaving: None,
            running: false,
            waking: false,
            resting: false,
            links: BTreeMap::new(),
            connecting: 0,
            twins: twins::Twins::default(),
            roster: Roster::new(rng.fork()),
            announcer: Announcer::new(tiers, rng.fork()),
            choker: Choker::new(rng.fork()),
            own_limits: Buckets::new(record.limits),
            // Until the queue has been gone through.
            waits: shared.settings.queue != Queue::default(),
            position: 0,
            unwritten: false,
            last_class: Class::Idle,
            seeding: Seeding::new(record.progress.seeded_secs),
            up: RateMeter::default(),
            down: RateMeter::default(),
            downloaded_before: downloaded,
            uploaded_before: uploaded,
            wasted: 0,
            began_at: shared.now,
            told_seeding: false,
            timers: Timers {
                tick: Moment::NEVER,
                throttled: Moment::NEVER,
                choke_soon: false,
                save: Moment::NEVER,
                rest: Moment::NEVER,
            },
            rng,
            row: row::Cache::default(),
        };
        match torrent {
            Some(torrent) => new.adopt(torrent, Some(record.progress), seed_mode),
            None => new.fetch = Some(MetadataFetch::new(new.info_hash)),
        }
        new.add_hinted_peers(shared);
        new
    }

    /// What the user calls it; its name, as on the disk, where that is nothing else. What a magnet link calls it, or its hash,
    /// until that is known.
    pub(super) fn name(&self) -> String {
        self.choices.title.clone().unwrap_or_else(|| self.name_on_disk())
    }

    /// Its own name, or what stands for that.
    fn name_on_disk(&self) -> String {
        if let Some(content) = &self.content {
            return content.meta.name.clone();
        }
        if let (true, Some(row)) = (self.is_asleep(), self.last_row()) {
            return row.name_on_disk.clone().unwrap_or_else(|| row.name.clone());
        }
        let named = self.magnet.as_ref().and_then(|magnet| magnet.name.clone());
        named.unwrap_or_else(|| self.info_hash.to_hex())
    }

    /// Whether every wanted piece is there.
    fn is_complete(&self) -> bool {
        if let Some(sleep) = &self.sleep {
            return sleep.complete;
        }
        self.content.as_ref().is_some_and(|content| content.is_ready() && content.pieces.is_complete())
    }

    /// Whether pieces are wanted and may be asked for.
    fn is_downloading(&self) -> bool {
        self.running
            && self.moving.is_none()
            && self
                .content
                .as_ref()
                .is_some_and(|content| content.is_ready() && !content.pieces.is_complete())
    }

    /// Bytes received in its life.
    fn downloaded(&self) -> u64 {
        self.downloaded_before + self.down.total()
    }

    /// Bytes sent in its life.
    fn uploaded(&self) -> u64 {
        self.uploaded_before + self.up.total()
    }

    /// Everything that is kept of it.
    pub(super) fn record(&self) -> Record {
        debug_assert!(!self.is_asleep(), "of a torrent at rest too little is known to write it down");
        let choices = self.choices.clone();
        Record {
            info_hash: self.info_hash,
            torrent: self.content.as_ref().map(|content| content.meta.to_bytes()),
            magnet: self.magnet.as_ref().map(ToString::to_string),
            folder: choices.folder,
            target: choices.target,
            moving: self.moving.as_ref().map(|moving| moving.to.clone()),
            paused: choices.paused,
            priorities: choices.priorities,
            sequential: choices.sequential,
            shared_here: choices.shared_here,
            limits: choices.limits,
            label: choices.label,
            title: choices.title,
            goals: choices.goals,
            enough: choices.enough,
            place: choices.place,
            added_unix: choices.added_unix,
            completed_unix: choices.completed_unix,
            summary: self.summary(),
            progress: self.progress(),
        }
    }

    /// Panics where the books do not agree.
    pub(super) fn assert_sound(&self) {
        let Some(content) = &self.content else {
            let (fetches, asleep) = (self.fetch.is_some(), self.is_asleep());
            assert!(fetches != asleep, "without metadata it is fetched, or at rest");
            assert!(!asleep || self.links.is_empty(), "who is at rest has no peers");
            return;
        };
        assert!(!self.is_asleep(), "who is at rest has forgotten what it is made of");
        assert!(self.fetch.is_none(), "metadata that is there is not fetched");
        content.assert_sound();
        self.twins.assert_sound(|first| self.links.contains_key(first));
        for link in self.links.values() {
            assert!(self.running, "only a running torrent has peers");
            let asked = content.picker.requested_of(link.conn);
            assert!(asked == 0 || link.has.is_some(), "blocks are asked of those whose pieces are known");
        }
    }

    pub(super) fn have(&self) -> Option<&crate::base::Bitfield> {
        self.content.as_ref().map(|content| content.pieces.have())
    }

    pub(super) fn torrent_file(&self) -> Option<Vec<u8>> {
        self.content.as_ref().map(|content| content.meta.to_bytes())
    }

    pub(super) fn magnet_link(&self) -> String {
        if let (true, Some(row)) = (self.is_asleep(), self.last_row()) {
            return row.magnet.clone();
        }
        match (&self.content, &self.magnet) {
            (Some(content), _) => content.meta.magnet().to_string(),
            (None, Some(magnet)) => magnet.to_string(),
            (None, None) => Magnet { info_hash: self.info_hash, ..Magnet::default() }.to_string(),
        }
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }
}
