//! What a user sees of a torrent.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::api::{Detail, FileRow, PeerRow, State, TorrentRow, Totals};
use crate::base::{ConnKey, InfoHash, Moment, PieceIndex};
use crate::engine::record::Enough;
use crate::engine::shared::Shared;

use super::Torrent;
use super::content::{Content, DiskState};

/// Parts that the pieces of a torrent are shown in.
const PARTS: usize = 1_000;

/// The row as it was last, so that one that has not changed is the same value.
#[derive(Debug, Default)]
pub(super) struct Cache(Option<Arc<TorrentRow>>);

impl Cache {
    pub(super) fn of(row: Arc<TorrentRow>) -> Self {
        Self(Some(row))
    }

    pub(super) fn last(&self) -> Option<&Arc<TorrentRow>> {
        self.0.as_ref()
    }
}

impl Torrent {
    /// Its row in the list.
    pub(in crate::engine) fn row(&mut self, now: Moment, unix_start: u64) -> Arc<TorrentRow> {
        if self.is_asleep() && self.shows_another_place() {
            self.retell(unix_start);
        }
        if let (true, Some(row)) = (self.is_asleep(), self.row.last()) {
            return Arc::clone(row);
        }
        let row = self.make_row(now, unix_start);
        match &self.row.0 {
            Some(last) if **last == row => Arc::clone(last),
            _ => {
                let row = Arc::new(row);
                self.row.0 = Some(Arc::clone(&row));
                row
            }
        }
    }

    fn make_row(&mut self, now: Moment, unix_start: u64) -> TorrentRow {
        let (down_rate, up_rate) = (self.down.rate(now), self.up.rate(now));
        let (seeded_secs, seeding_since) = self.seeding.stretch();
        let state = self.state();
        let (size, wanted, done) = self.content.as_ref().map_or((0, 0, 0), |content| {
            let pieces = &content.pieces;
            (content.meta.layout.total_length(), pieces.wanted_bytes(), pieces.done_bytes())
        });
        let progress = match self.content.as_ref().map(|content| &content.disk) {
            Some(DiskState::Checking { done, total }) => share(u64::from(*done), u64::from(*total)),
            None => self.fetch.as_ref().map_or(0.0, |fetch| {
                let (parts, total) = fetch.progress();
                if total == 0 { 0.0 } else { share(parts as u64, total as u64) }
            }),
            Some(_) => share(done, wanted),
        };
        let left = wanted - done;
        let eta_secs = (state == State::Downloading && down_rate > 0).then(|| left / down_rate);
        let (downloaded, uploaded) = (self.downloaded(), self.uploaded());
        TorrentRow {
            info_hash: self.info_hash,
            name: self.name(),
            name_on_disk: self.choices.title.is_some().then(|| self.name_on_disk()),
            state,
            reason: self.sentence(state, down_rate, up_rate),
            size,
            wanted,
            done,
            progress,
            downloaded,
            uploaded,
            down_rate,
            up_rate,
            eta_secs,
            peers: self.peers().count() as u32,
            seeds: self.peers().filter(|link| link.has_everything()).count() as u32,
            whole_elsewhere: self.roster.seeds() as u32,
            swarm: self.announcer.swarm(),
            availability: self.content.as_ref().map_or(0.0, |content| content.picker.rarest()),
            ratio: self.ratio() as f32,
            folder: self.choices.folder.clone(),
            target: self.target().map(Into::into),
            added_unix: self.choices.added_unix,
            completed_unix: self.choices.completed_unix,
            private: self.content.as_ref().is_some_and(|content| content.meta.private),
            sequential: self.choices.sequential,
            shared_here: self.choices.shared_here,
            limits: self.choices.limits,
            label: self.choices.label.clone(),
            goals: self.choices.goals,
            queue: self.position,
            seeded_secs,
            seeding_since_unix: seeding_since.map(|since| unix_start + since.micros() / 1_000_000),
            magnet: self.magnet_link(),
        }
    }

    /// To whom it is sent how fast.
    pub(in crate::engine) fn sends(
        &mut self,
        now: Moment,
    ) -> impl Iterator<Item = (SocketAddr, InfoHash, u64)> + '_ {
        let hash = self.info_hash;
        let rates = self.links.values_mut().map(move |link| (link.addr, hash, link.up.rate(now)));
        rates.filter(|(.., rate)| *rate > 0)
    }

    pub(super) fn state(&self) -> State {
        if self.fault.is_some() && !self.choices.paused {
            return State::Failed;
        }
        match self.content.as_ref().map(|content| &content.disk) {
            Some(DiskState::Opening | DiskState::Checking { .. }) => State::Checking,
            // Its last figures stand until the files have arrived.
            Some(DiskState::Moving) if !self.choices.paused => State::Checking,
            _ if self.choices.paused => State::Paused,
            _ if self.waits => State::Queued,
            None if self.is_asleep() => State::Seeding,
            None => State::Metadata,
            Some(_) if self.is_complete() => State::Seeding,
            Some(_) => State::Downloading,
        }
    }

    /// How it stands, in a sentence; where it does not move, why.
    pub(super) fn sentence(&self, state: State, down_rate: u64, up_rate: u64) -> String {
        let peers = self.peers().count();
        if let (Some(to), State::Downloading | State::Seeding | State::Paused) =
            (self.moving.as_ref().map(|moving| moving.to.display()), state)
        {
            return format!("Moving to {to}.");
        }
        if let (Some((reason, _)), State::Seeding) = (&self.aftermath.failed, state) {
            return format!("Sharing from where it was made. {reason}");
        }
        let nobody = || {
            if self.connecting > 0 {
                "Connecting to peers.".into()
            } else if self.roster.is_empty() {
                "Looking for peers; nobody is known who has this.".into()
            } else {
                "Waiting for peers; those that are known do not answer.".into()
            }
        };
        match state {
            State::Downloading | State::Seeding | State::Metadata if self.resting => {
                "You are disconnected; Connect takes it up again.".into()
            }
            State::Failed => self.fault.as_ref().map(|fault| fault.reason.clone()).unwrap_or_default(),
            State::Paused if self.choices.enough == Enough::Paused => {
                "Paused: it has given what it was to give.".into()
            }
            State::Paused => "Paused.".into(),
            State::Queued => "Waiting for its turn; others are before it in the queue.".into(),
            State::Checking => "Checking what is on the disk.".into(),
            State::Metadata if peers == 0 => nobody(),
            State::Metadata => format!("Getting the list of files from {}.", count(peers, "peer")),
            State::Downloading if peers == 0 => nobody(),
            State::Downloading if down_rate > 0 => {
                let giving = self.peers().filter(|link| !link.choking_us && link.interesting).count();
                format!("Downloading from {}.", count(giving.max(1), "peer"))
            }
            State::Downloading if self.links.values().any(|link| link.interesting) => {
                format!("Connected to {}; waiting for one of them to give.", count(peers, "peer"))
            }
            State::Downloading => {
                format!("Connected to {}; none of them has what is missing.", count(peers, "peer"))
            }
            State::Seeding if up_rate > 0 => {
                let taking = self.peers().filter(|link| link.interested && !link.choked).count();
                format!("Sharing with {}.", count(taking.max(1), "peer"))
            }
            State::Seeding if peers > 0 => format!("Sharing; {} connected.", count(peers, "peer")),
            State::Seeding => "Sharing; nobody is downloading now.".into(),
        }
    }

    /// Adds what it moves to the sums.
    pub(in crate::engine) fn add_to(&mut self, totals: &mut Totals, now: Moment) {
        totals.down_rate += self.down.rate(now);
        totals.up_rate += self.up.rate(now);
        totals.downloaded += self.downloaded();
        totals.uploaded += self.uploaded();
        totals.peers += self.peers().count() as u32;
        totals.buffered += self.content.as_ref().map_or(0, |content| content.reads.bytes());
    }

    /// Everything about it.
    pub(in crate::engine) fn detail(&mut self, shared: &Shared) -> Detail {
        let now = shared.now;
        let optimistic = self.choker.optimistic();
        let mut peers: BTreeMap<ConnKey, PeerRow> = BTreeMap::new();
        // A second connection has the greater key: what it moves is added to what the first one does.
        for link in self.links.values_mut() {
            let (down_rate, up_rate) = (link.down.rate(now), link.up.rate(now));
            let first = self.twins.first_of(link.conn);
            if let Some(peer) = first.and_then(|first| peers.get_mut(&first)) {
                peer.down_rate += down_rate;
                peer.up_rate += up_rate;
                peer.downloaded += link.down.total();
                peer.uploaded += link.up.total();
                continue;
            }
            let has = link.has.as_ref();
            let progress = has.map_or(0.0, |has| share(has.count() as u64, has.len() as u64));
            let peer = PeerRow {
                addr: link.addr,
                client: link.client(),
                flags: link.flags(optimistic.contains(&link.conn)),
                progress,
                down_rate,
                up_rate,
                downloaded: link.down.total(),
                uploaded: link.up.total(),
            };
            peers.insert(link.conn, peer);
        }
        let mut detail = Detail {
            info_hash: self.info_hash,
            peers: peers.into_values().collect(),
            trackers: self.announcer.rows(now),
            wasted: self.wasted,
            ..Detail::default()
        };
        if let Some(content) = &self.content {
            content.describe(&mut detail);
        }
        detail
    }
}

impl Content {
    fn describe(&self, detail: &mut Detail) {
        let layout = &self.meta.layout;
        detail.piece_length = layout.piece_length();
        detail.piece_count = layout.piece_count();
        detail.comment.clone_from(&self.meta.comment);
        detail.created_by.clone_from(&self.meta.created_by);
        detail.creation_unix = self.meta.creation_date;
        let count = layout.piece_count() as usize;
        let parts = count.min(PARTS);
        for part in 0..parts {
            let pieces =
                (part * count / parts..(part + 1) * count / parts).map(|piece| PieceIndex(piece as u32));
            let (mut had, mut least, mut all) = (0_usize, u32::MAX, 0_usize);
            for piece in pieces {
                all += 1;
                had += usize::from(self.pieces.have().contains(piece));
                least = least.min(self.picker.availability(piece));
            }
            // Only what is complete looks so, and only what is empty looks empty.
            let level = match had {
                0 => 0,
                had if had == all => 255,
                had => (had * 255 / all).clamp(1, 254) as u8,
            };
            detail.pieces.push(level);
            detail.availability.push(least.min(255) as u8);
        }
        let top = &self.meta.name;
        for (number, file) in layout.files().iter().enumerate().filter(|(_, file)| !file.pad) {
            let parts = &file.path[usize::from(file.path.len() > 1 && file.path[0] == *top)..];
            let priority = self.storage.priorities.get(number).copied().unwrap_or_default();
            detail.files.push(FileRow {
                index: number as u32,
                path: parts.join("/"),
                length: file.length,
                done: self.pieces.file_done(number),
                priority,
            });
        }
    }
}

fn share(part: u64, whole: u64) -> f32 {
    if whole == 0 { 1.0 } else { (part as f64 / whole as f64) as f32 }
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
