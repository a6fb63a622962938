//! Watched folders: a .torrent or .magnet file that appears in one is added, and then marked or moved; a bad one is set aside
//! with the reason beside it.
//!
//! One thread looks every few seconds. A file is taken once it has stopped growing, and marked only when its torrent is safely
//! in the session's state: whatever ends in between, it is added again and never lost.
//!
//! - `kept`: which files stay there from one run to the next
//! - `folder`: [`Known`], what the files of the folders are, and what is done to them
//! - `desk`: the session's side: what is found is given to the engine, and its answers to the thread

mod desk;
mod folder;
mod kept;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::Builder;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::api::{RequestId, Settings};
use crate::base::InfoHash;
use crate::engine::Addition;
use crate::net::post::{Inbox, Post};

use folder::Known;
use kept::Kept;

/// How often a folder is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Files that wait for the engine's answer at most.
const ASKED: usize = 500;

/// What was found.
#[derive(Debug)]
pub(super) enum Found {
    /// A file with something to be added.
    Torrent {
        /// The file.
        path: PathBuf,
        /// What it says.
        addition: Box<Addition>,
    },
    /// The file of a torrent is gone, and with it the torrent is to go.
    Gone(InfoHash),
    /// Something for the log.
    Note(String),
}

/// What the thread is told.
#[derive(Debug)]
enum Word {
    /// Other settings hold.
    Settings(Arc<Settings>),
    /// What a file says is safely on the list.
    Added(PathBuf),
    /// It is not, for the present, for this reason.
    Refused(PathBuf, String),
}

/// The thread, which ends with this, and what was asked for it.
#[derive(Debug)]
pub(super) struct Watcher {
    words: Sender<Word>,
    next: u64,
    /// The files whose answers are to come.
    asked: BTreeMap<RequestId, PathBuf>,
    /// Those that are on the list once this change is durable.
    added: Vec<(u64, PathBuf)>,
    /// The newest change, and the newest that is durable.
    last_change: u64,
    stored: u64,
}

impl Watcher {
    /// Starts the thread.
    pub(super) fn start(inbox: Inbox, settings: Arc<Settings>, state: Option<&Path>) -> io::Result<Self> {
        let kept = Kept::open(state);
        // Room for every answer, and for settings besides.
        let (words, said) = bounded(2 * ASKED);
        Builder::new().name("watch".into()).spawn(move || {
            let tell = |found| inbox.blocking_send(Post::Watched(found)).is_ok();
            run(&said, &settings, kept, &tell);
        })?;
        let (asked, added) = (BTreeMap::new(), Vec::new());
        Ok(Self { words, next: 0, asked, added, last_change: 0, stored: 0 })
    }

    /// Takes other settings.
    pub(super) fn set(&self, settings: Arc<Settings>) {
        self.say(Word::Settings(settings));
    }

    fn say(&self, word: Word) {
        // A thread that is so far behind is at a folder that does not answer. It asks again for files without an answer.
        let _ = self.words.try_send(word);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "folders are looked at by the clock on the wall, apart from every machine"
)]
fn run(words: &Receiver<Word>, settings: &Settings, mut kept: Kept, tell: &dyn Fn(Found) -> bool) {
    let (mut known, mut settings) = (Known::new(kept.entries()), Arc::new(settings.clone()));
    loop {
        known.forget_others(&settings.watch);
        for watch in &settings.watch {
            if !known.look(watch, &settings).into_iter().all(tell) {
                return;
            }
        }
        // Where it cannot be written, a file that goes between two runs is not missed.
        if let Err(error) = kept.write(known.kept())
            && !known.cannot_be_kept(&error).into_iter().all(tell)
        {
            return;
        }
        let next = Instant::now() + LOOK;
        loop {
            // Without folders there is nothing to do until somebody names one.
            let word = match settings.watch.is_empty() {
                true => words.recv().map_err(|_| RecvTimeoutError::Disconnected),
                false => words.recv_deadline(next),
            };
            match word {
                Ok(Word::Settings(changed)) => {
                    settings = changed;
                    break;
                }
                Ok(Word::Added(path)) => {
                    if !known.added(&path, &settings.watch).into_iter().all(tell) {
                        return;
                    }
                }
                Ok(Word::Refused(path, reason)) => {
                    if !known.refused(&path, &reason).into_iter().all(tell) {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}
