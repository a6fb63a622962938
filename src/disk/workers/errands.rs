//! Opening, syncing and closing: each may take long, and holds up no piece.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::Shared;
use super::torrent::Torrent;
use crate::disk::files::lock;
use crate::disk::{Done, Storage};

/// One of them.
pub(super) enum Errand {
    Open(Arc<Torrent>),
    Update(Arc<Torrent>, Arc<Storage>),
    Sync(Arc<Torrent>, u64),
    Finish(Arc<Torrent>),
    /// Comes after every other job of its torrent.
    Close(Arc<Torrent>, bool),
}

/// Those that wait, in order; the engine's own limits keep them few.
#[derive(Default)]
pub(super) struct Errands {
    queue: Mutex<(VecDeque<Errand>, bool)>,
    ready: Condvar,
}

impl Errands {
    pub(super) fn push(&self, errand: Errand) {
        lock(&self.queue).0.push_back(errand);
        self.ready.notify_one();
    }

    /// Ends the thread when its queue is empty.
    pub(super) fn stop(&self) {
        lock(&self.queue).1 = true;
        self.ready.notify_all();
    }

    fn next(&self) -> Option<Errand> {
        let mut queue = lock(&self.queue);
        loop {
            if let Some(errand) = queue.0.pop_front() {
                return Some(errand);
            }
            if queue.1 {
                return None;
            }
            queue = self.ready.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Shared {
    pub(super) fn run_errands(&self, errands: &Errands) {
        while let Some(errand) = errands.next() {
            let (torrent, done) = match errand {
                Errand::Open(torrent) => {
                    let files = torrent.files.look();
                    let done = Done::Opened { torrent: torrent.key, files };
                    (torrent, Some(done))
                }
                Errand::Update(torrent, storage) => {
                    // Where that fails, bytes stay where they are and can still be read; the next job of one of those
                    // pieces meets the same trouble and says so.
                    let _ = torrent.files.update(&storage);
                    (torrent, None)
                }
                Errand::Sync(torrent, tag) => {
                    let outcome = torrent.files.sync();
                    let done = Done::Synced { torrent: torrent.key, tag, outcome };
                    (torrent, Some(done))
                }
                Errand::Finish(torrent) => {
                    let outcome = torrent.files.finish();
                    let done = Done::Finished { torrent: torrent.key, outcome };
                    (torrent, Some(done))
                }
                Errand::Close(torrent, delete) => {
                    let outcome = torrent.files.close(delete);
                    (self.answers)(vec![Done::Closed { torrent: torrent.key, outcome }]);
                    continue;
                }
            };
            self.answer(done.into_iter().collect(), std::iter::once((&torrent, 1)));
        }
    }
}
