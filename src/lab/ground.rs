//! What an experiment stands on: machines that share files, in simulated time or on real sockets.

use crate::api::LabError;
use crate::base::Moment;
use crate::lab::files::Files;

/// A machine, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Machine(pub(super) usize);

/// What a machine is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    /// Bytes per second out.
    pub up: u64,
    /// Bytes per second in.
    pub down: u64,
    /// Connections that it may have (the thesis's Max_N).
    pub max_n: u32,
}

/// What a machine has of a torrent when it adds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Has {
    /// All of it.
    Everything,
    /// One of its files, and it wants no other.
    Part(usize),
    /// Nothing, and it wants all.
    Nothing,
}

/// What is shared, and who names peers to each other.
pub(super) struct Setting {
    /// The torrents, by their numbers.
    pub files: Vec<Files>,
    /// Whether there is a tracker; where there is none, machines know of those that they are told of.
    pub tracker: bool,
    /// What everything random follows from.
    pub seed: u64,
}

/// Machines, and the time that passes for them.
pub(super) trait Ground {
    /// Puts up a machine; nothing runs on it.
    fn machine(&mut self, kind: Kind) -> Machine;

    /// Starts the program on it, with what it had when it ended.
    fn start(&mut self, machine: Machine) -> Result<(), LabError>;

    /// Asks its program to end: it leaves peers and trackers in order.
    fn stop(&mut self, machine: Machine);

    /// Whether its program runs.
    fn is_on(&self, machine: Machine) -> bool;

    /// Adds a torrent, and tells of machines that have something of it.
    fn add(&mut self, machine: Machine, torrent: usize, has: Has, of: &[Machine]) -> Result<(), LabError>;

    /// Tells of machines that have something of a torrent.
    fn tell(&mut self, machine: Machine, torrent: usize, of: &[Machine]);

    /// The present.
    fn now(&self) -> Moment;

    /// Goes on a little, never past `until`.
    fn pass(&mut self, until: Moment) -> Result<(), LabError>;

    /// Whether it has all that it wants of a torrent, and gives it.
    fn is_ready(&self, machine: Machine, torrent: usize) -> bool;

    /// When its program said that the download is complete.
    fn completed(&self, machine: Machine, torrent: usize) -> Option<Moment>;

    /// Bytes of blocks that it has given.
    fn sent(&self, machine: Machine) -> u64;

    /// Bytes that have come to it, all of them counted.
    fn received(&self, machine: Machine) -> u64;
}
