//! Two engines on a virtual wire: what one says arrives at the other at once, and time passes when nothing else does.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;

use crate::announce::Failure;
use crate::api::{AddOptions, Command, Event, RequestId, Settings};
use crate::base::{ConnKey, InfoHash, Moment, Rng, Span};
use crate::disk::MemoryDisk;
use crate::engine::{Addition, Change, End, Engine, Input, Output, Record, Subject};
use crate::hash::sha1;
use crate::metainfo::create::{Details, Plan, build};
use crate::metainfo::{Magnet, Torrent};
use crate::peer::Item;
use crate::wire::peer::Message;

/// One engine with its disk.
pub(super) struct Side {
    pub(super) engine: Engine,
    pub(super) disk: MemoryDisk,
    pub(super) events: Vec<Event>,
    pub(super) changes: Vec<Change>,
    pub(super) said: Vec<Item>,
    addr: SocketAddr,
    inputs: VecDeque<Input>,
}

/// Both of them.
pub(super) struct Pair {
    pub(super) now: Moment,
    pub(super) sides: [Side; 2],
    /// The other end of each connection: side and key.
    ends: BTreeMap<(usize, ConnKey), (usize, ConnKey)>,
    next_incoming: u64,
    /// Doors that were opened: the addresses that somebody's peer was to be told.
    pub(super) doors: Vec<Vec<SocketAddr>>,
    /// Blocks given to each connection.
    pub(super) carried: BTreeMap<(usize, ConnKey), usize>,
    /// Called with everything that is said, to change it on the way.
    pub(super) meddle: fn(usize, &mut Item),
    /// Why nothing can be written down, where it cannot.
    pub(super) store_fault: Option<String>,
}

impl Pair {
    pub(super) fn new() -> Self {
        let side = |number: u8| {
            let addr = SocketAddr::from(([10, 0, 0, number], 6881));
            let settings = Arc::new(Settings { download_folder: "/down".into(), ..Settings::default() });
            let mut engine = Engine::new(Moment::ZERO, 1_000_000, settings, Rng::new(number.into()));
            engine.handle(Moment::ZERO, Input::Listening(vec![addr]));
            Side {
                engine,
                disk: MemoryDisk::new(),
                events: Vec::new(),
                changes: Vec::new(),
                said: Vec::new(),
                addr,
                inputs: VecDeque::new(),
            }
        };
        Self {
            now: Moment::ZERO,
            sides: [side(1), side(2)],
            ends: BTreeMap::new(),
            next_incoming: 0,
            doors: Vec::new(),
            carried: BTreeMap::new(),
            meddle: |_, _| {},
            store_fault: None,
        }
    }

    /// How many connections stand, and how many were ever begun.
    pub(super) fn connections(&self) -> usize {
        self.ends.len() / 2
    }

    pub(super) fn dialled(&self) -> u64 {
        self.next_incoming
    }

    /// Breaks the connection that stands the longest.
    pub(super) fn cut_oldest(&mut self) {
        let oldest = self.ends.keys().find(|(side, _)| *side == 1).copied();
        let Some((side, conn)) = oldest else { return };
        let Some((other, theirs)) = self.ends.remove(&(side, conn)) else { return };
        self.ends.remove(&(other, theirs));
        self.tell(other, Input::Closed { conn: theirs, end: End::Lost });
        self.tell(side, Input::Closed { conn, end: End::Lost });
    }

    pub(super) fn addr(&self, side: usize) -> SocketAddr {
        self.sides[side].addr
    }

    pub(super) fn tell(&mut self, side: usize, input: Input) {
        self.sides[side].inputs.push_back(input);
        self.settle();
    }

    pub(super) fn command(&mut self, side: usize, command: Command) {
        self.tell(side, Input::Command(command));
    }

    pub(super) fn add(&mut self, side: usize, subject: Subject, options: AddOptions) {
        let addition = Addition { subject, options, shared_here: false, incomplete: None };
        self.tell(side, Input::Add { request: RequestId(1), addition: Box::new(addition) });
    }

    /// Lets time pass until `done`, or a minute has passed.
    pub(super) fn run(&mut self, mut done: impl FnMut(&Self) -> bool) -> bool {
        let end = self.now + Span::from_secs(60);
        loop {
            self.settle();
            if done(self) {
                return true;
            }
            let next = self.sides.iter().map(|side| side.engine.next_deadline()).min();
            self.now = next.unwrap_or(end).max(self.now + Span::from_micros(1));
            if self.now >= end {
                self.now = end;
                return false;
            }
        }
    }

    /// Delivers everything there is.
    fn settle(&mut self) {
        loop {
            let mut quiet = true;
            for side in 0..2 {
                while let Some(input) = self.sides[side].inputs.pop_front() {
                    self.sides[side].engine.handle(self.now, input);
                    quiet = false;
                }
                while let Some(done) = self.sides[side].disk.poll() {
                    self.sides[side].engine.handle(self.now, Input::Disk(done));
                    quiet = false;
                }
                while let Some(output) = self.sides[side].engine.poll(self.now) {
                    self.perform(side, output);
                    quiet = false;
                }
                self.sides[side].engine.assert_sound();
            }
            if quiet {
                return;
            }
        }
    }

    fn perform(&mut self, side: usize, output: Output) {
        let other = 1 - side;
        match output {
            Output::Connect { conn, addr } if addr == self.sides[other].addr => {
                self.next_incoming += 1;
                let theirs = ConnKey::incoming(self.next_incoming);
                self.ends.insert((side, conn), (other, theirs));
                self.ends.insert((other, theirs), (side, conn));
                let from = self.sides[side].addr;
                self.sides[side].inputs.push_back(Input::Connected { conn });
                self.sides[other].inputs.push_back(Input::Accepted { conn: theirs, addr: from });
            }
            Output::Connect { conn, .. } => {
                self.sides[side].inputs.push_back(Input::ConnectFailed { conn });
            }
            Output::Send { conn, mut items } => {
                let bytes: u64 = items.iter().map(Item::block_bytes).sum();
                items.iter_mut().for_each(|item| (self.meddle)(side, item));
                *self.carried.entry((side, conn)).or_default() +=
                    items.iter().filter(|item| is_block(item)).count();
                self.sides[side].said.extend(items.iter().cloned());
                if let Some((other, theirs)) = self.ends.get(&(side, conn)).copied() {
                    self.sides[other].inputs.push_back(Input::Received { conn: theirs, items });
                    if bytes > 0 {
                        self.sides[side].inputs.push_back(Input::Sent { conn, bytes });
                    }
                }
            }
            Output::Close { conn } => {
                if let Some((other, theirs)) = self.ends.remove(&(side, conn)) {
                    self.ends.remove(&(other, theirs));
                    self.sides[other].inputs.push_back(Input::Closed { conn: theirs, end: End::Lost });
                }
            }
            Output::OpenDoors { conn, count } => {
                let ip = self.sides[side].addr.ip();
                let addrs: Vec<_> = (0..count as u16).map(|door| (ip, 7_000 + door).into()).collect();
                self.doors.push(addrs.clone());
                self.sides[side].inputs.push_back(Input::DoorsOpened { conn, addrs });
            }
            Output::Disk(job) => self.sides[side].disk.submit(job),
            Output::Announce { torrent, request, .. } => {
                let answer = Err(Failure::Timeout);
                self.sides[side].inputs.push_back(Input::Announced { torrent, id: request.id, answer });
            }
            Output::Store { seq, change } => {
                self.sides[side].changes.push(change);
                let result = self.store_fault.clone().map_or(Ok(()), Err);
                self.sides[side].inputs.push_back(Input::Stored { seq, result });
            }
            Output::Load(torrent) => {
                let loaded = self.sides[side].load(torrent);
                self.sides[side].inputs.push_back(Input::Loaded { torrent, loaded });
            }
            Output::Event(event) => self.sides[side].events.push(event),
        }
    }
}

impl Side {
    /// What was written down of a torrent.
    fn load(&self, torrent: InfoHash) -> Result<Box<(Record, Torrent)>, String> {
        let mut found: Option<Record> = None;
        for change in &self.changes {
            match (change, &mut found) {
                (Change::Put(put), found) if put.info_hash == torrent => *found = Some(Record::clone(put)),
                (Change::Progress(_, progress), Some(found)) => found.progress = progress.clone(),
                _ => {}
            }
        }
        let record = found.ok_or("it is not on the list")?;
        let bytes = record.torrent.clone().ok_or("its metadata is not known")?;
        Ok(Box::new((record, Torrent::parse(&bytes).map_err(|error| error.to_string())?)))
    }

    pub(super) fn has_completed(&self) -> bool {
        self.events.iter().any(|event| matches!(event, Event::Completed { .. }))
    }

    pub(super) fn is_seeding(&self) -> bool {
        self.events.iter().any(|event| matches!(event, Event::Seeding { .. }))
    }

    /// How many blocks it has said.
    pub(super) fn blocks(&self) -> usize {
        self.said.iter().filter(|item| is_block(item)).count()
    }
}

fn is_block(item: &Item) -> bool {
    matches!(item, Item::Message(Message::Piece { .. }))
}

/// A torrent of one file, and its bytes.
pub(super) fn sample(length: usize, piece_length: u32) -> (Torrent, Bytes) {
    sample_with(length, piece_length, &Details::default())
}

/// The same with more said of it.
pub(super) fn sample_with(length: usize, piece_length: u32, details: &Details) -> (Torrent, Bytes) {
    let mut bytes = vec![0; length];
    Rng::new(9).fill(&mut bytes);
    let hashes: Vec<u8> = bytes.chunks(piece_length as usize).flat_map(sha1).collect();
    let plan =
        Plan { name: "sample".into(), files: vec![(Vec::new(), length as u64)], single: true, piece_length };
    let file = build(&plan, &hashes, details);
    (Torrent::parse(&file).expect("a torrent made here"), bytes.into())
}

/// The options of a seed that has its data, and of a download from `peer`.
pub(super) fn options(seed: bool, peer: Option<SocketAddr>) -> AddOptions {
    AddOptions {
        folder: Some(if seed { "/seed".into() } else { "/down".into() }),
        seed_mode: seed,
        peers: peer.into_iter().collect(),
        ..AddOptions::default()
    }
}

pub(super) fn whole(torrent: &Torrent) -> Subject {
    Subject::Torrent(Box::new(torrent.clone()))
}

pub(super) fn link(torrent: &Torrent, peer: SocketAddr) -> Subject {
    let magnet = Magnet { peers: vec![peer.to_string()], ..torrent.magnet() };
    Subject::Magnet(Box::new(magnet))
}
