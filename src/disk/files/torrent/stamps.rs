//! What the files are by the system's word: length and time of change, by which it is noticed that somebody else was there.

use std::panic::resume_unwind;
use std::thread;

use super::{Files, KnownFile, lock};
use crate::disk::system::{LastFolder, disk_error};
use crate::disk::{DiskError, FileStamp};

/// Threads that ask the system for the stamps of many files, and files that one alone asks for.
const LOOKERS: usize = 4;
const FEW: usize = 1_000;

impl Files {
    /// Takes the files as they are now for known, so that they are read without complaint.
    pub(in crate::disk) fn take_stamps(&self) -> Result<Vec<FileStamp>, DiskError> {
        self.root_is_there()?;
        let count = self.layout().files().len();
        {
            let mut known = lock(&self.known);
            known.files.resize(count, KnownFile::default());
            known.files.shrink_to_fit();
        }
        let share = count.div_ceil(LOOKERS).max(FEW);
        let look = &|from: usize| {
            let mut last = LastFolder::default();
            (from..count.min(from + share)).try_for_each(|file| self.take_stamp(file, &mut last))
        };
        thread::scope(|scope| {
            let begin = |from| (from, thread::Builder::new().spawn_scoped(scope, move || look(from)));
            let others: Vec<_> = (share..count).step_by(share).map(begin).collect();
            others.into_iter().fold(look(0), |so_far, (from, other)| match other {
                Ok(other) => so_far.and(other.join().unwrap_or_else(|panic| resume_unwind(panic))),
                Err(_) => so_far.and_then(|()| look(from)),
            })
        })?;
        Ok(lock(&self.known).files.iter().map(|file| file.stamp).collect())
    }

    pub(super) fn take_stamp(&self, file: usize, last: &mut LastFolder) -> Result<(), DiskError> {
        if self.layout().files()[file].pad {
            return Ok(());
        }
        let Some(before) = lock(&self.known).files.get(file).copied() else { return Ok(()) };
        let path = &self.layout().files()[file].path;
        let found = self.disk.system.look_near(&self.root(), path, last);
        let stamp = found.map_err(|error| disk_error(&error, &self.full_path(file)))?;
        if let Some(known) = lock(&self.known).files.get_mut(file) {
            known.stamp = stamp;
            // A write meanwhile may or may not be in the stamp.
            known.ours = before.writing > 0 || known.begun != before.begun;
        }
        Ok(())
    }
}
