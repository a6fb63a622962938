//! Torrents at rest in a map of their own, and who waits for one to wake.
//!
//! A session may have ten thousand torrents of which a handful do something. Those that do nothing are not looked at in any
//! round; a peer, a command or a tracker that names downloaders wakes one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::api::{Command, Level, RequestId, TorrentRow, Totals};
use crate::base::{ConnKey, InfoHash, Moment, Span, TorrentKey};
use crate::engine::record::Record;
use crate::engine::shared::{Conn, Shared};
use crate::engine::torrent::{Birth, Brief, Leaving, Torrent};
use crate::engine::{Engine, Output};
use crate::peer::Item;

/// Torrents of the last run that wake once, to have their files looked at: of a few it is told soon where they are gone, of
/// many when somebody wants them.
const LOOKED_AT: usize = 256;
/// The time from one of those to the next.
const LOOK: Span = Span::from_millis(50);
/// Words of one peer that are kept until its torrent has woken; none says so many before it was answered.
const HELD_ITEMS: usize = 64;
/// Commands kept for one torrent until it has woken.
const HELD_COMMANDS: usize = 64;

/// Those torrents.
#[derive(Debug, Default)]
pub(super) struct Dormant {
    torrents: BTreeMap<TorrentKey, Box<Torrent>>,
    /// How many have ever gone to rest.
    rested: u64,
    /// Bytes received and sent in their lives.
    downloaded: u64,
    uploaded: u64,
    /// Their rows, in the order they were added, and those among them that may have changed since.
    rows: BTreeMap<TorrentKey, Arc<TorrentRow>>,
    stale: BTreeSet<TorrentKey>,
    /// Who waits for a torrent that is waking.
    commands: BTreeMap<TorrentKey, Vec<Command>>,
    conns: BTreeMap<TorrentKey, Vec<(ConnKey, Vec<Item>)>>,
}

impl Dormant {
    pub(super) fn get(&self, key: TorrentKey) -> Option<&Torrent> {
        self.torrents.get(&key).map(|torrent| &**torrent)
    }

    /// Their rows as they were last refreshed.
    pub(super) fn rows(&self) -> &BTreeMap<TorrentKey, Arc<TorrentRow>> {
        &self.rows
    }

    /// One of them as it is now.
    pub(super) fn row(&mut self, key: TorrentKey, unix_start: u64) -> Option<Arc<TorrentRow>> {
        let torrent = self.torrents.get_mut(&key)?;
        if torrent.shows_another_place() {
            torrent.retell(unix_start);
        }
        let row = torrent.last_row()?;
        if self.rows.get(&key).is_none_or(|told| !Arc::ptr_eq(told, row)) {
            self.stale.insert(key);
        }
        Some(Arc::clone(row))
    }

    /// Brings the rows up to date; true where one of them is another now. Of those to which nothing happened none is looked
    /// at.
    pub(super) fn refresh_rows(&mut self, unix_start: u64) -> bool {
        let mut stirred = false;
        while let Some(key) = self.stale.pop_first() {
            let row = self.row(key, unix_start);
            self.stale.remove(&key);
            stirred |= match (self.rows.get(&key), row) {
                (Some(before), Some(row)) if Arc::ptr_eq(before, &row) => false,
                (_, Some(row)) => {
                    self.rows.insert(key, row);
                    true
                }
                (before, None) => before.is_some() && self.rows.remove(&key).is_some(),
            };
        }
        stirred
    }

    pub(super) fn get_mut(&mut self, key: TorrentKey) -> Option<&mut Torrent> {
        self.stale.insert(key);
        self.torrents.get_mut(&key).map(|torrent| &mut **torrent)
    }

    /// Whether something was asked of a torrent that is waking.
    pub(super) fn holds_commands(&self, key: TorrentKey) -> bool {
        self.commands.contains_key(&key)
    }

    pub(super) fn add_to(&self, totals: &mut Totals) {
        totals.downloaded += self.downloaded;
        totals.uploaded += self.uploaded;
    }

    pub(super) fn assert_sound(&self) {
        for torrent in self.torrents.values() {
            torrent.assert_sound();
            assert!(torrent.rests(), "who rests has nothing to do");
        }
        let rows = || self.torrents.values().filter_map(|torrent| torrent.last_row());
        let sum = |of: fn(&TorrentRow) -> u64| rows().map(|row| of(row)).sum::<u64>();
        for (key, torrent) in self.torrents.iter().filter(|(key, _)| !self.stale.contains(key)) {
            let (row, told) = (torrent.last_row(), self.rows.get(key));
            assert_eq!(row, told, "rows are as they were said to be");
        }
        let unknown = self.rows.keys().filter(|key| !self.torrents.contains_key(key));
        assert_eq!(unknown.filter(|key| !self.stale.contains(key)).count(), 0, "rows are of torrents");
        assert_eq!(self.uploaded, sum(|row| row.uploaded), "what those at rest have sent is counted");
        assert_eq!(self.downloaded, sum(|row| row.downloaded), "and what they have received");
    }

    fn put(&mut self, key: TorrentKey, torrent: Torrent) {
        self.rested += 1;
        self.stale.insert(key);
        if let Some(row) = torrent.last_row() {
            self.downloaded += row.downloaded;
            self.uploaded += row.uploaded;
        }
        self.torrents.insert(key, Box::new(torrent));
    }

    fn take(&mut self, key: TorrentKey) -> Option<Torrent> {
        let torrent = self.torrents.remove(&key)?;
        self.stale.insert(key);
        if let Some(row) = torrent.last_row() {
            self.downloaded -= row.downloaded;
            self.uploaded -= row.uploaded;
        }
        Some(*torrent)
    }
}

impl Engine {
    /// Whether only the summary of a torrent is in memory.
    pub fn is_asleep(&self, torrent: InfoHash) -> bool {
        self.find(torrent).is_some_and(Torrent::is_asleep)
    }

    /// Whether what a torrent is made of is being read.
    pub fn is_loading(&self, torrent: InfoHash) -> bool {
        self.find(torrent).is_some_and(Torrent::is_loading)
    }

    /// Torrents at rest.
    pub fn asleep(&self) -> usize {
        self.dormant.torrents.len()
    }

    /// How many torrents have gone to rest in this run; one that did it twice counts twice.
    pub fn rested(&self) -> u64 {
        self.dormant.rested
    }

    /// Has what a torrent is made of read, where that is not in memory.
    pub fn wake(&mut self, torrent: InfoHash) {
        if let Some(key) = self.by_hash.get(&torrent).copied() {
            self.rouse(key);
        }
    }

    /// Takes up a torrent of the last run of which no more than the summary is needed; false where more is.
    pub(super) fn restore_asleep(&mut self, record: &mut Record) -> bool {
        if !self.shared.may_rest {
            return false;
        }
        // Whose turn it is wakes as soon as the queue is gone through.
        let may_wait = self.shared.settings.queue.downloads.is_some();
        let Some(brief) = Brief::of(record, may_wait) else { return false };
        if record.place == 0 {
            record.place = self.last_place();
        }
        self.note_place(record.place);
        self.next_torrent += 1;
        let key = TorrentKey(self.next_torrent);
        self.by_hash.insert(record.info_hash, key);
        let record = Record { torrent: None, magnet: None, ..std::mem::take(record) };
        let birth = Birth { key, record, torrent: None, magnet: None, seed_mode: false };
        let mut torrent = Torrent::new(birth, &mut self.shared);
        let place = self.dormant.torrents.len();
        let look = match place < LOOKED_AT {
            true => self.shared.now + LOOK.times(place as u64 + 1),
            false => Moment::NEVER,
        };
        torrent.born_asleep(brief, look, &mut self.shared);
        self.dormant.put(key, torrent);
        self.touched.insert(key);
        self.queue_stale = true;
        true
    }

    /// Does something to every torrent at rest that does not wake it.
    pub(super) fn with_dormant(&mut self, mut act: impl FnMut(&mut Torrent, &mut Shared)) {
        self.dormant.stale.extend(self.dormant.torrents.keys());
        let mut due = Vec::with_capacity(self.dormant.torrents.len());
        for (key, torrent) in &mut self.dormant.torrents {
            act(torrent, &mut self.shared);
            due.push((*key, torrent.asleep_until(&self.shared)));
        }
        due.into_iter().for_each(|(key, due)| self.set_deadline(key, due));
    }

    /// Lets every torrent at rest see whether something is due.
    pub(super) fn touch_dormant(&mut self) {
        self.touched.extend(self.dormant.torrents.keys());
    }

    /// Does something to a torrent at rest that may wake it; nothing where it is none.
    pub(super) fn with_asleep(
        &mut self,
        key: TorrentKey,
        act: impl FnOnce(&mut Torrent, &mut Shared) -> bool,
    ) -> bool {
        let Some(torrent) = self.dormant.get_mut(key) else { return false };
        if act(torrent, &mut self.shared) {
            self.rouse(key);
        } else {
            let due = torrent.asleep_until(&self.shared);
            self.set_deadline(key, due);
        }
        true
    }

    /// Moves a torrent from those at rest to the others, and has it read.
    pub(super) fn rouse(&mut self, key: TorrentKey) {
        self.get_up(key);
        self.torrent(key, Torrent::wake);
    }

    /// Moves a torrent from those at rest to the others, asleep as it is.
    fn get_up(&mut self, key: TorrentKey) {
        if let Some(torrent) = self.dormant.take(key) {
            self.set_deadline(key, Moment::NEVER);
            self.torrents.insert(key, torrent);
            self.touched.insert(key);
        }
    }

    /// Moves a torrent that rests to those at rest; true where it does.
    pub(super) fn lay_down(&mut self, key: TorrentKey) -> bool {
        let rests = self.torrents.get(&key).is_some_and(Torrent::rests);
        if rests && let Some(torrent) = self.torrents.remove(&key) {
            self.set_deadline(key, Moment::NEVER);
            self.dormant.put(key, torrent);
            self.touched.insert(key);
        }
        rests
    }

    /// What was counted of those at rest is written down, and those whose trackers know of them get up, to tell them that
    /// the session ends.
    pub(super) fn get_up_to_leave(&mut self) {
        let mut known = Vec::new();
        for (key, torrent) in &mut self.dormant.torrents {
            if torrent.has_counted() {
                torrent.save_counters(&mut self.shared);
            }
            known.extend(torrent.is_known_to_trackers().then_some(*key));
        }
        known.into_iter().for_each(|key| self.get_up(key));
    }

    /// Has every torrent of which only the summary is in memory do something, where it is among those.
    pub(super) fn command_asleep(
        &mut self,
        command: fn(InfoHash) -> Command,
        chosen: impl Fn(&Torrent) -> bool,
    ) {
        let all = self.all().filter(|torrent| torrent.is_asleep() && chosen(torrent));
        let hashes: Vec<InfoHash> = all.map(|torrent| torrent.info_hash).collect();
        hashes.into_iter().for_each(|torrent| self.command(command(torrent)));
    }

    /// Every torrent, at rest or not.
    pub(super) fn all(&self) -> impl Iterator<Item = &Torrent> {
        self.torrents.values().chain(self.dormant.torrents.values().map(|torrent| &**torrent))
    }

    /// Takes a torrent at rest off the list without waking it.
    pub(super) fn strike(&mut self, torrent: InfoHash) {
        if let Some(key) = self.by_hash.get(&torrent).copied() {
            self.get_up(key);
            self.torrent(key, |torrent, shared| torrent.leave(Leaving::Removed { delete: false }, shared));
        }
    }

    /// Keeps a command for a torrent that has to wake first; gives it back where it has not.
    pub(super) fn hold_command(&mut self, torrent: InfoHash, command: Command) -> Option<Command> {
        let key = self.by_hash.get(&torrent).copied().filter(|_| self.is_asleep(torrent));
        let Some(key) = key else { return Some(command) };
        let held = self.dormant.commands.entry(key).or_default();
        if held.len() < HELD_COMMANDS {
            held.push(command);
        } else {
            self.refuse_held(&command, "Too much is asked of it at once.");
        }
        self.rouse(key);
        None
    }

    /// Keeps what a peer said to a torrent that can answer in a moment; gives it back where it can at once, or never.
    pub(super) fn hold_conn(
        &mut self,
        key: TorrentKey,
        conn: ConnKey,
        items: Vec<Item>,
    ) -> Option<Vec<Item>> {
        let torrent = self.torrents.get(&key).or_else(|| self.dormant.get(key));
        let soon = torrent.is_some_and(Torrent::may_answer_soon);
        let Some(Conn::Greeting { addr, since, .. }) = self.shared.conns.get(&conn).copied() else {
            return Some(items);
        };
        if !soon {
            return Some(items);
        }
        self.shared.conns.insert(conn, Conn::Held { torrent: key, addr, since });
        self.dormant.conns.entry(key).or_default().push((conn, items));
        self.rouse(key);
        None
    }

    /// A peer that waits for a torrent says more.
    pub(super) fn hold_more(&mut self, key: TorrentKey, conn: ConnKey, items: Vec<Item>) {
        let held = self.dormant.conns.get_mut(&key).into_iter().flatten();
        match held.into_iter().find(|(other, _)| *other == conn) {
            Some((_, before)) if before.len() + items.len() <= HELD_ITEMS => before.extend(items),
            _ => {
                self.shared.forget(conn);
                self.shared.emit(Output::Close { conn });
            }
        }
    }

    /// Gives a torrent that has woken, or cannot, what waits for it.
    pub(super) fn release_held(&mut self, key: TorrentKey) {
        let Some(torrent) = self.torrents.get(&key) else {
            // It rests again, or is gone.
            if self.dormant.get(key).is_none() {
                self.dormant.commands.remove(&key);
                self.let_in(key);
            }
            return;
        };
        let (loading, asleep, soon) = (torrent.is_loading(), torrent.is_asleep(), torrent.may_answer_soon());
        if !loading && let Some(commands) = self.dormant.commands.remove(&key) {
            for command in commands {
                if asleep { self.give_up_command(command) } else { self.command(command) }
            }
        }
        if !soon {
            self.let_in(key);
        }
        let stays = |torrent: &Torrent| !torrent.is_loading() && !torrent.is_leaving();
        if self.shared.ending && self.torrents.get(&key).is_some_and(stays) {
            // A session that ends has waited for it to do that.
            self.torrent(key, |torrent, shared| torrent.leave(Leaving::Ended, shared));
        }
    }

    fn let_in(&mut self, key: TorrentKey) {
        for (conn, items) in self.dormant.conns.remove(&key).unwrap_or_default() {
            if let Some(Conn::Held { addr, since, .. }) = self.shared.conns.get(&conn).copied() {
                self.shared.conns.insert(conn, Conn::Greeting { torrent: None, addr, since });
                self.received(conn, items);
            }
        }
    }

    /// What was asked of a torrent that cannot wake. It can still be taken off the list.
    fn give_up_command(&mut self, command: Command) {
        if let Command::Remove { torrent, delete_data } = command {
            if delete_data {
                let text = "The files of a torrent stay where they are: its .torrent file cannot be read.";
                self.shared.log(Level::Warning, text.into());
            }
            return self.strike(torrent);
        }
        self.refuse_held(&command, "Its .torrent file cannot be read.");
    }

    fn refuse_held(&mut self, command: &Command, reason: &str) {
        if let Some(request) = request_of(command) {
            self.refuse(request, reason.into());
        }
    }
}

/// The request that a command answers to, among those that wait for a torrent.
fn request_of(command: &Command) -> Option<RequestId> {
    match command {
        Command::Move { request, .. } | Command::Describe { request, .. } => Some(*request),
        _ => None,
    }
}
