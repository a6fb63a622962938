//! Hashing what is there already: one torrent at a time, the shortest first, on threads that let all others go before them.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Shared;
use super::torrent::Torrent;
use crate::base::{Bitfield, PieceIndex};
use crate::disk::files::lock;
use crate::disk::hashing::{Reading, hash_pieces};
use crate::disk::system::lower_priority;
use crate::disk::{DiskError, Done};

/// How often a running check says how far it is.
const REPORT_EVERY: Duration = Duration::from_millis(250);

/// Checks that wait.
#[derive(Default)]
pub(super) struct Checks {
    queue: Mutex<(Vec<Check>, bool)>,
    ready: Condvar,
}

struct Check {
    torrent: Arc<Torrent>,
    pieces: Arc<Bitfield>,
    stop: Arc<AtomicBool>,
}

impl Checks {
    pub(super) fn push(&self, torrent: Arc<Torrent>, pieces: Arc<Bitfield>) {
        let stop = torrent.check_flag();
        lock(&self.queue).0.push(Check { torrent, pieces, stop });
        self.ready.notify_one();
    }

    /// Looks again which checks are to end.
    pub(super) fn wake(&self) {
        self.ready.notify_one();
    }

    /// Ends the thread when its queue is empty.
    pub(super) fn stop(&self) {
        lock(&self.queue).1 = true;
        self.ready.notify_all();
    }

    fn next(&self) -> Option<Check> {
        let mut queue = lock(&self.queue);
        loop {
            let shortest =
                queue.0.iter().enumerate().min_by_key(|(at, check)| {
                    (!check.stop.load(Ordering::Relaxed), check.pieces.count(), *at)
                });
            if let Some(at) = shortest.map(|(at, _)| at) {
                return Some(queue.0.remove(at));
            }
            if queue.1 {
                return None;
            }
            queue = self.ready.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Shared {
    pub(super) fn run_checks(&self) {
        lower_priority();
        while let Some(check) = self.checks.next() {
            let done = self.check(&check);
            self.answer(vec![done], std::iter::once((&check.torrent, 1)));
        }
    }

    fn check(&self, check: &Check) -> Done {
        let Check { torrent, pieces, stop } = check;
        let (key, files) = (torrent.key, &torrent.files);
        let none = Bitfield::new(pieces.len());
        if stop.load(Ordering::Relaxed) {
            return Done::Checked { torrent: key, looked: none.clone(), good: none, error: None };
        }
        // From here on the files count as they are now.
        if let Err(error) = files.take_stamps() {
            return Done::Checked { torrent: key, looked: none.clone(), good: none, error: Some(error) };
        }
        let storage = files.storage();
        let found = Mutex::new((none.clone(), none, None, now()));
        let done = AtomicU32::new(0);
        let right = |piece: PieceIndex, hash: &[u8; 20]| {
            storage.hashes.get(piece.at() * 20..piece.at() * 20 + 20) == Some(&hash[..])
        };
        let wanted = pieces.iter().filter(|piece| piece.0 < storage.layout.piece_count());
        hash_pieces(
            files,
            wanted,
            self.config.check_threads,
            Reading::Copied,
            lower_priority,
            |piece, hash| {
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                let mut found = lock(&found);
                let (looked, good, error, reported) = &mut *found;
                match hash {
                    Ok(hash) if right(piece, &hash) => {
                        files.found(piece);
                        good.insert(piece);
                    }
                    // What is not there, or not as long as it should be, or just being written, is not an error.
                    Ok(_) | Err(DiskError::Missing { .. } | DiskError::Changed { .. }) => {}
                    Err(failed) => {
                        *error = Some(failed);
                        return false;
                    }
                }
                looked.insert(piece);
                if reported.elapsed() >= REPORT_EVERY {
                    *reported = now();
                    (self.answers)(vec![Done::Checking { torrent: key, done }]);
                }
                !stop.load(Ordering::Relaxed)
            },
        );
        let (looked, good, error, _) = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        Done::Checked { torrent: key, looked, good, error }
    }
}

/// How long ago the last report was is all that a clock is needed for here.
#[expect(clippy::disallowed_methods, reason = "the one clock of the workers")]
fn now() -> Instant {
    Instant::now()
}
