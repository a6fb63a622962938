//! What the engine asks of a disk, and what the disk answers; plain values, so that a simulated disk can stand in.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use crate::api::FilePriority;
use crate::base::{Bitfield, BlockRef, PieceIndex, TorrentKey};
use crate::metainfo::Layout;

/// Everything a disk must know of a torrent.
#[derive(Clone, Debug)]
pub struct Storage {
    /// The folder chosen for saving; every path of the layout lies below it.
    pub root: PathBuf,
    /// Files and pieces.
    pub layout: Arc<Layout>,
    /// The SHA-1 hashes of the pieces, 20 bytes each.
    pub hashes: Arc<[u8]>,
    /// Priorities in file order; files beyond the end are normal.
    pub priorities: Vec<FilePriority>,
}

/// A file as it was found, to tell later whether somebody changed it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileStamp {
    /// Whether it exists.
    pub exists: bool,
    /// Bytes.
    pub length: u64,
    /// Nanoseconds since 1970 when it was last changed.
    pub modified_nanos: i64,
}

/// One thing to do. Jobs of one torrent may run in any order and side by side, but those of one piece run in the order they
/// were given.
#[derive(Clone, Debug)]
pub enum Job {
    /// Makes the torrent known under its key and looks at its files, creating nothing. Answered with [`Done::Opened`].
    Open {
        /// Which torrent.
        torrent: TorrentKey,
        /// What to know of it.
        storage: Arc<Storage>,
    },
    /// Replaces what is known of an open torrent (new priorities).
    Update {
        /// Which torrent.
        torrent: TorrentKey,
        /// What to know of it from now on.
        storage: Arc<Storage>,
    },
    /// Reads and hashes pieces. Answered with [`Done::Checking`] from time to time and [`Done::Checked`] at the end.
    Check {
        /// Which torrent.
        torrent: TorrentKey,
        /// Which pieces.
        pieces: Arc<Bitfield>,
    },
    /// Ends a running check of the torrent, which then answers with what it has found.
    StopCheck {
        /// Which torrent.
        torrent: TorrentKey,
    },
    /// Writes the next run of a piece, from its start to its end without a gap over several jobs, and hashes it on the way;
    /// the last run is answered with [`Done::Stored`], the others with [`Done::Released`]; runs of a piece that wait together
    /// may be answered together. A run that begins at 0 starts the
    /// piece anew. A run that fails is answered with `Stored`; those that follow it are dropped and answered with
    /// `Released`, up to the next one that begins at 0.
    Store {
        /// Which torrent.
        torrent: TorrentKey,
        /// Which piece.
        piece: PieceIndex,
        /// Where in the piece the first block begins.
        begin: u32,
        /// Blocks that follow each other.
        blocks: Vec<Bytes>,
        /// Whether the piece ends with this run.
        last: bool,
    },
    /// Reads a run within one piece. Answered with [`Done::Read`].
    Read {
        /// Which torrent.
        torrent: TorrentKey,
        /// What to read; may be longer than a block.
        run: BlockRef,
        /// Comes back with the answer.
        tag: u64,
    },
    /// Makes everything durable that was stored before. Answered with [`Done::Synced`].
    Sync {
        /// Which torrent.
        torrent: TorrentKey,
        /// Comes back with the answer.
        tag: u64,
    },
    /// Creates the files that have no bytes, the wanted ones, and gives executables their mark. Answered with `Finished`.
    Finish {
        /// Which torrent.
        torrent: TorrentKey,
    },
    /// Moves the torrent's files to another folder, which is made where it is not there; nothing of the torrent is written
    /// meanwhile, while reads go on. Answered with [`Done::Moving`] from time to time and [`Done::Moved`] at the end.
    Move {
        /// Which torrent.
        torrent: TorrentKey,
        /// The root from then on.
        to: PathBuf,
        /// Whether an earlier try was cut short, so that some of the files may be there already, or in both places.
        resumed: bool,
    },
    /// Ends a running move of the torrent, which then undoes what it did and says so.
    StopMove {
        /// Which torrent.
        torrent: TorrentKey,
    },
    /// Closes the torrent's files and forgets it; answered with [`Done::Closed`].
    Close {
        /// Which torrent.
        torrent: TorrentKey,
        /// Whether its files are deleted, and folders below the root that are empty after that; nothing else ever.
        delete: bool,
    },
}

/// What went wrong with a disk, by what a user can do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiskError {
    /// No room left.
    #[error("the disk is full: {path}")]
    Full {
        /// The file or folder.
        path: PathBuf,
    },
    /// Not allowed.
    #[error("no permission for {path}")]
    Denied {
        /// The file or folder.
        path: PathBuf,
    },
    /// The file system is read-only.
    #[error("{path} is on a read-only disk")]
    ReadOnly {
        /// The file or folder.
        path: PathBuf,
    },
    /// A file, or the folder or drive it was on, is gone.
    #[error("{path} is missing")]
    Missing {
        /// The file or folder.
        path: PathBuf,
    },
    /// Somebody else wrote to a file since it was last looked at; a check takes it as it is now.
    #[error("{path} was changed by another program")]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The file system cannot hold a file of this length.
    #[error("{path} is too large for its disk")]
    TooLarge {
        /// The file or folder.
        path: PathBuf,
    },
    /// A name, or the whole path, is longer than the disk or the system allows.
    #[error("{path} has too long a name")]
    LongName {
        /// The file or folder.
        path: PathBuf,
    },
    /// Something else stands where a file or folder should be, or a link leads away.
    #[error("{path} is in the way")]
    InTheWay {
        /// The file or folder.
        path: PathBuf,
    },
    /// Too many files are open in this program or on this machine.
    #[error("too many open files")]
    TooManyFiles,
    /// Anything else; the text is the system's.
    #[error("{path}: {message}")]
    Other {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        message: String,
    },
}

impl DiskError {
    /// What a user reads, in sentences: what happened and what to do.
    pub fn advice(&self) -> String {
        match self {
            Self::Full { path } => {
                format!("The disk is full: {}. Make room; it goes on by itself.", path.display())
            }
            Self::Denied { path } => {
                let path = path.display();
                format!(
                    "No permission for {path}. Allow writing there or choose another folder, then resume."
                )
            }
            Self::ReadOnly { .. } => {
                format!("{self}. Make it writable or choose another folder, then resume.")
            }
            Self::Missing { .. } => {
                format!("{self}. Bring it back (is the drive connected?) and resume, or recheck.")
            }
            Self::Changed { .. } => format!("{self}. Recheck to use it as it is now."),
            Self::TooLarge { .. } => {
                format!("{self}. Choose a disk without that limit (FAT32 ends at 4 GiB).")
            }
            Self::LongName { .. } => format!("{self}. Choose a folder with a shorter path, or another disk."),
            Self::InTheWay { .. } => format!("{self}. Move it away or choose another folder, then resume."),
            Self::TooManyFiles => "Too many open files. It goes on by itself when some are closed.".into(),
            Self::Other { .. } => format!("{self}. Check the disk, then resume."),
        }
    }

    /// Whether trying again later may succeed without anybody doing anything to the torrent.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::TooManyFiles)
    }
}

/// What became of a job.
#[derive(Clone, Debug)]
pub enum Done {
    /// The torrent is known.
    Opened {
        /// Which torrent.
        torrent: TorrentKey,
        /// Its files as they are now, in torrent order; pad files as if absent.
        files: Result<Vec<FileStamp>, DiskError>,
    },
    /// A check goes on.
    Checking {
        /// Which torrent.
        torrent: TorrentKey,
        /// Pieces looked at so far.
        done: u32,
    },
    /// A check has ended.
    Checked {
        /// Which torrent.
        torrent: TorrentKey,
        /// The pieces that were looked at.
        looked: Bitfield,
        /// Those among them whose hash is right.
        good: Bitfield,
        /// Why it ended early, where a read failed for another reason than that there is nothing to read.
        error: Option<DiskError>,
    },
    /// The last run of a piece was dealt with, or an earlier one failed.
    Stored {
        /// Which torrent.
        torrent: TorrentKey,
        /// Which piece.
        piece: PieceIndex,
        /// Whether its hash is right and it is written.
        outcome: Result<Verdict, DiskError>,
        /// Bytes of blocks that this answer releases from memory.
        released: u64,
    },
    /// A run of a piece was written and another follows, or it was dropped because an earlier one failed.
    Released {
        /// Which torrent.
        torrent: TorrentKey,
        /// Which piece.
        piece: PieceIndex,
        /// Bytes of blocks that this answer releases from memory.
        released: u64,
    },
    /// A read has ended.
    Read {
        /// Which torrent.
        torrent: TorrentKey,
        /// What was to be read.
        run: BlockRef,
        /// As in the job.
        tag: u64,
        /// Exactly the bytes asked for.
        outcome: Result<Bytes, DiskError>,
    },
    /// A sync has ended.
    Synced {
        /// Which torrent.
        torrent: TorrentKey,
        /// As in the job.
        tag: u64,
        /// The files as they are now; a failed sync is never tried again, what it covered is checked anew.
        outcome: Result<Vec<FileStamp>, DiskError>,
    },
    /// Empty files and marks are in place.
    Finished {
        /// Which torrent.
        torrent: TorrentKey,
        /// Whether that worked.
        outcome: Result<(), DiskError>,
    },
    /// A move goes on.
    Moving {
        /// Which torrent.
        torrent: TorrentKey,
        /// Bytes moved so far.
        done: u64,
        /// Bytes to move.
        total: u64,
    },
    /// A move has ended.
    Moved {
        /// Which torrent.
        torrent: TorrentKey,
        /// Where the files are now.
        outcome: Relocation,
    },
    /// The torrent is closed.
    Closed {
        /// Which torrent.
        torrent: TorrentKey,
        /// Whether deleting worked, where it was asked for.
        outcome: Result<(), DiskError>,
    },
}

/// How a move ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relocation {
    /// Every file is in the new folder, durably, as it is now.
    Moved(Vec<FileStamp>),
    /// Every file is where it was: the move was stopped, or this went wrong.
    Undone(Option<DiskError>),
    /// Some files are here and some are there; trying again brings them together.
    Stuck(DiskError),
}

/// Whether a piece was what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its hash is right, and it is written.
    Good,
    /// Its hash is wrong: the SHA-1 of each of its blocks, to find out who sent the bad one.
    Bad {
        /// One digest a block, in order.
        blocks: Vec<[u8; 20]>,
    },
}
