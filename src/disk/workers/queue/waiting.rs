//! What waits for the threads, and what of it is done together.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::disk::workers::task::{Key, Task};

/// Bytes of stores that are worth a thread's waking.
const WORTH: u64 = 1024 * 1024;
/// Bytes of stores by which a thread is behind, so that another one helps.
const BEHIND: u64 = 10 * 1024 * 1024;
/// Bytes of stores done in one go before reads get their turn, and before others may write to the same file.
const STORE_BATCH: u64 = 2 * 1024 * 1024;
/// Pieces stored in one go: so many are hashed side by side at most.
pub(super) const STORE_PIECES: usize = 16;
/// Reads done in one go before they are answered; another thread sees to the next ones meanwhile.
const READ_BATCH: usize = 4;
/// Stores looked at for some that can be done now.
const LOOKED_AT: usize = 1_024;

/// What waits, and for which pieces something is being done.
#[derive(Default)]
pub(super) struct Waiting {
    reads: VecDeque<Task>,
    /// Stores, and reads of pieces for which a store waits.
    stores: VecDeque<Task>,
    pieces: HashMap<Key, Use>,
    /// Bytes of the stores for pieces that nobody stores.
    ready: u64,
    /// Batches of stores that threads are at, and those that were taken so far.
    storing: usize,
    batches: u64,
}

/// What waits or is being done for a piece; exactly one kind of task of it is being done at a time.
#[derive(Default)]
struct Use {
    /// Reads that nothing waits before.
    reads: usize,
    /// Tasks among the stores, and their bytes.
    queued: usize,
    bytes: u64,
    /// Tasks of the stores that a thread is at.
    taken: usize,
}

impl Use {
    /// A task of the stores is taken up.
    fn take(&mut self, bytes: u64) {
        self.queued -= 1;
        self.bytes -= bytes;
        self.taken += 1;
    }
}

/// A task and its place in the queue.
type Placed = (usize, Task);

impl Waiting {
    pub(super) fn push(&mut self, task: Task) {
        let piece = self.pieces.entry(task.key()).or_default();
        if task.is_read() && piece.queued + piece.taken == 0 {
            piece.reads += 1;
            self.reads.push_back(task);
        } else {
            piece.queued += 1;
            piece.bytes += task.bytes();
            if piece.taken == 0 {
                self.ready += task.bytes();
            }
            self.stores.push_back(task);
        }
    }

    /// Some reads, oldest first.
    pub(super) fn take_reads(&mut self) -> Vec<Task> {
        let count = self.reads.len().min(READ_BATCH);
        self.reads.drain(..count).collect()
    }

    /// Stores of pieces that are all different and that nobody is at, or one read that waited for such.
    pub(super) fn take_stores(&mut self) -> Vec<Task> {
        let mut batch: Vec<Task> = Vec::new();
        // The runs that follow each one of the batch, and what else stays, with their places in the queue.
        let mut following: Vec<VecDeque<Placed>> = Vec::new();
        let mut left: Vec<Placed> = Vec::new();
        // Pieces of which a task stays, so that what comes after it stays as well.
        let mut stay: BTreeSet<Key> = BTreeSet::new();
        let (mut bytes, mut place) = (0, 0);
        while bytes < STORE_BATCH
            && place < LOOKED_AT
            && let Some(task) = self.stores.pop_front()
        {
            place += 1;
            let key = task.key();
            let Some(piece) = self.pieces.get_mut(&key) else { continue };
            let mine = batch.iter().position(|other| other.key() == key);
            let is_free = piece.reads + piece.taken == 0;
            let fits = batch.is_empty() || (batch.len() < STORE_PIECES && !task.is_read());
            match mine {
                Some(at) if !task.is_read() && !stay.contains(&key) => following[at].push_back((place, task)),
                None if is_free && fits && !stay.contains(&key) => {
                    self.ready -= piece.bytes;
                    piece.take(task.bytes());
                    bytes += task.bytes();
                    batch.push(task);
                    following.push(VecDeque::new());
                    if batch[0].is_read() {
                        break;
                    }
                }
                _ => {
                    stay.insert(key);
                    left.push((place, task));
                }
            }
        }
        self.join(&mut batch, &mut following, bytes);
        left.extend(following.into_iter().flatten());
        left.sort_unstable_by_key(|(place, _)| Reverse(*place));
        left.into_iter().for_each(|(_, task)| self.stores.push_front(task));
        if !batch.is_empty() {
            self.storing += 1;
            self.batches += 1;
        }
        batch
    }

    /// Joins the next run of each piece to a batch of so many bytes, again and again, while most of the pieces have one:
    /// those of a few, hashed without company at the end, would take as long as all the rest.
    fn join(&mut self, batch: &mut [Task], following: &mut [VecDeque<Placed>], mut bytes: u64) {
        loop {
            let next = following.iter().filter(|runs| !runs.is_empty()).count();
            let before = bytes;
            if bytes >= STORE_BATCH || 2 * next < batch.len() {
                return;
            }
            for (task, runs) in batch.iter_mut().zip(&mut *following) {
                let (Some((place, run)), Some(piece)) = (runs.pop_front(), self.pieces.get_mut(&task.key()))
                else {
                    continue;
                };
                let size = run.bytes();
                match task.join(run) {
                    Ok(()) => {
                        piece.take(size);
                        bytes += size;
                        if bytes >= 2 * STORE_BATCH {
                            return;
                        }
                    }
                    Err(run) => runs.push_front((place, run)),
                }
            }
            if bytes == before {
                return;
            }
        }
    }

    /// Tasks were done, `taken` of them of the stores.
    pub(super) fn done(&mut self, keys: &[(Key, usize)], were_stores: bool) {
        if were_stores {
            self.storing -= 1;
        }
        for (key, tasks) in keys {
            let Some(piece) = self.pieces.get_mut(key) else { continue };
            if were_stores {
                piece.taken -= tasks;
                if piece.taken == 0 {
                    self.ready += piece.bytes;
                }
            } else {
                piece.reads -= tasks;
            }
            if piece.reads + piece.queued + piece.taken == 0 {
                self.pieces.remove(key);
            }
        }
    }

    pub(super) fn has_reads(&self) -> bool {
        !self.reads.is_empty()
    }

    pub(super) fn has_stores(&self) -> bool {
        !self.stores.is_empty()
    }

    /// Whether a thread is at stores.
    pub(super) const fn is_storing(&self) -> bool {
        self.storing > 0
    }

    /// Whether what can be stored is worth a batch now: beside a thread that stores, only what that one falls behind with. It
    /// will take what there is by then, and more of it side by side; and two that write to one file wait for each other.
    pub(super) const fn has_enough(&self) -> bool {
        self.ready >= if self.is_storing() { BEHIND } else { WORTH }
    }

    /// Batches of stores that were taken so far.
    pub(super) const fn batches(&self) -> u64 {
        self.batches
    }

    /// Bytes that can be stored now, batches that threads are at, and pieces for which there is anything.
    #[cfg(test)]
    pub(super) fn accounts(&self) -> (u64, usize, usize) {
        (self.ready, self.storing, self.pieces.len())
    }
}
