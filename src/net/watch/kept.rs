//! Which files stay in watched folders, from one run to the next: one that goes while nothing runs takes its torrent with it,
//! too.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::InfoHash;
use crate::store::write_atomically;

/// Bytes of the list.
const LARGEST: u64 = 16 * 1024 * 1024;

/// A file that stays where it is because its removal means something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The file.
    pub(super) path: PathBuf,
    /// The torrent it was added as.
    pub(super) torrent: InfoHash,
    /// By what its folder is told from another of that name; drives are numbered anew at each start.
    pub(super) inode: Option<u64>,
}

/// The list on the disk.
#[derive(Debug, Default)]
pub(super) struct Kept {
    file: Option<PathBuf>,
    written: Vec<Entry>,
}

impl Kept {
    /// The list in a state folder, with what the last run left; a list that does not read is an empty one.
    pub(super) fn open(state: Option<&Path>) -> Self {
        let Some(file) = state.map(|state| state.join("watched.json")) else { return Self::default() };
        let mut bytes = Vec::new();
        let read = File::open(&file).and_then(|it| it.take(LARGEST).read_to_end(&mut bytes));
        let written = read.ok().and_then(|_| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { file: Some(file), written }
    }

    /// What the last run left, or was written since.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.written
    }

    /// Writes the list where it is another one now.
    ///
    /// # Errors
    /// As the system has them; it is tried again with the next change.
    pub(super) fn write(&mut self, mut entries: Vec<Entry>) -> io::Result<()> {
        // A name that is no text has no place in it.
        entries.retain(|entry| entry.path.to_str().is_some());
        let Some(file) = self.file.as_deref().filter(|_| entries != self.written) else { return Ok(()) };
        write_atomically(file, &serde_json::to_vec(&entries)?)?;
        self.written = entries;
        Ok(())
    }
}
