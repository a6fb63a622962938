//! Moving torrents to other folders: in the background, one move at a time for each drive, ended when somebody says so.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use super::Shared;
use super::torrent::Torrent;
use crate::disk::files::lock;
use crate::disk::system::{drive_of, lower_priority};
use crate::disk::{DiskError, Done, Relocation};

/// How often a running move says how far it is.
const REPORT_EVERY: Duration = Duration::from_millis(250);

/// Moves that wait, and what those that run keep busy.
#[derive(Default)]
pub(super) struct Moves {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Move>,
    /// Drives that a running move reads or writes.
    busy: Vec<u64>,
    stopping: bool,
}

/// One move.
struct Move {
    torrent: Arc<Torrent>,
    to: PathBuf,
    resumed: bool,
    stop: Arc<AtomicBool>,
    /// Both drives; not looked at yet where there are none.
    drives: Option<[u64; 2]>,
}

impl Moves {
    pub(super) fn push(&self, torrent: Arc<Torrent>, to: PathBuf, resumed: bool) {
        let stop = torrent.move_flag();
        lock(&self.queue).waiting.push(Move { torrent, to, resumed, stop, drives: None });
        self.changed.notify_all();
    }

    /// Looks again which moves are to end.
    pub(super) fn wake(&self) {
        self.changed.notify_all();
    }

    /// Ends the thread when its queue is empty.
    pub(super) fn stop(&self) {
        lock(&self.queue).stopping = true;
        self.changed.notify_all();
    }

    /// The next move whose drives are free, waited for; its drives are busy from then on.
    fn next(&self) -> Option<Move> {
        let mut queue = lock(&self.queue);
        loop {
            while let Some(at) = queue.waiting.iter().position(|it| it.drives.is_none()) {
                let (from, to) = (queue.waiting[at].torrent.files.root(), queue.waiting[at].to.clone());
                drop(queue);
                // The drives may take their time to answer.
                let drives = [drive_of(&from), drive_of(&to)];
                queue = lock(&self.queue);
                if let Some(found) = queue.waiting.get_mut(at) {
                    found.drives = Some(drives);
                }
            }
            let ready = queue.waiting.iter().position(|it| {
                let free = it.drives.iter().flatten().all(|drive| !queue.busy.contains(drive));
                free || it.stop.load(Ordering::Relaxed)
            });
            if let Some(at) = ready {
                let next = queue.waiting.remove(at);
                queue.busy.extend(next.drives.iter().flatten());
                return Some(next);
            }
            if queue.stopping && queue.waiting.is_empty() {
                return None;
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn ended(&self, drives: Option<[u64; 2]>) {
        let mut queue = lock(&self.queue);
        for drive in drives.iter().flatten() {
            if let Some(at) = queue.busy.iter().position(|busy| busy == drive) {
                queue.busy.swap_remove(at);
            }
        }
        drop(queue);
        self.changed.notify_all();
    }
}

impl Shared {
    pub(super) fn run_moves(&self) {
        std::thread::scope(|scope| {
            while let Some(next) = self.moves.next() {
                let (drives, torrent) = (next.drives, Arc::clone(&next.torrent));
                let work = move || {
                    lower_priority();
                    self.relocate(&next);
                    self.moves.ended(next.drives);
                };
                if let Err(error) = Builder::new().name("disk-move".into()).spawn_scoped(scope, work) {
                    let path = torrent.files.root().to_path_buf();
                    let failed = DiskError::Other { path, message: error.to_string() };
                    self.moved(&torrent, Relocation::Undone(Some(failed)));
                    self.moves.ended(drives);
                }
            }
        });
    }

    fn relocate(&self, work: &Move) {
        let torrent = &work.torrent;
        let mut reported = now();
        let outcome = torrent.files.relocate(&work.to, work.resumed, &mut |done, total| {
            if done == 0 || reported.elapsed() >= REPORT_EVERY {
                reported = now();
                (self.answers)(vec![Done::Moving { torrent: torrent.key, done, total }]);
            }
            !work.stop.load(Ordering::Relaxed)
        });
        self.moved(torrent, outcome);
    }

    fn moved(&self, torrent: &Arc<Torrent>, outcome: Relocation) {
        self.answer(vec![Done::Moved { torrent: torrent.key, outcome }], std::iter::once((torrent, 1)));
    }
}

/// How long ago the last report was is all that a clock is needed for here.
#[expect(clippy::disallowed_methods, reason = "the one clock of the movers")]
fn now() -> Instant {
    Instant::now()
}
