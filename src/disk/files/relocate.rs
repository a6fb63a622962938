//! Moving a torrent's files to another folder, so that a crash at any moment leaves every byte in one place or the other.
//!
//! Where both folders are on one file system, files are renamed, all of them or none. Elsewhere each file is copied beside
//! its place, synced and given its name there; the old files are removed only when all of the new ones are safe. Reads go on
//! through both, from wherever the files are. A copy has the time of its original, so that it is known again.

use std::fs::File;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLockWriteGuard};

use super::torrent::{Files, Place};
use crate::disk::system::{Access, disk_error, is_same_file, used_bytes};
use crate::disk::{DiskError, Relocation};

/// Bytes copied in one step.
const STEP: usize = 1024 * 1024;

/// Told the bytes done and to be done; false ends the move.
pub(in crate::disk) type GoOn<'a> = &'a mut dyn FnMut(u64, u64) -> bool;

/// One file on its way.
struct Part {
    path: Vec<String>,
    length: u64,
    used: u64,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Only in the old folder.
    There,
    /// In both.
    Copied,
    /// In both since an earlier try.
    Both,
}

/// Why a move ended early.
enum Stop {
    Wanted,
    Failed(DiskError),
}

impl Files {
    /// Moves every file to `to`. `resumed` says that an earlier try was cut short: a file that is in both folders, as long and
    /// as old, is taken for the same.
    pub(in crate::disk) fn relocate(&self, to: &Path, resumed: bool, go_on: GoOn<'_>) -> Relocation {
        let from = self.root();
        let outcome = match self.prepare(&from, to, resumed) {
            Ok(Some(parts)) => self.relocate_parts(parts, &from, to, go_on),
            // Two names of one folder.
            Ok(None) => {
                let _place = self.lock_place();
                self.arrive(to)
            }
            Err(error) => Relocation::Undone(Some(error)),
        };
        // Some of the files may have gone before.
        match outcome {
            Relocation::Undone(Some(error)) if resumed => Relocation::Stuck(error),
            Relocation::Undone(None) if resumed => {
                let message = "moving it has not ended".into();
                Relocation::Stuck(DiskError::Other { path: from.to_path_buf(), message })
            }
            outcome => outcome,
        }
    }

    fn relocate_parts(&self, mut parts: Vec<Part>, from: &Path, to: &Path, go_on: GoOn<'_>) -> Relocation {
        let total: u64 = parts.iter().map(|part| part.length).sum();
        if !go_on(0, total) {
            return Relocation::Undone(None);
        }
        let place = self.lock_place();
        match self.rename_all(&parts, from, to) {
            Ok(true) => {
                self.settle_names(from, to);
                return self.arrive(to);
            }
            Ok(false) => drop(place),
            Err(outcome) => return outcome,
        }
        if let Err(stop) = self.copy_all(&mut parts, from, to, go_on) {
            return self.remove_copies(&parts, to, stop);
        }
        let place = self.lock_place();
        let arrived = self.arrive(to);
        drop(place);
        if let Relocation::Moved(_) = arrived {
            for part in &parts {
                // What cannot be removed is a copy too many, and no reason to go back.
                let _ = self.disk.system.remove_file(from, &part.path);
            }
            self.settle_names(from, to);
        }
        arrived
    }

    /// The files that are in the old folder, once it is sure that nothing is in their way; nothing where both folders are one.
    fn prepare(&self, from: &Path, to: &Path, resumed: bool) -> Result<Option<Vec<Part>>, DiskError> {
        let failed = |error: io::Error, root: &Path| disk_error(&error, root);
        let any = || self.layout().files().iter().any(|file| !file.pad && full(from, &file.path).exists());
        // What has moved already is not to be missed in a new folder in the place of a drive that is away.
        if !resumed || to.exists() || any() {
            std::fs::create_dir_all(to).map_err(|error| failed(error, to))?;
        }
        let old = from.canonicalize().map_err(|error| failed(error, from))?;
        let new = to.canonicalize().map_err(|error| failed(error, to))?;
        if old == new || is_same_file(&old, &new) {
            return Ok(None);
        }
        let system = self.disk.system;
        let _ = system.remove_file(to, &self.beside());
        let mut parts = Vec::new();
        let hidden = std::iter::once(self.parts.name().to_vec());
        let files = self.layout().files().iter().filter(|file| !file.pad).map(|file| file.path.clone());
        for path in files.chain(hidden) {
            let old = system.look(from, &path).map_err(|error| failed(error, &full(from, &path)))?;
            let new = system.look(to, &path).map_err(|error| failed(error, &full(to, &path)))?;
            let twin = resumed && old == new && !is_same_file(&full(from, &path), &full(to, &path));
            let state = match (old.exists, new.exists) {
                (false, _) => continue,
                (true, false) => State::There,
                (true, true) if twin => State::Both,
                (true, true) => return Err(DiskError::InTheWay { path: full(to, &path) }),
            };
            let used = used_bytes(&full(from, &path)).unwrap_or(old.length);
            parts.push(Part { path, length: old.length, used, state });
        }
        Ok(Some(parts))
    }

    /// Renames everything; false, with nothing done, where another file system is in between.
    fn rename_all(&self, parts: &[Part], from: &Path, to: &Path) -> Result<bool, Relocation> {
        let system = self.disk.system;
        // Some systems rename no file that is open.
        self.disk.close_all(self.id);
        let mut done: Vec<&Part> = Vec::new();
        for part in parts.iter().filter(|part| part.state == State::There) {
            let Err(error) = system.rename((from, &part.path), (to, &part.path)) else {
                done.push(part);
                continue;
            };
            for back in done.iter().rev() {
                if let Err(error) = system.rename((to, &back.path), (from, &back.path)) {
                    return Err(Relocation::Stuck(disk_error(&error, &full(from, &back.path))));
                }
            }
            self.remove_empty_folders(to);
            if error.kind() == io::ErrorKind::CrossesDevices {
                return Ok(false);
            }
            return Err(Relocation::Undone(Some(disk_error(&error, &full(to, &part.path)))));
        }
        for part in parts.iter().filter(|part| part.state == State::Both) {
            let _ = system.remove_file(from, &part.path);
        }
        Ok(true)
    }

    fn copy_all(&self, parts: &mut [Part], from: &Path, to: &Path, go_on: GoOn<'_>) -> Result<(), Stop> {
        let total: u64 = parts.iter().map(|part| part.length).sum();
        let needed: u64 = parts.iter().filter(|part| part.state == State::There).map(|part| part.used).sum();
        if fs4::available_space(to).is_ok_and(|free| free < needed) {
            return Err(Stop::Failed(DiskError::Full { path: to.to_path_buf() }));
        }
        let mut before = 0;
        for part in parts.iter_mut() {
            if part.state == State::There {
                self.copy(part, from, to, &mut |done| go_on(before + done, total))?;
                part.state = State::Copied;
            }
            before += part.length;
        }
        for folder in self.folders() {
            self.sync_names(to, folder).map_err(Stop::Failed)?;
        }
        self.sync_names(to, &[]).map_err(Stop::Failed)
    }

    fn copy(
        &self,
        part: &Part,
        from: &Path,
        to: &Path,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<(), Stop> {
        let system = self.disk.system;
        let (old, new) = (full(from, &part.path), full(to, &part.path));
        let reading = |error: io::Error| Stop::Failed(disk_error(&error, &old));
        let writing = |error: io::Error| Stop::Failed(disk_error(&error, &new));
        let source = system.open(from, &part.path, Access::Read).map_err(reading)?.0;
        let before = source.metadata().map_err(reading)?;
        let copy = system.open(to, &self.beside(), Access::Create).map_err(writing)?.0;
        let (mut at, mut bytes) = (0, Vec::with_capacity(STEP));
        while at < before.len() {
            if !go_on(at) {
                return Err(Stop::Wanted);
            }
            bytes.clear();
            let read = system.read(&source, &mut bytes, STEP, at).map_err(reading)?;
            if read == 0 {
                break;
            }
            // What was never written stays a hole.
            if bytes.iter().any(|byte| *byte != 0) {
                system.write(&copy, &mut [IoSlice::new(&bytes)], at).map_err(writing)?;
            }
            at += read as u64;
        }
        let after = source.metadata().map_err(reading)?;
        if at != before.len()
            || after.len() != before.len()
            || after.modified().ok() != before.modified().ok()
        {
            return Err(Stop::Failed(DiskError::Changed { path: old }));
        }
        finish_copy(&copy, &before).map_err(writing)?;
        drop(copy);
        system.rename((to, &self.beside()), (to, &part.path)).map_err(writing)
    }

    /// Takes back what was copied.
    fn remove_copies(&self, parts: &[Part], to: &Path, stop: Stop) -> Relocation {
        let system = self.disk.system;
        let _ = system.remove_file(to, &self.beside());
        for part in parts.iter().filter(|part| part.state == State::Copied) {
            let _ = system.remove_file(to, &part.path);
        }
        self.remove_empty_folders(to);
        Relocation::Undone(match stop {
            Stop::Wanted => None,
            Stop::Failed(error) => Some(error),
        })
    }

    /// From now on the files are there. Nobody reads meanwhile.
    fn arrive(&self, to: &Path) -> Relocation {
        *self.root.write().unwrap_or_else(PoisonError::into_inner) = Arc::from(to);
        self.disk.close_all(self.id);
        self.parts.forget();
        match self.take_stamps() {
            Ok(stamps) => Relocation::Moved(stamps),
            Err(error) => Relocation::Stuck(error),
        }
    }

    /// Makes the names in both folders durable, and removes folders that are empty now. That the files have arrived is known
    /// without it: after a crash they are looked for in both.
    fn settle_names(&self, from: &Path, to: &Path) {
        for folder in self.folders() {
            let _ = self.sync_names(to, folder);
            let _ = self.sync_names(from, folder);
        }
        let _ = self.sync_names(to, &[]);
        self.remove_empty_folders(from);
        let _ = self.sync_names(from, &[]);
    }

    fn sync_names(&self, root: &Path, folder: &[String]) -> Result<(), DiskError> {
        match self.disk.system.sync_folder(root, folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(disk_error(&error, &full(root, folder)))
            }
            _ => Ok(()),
        }
    }

    /// The name of a file that is being copied.
    fn beside(&self) -> [String; 1] {
        [format!("{}.moving", self.parts.name()[0])]
    }

    fn lock_place(&self) -> RwLockWriteGuard<'_, Place> {
        self.place.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Length, rights and time of the original; everything durable.
fn finish_copy(copy: &File, original: &std::fs::Metadata) -> io::Result<()> {
    copy.set_len(original.len())?;
    // Some file systems know no rights; the content counts.
    let _ = copy.set_permissions(original.permissions());
    if let Ok(modified) = original.modified() {
        let _ = copy.set_modified(modified);
    }
    copy.sync_all()
}

fn full(root: &Path, path: &[String]) -> std::path::PathBuf {
    let mut full = root.to_path_buf();
    full.extend(path);
    full
}
