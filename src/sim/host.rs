//! One machine of a simulated world: a program, its disk and what survives of it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::api::{Event, Settings};
use crate::base::{Bitfield, InfoHash, Moment};
use crate::disk::MemoryDisk;
use crate::engine::{Engine, Input, Output};
use crate::sim::{Drive, Link, Shelf, Speed};

/// The number of a host in its world, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub usize);

/// What runs on a host: the engine, or something written to annoy it.
pub trait Program {
    /// Something happened.
    fn handle(&mut self, now: Moment, input: Input);
    /// The next effect.
    fn poll(&mut self, now: Moment) -> Option<Output>;
    /// When `poll` has something next by itself.
    fn next_deadline(&self) -> Moment;
    /// Panics where its books do not agree.
    fn assert_sound(&self) {}
    /// The pieces it claims to have.
    fn have(&self, _torrent: InfoHash) -> Option<&Bitfield> {
        None
    }
}

impl Program for Engine {
    fn handle(&mut self, now: Moment, input: Input) {
        Self::handle(self, now, input);
    }

    fn poll(&mut self, now: Moment) -> Option<Output> {
        Self::poll(self, now)
    }

    fn next_deadline(&self) -> Moment {
        Self::next_deadline(self)
    }

    fn assert_sound(&self) {
        Self::assert_sound(self);
    }

    fn have(&self, torrent: InfoHash) -> Option<&Bitfield> {
        Self::have(self, torrent)
    }
}

/// What a host does wrong on the network, behind its program's back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Vice {
    /// Nothing.
    #[default]
    None,
    /// One block in so many goes out with a wrong byte.
    Corrupts(u32),
    /// No block ever goes out.
    Swallows,
}

/// What a host is like.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// Its way to the network.
    pub link: Link,
    /// Its disk.
    pub speed: Speed,
    /// Its user's choices.
    pub settings: Settings,
    /// What it does wrong.
    pub vice: Vice,
}

/// A machine.
pub struct Host {
    pub(super) options: HostOptions,
    pub(super) addr: SocketAddr,
    /// What runs; nothing while it is off.
    pub(super) program: Option<Box<dyn Program>>,
    /// Rises with each start of a program, so that what was meant for an earlier one is dropped.
    pub(super) life: u32,
    pub(super) drive: Drive,
    pub(super) shelf: Shelf,
    /// When its program is woken next.
    pub(super) wake_at: Moment,
    /// How often it was woken at that moment, which must not go on for ever.
    pub(super) wakes: u32,
    /// Blocks swallowed so far.
    pub(super) blocks: u64,
    pub(super) events: Vec<(Moment, Event)>,
    pub(super) completed: BTreeMap<InfoHash, Moment>,
    pub(super) stopped: bool,
    /// The pieces whose bytes were compared after the program claimed to have them.
    pub(super) compared: BTreeMap<InfoHash, Bitfield>,
    pub(super) said: Said,
    /// Bytes of blocks that came to its program.
    pub(super) heard: u64,
}

/// Bytes of blocks that a program gave out, against its limit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said {
    pub(super) bytes: u64,
    /// What is above the limit at the moment.
    pub(super) level: f64,
    pub(super) at: Moment,
}

impl Default for HostOptions {
    fn default() -> Self {
        let settings =
            Settings { download_folder: FOLDER.into(), port: PORT, tracker: false, ..Settings::default() };
        Self { link: Link::default(), speed: Speed::default(), settings, vice: Vice::None }
    }
}

impl Host {
    pub(super) fn new(id: HostId, options: HostOptions) -> Self {
        let number = (id.0 as u32 + 1).to_be_bytes();
        let ip = IpAddr::V4(Ipv4Addr::new(10, number[1], number[2], number[3]));
        let drive = Drive::new(MemoryDisk::new(), options.speed);
        Self {
            addr: SocketAddr::new(ip, PORT),
            options,
            program: None,
            life: 0,
            drive,
            shelf: Shelf::default(),
            wake_at: Moment::NEVER,
            wakes: 0,
            blocks: 0,
            events: Vec::new(),
            completed: BTreeMap::new(),
            stopped: false,
            compared: BTreeMap::new(),
            said: Said::default(),
            heard: 0,
        }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What it is like.
    pub fn options(&self) -> &HostOptions {
        &self.options
    }

    /// Whether a program runs on it.
    pub fn is_on(&self) -> bool {
        self.program.is_some()
    }

    /// What its program told its user, and when.
    pub fn events(&self) -> &[(Moment, Event)] {
        &self.events
    }

    /// When its program said that a download is complete.
    pub fn completed_at(&self, torrent: InfoHash) -> Option<Moment> {
        self.completed.get(&torrent).copied()
    }

    /// Whether its program has ended by itself.
    pub fn has_stopped(&self) -> bool {
        self.stopped
    }

    /// The pieces that its program claims to have.
    pub fn have(&self, torrent: InfoHash) -> Option<&Bitfield> {
        let program = self.program.as_ref()?;
        // Of a torrent at rest nothing is in memory; it claims what it claimed before.
        program.have(torrent).or_else(|| self.compared.get(&torrent))
    }

    /// The disk and its faults.
    pub fn disk(&mut self) -> &mut MemoryDisk {
        &mut self.drive.disk
    }

    /// Changes to its files and to what survives of its program so far.
    pub fn writes(&self) -> u64 {
        self.drive.disk.writes() + self.shelf.writes()
    }

    /// What survives of its program.
    pub fn shelf(&mut self) -> &mut Shelf {
        &mut self.shelf
    }

    /// Bytes of blocks that its program has sent.
    pub fn blocks_sent(&self) -> u64 {
        self.said.bytes
    }

    /// Bytes of blocks that its programs have received.
    pub fn blocks_received(&self) -> u64 {
        self.heard
    }
}

/// The folder that every host saves in.
pub const FOLDER: &str = "/downloads";
/// Where a torrent is that was moved.
pub const MOVED: &str = "/downloads/moved";
/// The port that every host listens on.
const PORT: u16 = 6881;
