//! A simulated world: hosts, the wires between them, a tracker, and one clock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;

use crate::announce::{Answer, Failure};
use crate::api::Event;
use crate::base::{Bitfield, ConnKey, InfoHash, Moment, Rng, Span, TorrentKey};
use crate::disk::Done;
use crate::engine::{End, Input, Output};
use crate::peer::Item;
use crate::sim::wires::{Notice, Plan, Step, Wires};
use crate::sim::words::Words;
use crate::sim::{
    Clock, Content, Detail, Host, HostId, HostOptions, Link, Log, Program, Tracker, Vice, check,
};
use crate::wire::peer::Message;

/// Something planned by whoever plays the world.
type Act = Box<dyn FnOnce(&mut World)>;

/// A world of hosts.
pub struct World {
    /// The tracker of every torrent.
    pub tracker: Tracker,
    seed: u64,
    rng: Rng,
    clock: Clock<Happening>,
    pub(super) wires: Wires,
    notices: VecDeque<(HostId, Notice)>,
    steps: Vec<(Moment, Step)>,
    pub(super) hosts: Vec<Host>,
    by_addr: BTreeMap<SocketAddr, HostId>,
    pub(super) contents: BTreeMap<InfoHash, Arc<Content>>,
    log: Log,
    /// Hosts that something happened at in this step.
    touched: BTreeSet<HostId>,
    /// One step in so many is checked.
    check_every: u64,
    count: u64,
    /// Events that hosts have told their users.
    told: u64,
    /// The fastest link there ever was, for those whose link changes.
    pub(super) fastest: u64,
}

/// Something that is to happen.
enum Happening {
    Wire(Step),
    Wake(HostId, u32),
    Disk(HostId, u32),
    Shelf(HostId, u32),
    Loaded(HostId, u32, InfoHash),
    Announced(HostId, u32, Box<(TorrentKey, u64, Result<Answer, Failure>)>),
    Act(Act),
}

impl World {
    /// An empty world, everything in which follows from `seed`.
    pub fn new(seed: u64, detail: Detail) -> Self {
        Self {
            tracker: Tracker::default(),
            seed,
            rng: Rng::new(seed),
            clock: Clock::new(),
            wires: Wires::default(),
            notices: VecDeque::new(),
            steps: Vec::new(),
            hosts: Vec::new(),
            by_addr: BTreeMap::new(),
            contents: BTreeMap::new(),
            log: Log::new(detail),
            touched: BTreeSet::new(),
            check_every: 1,
            count: 0,
            told: 0,
            fastest: 0,
        }
    }

    /// Checks one step in `every` only, for large worlds.
    pub fn check_every(&mut self, every: u64) {
        self.check_every = every.max(1);
    }

    /// Puts up a machine; nothing runs on it yet.
    pub fn add_host(&mut self, options: HostOptions) -> HostId {
        let id = HostId(self.hosts.len());
        let host = Host::new(id, options);
        self.wires.add_host(host.addr, host.options.link);
        self.by_addr.insert(host.addr, id);
        self.hosts.push(host);
        id
    }

    /// Makes a torrent known to those who check.
    pub fn add_content(&mut self, content: &Arc<Content>) {
        self.contents.insert(content.torrent.info_hash, Arc::clone(content));
    }

    /// Starts a program on a host.
    pub fn start(&mut self, id: HostId, program: Box<dyn Program>) {
        let host = &mut self.hosts[id.0];
        assert!(host.program.is_none(), "a program runs on {id:?} already");
        host.program = Some(program);
        host.life += 1;
        host.wake_at = Moment::NEVER;
        host.stopped = false;
        host.compared.clear();
        host.said = super::host::Said { at: self.clock.now(), ..host.said };
        let addr = host.addr;
        self.wires.set_listens(id, true);
        self.feed(id, Input::Listening(vec![addr]));
    }

    /// The program is gone in an instant: its system closes its connections, everything it wrote stays.
    pub fn kill(&mut self, id: HostId) {
        self.log.write(self.clock.now(), format_args!("h{} is killed", id.0));
        self.end(id, Span::ZERO);
        self.hosts[id.0].drive.disk.kill();
        let written = self.rng.below(self.hosts[id.0].shelf.waiting() + 1);
        self.hosts[id.0].shelf.crash(written);
    }

    /// The machine loses its power: what was not synced may be lost or torn, and the others hear nothing for a minute.
    pub fn cut_power(&mut self, id: HostId) {
        self.log.write(self.clock.now(), format_args!("h{} loses its power", id.0));
        self.end(id, Span::from_secs(60));
        self.hosts[id.0].drive.disk.crash(&mut self.rng);
        let written = self.rng.below(self.hosts[id.0].shelf.waiting() + 1);
        self.hosts[id.0].shelf.crash(written);
    }

    /// Plans something by hand.
    pub fn at(&mut self, moment: Moment, act: impl FnOnce(&mut World) + 'static) {
        self.clock.at(moment, Happening::Act(Box::new(act)));
    }

    /// Tells a host's program something from outside the world.
    pub fn tell(&mut self, id: HostId, input: Input) {
        self.feed(id, input);
        self.settle();
    }

    /// Changes a host's link from now on.
    pub fn relink(&mut self, id: HostId, link: Link) {
        let old = std::mem::replace(self.wires.link_mut(id), link);
        self.fastest = self.fastest.max(old.up).max(old.down);
    }

    /// Goes on to the next thing that happens; false where nothing does.
    pub fn step(&mut self) -> bool {
        let Some(happening) = self.clock.step() else { return false };
        match happening {
            Happening::Wire(step) => self.on_wires(|wires, plan| wires.step(step, plan)),
            Happening::Wake(id, life) => self.wake(id, life),
            Happening::Disk(id, life) if self.lives(id, life) => {
                let (answers, next) = self.hosts[id.0].drive.step(self.clock.now());
                self.plan_disk(id, next);
                answers.into_iter().for_each(|done| self.feed_done(id, done));
            }
            Happening::Shelf(id, life) if self.lives(id, life) => {
                if let Some((seq, result)) = self.hosts[id.0].shelf.write() {
                    self.feed(id, Input::Stored { seq, result });
                }
            }
            Happening::Announced(id, life, answer) if self.lives(id, life) => {
                let (torrent, id_, answer) = *answer;
                self.feed(id, Input::Announced { torrent, id: id_, answer });
            }
            Happening::Loaded(id, life, torrent) if self.lives(id, life) => {
                let loaded = self.hosts[id.0].shelf.load(torrent);
                self.feed(id, Input::Loaded { torrent, loaded });
            }
            Happening::Loaded(..) | Happening::Disk(..) | Happening::Shelf(..) | Happening::Announced(..) => {
            }
            Happening::Act(act) => act(self),
        }
        self.settle();
        self.count += 1;
        if self.count.is_multiple_of(self.check_every) {
            while let Some(id) = self.touched.pop_first() {
                check::host(self, id);
            }
        }
        true
    }

    /// Steps until `done` or until `limit`; returns whether it was `done`.
    pub fn run_until(&mut self, limit: Moment, mut done: impl FnMut(&Self) -> bool) -> bool {
        loop {
            if done(self) {
                return true;
            }
            match self.clock.next_at() {
                Some(next) if next <= limit => self.step(),
                _ => {
                    self.clock.pass(limit);
                    return done(self);
                }
            };
        }
    }

    /// How many events hosts have told their users.
    pub fn told(&self) -> u64 {
        self.told
    }

    /// Lets time pass.
    pub fn run_for(&mut self, span: Span) {
        let limit = self.now() + span;
        self.run_until(limit, |_| false);
    }

    /// The present.
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Steps so far.
    pub fn steps(&self) -> u64 {
        self.count
    }

    /// What has happened.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// A host.
    pub fn host(&self, id: HostId) -> &Host {
        &self.hosts[id.0]
    }

    /// A host.
    pub fn host_mut(&mut self, id: HostId) -> &mut Host {
        &mut self.hosts[id.0]
    }

    /// Every host.
    pub fn ids(&self) -> impl Iterator<Item = HostId> + use<> {
        (0..self.hosts.len()).map(HostId)
    }

    /// Bytes that went out of a host and came in, everything counted.
    pub fn traffic(&self, id: HostId) -> (u64, u64) {
        self.wires.traffic(id)
    }

    /// Connections that a host's program has.
    pub fn connections(&self, id: HostId) -> usize {
        self.wires.count(id)
    }

    /// Randomness of this world, for whoever plays it.
    pub fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    /// Panics unless the torrent's files are on the host's disk, byte for byte.
    pub fn assert_files(&self, id: HostId, torrent: InfoHash) {
        check::files(self, id, torrent);
    }

    /// Panics unless what a host's shelf claims is on its disk; what is suspect does not count.
    pub fn assert_shelf(&self, id: HostId) {
        let host = &self.hosts[id.0];
        for record in host.shelf.records() {
            let Some(content) = self.contents.get(&record.info_hash) else { continue };
            let claimed = record.progress.have.iter().flat_map(Bitfield::iter);
            for piece in claimed.filter(|piece| !record.progress.suspect.contains(piece)) {
                if !check::holds(&host.drive.disk, content, piece) {
                    self.fail(&format!(
                        "{id:?}: its record claims piece {}, which its disk has not",
                        piece.0
                    ));
                }
            }
        }
    }

    /// Panics, with all that is needed to see it again.
    pub fn fail(&self, what: &str) -> ! {
        let last: String = self.log.last().collect();
        panic!("{last}seed {}, at {}: {what}", self.seed, self.now());
    }

    fn lives(&self, id: HostId, life: u32) -> bool {
        self.hosts[id.0].life == life && self.hosts[id.0].program.is_some()
    }

    fn end(&mut self, id: HostId, silence: Span) {
        self.on_wires(|wires, plan| wires.drop_host(id, silence, plan));
        let host = &mut self.hosts[id.0];
        host.program = None;
        host.drive.stop(&mut self.rng);
        self.notices.retain(|(to, _)| *to != id);
    }

    fn on_wires(&mut self, act: impl FnOnce(&mut Wires, &mut Plan<'_>)) {
        let mut plan = Plan {
            now: self.clock.now(),
            rng: &mut self.rng,
            steps: &mut self.steps,
            notices: &mut self.notices,
        };
        act(&mut self.wires, &mut plan);
        for (at, step) in self.steps.drain(..) {
            self.clock.at(at, Happening::Wire(step));
        }
    }

    /// Tells everybody what the wires bring.
    fn settle(&mut self) {
        while let Some((id, notice)) = self.notices.pop_front() {
            let input = match notice {
                Notice::Connected(conn) => Input::Connected { conn },
                Notice::Failed(conn) => Input::ConnectFailed { conn },
                Notice::Accepted(conn, addr) => Input::Accepted { conn, addr },
                Notice::Received(conn, items) => {
                    self.hosts[id.0].heard += items.iter().map(Item::block_bytes).sum::<u64>();
                    Input::Received { conn, items }
                }
                Notice::Sent(conn, bytes) => Input::Sent { conn, bytes },
                Notice::Closed(conn) => Input::Closed { conn, end: End::Lost },
            };
            // A program may have ended a connection before it hears the last of it.
            self.feed(id, input);
        }
    }

    fn feed_done(&mut self, id: HostId, done: Done) {
        let done = match done {
            Done::Read { torrent, run, tag, outcome: Ok(bytes) } => {
                // Whose they are is seen by the bytes themselves, so only few contents are looked at.
                let right = |content: &Arc<Content>| content.own(run.piece, run.begin, &bytes);
                let bytes = self.contents.values().take(MOST_SHARED).find_map(right).unwrap_or(bytes);
                Done::Read { torrent, run, tag, outcome: Ok(bytes) }
            }
            other => other,
        };
        self.feed(id, Input::Disk(done));
    }

    fn wake(&mut self, id: HostId, life: u32) {
        if !self.lives(id, life) || self.hosts[id.0].wake_at > self.clock.now() {
            return;
        }
        self.hosts[id.0].wake_at = Moment::NEVER;
        self.drain(id);
    }

    fn feed(&mut self, id: HostId, input: Input) {
        let now = self.clock.now();
        if self.log.takes(Detail::Everything) {
            self.log.write(now, format_args!("h{} < {}", id.0, Words(&input)));
        }
        let Some(program) = &mut self.hosts[id.0].program else { return };
        program.handle(now, input);
        self.drain(id);
    }

    fn drain(&mut self, id: HostId) {
        self.touched.insert(id);
        let now = self.clock.now();
        while let Some(output) = self.hosts[id.0].program.as_mut().and_then(|program| program.poll(now)) {
            self.carry_out(id, output);
        }
        let host = &mut self.hosts[id.0];
        let Some(program) = &host.program else { return };
        let next = program.next_deadline();
        if next < host.wake_at {
            host.wakes = if next <= now { host.wakes + 1 } else { 0 };
            host.wake_at = next.max(now);
            let (wake_at, life, wakes) = (host.wake_at, host.life, host.wakes);
            self.clock.at(wake_at, Happening::Wake(id, life));
            if wakes > MOST_WAKES {
                self.fail(&format!("{id:?} wants to be woken for ever"));
            }
        }
    }

    fn carry_out(&mut self, id: HostId, output: Output) {
        let now = self.clock.now();
        let detail = match output {
            Output::Event(_) | Output::Connect { .. } | Output::Close { .. } => Detail::Events,
            _ => Detail::Everything,
        };
        if self.log.takes(detail) {
            self.log.write(now, format_args!("h{} > {}", id.0, Words(&output)));
        }
        let life = self.hosts[id.0].life;
        match output {
            Output::Connect { conn, addr } => {
                let to = self.by_addr.get(&addr).copied();
                self.on_wires(|wires, plan| wires.connect(id, conn, to, plan));
            }
            Output::Send { conn, items } => {
                let items = self.spoil(id, conn, items);
                self.on_wires(|wires, plan| wires.send(id, conn, items, plan));
            }
            Output::Close { conn } => self.on_wires(|wires, plan| wires.close(id, conn, plan)),
            // Hosts here listen at one port each, and say which.
            Output::OpenDoors { .. } => {}
            Output::Disk(job) => {
                let next = self.hosts[id.0].drive.submit(now, job);
                self.plan_disk(id, next);
            }
            Output::Announce { torrent, facts, request } => {
                let from = self.hosts[id.0].addr;
                let answer = self.tracker.ask(from, &facts, &request, &mut self.rng);
                let answer = Box::new((torrent, request.id, answer));
                let span = TRACKER_TIME + self.hosts[id.0].options.link.delay.times(2);
                self.clock.after(span, Happening::Announced(id, life, answer));
            }
            Output::Store { seq, change } => {
                let shelf = &mut self.hosts[id.0].shelf;
                if shelf.waiting() == 0 {
                    self.clock.after(SHELF_TIME, Happening::Shelf(id, life));
                }
                shelf.take(seq, change);
            }
            Output::Load(torrent) => self.clock.after(SHELF_TIME, Happening::Loaded(id, life, torrent)),
            Output::Event(event) => self.note(id, event),
        }
    }

    fn note(&mut self, id: HostId, event: Event) {
        let now = self.clock.now();
        let host = &mut self.hosts[id.0];
        match &event {
            Event::Completed { torrent, .. } => _ = host.completed.entry(*torrent).or_insert(now),
            Event::Stopped => host.stopped = true,
            Event::Log(_) => return,
            _ => {}
        }
        host.events.push((now, event));
        self.told += 1;
    }

    /// Counts what goes out, and lets the host do to it what it does.
    fn spoil(&mut self, id: HostId, conn: ConnKey, mut items: Vec<Item>) -> Vec<Item> {
        let host = &mut self.hosts[id.0];
        let bytes: u64 = items.iter().map(Item::block_bytes).sum();
        if bytes == 0 {
            return items;
        }
        let now = self.clock.now();
        let limit = host.options.settings.limits.up.unwrap_or(0) as f64;
        host.said.level =
            (host.said.level - limit * now.since(host.said.at).secs_f64()).max(0.0) + bytes as f64;
        host.said.at = now;
        host.said.bytes += bytes;
        match host.options.vice {
            Vice::None => {}
            Vice::Swallows => {
                items.retain(|item| item.block_bytes() == 0);
                self.notices.push_back((id, Notice::Sent(conn, bytes)));
            }
            Vice::Corrupts(one_in) => {
                for item in &mut items {
                    if let Item::Message(Message::Piece { data, .. }) = item {
                        host.blocks += 1;
                        if host.blocks.is_multiple_of(u64::from(one_in)) {
                            let mut wrong = data.to_vec();
                            wrong[0] ^= 1;
                            *data = Bytes::from(wrong);
                        }
                    }
                }
            }
        }
        items
    }

    fn plan_disk(&mut self, id: HostId, next: Option<Moment>) {
        if let Some(at) = next {
            self.clock.at(at, Happening::Disk(id, self.hosts[id.0].life));
        }
    }
}

/// How long the tracker takes besides the way.
const TRACKER_TIME: Span = Span::from_millis(2);
/// How long a change takes to become durable.
const SHELF_TIME: Span = Span::from_millis(5);
/// Contents whose bytes all hosts hold once.
const MOST_SHARED: usize = 8;
/// A program that is woken so often at one moment never stops.
const MOST_WAKES: u32 = 10_000;
