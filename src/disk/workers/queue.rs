//! What the threads for reads and writes have to do: reads first, since peers wait for them; stores of several pieces
//! together, since those are hashed side by side.

use std::cmp::Reverse;
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
/// How long less than a batch waits for a thread that is at stores: by then it is at a slow disk.
const PATIENCE: Duration = Duration::from_millis(5);
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
    /// What waits or is being done for a piece.
    pieces: HashMap<Key, Use>,
    /// Bytes of the stores for pieces that nobody stores.
    ready: u64,
    /// Threads that are at stores, and the batches that were taken so far.
    storing: usize,
    batches: u64,
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

impl State {
    fn push(&mut self, task: Task) {
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

    /// Stores of pieces that are all different and that nobody is at, or one read that waited for such.
    fn take_stores(&mut self) -> Vec<Task> {
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

    /// Whether what waits is worth a batch now: where a thread is at stores already, only a whole one is. That one will take
    /// what there is by then, and more of it side by side.
    fn has_enough(&self) -> bool {
        self.ready >= if self.storing == 0 { WORTH } else { STORE_BATCH }
    }

    /// Tasks were done, `taken` of them of the stores.
    fn done(&mut self, keys: &[(Key, usize)], were_stores: bool) {
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
        let is_somebody_idle = state.idle > 0;
        let reads = !state.reads.is_empty();
        let stores = !state.stores.is_empty() && !state.gathering;
        let enough = state.gathering && (state.has_enough() || (reads && !is_somebody_idle));
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
            if !state.stores.is_empty() {
                if state.has_enough() || gathered || state.stopping {
                    let tasks = state.take_stores();
                    if !tasks.is_empty() {
                        self.wake_another(&state);
                        return Some(Batch::new(tasks, true));
                    }
                    // What waits is for pieces that others are at; they go on with it when they have ended.
                } else if !state.gathering {
                    (state, gathered) = self.gather(state);
                    continue;
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
        if state.gathering && state.has_enough() {
            self.enough.notify_one();
        } else if state.idle > 0 && (!state.reads.is_empty() || state.has_enough()) {
            self.ready.notify_one();
        }
    }

    /// Waits for more stores; true where it has waited for long enough.
    fn gather<'a>(&self, mut state: MutexGuard<'a, State>) -> (MutexGuard<'a, State>, bool) {
        state.gathering = true;
        let batches = state.batches;
        let most = if state.storing == 0 { GATHER } else { PATIENCE };
        let (mut state, waited) =
            self.enough.wait_timeout(state, most).unwrap_or_else(PoisonError::into_inner);
        state.gathering = false;
        // While others take what waits there is no need to.
        let is_over = waited.timed_out() && state.batches == batches;
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

        /// A store of a quarter of a megabyte, the first, second or third of a piece.
        fn quarter(&self, (piece, number): (u32, u32)) -> Task {
            let blocks = vec![Bytes::from_static(&[0; 1 << 18])];
            Task::store(Arc::clone(&self.torrent), PieceIndex(piece), number << 18, blocks, false)
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
    fn what_few_pieces_have_more_of_is_hashed_with_the_next_ones() {
        let rig = Rig::new();
        let runs = [(1, 0), (2, 0), (3, 0), (1, 1), (4, 0), (1, 2), (9, 0)];
        rig.push(runs.map(|run| rig.quarter(run)).into());
        let first = rig.next(None);
        // None of the runs of the first piece is left out or overtaken.
        assert_eq!(pieces(&first), [1, 2, 3, 4, 9].map(|piece| (false, piece, 1)));
        let second = rig.next(Some(&first));
        assert_eq!(pieces(&second), [(false, 1, 2)]);
        assert!(matches!(second.tasks[0].work, Work::Store { begin: 0x4_0000, bytes: 0x8_0000, .. }));
        rig.queue.stop();
        assert!(rig.queue.next(Some(&second)).is_none());
        assert_eq!(lock(&rig.queue.state).ready, 0);
    }

    #[test]
    fn beside_a_thread_that_stores_only_a_whole_batch_is_enough() {
        let rig = Rig::new();
        let is_enough = || lock(&rig.queue.state).has_enough();
        rig.push(vec![rig.store(1, 0)]);
        assert!(!is_enough());
        rig.push(vec![rig.store(2, 0)]);
        assert!(is_enough());
        let first = rig.next(None);
        assert_eq!(pieces(&first).len(), 2);
        // What waits for pieces that somebody is at cannot be done, however much it is.
        rig.push((1..5).map(|half| rig.store(1, half << 19)).collect());
        rig.push((3..6).map(|piece| rig.store(piece, 0)).collect());
        assert!(!is_enough());
        rig.push(vec![rig.store(6, 0)]);
        assert!(is_enough());
        let second = rig.next(None);
        assert_eq!(pieces(&second).len(), 4);
        assert!(!is_enough());
        // It is not waited for without end.
        rig.push(vec![rig.store(7, 0)]);
        let third = rig.next(None);
        assert_eq!(pieces(&third), [(false, 7, 1)]);
        let rest = rig.next(Some(&first));
        assert_eq!(pieces(&rest), [(false, 1, 4)]);
        for batch in [second, third, rest] {
            lock(&rig.queue.state).done(&batch.keys, true);
        }
        let state = lock(&rig.queue.state);
        assert!((state.ready, state.storing, state.pieces.len()) == (0, 0, 0));
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
        assert_eq!(lock(&rig.queue.state).ready, 0);
    }
}
