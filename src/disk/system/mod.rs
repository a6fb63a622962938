//! What the operating system is asked for: files below a root that no link leads out of, positioned reads and writes.
//!
//! - `unix`: folder by folder through handles, vectored writes
//! - `portable`: the same with the standard library alone, for every system, and for the tests of all of them
//! - `desk`: parts of files seen where the system holds them, which only Linux has

#[cfg(target_os = "linux")]
mod desk;
mod portable;
#[cfg(unix)]
mod unix;

use std::fs::File;
use std::io::{self, IoSlice};
use std::path::Path;
use std::time::UNIX_EPOCH;

#[cfg(not(unix))]
use portable as native;
#[cfg(unix)]
use unix as native;

use crate::disk::{DiskError, FileStamp};

#[cfg(target_os = "linux")]
pub(super) use desk::Desk;
pub(super) use native::LastFolder;
#[cfg(not(target_os = "linux"))]
pub(super) use portable::Desk;

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Reading what is there.
    Read,
    /// Reading and writing what is there.
    Write,
    /// Reading and writing; created with the folders above it where it is not there.
    Create,
}

/// A way to the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct System {
    portable: bool,
}

impl System {
    /// The system's own way, or the one that every system has.
    pub(super) fn new(portable: bool) -> Self {
        native::prepare();
        Self { portable }
    }

    /// Opens the file at `path` below `root`; true where it was created. A link, or anything that is no regular file, is an
    /// error on the way and at the end.
    pub(super) fn open(self, root: &Path, path: &[String], access: Access) -> io::Result<(File, bool)> {
        let opened = match self.portable {
            true => portable::open(root, path, access),
            false => native::open(root, path, access),
        }?;
        if opened.0.metadata()?.is_file() { Ok(opened) } else { Err(in_the_way()) }
    }

    /// The stamp of the file at `path` below `root`; one that does not exist has the default.
    pub(super) fn look(self, root: &Path, path: &[String]) -> io::Result<FileStamp> {
        self.look_near(root, path, &mut LastFolder::default())
    }

    /// The same of one file of several below the same root; the folder of one is ready for the next.
    pub(super) fn look_near(
        self,
        root: &Path,
        path: &[String],
        last: &mut LastFolder,
    ) -> io::Result<FileStamp> {
        let found = match self.portable {
            true => portable::look(root, path, &mut portable::LastFolder::default()),
            false => native::look(root, path, last),
        };
        match found {
            Ok(found) => Ok(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(FileStamp::default()),
            Err(error) => Err(error),
        }
    }

    /// Removes the regular file at `path` below `root`.
    pub(super) fn remove_file(self, root: &Path, path: &[String]) -> io::Result<()> {
        match self.portable {
            true => portable::remove_file(root, path),
            false => native::remove_file(root, path),
        }
    }

    /// Removes the empty folder at `path` below `root`.
    pub(super) fn remove_folder(self, root: &Path, path: &[String]) -> io::Result<()> {
        match self.portable {
            true => portable::remove_folder(root, path),
            false => native::remove_folder(root, path),
        }
    }

    /// Renames a file below one root to one below another, or the same, over nothing but what the caller has seen to be
    /// absent; creates the folders above it.
    pub(super) fn rename(self, from: (&Path, &[String]), to: (&Path, &[String])) -> io::Result<()> {
        match self.portable {
            true => portable::rename(from, to),
            false => native::rename(from, to),
        }
    }

    /// Makes the names in the folder at `path` below `root` durable.
    pub(super) fn sync_folder(self, root: &Path, path: &[String]) -> io::Result<()> {
        match self.portable {
            true => portable::sync_folder(root, path),
            false => native::sync_folder(root, path),
        }
    }

    /// Makes everything on the file system of `root` durable; false where the system cannot.
    pub(super) fn sync_everything(self, root: &Path) -> io::Result<bool> {
        if self.portable { Ok(false) } else { native::sync_everything(root) }
    }

    /// Appends up to `len` bytes from `offset` to `out`, fewer only where the file ends.
    pub(super) fn read(self, file: &File, out: &mut Vec<u8>, len: usize, offset: u64) -> io::Result<usize> {
        match self.portable {
            true => portable::read(file, out, len, offset),
            false => native::read(file, out, len, offset),
        }
    }

    /// A desk for this thread, with so many places for parts of files of up to `longest` bytes; nothing where files can only
    /// be read.
    pub(super) fn desk(self, places: usize, longest: usize) -> Option<Desk> {
        if self.portable { None } else { Desk::new(places, longest) }
    }

    /// Writes all of `parts` one after the other from `offset` on.
    pub(super) fn write(self, file: &File, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        match self.portable {
            true => portable::write(file, parts, offset),
            false => native::write(file, parts, offset),
        }
    }

    /// Whether an open file still has a name.
    pub(super) fn is_named(self, metadata: &std::fs::Metadata) -> bool {
        native::is_named(metadata)
    }

    /// Says that a run will be read soon.
    pub(super) fn will_need(self, file: &File, offset: u64, len: u64) {
        if !self.portable {
            native::will_need(file, offset, len);
        }
    }

    /// Drops what the system remembers of the file, so that the next read sees what the disk holds.
    pub(super) fn forget(self, file: &File) {
        native::forget(file);
    }

    /// Gives those who may read the file the right to run it.
    pub(super) fn make_executable(self, file: &File) -> io::Result<()> {
        native::make_executable(file)
    }
}

/// Whether two paths lead to one and the same file or folder, as far as the system can tell.
pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    let found = (std::fs::metadata(one), std::fs::metadata(other));
    matches!(found, (Ok(one), Ok(other)) if native::identity(&one).is_some_and(|id| native::identity(&other) == Some(id)))
}

/// Bytes that a file takes up on its disk, holes aside.
pub(super) fn used_bytes(path: &Path) -> io::Result<u64> {
    Ok(native::used_bytes(&std::fs::metadata(path)?))
}

/// Something that two folders have in common exactly where they are on the same disk, as far as the system can tell.
pub(super) fn drive_of(path: &Path) -> u64 {
    let found = path.ancestors().find_map(|path| std::fs::metadata(path).ok());
    found.and_then(|found| native::identity(&found)).map_or(0, |(drive, _)| drive)
}

/// Lets other threads go before this one.
pub(super) fn lower_priority() {
    native::lower_priority();
}

/// Files that this program may have open.
pub(super) fn open_file_limit() -> usize {
    native::open_file_limit()
}

/// The stamp of a file from what the system says of it.
pub(super) fn stamp(metadata: &std::fs::Metadata) -> FileStamp {
    let modified = metadata.modified().ok();
    let nanos = modified.map(|time| match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
    });
    FileStamp { exists: true, length: metadata.len(), modified_nanos: nanos.unwrap_or(0) }
}

/// The error of something that is not what it should be.
fn in_the_way() -> io::Error {
    io::ErrorKind::NotADirectory.into()
}

/// What a user can do about an error of the system.
pub(super) fn disk_error(error: &io::Error, path: &Path) -> DiskError {
    use io::ErrorKind as Kind;
    let path = path.to_path_buf();
    if native::is_too_many_files(error) {
        return DiskError::TooManyFiles;
    }
    if native::is_loop(error) {
        return DiskError::InTheWay { path };
    }
    match error.kind() {
        Kind::StorageFull | Kind::QuotaExceeded => DiskError::Full { path },
        Kind::PermissionDenied => DiskError::Denied { path },
        Kind::ReadOnlyFilesystem => DiskError::ReadOnly { path },
        Kind::NotFound | Kind::StaleNetworkFileHandle => DiskError::Missing { path },
        Kind::InvalidFilename => DiskError::LongName { path },
        Kind::FileTooLarge => DiskError::TooLarge { path },
        Kind::NotADirectory | Kind::IsADirectory | Kind::AlreadyExists => DiskError::InTheWay { path },
        _ => DiskError::Other { path, message: error.to_string() },
    }
}

#[cfg(test)]
mod tests;
