//! Something to do for a piece.

use std::sync::Arc;

use bytes::Bytes;

use super::torrent::Torrent;
use crate::base::{BlockRef, PieceIndex, TorrentKey};

/// A piece of one torrent.
pub(super) type Key = (TorrentKey, PieceIndex);

/// A read, or one or more stores that follow each other.
pub(super) struct Task {
    pub(super) torrent: Arc<Torrent>,
    pub(super) piece: PieceIndex,
    pub(super) work: Work,
    /// How many jobs it stands for.
    pub(super) jobs: usize,
}

pub(super) enum Work {
    Store { begin: u32, blocks: Vec<Bytes>, bytes: u64, last: bool },
    Read { run: BlockRef, tag: u64 },
}

impl Task {
    pub(super) fn store(
        torrent: Arc<Torrent>,
        piece: PieceIndex,
        begin: u32,
        blocks: Vec<Bytes>,
        last: bool,
    ) -> Self {
        let bytes = blocks.iter().map(|block| block.len() as u64).sum();
        Self { torrent, piece, work: Work::Store { begin, blocks, bytes, last }, jobs: 1 }
    }

    pub(super) fn read(torrent: Arc<Torrent>, run: BlockRef, tag: u64) -> Self {
        Self { torrent, piece: run.piece, work: Work::Read { run, tag }, jobs: 1 }
    }

    pub(super) fn key(&self) -> Key {
        (self.torrent.key, self.piece)
    }

    pub(super) fn is_read(&self) -> bool {
        matches!(self.work, Work::Read { .. })
    }

    /// Bytes to be stored.
    pub(super) fn bytes(&self) -> u64 {
        if let Work::Store { bytes, .. } = self.work { bytes } else { 0 }
    }

    /// Joins a run that follows this one directly; gives it back where it does not.
    pub(super) fn join(&mut self, next: Task) -> Result<(), Task> {
        let follows = match (&self.work, &next.work) {
            (Work::Store { begin, bytes, last: false, .. }, Work::Store { begin: next_begin, .. }) => {
                self.key() == next.key()
                    && Arc::ptr_eq(&self.torrent, &next.torrent)
                    && u64::from(*begin) + bytes == u64::from(*next_begin)
            }
            _ => false,
        };
        match (&mut self.work, next.work) {
            (
                Work::Store { blocks, bytes, last, .. },
                Work::Store { blocks: more, bytes: more_bytes, last: more_last, .. },
            ) if follows => {
                blocks.extend(more);
                *bytes += more_bytes;
                *last = more_last;
                self.jobs += next.jobs;
                Ok(())
            }
            (_, work) => Err(Task { work, ..next }),
        }
    }
}
