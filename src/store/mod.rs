//! The session on disk: database, copies of .torrent files, settings, and the lock of the folder they are in.
//!
//! - `database`: tables, start-up, batches of changes
//! - `rows`: what the parts of a record look like in them
//! - `more`: the choices of a record that are kept as one text
//! - `copies`: .torrent files beside the database, and the list made again from them
//! - `writer`: the thread that writes, and its queue
//! - `backlog`: what could not be written yet
//! - `settings`: the settings file with a comment on every key
//! - `keys`: those comments
//! - `lock`: [`Lock`], one program a folder
//! - `atomic`: files that are either the old or the new

mod atomic;
mod backlog;
mod copies;
mod database;
mod keys;
mod lock;
mod more;
mod rows;
mod settings;
#[cfg(test)]
mod tests;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use atomic::{write_atomically, write_private};
pub use lock::{Held, Lock};
pub use settings::{read_settings, settings_path, write_settings};

use copies::Copies;
use database::{Database, STEPS, Trouble, set_aside};
use writer::Writer;

use crate::base::InfoHash;
use crate::engine::{Change, Record};

/// What is called for each change in its order, with its number, from the store's thread.
type Answer = dyn Fn(u64, Result<(), String>) + Send + Sync;

/// The session database with a thread of its own that writes it. Where it is dropped without [`Store::close`], what waits
/// is written all the same, and the next start looks as closely as after a crash.
#[derive(Debug)]
pub struct Store {
    writer: Writer,
}

/// What a session starts with.
#[derive(Debug, Default)]
pub struct Opened {
    /// Every torrent, in the order in which they were added; suspect pieces in rising order. Of those that have nothing to do
    /// the .torrent file is left out, as [`Record::needs_no_metadata`] allows.
    pub records: Vec<Record>,
    /// Sentences for the log: what was damaged and where it is now, what was made again.
    pub notes: Vec<String>,
    /// Whether the last run ended properly.
    pub clean: bool,
}

/// Why the session, or the settings, cannot be read or written; each says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A file or a folder cannot be used.
    #[error("{}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// A later version of the program wrote the session.
    #[error(
        "{} was written by a newer Fyris (version {found} of the session, this program knows {known}): start that one, or \
         choose another folder with --state",
        path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The settings file cannot be understood.
    #[error("{}{}: {why}", path.display(), line.map(|line| format!(", line {line}")).unwrap_or_default())]
    Settings {
        /// The file.
        path: PathBuf,
        /// The line, from 1, where it is known.
        line: Option<usize>,
        /// What is wrong with it.
        why: String,
    },
}

impl StoreError {
    fn file(path: &Path, why: &dyn std::fmt::Display) -> Self {
        Self::File { path: path.to_path_buf(), why: why.to_string() }
    }
}

impl Store {
    /// Opens the session in the folder `state`, both made where there are none. `done` is called from the store's thread,
    /// in order, once the batch that a change belongs to is durable, or has failed for the reason given; it must not wait.
    ///
    /// A damaged database is set aside and kept, and the list is made again from the copies; those torrents have no progress,
    /// so that their files are checked. A change that failed leaves what was there before it; a torrent that was to be put
    /// on the list or taken off it is tried again until that works, or something newer is to be written of it.
    ///
    /// # Errors
    /// Where the folder cannot be used, or a later version wrote it; nothing in it is changed then.
    pub fn open(state: &Path, done: Arc<Answer>) -> Result<(Self, Opened), StoreError> {
        atomic::make_folder(state).map_err(|error| StoreError::file(state, &error))?;
        let folder = state.join("torrents");
        let copies = Copies::open(folder.clone()).map_err(|error| StoreError::file(&folder, &error))?;
        let (database, opened) = open(&state.join("session.db"), &copies)?;
        if !opened.clean {
            atomic::remove_unfinished(state);
            atomic::remove_unfinished(copies.folder());
        }
        let writer =
            Writer::start(database, copies, done).map_err(|error| StoreError::file(state, &error))?;
        Ok((Self { writer }, opened))
    }

    /// Queues a change; never waits for the disk. Where tens of thousands wait already, the change is left out, and `done`
    /// says so when its turn comes.
    pub fn apply(&self, seq: u64, change: Change) {
        self.writer.push(seq, change);
    }

    /// Reads everything that is kept of a torrent, .torrent file and all; `answer` is called from the store's thread, and must
    /// not wait. Where the store ends before, it is not called.
    pub fn fetch(&self, torrent: InfoHash, answer: impl FnOnce(Result<Record, String>) + Send + 'static) {
        self.writer.fetch(torrent, Box::new(answer));
    }

    /// Writes what waits, ends the thread, and notes that all of it was done.
    pub fn close(mut self) {
        if let Some(database) = self.writer.end() {
            database.close();
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.writer.end();
    }
}

fn open(path: &Path, copies: &Copies) -> Result<(Database, Opened), StoreError> {
    let refused = |trouble| match trouble {
        Trouble::Newer(found) => {
            StoreError::Newer { path: path.to_path_buf(), found, known: STEPS.len() as i64 }
        }
        Trouble::Damaged(why) | Trouble::System(why) => StoreError::file(path, &why),
    };
    let mut opened = Opened::default();
    let whole = Database::open(path, STEPS).and_then(|database| Ok((database.load()?, database)));
    let (mut database, empty) = match whole {
        Ok(((records, notes), database)) => {
            let empty = database.unfilled;
            opened = Opened { records, notes, clean: database.clean };
            (database, empty)
        }
        Err(Trouble::Damaged(why)) => {
            let aside = set_aside(path).map_err(|error| StoreError::file(path, &error))?;
            opened
                .notes
                .push(format!("the session database was damaged ({why}); it is kept as {}", aside.display()));
            (Database::open(path, STEPS).map_err(refused)?, true)
        }
        Err(trouble) => return Err(refused(trouble)),
    };
    if empty {
        let folder = copies.folder();
        let rebuilt = copies.rebuild().map_err(|error| StoreError::file(folder, &error))?;
        database.fill(&rebuilt.records).map_err(refused)?;
        if !rebuilt.records.is_empty() {
            opened.clean = false;
            opened.notes.push(format!(
                "the list was made again from the {} copies in {}",
                rebuilt.records.len(),
                folder.display()
            ));
        }
        opened.notes.extend(rebuilt.notes);
        opened.records = rebuilt.records;
    }
    Ok((database, opened))
}
