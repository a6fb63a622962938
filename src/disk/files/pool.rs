//! Open files of all torrents within one limit: the one that was used longest ago is closed for a new one.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::system::{Access, System, disk_error};

/// A file of one torrent.
pub(super) type FileKey = (u64, usize);

/// The system and the files that are open in it.
pub(in crate::disk) struct Disk {
    /// The way to the system.
    pub(in crate::disk) system: System,
    limit: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    files: HashMap<FileKey, Entry>,
    clock: u64,
}

struct Entry {
    file: Arc<File>,
    access: Access,
    used: u64,
}

/// Locks; what a panicking thread left behind is still a set of files.
pub(in crate::disk) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Disk {
    /// Nothing open, and never more than `limit` files.
    pub(in crate::disk) fn new(system: System, limit: usize) -> Self {
        Self { system, limit: limit.max(1), open: Mutex::default() }
    }

    /// The file at `path` below `root`, opened where it is not open yet; true where it was created.
    pub(super) fn open(
        &self,
        key: FileKey,
        root: &Path,
        path: &[String],
        access: Access,
    ) -> io::Result<(Arc<File>, bool)> {
        {
            let mut open = lock(&self.open);
            open.clock += 1;
            let now = open.clock;
            if let Some(entry) = open.files.get_mut(&key)
                && (entry.access != Access::Read || access == Access::Read)
            {
                entry.used = now;
                return Ok((Arc::clone(&entry.file), false));
            }
        }
        let opened = self.system.open(root, path, access);
        let (file, created) = match opened {
            Err(error) if disk_error(&error, root) == crate::disk::DiskError::TooManyFiles => {
                self.close_some();
                self.system.open(root, path, access)?
            }
            opened => opened?,
        };
        let file = Arc::new(file);
        let mut open = lock(&self.open);
        let mut closed = None;
        if open.files.len() >= self.limit && !open.files.contains_key(&key) {
            let oldest = open.files.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| *key);
            closed = oldest.and_then(|key| open.files.remove(&key));
        }
        let used = open.clock;
        let other = open.files.insert(key, Entry { file: Arc::clone(&file), access, used });
        drop(open);
        // Closing takes a while, and others need the set meanwhile.
        drop((closed, other));
        Ok((file, created))
    }

    /// Closes one file, where it is open.
    pub(super) fn close(&self, key: FileKey) {
        lock(&self.open).files.remove(&key);
    }

    /// Closes all files of one torrent.
    pub(super) fn close_all(&self, torrent: u64) {
        lock(&self.open).files.retain(|(of, _), _| *of != torrent);
    }

    /// How many files are open.
    #[cfg(test)]
    pub(in crate::disk) fn count(&self) -> usize {
        lock(&self.open).files.len()
    }

    /// Closes the half that was used longest ago.
    fn close_some(&self) {
        let mut open = lock(&self.open);
        let mut used: Vec<u64> = open.files.values().map(|entry| entry.used).collect();
        used.sort_unstable();
        let middle = used.get(used.len() / 2).copied().unwrap_or(0);
        open.files.retain(|_, entry| entry.used > middle);
    }
}
