//! What the threads share of one open torrent.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use super::store::Cursor;
use crate::base::{PieceIndex, TorrentKey};
use crate::disk::Storage;
use crate::disk::files::{Disk, Files, lock};

/// One open torrent.
pub(super) struct Torrent {
    pub(super) key: TorrentKey,
    pub(super) files: Files,
    /// Pieces of which a beginning was stored.
    pub(super) cursors: Mutex<HashMap<PieceIndex, Cursor>>,
    jobs: Mutex<Jobs>,
    checks: Flags,
    moves: Flags,
}

/// What running work looks at to see whether it is to end.
#[derive(Default)]
struct Flags(Mutex<Vec<Weak<AtomicBool>>>);

impl Flags {
    fn add(&self) -> Arc<AtomicBool> {
        let flag = Arc::new(AtomicBool::new(false));
        let mut flags = lock(&self.0);
        flags.retain(|flag| flag.strong_count() > 0);
        flags.push(Arc::downgrade(&flag));
        flag
    }

    fn raise(&self) {
        for flag in lock(&self.0).drain(..).filter_map(|flag| flag.upgrade()) {
            flag.store(true, Ordering::Relaxed);
        }
    }
}

#[derive(Default)]
struct Jobs {
    unfinished: usize,
    /// Whether to close, and with that to delete, once no job is unfinished.
    closing: Option<bool>,
}

impl Torrent {
    pub(super) fn new(key: TorrentKey, disk: Arc<Disk>, storage: Arc<Storage>) -> Self {
        Self {
            key,
            files: Files::new(disk, storage),
            cursors: Mutex::default(),
            jobs: Mutex::default(),
            checks: Flags::default(),
            moves: Flags::default(),
        }
    }

    /// A job is on its way.
    pub(super) fn begin(&self) {
        lock(&self.jobs).unfinished += 1;
    }

    /// So many jobs were answered; the closing that waited for them, where it did.
    pub(super) fn end(&self, count: usize) -> Option<bool> {
        let mut jobs = lock(&self.jobs);
        jobs.unfinished = jobs.unfinished.saturating_sub(count);
        if jobs.unfinished == 0 { jobs.closing.take() } else { None }
    }

    /// Closes once no job is unfinished; true where that is so already.
    pub(super) fn close(&self, delete: bool) -> bool {
        let mut jobs = lock(&self.jobs);
        if jobs.unfinished > 0 {
            jobs.closing = Some(delete);
        }
        jobs.unfinished == 0
    }

    /// A flag that is set when a check is to end.
    pub(super) fn check_flag(&self) -> Arc<AtomicBool> {
        self.checks.add()
    }

    /// Ends every check, running or waiting.
    pub(super) fn stop_checks(&self) {
        self.checks.raise();
    }

    /// A flag that is set when a move is to end.
    pub(super) fn move_flag(&self) -> Arc<AtomicBool> {
        self.moves.add()
    }

    /// Ends a move, running or waiting.
    pub(super) fn stop_moves(&self) {
        self.moves.raise();
    }
}
