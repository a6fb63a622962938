//! A disk in memory, with faults to order: full, failing, unplugged, and a crash that loses, tears and reorders what was
//! not synced.
//!
//! It answers every job as the real disk does, at once and in a fixed order; whoever simulates adds latency. How it moves
//! files stands in `moves`, how it ends in the middle of something in `crash`.

mod crash;
mod moves;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::api::FilePriority;
use crate::base::{BLOCK_SIZE, Bitfield, BlockRef, PieceIndex, TorrentKey};
use crate::disk::extents::Extents;
use crate::disk::{DiskError, Done, FileStamp, Job, Storage, Verdict};
use crate::hash::{Sha1, sha1};

/// Hashes the parts of a piece; replaceable, so that a large simulation can remember digests of blocks it shares.
pub type Hasher = Arc<dyn Fn(&[Bytes]) -> [u8; 20] + Send + Sync>;

/// Pieces that a check looks at between two answers.
const CHECK_STEP: u32 = 64;

/// What goes wrong, until it is set back.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Bytes that all files together may take up.
    pub capacity: Option<u64>,
    /// What every read answers.
    pub reads: Option<DiskError>,
    /// What every write answers.
    pub writes: Option<DiskError>,
    /// What every sync answers.
    pub syncs: Option<DiskError>,
    /// Whether the drive is away: every folder is missing.
    pub unplugged: bool,
}

/// Simulated files and the torrents that lie in them.
#[derive(Default)]
pub struct MemoryDisk {
    /// What goes wrong at the moment.
    pub faults: Faults,
    files: BTreeMap<PathBuf, File>,
    torrents: BTreeMap<TorrentKey, Torrent>,
    checks: VecDeque<Check>,
    moves: VecDeque<moves::Move>,
    /// Names that a crash may take back: from, to.
    renamed: Vec<(PathBuf, PathBuf)>,
    done: VecDeque<Done>,
    hasher: Option<Hasher>,
    /// Stands for the time of day in stamps: every write is a little later.
    writes: i64,
}

#[derive(Debug, Default)]
struct File {
    now: Extents,
    modified_nanos: i64,
    /// What survives a power cut for certain; nothing where even the name was never synced.
    durable: Option<Extents>,
    /// Writes since then, oldest first.
    pending: Vec<(u64, Bytes)>,
}

struct Torrent {
    storage: Arc<Storage>,
    /// Pieces of which a beginning was stored.
    started: BTreeMap<PieceIndex, Progress>,
    /// Files written to since the last sync.
    touched: BTreeSet<PathBuf>,
}

enum Progress {
    At { next: u32, parts: Vec<Bytes> },
    Failed,
}

struct Check {
    torrent: TorrentKey,
    pieces: Arc<Bitfield>,
    next: u32,
    looked: Bitfield,
    good: Bitfield,
}

impl MemoryDisk {
    /// An empty disk without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces how pieces are hashed.
    #[must_use]
    pub fn with_hasher(mut self, hasher: Hasher) -> Self {
        self.hasher = Some(hasher);
        self
    }

    /// Replaces how pieces are hashed from now on.
    pub fn set_hasher(&mut self, hasher: Hasher) {
        self.hasher = Some(hasher);
    }

    /// Does a job; its answer waits for [`poll`](Self::poll).
    pub fn submit(&mut self, job: Job) {
        match job {
            Job::Open { torrent, storage } => {
                let files = self.stamps(&storage);
                self.torrents
                    .insert(torrent, Torrent { storage, started: BTreeMap::new(), touched: BTreeSet::new() });
                self.done.push_back(Done::Opened { torrent, files });
            }
            Job::Update { torrent, storage } => self.update(torrent, storage),
            Job::Check { torrent, pieces } => {
                let looked = Bitfield::new(pieces.len());
                self.checks.push_back(Check { torrent, pieces, next: 0, good: looked.clone(), looked });
            }
            Job::Move { torrent, to, resumed } => self.begin_move(torrent, to, resumed),
            Job::StopMove { torrent } => self.stop_move(torrent),
            Job::StopCheck { torrent } => {
                while let Some(at) = self.checks.iter().position(|check| check.torrent == torrent) {
                    let check = self.checks.remove(at).expect("the position was just found");
                    self.end_check(check, None);
                }
            }
            Job::Store { torrent, piece, begin, blocks, last } => {
                self.store(torrent, piece, begin, blocks, last)
            }
            Job::Read { torrent, run, tag } => {
                let outcome = self.read(torrent, run);
                self.done.push_back(Done::Read { torrent, run, tag, outcome });
            }
            Job::Sync { torrent, tag } => {
                let outcome = self.sync(torrent);
                self.done.push_back(Done::Synced { torrent, tag, outcome });
            }
            Job::Finish { torrent } => {
                let outcome = self.finish(torrent);
                self.done.push_back(Done::Finished { torrent, outcome });
            }
            Job::Close { torrent, delete } => {
                self.submit(Job::StopCheck { torrent });
                self.submit(Job::StopMove { torrent });
                let closed = self.torrents.remove(&torrent);
                if let Some(closed) = closed.filter(|_| delete) {
                    for path in real_paths(&closed.storage) {
                        self.files.remove(&path);
                    }
                    let hidden = hidden_folder(&closed.storage);
                    self.files.retain(|path, _| !path.starts_with(&hidden));
                }
                self.done.push_back(Done::Closed { torrent, outcome: Ok(()) });
            }
        }
    }

    /// The next answer; a running check takes a step where no other answer waits.
    pub fn poll(&mut self) -> Option<Done> {
        if self.done.is_empty() {
            self.step_move();
        }
        if self.done.is_empty() {
            self.step_check();
        }
        self.done.pop_front()
    }

    /// Puts a whole file there, durably, as a user would.
    pub fn put_file(&mut self, path: impl Into<PathBuf>, bytes: Bytes) {
        self.writes += 1;
        let mut now = Extents::default();
        now.write(0, bytes);
        let file = File { durable: Some(now.clone()), now, modified_nanos: self.writes, pending: Vec::new() };
        self.files.insert(path.into(), file);
    }

    /// Gives a file other bytes without anybody noticing: its time stays.
    pub fn spoil_file(&mut self, path: &Path, bytes: Bytes) {
        if let Some(file) = self.files.get_mut(path) {
            file.now.write(0, bytes);
            file.durable = Some(file.now.clone());
        }
    }

    /// Removes a file as a user would; false where there is none.
    pub fn remove_file(&mut self, path: &Path) -> bool {
        self.files.remove(path).is_some()
    }

    /// Cuts a file short as a user would; false where there is none.
    pub fn truncate_file(&mut self, path: &Path, len: u64) -> bool {
        self.writes += 1;
        let Some(file) = self.files.get_mut(path) else { return false };
        file.now.set_len(len.min(file.now.len()));
        file.modified_nanos = self.writes;
        file.durable = Some(file.now.clone());
        file.pending.clear();
        true
    }

    /// The content of a file.
    pub fn file(&self, path: &Path) -> Option<Bytes> {
        let file = self.files.get(path)?;
        file.now.read(0, file.now.len())
    }

    /// What lies on the disk of a run within one piece, whatever the faults; nothing where a file is missing or too short.
    pub fn peek(&self, storage: &Storage, run: BlockRef) -> Option<Bytes> {
        self.read_run(storage, run).ok()
    }

    /// Every file there is.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.keys().map(PathBuf::as_path)
    }

    /// Changes to files so far.
    pub fn writes(&self) -> u64 {
        self.writes.unsigned_abs()
    }

    /// Bytes that all files together take up.
    pub fn used(&self) -> u64 {
        self.files.values().map(|file| file.now.used()).sum()
    }

    fn update(&mut self, torrent: TorrentKey, storage: Arc<Storage>) {
        if !self.torrents.contains_key(&torrent) {
            return;
        }
        for file in 0..storage.layout.files().len() {
            let real = real_path(&storage, file);
            if skipped(&storage, file) || self.files.contains_key(&real) {
                continue;
            }
            if let Some(content) = self.files.remove(&hidden_path(&storage, file)) {
                self.files.insert(real, content);
            }
        }
        if let Some(known) = self.torrents.get_mut(&torrent) {
            known.storage = storage;
        }
    }

    fn store(&mut self, torrent: TorrentKey, piece: PieceIndex, begin: u32, blocks: Vec<Bytes>, last: bool) {
        let released: u64 = blocks.iter().map(|block| block.len() as u64).sum();
        let stored = |outcome| Done::Stored { torrent, piece, outcome, released };
        let Some(known) = self.torrents.get_mut(&torrent) else {
            self.done.push_back(stored(Err(not_open())));
            return;
        };
        let storage = Arc::clone(&known.storage);
        let parts = match known.started.remove(&piece) {
            _ if begin == 0 => Vec::new(),
            Some(Progress::At { next, parts }) if next == begin => parts,
            Some(Progress::Failed) => {
                if !last {
                    known.started.insert(piece, Progress::Failed);
                }
                self.done.push_back(Done::Released { torrent, piece, released });
                return;
            }
            _ => {
                self.done.push_back(stored(Err(out_of_order(&storage))));
                return;
            }
        };
        let mut all = parts;
        all.extend(blocks.iter().cloned());
        let verdict = last.then(|| self.verdict(&storage, piece, &all));
        // A whole piece that is wrong is never written.
        let unwritten = begin == 0 && matches!(verdict, Some(Verdict::Bad { .. }));
        if !unwritten && let Err(error) = self.write(torrent, &storage, piece, begin, &blocks) {
            if !last && let Some(known) = self.torrents.get_mut(&torrent) {
                known.started.insert(piece, Progress::Failed);
            }
            self.done.push_back(stored(Err(error)));
            return;
        }
        match verdict {
            Some(verdict) => self.done.push_back(stored(Ok(verdict))),
            None => {
                if let Some(known) = self.torrents.get_mut(&torrent) {
                    let next = begin + released as u32;
                    known.started.insert(piece, Progress::At { next, parts: all });
                }
                self.done.push_back(Done::Released { torrent, piece, released });
            }
        }
    }

    fn verdict(&self, storage: &Storage, piece: PieceIndex, parts: &[Bytes]) -> Verdict {
        let len: u64 = parts.iter().map(|part| part.len() as u64).sum();
        let whole = len == u64::from(storage.layout.piece_size(piece));
        if whole && Some(&self.hash(parts)[..]) == piece_hash(storage, piece) {
            return Verdict::Good;
        }
        Verdict::Bad { blocks: block_digests(parts) }
    }

    fn hash(&self, parts: &[Bytes]) -> [u8; 20] {
        if let Some(hasher) = &self.hasher {
            return hasher(parts);
        }
        let mut digest = Sha1::new();
        parts.iter().for_each(|part| digest.update(part));
        digest.finish()
    }

    fn write(
        &mut self,
        torrent: TorrentKey,
        storage: &Storage,
        piece: PieceIndex,
        begin: u32,
        blocks: &[Bytes],
    ) -> Result<(), DiskError> {
        if self.faults.unplugged {
            return Err(DiskError::Missing { path: storage.root.clone() });
        }
        if let Some(error) = &self.faults.writes {
            return Err(error.clone());
        }
        let mut at = begin;
        for block in blocks {
            let mut from = 0;
            for span in storage.layout.spans(piece, at, block.len() as u32) {
                let bytes = block.slice(from..from + span.len as usize);
                from += span.len as usize;
                if !storage.layout.files()[span.file].pad {
                    self.write_file(torrent, self.place(storage, span.file), span.offset, bytes)?;
                }
            }
            at += block.len() as u32;
        }
        Ok(())
    }

    fn write_file(
        &mut self,
        torrent: TorrentKey,
        path: PathBuf,
        offset: u64,
        bytes: Bytes,
    ) -> Result<(), DiskError> {
        let end = offset + bytes.len() as u64;
        if let Some(capacity) = self.faults.capacity {
            let there = self.files.get(&path).map_or(0, |file| file.now.used_within(offset, end));
            if self.used() + bytes.len() as u64 - there > capacity {
                return Err(DiskError::Full { path });
            }
        }
        self.writes += 1;
        if let Some(known) = self.torrents.get_mut(&torrent) {
            known.touched.insert(path.clone());
        }
        let file = self.files.entry(path).or_default();
        file.modified_nanos = self.writes;
        file.now.write(offset, bytes.clone());
        file.pending.push((offset, bytes));
        Ok(())
    }

    fn read(&self, torrent: TorrentKey, run: BlockRef) -> Result<Bytes, DiskError> {
        let known = self.torrents.get(&torrent).ok_or_else(not_open)?;
        if self.faults.unplugged {
            return Err(DiskError::Missing { path: known.storage.root.clone() });
        }
        if let Some(error) = &self.faults.reads {
            return Err(error.clone());
        }
        self.read_run(&known.storage, run)
    }

    fn read_run(&self, storage: &Storage, run: BlockRef) -> Result<Bytes, DiskError> {
        if !storage.layout.holds(run) {
            return Err(out_of_order(storage));
        }
        let mut parts = Vec::new();
        for span in storage.layout.spans(run.piece, run.begin, run.len) {
            if storage.layout.files()[span.file].pad {
                parts.push(Bytes::from(vec![0; span.len as usize]));
                continue;
            }
            let path = self.place(storage, span.file);
            let found = self.files.get(&path).and_then(|file| file.now.read(span.offset, span.len));
            parts.push(found.ok_or(DiskError::Missing { path })?);
        }
        if let [only] = &parts[..] {
            return Ok(only.clone());
        }
        let mut joined = BytesMut::with_capacity(run.len as usize);
        parts.iter().for_each(|part| joined.extend_from_slice(part));
        Ok(joined.freeze())
    }

    fn sync(&mut self, torrent: TorrentKey) -> Result<Vec<FileStamp>, DiskError> {
        let known = self.torrents.get_mut(&torrent).ok_or_else(not_open)?;
        let touched = std::mem::take(&mut known.touched);
        let storage = Arc::clone(&known.storage);
        if let Some(error) = &self.faults.syncs {
            return Err(error.clone());
        }
        for path in touched {
            if let Some(file) = self.files.get_mut(&path) {
                let durable = file.durable.get_or_insert_default();
                file.pending.drain(..).for_each(|(offset, bytes)| durable.write(offset, bytes));
            }
        }
        self.stamps(&storage)
    }

    fn finish(&mut self, torrent: TorrentKey) -> Result<(), DiskError> {
        let known = self.torrents.get_mut(&torrent).ok_or_else(not_open)?;
        if let Some(error) = &self.faults.writes {
            return Err(error.clone());
        }
        for (number, file) in known.storage.layout.files().iter().enumerate() {
            if file.length == 0 && !file.pad && !skipped(&known.storage, number) {
                let path = real_path(&known.storage, number);
                known.touched.insert(path.clone());
                self.files.entry(path).or_default();
            }
        }
        Ok(())
    }

    fn stamps(&self, storage: &Storage) -> Result<Vec<FileStamp>, DiskError> {
        if self.faults.unplugged {
            return Err(DiskError::Missing { path: storage.root.clone() });
        }
        let stamp = |path: PathBuf| {
            self.files.get(&path).map_or(FileStamp::default(), |file| FileStamp {
                exists: true,
                length: file.now.len(),
                modified_nanos: file.modified_nanos,
            })
        };
        let files = storage.layout.files().iter().enumerate();
        Ok(files
            .map(
                |(number, file)| {
                    if file.pad { FileStamp::default() } else { stamp(real_path(storage, number)) }
                },
            )
            .collect())
    }

    fn step_check(&mut self) {
        let Some(mut check) = self.checks.pop_front() else { return };
        let Some(known) = self.torrents.get(&check.torrent) else {
            self.end_check(check, Some(not_open()));
            return;
        };
        let storage = Arc::clone(&known.storage);
        let error = self
            .faults
            .reads
            .clone()
            .or_else(|| self.faults.unplugged.then(|| DiskError::Missing { path: storage.root.clone() }));
        if error.is_some() {
            self.end_check(check, error);
            return;
        }
        let mut steps = 0;
        while (check.next as usize) < check.pieces.len() && steps < CHECK_STEP {
            let piece = PieceIndex(check.next);
            check.next += 1;
            if !check.pieces.contains(piece) {
                continue;
            }
            steps += 1;
            check.looked.insert(piece);
            let run = BlockRef { piece, begin: 0, len: storage.layout.piece_size(piece) };
            if let Ok(bytes) = self.read_run(&storage, run)
                && Some(&self.hash(&[bytes])[..]) == piece_hash(&storage, piece)
            {
                check.good.insert(piece);
                let spans = storage.layout.spans(run.piece, run.begin, run.len);
                let paths: Vec<PathBuf> = spans.map(|span| self.place(&storage, span.file)).collect();
                if let Some(known) = self.torrents.get_mut(&check.torrent) {
                    known.touched.extend(paths);
                }
            }
        }
        if check.looked.count() == check.pieces.count() {
            self.end_check(check, None);
        } else {
            let done = check.looked.count() as u32;
            self.done.push_back(Done::Checking { torrent: check.torrent, done });
            self.checks.push_front(check);
        }
    }

    fn end_check(&mut self, check: Check, error: Option<DiskError>) {
        let Check { torrent, looked, good, .. } = check;
        self.done.push_back(Done::Checked { torrent, looked, good, error });
    }

    /// Where the bytes of a file are kept: a skipped file that does not exist is kept out of sight.
    fn place(&self, storage: &Storage, file: usize) -> PathBuf {
        let real = real_path(storage, file);
        if skipped(storage, file) && !self.files.contains_key(&real) {
            return hidden_path(storage, file);
        }
        real
    }
}

fn piece_hash(storage: &Storage, piece: PieceIndex) -> Option<&[u8]> {
    storage.hashes.get(piece.at() * 20..piece.at() * 20 + 20)
}

fn block_digests(parts: &[Bytes]) -> Vec<[u8; 20]> {
    let whole: Vec<u8> = parts.concat();
    whole.chunks(BLOCK_SIZE as usize).map(sha1).collect()
}

fn skipped(storage: &Storage, file: usize) -> bool {
    storage.priorities.get(file) == Some(&FilePriority::Skip)
}

fn real_path(storage: &Storage, file: usize) -> PathBuf {
    let mut path = storage.root.clone();
    path.extend(&storage.layout.files()[file].path);
    path
}

fn real_paths(storage: &Storage) -> impl Iterator<Item = PathBuf> + '_ {
    (0..storage.layout.files().len()).map(|file| real_path(storage, file))
}

fn hidden_folder(storage: &Storage) -> PathBuf {
    storage.root.join(format!(".{}.parts", data_encoding::HEXLOWER.encode(&sha1(&storage.hashes)[..6])))
}

fn hidden_path(storage: &Storage, file: usize) -> PathBuf {
    hidden_folder(storage).join(file.to_string())
}

fn not_open() -> DiskError {
    DiskError::Other { path: PathBuf::new(), message: "the torrent is not open".into() }
}

fn out_of_order(storage: &Storage) -> DiskError {
    DiskError::Other { path: storage.root.clone(), message: "a run that does not fit its piece".into() }
}

#[cfg(test)]
mod tests;
