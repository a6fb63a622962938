//! What the threads for reads and writes have to do: reads first, since peers wait for them; stores of several pieces
//! together, since those are hashed side by side.
//!
//! - `waiting`: what waits, and what of it is done together

mod waiting;

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Shared;
use super::task::{Key, Task};
use crate::disk::files::lock;
use waiting::Waiting;

/// How long stores that are not worth a batch wait for more.
const GATHER: Duration = Duration::from_millis(1);
/// How long they wait for a thread that is at stores: by then it is at a slow disk.
const PATIENCE: Duration = Duration::from_millis(10);

/// The queue of all threads.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Rung for threads that have nothing to do.
    ready: Condvar,
    /// Rung for the thread that waits for more stores.
    enough: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Waiting,
    /// Threads without work, and whether one waits for more stores.
    idle: usize,
    gathering: bool,
    stopping: bool,
}

/// Tasks of one thread, until they are done.
pub(super) struct Batch {
    pub(super) tasks: Vec<Task>,
    keys: Vec<(Key, usize)>,
    stores: bool,
}

impl Batch {
    fn new(tasks: Vec<Task>, stores: bool) -> Self {
        let keys = tasks.iter().map(|task| (task.key(), task.jobs)).collect();
        Self { tasks, keys, stores }
    }
}

impl Queue {
    pub(super) fn push(&self, tasks: Vec<Task>) {
        let mut state = lock(&self.state);
        tasks.into_iter().for_each(|task| state.waiting.push(task));
        let is_somebody_idle = state.idle > 0;
        let reads = state.waiting.has_reads();
        let stores = state.waiting.has_stores() && !state.gathering;
        let enough = state.gathering && (state.waiting.has_enough() || (reads && !is_somebody_idle));
        drop(state);
        if is_somebody_idle && (reads || stores) {
            self.ready.notify_one();
        }
        if enough {
            self.enough.notify_one();
        }
    }

    /// Ends the threads when the queue is empty.
    pub(super) fn stop(&self) {
        lock(&self.state).stopping = true;
        self.ready.notify_all();
        self.enough.notify_all();
    }

    /// Ends a batch, and waits for the next; none once the threads are to stop and nothing is left for this one.
    fn next(&self, done: Option<&Batch>) -> Option<Batch> {
        let mut state = lock(&self.state);
        if let Some(batch) = done {
            state.waiting.done(&batch.keys, batch.stores);
        }
        let mut gathered = false;
        loop {
            if state.waiting.has_reads() {
                let tasks = state.waiting.take_reads();
                self.wake_another(&state);
                return Some(Batch::new(tasks, false));
            }
            if state.waiting.has_stores() {
                if state.waiting.has_enough() || gathered || state.stopping {
                    let tasks = state.waiting.take_stores();
                    if !tasks.is_empty() {
                        self.wake_another(&state);
                        return Some(Batch::new(tasks, true));
                    }
                    // What waits is for pieces that others are at; they go on with it when they have ended.
                } else if !state.gathering {
                    (state, gathered) = self.gather(state);
                    continue;
                } else if done.is_some_and(|batch| batch.stores) && !state.waiting.is_storing() {
                    // Whoever waits for this thread need not any longer.
                    self.enough.notify_one();
                }
            }
            if state.stopping {
                return None;
            }
            state.idle += 1;
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
            gathered = false;
        }
    }

    /// Has another thread begin with what is left while this one is at work.
    fn wake_another(&self, state: &State) {
        if state.gathering && state.waiting.has_enough() {
            self.enough.notify_one();
        } else if state.idle > 0 && (state.waiting.has_reads() || state.waiting.has_enough()) {
            self.ready.notify_one();
        }
    }

    /// Waits for more stores; true where it has waited for long enough.
    fn gather<'a>(&self, mut state: MutexGuard<'a, State>) -> (MutexGuard<'a, State>, bool) {
        state.gathering = true;
        let batches = state.waiting.batches();
        let most = if state.waiting.is_storing() { PATIENCE } else { GATHER };
        let (mut state, waited) =
            self.enough.wait_timeout(state, most).unwrap_or_else(PoisonError::into_inner);
        state.gathering = false;
        // While others take what waits there is no need to.
        let is_over = waited.timed_out() && state.waiting.batches() == batches;
        (state, is_over)
    }
}

impl Shared {
    pub(super) fn run_lane(&self) {
        let mut last: Option<Batch> = None;
        while let Some(mut batch) = self.queue.next(last.as_ref()) {
            let tasks = &mut batch.tasks;
            let done = if batch.stores && !tasks.iter().any(Task::is_read) {
                super::store::store(tasks)
            } else {
                super::read::read(tasks, &self.shelf)
            };
            self.answer(done, tasks.iter().map(|task| (&task.torrent, task.jobs)));
            tasks.clear();
            last = Some(batch);
        }
    }
}

#[cfg(test)]
mod tests;
