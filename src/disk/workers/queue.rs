//! What the threads for reads and writes have to do: reads first, since peers wait for them; stores of several pieces
//! together, since those are hashed side by side.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Shared;
use super::task::{Key, Task};
use crate::disk::files::lock;

/// Bytes of stores that are worth a thread's waking.
const WORTH: u64 = 1024 * 1024;
/// How long fewer than that wait for more.
const GATHER: Duration = Duration::from_millis(1);
/// Bytes of stores done in one go before reads get their turn, and before others may write to the same file.
const STORE_BATCH: u64 = 2 * 1024 * 1024;
/// Pieces stored in one go: so many are hashed side by side at most.
const STORE_PIECES: usize = 16;
/// Reads done in one go before they are answered; another thread sees to the next ones meanwhile.
const READ_BATCH: usize = 4;
/// Stores looked at for some that can be done now.
const LOOKED_AT: usize = 1_024;

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
    reads: VecDeque<Task>,
    /// Stores, and reads of pieces for which a store waits.
    stores: VecDeque<Task>,
    /// Bytes of them.
    bytes: u64,
    /// What waits or is being done for a piece.
    pieces: HashMap<Key, Use>,
    /// Threads without work, and whether one waits for more stores.
    idle: usize,
    gathering: bool,
    stopping: bool,
}

/// What waits or is being done for a piece; exactly one kind of task of it is being done at a time.
#[derive(Default)]
struct Use {
    /// Reads that nothing waits before.
    reads: usize,
    /// Tasks among the stores.
    queued: usize,
    /// Tasks of the stores that a thread is at.
    taken: usize,
}

impl State {
    fn push(&mut self, task: Task) {
        let piece = self.pieces.entry(task.key()).or_default();
        if task.is_read() && piece.queued + piece.taken == 0 {
            piece.reads += 1;
            self.reads.push_back(task);
        } else {
            piece.queued += 1;
            self.bytes += task.bytes();
            self.stores.push_back(task);
        }
    }

    /// Stores of pieces that are all different and that nobody is at, or one read that waited for such.
    fn take_stores(&mut self) -> Vec<Task> {
        let mut batch: Vec<Task> = Vec::new();
        let mut left = VecDeque::new();
        // Pieces of which a task stays, so that what comes after it stays as well.
        let mut stay: BTreeSet<Key> = BTreeSet::new();
        let (mut bytes, mut looked_at) = (0, 0);
        while bytes < STORE_BATCH
            && looked_at < LOOKED_AT
            && let Some(task) = self.stores.pop_front()
        {
            looked_at += 1;
            let key = task.key();
            let Some(piece) = self.pieces.get_mut(&key) else { continue };
            let mine = batch.iter().position(|other| other.key() == key);
            let is_free = piece.reads == 0 && (piece.taken == 0 || mine.is_some()) && !stay.contains(&key);
            let size = task.bytes();
            let refused = match mine {
                _ if !is_free => Some(task),
                Some(at) => batch[at].join(task).err(),
                None if task.is_read() && !batch.is_empty() => Some(task),
                None if batch.len() >= STORE_PIECES => Some(task),
                None => {
                    batch.push(task);
                    None
                }
            };
            if let Some(task) = refused {
                stay.insert(key);
                left.push_back(task);
                continue;
            }
            piece.queued -= 1;
            piece.taken += 1;
            bytes += size;
            if batch[0].is_read() {
                break;
            }
        }
        left.append(&mut self.stores);
        self.stores = left;
        self.bytes -= bytes;
        batch
    }

    /// Tasks were done, `taken` of them of the stores.
    fn done(&mut self, keys: &[(Key, usize)], were_stores: bool) {
        for (key, tasks) in keys {
            let Some(piece) = self.pieces.get_mut(key) else { continue };
            if were_stores {
                piece.taken -= tasks;
            } else {
                piece.reads -= tasks;
            }
            if piece.reads + piece.queued + piece.taken == 0 {
                self.pieces.remove(key);
            }
        }
    }
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
        tasks.into_iter().for_each(|task| state.push(task));
        let is_nobody_idle = state.idle == 0;
        let reads = !state.reads.is_empty();
        let stores = !state.stores.is_empty() && !state.gathering;
        let enough = state.gathering && (state.bytes >= WORTH || (reads && is_nobody_idle));
        drop(state);
        if reads || stores {
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
            state.done(&batch.keys, batch.stores);
        }
        let mut gathered = false;
        loop {
            if !state.reads.is_empty() {
                let count = state.reads.len().min(READ_BATCH);
                let tasks = state.reads.drain(..count).collect();
                self.wake_another(&state);
                return Some(Batch::new(tasks, false));
            }
            if !state.stores.is_empty() && !state.gathering {
                if state.bytes < WORTH && !gathered && !state.stopping {
                    state = self.gather(state);
                    gathered = true;
                    continue;
                }
                let tasks = state.take_stores();
                if !tasks.is_empty() {
                    self.wake_another(&state);
                    return Some(Batch::new(tasks, true));
                }
                // What waits is for pieces that others are at; they go on with it when they have ended.
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
        if state.idle > 0 && (!state.reads.is_empty() || state.bytes >= WORTH) {
            self.ready.notify_one();
        }
    }

    fn gather<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.gathering = true;
        let (mut state, _) = self.enough.wait_timeout(state, GATHER).unwrap_or_else(PoisonError::into_inner);
        state.gathering = false;
        state
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
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::base::{BlockRef, PieceIndex, TorrentKey};
    use crate::disk::Storage;
    use crate::disk::files::Disk;
    use crate::disk::system::System;
    use crate::disk::workers::task::Work;
    use crate::disk::workers::torrent::Torrent;
    use crate::metainfo::{File, Layout};
    use std::sync::Arc;

    struct Rig {
        queue: Queue,
        torrent: Arc<Torrent>,
    }

    impl Rig {
        fn new() -> Self {
            let file = File { path: vec!["t".into()], length: 1 << 30, pad: false, executable: false };
            let storage = Storage {
                root: std::path::PathBuf::from("/nowhere"),
                layout: Arc::new(Layout::new(vec![file], 1 << 20).expect("a layout")),
                hashes: Arc::new([]),
                priorities: Vec::new(),
            };
            let disk = Arc::new(Disk::new(System::new(false), 1));
            let torrent = Arc::new(Torrent::new(TorrentKey(1), disk, Arc::new(storage)));
            Self { queue: Queue::default(), torrent }
        }

        /// A store of half a megabyte: two are worth waking for.
        fn store(&self, piece: u32, begin: u32) -> Task {
            let blocks = vec![Bytes::from_static(&[0; 1 << 19])];
            Task::store(Arc::clone(&self.torrent), PieceIndex(piece), begin, blocks, false)
        }

        fn read(&self, piece: u32) -> Task {
            let run = BlockRef { piece: PieceIndex(piece), begin: 0, len: 1 };
            Task::read(Arc::clone(&self.torrent), run, 0)
        }

        fn push(&self, tasks: Vec<Task>) {
            self.queue.push(tasks);
        }

        fn next(&self, done: Option<&Batch>) -> Batch {
            self.queue.next(done).expect("not stopping")
        }
    }

    fn pieces(batch: &Batch) -> Vec<(bool, u32, usize)> {
        batch.tasks.iter().map(|task| (task.is_read(), task.piece.0, task.jobs)).collect()
    }

    #[test]
    fn runs_that_follow_are_joined_and_pieces_go_side_by_side() {
        let rig = Rig::new();
        rig.push(vec![rig.store(1, 0), rig.store(2, 0), rig.store(1, 1 << 19), rig.store(1, 9)]);
        let first = rig.next(None);
        assert_eq!(pieces(&first), [(false, 1, 2), (false, 2, 1)]);
        assert!(matches!(first.tasks[0].work, Work::Store { begin: 0, bytes: 0x10_0000, .. }));
        // What does not follow waits until the piece is nobody's; other pieces go on.
        rig.push(vec![rig.store(3, 0), rig.store(1, 10)]);
        let second = rig.next(None);
        assert_eq!(pieces(&second), [(false, 3, 1)]);
        let third = rig.next(Some(&first));
        assert_eq!(pieces(&third), [(false, 1, 1)]);
        assert!(matches!(third.tasks[0].work, Work::Store { begin: 9, .. }));
        let last = rig.next(Some(&third));
        assert!(matches!(last.tasks[0].work, Work::Store { begin: 10, .. }));
        rig.queue.stop();
        assert!(rig.queue.next(Some(&last)).is_none());
        assert!(rig.queue.next(Some(&second)).is_none());
        assert!(lock(&rig.queue.state).pieces.is_empty());
    }

    #[test]
    fn a_read_comes_first_but_not_before_the_stores_that_its_piece_waits_for() {
        let rig = Rig::new();
        rig.push(vec![rig.store(1, 0), rig.read(1), rig.read(2)]);
        let first = rig.next(None);
        assert_eq!(pieces(&first), [(true, 2, 1)]);
        let second = rig.next(Some(&first));
        assert_eq!(pieces(&second), [(false, 1, 1)]);
        let third = rig.next(Some(&second));
        assert_eq!(pieces(&third), [(true, 1, 1)]);
        // And a store waits for the reads before it.
        let done = rig.next_after_reads(&third);
        assert_eq!(pieces(&done), [(false, 5, 1)]);
    }

    impl Rig {
        fn next_after_reads(&self, done: &Batch) -> Batch {
            self.push(vec![self.read(5), self.store(5, 0)]);
            let read = self.next(Some(done));
            assert_eq!(pieces(&read), [(true, 5, 1)]);
            self.push(vec![self.store(6, 0)]);
            let other = self.next(None);
            assert_eq!(pieces(&other), [(false, 6, 1)]);
            self.next(Some(&read))
        }
    }

    #[test]
    fn little_is_stored_without_waiting_for_long() {
        let rig = Rig::new();
        let blocks = vec![Bytes::from_static(&[0; 9])];
        rig.push(vec![Task::store(Arc::clone(&rig.torrent), PieceIndex(1), 0, blocks, true)]);
        assert_eq!(pieces(&rig.next(None)), [(false, 1, 1)]);
    }

    #[test]
    fn no_more_pieces_are_taken_at_once_than_are_hashed_side_by_side() {
        let rig = Rig::new();
        rig.push((0..40).map(|piece| rig.store(piece, 0)).collect());
        let mut bytes = 0;
        let mut last = None;
        while bytes < 20 << 20 {
            let batch = rig.next(last.as_ref());
            assert!(batch.tasks.len() <= STORE_PIECES);
            bytes += batch.tasks.iter().map(Task::bytes).sum::<u64>();
            last = Some(batch);
        }
        assert_eq!(lock(&rig.queue.state).bytes, 0);
    }
}
