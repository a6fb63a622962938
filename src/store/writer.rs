//! The thread that writes, and the queue to it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Answer;
use super::backlog::Backlog;
use super::copies::Copies;
use super::database::Database;
use crate::base::InfoHash;
use crate::engine::{Change, Record};

/// Changes that may wait: every one of ten thousand torrents may have a few at the same time.
pub(super) const WAITING: usize = 32_768;

/// Changes of one transaction; more would let the last of them wait for too long.
const BATCH: usize = 512;

/// How long after a failure, at the latest, it is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// A change with its number; nothing where there was no room for one.
type Entry = (u64, Option<Change>);

/// What the thread and its owner share.
#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Changes in order.
    entries: VecDeque<Entry>,
    /// Changes ever given, and those among them that were taken to be written.
    given: u64,
    taken: u64,
    /// What is to be read, in order.
    fetches: VecDeque<Fetch>,
    ending: bool,
}

/// A record that somebody wants to read, as it is once these many changes are written.
struct Fetch {
    after: u64,
    torrent: InfoHash,
    answer: Reader,
}

/// Takes what was read.
pub(super) type Reader = Box<dyn FnOnce(Result<Record, String>) + Send>;

impl std::fmt::Debug for Fetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} after {}", self.torrent, self.after)
    }
}

/// The thread with its queue.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<Database>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(mut database: Database, copies: Copies, done: Arc<Answer>) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let theirs = Arc::clone(&queue);
        let thread = thread::Builder::new().name("store".to_owned()).spawn(move || {
            let mut backlog = Backlog::default();
            // The last run may have left some.
            let mut sweep = database.sweep(&copies);
            while let Some((batch, fetches)) = theirs.take(sweep, !backlog.is_empty()) {
                for (seq, result) in write(&mut database, &copies, &mut backlog, batch, &mut sweep) {
                    done(seq, result);
                }
                for Fetch { torrent, answer, .. } in fetches {
                    answer(database.fetch(torrent));
                }
                sweep = sweep && database.sweep(&copies);
            }
            write(&mut database, &copies, &mut backlog, Vec::new(), &mut sweep);
            database.whole &= backlog.is_empty();
            database
        })?;
        Ok(Self { queue, thread: Some(thread) })
    }

    /// Queues a change.
    pub(super) fn push(&self, seq: u64, change: Change) {
        let mut state = self.queue.lock();
        let room = state.entries.len() < WAITING;
        state.entries.push_back((seq, room.then_some(change)));
        state.given += 1;
        drop(state);
        self.queue.wake.notify_one();
    }

    /// Queues the reading of a record, as it is after all changes that were queued before.
    pub(super) fn fetch(&self, torrent: InfoHash, answer: Reader) {
        let mut state = self.queue.lock();
        let after = state.given;
        state.fetches.push_back(Fetch { after, torrent, answer });
        drop(state);
        self.queue.wake.notify_one();
    }

    /// Ends the thread when nothing waits any more; nothing where it has ended before, or by a fault of ours.
    pub(super) fn end(&mut self) -> Option<Database> {
        self.queue.lock().ending = true;
        self.queue.wake.notify_one();
        self.thread.take()?.join().ok()
    }
}

/// Writes a batch after what could not be written before it; answers with what became of each change of the batch. Marks
/// where copies are to be removed.
fn write(
    database: &mut Database,
    copies: &Copies,
    backlog: &mut Backlog,
    batch: Vec<Entry>,
    sweep: &mut bool,
) -> Vec<(u64, Result<(), String>)> {
    let mut entries: Vec<Entry> = backlog.changes().map(|change| (0, Some(change.clone()))).collect();
    let again = entries.len();
    entries.extend(batch);
    if entries.is_empty() {
        return Vec::new();
    }
    let results = database.write(&entries, copies);
    for ((_, change), result) in entries.iter().zip(&results) {
        if let Some(change) = change {
            backlog.note(change, result.is_ok());
            *sweep |= matches!(change, Change::Remove(_));
        }
    }
    entries.iter().map(|(seq, _)| *seq).zip(results).skip(again).collect()
}

impl Queue {
    /// What waits, in order, and what is to be read after it; nothing when the thread is to end. An empty batch where nothing waits and there is other work:
    /// at once where it is `busy`, in a while where something is to be tried `again`.
    fn take(&self, busy: bool, again: bool) -> Option<(Vec<Entry>, Vec<Fetch>)> {
        let mut state = self.lock();
        while state.entries.is_empty() && state.fetches.is_empty() {
            if state.ending {
                return None;
            }
            if busy {
                break;
            }
            if again {
                let (woken, waited) =
                    self.wake.wait_timeout(state, AGAIN).unwrap_or_else(PoisonError::into_inner);
                state = woken;
                if waited.timed_out() {
                    break;
                }
            } else {
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
        let count = state.entries.len().min(BATCH);
        state.taken += count as u64;
        let entries = state.entries.drain(..count).collect();
        let ready = state.fetches.iter().take_while(|fetch| fetch.after <= state.taken).count();
        Some((entries, state.fetches.drain(..ready).collect()))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
