//! Looks at the disk for the window, on threads of their own: a folder on a dead network drive holds no frame.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};

/// Errands that may run at the same time; more are not begun until one of them is done.
const MOST: usize = 8;

/// Something to look at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Errand {
    /// How much lies at a path that may be shared.
    Measure(PathBuf),
    /// How much is free in a folder that may be saved into, also where it does not exist yet.
    Free(PathBuf),
    /// Show a file or folder in the desktop's file manager.
    Open(PathBuf),
    /// Write a text to a file.
    Write(PathBuf, String),
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found {
    /// What lies at a path.
    Measured(PathBuf, Result<Measure, String>),
    /// Bytes free in a folder, where that can be told.
    Free(PathBuf, Option<u64>),
    /// Why something could not be opened.
    NotOpened(String),
    /// Whether a text is in its file now, and why not.
    Written(PathBuf, Result<(), String>),
}

/// What lies at a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Measure {
    /// Whether it is a folder.
    pub folder: bool,
    /// Files in it, or one.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Runs errands.
pub(crate) struct Errands {
    found: Receiver<Found>,
    answer: Sender<Found>,
    wake: Arc<dyn Fn() + Send + Sync>,
    running: Arc<AtomicUsize>,
    /// The number of the newest measure; an older one ends early.
    newest: Arc<AtomicU64>,
}

impl Errands {
    /// Errands that call `wake` when something was found.
    pub(crate) fn new(wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        let (answer, found) = bounded(2 * MOST);
        Self { found, answer, wake, running: Arc::default(), newest: Arc::default() }
    }

    /// Begins one; says why where it cannot.
    pub(crate) fn run(&self, errand: Errand) -> Result<(), &'static str> {
        if self.running.fetch_add(1, Ordering::AcqRel) >= MOST {
            self.running.fetch_sub(1, Ordering::AcqRel);
            return Err("The disk does not answer. Is a drive or network folder gone?");
        }
        let number = match &errand {
            Errand::Measure(_) => self.newest.fetch_add(1, Ordering::AcqRel) + 1,
            _ => 0,
        };
        let (answer, wake) = (self.answer.clone(), Arc::clone(&self.wake));
        let (running, newest) = (Arc::clone(&self.running), Arc::clone(&self.newest));
        let work = move || {
            let found = carry_out(errand, &|| newest.load(Ordering::Acquire) != number);
            running.fetch_sub(1, Ordering::AcqRel);
            if let Some(found) = found {
                // Full only where nobody looks any more.
                let _ = answer.try_send(found);
                wake();
            }
        };
        if std::thread::Builder::new().name("gui-errand".to_owned()).spawn(work).is_err() {
            self.running.fetch_sub(1, Ordering::AcqRel);
            return Err("The system starts no more threads. Close something and try again.");
        }
        Ok(())
    }

    /// What was found since.
    pub(crate) fn next(&self) -> Option<Found> {
        self.found.try_recv().ok()
    }
}

fn carry_out(errand: Errand, overtaken: &dyn Fn() -> bool) -> Option<Found> {
    match errand {
        Errand::Measure(path) => {
            let result = measure(&path, overtaken)?;
            Some(Found::Measured(path, result))
        }
        Errand::Free(folder) => {
            let existing = folder.ancestors().find(|folder| folder.exists());
            let free = existing.and_then(|folder| fs4::available_space(folder).ok());
            Some(Found::Free(folder, free))
        }
        Errand::Write(path, text) => {
            let written = std::fs::write(&path, text).map_err(|error| error.to_string());
            Some(Found::Written(path, written))
        }
        Errand::Open(path) => {
            if !path.exists() {
                let text =
                    format!("{} is not there any more. Was it moved or its drive removed?", path.display());
                return Some(Found::NotOpened(text));
            }
            open::that_detached(&path)
                .err()
                .map(|error| Found::NotOpened(format!("{} cannot be opened: {error}", path.display())))
        }
    }
}

/// Sums up what lies at a path; nothing where a newer measure was begun.
fn measure(path: &Path, overtaken: &dyn Fn() -> bool) -> Option<Result<Measure, String>> {
    let name = path.display();
    let about = match std::fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Some(Err(format!("There is no file or folder {name}.")));
        }
        Err(error) => return Some(Err(format!("{name} cannot be read: {error}."))),
    };
    if about.is_file() {
        return Some(Ok(Measure { folder: false, files: 1, bytes: about.len() }));
    }
    let mut sum = Measure { folder: true, ..Measure::default() };
    let mut folders = vec![path.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => return Some(Err(format!("{} cannot be read: {error}.", folder.display()))),
        };
        for entry in entries.flatten() {
            if overtaken() {
                return None;
            }
            // Links are not followed: they could lead round in circles.
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => {
                    sum.files += 1;
                    sum.bytes += entry.metadata().map_or(0, |about| about.len());
                }
                _ => {}
            }
        }
    }
    if sum.files == 0 {
        return Some(Err(format!("{name} holds no files.")));
    }
    Some(Ok(sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_folders_are_measured() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("sub")).expect("a folder");
        std::fs::write(folder.path().join("a"), [0; 10]).expect("a file");
        std::fs::write(folder.path().join("sub/b"), [0; 5]).expect("a file");
        let measured = measure(folder.path(), &|| false);
        assert_eq!(measured, Some(Ok(Measure { folder: true, files: 2, bytes: 15 })));
        assert_eq!(measure(folder.path(), &|| true), None);
        assert!(matches!(measure(&folder.path().join("none"), &|| false), Some(Err(_))));
    }

    #[test]
    fn an_answer_comes_with_a_wake() {
        let (woken, wakes) = bounded(1);
        let errands = Errands::new(Arc::new(move || {
            let _ = woken.try_send(());
        }));
        let folder = std::env::temp_dir().join("not/there/yet");
        errands.run(Errand::Free(folder.clone())).expect("room for one");
        wakes.recv().expect("a wake");
        assert!(matches!(errands.next(), Some(Found::Free(path, Some(_))) if path == folder));
    }
}
