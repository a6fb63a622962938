//! Unix: every folder on the way is opened through the one above it and never through a link, so that nobody can lead a
//! path away, not even between two steps.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Once;

use libc::c_int;

use super::{Access, in_the_way};
use crate::disk::FileStamp;

/// Parts of one vectored write; every Unix allows at least this many.
const VECTORS: usize = 1_024;

/// How a folder is opened on the way to what is in it: the right to list it is not needed for that.
#[cfg(any(target_os = "linux", target_os = "android"))]
const PASS: c_int = libc::O_PATH | libc::O_DIRECTORY;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const PASS: c_int = libc::O_RDONLY | libc::O_DIRECTORY;

/// A write past the limit of a file's length is to fail like any other write, not to end the program.
pub(super) fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: ignoring a signal installs no handler and touches no memory.
        unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    });
}

fn again(mut call: impl FnMut() -> c_int) -> io::Result<c_int> {
    loop {
        let result = call();
        if result >= 0 {
            return Ok(result);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

fn name(part: &[u8]) -> io::Result<CString> {
    CString::new(part).map_err(|_| io::ErrorKind::InvalidInput.into())
}

fn open_at(folder: Option<&OwnedFd>, part: &[u8], flags: c_int) -> io::Result<OwnedFd> {
    let part = name(part)?;
    let at = folder.map_or(libc::AT_FDCWD, |folder| folder.as_raw_fd());
    let flags = flags | libc::O_CLOEXEC;
    // SAFETY: `part` ends with a zero byte and outlives the call; `at` is open for as long as `folder` is borrowed.
    let fd = again(|| unsafe { libc::openat(at, part.as_ptr(), flags, 0o666 as libc::c_uint) })?;
    // SAFETY: the system has just made this descriptor, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn folder(root: &Path, parts: &[String], create: bool) -> io::Result<OwnedFd> {
    let mut at = open_at(None, root.as_os_str().as_bytes(), PASS)?;
    let flags = PASS | libc::O_NOFOLLOW;
    for part in parts {
        at = match open_at(Some(&at), part.as_bytes(), flags) {
            Err(error) if create && error.kind() == io::ErrorKind::NotFound => {
                let part_name = name(part.as_bytes())?;
                // SAFETY: as in `open_at`.
                let made = again(|| unsafe { libc::mkdirat(at.as_raw_fd(), part_name.as_ptr(), 0o777) });
                match made {
                    // Another thread may have made it first.
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                    _ => open_at(Some(&at), part.as_bytes(), flags)?,
                }
            }
            opened => opened?,
        };
    }
    Ok(at)
}

fn split(path: &[String]) -> io::Result<(&[u8], &[String])> {
    let (name, above) = path.split_last().ok_or_else(in_the_way)?;
    Ok((name.as_bytes(), above))
}

pub(super) fn open(root: &Path, path: &[String], access: Access) -> io::Result<(File, bool)> {
    let (name, above) = split(path)?;
    // A pipe or a device in the way must not make the open wait.
    let safe = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let flags = if access == Access::Read { libc::O_RDONLY } else { libc::O_RDWR };
    match open_below(root, path, flags | safe) {
        None => {}
        Some(Err(error)) if access == Access::Create && error.kind() == io::ErrorKind::NotFound => {}
        Some(opened) => return Ok((opened?.into(), false)),
    }
    let folder = folder(root, above, access == Access::Create)?;
    match open_at(Some(&folder), name, flags | safe) {
        Ok(file) => Ok((file.into(), false)),
        Err(error) if access == Access::Create && error.kind() == io::ErrorKind::NotFound => {
            Ok((open_at(Some(&folder), name, libc::O_RDWR | libc::O_CREAT | safe)?.into(), true))
        }
        Err(error) => Err(error),
    }
}

/// Opens what is there in two steps, where the system itself keeps from every link on the way; nothing where it cannot.
#[cfg(target_os = "linux")]
fn open_below(root: &Path, path: &[String], flags: c_int) -> Option<io::Result<OwnedFd>> {
    use std::sync::atomic::{AtomicBool, Ordering};
    // Kernels before 5.6 do not know the call, and some sandboxes forbid it.
    static UNKNOWN: AtomicBool = AtomicBool::new(false);
    if path.len() < 2 || UNKNOWN.load(Ordering::Relaxed) || path.iter().any(|part| part.contains('/')) {
        return None;
    }
    let below = match name(path.join("/").as_bytes()) {
        Ok(below) => below,
        Err(error) => return Some(Err(error)),
    };
    let root = match open_at(None, root.as_os_str().as_bytes(), PASS) {
        Ok(root) => root,
        Err(error) => return Some(Err(error)),
    };
    // SAFETY: an `open_how` of zeros is a valid value.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = u64::from((flags | libc::O_CLOEXEC).cast_unsigned());
    how.resolve = libc::RESOLVE_BENEATH | libc::RESOLVE_NO_SYMLINKS;
    // SAFETY: `below` ends with a zero byte, `how` is as long as it is said to be, and both outlive the call.
    let opened = again(|| unsafe {
        let size = size_of::<libc::open_how>();
        libc::syscall(libc::SYS_openat2, root.as_raw_fd(), below.as_ptr(), &how, size) as c_int
    });
    match opened {
        // SAFETY: the system has just made this descriptor, and nobody else knows of it.
        Ok(fd) => Some(Ok(unsafe { OwnedFd::from_raw_fd(fd) })),
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => {
            UNKNOWN.store(true, Ordering::Relaxed);
            None
        }
        // Something moved on the way; step by step it is sorted out.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENAMETOOLONG)) => None,
        Err(error) => Some(Err(error)),
    }
}

#[cfg(not(target_os = "linux"))]
fn open_below(_root: &Path, _path: &[String], _flags: c_int) -> Option<io::Result<OwnedFd>> {
    None
}

fn mode_of(folder: &OwnedFd, part: &[u8]) -> io::Result<libc::stat> {
    let part = name(part)?;
    // SAFETY: a `stat` of zeros is a valid value.
    let mut found: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: as in `open_at`; `found` is a valid place to write to.
    again(|| unsafe {
        libc::fstatat(folder.as_raw_fd(), part.as_ptr(), &mut found, libc::AT_SYMLINK_NOFOLLOW)
    })?;
    Ok(found)
}

/// A folder below a root that is still open, since the next file is likely to be in it too.
pub(in crate::disk) type LastFolder = Option<(Vec<String>, OwnedFd)>;

pub(super) fn look(root: &Path, path: &[String], last: &mut LastFolder) -> io::Result<FileStamp> {
    let (name, above) = split(path)?;
    let found = match last {
        Some((parts, folder)) if parts == above => mode_of(folder, name)?,
        _ => {
            let folder = folder(root, above, false)?;
            mode_of(&last.insert((above.to_vec(), folder)).1, name)?
        }
    };
    if found.st_mode & libc::S_IFMT != libc::S_IFREG {
        return Err(in_the_way());
    }
    // The types of these fields differ between systems.
    let nanos =
        (found.st_mtime as i64).saturating_mul(1_000_000_000).saturating_add(found.st_mtime_nsec as i64);
    Ok(FileStamp { exists: true, length: found.st_size.max(0) as u64, modified_nanos: nanos })
}

pub(super) fn remove_file(root: &Path, path: &[String]) -> io::Result<()> {
    let (part, above) = split(path)?;
    let folder = folder(root, above, false)?;
    if mode_of(&folder, part)?.st_mode & libc::S_IFMT != libc::S_IFREG {
        return Err(in_the_way());
    }
    let part = name(part)?;
    // SAFETY: as in `open_at`.
    again(|| unsafe { libc::unlinkat(folder.as_raw_fd(), part.as_ptr(), 0) }).map(drop)
}

pub(super) fn remove_folder(root: &Path, path: &[String]) -> io::Result<()> {
    let (part, above) = split(path)?;
    let folder = folder(root, above, false)?;
    let part = name(part)?;
    // SAFETY: as in `open_at`.
    again(|| unsafe { libc::unlinkat(folder.as_raw_fd(), part.as_ptr(), libc::AT_REMOVEDIR) }).map(drop)
}

pub(super) fn rename(from: (&Path, &[String]), to: (&Path, &[String])) -> io::Result<()> {
    let (from_root, to_root) = (from.0, to.0);
    let ((from, from_above), (to, to_above)) = (split(from.1)?, split(to.1)?);
    let (from_folder, to_folder) = (folder(from_root, from_above, false)?, folder(to_root, to_above, true)?);
    let (from, to) = (name(from)?, name(to)?);
    // SAFETY: as in `open_at`, twice.
    again(|| unsafe {
        libc::renameat(from_folder.as_raw_fd(), from.as_ptr(), to_folder.as_raw_fd(), to.as_ptr())
    })
    .map(drop)
}

pub(super) fn sync_folder(root: &Path, path: &[String]) -> io::Result<()> {
    let folder = folder(root, path, false)?;
    File::from(open_at(Some(&folder), b".", libc::O_RDONLY | libc::O_DIRECTORY)?).sync_all()
}

#[cfg(target_os = "linux")]
pub(super) fn sync_everything(root: &Path) -> io::Result<bool> {
    let root = File::open(root)?;
    // SAFETY: the descriptor is open for as long as `root` lives.
    again(|| unsafe { libc::syncfs(root.as_raw_fd()) }).map(|_| true)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn sync_everything(_root: &Path) -> io::Result<bool> {
    Ok(false)
}

pub(super) fn read(file: &File, out: &mut Vec<u8>, len: usize, offset: u64) -> io::Result<usize> {
    out.reserve(len);
    let mut done = 0;
    while done < len {
        let room = &mut out.spare_capacity_mut()[..len - done];
        let at = (offset + done as u64) as libc::off_t;
        // SAFETY: `room` is writable for its whole length, and the system writes no more than that.
        let read = unsafe { libc::pread(file.as_raw_fd(), room.as_mut_ptr().cast(), room.len(), at) };
        match usize::try_from(read) {
            Ok(0) => break,
            Ok(read) => {
                done += read;
                // SAFETY: the system has just written `read` bytes after the ones that were there.
                unsafe { out.set_len(out.len() + read) };
            }
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    out.truncate(out.len() - done);
                    return Err(error);
                }
            }
        }
    }
    Ok(done)
}

pub(super) fn write(file: &File, mut parts: &mut [IoSlice<'_>], mut offset: u64) -> io::Result<()> {
    // Empty parts would make a finished write look like one that made no progress.
    IoSlice::advance_slices(&mut parts, 0);
    while !parts.is_empty() {
        let count = parts.len().min(VECTORS);
        // SAFETY: `IoSlice` is laid out as `iovec`, each one covers readable memory, and `count` of them are there.
        let written = unsafe {
            libc::pwritev(file.as_raw_fd(), parts.as_ptr().cast(), count as c_int, offset as libc::off_t)
        };
        match usize::try_from(written) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                offset += written as u64;
                IoSlice::advance_slices(&mut parts, written);
            }
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}

/// What tells a file from every other one: its disk and its number there.
pub(super) fn identity(metadata: &std::fs::Metadata) -> Option<(u64, u64)> {
    Some((metadata.dev(), metadata.ino()))
}

pub(super) fn used_bytes(metadata: &std::fs::Metadata) -> u64 {
    // Blocks of 512 bytes, whatever the file system.
    metadata.blocks().saturating_mul(512).min(metadata.len())
}

pub(super) fn is_named(metadata: &std::fs::Metadata) -> bool {
    metadata.nlink() > 0
}

#[cfg(target_os = "linux")]
fn advise(file: &File, offset: u64, len: u64, advice: c_int) {
    // SAFETY: the descriptor is open for as long as `file` is borrowed; advice changes no memory of this program.
    unsafe { libc::posix_fadvise(file.as_raw_fd(), offset as libc::off_t, len as libc::off_t, advice) };
}

#[cfg(target_os = "linux")]
pub(super) fn will_need(file: &File, offset: u64, len: u64) {
    advise(file, offset, len, libc::POSIX_FADV_WILLNEED);
}

#[cfg(target_os = "linux")]
pub(super) fn forget(file: &File) {
    advise(file, 0, 0, libc::POSIX_FADV_DONTNEED);
}

#[cfg(not(target_os = "linux"))]
pub(super) fn will_need(_file: &File, _offset: u64, _len: u64) {}

#[cfg(not(target_os = "linux"))]
pub(super) fn forget(_file: &File) {}

pub(super) fn make_executable(file: &File) -> io::Result<()> {
    let mut permissions = file.metadata()?.permissions();
    let mode = permissions.mode();
    permissions.set_mode(mode | (mode & 0o444) >> 2);
    file.set_permissions(permissions)
}

#[cfg(target_os = "linux")]
pub(super) fn lower_priority() {
    // SAFETY: on Linux this concerns the calling thread alone, and no memory.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 10) };
}

#[cfg(not(target_os = "linux"))]
pub(super) fn lower_priority() {}

pub(super) fn open_file_limit() -> usize {
    rlimit::Resource::NOFILE.get_soft().map_or(256, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

pub(super) fn is_too_many_files(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

pub(super) fn is_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ELOOP)
}
