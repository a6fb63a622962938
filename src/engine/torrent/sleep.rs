//! Torrents at rest: what has nothing to do, or waits for its turn to download, keeps its row, its trackers and its choices,
//! and forgets the rest.
//!
//! What it was made of, the table of its pieces above all, is read from the session's store when somebody wants it: a peer,
//! the user, or a tracker that names downloaders. Trackers are told that it is there all the while.

use std::sync::Arc;

use crate::api::{Event, TorrentRow};
use crate::base::{Moment, Span};
use crate::disk::Job;
use crate::engine::Output;
use crate::engine::record::{Change, Counters, Record, Summary};
use crate::engine::shared::Shared;
use crate::metainfo;
use crate::swarm::Roster;

use super::content::{DiskState, Known};
use super::{Fault, Torrent, row};

/// What has nothing to do for so long goes to rest.
const REST: Span = Span::from_secs(60);
/// What is not written down yet is waited for.
const WRITING: Span = Span::from_secs(5);

/// What is kept of a torrent at rest, besides its row.
#[derive(Debug)]
pub(super) struct Sleep {
    /// Bytes that are missing, and whether every wanted one is there: for trackers.
    pub(super) left: u64,
    pub(super) complete: bool,
    /// What it is made of is being read.
    loading: bool,
    /// When its trackers are asked: torrents at rest take turns.
    turn: Option<Moment>,
    /// When it wakes to have its files looked at for the first time in this run.
    look: Moment,
}

impl Torrent {
    /// Whether nothing of it is in memory but its summary.
    pub(in crate::engine) fn is_asleep(&self) -> bool {
        self.sleep.is_some()
    }

    /// Whether what it is made of is being read.
    pub(in crate::engine) fn is_loading(&self) -> bool {
        self.sleep.as_ref().is_some_and(|sleep| sleep.loading)
    }

    /// Whether it is at rest and has something to fetch now.
    pub(in crate::engine) fn is_to_download(&self) -> bool {
        let lacks = self.sleep.as_ref().is_some_and(|sleep| !sleep.complete);
        lacks && !self.waits && !self.choices.paused && self.fault.is_none()
    }

    /// Whether something of it is only written down once it has woken.
    pub(in crate::engine) fn is_unwritten(&self) -> bool {
        self.unwritten
    }

    /// Whether it is asleep and is to stay so for now.
    pub(in crate::engine) fn rests(&self) -> bool {
        self.is_asleep() && !self.is_loading() && self.leaving.is_none() && self.fault.is_none()
    }

    /// Whether a peer that has said who he is can be answered in a moment.
    pub(in crate::engine) fn may_answer_soon(&self) -> bool {
        let coming = (self.is_asleep() && self.running) || self.waking;
        coming && self.fault.is_none() && self.leaving.is_none()
    }

    /// Is at rest from the start: a torrent of the last run of which only the summary was read. Its files are looked at
    /// when it wakes, by itself at `look`.
    pub(in crate::engine) fn born_asleep(&mut self, record: Brief, look: Moment, shared: &mut Shared) {
        let Brief { summary, done } = record;
        let paused = self.choices.paused;
        self.fetch = None;
        self.announcer.add_tiers(&summary.trackers);
        let complete = done == summary.size;
        let base = if self.downloaded() > 0 { self.downloaded() } else { summary.size };
        let row = TorrentRow {
            info_hash: self.info_hash,
            name: self.choices.title.clone().unwrap_or_else(|| summary.name.clone()),
            name_on_disk: self.choices.title.is_some().then_some(summary.name),
            size: summary.size,
            wanted: summary.size,
            done,
            progress: if summary.size == 0 { 1.0 } else { (done as f64 / summary.size as f64) as f32 },
            downloaded: self.downloaded(),
            uploaded: self.uploaded(),
            ratio: if base == 0 { 0.0 } else { (self.uploaded() as f64 / base as f64) as f32 },
            folder: self.choices.folder.clone(),
            target: self.choices.target.clone(),
            added_unix: self.choices.added_unix,
            completed_unix: self.choices.completed_unix,
            private: summary.private,
            sequential: self.choices.sequential,
            shared_here: self.choices.shared_here,
            limits: self.choices.limits,
            label: self.choices.label.clone(),
            goals: self.choices.goals,
            magnet: summary.magnet,
            ..TorrentRow::default()
        };
        self.row = row::Cache::of(Arc::new(row));
        let look = if paused || !complete { Moment::NEVER } else { look };
        let left = summary.size - done;
        self.sleep = Some(Box::new(Sleep { left, complete, loading: false, turn: None, look }));
        self.start(shared);
        self.retell(shared.unix_start);
    }

    /// Takes part in its swarm without waking, as far as that goes: trackers are told.
    pub(super) fn start_asleep(&mut self, shared: &mut Shared) {
        self.resting = shared.resting;
        if !self.resting && !std::mem::replace(&mut self.running, true) {
            self.count_seeding(shared.now);
            self.announcer.start(shared.now);
        }
        self.retell(shared.unix_start);
    }

    /// What a later start needs to know of it without its .torrent file.
    pub(super) fn summary(&self) -> Option<Summary> {
        let meta = &self.content.as_ref()?.meta;
        Some(Summary {
            name: meta.name.clone(),
            size: meta.layout.total_length(),
            piece_length: meta.layout.piece_length(),
            private: meta.private,
            trackers: meta.trackers.clone(),
            magnet: meta.magnet().to_string(),
        })
    }

    /// Has what it is made of read again, where that is not in memory.
    pub(in crate::engine) fn wake(&mut self, shared: &mut Shared) {
        if let Some(sleep) = self.sleep.as_mut().filter(|sleep| !sleep.loading) {
            sleep.loading = true;
            self.fault = None;
            shared.emit(Output::Load(self.info_hash));
        }
    }

    /// What it is made of was read, or could not be.
    pub(in crate::engine) fn loaded(
        &mut self,
        loaded: Result<Box<(Record, metainfo::Torrent)>, String>,
        shared: &mut Shared,
    ) {
        if !self.is_loading() || self.leaving.is_some() {
            return;
        }
        match loaded {
            Ok(loaded) if loaded.1.info_hash == self.info_hash => {
                let (record, torrent) = *loaded;
                self.sleep = None;
                self.magnet = record.magnet.as_deref().and_then(|link| link.parse().ok());
                self.adopt(Box::new(torrent), Some(record.progress), false);
                // Its trackers know it; peers are met once its files were looked at.
                self.waking = std::mem::replace(&mut self.running, false);
                if std::mem::take(&mut self.unwritten) {
                    shared.store(Change::Put(Box::new(self.record())));
                }
                self.start(shared);
            }
            other => {
                let why = other.err().unwrap_or_else(|| "its copy is another torrent".into());
                self.cannot_wake(&why, shared);
            }
        }
    }

    fn cannot_wake(&mut self, why: &str, shared: &mut Shared) {
        if let Some(sleep) = &mut self.sleep {
            sleep.loading = false;
        }
        let reason =
            format!("Its .torrent file cannot be read: {why}. Resume to try again, or add it again.");
        self.stop_running(shared);
        self.fault = Some(Fault { reason: reason.clone(), retry_at: Moment::NEVER });
        self.retell(shared.unix_start);
        let name = self.name();
        shared.log(crate::api::Level::Error, format!("{name}: {reason}"));
        shared.event(Event::Failed { torrent: self.info_hash, name, reason });
    }

    /// Does what is due at rest; true where it is to wake.
    pub(in crate::engine) fn settle_asleep(&mut self, shared: &mut Shared) -> bool {
        let now = shared.now;
        let due = self.announcer.next_deadline() <= now;
        let Some(sleep) = self.sleep.as_mut().filter(|sleep| !sleep.loading) else { return false };
        if due && *sleep.turn.get_or_insert_with(|| shared.next_turn()) <= now {
            sleep.turn = None;
            self.ask_trackers(shared);
        }
        if self.timers.save <= now {
            self.save_counters(shared);
        }
        let look = self.sleep.as_ref().is_some_and(|sleep| sleep.look <= now);
        self.has_given_enough(shared) || look
    }

    /// When [`Torrent::settle_asleep`] has something to do by itself.
    pub(in crate::engine) fn asleep_until(&self, shared: &Shared) -> Moment {
        match &self.sleep {
            Some(sleep) if !sleep.loading => {
                let trackers = sleep.turn.unwrap_or_else(|| self.announcer.next_deadline());
                trackers.min(sleep.look).min(self.timers.save).min(self.next_goal(shared))
            }
            _ => Moment::NEVER,
        }
    }

    /// Writes down what is counted, and no more: of its pieces nothing is in memory.
    pub(in crate::engine) fn save_counters(&mut self, shared: &mut Shared) {
        self.timers.save = Moment::NEVER;
        self.count_seeding(shared.now);
        let (downloaded, uploaded) = (self.downloaded(), self.uploaded());
        let counters = Counters { downloaded, uploaded, seeded_secs: self.seeding.secs() };
        shared.store(Change::Counters(self.info_hash, counters));
    }

    /// A tracker has answered while it was at rest; true where it named somebody who may want something.
    pub(super) fn hears_of_peers(&mut self, shared: &Shared) -> bool {
        let wanted = self.running
            && !self.roster.is_empty()
            && self.announcer.swarm().is_none_or(|(incomplete, _)| incomplete > 0);
        if !wanted {
            self.forget_peers();
        }
        self.retell(shared.unix_start);
        wanted
    }

    /// Goes to rest where there has been nothing to do for a while.
    pub(super) fn rest_if_idle(&mut self, shared: &mut Shared) {
        let now = shared.now;
        if !self.is_idle(shared) {
            self.timers.rest = Moment::NEVER;
        } else if self.timers.rest == Moment::NEVER {
            self.timers.rest = now + REST;
        } else if self.timers.rest <= now {
            if shared.all_written() {
                self.fall_asleep(shared);
            } else {
                self.timers.rest = now + WRITING;
            }
        }
    }

    fn is_idle(&self, shared: &Shared) -> bool {
        let Some(content) = &self.content else { return false };
        let paused = self.choices.paused;
        let settled = match content.disk {
            DiskState::Ready if self.is_complete() => {
                let moves = self.choices.target.is_some();
                paused || (!moves && (content.finished || self.resting || self.waits))
            }
            // One that was never looked at and is known to be whole must not forget that.
            DiskState::Closed if matches!(content.known, Known::Everything) => paused,
            DiskState::Ready | DiskState::Closed => paused || self.waits,
            _ => false,
        };
        // Nobody but the user would tell of these again.
        let expects = self.roster.awaits() && !paused;
        shared.may_rest
            && !shared.ending
            && shared.watched != Some(self.info_hash)
            && settled
            && !expects
            && self.leaving.is_none()
            && self.fault.is_none()
            && self.moving.is_none()
            && !self.waking
            && self.links.is_empty()
            && self.connecting == 0
            && content.durable.is_settled()
    }

    fn fall_asleep(&mut self, shared: &mut Shared) {
        if self.timers.save != Moment::NEVER {
            self.save_progress(shared);
        }
        let row = self.row(shared.now, shared.unix_start);
        let Some(content) = self.content.take() else { return };
        if content.disk == DiskState::Ready {
            shared.disk(Job::Close { torrent: self.key, delete: false });
        }
        let still = TorrentRow { down_rate: 0, up_rate: 0, eta_secs: None, ..TorrentRow::clone(&row) };
        self.row = row::Cache::of(Arc::new(still));
        let complete = content.pieces.is_complete();
        self.sleep = Some(Box::new(Sleep {
            left: content.pieces.total_left(),
            complete,
            loading: false,
            turn: None,
            look: Moment::NEVER,
        }));
        self.magnet = None;
        self.timers.rest = Moment::NEVER;
        self.forget_peers();
        self.retell(shared.unix_start);
    }

    fn forget_peers(&mut self) {
        self.roster = Roster::new(self.rng.fork());
    }

    /// Brings what may change of its row at rest up to date.
    pub(in crate::engine) fn retell(&mut self, unix_start: u64) {
        let Some(last) = self.row.last().filter(|_| self.is_asleep()) else { return };
        let state = self.state();
        let (seeded_secs, since) = self.seeding.stretch();
        let row = TorrentRow {
            state,
            reason: self.sentence(state, 0, 0),
            swarm: self.announcer.swarm(),
            queue: self.position,
            seeded_secs,
            seeding_since_unix: since.map(|since| unix_start + since.micros() / 1_000_000),
            ..TorrentRow::clone(last)
        };
        if row != **last {
            self.row = row::Cache::of(Arc::new(row));
        }
    }

    /// Whether its row shows another place in the queue than it has.
    pub(in crate::engine) fn shows_another_place(&self) -> bool {
        self.row.last().is_some_and(|row| row.queue != self.position)
    }

    /// Gives it another place in the queue, written down as soon as it can be; true where it has to wake for that.
    pub(in crate::engine) fn set_place(&mut self, place: u64, shared: &mut Shared) -> bool {
        self.choices.place = place;
        self.unwritten = self.is_asleep();
        if !self.unwritten {
            shared.store(Change::Put(Box::new(self.record())));
        }
        self.unwritten
    }

    /// Whether it is not paused, or may not be once it has done what it was told before.
    pub(in crate::engine) fn may_be_told_to_pause(&self) -> bool {
        !self.choices.paused || self.is_loading()
    }

    /// Whether it stands still for a fault.
    pub(in crate::engine) fn is_faulty(&self) -> bool {
        self.fault.is_some()
    }

    /// Whether what it is made of could not be read, so that nothing that was asked of it was done.
    pub(in crate::engine) fn has_lost_itself(&self) -> bool {
        self.is_asleep() && !self.is_loading() && self.leaving.is_none() && self.fault.is_some()
    }

    /// Why it stands still, where that is for a fault.
    pub(in crate::engine) fn fault_text(&self) -> Option<String> {
        self.fault.as_ref().map(|fault| fault.reason.clone())
    }

    /// Whether its counters are not what was written down.
    pub(in crate::engine) fn has_counted(&self) -> bool {
        self.running || self.timers.save != Moment::NEVER
    }

    /// Whether a tracker may have to be told when it leaves.
    pub(in crate::engine) fn is_known_to_trackers(&self) -> bool {
        self.running && !self.announcer.is_empty()
    }

    /// The row that it had when it went to rest, or that it has had since.
    pub(in crate::engine) fn last_row(&self) -> Option<&Arc<TorrentRow>> {
        self.row.last()
    }
}

/// What a torrent of the last run is, in short.
pub(in crate::engine) struct Brief {
    pub(in crate::engine) summary: Summary,
    /// Bytes that are there.
    pub(in crate::engine) done: u64,
}

impl Brief {
    /// Of a record that says enough: everything is there, or nothing is to be done because it is paused, or `may_wait` for its
    /// turn.
    pub(in crate::engine) fn of(record: &mut Record, may_wait: bool) -> Option<Self> {
        let says_enough = record.needs_no_metadata() || (may_wait && record.can_wait());
        if !says_enough {
            return None;
        }
        let (summary, have) = (record.summary.take()?, record.progress.have.take()?);
        let piece = u64::from(summary.piece_length);
        let last = have.len().checked_sub(1).map(|last| crate::base::PieceIndex(last as u32));
        let short = (have.len() as u64 * piece).saturating_sub(summary.size);
        let lacks = if last.is_some_and(|last| have.contains(last)) { short } else { 0 };
        let done = (have.count() as u64 * piece).saturating_sub(lacks).min(summary.size);
        let done = if have.all() { summary.size } else { done };
        Some(Self { summary, done })
    }
}
