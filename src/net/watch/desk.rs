//! The session's side of watched folders.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::api::{Command, Event, Level, RequestId};
use crate::base::{InfoHash, Moment};
use crate::engine::Input;
use crate::net::driver::Driver;

use super::{Found, Watcher, Word};

/// Requests of watched folders are numbered from here on, where no user's are.
const REQUESTS: u64 = 1 << 62;

impl Driver {
    /// Begins to look at the folders that the settings name.
    pub(in crate::net) fn watch_folders(&mut self, state: Option<&Path>) {
        match Watcher::start(self.inbox.clone(), Arc::clone(&self.settings), state) {
            Ok(watcher) => self.watcher = Some(watcher),
            Err(error) => self.log(Level::Error, "watch", format!("Folders cannot be watched: {error}.")),
        }
    }

    /// Takes what was found in a watched folder.
    pub(in crate::net) fn take_watched(&mut self, now: Moment, found: Found) {
        self.publisher.stir();
        match found {
            Found::Torrent { path, mut addition } => {
                let Some(watcher) = &mut self.watcher else { return };
                if addition.options.folder.as_ref().is_none_or(|folder| folder.as_os_str().is_empty()) {
                    let reason = "there is no folder to save into; choose one in the settings";
                    return watcher.say(Word::Refused(path, reason.into()));
                }
                addition.options.folder = addition.options.folder.and_then(|it| std::path::absolute(it).ok());
                let request = watcher.ask(path);
                self.engine.handle(now, Input::Add { request, addition });
            }
            Found::Gone(torrent) => {
                if let Some(name) = self.engine.name_of(torrent) {
                    let text = format!("{name} is off the list: its file is gone from the watched folder.");
                    self.log(Level::Info, "watch", text);
                }
                let command = Command::Remove { torrent, delete_data: false };
                self.engine.handle(now, Input::Command(command));
            }
            Found::Note(text) => self.log(Level::Warning, "watch", text),
        }
    }

    /// Keeps an answer that concerns a watched folder, and gives every other event back.
    pub(in crate::net) fn answered_watcher(&mut self, event: Event) -> Option<Event> {
        let Some(watcher) = &mut self.watcher else { return Some(event) };
        match &event {
            Event::Added { request, torrent, known } => {
                let Some(path) = watcher.asked.remove(request) else { return Some(event) };
                let folder = path.parent().unwrap_or(&path).display().to_string();
                watcher.wait(path);
                if !known {
                    self.log(
                        Level::Info,
                        "watch",
                        format!("{} was added from {folder}.", self.called(*torrent)),
                    );
                }
            }
            Event::Refused { request, reason } => {
                let Some(path) = watcher.asked.remove(request) else { return Some(event) };
                watcher.say(Word::Refused(path, reason.clone()));
            }
            _ => return Some(event),
        }
        None
    }

    /// A change goes to the store.
    pub(in crate::net) fn note_change(&mut self, seq: u64) {
        if let Some(watcher) = &mut self.watcher {
            watcher.last_change = seq;
        }
    }

    /// A change is durable, or cannot be written.
    pub(in crate::net) fn note_stored(&mut self, input: &Input) {
        if let (Some(watcher), Input::Stored { seq, result }) = (&mut self.watcher, input) {
            watcher.stored(*seq, result);
        }
    }

    fn called(&self, torrent: InfoHash) -> String {
        self.engine.name_of(torrent).unwrap_or_else(|| torrent.to_hex())
    }
}

impl Watcher {
    /// Names a request for what a file says.
    fn ask(&mut self, path: PathBuf) -> RequestId {
        self.next += 1;
        let request = RequestId(REQUESTS + self.next);
        self.asked.insert(request, path);
        request
    }

    /// What a file says is on the list; it is marked once that is durable.
    fn wait(&mut self, path: PathBuf) {
        if self.stored >= self.last_change {
            self.say(Word::Added(path));
        } else {
            self.added.push((self.last_change, path));
        }
    }

    fn stored(&mut self, seq: u64, result: &Result<(), String>) {
        self.stored = self.stored.max(seq);
        for (_, path) in self.added.extract_if(.., |(change, _)| *change <= seq) {
            let word = match result {
                Ok(()) => Word::Added(path),
                Err(reason) => Word::Refused(path, reason.clone()),
            };
            let _ = self.words.try_send(word);
        }
    }
}
