//! Making a torrent of a file or a folder: walk, hash on every core, write.
//!
//! What is found is taken as it is or refused by name; nothing is left out in silence. Links and special files are refused,
//! since what they stand for is not in the folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::limits;
use crate::disk::files::lock;
use crate::disk::hashing::{Reading, hash_pieces};
use crate::disk::verify::{Progress, cores, read_only};
use crate::disk::{DiskError, Storage};
use crate::metainfo::create::{Details, Plan, automatic_piece_length, build};
use crate::metainfo::{self, Layout, Torrent, TorrentError};

/// How a torrent is to be made.
#[derive(Clone, Debug, Default)]
pub struct CreateOptions {
    /// Bytes of a piece, a power of two; chosen by size where absent.
    pub piece_length: Option<u32>,
    /// What the torrent says besides files and hashes.
    pub details: Details,
}

/// Why no torrent was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// Something cannot be read.
    #[error("cannot read {path}: {message}")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        message: String,
    },
    /// A link below the folder.
    #[error("{path} is a link; put what it leads to in its place, or remove it")]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// Neither file nor folder.
    #[error("{path} is neither a file nor a folder")]
    Special {
        /// The thing.
        path: PathBuf,
    },
    /// A name that is no text.
    #[error("the name of {path} is no valid text; rename it")]
    Name {
        /// The file or folder.
        path: PathBuf,
    },
    /// No file at all.
    #[error("there is no file in {path}")]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// A file changed while it was read.
    #[error("{path} changed while it was read; try again when it is finished")]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The wish for a piece length cannot be met.
    #[error("{0} is no piece length: it must be a power of two from 16384 to {max}", max = limits::PIECE_LENGTH)]
    PieceLength(u32),
    /// The result would be no torrent that others accept.
    #[error("no torrent can be made of this: {0}")]
    Refused(TorrentError),
    /// It was cancelled.
    #[error("cancelled")]
    Cancelled,
}

/// Makes a torrent of the file or folder at `path` and gives its .torrent file.
///
/// # Errors
/// Names the file or folder that stands in the way; `Cancelled` soon after `cancel` was set.
pub fn create(
    path: &Path,
    options: &CreateOptions,
    progress: Progress<'_>,
    cancel: &AtomicBool,
) -> Result<Vec<u8>, CreateError> {
    // The path itself may be a link, or end in dots: its own name is what counts.
    let path = &path.canonicalize().map_err(|error| unreadable(path, &error))?;
    let (Some(name), Some(parent)) = (path.file_name(), path.parent()) else {
        return Err(CreateError::Name { path: path.clone() });
    };
    let name = name.to_str().ok_or_else(|| CreateError::Name { path: path.clone() })?;
    let single = path.is_file();
    let files = if single {
        let found = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        vec![(Vec::new(), found.len())]
    } else {
        walk(path, cancel)?
    };
    let total = files.iter().map(|(_, length)| length).sum();
    let piece_length = options.piece_length.unwrap_or_else(|| automatic_piece_length(total));
    if !piece_length.is_power_of_two() || !(16_384..=limits::PIECE_LENGTH).contains(&piece_length) {
        return Err(CreateError::PieceLength(piece_length));
    }
    let plan = Plan { name: name.into(), files, single, piece_length };
    let hashes = hash(parent, &plan, progress, cancel)?;
    let torrent = build(&plan, &hashes, &options.details);
    Torrent::parse(&torrent).map_err(CreateError::Refused)?;
    Ok(torrent)
}

/// Every file below a folder with its length, in the order of their paths, part by part.
fn walk(folder: &Path, cancel: &AtomicBool) -> Result<Vec<(Vec<String>, u64)>, CreateError> {
    let mut files = Vec::new();
    let mut folders = vec![Vec::new()];
    while let Some(above) = folders.pop() {
        if cancel.load(Ordering::Relaxed) {
            return Err(CreateError::Cancelled);
        }
        let at: PathBuf = std::iter::once(folder).chain(above.iter().map(Path::new)).collect();
        for entry in fs::read_dir(&at).map_err(|error| unreadable(&at, &error))? {
            let entry = entry.map_err(|error| unreadable(&at, &error))?;
            let path = entry.path();
            let Ok(name) = entry.file_name().into_string() else { return Err(CreateError::Name { path }) };
            // Not that of what a link leads to.
            let found = entry.metadata().map_err(|error| unreadable(&path, &error))?;
            let mut parts = above.clone();
            parts.push(name);
            match found.file_type() {
                kind if kind.is_symlink() => return Err(CreateError::Link { path }),
                kind if kind.is_dir() => folders.push(parts),
                kind if kind.is_file() => files.push((parts, found.len())),
                _ => return Err(CreateError::Special { path }),
            }
        }
    }
    if files.is_empty() {
        return Err(CreateError::Empty { path: folder.to_path_buf() });
    }
    files.sort();
    Ok(files)
}

fn hash(
    parent: &Path,
    plan: &Plan,
    progress: Progress<'_>,
    cancel: &AtomicBool,
) -> Result<Vec<u8>, CreateError> {
    let files = plan.files.iter().map(|(path, length)| metainfo::File {
        path: std::iter::once(&plan.name).chain(path).cloned().collect(),
        length: *length,
        pad: false,
        executable: false,
    });
    let layout = Layout::new(files.collect(), plan.piece_length)
        .filter(|layout| layout.piece_count() <= limits::PIECES)
        .ok_or(CreateError::PieceLength(plan.piece_length))?;
    let layout = Arc::new(layout);
    let files = read_only(Storage {
        root: parent.to_path_buf(),
        layout: Arc::clone(&layout),
        hashes: Arc::new([]),
        priorities: Vec::new(),
    });
    let stamps = files.look().map_err(refused)?;
    for (file, stamp) in layout.files().iter().zip(&stamps) {
        if !stamp.exists || stamp.length != file.length {
            let path = std::iter::once(parent).chain(file.path.iter().map(Path::new)).collect();
            return Err(CreateError::Changed { path });
        }
    }
    progress(0, layout.total_length());
    let hashes = vec![0; layout.piece_count() as usize * 20];
    let found = Mutex::new((hashes, 0, None));
    hash_pieces(
        &files,
        layout.pieces(),
        cores(),
        Reading::InPlace,
        || {},
        |piece, hash| {
            let mut found = lock(&found);
            let (hashes, done, error) = &mut *found;
            match hash {
                Ok(hash) => hashes[piece.at() * 20..][..20].copy_from_slice(&hash),
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
    let (hashes, _, error) = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = error {
        return Err(refused(error));
    }
    if cancel.load(Ordering::Relaxed) {
        return Err(CreateError::Cancelled);
    }
    // A file that grew was read to its former end without a complaint.
    let after = files.take_stamps().map_err(refused)?;
    if let Some((file, _)) = layout.files().iter().zip(stamps.iter().zip(&after)).find(|(_, (a, b))| a != b) {
        let path = std::iter::once(parent).chain(file.path.iter().map(Path::new)).collect();
        return Err(CreateError::Changed { path });
    }
    Ok(hashes)
}

fn unreadable(path: &Path, error: &io::Error) -> CreateError {
    CreateError::Unreadable { path: path.to_path_buf(), message: error.to_string() }
}

fn refused(error: DiskError) -> CreateError {
    match error {
        DiskError::Changed { path } | DiskError::Missing { path } => CreateError::Changed { path },
        DiskError::InTheWay { path } => CreateError::Special { path },
        DiskError::Denied { path } => CreateError::Unreadable { path, message: "no permission".into() },
        DiskError::Other { path, message } => CreateError::Unreadable { path, message },
        DiskError::Full { path }
        | DiskError::ReadOnly { path }
        | DiskError::TooLarge { path }
        | DiskError::LongName { path } => CreateError::Unreadable { path, message: "the disk failed".into() },
        DiskError::TooManyFiles => {
            CreateError::Unreadable { path: PathBuf::new(), message: "too many open files".into() }
        }
    }
}

#[cfg(test)]
mod tests;
