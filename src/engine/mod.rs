//! The one owner of all decisions: inputs in, outputs out, no clock, socket or file.
//!
//! - `io`: [`Input`] and [`Output`], all that passes between the engine and its shell
//! - `torrent`: one torrent: its stages, peers, transfers and contacts
//! - `conns`: connections until it is known which torrent they are about
//! - `commands`: what a user asks for
//! - `dormant`: torrents that have nothing to do, and who waits for one of them
//! - `queue`: whose turn it is
//! - `limits`: rates: of one torrent, of a label, of all
//! - `sending`: what sockets hold of the blocks that were given to them
//! - `settling`: who waits until what was asked is done
//! - `stopping`: torrents that are stopped and written down
//! - `shared`: what all torrents share: the way out, limits, the time
//! - `record`: [`Record`] and [`Change`], what survives of a torrent between two runs

mod commands;
mod conns;
mod dormant;
mod io;
mod limits;
mod queue;
mod record;
mod sending;
mod settling;
mod shared;
mod stopping;
#[cfg(test)]
mod tests;
mod torrent;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

use crate::api::{Detail, Event, JobRow, Settings, TorrentRow, Totals};
use crate::base::{Bitfield, InfoHash, Moment, Rng, Span, TorrentKey};
use crate::disk::Done;

pub use io::{Addition, End, Input, Output, Subject};
pub use record::{Change, Counters, Enough, Progress, Record, Summary};

use dormant::Dormant;
use shared::Shared;
use torrent::Torrent;

/// A session that ends waits so long for trackers to hear of it.
const FAREWELL: Span = Span::from_secs(3);

/// All torrents of a session, and everything that is decided about them.
///
/// [`Engine::handle`] brings something in; [`Engine::poll`] hands out what follows from it and must be called until it has
/// nothing more before anything is waited for.
#[derive(Debug)]
pub struct Engine {
    shared: Shared,
    /// Those that do something, in the order they were added.
    torrents: BTreeMap<TorrentKey, Torrent>,
    /// Those that do nothing.
    dormant: Dormant,
    /// The rows as they were told last.
    told: Told,
    by_hash: HashMap<InfoHash, TorrentKey>,
    next_torrent: u32,
    /// Torrents to which something happened since they were settled.
    touched: BTreeSet<TorrentKey>,
    /// Who is settled first next time: where a limit is shared, the first gets what it lets through.
    first: TorrentKey,
    /// When each torrent has something to do by itself.
    deadlines: BTreeSet<(Moment, TorrentKey)>,
    deadline_of: HashMap<TorrentKey, Moment>,
    /// Whether it may be somebody else's turn.
    queue_stale: bool,
    /// The last place in the queue that anybody has had.
    highest_place: Option<u64>,
    /// When other limits may hold.
    limits_at: Moment,
    /// When connections that nobody answers are given up.
    sweep_at: Moment,
    /// Torrents that are being stopped because a user waits for that.
    stopping: Vec<stopping::Stopping>,
    /// Who waits until what was asked is done.
    settling: Vec<settling::Settling>,
    /// When a session that is ending ends, whatever is left to be done.
    end_by: Moment,
    ended: bool,
}

/// The list of rows as it was told last, and those in it of torrents that were not at rest.
#[derive(Debug, Default)]
struct Told {
    rows: Arc<Vec<Arc<TorrentRow>>>,
    awake: Vec<KeyedRow>,
}

/// A row with whose it is.
type KeyedRow = (TorrentKey, Arc<TorrentRow>);

impl Engine {
    /// A session without torrents. `unix_start` is the time at [`Moment::ZERO`] in seconds since 1970.
    pub fn new(now: Moment, unix_start: u64, settings: Arc<Settings>, rng: Rng) -> Self {
        let mut shared = Shared::new(now, unix_start, settings, rng);
        let limits_at = shared.set_limits();
        Self {
            shared,
            torrents: BTreeMap::new(),
            dormant: Dormant::default(),
            told: Told::default(),
            by_hash: HashMap::new(),
            next_torrent: 0,
            touched: BTreeSet::new(),
            first: TorrentKey(0),
            deadlines: BTreeSet::new(),
            deadline_of: HashMap::new(),
            queue_stale: false,
            highest_place: None,
            limits_at,
            sweep_at: Moment::NEVER,
            stopping: Vec::new(),
            settling: Vec::new(),
            end_by: Moment::NEVER,
            ended: false,
        }
    }

    /// Says what a clock on the wall shows, as seconds since 1970, for limits at some hours.
    pub fn set_local_time(&mut self, now: Moment, secs: i64) {
        self.shared.now = now;
        let ahead = secs - self.shared.unix_secs().cast_signed();
        // Both count whole seconds.
        if ahead.abs_diff(self.shared.ahead) > 1 {
            self.shared.ahead = ahead;
            self.renew_limits();
        }
    }

    /// Lets torrents that have nothing to do rest: their records are kept where [`Output::Load`] finds them.
    pub fn let_rest(&mut self) {
        self.shared.may_rest = true;
    }

    /// Takes something that happened.
    pub fn handle(&mut self, now: Moment, input: Input) {
        self.shared.now = now;
        match input {
            Input::Connected { conn } => self.connected(conn),
            Input::ConnectFailed { conn } => self.connect_failed(conn),
            Input::Accepted { conn, addr } => self.accepted(conn, addr),
            Input::DoorsOpened { conn, addrs } => {
                if let Some(torrent) = self.linked(conn) {
                    self.torrent(torrent, |torrent, _| torrent.doors_opened(conn, addrs));
                }
            }
            Input::Received { conn, items } => self.received(conn, items),
            Input::Sent { conn, bytes } => {
                if let Some(torrent) = self.linked(conn) {
                    self.torrent(torrent, |torrent, shared| torrent.sent(conn, bytes, shared));
                }
            }
            Input::Closed { conn, end } => self.lost(conn, end),
            Input::Disk(done) => self.disk(done),
            Input::Announced { torrent, id, answer } => {
                if self.dormant.get(torrent).is_some() {
                    self.with_asleep(torrent, |torrent, shared| torrent.announced(id, answer, shared));
                } else {
                    self.torrent(torrent, |torrent, shared| _ = torrent.announced(id, answer, shared));
                }
            }
            Input::Stored { seq, result } => {
                self.shared.stored(seq, result);
                self.touched.append(&mut self.shared.waits_for_store);
            }
            Input::Add { request, addition } => self.add(request, *addition),
            Input::Restore(record) => self.restore(*record),
            Input::Loaded { torrent, loaded } => {
                self.with(torrent, |torrent, shared| torrent.loaded(loaded, shared));
            }
            Input::Command(command) => self.command(command),
            Input::Settings(settings) => {
                self.command(crate::api::Command::Settings(Box::new(Settings::clone(&settings))));
            }
            Input::Listening(addresses) => self.shared.listening = addresses,
            Input::Rest(on) => self.rest(on),
        }
    }

    /// The next effect; nothing where there is none until an input or [`Engine::next_deadline`].
    pub fn poll(&mut self, now: Moment) -> Option<Output> {
        self.shared.now = now;
        if let Some(output) = self.shared.take_output() {
            return Some(output);
        }
        while let Some((due, key)) = self.deadlines.first().copied()
            && due <= now
        {
            self.set_deadline(key, Moment::NEVER);
            self.touched.insert(key);
        }
        if self.sweep_at <= now {
            self.sweep_conns();
        }
        if std::mem::take(&mut self.shared.disk_caught_up) {
            self.touched.extend(self.torrents.keys());
        }
        if self.limits_at <= now {
            self.renew_limits();
        }
        loop {
            self.settle_touched();
            self.take_turns();
            if self.touched.is_empty() {
                break;
            }
        }
        self.go_on_stopping();
        self.go_on_settling();
        self.end_if_done();
        self.shared.take_output()
    }

    /// When [`Engine::poll`] has something next by itself; [`Moment::NEVER`] where only an input can change that.
    pub fn next_deadline(&self) -> Moment {
        if !self.touched.is_empty() {
            return self.shared.now;
        }
        let torrents = self.deadlines.first().map_or(Moment::NEVER, |(due, _)| *due);
        // Once that is past, what is left waits for a disk, whose answer brings us here again.
        let ending = if self.end_by > self.shared.now { self.end_by } else { Moment::NEVER };
        torrents.min(self.sweep_at).min(ending).min(self.limits_at).min(self.next_stopping())
    }

    /// The torrents in the order they were added, as a user sees them. One that has not changed is the same value as before,
    /// and so is the list where none has.
    pub fn rows(&mut self, now: Moment) -> Arc<Vec<Arc<TorrentRow>>> {
        let unix_start = self.shared.unix_start;
        let stirred = self.dormant.refresh_rows(unix_start);
        let awake = self.torrents.iter_mut().filter(|(_, torrent)| !torrent.is_leaving());
        let awake: Vec<_> = awake.map(|(key, torrent)| (*key, torrent.row(now, unix_start))).collect();
        let same = |(one, other): (&KeyedRow, &KeyedRow)| one.0 == other.0 && Arc::ptr_eq(&one.1, &other.1);
        let told = &mut self.told;
        if !stirred && awake.len() == told.awake.len() && awake.iter().zip(&told.awake).all(same) {
            return Arc::clone(&told.rows);
        }
        let mut rows = Vec::with_capacity(self.by_hash.len());
        let mut before = awake.iter().peekable();
        for (key, row) in self.dormant.rows() {
            while let Some((_, row)) = before.next_if(|(other, _)| other < key) {
                rows.push(Arc::clone(row));
            }
            rows.push(Arc::clone(row));
        }
        rows.extend(before.map(|(_, row)| Arc::clone(row)));
        (told.rows, told.awake) = (Arc::new(rows), awake);
        Arc::clone(&told.rows)
    }

    /// One torrent as a user sees it.
    pub fn row(&mut self, now: Moment, torrent: InfoHash) -> Option<Arc<TorrentRow>> {
        let (key, unix_start) = (*self.by_hash.get(&torrent)?, self.shared.unix_start);
        match self.torrents.get_mut(&key) {
            Some(torrent) => (!torrent.is_leaving()).then(|| torrent.row(now, unix_start)),
            None => self.dormant.row(key, unix_start),
        }
    }

    /// Long work on torrents, in the order they were added.
    pub fn jobs(&mut self, now: Moment) -> Vec<JobRow> {
        self.torrents.values_mut().filter_map(|torrent| torrent.move_row(now)).collect()
    }

    /// The watched torrent in full.
    pub fn detail(&mut self, now: Moment) -> Option<Arc<Detail>> {
        self.shared.now = now;
        let key = self.by_hash.get(&self.shared.watched?)?;
        let torrent = self.torrents.get_mut(key)?;
        Some(Arc::new(torrent.detail(&self.shared)))
    }

    /// Sums over all torrents.
    pub fn totals(&mut self, now: Moment) -> Totals {
        let mut totals =
            Totals { buffered: self.shared.writing + self.shared.sending.bytes(), ..Totals::default() };
        self.dormant.add_to(&mut totals);
        for torrent in self.torrents.values_mut() {
            torrent.add_to(&mut totals, now);
        }
        totals
    }

    /// Bytes of blocks that wait for the disk. The shell reads no more from peers while that is too much: what was asked for
    /// already may be more than memory is meant for.
    pub fn backlog(&self) -> u64 {
        self.shared.writing
    }

    /// To whom how much of what is sent, in bytes per second: the `most` fastest, the fastest first.
    pub fn sends(&mut self, now: Moment, most: usize) -> Vec<(SocketAddr, InfoHash, u64)> {
        let mut sends: Vec<_> = self.torrents.values_mut().flat_map(|torrent| torrent.sends(now)).collect();
        sends.sort_unstable_by_key(|(to, torrent, rate)| (std::cmp::Reverse(*rate), *to, *torrent));
        sends.truncate(most);
        sends
    }

    /// Whether the torrent is on the list.
    pub fn knows(&self, torrent: InfoHash) -> bool {
        self.find(torrent).is_some()
    }

    /// What the torrent is called.
    pub fn name_of(&self, torrent: InfoHash) -> Option<String> {
        self.find(torrent).map(Torrent::name)
    }

    /// The content of its .torrent file, once it is known.
    pub fn torrent_file(&self, torrent: InfoHash) -> Option<Vec<u8>> {
        self.find(torrent)?.torrent_file()
    }

    /// The link that leads to it.
    pub fn magnet(&self, torrent: InfoHash) -> Option<String> {
        self.find(torrent).map(Torrent::magnet_link)
    }

    /// The pieces it has, once their number is known.
    pub fn have(&self, torrent: InfoHash) -> Option<&Bitfield> {
        self.find(torrent)?.have()
    }

    /// Panics where the books do not agree; for tests and the simulator.
    pub fn assert_sound(&self) {
        self.torrents.values().for_each(Torrent::assert_sound);
        self.dormant.assert_sound();
        assert_eq!(self.shared.connections, self.shared.conns.len(), "every connection is counted");
        assert_eq!(self.deadlines.len(), self.deadline_of.len(), "a torrent has one deadline");
    }

    fn find(&self, torrent: InfoHash) -> Option<&Torrent> {
        let key = self.by_hash.get(&torrent)?;
        let found = self.torrents.get(key).or_else(|| self.dormant.get(*key));
        found.filter(|torrent| !torrent.is_leaving())
    }

    /// Does something to a torrent that the user named, where it is on the list.
    fn with(&mut self, torrent: InfoHash, act: impl FnOnce(&mut Torrent, &mut Shared)) {
        if let Some(key) = self.by_hash.get(&torrent).copied() {
            self.torrent(key, act);
        }
    }

    fn with_all(&mut self, mut act: impl FnMut(&mut Torrent, &mut Shared)) {
        for (key, torrent) in &mut self.torrents {
            act(torrent, &mut self.shared);
            self.touched.insert(*key);
        }
    }

    fn torrent(&mut self, key: TorrentKey, act: impl FnOnce(&mut Torrent, &mut Shared)) {
        if let Some(torrent) = self.torrents.get_mut(&key) {
            act(torrent, &mut self.shared);
            self.touched.insert(key);
        }
    }

    fn disk(&mut self, done: Done) {
        match done {
            Done::Opened { torrent, files } => self.torrent(torrent, |it, shared| it.opened(files, shared)),
            Done::Checking { torrent, done } => self.torrent(torrent, |it, _| it.checking(done)),
            Done::Checked { torrent, looked, good, error } => {
                self.torrent(torrent, |it, shared| it.checked(&looked, &good, error, shared));
            }
            Done::Stored { torrent, piece, outcome, released } => {
                self.release(released);
                self.torrent(torrent, |it, shared| it.stored(piece, outcome, shared));
            }
            Done::Released { released, .. } => self.release(released),
            Done::Read { torrent, run, outcome, .. } => {
                self.torrent(torrent, |it, shared| it.read(run, outcome, shared));
            }
            Done::Synced { torrent, tag, outcome } => {
                self.torrent(torrent, |it, shared| it.synced(tag, outcome, shared));
            }
            Done::Moving { torrent, done, total } => {
                self.torrent(torrent, |it, shared| it.moving_on(done, total, shared.now));
            }
            Done::Moved { torrent, outcome } => {
                self.torrent(torrent, |it, shared| it.moved(outcome, shared));
            }
            Done::Finished { torrent, outcome } => {
                self.torrent(torrent, |it, shared| it.finished(outcome, shared));
            }
            Done::Closed { torrent, outcome } => {
                self.torrent(torrent, |it, shared| it.closed(outcome, shared));
            }
        }
    }

    /// The disk has freed memory.
    fn release(&mut self, bytes: u64) {
        let kept_up = self.shared.disk_keeps_up();
        self.shared.writing = self.shared.writing.saturating_sub(bytes);
        self.shared.disk_caught_up |= !kept_up && self.shared.disk_keeps_up();
    }

    /// Settles everything that was touched, each time beginning with another.
    fn settle_touched(&mut self) {
        let after =
            |touched: &BTreeSet<_>, key| touched.range(key..).next().or_else(|| touched.first()).copied();
        let Some(first) = after(&self.touched, self.first) else { return };
        self.first = TorrentKey(first.0.wrapping_add(1));
        let mut next = first;
        while let Some(key) = after(&self.touched, next) {
            self.touched.remove(&key);
            self.settle(key);
            next = key;
        }
    }

    /// Lets those limits hold whose time it is.
    fn renew_limits(&mut self) {
        self.limits_at = self.shared.set_limits();
        // What waits for the old ones may go now.
        self.touched.extend(self.torrents.keys());
    }

    /// Lets what happened to a torrent take effect.
    fn settle(&mut self, key: TorrentKey) {
        if self.with_asleep(key, Torrent::settle_asleep) {
            return;
        }
        let Some(torrent) = self.torrents.get_mut(&key) else { return };
        torrent.settle(&mut self.shared);
        self.queue_stale |= torrent.class_changed();
        let due = torrent.next_deadline(&self.shared);
        let gone = torrent.is_gone();
        let info_hash = torrent.info_hash;
        if gone {
            self.set_deadline(key, Moment::NEVER);
            self.torrents.remove(&key);
            self.by_hash.remove(&info_hash);
            self.shared.store(Change::Remove(info_hash));
            self.shared.event(Event::Removed(info_hash));
            self.queue_stale = true;
        } else if !self.lay_down(key) {
            self.set_deadline(key, due);
        }
        self.release_held(key);
        if self.shared.conns.keys().next().is_some() && self.sweep_at == Moment::NEVER {
            self.sweep_at = self.shared.now + conns::SWEEP;
        }
    }

    fn set_deadline(&mut self, key: TorrentKey, due: Moment) {
        if let Some(before) = self.deadline_of.remove(&key) {
            self.deadlines.remove(&(before, key));
        }
        if due != Moment::NEVER {
            self.deadlines.insert((due, key));
            self.deadline_of.insert(key, due);
        }
    }

    /// Says that the session has ended, once everything is written and trackers were told or had their time.
    fn end_if_done(&mut self) {
        if !self.shared.ending || self.ended {
            return;
        }
        let now = self.shared.now;
        // One that is being read is told first what was asked of it, unless nobody reads any more.
        let given_up = |torrent: &Torrent| torrent.is_loading() && now >= self.end_by;
        let closed = self.torrents.values().all(|torrent| torrent.is_closed() || given_up(torrent));
        let told = !self.torrents.values().any(Torrent::is_saying_farewell) || now >= self.end_by;
        if closed && told && self.shared.all_stored() {
            self.ended = true;
            self.shared.event(Event::Stopped);
        }
    }
}
