//! How fast the disk threads store pieces, and how fast torrents are made and verified; every byte is compared by its hash.
//!
//! Plain figures rather than many samples: each run moves a gigabyte.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use fyris::base::{BLOCK_SIZE, PieceIndex, Rng, TorrentKey};
use fyris::disk::create::{CreateOptions, create};
use fyris::disk::{Config, Done, Job, Storage, Verdict, Workers, verify};
use fyris::metainfo::Torrent;

const MIB: usize = 1 << 20;
/// How often each is done; the fastest counts.
const RUNS: usize = 3;

#[expect(clippy::disallowed_methods, reason = "a benchmark is about the clock")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// Seconds of processor time that this program has used; nothing where the system does not say.
fn processor_secs() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> = stat
        .rsplit(") ")
        .next()
        .map(|fields| fields.split(' ').filter_map(|field| field.parse().ok()).collect())
        .unwrap_or_default();
    // In hundredths, from the tenth number after the state on (proc(5)).
    if let [user, system] = fields.get(10..12).unwrap_or_default() {
        (user + system) / 100.0
    } else {
        f64::NAN
    }
}

/// What `run` leaves behind is put away when its time is up.
fn report<T>(what: &str, bytes: usize, mut run: impl FnMut() -> T) {
    let mut best = (f64::INFINITY, 0.0);
    for _ in 0..RUNS {
        let (began, processor) = (now(), processor_secs());
        let left = run();
        let (secs, processor) = (began.elapsed().as_secs_f64(), processor_secs() - processor);
        drop(left);
        if secs < best.0 {
            best = (secs, processor);
        }
    }
    let mib = bytes as f64 / MIB as f64;
    let (rate, cost) = (mib / best.0, best.1 / mib * 1_024.0);
    let _ = writeln!(std::io::stdout(), "{what:<44} {rate:>7.0} MiB/s {cost:>7.2} processor s/GiB");
}

fn folder(files: usize, length: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder for a benchmark");
    std::fs::create_dir(folder.path().join("t")).expect("made");
    let mut rng = Rng::new(1);
    let mut bytes = vec![0; length.min(64 * MIB)];
    for at in 0..files {
        let path = folder.path().join("t").join(format!("{at:05}"));
        let mut file = std::fs::File::create(path).expect("made");
        for _ in 0..length.div_ceil(bytes.len()) {
            rng.fill(&mut bytes);
            file.write_all(&bytes).expect("written");
        }
    }
    folder
}

fn make(folder: &Path, piece_length: u32) -> Torrent {
    let options = CreateOptions { piece_length: Some(piece_length), ..CreateOptions::default() };
    let made = create(&folder.join("t"), &options, &|_, _| {}, &AtomicBool::new(false)).expect("made");
    Torrent::parse(&made).expect("what was made is read")
}

fn check(torrent: &Torrent, folder: &Path) {
    let good = verify(torrent, folder, &|_, _| {}, &AtomicBool::new(false)).expect("verified");
    assert!(good.all(), "{} of {} pieces", good.count(), good.len());
}

/// Stores a whole torrent, `together` pieces at a time in runs of `run` blocks, as peers would send them.
fn store(torrent: &Torrent, bytes: &Bytes, together: usize, run: usize) -> tempfile::TempDir {
    let to = tempfile::tempdir().expect("a folder for a benchmark");
    let layout = &torrent.layout;
    let blocks = layout.piece_length().div_ceil(BLOCK_SIZE) as usize;
    let (sender, answers) = crossbeam_channel::bounded(100_000);
    let answer = move |done: Vec<Done>| done.into_iter().for_each(|done| _ = sender.send(done));
    let workers = Workers::start(Config::default(), Arc::new(answer)).expect("started");
    let storage = Storage {
        root: to.path().to_path_buf(),
        layout: Arc::clone(layout),
        hashes: Arc::clone(&torrent.hashes),
        priorities: Vec::new(),
    };
    let key = TorrentKey(1);
    workers.submit(vec![Job::Open { torrent: key, storage: Arc::new(storage) }]);
    let (mut good, mut waiting) = (0, 0);
    let mut take = |waiting: &mut usize| match answers.recv().expect("an answer") {
        Done::Stored { outcome, released, .. } => {
            assert_eq!(outcome, Ok(Verdict::Good));
            good += 1;
            *waiting -= released as usize;
        }
        Done::Released { released, .. } => *waiting -= released as usize,
        _ => {}
    };
    let pieces: Vec<PieceIndex> = layout.pieces().collect();
    for group in pieces.chunks(together) {
        for first in (0..blocks).step_by(run) {
            let jobs = group.iter().map(|piece| {
                let start = piece.at() * layout.piece_length() as usize;
                let block = |at: usize| {
                    let from = start + at * BLOCK_SIZE as usize;
                    bytes.slice(from..from + BLOCK_SIZE as usize)
                };
                let end = (first + run).min(blocks);
                Job::Store {
                    torrent: key,
                    piece: *piece,
                    begin: first as u32 * BLOCK_SIZE,
                    blocks: (first..end).map(block).collect(),
                    last: end == blocks,
                }
            });
            let jobs: Vec<Job> = jobs.collect();
            waiting += group.len() * run * BLOCK_SIZE as usize;
            workers.submit(jobs);
            while waiting > 32 * MIB {
                take(&mut waiting);
            }
        }
    }
    while waiting > 0 {
        take(&mut waiting);
    }
    assert_eq!(good, pieces.len());
    to
}

fn main() {
    let one = folder(1, 1_024 * MIB);
    let torrent = make(one.path(), MIB as u32);
    report("create, one file of 1 GiB", 1_024 * MIB, || make(one.path(), MIB as u32));
    report("verify, one file of 1 GiB", 1_024 * MIB, || check(&torrent, one.path()));
    let bytes = Bytes::from(std::fs::read(one.path().join("t/00000")).expect("there"));
    for (together, run) in [(1, 64), (1, 8), (8, 8), (16, 4), (32, 4)] {
        let name = format!("store, {together} pieces together, {run} blocks at once");
        report(&name, 1_024 * MIB, || store(&torrent, &bytes, together, run));
    }
    drop(bytes);
    let large = make(one.path(), 16 * MIB as u32);
    report("verify, pieces of 16 MiB", 1_024 * MIB, || check(&large, one.path()));
    drop(one);
    let many = folder(10_000, 20 << 10);
    let torrent = make(many.path(), 256 << 10);
    report("create, 10,000 files of 20 KiB", 10_000 * (20 << 10), || make(many.path(), 256 << 10));
    report("verify, 10,000 files of 20 KiB", 10_000 * (20 << 10), || check(&torrent, many.path()));
}
