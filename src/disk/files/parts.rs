//! Bytes of skipped files that a piece shared with a wanted file brought along, in one hidden file beside the torrent.
//!
//! The file is a row of slots of equal length, one for each piece that has such bytes: a header that names the piece, and
//! room for a whole piece, of which only the skipped files' share is ever written.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::pool::{Disk, lock};
use crate::base::PieceIndex;
use crate::disk::system::Access;

const HEADER: usize = 16;
const MARK: &[u8; 4] = b"FyP1";
/// The number of the hidden file in the pool; no torrent has so many.
pub(super) const POOL_NUMBER: usize = usize::MAX;

/// The slots of one torrent.
pub(super) struct Parts {
    name: [String; 1],
    piece_length: u32,
    slots: Mutex<Option<Slots>>,
}

#[derive(Default)]
struct Slots {
    of: HashMap<PieceIndex, u64>,
    free: Vec<u64>,
    count: u64,
}

impl Parts {
    /// The hidden file of that name, not looked at yet.
    pub(super) fn new(name: String, piece_length: u32) -> Self {
        Self { name: [name], piece_length, slots: Mutex::new(None) }
    }

    /// The hidden file's name below the root.
    pub(super) fn name(&self) -> &[String] {
        &self.name
    }

    /// Whether any slot is in use.
    pub(super) fn is_empty(&self, disk: &Disk, torrent: u64, root: &Path) -> io::Result<bool> {
        self.with_slots(disk, torrent, root, |slots| Ok(slots.of.is_empty()))
    }

    /// Whether that piece has a slot.
    pub(super) fn holds(
        &self,
        disk: &Disk,
        torrent: u64,
        root: &Path,
        piece: PieceIndex,
    ) -> io::Result<bool> {
        self.with_slots(disk, torrent, root, |slots| Ok(slots.of.contains_key(&piece)))
    }

    /// Appends `len` bytes from `begin` in `piece` to `out`; nothing where the piece has no slot, fewer where its slot ends.
    pub(super) fn read(
        &self,
        disk: &Disk,
        torrent: u64,
        root: &Path,
        (piece, begin, len): (PieceIndex, u64, usize),
        out: &mut Vec<u8>,
    ) -> io::Result<usize> {
        let slot = self.with_slots(disk, torrent, root, |slots| Ok(slots.of.get(&piece).copied()))?;
        let Some(slot) = slot else { return Ok(0) };
        let file = self.file(disk, torrent, root, Access::Read)?.0;
        disk.system.read(&file, out, len, self.offset(slot) + HEADER as u64 + begin)
    }

    /// Writes from `begin` in `piece` on; true where the hidden file was created for it.
    pub(super) fn write(
        &self,
        disk: &Disk,
        torrent: u64,
        root: &Path,
        (piece, begin): (PieceIndex, u64),
        bytes: &mut [IoSlice<'_>],
    ) -> io::Result<bool> {
        let (file, created) = self.file(disk, torrent, root, Access::Create)?;
        let slot = self.with_slots(disk, torrent, root, |slots| {
            if let Some(slot) = slots.of.get(&piece) {
                return Ok(*slot);
            }
            let slot = slots.free.last().copied().unwrap_or(slots.count);
            self.write_header(disk, &file, slot, Some(piece))?;
            if slots.free.pop().is_none() {
                slots.count += 1;
            }
            slots.of.insert(piece, slot);
            Ok(slot)
        })?;
        disk.system.write(&file, bytes, self.offset(slot) + HEADER as u64 + begin)?;
        Ok(created)
    }

    /// Frees the slot of a piece; the hidden file goes with the last one.
    pub(super) fn free(&self, disk: &Disk, torrent: u64, root: &Path, piece: PieceIndex) -> io::Result<()> {
        let file = self.file(disk, torrent, root, Access::Write)?.0;
        let empty = self.with_slots(disk, torrent, root, |slots| {
            if let Some(slot) = slots.of.remove(&piece) {
                self.write_header(disk, &file, slot, None)?;
                slots.free.push(slot);
            }
            Ok(slots.of.is_empty())
        })?;
        if empty { self.remove(disk, torrent, root) } else { Ok(()) }
    }

    /// Removes the hidden file, where there is one.
    pub(super) fn remove(&self, disk: &Disk, torrent: u64, root: &Path) -> io::Result<()> {
        *lock(&self.slots) = None;
        disk.close((torrent, POOL_NUMBER));
        match disk.system.remove_file(root, &self.name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Lets the hidden file be looked at anew, elsewhere.
    pub(super) fn forget(&self) {
        *lock(&self.slots) = None;
    }

    fn file(&self, disk: &Disk, torrent: u64, root: &Path, access: Access) -> io::Result<(Arc<File>, bool)> {
        disk.open((torrent, POOL_NUMBER), root, &self.name, access)
    }

    fn offset(&self, slot: u64) -> u64 {
        slot * (HEADER as u64 + u64::from(self.piece_length))
    }

    fn write_header(&self, disk: &Disk, file: &File, slot: u64, piece: Option<PieceIndex>) -> io::Result<()> {
        let mut header = [0; HEADER];
        if let Some(piece) = piece {
            header[..4].copy_from_slice(MARK);
            header[4..8].copy_from_slice(&piece.0.to_be_bytes());
            header[8..12].copy_from_slice(&self.piece_length.to_be_bytes());
        }
        disk.system.write(file, &mut [IoSlice::new(&header)], self.offset(slot))
    }

    fn with_slots<T>(
        &self,
        disk: &Disk,
        torrent: u64,
        root: &Path,
        work: impl FnOnce(&mut Slots) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut slots = lock(&self.slots);
        if slots.is_none() {
            *slots = Some(self.scan(disk, torrent, root)?);
        }
        work(slots.get_or_insert_default())
    }

    /// Reads the headers of a hidden file that an earlier run left.
    fn scan(&self, disk: &Disk, torrent: u64, root: &Path) -> io::Result<Slots> {
        let mut slots = Slots::default();
        let file = match self.file(disk, torrent, root, Access::Read) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(slots),
            opened => opened?.0,
        };
        let end = file.metadata()?.len();
        let mut header = Vec::with_capacity(HEADER);
        while self.offset(slots.count) < end {
            let slot = slots.count;
            slots.count += 1;
            header.clear();
            disk.system.read(&file, &mut header, HEADER, self.offset(slot))?;
            let whole = header.len() == HEADER
                && header.starts_with(MARK)
                && header[8..12] == self.piece_length.to_be_bytes();
            let piece = PieceIndex(u32::from_be_bytes([
                header.get(4).copied().unwrap_or(0),
                header.get(5).copied().unwrap_or(0),
                header.get(6).copied().unwrap_or(0),
                header.get(7).copied().unwrap_or(0),
            ]));
            if whole && !slots.of.contains_key(&piece) {
                slots.of.insert(piece, slot);
            } else {
                slots.free.push(slot);
            }
        }
        Ok(slots)
    }
}
