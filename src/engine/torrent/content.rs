//! What a torrent is made of once its metadata is known.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::api::FilePriority;
use crate::base::{Bitfield, PieceIndex, Rng};
use crate::disk::Storage;
use crate::engine::record::Progress;
use crate::metainfo;
use crate::swarm::{Digest, Picker, Pieces, SuperSeed, Trust};

use super::Torrent;
use super::durable::Durable;
use super::reads::Reads;

/// Bytes of blocks asked for or held back by a gap, for one torrent.
const OPEN_BYTES: u64 = 32 * 1024 * 1024;

/// Pieces, and all that decides about them.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) meta: Arc<metainfo::Torrent>,
    pub(super) storage: Arc<Storage>,
    pub(super) pieces: Pieces,
    pub(super) picker: Picker,
    pub(super) trust: Trust,
    /// What the only seed shows, while this is the only one.
    pub(super) superseed: Option<SuperSeed>,
    pub(super) disk: DiskState,
    /// Pieces of which blocks have come.
    pub(super) arriving: BTreeMap<PieceIndex, Arriving>,
    pub(super) reads: Reads,
    pub(super) durable: Durable,
    /// What is known of the disk before it was looked at, to the end of that look.
    pub(super) known: Known,
    /// Whether empty files and marks are in place.
    pub(super) finished: bool,
    /// Whether the disk was told to delete it.
    pub(super) deleted: bool,
}

/// How the torrent stands with its disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DiskState {
    /// The disk does not know it.
    Closed,
    /// The disk looks at its files.
    Opening,
    /// Its pieces are being hashed.
    Checking {
        /// Pieces looked at so far.
        done: u32,
        /// Pieces to look at.
        total: u32,
    },
    /// The files are moved before they are looked at.
    Moving,
    /// What is there is known.
    Ready,
    /// The disk forgets it.
    Closing,
}

/// What is known of the disk before it was looked at.
#[derive(Clone, Debug)]
pub(super) enum Known {
    /// Nothing: whatever is there is hashed.
    Nothing,
    /// Everything is there and right, as its maker knows.
    Everything,
    /// What the last run left.
    Progress(Progress),
    /// It was looked at: what is there stands in [`Content::durable`].
    Seen,
}

/// A piece whose blocks come.
#[derive(Debug, Default)]
pub(super) struct Arriving {
    /// Blocks that follow each other and have yet to be given to the disk, and where the first begins.
    pub(super) run: Vec<Bytes>,
    pub(super) begin: u32,
    pub(super) bytes: u32,
    /// Blocks behind a gap.
    pub(super) later: BTreeMap<u32, Bytes>,
    /// Digests of the blocks given to the disk, kept for pieces that were wrong before.
    pub(super) digests: Vec<Digest>,
}

impl Content {
    pub(super) fn new(
        meta: metainfo::Torrent,
        root: std::path::PathBuf,
        priorities: &[FilePriority],
        known: Known,
        rng: &mut Rng,
    ) -> Self {
        let mut pieces = Pieces::new(Arc::clone(&meta.layout));
        pieces.set_priorities(priorities);
        let mut picker = Picker::new(Arc::clone(&meta.layout), rng.fork());
        picker.set_open_limit(OPEN_BYTES);
        let storage = Arc::new(Storage {
            root,
            layout: Arc::clone(&meta.layout),
            hashes: Arc::clone(&meta.hashes),
            priorities: priorities.to_vec(),
        });
        Self {
            durable: Durable::new(meta.layout.piece_count() as usize),
            meta: Arc::new(meta),
            storage,
            pieces,
            picker,
            trust: Trust::new(),
            superseed: None,
            disk: DiskState::Closed,
            arriving: BTreeMap::new(),
            reads: Reads::default(),
            known,
            finished: false,
            deleted: false,
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.disk == DiskState::Ready
    }

    pub(super) fn assert_sound(&self) {
        for piece in self.arriving.keys() {
            assert!(!self.pieces.have().contains(*piece), "a piece that is had is not fetched");
        }
        self.durable.assert_sound(self.pieces.have());
    }
}

impl Torrent {
    /// Takes the metadata.
    pub(super) fn adopt(
        &mut self,
        torrent: Box<metainfo::Torrent>,
        progress: Option<Progress>,
        seed_mode: bool,
    ) {
        let pieces = torrent.layout.piece_count() as usize;
        let known = match progress {
            _ if seed_mode => Known::Everything,
            Some(progress) if progress.have.as_ref().is_some_and(|have| have.len() == pieces) => {
                Known::Progress(progress)
            }
            _ => Known::Nothing,
        };
        let choices = &self.choices;
        let mut content =
            Content::new(*torrent, choices.folder.clone(), &choices.priorities, known, &mut self.rng);
        content.picker.set_sequential(choices.sequential);
        if let Known::Progress(progress) = &content.known
            && let Some(have) = &progress.have
        {
            // Shown before the disk was looked at; what is shown is what was durable.
            content.pieces.set_have(have);
            content.durable.restore(progress);
        }
        self.content = Some(Box::new(content));
        self.fetch = None;
    }

    /// Every piece of the torrent.
    pub(super) fn all_pieces(&self) -> Bitfield {
        let count = self.content.as_ref().map_or(0, |content| content.pieces.have().len());
        Bitfield::full(count)
    }
}

impl Torrent {
    /// Files of the torrent, padding included; zero while they are not known.
    pub(in crate::engine) fn file_count(&self) -> usize {
        self.content.as_ref().map_or(0, |content| content.meta.layout.files().len())
    }

    /// Lets new priorities take effect; what the disk is to be told of them, where it knows the torrent.
    pub(in crate::engine) fn apply_priorities(&mut self) -> Option<Arc<Storage>> {
        let moves = self.moving.is_some();
        let content = self.content.as_mut()?;
        content.pieces.set_priorities(&self.choices.priorities);
        let priorities = self.choices.priorities.clone();
        content.storage = Arc::new(Storage { priorities, ..Storage::clone(&content.storage) });
        // Files that move are left alone until they have arrived.
        (!moves && content.disk != DiskState::Closed && content.disk != DiskState::Closing)
            .then(|| Arc::clone(&content.storage))
    }

    /// Lets the choice of order take effect.
    pub(in crate::engine) fn apply_sequential(&mut self) {
        if let Some(content) = &mut self.content {
            content.picker.set_sequential(self.choices.sequential);
        }
    }

    /// Lets its own limits take effect.
    pub(in crate::engine) fn apply_limits(&mut self) {
        self.own_limits.set(self.choices.limits);
    }
}
