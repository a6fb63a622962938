//! Every system's way: the standard library alone. A link is looked for before each step; somebody who swaps a folder for a
//! link in between can still mislead it, which the handles of `unix` rule out.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};

use super::{Access, in_the_way, stamp};
use crate::disk::FileStamp;

/// No system's: files can only be read.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
pub(in crate::disk) enum Desk {}

#[cfg(not(target_os = "linux"))]
impl Desk {
    pub(in crate::disk) fn new(_places: usize, _longest: usize) -> Option<Self> {
        None
    }

    pub(in crate::disk) fn clear(&mut self) -> bool {
        match *self {}
    }

    pub(in crate::disk) fn lay(
        &mut self,
        _first: usize,
        _file: &File,
        _offset: u64,
        _parts: &[usize],
    ) -> bool {
        match *self {}
    }

    pub(in crate::disk) fn part(&self, _place: usize) -> &[u8] {
        match *self {}
    }

    pub(in crate::disk) fn is_dear(&self) -> bool {
        match *self {}
    }

    pub(in crate::disk) fn has_missed(&self) -> bool {
        match *self {}
    }
}

/// The folder that holds the last part of `path`, every part on the way a real folder.
fn folder(root: &Path, parts: &[String], create: bool) -> io::Result<PathBuf> {
    if !fs::metadata(root)?.is_dir() {
        return Err(in_the_way());
    }
    let mut at = root.to_path_buf();
    for part in parts {
        at.push(part);
        let found = match fs::symlink_metadata(&at) {
            Err(error) if create && error.kind() == io::ErrorKind::NotFound => match fs::create_dir(&at) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => fs::symlink_metadata(&at)?,
            },
            found => found?,
        };
        if !found.is_dir() {
            return Err(in_the_way());
        }
    }
    Ok(at)
}

fn split(path: &[String]) -> io::Result<(&String, &[String])> {
    path.split_last().ok_or_else(in_the_way)
}

pub(super) fn open(root: &Path, path: &[String], access: Access) -> io::Result<(File, bool)> {
    let (name, above) = split(path)?;
    let (write, create) = (access != Access::Read, access == Access::Create);
    let full = folder(root, above, create)?.join(name);
    let there = match fs::symlink_metadata(&full) {
        Ok(found) if found.is_file() => true,
        Ok(_) => return Err(in_the_way()),
        Err(error) if create && error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(error),
    };
    let file = match OpenOptions::new().read(true).write(write).create_new(!there).open(&full) {
        // Another thread made it first; what it is now is seen by looking again, once.
        Err(error) if !there && error.kind() == io::ErrorKind::AlreadyExists => {
            if !fs::symlink_metadata(&full)?.is_file() {
                return Err(in_the_way());
            }
            return Ok((OpenOptions::new().read(true).write(true).open(&full)?, false));
        }
        opened => opened?,
    };
    #[cfg(windows)]
    if !there {
        // Holes cost no room then; a file system without them takes the file as it is.
        let _ = make_sparse(&file);
    }
    Ok((file, !there))
}

/// Nothing: every folder is looked up anew. With a field, as the other way's has, so that both are made alike.
#[derive(Default)]
pub(in crate::disk) struct LastFolder(());

pub(super) fn look(root: &Path, path: &[String], _last: &mut LastFolder) -> io::Result<FileStamp> {
    let (name, above) = split(path)?;
    let found = fs::symlink_metadata(folder(root, above, false)?.join(name))?;
    if found.is_file() { Ok(stamp(&found)) } else { Err(in_the_way()) }
}

pub(super) fn remove_file(root: &Path, path: &[String]) -> io::Result<()> {
    let (name, above) = split(path)?;
    let full = folder(root, above, false)?.join(name);
    if !fs::symlink_metadata(&full)?.is_file() {
        return Err(in_the_way());
    }
    fs::remove_file(full)
}

pub(super) fn remove_folder(root: &Path, path: &[String]) -> io::Result<()> {
    let (name, above) = split(path)?;
    let full = folder(root, above, false)?.join(name);
    if !fs::symlink_metadata(&full)?.is_dir() {
        return Err(in_the_way());
    }
    fs::remove_dir(full)
}

pub(super) fn rename(from: (&Path, &[String]), to: (&Path, &[String])) -> io::Result<()> {
    let (from_root, to_root) = (from.0, to.0);
    let ((from, from_above), (to, to_above)) = (split(from.1)?, split(to.1)?);
    let from = folder(from_root, from_above, false)?.join(from);
    fs::rename(from, folder(to_root, to_above, true)?.join(to))
}

pub(super) fn sync_folder(root: &Path, path: &[String]) -> io::Result<()> {
    let folder = folder(root, path, false)?;
    // Elsewhere a folder cannot be opened as a file, and its names are kept by the file system's own journal.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

pub(super) fn read(file: &File, out: &mut Vec<u8>, len: usize, offset: u64) -> io::Result<usize> {
    let start = out.len();
    out.resize(start + len, 0);
    let mut done = 0;
    while done < len {
        match read_once(file, &mut out[start + done..], offset + done as u64) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                out.truncate(start);
                return Err(error);
            }
        }
    }
    out.truncate(start + done);
    Ok(done)
}

pub(super) fn write(file: &File, parts: &mut [IoSlice<'_>], mut offset: u64) -> io::Result<()> {
    for part in parts {
        let mut rest: &[u8] = part;
        while !rest.is_empty() {
            match write_once(file, rest, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    rest = &rest[written..];
                    offset += written as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

#[cfg(unix)]
fn read_once(file: &File, out: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, out, offset)
}

#[cfg(unix)]
fn write_once(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::write_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_once(file: &File, out: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, out, offset)
}

#[cfg(windows)]
fn write_once(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_write(file, bytes, offset)
}

#[cfg(windows)]
fn make_sparse(file: &File) -> io::Result<()> {
    use std::os::windows::io::AsRawHandle as _;
    use windows_sys::Win32::System::{IO::DeviceIoControl, Ioctl::FSCTL_SET_SPARSE};
    let mut returned = 0;
    // SAFETY: the handle is open for as long as `file` is borrowed, no buffer is passed in or out, and `returned` outlives
    // the call.
    let done = unsafe {
        DeviceIoControl(
            file.as_raw_handle().cast(),
            FSCTL_SET_SPARSE,
            std::ptr::null(),
            0,
            std::ptr::null_mut(),
            0,
            &mut returned,
            std::ptr::null_mut(),
        )
    };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// What only some systems can do, answered for those that cannot.
#[cfg(not(unix))]
mod absent {
    use std::fs::{File, Metadata};
    use std::io;
    use std::path::Path;

    pub(in crate::disk::system) fn prepare() {}

    pub(in crate::disk::system) fn sync_everything(_root: &Path) -> io::Result<bool> {
        Ok(false)
    }

    pub(in crate::disk::system) fn identity(_metadata: &Metadata) -> Option<(u64, u64)> {
        None
    }

    pub(in crate::disk::system) fn used_bytes(metadata: &Metadata) -> u64 {
        metadata.len()
    }

    pub(in crate::disk::system) fn is_named(_metadata: &Metadata) -> bool {
        true
    }

    pub(in crate::disk::system) fn will_need(_file: &File, _offset: u64, _len: u64) {}

    pub(in crate::disk::system) fn forget(_file: &File) {}

    pub(in crate::disk::system) fn make_executable(_file: &File) -> io::Result<()> {
        Ok(())
    }

    pub(in crate::disk::system) fn lower_priority() {}

    pub(in crate::disk::system) fn open_file_limit() -> usize {
        2_048
    }

    pub(in crate::disk::system) fn is_too_many_files(error: &io::Error) -> bool {
        const ERROR_TOO_MANY_OPEN_FILES: i32 = 4;
        error.raw_os_error() == Some(ERROR_TOO_MANY_OPEN_FILES)
    }

    pub(in crate::disk::system) fn is_loop(_error: &io::Error) -> bool {
        false
    }
}

#[cfg(not(unix))]
pub(super) use absent::*;
