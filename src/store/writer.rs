//! The thread that writes, and the queue to it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::Answer;
use super::copies::Copies;
use super::database::Database;
use crate::engine::Change;

/// Changes that may wait: every one of ten thousand torrents may have a few at the same time.
pub(super) const WAITING: usize = 32_768;

/// Changes of one transaction; more would let the last of them wait for too long.
const BATCH: usize = 512;

/// What the thread and its owner share.
#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Changes in order; nothing where there was no room for one.
    entries: VecDeque<(u64, Option<Change>)>,
    ending: bool,
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
            // The last run may have left some.
            let mut sweep = database.sweep(&copies);
            while let Some(batch) = theirs.take(sweep) {
                let results = if batch.is_empty() { Vec::new() } else { database.write(&batch, &copies) };
                for ((seq, _), result) in batch.iter().zip(results) {
                    done(*seq, result);
                }
                sweep |= batch.iter().any(|(_, change)| matches!(change, Some(Change::Remove(_))));
                sweep = sweep && database.sweep(&copies);
            }
            database
        })?;
        Ok(Self { queue, thread: Some(thread) })
    }

    /// Queues a change.
    pub(super) fn push(&self, seq: u64, change: Change) {
        let mut state = self.queue.lock();
        let room = state.entries.len() < WAITING;
        state.entries.push_back((seq, room.then_some(change)));
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

impl Queue {
    /// What waits, in order; nothing when the thread is to end. Where nothing waits and there is other work, an empty batch.
    fn take(&self, busy: bool) -> Option<Vec<(u64, Option<Change>)>> {
        let mut state = self.lock();
        while state.entries.is_empty() {
            if state.ending {
                return None;
            }
            if busy {
                break;
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let count = state.entries.len().min(BATCH);
        Some(state.entries.drain(..count).collect())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
