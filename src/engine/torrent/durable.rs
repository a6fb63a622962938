//! Which pieces are safe on the disk, and when that is written down.
//!
//! A piece is recorded as suspect when its first block is asked for, and as had only once it was verified and its file
//! synced. After a crash what was had is believed, and of the rest suspects alone are hashed: those may have been written
//! without the record of it.

use std::collections::BTreeSet;

use crate::base::{Bitfield, Moment, PieceIndex, Span};
use crate::disk::{DiskError, FileStamp, Job};
use crate::engine::record::{Change, Progress};
use crate::engine::shared::Shared;

use super::Torrent;
use super::content::Known;

/// Verified pieces are synced so long after the first of them.
const SYNC_AFTER: Span = Span::from_secs(5);
/// Counters are written so long after they changed.
pub(super) const SAVE_AFTER: Span = Span::from_secs(60);

/// The way of pieces to safety.
#[derive(Debug)]
pub(super) struct Durable {
    /// Pieces that are verified and synced.
    have: Bitfield,
    /// Pieces that may have been written to since.
    suspect: BTreeSet<PieceIndex>,
    /// Suspects that have yet to be recorded.
    unsaid: Vec<PieceIndex>,
    /// Pieces that are verified and not synced.
    verified: Vec<PieceIndex>,
    /// Pieces that the sync under way covers.
    syncing: Option<Vec<PieceIndex>>,
    next_tag: u64,
    due: Moment,
    /// The files as they were when `have` was made.
    stamps: Vec<FileStamp>,
}

impl Durable {
    pub(super) fn new(pieces: usize) -> Self {
        Self {
            have: Bitfield::new(pieces),
            suspect: BTreeSet::new(),
            unsaid: Vec::new(),
            verified: Vec::new(),
            syncing: None,
            next_tag: 0,
            due: Moment::NEVER,
            stamps: Vec::new(),
        }
    }

    /// What the last run left.
    pub(super) fn restore(&mut self, progress: &Progress) {
        if let Some(have) = &progress.have {
            self.have = have.clone();
        }
        self.suspect = progress.suspect.iter().copied().collect();
        self.stamps = progress.stamps.clone();
    }

    /// What a look at the disk has shown: these pieces are there, written long ago or by somebody else.
    pub(super) fn found(&mut self, have: &Bitfield, stamps: Vec<FileStamp>) {
        self.have = have.clone();
        self.suspect.clear();
        self.unsaid.clear();
        self.verified.clear();
        self.stamps = stamps;
    }

    /// A check has shown these to be right; whether they are safe is not known, and they are suspects until they are synced.
    pub(super) fn found_right(&mut self, good: &Bitfield, now: Moment) {
        for piece in good.iter() {
            self.have.remove(piece);
            self.suspect.insert(piece);
            self.verified.push(piece);
            self.due = now;
        }
    }

    /// A piece is about to be written to.
    pub(super) fn suspect(&mut self, piece: PieceIndex) {
        if self.suspect.insert(piece) {
            self.unsaid.push(piece);
        }
    }

    /// A piece is verified.
    pub(super) fn verified(&mut self, piece: PieceIndex, now: Moment) {
        self.verified.push(piece);
        self.due = self.due.min(now + SYNC_AFTER);
    }

    pub(super) fn is_safe(&self) -> bool {
        self.verified.is_empty() && self.syncing.is_none()
    }

    /// Whether nothing is suspect any more, and all that is had is safe.
    pub(super) fn is_settled(&self) -> bool {
        self.is_safe() && self.suspect.is_empty() && self.unsaid.is_empty()
    }

    pub(super) fn hurry(&mut self, now: Moment) {
        if !self.verified.is_empty() {
            self.due = now;
        }
    }

    pub(super) fn due(&self) -> Moment {
        if self.syncing.is_some() { Moment::NEVER } else { self.due }
    }

    /// The files are somewhere else now.
    pub(super) fn set_stamps(&mut self, stamps: Vec<FileStamp>) {
        self.stamps = stamps;
    }

    pub(super) fn stamps(&self) -> &[FileStamp] {
        &self.stamps
    }

    pub(super) fn assert_sound(&self, had: &Bitfield) {
        assert!(!self.have.has_beyond(had), "what is recorded as had is had");
    }
}

impl Torrent {
    /// Whether all that was verified is safe on the disk.
    pub(in crate::engine) fn is_safe(&self) -> bool {
        self.content.as_ref().is_none_or(|content| content.durable.is_safe())
    }

    /// What is written down of its progress.
    pub(super) fn progress(&self) -> Progress {
        let mut progress = Progress {
            downloaded: self.downloaded(),
            uploaded: self.uploaded(),
            seeded_secs: self.seeding.secs(),
            ..Progress::default()
        };
        if let Some(content) = &self.content {
            match &content.known {
                // A check that is cut short begins again.
                Known::Progress(known) => {
                    let Progress { downloaded, uploaded, seeded_secs, .. } = progress;
                    return Progress { downloaded, uploaded, seeded_secs, ..known.clone() };
                }
                Known::Nothing | Known::Everything => {}
                Known::Seen => {
                    progress.have = Some(content.durable.have.clone());
                    progress.suspect = content.durable.suspect.iter().copied().collect();
                    progress.stamps.clone_from(&content.durable.stamps);
                }
            }
        }
        progress
    }

    /// Records suspects, syncs when it is time, and writes progress down.
    pub(super) fn keep_safe(&mut self, shared: &mut Shared) {
        let (key, info_hash, now) = (self.key, self.info_hash, shared.now);
        if let Some(content) = &mut self.content {
            let durable = &mut content.durable;
            if !durable.unsaid.is_empty() {
                let unsaid = std::mem::take(&mut durable.unsaid);
                shared.store(Change::Suspect(info_hash, unsaid));
            }
            if durable.syncing.is_none() && durable.due <= now {
                durable.due = Moment::NEVER;
                durable.next_tag += 1;
                durable.syncing = Some(std::mem::take(&mut durable.verified));
                shared.disk(Job::Sync { torrent: key, tag: durable.next_tag });
            }
        }
        if self.timers.save <= now {
            self.save_progress(shared);
        }
    }

    /// Writes progress down now.
    pub(super) fn save_progress(&mut self, shared: &mut Shared) {
        self.timers.save = Moment::NEVER;
        self.count_seeding(shared.now);
        let progress = self.progress();
        shared.store(Change::Progress(self.info_hash, progress));
    }

    /// Counters have changed; they are written soon.
    pub(super) fn save_later(&mut self, now: Moment) {
        self.timers.save = self.timers.save.min(now + SAVE_AFTER);
    }

    /// A sync has ended.
    pub(in crate::engine) fn synced(
        &mut self,
        tag: u64,
        outcome: Result<Vec<FileStamp>, DiskError>,
        shared: &mut Shared,
    ) {
        let Some(content) = &mut self.content else { return };
        let durable = &mut content.durable;
        if tag != durable.next_tag {
            return;
        }
        let Some(covered) = durable.syncing.take() else { return };
        match outcome {
            Ok(stamps) => {
                for piece in covered {
                    durable.suspect.remove(&piece);
                    // A piece lost since then is not had, however safe it was written.
                    if content.pieces.have().contains(piece) {
                        durable.have.insert(piece);
                    }
                }
                durable.stamps = stamps;
                if !durable.verified.is_empty() {
                    durable.due = durable.due.min(shared.now + SYNC_AFTER);
                }
                self.save_progress(shared);
                self.finish_if_complete(shared);
            }
            Err(error) => {
                // What the sync covered may be anything now; as suspects these are hashed before they are believed.
                for piece in covered {
                    self.lose_piece(piece);
                }
                self.fail(&error, shared);
            }
        }
    }

    /// A piece is no longer there.
    fn lose_piece(&mut self, piece: PieceIndex) {
        let Some(content) = &mut self.content else { return };
        if content.pieces.remove(piece) {
            content.durable.have.remove(piece);
            content.picker.piece_failed(piece);
            let payload = crate::wire::peer::extended::DontHave(piece).encode();
            for link in self.links.values_mut() {
                link.say_extended(link.extended.ids.dont_have, payload.clone());
            }
        }
    }
}
