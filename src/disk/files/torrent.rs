//! The files of one torrent: reading, making durable, deleting.
//!
//! - `writer`: [`Writer`], writing to them
//! - `stamps`: length and time of change, by which it is noticed that somebody else was there

mod stamps;
mod writer;

use std::collections::BTreeSet;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use super::parts::{POOL_NUMBER, Parts};
use super::pool::{Disk, lock};
use crate::api::FilePriority;
use crate::base::{BlockRef, PieceIndex};
use crate::disk::system::{Access, Desk, LastFolder, disk_error, stamp};
use crate::disk::{DiskError, FileStamp, Storage};
use crate::hash::sha1;
use crate::metainfo::{FileSpan, Layout};

pub(in crate::disk) use writer::Writer;

/// From so many files on, one call that syncs the whole file system is cheaper than one for each.
const SYNC_EVERYTHING_FROM: usize = 64;

/// Files that may be written side by side; two of the same number here wait for each other.
const PENS: usize = 16;

/// From so many bytes on, a part of a file is worth reading ahead.
const AHEAD_FROM: u64 = 256 * 1024;

/// One torrent's files on a real disk.
pub(in crate::disk) struct Files {
    pub(super) disk: Arc<Disk>,
    /// Names the torrent in the pool; never used twice.
    pub(super) id: u64,
    storage: Arc<Storage>,
    /// The folder that every path lies below; a move changes it.
    pub(super) root: RwLock<Arc<Path>>,
    pub(super) place: RwLock<Place>,
    known: Mutex<Known>,
    /// Held by those who write to a file, for as many writes as they have. Within one the system lets them in one by one
    /// anyway, and keeps a processor busy with the waiting.
    pens: [Mutex<()>; PENS],
    pub(super) parts: Parts,
}

/// Where the bytes of each file are kept.
#[derive(Default)]
pub(super) struct Place {
    /// Whether the rest is known yet.
    found: bool,
    priorities: Vec<FilePriority>,
    /// Whether a file's bytes are kept in the hidden file; empty where none are.
    hidden: Vec<bool>,
}

/// What is known of the files as they are now.
#[derive(Default)]
struct Known {
    files: Vec<KnownFile>,
    /// Written to since the last sync.
    touched: BTreeSet<usize>,
    /// Found to be right since then, whoever wrote them.
    found: BTreeSet<usize>,
    /// Folders in which names were made since the last sync.
    folders: BTreeSet<Vec<String>>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct KnownFile {
    stamp: FileStamp,
    /// Whether our own writes may have changed it since the stamp was taken.
    ours: bool,
    /// Writes under way, and those that ever began.
    writing: u32,
    begun: u64,
}

/// The file that somebody reads from just now.
#[derive(Default)]
pub(in crate::disk) struct Reader(Option<(usize, Arc<std::fs::File>)>);

impl Place {
    fn hides(&self, file: usize) -> bool {
        self.hidden.get(file).copied().unwrap_or(false)
    }
}

impl Files {
    /// The files of a torrent; nothing is looked at yet.
    pub(in crate::disk) fn new(disk: Arc<Disk>, storage: Arc<Storage>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let mark = data_encoding::HEXLOWER.encode(&sha1(&storage.hashes)[..6]);
        let parts = Parts::new(format!(".{mark}.fyris-parts"), storage.layout.piece_length());
        Self {
            disk,
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            root: RwLock::new(storage.root.as_path().into()),
            storage,
            place: RwLock::default(),
            known: Mutex::default(),
            pens: Default::default(),
            parts,
        }
    }

    /// The folder that the files are in.
    pub(in crate::disk) fn root(&self) -> Arc<Path> {
        Arc::clone(&self.root.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was said of the torrent when it was opened; its layout and hashes never change.
    pub(in crate::disk) fn storage(&self) -> &Storage {
        &self.storage
    }

    /// Looks at every file and says how it stands; creates none, but moves bytes of a file that was skipped and is wanted.
    pub(in crate::disk) fn look(&self) -> Result<Vec<FileStamp>, DiskError> {
        self.root_is_there()?;
        let mut place = self.place.write().unwrap_or_else(PoisonError::into_inner);
        if !place.found {
            *place = self.find_place(&self.storage.priorities)?;
        }
        drop(place);
        self.take_stamps()
    }

    /// Takes new priorities; files that are wanted now get the bytes that were kept for them.
    pub(in crate::disk) fn update(&self, storage: &Storage) -> Result<(), DiskError> {
        let mut place = self.place.write().unwrap_or_else(PoisonError::into_inner);
        if !place.found || place.priorities != storage.priorities {
            *place = self.find_place(&storage.priorities)?;
        }
        Ok(())
    }

    /// Appends a run of a piece to `out`.
    pub(in crate::disk) fn read_into(&self, run: BlockRef, out: &mut Vec<u8>) -> Result<(), DiskError> {
        self.read_on(&mut Reader::default(), run, out)
    }

    /// The same for one who reads run after run: a file is opened and looked at once for all of them that follow each other.
    pub(in crate::disk) fn read_on(
        &self,
        reader: &mut Reader,
        run: BlockRef,
        out: &mut Vec<u8>,
    ) -> Result<(), DiskError> {
        let place = self.place()?;
        for span in self.layout().spans(run.piece, run.begin, run.len) {
            let len = span.len as usize;
            if self.layout().files()[span.file].pad {
                out.resize(out.len() + len, 0);
                continue;
            }
            let read = if place.hides(span.file) {
                let begin = self.begin_in(run.piece, span);
                self.parts
                    .read(&self.disk, self.id, &self.root(), (run.piece, begin, len), out)
                    .map_err(|error| disk_error(&error, &self.full_path(span.file)))?
            } else {
                let file = self.opened(reader, span.file)?;
                let read = self.disk.system.read(file, out, len, span.offset);
                read.map_err(|error| disk_error(&error, &self.full_path(span.file)))?
            };
            if read < len {
                return Err(DiskError::Missing { path: self.full_path(span.file) });
            }
        }
        Ok(())
    }

    /// A desk for this thread, where the system has any.
    pub(in crate::disk) fn desk(&self, places: usize, longest: usize) -> Option<Desk> {
        self.disk.system.desk(places, longest)
    }

    /// Lays runs of pieces on a desk, each at the place of its number, but for those of no bytes; false where one is not to
    /// be had in one part, or not at all.
    pub(in crate::disk) fn lay_on(&self, desk: &mut Desk, runs: &[BlockRef]) -> bool {
        let Ok(found) = self.place() else { return false };
        let mut parts = Vec::with_capacity(runs.len());
        for (place, run) in runs.iter().enumerate().filter(|(_, run)| run.len > 0) {
            let mut spans = self.layout().spans(run.piece, run.begin, run.len);
            let (Some(span), None) = (spans.next(), spans.next()) else { return false };
            if self.layout().files()[span.file].pad || found.hides(span.file) {
                return false;
            }
            parts.push((place, span));
        }
        // What follows each other in a file is asked of the system in one go.
        let follows = |(before, one): &(usize, FileSpan), (place, next): &(usize, FileSpan)| {
            *place == before + 1 && next.file == one.file && next.offset == one.offset + one.len
        };
        let mut reader = Reader::default();
        parts.chunk_by(follows).all(|row| {
            let (first, span) = row[0];
            let lengths: Vec<usize> = row.iter().map(|(_, span)| span.len as usize).collect();
            let file = self.opened(&mut reader, span.file);
            file.is_ok_and(|file| desk.lay(first, file, span.offset, &lengths))
        })
    }

    /// The file that somebody reads from, which is looked at where it is not the one that he read from before.
    fn opened<'a>(&self, reader: &'a mut Reader, number: usize) -> Result<&'a Arc<std::fs::File>, DiskError> {
        let open = match reader.0.take().filter(|(open, _)| *open == number) {
            Some(open) => open,
            None => (number, self.open_unchanged(number)?),
        };
        Ok(&reader.0.insert(open).1)
    }

    /// Says that a piece will be read soon; of short files, which cost more to open than they are worth, nothing is said.
    pub(in crate::disk) fn will_need(&self, piece: PieceIndex) {
        let Ok(place) = self.place() else { return };
        for span in self.layout().spans(piece, 0, self.layout().piece_size(piece)) {
            if span.len >= AHEAD_FROM
                && !self.layout().files()[span.file].pad
                && !place.hides(span.file)
                && let Ok((file, _)) = self.open(span.file, Access::Read)
            {
                self.disk.system.will_need(&file, span.offset, span.len);
            }
        }
    }

    /// Makes what was written durable, and says how the files stand after that.
    pub(in crate::disk) fn sync(&self) -> Result<Vec<FileStamp>, DiskError> {
        drop(self.place()?);
        let (touched, found, folders) = {
            let mut known = lock(&self.known);
            let found = std::mem::take(&mut known.found);
            (std::mem::take(&mut known.touched), found, std::mem::take(&mut known.folders))
        };
        let root = &*self.root();
        let everything = touched.len() + found.len() >= SYNC_EVERYTHING_FROM
            && self.disk.system.sync_everything(root).map_err(|error| disk_error(&error, root))?;
        let (mut result, mut last) = (Ok(()), LastFolder::default());
        for file in found.difference(&touched).filter(|_| !everything) {
            if let Err(error) = self.sync_found(*file) {
                result = Err(error);
            }
        }
        for file in &touched {
            if !everything && let Err(error) = self.sync_file(*file) {
                result = Err(error);
            }
            if *file != POOL_NUMBER
                && let Err(error) = self.take_stamp(*file, &mut last)
            {
                result = Err(error);
            }
        }
        for folder in folders.iter().rev().filter(|_| !everything) {
            let synced = self.disk.system.sync_folder(root, folder);
            if let Err(error) = synced.map_err(|error| disk_error(&error, root)) {
                result = Err(error);
            }
        }
        result?;
        Ok(lock(&self.known).files.iter().map(|file| file.stamp).collect())
    }

    /// Creates the wanted files that have no bytes, and marks executables.
    pub(in crate::disk) fn finish(&self) -> Result<(), DiskError> {
        let place = self.place()?;
        for (number, file) in self.layout().files().iter().enumerate() {
            if file.pad || place.priorities.get(number) == Some(&FilePriority::Skip) {
                continue;
            }
            if file.length == 0 || file.executable {
                let access = if file.length == 0 { Access::Create } else { Access::Write };
                let opened = self.open(number, access)?;
                if file.executable {
                    let marked = self.disk.system.make_executable(&opened.0);
                    marked.map_err(|error| disk_error(&error, &self.full_path(number)))?;
                }
                self.touched(number, opened.1);
            }
        }
        Ok(())
    }

    /// Closes every file, and removes them and the folders that are empty then, where that is wanted.
    pub(in crate::disk) fn close(&self, delete: bool) -> Result<(), DiskError> {
        self.disk.close_all(self.id);
        if !delete {
            return Ok(());
        }
        let root = &*self.root();
        let mut result = Ok(());
        for (number, file) in self.layout().files().iter().enumerate().filter(|(_, file)| !file.pad) {
            match self.disk.system.remove_file(root, &file.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    // What stands in a file's place is not the torrent's.
                    let error = disk_error(&error, &self.full_path(number));
                    if !matches!(error, DiskError::InTheWay { .. }) {
                        result = Err(error);
                    }
                }
                _ => {}
            }
        }
        if let Err(error) = self.parts.remove(&self.disk, self.id, root) {
            result = Err(disk_error(&error, root));
        }
        self.remove_empty_folders(root);
        result
    }

    /// Removes the torrent's folders below `root` that are empty.
    pub(super) fn remove_empty_folders(&self, root: &Path) {
        // A folder sorts before what is in it; one that is not empty or not there stays as it is.
        for folder in self.folders().iter().rev() {
            let _ = self.disk.system.remove_folder(root, folder);
        }
    }

    /// Every folder that the torrent's files need below the root.
    pub(super) fn folders(&self) -> BTreeSet<&[String]> {
        let above = |path: &'_ [String]| path.len().saturating_sub(1);
        let files = self.layout().files().iter();
        files.flat_map(|file| (1..=above(&file.path)).map(|depth| &file.path[..depth])).collect()
    }

    fn root_is_there(&self) -> Result<(), DiskError> {
        let root = &*self.root();
        let found = std::fs::metadata(root).map_err(|error| disk_error(&error, root))?;
        if found.is_dir() { Ok(()) } else { Err(DiskError::InTheWay { path: root.to_path_buf() }) }
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.storage.layout
    }

    fn full_path(&self, file: usize) -> PathBuf {
        let mut path = self.root().to_path_buf();
        match self.layout().files().get(file) {
            Some(file) => path.extend(&file.path),
            None => path.extend(self.parts.name()),
        }
        path
    }

    fn open(&self, file: usize, access: Access) -> Result<(Arc<std::fs::File>, bool), DiskError> {
        let path = self.layout().files().get(file).map_or(self.parts.name(), |file| &file.path);
        let opened = self.disk.open((self.id, file), &self.root(), path, access);
        opened.map_err(|error| disk_error(&error, &self.full_path(file)))
    }

    /// Where a span begins within its piece.
    fn begin_in(&self, piece: PieceIndex, span: FileSpan) -> u64 {
        self.layout().file_start(span.file) + span.offset - self.layout().piece_start(piece)
    }

    fn place(&self) -> Result<RwLockReadGuard<'_, Place>, DiskError> {
        let place = self.place.read().unwrap_or_else(PoisonError::into_inner);
        if place.found {
            return Ok(place);
        }
        drop(place);
        self.look()?;
        Ok(self.place.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A file to read from, where nobody else has changed it since it was looked at.
    fn open_unchanged(&self, number: usize) -> Result<Arc<std::fs::File>, DiskError> {
        let failed = |error: io::Error| disk_error(&error, &self.full_path(number));
        let (file, _) = self.open(number, Access::Read)?;
        let known = || lock(&self.known).files.get(number).copied().unwrap_or_default();
        let mut before = known();
        loop {
            let metadata = file.metadata().map_err(failed)?;
            if !self.disk.system.is_named(&metadata) {
                self.disk.close((self.id, number));
                return Err(DiskError::Missing { path: self.full_path(number) });
            }
            let after = known();
            if after.ours || stamp(&metadata) == after.stamp {
                return Ok(file);
            }
            if after == before {
                return Err(DiskError::Changed { path: self.full_path(number) });
            }
            // We wrote, or took a new stamp, since the file was looked at.
            before = after;
        }
    }

    /// Says that a write begins or has ended: until the next stamp, changes to the file are ours. True where the file is
    /// known to exist.
    fn writing(&self, file: usize, begins: bool) -> bool {
        let mut known = lock(&self.known);
        let Some(known) = known.files.get_mut(file) else { return false };
        known.ours = true;
        known.begun += u64::from(begins);
        known.writing = if begins { known.writing + 1 } else { known.writing.saturating_sub(1) };
        known.stamp.exists
    }

    fn touched(&self, file: usize, created: bool) {
        let mut known = lock(&self.known);
        known.touched.insert(file);
        if let Some(known) = known.files.get_mut(file) {
            known.stamp.exists = true;
        }
        if created {
            let path = self.layout().files().get(file).map_or(self.parts.name(), |file| &file.path);
            known.folders.extend((0..path.len()).map(|depth| path[..depth].to_vec()));
        }
    }

    fn sync_file(&self, number: usize) -> Result<(), DiskError> {
        // Syncing through another handle than the one that wrote is as good: it is the file that is synced.
        let file = match self.open(number, Access::Write) {
            Err(DiskError::Missing { .. }) if number == POOL_NUMBER => return Ok(()),
            opened => opened?.0,
        };
        let synced = file.sync_data();
        if synced.is_err() {
            self.disk.system.forget(&file);
            self.disk.close((self.id, number));
        }
        synced.map_err(|error| disk_error(&error, &self.full_path(number)))
    }

    /// A piece was found to be right.
    pub(in crate::disk) fn found(&self, piece: PieceIndex) {
        let Ok(place) = self.place() else { return };
        let spans = self.layout().spans(piece, 0, self.layout().piece_size(piece));
        let files = spans.filter(|span| !self.layout().files()[span.file].pad);
        let files = files.map(|span| if place.hides(span.file) { POOL_NUMBER } else { span.file });
        lock(&self.known).found.extend(files);
    }

    /// Makes a file durable that somebody else may have written, with its name; where it can only be read, nobody has.
    fn sync_found(&self, number: usize) -> Result<(), DiskError> {
        let Ok((file, _)) = self.open(number, Access::Read) else { return Ok(()) };
        let path = self.layout().files().get(number).map_or(self.parts.name(), |file| &file.path);
        let folders = (0..path.len()).map(|depth| self.disk.system.sync_folder(&self.root(), &path[..depth]));
        let failed = std::iter::once(file.sync_data()).chain(folders).filter_map(Result::err);
        let grave = |error: &io::Error| disk_error(error, &self.full_path(number));
        match failed
            .map(|error| grave(&error))
            .find(|error| matches!(error, DiskError::Other { .. } | DiskError::Full { .. }))
        {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Decides where each file is kept, and moves what was kept for a file that is wanted now.
    fn find_place(&self, priorities: &[FilePriority]) -> Result<Place, DiskError> {
        let root = &*self.root();
        let failed = |error: io::Error| disk_error(&error, root);
        let mut place = Place { found: true, priorities: priorities.to_vec(), hidden: Vec::new() };
        let exists = |file: usize| {
            let seen = self.disk.system.look(root, &self.layout().files()[file].path);
            seen.map(|stamp| stamp.exists).map_err(failed)
        };
        for (file, _) in
            priorities.iter().enumerate().filter(|(_, priority)| **priority == FilePriority::Skip)
        {
            if file < self.layout().files().len() && !exists(file)? {
                place.hidden.resize(self.layout().files().len(), false);
                place.hidden[file] = true;
            }
        }
        if self.parts.is_empty(&self.disk, self.id, root).map_err(failed)? {
            return Ok(place);
        }
        for (number, file) in self.layout().files().iter().enumerate() {
            if !file.pad && !place.hides(number) && !exists(number)? {
                self.bring_out(number)?;
            }
        }
        for piece in self.layout().pieces() {
            let wanted = self.layout().spans(piece, 0, self.layout().piece_size(piece));
            let mut wanted = wanted.map(|span| span.file);
            if self.parts.holds(&self.disk, self.id, root, piece).map_err(failed)?
                && !wanted.any(|file| place.hides(file))
            {
                self.parts.free(&self.disk, self.id, root, piece).map_err(failed)?;
            }
        }
        Ok(place)
    }

    /// Makes a real file of what the hidden one holds of it: written beside, synced, then given its name.
    fn bring_out(&self, number: usize) -> Result<(), DiskError> {
        let root = &*self.root();
        let failed = |error: io::Error| disk_error(&error, &self.full_path(number));
        let path = &self.layout().files()[number].path;
        let beside = [format!("{}.new", self.parts.name()[0])];
        let mut made = None;
        for piece in self.layout().pieces_of(number).map(PieceIndex) {
            if !self.parts.holds(&self.disk, self.id, root, piece).map_err(failed)? {
                continue;
            }
            let spans = self.layout().spans(piece, 0, self.layout().piece_size(piece));
            for span in spans.filter(|span| span.file == number) {
                let at = (piece, self.begin_in(piece, span), span.len as usize);
                let mut bytes = Vec::new();
                self.parts.read(&self.disk, self.id, root, at, &mut bytes).map_err(failed)?;
                if made.is_none() {
                    // What an interrupted move left behind.
                    let _ = self.disk.system.remove_file(root, &beside);
                    made = Some(self.disk.system.open(root, &beside, Access::Create).map_err(failed)?.0);
                }
                if let Some(file) = &made {
                    let mut slices = [IoSlice::new(&bytes)];
                    self.disk.system.write(file, &mut slices, span.offset).map_err(failed)?;
                }
            }
        }
        let Some(file) = made else { return Ok(()) };
        file.sync_all().map_err(failed)?;
        self.disk.close((self.id, number));
        self.disk.system.rename((root, &beside), (root, path)).map_err(failed)?;
        self.writing(number, true);
        self.writing(number, false);
        self.touched(number, true);
        for depth in 0..path.len() {
            self.disk.system.sync_folder(root, &path[..depth]).map_err(failed)?;
        }
        Ok(())
    }
}
