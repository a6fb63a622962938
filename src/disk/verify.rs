//! Whether a folder holds what a torrent says.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::Bitfield;
use crate::disk::files::{Disk, Files, lock};
use crate::disk::hashing::{Reading, hash_pieces};
use crate::disk::system::{System, open_file_limit};
use crate::disk::{DiskError, Storage};
use crate::metainfo::Torrent;

/// Told how many bytes were read, and how many there are; called from several threads, often.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// Why a folder could not be verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Something is there and cannot be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// It was cancelled.
    #[error("cancelled")]
    Cancelled,
}

/// Reads and hashes every piece of `torrent` below `folder` on every core, and says which are right. What is not there, or
/// too short, is not an error but not right either.
///
/// # Errors
/// Where the folder is missing, a file cannot be read, or `cancel` was set.
pub fn verify(
    torrent: &Torrent,
    folder: &Path,
    progress: Progress<'_>,
    cancel: &AtomicBool,
) -> Result<Bitfield, VerifyError> {
    let layout = &torrent.layout;
    let storage = Storage {
        root: folder.to_path_buf(),
        layout: Arc::clone(layout),
        hashes: Arc::clone(&torrent.hashes),
        priorities: Vec::new(),
    };
    let files = read_only(storage);
    files.look()?;
    let found = Mutex::new((Bitfield::new(layout.piece_count() as usize), 0, None));
    hash_pieces(
        &files,
        layout.pieces(),
        cores(),
        Reading::InPlace,
        || {},
        |piece, hash| {
            let mut found = lock(&found);
            let (good, done, error) = &mut *found;
            match hash {
                Ok(hash) if hash == torrent.piece_hash(piece) => {
                    good.insert(piece);
                }
                Ok(_) | Err(DiskError::Missing { .. } | DiskError::Changed { .. }) => {}
                Err(failed) => {
                    *error = Some(failed);
                    return false;
                }
            }
            *done += u64::from(layout.piece_size(piece));
            let done = *done;
            drop(found);
            progress(done, layout.total_length());
            !cancel.load(Ordering::Relaxed)
        },
    );
    let (good, _, error) = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    match error {
        Some(error) => Err(error.into()),
        None if cancel.load(Ordering::Relaxed) => Err(VerifyError::Cancelled),
        None => Ok(good),
    }
}

/// Files that are only read, with a pool of their own.
pub(super) fn read_only(storage: Storage) -> Files {
    let limit = (open_file_limit() / 4).clamp(16, 256);
    Files::new(Arc::new(Disk::new(System::new(false), limit)), Arc::new(storage))
}

/// Threads that hash when somebody waits for it.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}
