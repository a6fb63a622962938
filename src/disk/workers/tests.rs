//! Jobs on real files in temporary folders, by the system's own way and by the portable one.

mod moves;

use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::api::FilePriority;
use crate::base::{BLOCK_SIZE, Bitfield, BlockRef, PieceIndex, Rng};
use crate::disk::{FileStamp, Storage, Verdict};
use crate::hash::sha1;
use crate::metainfo::{File, Layout};

const KEY: TorrentKey = TorrentKey(7);
const PIECE: u32 = 40_000;

struct Rig {
    workers: Option<Workers>,
    answers: Receiver<Done>,
    folder: tempfile::TempDir,
    content: Bytes,
}

/// Name, length, pad.
const FILES: &[(&str, u64, bool)] = &[
    ("a", 30_000, false),
    ("empty", 0, false),
    ("sub/b", 25_000, false),
    (".pad/5000", 25_000, true),
    ("sub/deep/c", 45_001, false),
];

impl Rig {
    fn new(portable: bool) -> Self {
        let mut content = vec![0; FILES.iter().map(|(_, len, _)| *len as usize).sum()];
        Rng::new(5).fill(&mut content);
        content[55_000..80_000].fill(0);
        let folder = tempfile::tempdir().expect("a folder for a test");
        let mut rig = Self { workers: None, answers: sync_channel(1).1, folder, content: content.into() };
        rig.start(portable);
        rig
    }

    fn start(&mut self, portable: bool) {
        self.start_with(portable, |_| {});
    }

    /// Starts workers of which every answer is shown to `see` first, on the thread that gives it.
    fn start_with(&mut self, portable: bool, see: impl Fn(&Done) + Send + Sync + 'static) {
        let (send, receive) = sync_channel(4_096);
        let answers: Answers = Arc::new(move |done| {
            for done in done {
                see(&done);
                drop(send.send(done));
            }
        });
        let config = Config { threads: 3, check_threads: 2, open_files: 2, portable };
        self.workers = Some(Workers::start(config, answers).expect("threads"));
        self.answers = receive;
    }

    fn storage(&self, priorities: &[FilePriority]) -> Arc<Storage> {
        let files = FILES.iter().map(|(name, length, pad)| File {
            path: std::iter::once("t").chain(name.split('/')).map(String::from).collect(),
            length: *length,
            pad: *pad,
            executable: *name == "a",
        });
        Arc::new(Storage {
            root: self.folder.path().to_path_buf(),
            layout: Arc::new(Layout::new(files.collect(), PIECE).expect("a small layout")),
            hashes: self.content.chunks(PIECE as usize).flat_map(sha1).collect(),
            priorities: priorities.to_vec(),
        })
    }

    fn submit(&self, job: Job) {
        self.workers.as_ref().expect("started").submit(vec![job]);
    }

    fn next(&self) -> Done {
        self.answers.recv_timeout(Duration::from_secs(20)).expect("an answer in time")
    }

    fn ask(&self, job: Job) -> Done {
        self.submit(job);
        self.next()
    }

    fn open(&self, priorities: &[FilePriority]) -> Vec<FileStamp> {
        let job = Job::Open { torrent: KEY, storage: self.storage(priorities) };
        let Done::Opened { files, .. } = self.ask(job) else { panic!("opened") };
        files.expect("opened")
    }

    fn blocks(&self, piece: u32) -> Vec<Bytes> {
        let start = piece as usize * PIECE as usize;
        let whole = self.content.slice(start..self.content.len().min(start + PIECE as usize));
        let ends = (0..whole.len()).step_by(BLOCK_SIZE as usize);
        ends.map(|at| whole.slice(at..whole.len().min(at + BLOCK_SIZE as usize))).collect()
    }

    fn job(&self, piece: u32) -> Job {
        Job::Store {
            torrent: KEY,
            piece: PieceIndex(piece),
            begin: 0,
            blocks: self.blocks(piece),
            last: true,
        }
    }

    fn store(&self, piece: u32) -> Result<Verdict, DiskError> {
        let Done::Stored { outcome, .. } = self.ask(self.job(piece)) else { panic!("stored") };
        outcome
    }

    fn read(&self, piece: u32, begin: u32, len: u32) -> Result<Bytes, DiskError> {
        let run = BlockRef { piece: PieceIndex(piece), begin, len };
        let Done::Read { tag: 3, outcome, .. } = self.ask(Job::Read { torrent: KEY, run, tag: 3 }) else {
            panic!("read")
        };
        outcome
    }

    fn sync(&self) -> Result<Vec<FileStamp>, DiskError> {
        let Done::Synced { tag: 4, outcome, .. } = self.ask(Job::Sync { torrent: KEY, tag: 4 }) else {
            panic!("synced")
        };
        outcome
    }

    fn check(&self) -> Vec<u32> {
        self.submit(Job::Check { torrent: KEY, pieces: Arc::new(Bitfield::full(4)) });
        loop {
            match self.next() {
                Done::Checking { .. } => {}
                Done::Checked { looked, good, error, .. } => {
                    assert!(looked.all() && error.is_none(), "{error:?}");
                    return good.iter().map(|piece| piece.0).collect();
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn close(&self, delete: bool) {
        let Done::Closed { outcome, .. } = self.ask(Job::Close { torrent: KEY, delete }) else {
            panic!("closed")
        };
        assert_eq!(outcome, Ok(()));
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join("t").join(name)
    }

    fn assert_file(&self, name: &str) {
        let mut start = 0;
        for (other, len, _) in FILES {
            if *other == name {
                let there = fs::read(self.path(name)).expect("there");
                assert!(there == self.content[start..start + *len as usize], "{name}");
            }
            start += *len as usize;
        }
    }
}

fn both(test: impl Fn(Rig)) {
    test(Rig::new(false));
    test(Rig::new(true));
}

#[test]
fn a_whole_torrent_is_stored_read_synced_and_deleted() {
    both(|rig| {
        assert!(rig.open(&[]).iter().all(|stamp| !stamp.exists));
        assert!(!rig.path("").exists());
        rig.workers.as_ref().expect("started").submit((0..4).map(|piece| rig.job(piece)).collect());
        let mut released_bytes = 0;
        for _ in 0..4 {
            let Done::Stored { outcome, released, .. } = rig.next() else { panic!("stored") };
            assert_eq!(outcome, Ok(Verdict::Good));
            released_bytes += released;
        }
        assert_eq!(released_bytes, rig.content.len() as u64);
        let Done::Finished { outcome: Ok(()), .. } = rig.ask(Job::Finish { torrent: KEY }) else {
            panic!("finished")
        };
        for (name, _, pad) in FILES {
            assert_eq!(rig.path(name).exists(), !pad);
            if !pad {
                rig.assert_file(name);
            }
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |name| fs::metadata(rig.path(name)).expect("there").permissions().mode();
            assert!(mode("a") & 0o100 != 0 && mode("sub/b") & 0o111 == 0);
        }
        let stamps = rig.sync().expect("synced");
        assert_eq!(
            stamps.iter().map(|stamp| stamp.length).collect::<Vec<_>>(),
            [30_000, 0, 25_000, 0, 45_001]
        );
        assert_eq!(rig.read(1, 10, 39_000).expect("there"), rig.content[40_010..79_010]);
        assert_eq!(rig.check(), [0, 1, 2, 3]);
        fs::write(rig.path("sub/mine"), "x").expect("written");
        rig.close(false);
        assert_eq!(rig.open(&[]), stamps);
        rig.close(true);
        assert!(rig.path("sub/mine").exists() && !rig.path("sub/deep").exists() && !rig.path("a").exists());
        assert!(matches!(rig.read(0, 0, 1), Err(DiskError::Other { .. })));
    });
}

#[test]
fn runs_of_a_piece_join_in_order_and_a_read_after_them_sees_them() {
    both(|rig| {
        rig.open(&[]);
        let mut jobs = Vec::new();
        for piece in 0..4 {
            let mut begin = 0;
            let blocks = rig.blocks(piece);
            for (at, block) in blocks.iter().enumerate() {
                jobs.push(Job::Store {
                    torrent: KEY,
                    piece: PieceIndex(piece),
                    begin,
                    blocks: vec![block.clone()],
                    last: at + 1 == blocks.len(),
                });
                begin += block.len() as u32;
            }
            let run = BlockRef { piece: PieceIndex(piece), begin: 5, len: begin - 5 };
            jobs.push(Job::Read { torrent: KEY, run, tag: u64::from(piece) });
        }
        rig.workers.as_ref().expect("started").submit(jobs);
        let (mut bytes, mut stored, mut read) = (0, 0, 0);
        while stored < 4 || read < 4 {
            match rig.next() {
                Done::Stored { outcome, released, .. } => {
                    assert_eq!(outcome, Ok(Verdict::Good));
                    bytes += released;
                    stored += 1;
                }
                Done::Released { released, .. } => bytes += released,
                Done::Read { tag, outcome, .. } => {
                    let start = tag as usize * PIECE as usize;
                    let end = rig.content.len().min(start + PIECE as usize);
                    assert_eq!(outcome.expect("there"), rig.content[start + 5..end]);
                    read += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(bytes, rig.content.len() as u64);
    });
}

#[test]
fn a_wrong_piece_names_its_blocks_and_is_not_written() {
    both(|rig| {
        rig.open(&[]);
        let mut blocks = rig.blocks(0);
        blocks[1] = Bytes::from(vec![9; BLOCK_SIZE as usize]);
        let expected: Vec<_> = blocks.iter().map(|block| sha1(block)).collect();
        let job = |begin, blocks: Vec<Bytes>, last| Job::Store {
            torrent: KEY,
            piece: PieceIndex(0),
            begin,
            blocks,
            last,
        };
        let Done::Stored { outcome, .. } = rig.ask(job(0, blocks.clone(), true)) else { panic!("stored") };
        assert_eq!(outcome, Ok(Verdict::Bad { blocks: expected.clone() }));
        assert!(!rig.path("a").exists());
        let rest = blocks.split_off(2);
        assert!(matches!(rig.ask(job(0, blocks, false)), Done::Released { .. }));
        let Done::Stored { outcome, .. } = rig.ask(job(2 * BLOCK_SIZE, rest, true)) else { panic!("stored") };
        assert_eq!(outcome, Ok(Verdict::Bad { blocks: expected }));
        // A run without what comes before it, and one that is too long.
        for begin in [BLOCK_SIZE, PIECE - 5] {
            let done = rig.ask(job(begin, vec![Bytes::from_static(&[0; 10])], true));
            assert!(matches!(done, Done::Stored { outcome: Err(DiskError::Other { .. }), released: 10, .. }));
        }
    });
}

#[test]
fn pieces_stored_together_stand_each_for_itself() {
    both(|rig| {
        use FilePriority::{Normal, Skip};
        // One is kept in the hidden file with a part of the next, one is wrong; they come in no order.
        rig.open(&[Skip, Normal, Normal, Normal, Normal]);
        let mut jobs: Vec<Job> = [3, 1, 0].into_iter().map(|piece| rig.job(piece)).collect();
        let blocks = vec![Bytes::from(vec![9; 40_000])];
        let job = Job::Store { torrent: KEY, piece: PieceIndex(2), begin: 0, blocks, last: true };
        jobs.insert(1, job);
        rig.workers.as_ref().expect("started").submit(jobs);
        let mut outcomes: Vec<_> = (0..4)
            .map(|_| match rig.next() {
                Done::Stored { piece, outcome, .. } => (piece.0, matches!(outcome, Ok(Verdict::Good))),
                other => panic!("{other:?}"),
            })
            .collect();
        outcomes.sort_unstable();
        assert_eq!(outcomes, [(0, true), (1, true), (2, false), (3, true)]);
        assert_eq!(rig.check(), [0, 1, 3]);
        assert_eq!(rig.store(2), Ok(Verdict::Good));
        rig.assert_file("sub/b");
        rig.assert_file("sub/deep/c");
        // All that was written is known to the next sync.
        let stamps = rig.sync().expect("synced");
        assert!(!stamps[0].exists && stamps[2].exists && stamps[4].length == 45_001);
        rig.close(false);
        assert_eq!(rig.open(&[Skip, Normal, Normal, Normal, Normal]), stamps);
    });
}

#[test]
fn a_skipped_file_is_kept_out_of_sight_until_it_is_wanted() {
    use FilePriority::{Normal, Skip};
    both(|mut rig| {
        rig.open(&[Skip, Normal, Normal, Normal, Skip]);
        for piece in 0..3 {
            assert_eq!(rig.store(piece), Ok(Verdict::Good));
        }
        assert!(!rig.path("a").exists() && rig.path("sub/b").exists() && !rig.path("sub/deep").exists());
        assert_eq!(rig.read(0, 0, PIECE).expect("kept"), rig.content[..PIECE as usize]);
        rig.sync().expect("synced");
        rig.close(false);
        // Another run finds it again.
        rig.workers = None;
        rig.start(false);
        rig.open(&[Skip, Normal, Normal, Normal, Skip]);
        assert_eq!(rig.check(), [0, 1, 2]);
        // Wanted while it is open, and wanted when it is opened.
        rig.submit(Job::Update {
            torrent: KEY,
            storage: rig.storage(&[Normal, Normal, Normal, Normal, Skip]),
        });
        assert_eq!(rig.read(0, 0, 100).expect("there"), rig.content[..100]);
        rig.close(false);
        rig.assert_file("a");
        assert!(!rig.path("sub/deep").exists());
        rig.open(&[]);
        assert_eq!(rig.check(), [0, 1, 2]);
        assert!(rig.path("sub/deep/c").exists());
        let names: Vec<_> = fs::read_dir(rig.folder.path()).expect("there").flatten().collect();
        assert_eq!(names.len(), 1, "{names:?}");
        rig.close(true);
        assert_eq!(fs::read_dir(rig.folder.path()).expect("there").count(), 0);
    });
}

#[test]
fn what_others_do_to_a_file_is_noticed() {
    both(|rig| {
        rig.open(&[]);
        for piece in 0..4 {
            assert_eq!(rig.store(piece), Ok(Verdict::Good));
        }
        rig.sync().expect("synced");
        // Cut short.
        fs::OpenOptions::new()
            .write(true)
            .open(rig.path("a"))
            .and_then(|file| file.set_len(10))
            .expect("cut");
        assert!(matches!(rig.read(0, 0, 100), Err(DiskError::Changed { .. })));
        assert_eq!(rig.check(), [1, 2, 3]);
        assert!(matches!(rig.read(0, 0, 100), Err(DiskError::Missing { .. })));
        assert_eq!(rig.store(0), Ok(Verdict::Good));
        rig.assert_file("a");
        rig.sync().expect("synced");
        // Removed: neither read nor made anew.
        fs::remove_file(rig.path("sub/b")).expect("removed");
        assert!(matches!(rig.read(1, 0, 100), Err(DiskError::Missing { .. })));
        assert!(matches!(rig.store(1), Err(DiskError::Missing { .. })));
        assert!(!rig.path("sub/b").exists());
        assert_eq!(rig.check(), [2, 3]);
        assert_eq!((rig.store(0), rig.store(1)), (Ok(Verdict::Good), Ok(Verdict::Good)));
        assert_eq!(rig.check(), [0, 1, 2, 3]);
        // The whole folder gone, as with a drive.
        let away = rig.folder.path().with_extension("away");
        fs::rename(rig.folder.path(), &away).expect("moved");
        assert!(matches!(rig.sync(), Ok(_) | Err(DiskError::Missing { .. })));
        rig.close(false);
        let Done::Opened { files, .. } = rig.ask(Job::Open { torrent: KEY, storage: rig.storage(&[]) })
        else {
            panic!("opened")
        };
        assert!(matches!(files, Err(DiskError::Missing { .. })));
        assert!(matches!(rig.store(0), Err(DiskError::Missing { .. })));
        fs::rename(&away, rig.folder.path()).expect("moved back");
        assert_eq!(rig.check(), [0, 1, 2, 3]);
    });
}

#[test]
fn a_file_that_another_one_took_the_place_of_is_not_given() {
    both(|rig| {
        rig.open(&[]);
        for piece in 0..4 {
            assert_eq!(rig.store(piece), Ok(Verdict::Good));
        }
        rig.sync().expect("synced");
        // As long as the right one, with which it changes places while that is open.
        let other = rig.folder.path().join("other");
        fs::write(&other, vec![1; 30_000]).expect("written");
        assert!(rig.read(0, 0, 100).is_ok());
        fs::rename(&other, rig.path("a")).expect("renamed");
        assert!(matches!(rig.read(0, 0, 100), Err(DiskError::Changed { .. } | DiskError::Missing { .. })));
        assert!(rig.read(2, 0, 100).is_ok(), "the other files are as they were");
        assert_eq!(rig.check(), [1, 2, 3]);
        assert_eq!(rig.store(0), Ok(Verdict::Good));
        rig.assert_file("a");
    });
}

#[cfg(unix)]
#[test]
fn a_path_that_is_too_long_is_said_so() {
    both(|rig| {
        // Each of its parts may stand alone, and all of them together not.
        let root = std::iter::repeat_n("d".repeat(200), 25)
            .fold(rig.folder.path().to_owned(), |path, part| path.join(part));
        let storage = Storage { root, ..Storage::clone(&rig.storage(&[])) };
        let job = Job::Open { torrent: KEY, storage: Arc::new(storage) };
        let Done::Opened { files, .. } = rig.ask(job) else { panic!("opened") };
        let refused = files.map(|_| ()).and_then(|()| rig.store(0).map(|_| ()));
        assert!(matches!(refused, Err(DiskError::LongName { .. })), "{refused:?}");
    });
}

#[test]
fn our_own_writes_are_nobody_elses_however_reads_and_syncs_fall_between_them() {
    const ROUNDS: usize = 100;
    both(|rig| {
        rig.open(&[]);
        assert_eq!((rig.store(0), rig.store(1)), (Ok(Verdict::Good), Ok(Verdict::Good)));
        // Both pieces have a part of the same file.
        let read =
            Job::Read { torrent: KEY, run: BlockRef { piece: PieceIndex(1), begin: 0, len: 15_000 }, tag: 3 };
        for _ in 0..ROUNDS {
            let sync = Job::Sync { torrent: KEY, tag: 4 };
            let jobs = vec![read.clone(), rig.job(0), sync, read.clone()];
            rig.workers.as_ref().expect("started").submit(jobs);
        }
        for _ in 0..ROUNDS * 4 {
            match rig.next() {
                Done::Read { outcome, .. } => {
                    assert_eq!(outcome.expect("there")[..], rig.content[40_000..55_000])
                }
                Done::Stored { outcome, .. } => assert_eq!(outcome, Ok(Verdict::Good)),
                Done::Synced { outcome, .. } => assert!(outcome.is_ok()),
                other => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn something_in_the_way_is_left_alone() {
    both(|rig| {
        fs::create_dir_all(rig.path("a")).expect("made");
        fs::write(rig.path("sub"), "mine").expect("made");
        let job = Job::Open { torrent: KEY, storage: rig.storage(&[]) };
        assert!(matches!(rig.ask(job), Done::Opened { files: Err(DiskError::InTheWay { .. }), .. }));
        assert!(matches!(rig.store(0), Err(DiskError::InTheWay { .. })));
        rig.close(true);
        assert_eq!(fs::read(rig.path("sub")).expect("there"), b"mine");
        assert!(rig.path("a").is_dir());
    });
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_is_reported_and_still_read() {
    // The superuser may write anywhere.
    // SAFETY: asks for a number and touches no memory.
    if unsafe { libc::geteuid() } == 0 {
        return;
    }
    both(|rig| {
        use std::os::unix::fs::PermissionsExt as _;
        rig.open(&[]);
        assert_eq!(rig.store(0), Ok(Verdict::Good));
        rig.close(false);
        let mode =
            |mode| fs::set_permissions(rig.path(""), fs::Permissions::from_mode(mode)).expect("changed");
        mode(0o500);
        fs::set_permissions(rig.path("a"), fs::Permissions::from_mode(0o400)).expect("changed");
        rig.open(&[]);
        assert!(matches!(rig.store(0), Err(DiskError::Denied { .. })));
        assert!(rig.read(0, 0, 100).is_ok());
        mode(0o700);
    });
}

#[test]
fn a_check_ends_when_it_is_told_to() {
    both(|rig| {
        rig.open(&[]);
        let check = Job::Check { torrent: KEY, pieces: Arc::new(Bitfield::full(4)) };
        let jobs = vec![check.clone(), check, Job::StopCheck { torrent: KEY }];
        rig.workers.as_ref().expect("started").submit(jobs);
        for _ in 0..2 {
            let Done::Checked { looked, good, error: None, .. } = rig.next() else { panic!("checked") };
            assert!(good.none() && looked.count() <= 4);
        }
    });
}

#[test]
fn dropping_it_finishes_what_was_asked() {
    both(|mut rig| {
        rig.open(&[]);
        let workers = rig.workers.take().expect("started");
        workers.submit((0..4).map(|piece| rig.job(piece)).collect());
        workers.submit(vec![Job::Sync { torrent: KEY, tag: 1 }, Job::Close { torrent: KEY, delete: false }]);
        drop(workers);
        rig.assert_file("sub/deep/c");
        let answers: Vec<Done> = rig.answers.iter().collect();
        assert_eq!(answers.len(), 6);
        assert!(matches!(answers.last(), Some(Done::Closed { outcome: Ok(()), .. })));
    });
}

#[test]
fn no_more_files_are_open_than_allowed() {
    both(|rig| {
        rig.open(&[]);
        for piece in 0..4 {
            assert_eq!(rig.store(piece), Ok(Verdict::Good));
            assert!(rig.workers.as_ref().expect("started").shared.disk.count() <= 2);
        }
        assert!(Path::exists(&rig.path("a")));
    });
}
