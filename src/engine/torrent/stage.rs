//! From the disk's first look to leaving: opening, checking, running, pausing, failing.

use std::sync::Arc;

use crate::api::{Event, Level};
use crate::base::{Bitfield, Moment, PieceIndex, Span};
use crate::disk::{DiskError, FileStamp, Job};
use crate::engine::record::{Change, Enough, Progress};
use crate::engine::shared::Shared;

use super::content::{Content, DiskState, Known};
use super::{Fault, Leaving, Torrent};

/// A fault that may pass by itself is looked at again after this.
const RETRY: Span = Span::from_secs(10);

impl Torrent {
    /// Does what is next on the way to running, unless it is to stand still.
    pub(in crate::engine) fn start(&mut self, shared: &mut Shared) {
        if self.choices.paused
            || self.leaving.is_some()
            || shared.ending
            || self.fault.is_some()
            || self.waits
        {
            return;
        }
        if self.is_held_by_move() {
            return self.go_on_moving(shared);
        }
        if self.is_asleep() {
            // What is to be fetched is fetched once it has woken.
            if self.is_complete() {
                self.start_asleep(shared);
            }
            return;
        }
        match self.content.as_ref().map(|content| &content.disk) {
            None | Some(DiskState::Ready) => self.run(shared),
            Some(DiskState::Closed) => self.open(shared),
            Some(_) => {}
        }
    }

    /// Lets the disk look at the files.
    fn open(&mut self, shared: &mut Shared) {
        let key = self.key;
        if let Some(content) = &mut self.content {
            content.disk = DiskState::Opening;
            shared.disk(Job::Open { torrent: key, storage: Arc::clone(&content.storage) });
        }
    }

    /// The disk has looked at the files.
    pub(in crate::engine) fn opened(
        &mut self,
        files: Result<Vec<FileStamp>, DiskError>,
        shared: &mut Shared,
    ) {
        let Some(content) = self.content.as_mut().filter(|content| content.disk == DiskState::Opening) else {
            return;
        };
        match files {
            Ok(stamps) => {
                let (have, doubtful) = content.judge(&stamps);
                let as_before = matches!(&content.known, Known::Progress(known)
                    if known.have.as_ref() == Some(&have) && known.suspect.is_empty() && known.stamps == stamps);
                content.pieces.set_have(&have);
                content.durable.found(&have, stamps);
                if doubtful.none() {
                    content.known = Known::Seen;
                    self.ready(as_before, shared);
                } else {
                    self.check(doubtful, shared);
                }
            }
            Err(error) => {
                content.disk = DiskState::Closed;
                self.fail(&error, shared);
            }
        }
    }

    /// Has pieces hashed. They are not had until they are found right.
    fn check(&mut self, doubtful: Bitfield, shared: &mut Shared) {
        let key = self.key;
        if let Some(content) = &mut self.content {
            content.disk = DiskState::Checking { done: 0, total: doubtful.count() as u32 };
            shared.disk(Job::Check { torrent: key, pieces: Arc::new(doubtful) });
        }
    }

    /// A check goes on.
    pub(in crate::engine) fn checking(&mut self, looked: u32) {
        if let Some(DiskState::Checking { done, .. }) = self.content.as_mut().map(|content| &mut content.disk)
        {
            *done = looked;
        }
    }

    /// A check has ended.
    pub(in crate::engine) fn checked(
        &mut self,
        looked: &Bitfield,
        good: &Bitfield,
        error: Option<DiskError>,
        shared: &mut Shared,
    ) {
        let Some(content) = &mut self.content else { return };
        if !matches!(content.disk, DiskState::Checking { .. }) {
            return;
        }
        if let Some(error) = error {
            // What was not looked at is not taken for missing: all of it is looked at again.
            content.disk = DiskState::Closed;
            return self.fail(&error, shared);
        }
        let mut have = content.pieces.have().clone();
        for piece in looked.iter() {
            have.remove(piece);
        }
        for piece in good.iter() {
            have.insert(piece);
        }
        content.pieces.set_have(&have);
        let stamps = content.durable.stamps().to_vec();
        content.durable.found(&have, stamps);
        // Who wrote them may have been this program, just before it or its machine went down.
        content.durable.found_right(good, shared.now);
        content.known = Known::Seen;
        self.ready(false, shared);
    }

    /// What is there is known, and whether it is as it was written down.
    fn ready(&mut self, as_before: bool, shared: &mut Shared) {
        let Some(content) = &mut self.content else { return };
        content.disk = DiskState::Ready;
        // What was found right is written down as soon as it is safe.
        if content.durable.is_safe() && !as_before {
            self.save_progress(shared);
        }
        self.start(shared);
    }

    /// Takes part in the swarm.
    fn run(&mut self, shared: &mut Shared) {
        // Peers that the metadata came from are wanted from now on.
        self.timers.tick = shared.now;
        self.resting = shared.resting;
        if self.running || self.resting {
            return;
        }
        self.running = true;
        self.waking = false;
        self.began_at = shared.now;
        self.count_seeding(shared.now);
        self.announcer.start(shared.now);
        if self.is_complete() {
            if self.lacks_empty_files() {
                self.finish_if_complete(shared);
            } else {
                self.tell_seeding(shared);
            }
        }
    }

    /// Every wanted piece is there and nothing more is to be done.
    fn tell_seeding(&mut self, shared: &mut Shared) {
        if let Some(content) = &mut self.content {
            content.finished = true;
        }
        if self.choices.completed_unix.is_none() {
            self.choices.completed_unix = Some(shared.unix_secs());
            shared.store(Change::Put(Box::new(self.record())));
        }
        if !std::mem::replace(&mut self.told_seeding, true) {
            shared.event(Event::Seeding { torrent: self.info_hash, name: self.name() });
        }
    }

    /// Whether wanted files without bytes have yet to be made; no piece brings them.
    fn lacks_empty_files(&self) -> bool {
        let Some(content) = &self.content else { return false };
        if self.choices.shared_here || content.finished {
            return false;
        }
        let stamps = content.durable.stamps();
        let files = content.meta.layout.files().iter().enumerate();
        files
            .filter(|(number, file)| file.length == 0 && !file.pad && content.pieces.file_wanted(*number))
            .any(|(number, _)| stamps.get(number).is_some_and(|stamp| !stamp.exists))
    }

    /// Ends the download where every wanted piece is safe: the last touches are given to the disk.
    pub(super) fn finish_if_complete(&mut self, shared: &mut Shared) {
        let (key, complete) = (self.key, self.is_complete());
        if let Some(content) = &mut self.content
            && complete
            && content.durable.is_safe()
            && !content.finished
        {
            content.finished = true;
            shared.disk(Job::Finish { torrent: key });
        }
    }

    /// The last touches are made.
    pub(in crate::engine) fn finished(&mut self, outcome: Result<(), DiskError>, shared: &mut Shared) {
        if let Err(error) = outcome {
            if let Some(content) = &mut self.content {
                content.finished = false;
            }
            self.fail(&error, shared);
            return;
        }
        if !self.is_complete() {
            return;
        }
        self.choices.completed_unix = Some(shared.unix_secs());
        self.told_seeding = true;
        let secs = shared.now.since(self.began_at).secs_f64();
        let completed = Event::Completed { torrent: self.info_hash, name: self.name(), secs };
        if let Some(folder) = self.done_folder(shared).filter(|folder| *folder != self.choices.folder) {
            self.choices.target = Some(folder);
        }
        // What is to move is complete where it belongs.
        shared.store(Change::Put(Box::new(self.record())));
        match &self.choices.target {
            Some(_) => self.aftermath.tell = Some(completed),
            None => shared.event(completed),
        }
    }

    /// Leaves the swarm.
    pub(super) fn stop_running(&mut self, shared: &mut Shared) {
        if !self.running && !self.waking {
            return;
        }
        (self.running, self.waking) = (false, false);
        self.count_seeding(shared.now);
        if self.is_asleep() {
            self.save_later(shared.now);
        }
        self.drop_all_links(shared);
        self.announcer.stop(shared.now);
        self.timers.tick = Moment::NEVER;
        self.timers.throttled = Moment::NEVER;
        if let Some(content) = &mut self.content {
            content.reads.clear();
            content.superseed = None;
            // Whole pieces are with the disk; of the others nothing is kept.
            let partial: Vec<PieceIndex> = content.arriving.keys().copied().collect();
            for piece in partial {
                content.arriving.remove(&piece);
                content.trust.forget(piece);
                content.picker.piece_failed(piece);
            }
            content.durable.hurry(shared.now);
        }
    }

    /// Stands still because of a fault of the disk: for the user to mend, or until it passes.
    pub(super) fn fail(&mut self, error: &DiskError, shared: &mut Shared) {
        let first = self.fault.is_none();
        let reason = error.advice();
        if error.passes() && self.running {
            // What is there is still given to others.
            self.fault = Some(Fault { reason: reason.clone(), retry_at: shared.now + RETRY });
        } else {
            let retry_at = if error.passes() { shared.now + RETRY } else { Moment::NEVER };
            self.fault = Some(Fault { reason: reason.clone(), retry_at });
            self.stop_running(shared);
        }
        if first && self.leaving.is_none() {
            let name = self.name();
            shared.log(Level::Error, format!("{name}: {reason}"));
            shared.event(Event::Failed { torrent: self.info_hash, name, reason });
        }
    }

    /// Tries again what failed.
    pub(super) fn retry(&mut self, shared: &mut Shared) {
        self.fault = None;
        for link in self.links.values_mut() {
            link.hungry = true;
        }
        self.start(shared);
        self.finish_if_complete(shared);
    }

    /// Leaves the swarm for as long as the user is disconnected.
    pub(in crate::engine) fn rest(&mut self, shared: &mut Shared) {
        self.resting |= self.running || self.waking;
        self.stop_running(shared);
        self.retell(shared.unix_start);
    }

    /// Stops all transfer because the user wants it.
    pub(in crate::engine) fn pause(&mut self, shared: &mut Shared) {
        if self.choices.paused || self.leaving.is_some() || self.is_asleep() {
            return;
        }
        self.choices.paused = true;
        self.stop_running(shared);
        shared.store(Change::Put(Box::new(self.record())));
    }

    /// Goes on because the user wants it.
    pub(in crate::engine) fn resume(&mut self, shared: &mut Shared) {
        if self.leaving.is_some() || self.is_asleep() {
            return;
        }
        let failed = self.fault.take().is_some();
        if self.choices.paused && self.choices.enough == Enough::Paused {
            self.choices.enough = Enough::GoOn;
        }
        if std::mem::replace(&mut self.choices.paused, false) {
            shared.store(Change::Put(Box::new(self.record())));
        }
        if failed && !self.running {
            self.look_again();
        }
        self.start(shared);
    }

    /// Lets the next start look at the disk anew: it may have changed while a fault was mended.
    fn look_again(&mut self) {
        let progress = self.progress();
        if let Some(content) = self.content.as_mut().filter(|content| content.disk == DiskState::Ready) {
            content.disk = DiskState::Closed;
            content.known = Known::Progress(progress);
        }
    }

    /// Hashes everything again.
    pub(in crate::engine) fn recheck(&mut self, shared: &mut Shared) {
        if self.leaving.is_some() || self.content.is_none() || self.moving.is_some() {
            return;
        }
        self.fault = None;
        self.stop_running(shared);
        self.told_seeding = false;
        let all = self.all_pieces();
        let Some(content) = &mut self.content else { return };
        content.finished = false;
        match content.disk {
            DiskState::Closed => {
                content.known = Known::Nothing;
                content.pieces.set_have(&Bitfield::new(all.len()));
                content.durable.found(&Bitfield::new(all.len()), Vec::new());
                self.open(shared);
            }
            DiskState::Ready => {
                content.known = Known::Nothing;
                content.disk = DiskState::Closed;
                content.pieces.set_have(&Bitfield::new(all.len()));
                content.durable.found(&Bitfield::new(all.len()), Vec::new());
                self.open(shared);
            }
            // What is found of the files is not believed but hashed.
            DiskState::Opening => content.known = Known::Nothing,
            DiskState::Checking { .. } | DiskState::Moving | DiskState::Closing => {}
        }
    }

    /// Begins to leave; [`Torrent::is_gone`] says when that is over.
    pub(in crate::engine) fn leave(&mut self, why: Leaving, shared: &mut Shared) {
        if self.leaving.is_none() || matches!(why, Leaving::Removed { .. }) {
            self.leaving = Some(why);
        }
        self.stop_running(shared);
        self.go_on_leaving(shared);
    }

    /// Takes the next step of leaving.
    pub(super) fn go_on_leaving(&mut self, shared: &mut Shared) {
        let (Some(why), key) = (self.leaving, self.key) else { return };
        let Some(content) = &mut self.content else { return };
        let (delete, keep) = match why {
            Leaving::Removed { delete } => (delete, false),
            Leaving::Ended => (false, true),
        };
        let open = !matches!(content.disk, DiskState::Closed | DiskState::Closing);
        let unopened_delete = delete && content.disk == DiskState::Closed && !content.deleted;
        if !open && !unopened_delete {
            return;
        }
        if keep && !content.durable.is_safe() && self.fault.is_none() {
            return;
        }
        if unopened_delete {
            shared.disk(Job::Open { torrent: key, storage: Arc::clone(&content.storage) });
        }
        content.disk = DiskState::Closing;
        content.deleted = delete;
        if keep {
            self.save_progress(shared);
        }
        shared.disk(Job::Close { torrent: key, delete });
    }

    /// The disk has closed it.
    pub(in crate::engine) fn closed(&mut self, outcome: Result<(), DiskError>, shared: &mut Shared) {
        // One that went to rest may be open again by now.
        let closing = |content: &&mut Box<Content>| content.disk == DiskState::Closing;
        if let Some(content) = self.content.as_mut().filter(closing) {
            content.disk = DiskState::Closed;
        }
        if let Err(error) = outcome {
            let text = format!("{}: not everything could be deleted: {error}", self.name());
            shared.log(Level::Warning, text);
        }
    }

    /// Whether nothing of it is left to be done, farewells to trackers aside.
    pub(in crate::engine) fn is_closed(&self) -> bool {
        self.leaving.is_some()
            && self.content.as_ref().is_none_or(|content| match self.leaving {
                Some(Leaving::Removed { delete: true }) => {
                    content.disk == DiskState::Closed && content.deleted
                }
                _ => content.disk == DiskState::Closed,
            })
    }

    /// Whether it is off the list and nothing more is to be done for it.
    pub(in crate::engine) fn is_gone(&self) -> bool {
        let removed = matches!(self.leaving, Some(Leaving::Removed { .. }));
        removed && self.is_closed() && !self.is_saying_farewell()
    }

    /// Whether trackers are still being told that it has left.
    pub(in crate::engine) fn is_saying_farewell(&self) -> bool {
        self.announcer.saying_farewell()
    }
}

impl Content {
    /// What to believe of the disk: the pieces that are had, and those that must be hashed first.
    fn judge(&self, stamps: &[FileStamp]) -> (Bitfield, Bitfield) {
        let layout = &self.meta.layout;
        let count = layout.piece_count() as usize;
        let files = || layout.files().iter().enumerate().filter(|(_, file)| !file.pad && file.length > 0);
        let there = |number: usize| stamps.get(number).is_some_and(|stamp| stamp.exists);
        let whole = |number: usize, length: u64| there(number) && stamps[number].length == length;
        let mut doubtful = Bitfield::new(count);
        match &self.known {
            Known::Everything if files().all(|(number, file)| whole(number, file.length)) => {
                return (Bitfield::full(count), doubtful);
            }
            Known::Progress(Progress { have: Some(have), suspect, stamps: before, .. }) => {
                let mut have = have.clone();
                for piece in suspect {
                    doubtful.insert(*piece);
                }
                for (number, _) in files() {
                    let same = before.get(number) == stamps.get(number);
                    // A file that was written to since is only as doubtful as its suspects, unless it is gone or shorter.
                    let grown = !suspect.is_empty()
                        && there(number)
                        && before.get(number).is_none_or(|before| stamps[number].length >= before.length);
                    if !same && !grown {
                        for piece in layout.pieces_of(number).map(PieceIndex) {
                            if have.contains(piece) || there(number) {
                                doubtful.insert(piece);
                            }
                        }
                    }
                }
                for piece in doubtful.iter() {
                    have.remove(piece);
                }
                return (have, doubtful);
            }
            _ => {}
        }
        for (number, _) in files().filter(|(number, _)| there(*number)) {
            for piece in layout.pieces_of(number) {
                doubtful.insert(PieceIndex(piece));
            }
        }
        (Bitfield::new(count), doubtful)
    }
}
