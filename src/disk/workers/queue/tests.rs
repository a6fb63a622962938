//! The queue by itself: what is taken together, in which order, and who waits for whom.

use std::sync::Arc;

use bytes::Bytes;

use super::waiting::STORE_PIECES;
use super::*;
use crate::base::{BlockRef, PieceIndex, TorrentKey};
use crate::disk::Storage;
use crate::disk::files::Disk;
use crate::disk::system::System;
use crate::disk::workers::task::Work;
use crate::disk::workers::torrent::Torrent;
use crate::metainfo::{File, Layout};

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
    assert!(lock(&rig.queue.state).waiting.accounts() == (0, 0, 0));
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
    assert_eq!(lock(&rig.queue.state).waiting.accounts().0, 0);
}

#[test]
fn beside_a_thread_that_stores_another_one_begins_only_where_that_one_falls_behind() {
    let rig = Rig::new();
    let is_enough = || lock(&rig.queue.state).waiting.has_enough();
    rig.push(vec![rig.store(1, 0)]);
    assert!(!is_enough());
    rig.push(vec![rig.store(2, 0)]);
    assert!(is_enough());
    let first = rig.next(None);
    assert_eq!(pieces(&first).len(), 2);
    // What waits for pieces that somebody is at cannot be done, however much it is.
    rig.push((1..5).map(|half| rig.store(1, half << 19)).collect());
    rig.push((3..22).map(|piece| rig.store(piece, 0)).collect());
    assert!(!is_enough());
    rig.push(vec![rig.store(22, 0)]);
    assert!(is_enough());
    let second = rig.next(None);
    assert_eq!(pieces(&second), [3, 4, 5, 6].map(|piece| (false, piece, 1)));
    assert!(!is_enough());
    // It is not waited for without end.
    let third = rig.next(None);
    assert_eq!(pieces(&third), [7, 8, 9, 10].map(|piece| (false, piece, 1)));
    // Once nobody stores, less is enough.
    for batch in [second, third] {
        lock(&rig.queue.state).waiting.done(&batch.keys, true);
    }
    let mut last = first;
    for expected in [vec![1, 11, 12, 13], vec![1, 14, 15, 16], vec![1, 17, 18, 19], vec![1, 20, 21, 22]] {
        last = rig.next(Some(&last));
        let expected: Vec<_> = expected.into_iter().map(|piece| (false, piece, 1)).collect();
        assert_eq!(pieces(&last), expected);
    }
    rig.queue.stop();
    assert!(rig.queue.next(Some(&last)).is_none());
    assert_eq!(lock(&rig.queue.state).waiting.accounts(), (0, 0, 0));
}

#[test]
fn what_is_left_is_taken_by_the_thread_that_waits_beside_another_one() {
    let rig = Rig::new();
    rig.push(vec![rig.store(1, 0), rig.store(2, 0)]);
    let first = rig.next(None);
    std::thread::scope(|scope| {
        rig.push(vec![rig.store(3, 0)]);
        let other = scope.spawn(|| rig.next(None));
        while !lock(&rig.queue.state).gathering && !other.is_finished() {
            std::thread::yield_now();
        }
        // This thread has nothing else to do then, until the queue stops.
        let this = scope.spawn(|| rig.queue.next(Some(&first)));
        let batch = other.join().expect("no panic");
        assert_eq!(pieces(&batch), [(false, 3, 1)]);
        rig.queue.stop();
        assert!(this.join().expect("no panic").is_none());
        assert_eq!(lock(&rig.queue.state).waiting.accounts(), (0, 1, 1));
    });
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
    assert_eq!(lock(&rig.queue.state).waiting.accounts().0, 0);
}
