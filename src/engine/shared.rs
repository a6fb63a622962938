//! What all torrents of an engine share: the way out, the limits of the machine, and what is known of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use crate::api::{Day, Event, Level, LogLine, RequestId, Settings};
use crate::base::{ConnKey, InfoHash, Moment, Rng, Span, TorrentKey};
use crate::disk::Job;
use crate::engine::limits::Common;
use crate::engine::sending::Sending;
use crate::engine::{Change, Output};

/// Bytes of blocks that may wait for the disk before no more are asked for.
const WRITING_BYTES: u64 = 8 * 1024 * 1024;
/// Connections being made at once.
const HALF_OPEN: usize = 50;
/// The time from one torrent at rest that asks its trackers to the next.
const TURN: Span = Span::from_millis(50);

/// Seconds of a day.
const DAY_SECS: i64 = 24 * 60 * 60;

/// The common part of an engine.
#[derive(Debug)]
pub(super) struct Shared {
    /// The moment of the call that is under way.
    pub(super) now: Moment,
    /// Seconds since 1970 at [`Moment::ZERO`].
    pub(super) unix_start: u64,
    pub(super) settings: Arc<Settings>,
    pub(super) rng: Rng,
    out: VecDeque<Output>,
    /// Limits over all torrents and over labels.
    pub(super) common: Common,
    /// Seconds by which clocks on the wall are ahead of ours.
    pub(super) ahead: i64,
    /// Where peers reach us.
    pub(super) listening: Vec<SocketAddr>,
    /// Every connection, and what it is about.
    pub(super) conns: BTreeMap<ConnKey, Conn>,
    /// Connections that stand or are being made, and those being made among them.
    pub(super) connections: usize,
    pub(super) half_open: usize,
    /// Whether the disk has caught up, so that more may be asked for.
    pub(super) disk_caught_up: bool,
    /// Bytes of blocks that the disk holds, and what sockets hold.
    pub(super) writing: u64,
    pub(super) sending: Sending,
    next_conn: u64,
    next_seq: u64,
    /// The number of the newest change that is durable.
    pub(super) stored_seq: u64,
    /// The last change that could not be written, and why.
    store_failure: Option<(u64, String)>,
    /// Torrents that wait for a change to be durable.
    pub(super) waits_for_store: BTreeSet<TorrentKey>,
    /// Jobs that the session began by itself.
    own_requests: u64,
    /// Whether what a torrent is made of can be read again, so that it need not be kept in memory.
    pub(super) may_rest: bool,
    /// The torrent that a user looks at in full.
    pub(super) watched: Option<InfoHash>,
    /// When the next torrent at rest may ask its trackers.
    turn: Moment,
    /// Whether the session is ending.
    pub(super) ending: bool,
    /// Whether no torrent may take part in its swarm.
    pub(super) resting: bool,
}

/// What a connection is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Conn {
    /// It is being made, since then.
    Connecting { torrent: TorrentKey, addr: SocketAddr, since: Moment },
    /// It stands, and we wait for the other side's first bytes since then. One that was made to us is about nothing yet.
    Greeting { torrent: Option<TorrentKey>, addr: SocketAddr, since: Moment },
    /// Somebody connected and wants a torrent that was at rest; what he says is kept until it has woken.
    Held { torrent: TorrentKey, addr: SocketAddr, since: Moment },
    /// It is a peer of the torrent.
    Linked(TorrentKey),
}

impl Shared {
    pub(super) fn new(now: Moment, unix_start: u64, settings: Arc<Settings>, rng: Rng) -> Self {
        Self {
            now,
            unix_start,
            common: Common::new(settings.limits, &settings.labels),
            ahead: 0,
            settings,
            rng,
            out: VecDeque::new(),
            listening: Vec::new(),
            conns: BTreeMap::new(),
            connections: 0,
            half_open: 0,
            disk_caught_up: false,
            writing: 0,
            sending: Sending::default(),
            next_conn: 0,
            next_seq: 0,
            stored_seq: 0,
            store_failure: None,
            waits_for_store: BTreeSet::new(),
            own_requests: 0,
            may_rest: false,
            watched: None,
            turn: Moment::ZERO,
            ending: false,
            resting: false,
        }
    }

    pub(super) fn emit(&mut self, output: Output) {
        self.out.push_back(output);
    }

    pub(super) fn take_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    pub(super) fn event(&mut self, event: Event) {
        self.emit(Output::Event(event));
    }

    pub(super) fn disk(&mut self, job: Job) {
        self.emit(Output::Disk(job));
    }

    /// Has a change written; returns its number.
    pub(super) fn store(&mut self, change: Change) -> u64 {
        self.next_seq += 1;
        self.emit(Output::Store { seq: self.next_seq, change });
        self.next_seq
    }

    /// The number of the last change.
    pub(super) fn last_seq(&self) -> u64 {
        self.next_seq
    }

    /// Everything up to this change is durable, or will never be.
    pub(super) fn stored(&mut self, seq: u64, result: Result<(), String>) {
        self.stored_seq = self.stored_seq.max(seq);
        if let Err(reason) = result {
            self.log(Level::Error, format!("the session's state: {reason}"));
            self.store_failure = Some((seq, reason));
        }
    }

    /// Why this change, or one after it, could not be written.
    pub(super) fn store_failed(&self, seq: u64) -> Option<String> {
        self.store_failure.as_ref().filter(|(failed, _)| *failed >= seq).map(|(_, reason)| reason.clone())
    }

    /// The name of a job that the session begins by itself: from the top, where no user's are.
    pub(super) fn own_request(&mut self) -> RequestId {
        self.own_requests += 1;
        RequestId(u64::MAX - self.own_requests)
    }

    /// Whether everything that was to be written is.
    pub(super) fn all_stored(&self) -> bool {
        self.stored_seq >= self.next_seq
    }

    /// Whether all of it is there to be read.
    pub(super) fn all_written(&self) -> bool {
        self.all_stored() && self.store_failure.as_ref().is_none_or(|(failed, _)| *failed < self.stored_seq)
    }

    /// When a torrent at rest asks its trackers that are due: many take turns.
    pub(super) fn next_turn(&mut self) -> Moment {
        let turn = self.turn.max(self.now);
        self.turn = turn + TURN;
        turn
    }

    pub(super) fn log(&mut self, level: Level, text: String) {
        let line = LogLine { unix_millis: self.unix_millis(), level, room: "session".into(), text };
        self.event(Event::Log(line));
    }

    pub(super) fn unix_millis(&self) -> u64 {
        self.unix_start * 1_000 + self.now.micros() / 1_000
    }

    pub(super) fn unix_secs(&self) -> u64 {
        self.unix_millis() / 1_000
    }

    /// Lets those limits hold whose time it is; answers with when that may change by itself.
    pub(super) fn set_limits(&mut self) -> Moment {
        let alternative = &self.settings.alternative;
        let local = self.unix_secs().cast_signed() + self.ahead;
        let second = local.rem_euclid(DAY_SECS);
        let holds = alternative.holds(Day::at(local), (second / 60) as u16);
        let limits = if holds { alternative.limits() } else { self.settings.limits };
        self.common.set(limits, &self.settings.labels);
        if !alternative.is_scheduled() {
            return Moment::NEVER;
        }
        let turns = [alternative.from, alternative.until].into_iter().flatten();
        let until = turns.map(|minute| (i64::from(minute) * 60 - second - 1).rem_euclid(DAY_SECS) + 1).min();
        until.map_or(Moment::NEVER, |secs| self.now + Span::from_secs(secs.unsigned_abs()))
    }

    /// Whether one more connection is within the machine's limit (the thesis's Max_N).
    pub(super) fn may_have_one_more(&self) -> bool {
        !self.ending && self.connections < self.settings.max_connections as usize
    }

    /// Whether one more connection may be made.
    pub(super) fn may_connect(&self) -> bool {
        self.may_have_one_more() && self.half_open < HALF_OPEN
    }

    /// Whether the disk keeps up with what comes in.
    pub(super) fn disk_keeps_up(&self) -> bool {
        self.writing < WRITING_BYTES
    }

    /// The port that trackers and peers are told.
    pub(super) fn port(&self) -> u16 {
        self.listening.first().map_or(0, SocketAddr::port)
    }

    /// Whether an address is one at which this program itself listens.
    pub(super) fn is_own(&self, addr: SocketAddr) -> bool {
        self.listening.contains(&addr)
    }

    /// Begins a connection.
    pub(super) fn connect(&mut self, torrent: TorrentKey, addr: SocketAddr) -> ConnKey {
        self.next_conn += 1;
        let conn = ConnKey(self.next_conn);
        self.conns.insert(conn, Conn::Connecting { torrent, addr, since: self.now });
        self.connections += 1;
        self.half_open += 1;
        self.emit(Output::Connect { conn, addr });
        conn
    }

    /// Ends the connections that are being made for a torrent.
    pub(super) fn abandon_connecting(&mut self, torrent: TorrentKey) {
        let about = |conn: &Conn| match conn {
            Conn::Connecting { torrent: about, .. } => *about == torrent,
            Conn::Greeting { torrent: about, .. } => *about == Some(torrent),
            Conn::Held { torrent: about, .. } => *about == torrent,
            Conn::Linked(_) => false,
        };
        let abandoned: Vec<ConnKey> =
            self.conns.iter().filter(|(_, conn)| about(conn)).map(|(key, _)| *key).collect();
        for conn in abandoned {
            self.forget(conn);
            self.emit(Output::Close { conn });
        }
    }

    /// Strikes a connection off the books.
    pub(super) fn forget(&mut self, conn: ConnKey) -> Option<Conn> {
        let gone = self.conns.remove(&conn)?;
        self.connections -= 1;
        if let Conn::Connecting { .. } = gone {
            self.half_open -= 1;
        }
        Some(gone)
    }
}
