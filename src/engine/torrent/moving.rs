//! Moving the files to another folder: because the user wants it, or because what stood with the incomplete is complete.
//!
//! That a move begins is written down before anything is moved, and so is its end. One that was cut short by the end of the
//! program is taken up when it starts again. While files move nothing is written to them; what is complete is given to
//! others all the while.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::api::{Event, JobKind, JobRow, Level, RequestId};
use crate::base::{Moment, RateMeter, Span};
use crate::disk::{FileStamp, Job, Relocation, Storage};
use crate::engine::record::Change;
use crate::engine::shared::Shared;

use super::Torrent;
use super::content::{Content, DiskState};

/// How long after a failure what is complete is moved again.
const AGAIN: Span = Span::from_secs(300);

/// A move that waits or goes on.
#[derive(Debug)]
pub(super) struct Moving {
    request: RequestId,
    pub(super) to: PathBuf,
    /// Whether the user asked for it in this run; otherwise it is the session's own wish.
    asked: bool,
    /// Whether an earlier try was cut short.
    resumed: bool,
    step: Step,
    done: u64,
    total: u64,
    meter: RateMeter,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Until this change is durable.
    Writing(u64),
    /// Until the disk is ready for it.
    Waiting,
    /// The disk is at it.
    Working,
}

/// What is to be done once a move has ended, and what came of the last one.
#[derive(Debug, Default)]
pub(super) struct Aftermath {
    /// What the user is told then.
    pub(super) tell: Option<Event>,
    /// Why the session's own move failed, and when it is tried again.
    pub(super) failed: Option<(String, Moment)>,
}

impl Torrent {
    /// Moves the files because the user wants it.
    pub(in crate::engine) fn move_to(&mut self, request: RequestId, folder: PathBuf, shared: &mut Shared) {
        let refuse = |reason: &str, shared: &mut Shared| {
            shared.event(Event::Refused { request, reason: reason.into() });
        };
        if self.leaving.is_some() {
            return refuse("It is just being removed.", shared);
        }
        if self.moving.is_some() {
            return refuse("Its files are being moved already; cancel that first.", shared);
        }
        self.choices.target = None;
        self.begin_move(request, folder, true, shared);
    }

    /// Moves what is complete to where it belongs.
    pub(super) fn move_when_complete(&mut self, shared: &mut Shared) {
        let rests = self.aftermath.failed.as_ref().is_some_and(|(_, again)| *again > shared.now);
        let may = self.moving.is_none() && self.leaving.is_none() && self.fault.is_none() && !rests;
        // The last touches are made, too.
        if may
            && self.told_seeding
            && self.is_complete()
            && let Some(target) = self.choices.target.clone()
        {
            let request = shared.own_request();
            self.begin_move(request, target, false, shared);
        }
    }

    /// Takes up a move of the last run.
    pub(in crate::engine) fn resume_move(&mut self, to: PathBuf, shared: &mut Shared) {
        let request = shared.own_request();
        self.moving = Some(Moving::new(request, to, false, true, Step::Waiting));
        self.go_on_moving(shared);
    }

    fn begin_move(&mut self, request: RequestId, to: PathBuf, asked: bool, shared: &mut Shared) {
        self.aftermath.failed = None;
        if to == self.choices.folder || self.content.is_none() {
            // Without metadata there are no files yet.
            self.choices.folder.clone_from(&to);
            self.choices.target = None;
            shared.store(Change::Put(Box::new(self.record())));
            shared.event(Event::Moved { request, torrent: self.info_hash, folder: to });
            return;
        }
        // A folder that has become useless is a reason to move.
        self.fault = None;
        if !self.is_complete() {
            self.stop_running(shared);
        }
        self.moving = Some(Moving::new(request, to, asked, false, Step::Waiting));
        let seq = shared.store(Change::Put(Box::new(self.record())));
        if let Some(moving) = &mut self.moving {
            moving.step = Step::Writing(seq);
        }
        shared.waits_for_store.insert(self.key);
    }

    /// Takes the next step of a move.
    pub(super) fn go_on_moving(&mut self, shared: &mut Shared) {
        let (Some(moving), Some(content)) = (&mut self.moving, &mut self.content) else { return };
        if let Step::Writing(seq) = moving.step {
            if let Some(reason) = shared.store_failed(seq) {
                let error = format!("that they move could not be written down: {reason}");
                return self.end_move(Err(Some(error)), shared);
            }
            if shared.stored_seq < seq {
                shared.waits_for_store.insert(self.key);
                return;
            }
            moving.step = Step::Waiting;
        }
        if moving.step != Step::Waiting || self.leaving.is_some() || self.fault.is_some() {
            return;
        }
        match content.disk {
            DiskState::Closed => {
                let storage = Arc::clone(&content.storage);
                content.disk = DiskState::Moving;
                shared.disk(Job::Open { torrent: self.key, storage });
            }
            DiskState::Ready if content.durable.is_safe() => {}
            _ => return,
        }
        moving.step = Step::Working;
        shared.disk(Job::Move { torrent: self.key, to: moving.to.clone(), resumed: moving.resumed });
    }

    /// A move goes on.
    pub(in crate::engine) fn moving_on(&mut self, done: u64, total: u64, now: Moment) {
        if let Some(moving) = &mut self.moving {
            moving.meter.add(now, done.saturating_sub(moving.done));
            (moving.done, moving.total) = (done, total);
        }
    }

    /// A move has ended.
    pub(in crate::engine) fn moved(&mut self, outcome: Relocation, shared: &mut Shared) {
        let Some(moving) = &mut self.moving else { return };
        let was_closed = self.content.as_ref().is_some_and(|content| content.disk == DiskState::Moving);
        match outcome {
            Relocation::Moved(stamps) => {
                let to = moving.to.clone();
                if let Some(content) = &mut self.content {
                    content.settle_in(&to);
                }
                self.choices.folder.clone_from(&to);
                self.choices.target = None;
                self.arrived(stamps, was_closed, shared);
                self.end_move(Ok(()), shared);
            }
            Relocation::Undone(error) => {
                self.close_again(was_closed);
                self.end_move(Err(error.map(|error| error.advice())), shared);
            }
            Relocation::Stuck(error) => {
                self.close_again(was_closed);
                moving_again(&mut self.moving);
                self.fail(&error, shared);
                self.stop_running(shared);
            }
        }
    }

    /// The files are as these stamps say, in the new folder.
    fn arrived(&mut self, stamps: Vec<FileStamp>, was_closed: bool, shared: &mut Shared) {
        let Some(content) = &mut self.content else { return };
        if was_closed {
            content.disk = DiskState::Opening;
            if self.leaving.is_none() {
                self.opened(Ok(stamps), shared);
            }
        } else {
            content.durable.set_stamps(stamps);
        }
    }

    fn close_again(&mut self, was_closed: bool) {
        if let Some(content) = self.content.as_mut().filter(|_| was_closed) {
            content.disk = DiskState::Closed;
        }
    }

    /// Nothing moves any more: it went well, or not for a reason, or was cancelled.
    fn end_move(&mut self, outcome: Result<(), Option<String>>, shared: &mut Shared) {
        let Some(moving) = self.moving.take() else { return };
        let (torrent, name, request) = (self.info_hash, self.name(), moving.request);
        // A session that ends takes it up again.
        if self.leaving.is_some() {
            return;
        }
        match outcome {
            Ok(()) => shared.event(Event::Moved { request, torrent, folder: moving.to }),
            Err(None) if !moving.asked => self.choices.target = None,
            Err(None) => {}
            Err(Some(reason)) => {
                if !moving.asked {
                    self.aftermath.failed = Some((reason.clone(), shared.now + AGAIN));
                }
                let text = format!("{name} stays where it is. {reason}");
                shared.log(Level::Error, text.clone());
                shared.event(Event::Refused { request, reason: text });
            }
        }
        shared.store(Change::Put(Box::new(self.record())));
        if let Some(storage) = self.apply_priorities() {
            shared.disk(Job::Update { torrent: self.key, storage });
        }
        if let Some(event) = self.aftermath.tell.take() {
            shared.event(event);
        }
        self.start(shared);
        self.wants_changed(shared);
    }

    /// Ends a move of that name, where it is this torrent's.
    pub(in crate::engine) fn cancel_move(&mut self, request: RequestId, shared: &mut Shared) -> bool {
        let Some(moving) = self.moving.as_ref().filter(|moving| moving.request == request) else {
            return false;
        };
        match moving.step {
            Step::Working => shared.disk(Job::StopMove { torrent: self.key }),
            // What an earlier try has done is not known; it is brought to its end.
            _ if moving.resumed => {}
            _ => self.end_move(Err(None), shared),
        }
        true
    }

    /// Its move as a user sees it.
    pub(in crate::engine) fn move_row(&mut self, now: Moment) -> Option<JobRow> {
        let name = self.name();
        let moving = self.moving.as_mut()?;
        Some(JobRow {
            request: moving.request,
            kind: JobKind::Move,
            name,
            done: moving.done,
            total: moving.total,
            rate: moving.meter.rate(now),
        })
    }

    /// Whether the files stand still only because they move.
    pub(super) fn is_held_by_move(&self) -> bool {
        self.moving.is_some() && !self.is_complete()
    }

    /// The folder it moves to, now or when it is complete.
    pub(super) fn target(&self) -> Option<&Path> {
        let moving = self.moving.as_ref().map(|moving| moving.to.as_path());
        moving.or(self.choices.target.as_deref())
    }
}

impl Moving {
    fn new(request: RequestId, to: PathBuf, asked: bool, resumed: bool, step: Step) -> Self {
        Self { request, to, asked, resumed, step, done: 0, total: 0, meter: RateMeter::default() }
    }
}

/// The next try goes on where this one broke off.
fn moving_again(moving: &mut Option<Moving>) {
    if let Some(moving) = moving {
        (moving.step, moving.resumed) = (Step::Waiting, true);
    }
}

impl Content {
    /// The files are in another folder from now on.
    fn settle_in(&mut self, root: &Path) {
        self.storage = Arc::new(Storage { root: root.to_path_buf(), ..Storage::clone(&self.storage) });
    }
}
