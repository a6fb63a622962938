//! One thread for the reads and writes of its share of the pieces, and its queue: reads first, since peers wait for them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use bytes::Bytes;

use super::Shared;
use super::torrent::Torrent;
use crate::base::{BlockRef, PieceIndex, TorrentKey};
use crate::disk::files::lock;

/// Bytes of stores done in one go before reads get their turn.
const STORE_BATCH: u64 = 8 * 1024 * 1024;
/// Reads done in one go before they are answered.
const READ_BATCH: usize = 64;

/// Something to do for a piece.
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

    fn key(&self) -> (TorrentKey, PieceIndex) {
        (self.torrent.key, self.piece)
    }

    fn bytes(&self) -> u64 {
        if let Work::Store { bytes, .. } = self.work { bytes } else { 0 }
    }

    /// Joins a run that follows this one directly; gives it back where it does not.
    fn join(&mut self, next: Task) -> Result<(), Task> {
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

/// The queue of one thread.
#[derive(Default)]
pub(super) struct Lane {
    queue: Mutex<Queue>,
    ready: Condvar,
}

#[derive(Default)]
struct Queue {
    reads: VecDeque<Task>,
    /// Stores, and reads of pieces for which a store waits.
    stores: VecDeque<Task>,
    /// How many stores wait for a piece.
    waiting: HashMap<(TorrentKey, PieceIndex), usize>,
    stopping: bool,
}

impl Queue {
    fn push(&mut self, task: Task) {
        match task.work {
            Work::Read { .. } if !self.waiting.contains_key(&task.key()) => self.reads.push_back(task),
            Work::Read { .. } => self.stores.push_back(task),
            Work::Store { .. } => {
                *self.waiting.entry(task.key()).or_insert(0) += 1;
                self.stores.push_back(task);
            }
        }
    }

    /// The next tasks: reads alone, or stores of pieces that are all different.
    fn take(&mut self) -> Vec<Task> {
        if !self.reads.is_empty() {
            let count = self.reads.len().min(READ_BATCH);
            return self.reads.drain(..count).collect();
        }
        let mut batch: Vec<Task> = Vec::new();
        let mut bytes = 0;
        while bytes < STORE_BATCH
            && let Some(task) = self.stores.pop_front()
        {
            if let Work::Read { .. } = task.work {
                if !batch.is_empty() {
                    self.stores.push_front(task);
                } else {
                    batch.push(task);
                }
                break;
            }
            let (key, size) = (task.key(), task.bytes());
            let task = match batch.iter_mut().find(|other| other.key() == key) {
                None => {
                    batch.push(task);
                    None
                }
                Some(other) => other.join(task).err(),
            };
            if let Some(task) = task {
                self.stores.push_front(task);
                break;
            }
            bytes += size;
            if let Some(count) = self.waiting.get_mut(&key) {
                *count -= 1;
                if *count == 0 {
                    self.waiting.remove(&key);
                }
            }
        }
        batch
    }
}

impl Lane {
    pub(super) fn push(&self, tasks: Vec<Task>) {
        let mut queue = lock(&self.queue);
        tasks.into_iter().for_each(|task| queue.push(task));
        drop(queue);
        self.ready.notify_one();
    }

    /// Ends the thread when its queue is empty.
    pub(super) fn stop(&self) {
        lock(&self.queue).stopping = true;
        self.ready.notify_all();
    }

    /// The next tasks, waited for; none once the lane is to stop and nothing is left.
    fn next(&self) -> Vec<Task> {
        let mut queue = lock(&self.queue);
        loop {
            let batch = queue.take();
            if !batch.is_empty() || queue.stopping {
                return batch;
            }
            queue = self.ready.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Shared {
    pub(super) fn run_lane(&self, number: usize) {
        loop {
            let mut tasks = self.lanes[number].next();
            let Some(first) = tasks.first() else { return };
            let done = match first.work {
                Work::Read { .. } => super::read::read(&mut tasks),
                Work::Store { .. } => super::store::store(&mut tasks),
            };
            self.answer(done, tasks.iter().map(|task| (&task.torrent, task.jobs)));
        }
    }
}
