//! The disk in memory: every job, every fault, every crash.

use super::*;
use crate::base::Rng;
use crate::metainfo::{self, Layout};

const KEY: TorrentKey = TorrentKey(1);
const PIECE: u32 = 40_000;

fn content() -> Vec<u8> {
    let mut bytes = vec![0; 100_000];
    Rng::new(3).fill(&mut bytes);
    bytes
}

fn storage(priorities: Vec<FilePriority>) -> Arc<Storage> {
    let file = |name: &str, length| metainfo::File {
        path: vec!["t".into(), name.into()],
        length,
        pad: false,
        executable: false,
    };
    let files = vec![file("a", 30_000), file("empty", 0), file("b", 25_000), file("c", 45_000)];
    let layout = Layout::new(files, PIECE).expect("a small layout");
    let hashes: Vec<u8> = content().chunks(PIECE as usize).flat_map(sha1).collect();
    Arc::new(Storage { root: "/d".into(), layout: Arc::new(layout), hashes: hashes.into(), priorities })
}

fn open(disk: &mut MemoryDisk, priorities: Vec<FilePriority>) {
    disk.submit(Job::Open { torrent: KEY, storage: storage(priorities) });
    assert!(matches!(disk.poll(), Some(Done::Opened { files: Ok(_), .. })));
}

fn blocks(piece: u32) -> Vec<Bytes> {
    let whole = Bytes::from(content());
    let end = whole.len().min((piece as usize + 1) * PIECE as usize);
    let piece = whole.slice(piece as usize * PIECE as usize..end);
    (0..piece.len()).step_by(16_384).map(|at| piece.slice(at..piece.len().min(at + 16_384))).collect()
}

fn store(disk: &mut MemoryDisk, piece: u32) -> Result<Verdict, DiskError> {
    disk.submit(Job::Store {
        torrent: KEY,
        piece: PieceIndex(piece),
        begin: 0,
        blocks: blocks(piece),
        last: true,
    });
    let Some(Done::Stored { outcome, .. }) = disk.poll() else { panic!("stored") };
    outcome
}

fn check(disk: &mut MemoryDisk) -> Vec<u32> {
    disk.submit(Job::Check { torrent: KEY, pieces: Arc::new(Bitfield::full(3)) });
    let Some(Done::Checked { looked, good, error: None, .. }) = disk.poll() else { panic!("checked") };
    assert!(looked.all());
    good.iter().map(|piece| piece.0).collect()
}

#[test]
fn stored_pieces_are_read_checked_and_deleted() {
    let mut disk = MemoryDisk::new();
    open(&mut disk, vec![]);
    for piece in 0..3 {
        assert_eq!(store(&mut disk, piece), Ok(Verdict::Good));
    }
    disk.submit(Job::Finish { torrent: KEY });
    assert!(matches!(disk.poll(), Some(Done::Finished { outcome: Ok(()), .. })));
    assert_eq!(disk.file(Path::new("/d/t/b")).as_deref(), Some(&content()[30_000..55_000]));
    assert_eq!(disk.file(Path::new("/d/t/empty")).as_deref(), Some(&[][..]));
    let run = BlockRef { piece: PieceIndex(0), begin: 20_000, len: 20_000 };
    disk.submit(Job::Read { torrent: KEY, run, tag: 9 });
    let Some(Done::Read { tag: 9, outcome: Ok(bytes), .. }) = disk.poll() else { panic!("read") };
    assert_eq!(bytes, content()[20_000..40_000]);
    assert_eq!(check(&mut disk), [0, 1, 2]);
    disk.put_file("/d/t/mine", Bytes::from_static(b"x"));
    disk.submit(Job::Close { torrent: KEY, delete: true });
    assert!(matches!(disk.poll(), Some(Done::Closed { outcome: Ok(()), .. })));
    assert_eq!(disk.paths().collect::<Vec<_>>(), [Path::new("/d/t/mine")]);
}

#[test]
fn runs_of_a_piece_join_and_a_wrong_one_names_its_blocks() {
    let mut disk = MemoryDisk::new();
    open(&mut disk, vec![]);
    for wrong in [false, true] {
        let mut blocks = blocks(1);
        if wrong {
            blocks[1] = vec![7; 16_384].into();
        }
        let expected: Vec<_> = blocks.iter().map(|block| sha1(block)).collect();
        let mut begin = 0;
        for (at, block) in blocks.into_iter().enumerate() {
            let len = block.len() as u32;
            disk.submit(Job::Store {
                torrent: KEY,
                piece: PieceIndex(1),
                begin,
                blocks: vec![block],
                last: at == 2,
            });
            begin += len;
        }
        assert!(matches!(disk.poll(), Some(Done::Released { released: 16_384, .. })));
        assert!(matches!(disk.poll(), Some(Done::Released { released: 16_384, .. })));
        let Some(Done::Stored { outcome: Ok(verdict), .. }) = disk.poll() else { panic!("stored") };
        assert_eq!(verdict, if wrong { Verdict::Bad { blocks: expected } } else { Verdict::Good });
    }
}

#[test]
fn faults_are_reported_and_pass() {
    let mut disk = MemoryDisk::new();
    open(&mut disk, vec![]);
    disk.faults.capacity = Some(50_000);
    assert_eq!(store(&mut disk, 0), Ok(Verdict::Good));
    assert_eq!(store(&mut disk, 0), Ok(Verdict::Good));
    assert!(matches!(store(&mut disk, 1), Err(DiskError::Full { .. })));
    disk.faults.capacity = None;
    assert_eq!(store(&mut disk, 1), Ok(Verdict::Good));
    disk.faults.unplugged = true;
    assert!(matches!(store(&mut disk, 2), Err(DiskError::Missing { .. })));
    disk.faults.unplugged = false;
    assert_eq!(check(&mut disk), [0, 1]);
    assert!(disk.truncate_file(Path::new("/d/t/a"), 10));
    assert_eq!(check(&mut disk), [1]);
}

#[test]
fn runs_after_a_failed_one_only_release_their_memory() {
    let mut disk = MemoryDisk::new();
    open(&mut disk, vec![]);
    disk.faults.capacity = Some(0);
    let mut begin = 0;
    for (at, block) in blocks(0).into_iter().enumerate() {
        let len = block.len() as u32;
        disk.submit(Job::Store {
            torrent: KEY,
            piece: PieceIndex(0),
            begin,
            blocks: vec![block],
            last: at == 2,
        });
        disk.faults.capacity = None;
        begin += len;
    }
    assert!(matches!(disk.poll(), Some(Done::Stored { outcome: Err(DiskError::Full { .. }), .. })));
    assert!(matches!(disk.poll(), Some(Done::Released { .. })));
    assert!(matches!(disk.poll(), Some(Done::Released { .. })));
    assert_eq!(store(&mut disk, 0), Ok(Verdict::Good));
}

#[test]
fn a_skipped_file_appears_only_when_it_is_wanted() {
    let mut disk = MemoryDisk::new();
    open(&mut disk, vec![FilePriority::Normal, FilePriority::Skip, FilePriority::Skip]);
    assert_eq!(store(&mut disk, 0), Ok(Verdict::Good));
    assert_eq!(disk.file(Path::new("/d/t/b")), None);
    assert_eq!(check(&mut disk), [0]);
    disk.submit(Job::Update { torrent: KEY, storage: storage(vec![]) });
    assert_eq!(disk.file(Path::new("/d/t/b")).as_deref(), Some(&content()[30_000..40_000]));
    assert_eq!(check(&mut disk), [0]);
}

#[test]
fn what_was_synced_survives_every_crash() {
    let (mut kept, mut lost) = (0, 0);
    for seed in 0..200 {
        let mut disk = MemoryDisk::new();
        open(&mut disk, vec![]);
        assert_eq!(store(&mut disk, 0), Ok(Verdict::Good));
        disk.submit(Job::Sync { torrent: KEY, tag: 0 });
        assert!(matches!(disk.poll(), Some(Done::Synced { outcome: Ok(_), .. })));
        assert_eq!(store(&mut disk, 2), Ok(Verdict::Good));
        disk.crash(&mut Rng::new(seed));
        open(&mut disk, vec![]);
        match check(&mut disk)[..] {
            [0] => lost += 1,
            [0, 2] => kept += 1,
            ref other => panic!("seed {seed}: {other:?}"),
        }
    }
    assert!(kept > 0 && lost > 0, "{kept} {lost}");
}
