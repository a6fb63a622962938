//! A simulated world: clock, links, hosts and disks from one seed, through the engine that ships.
//!
//! - `clock`: [`Clock`], what is to happen, by moment
//! - `link`: [`Link`], how fast and how far a host is, and whether it can be reached
//! - `wires`: the connections: sockets, uplinks in turn, downlinks
//! - `drive`: [`Drive`], the disk in memory behind a queue that takes its time
//! - `shelf`: [`Shelf`], a host's session database
//! - `host`: [`Host`], a machine, and [`Program`], what runs on it
//! - `tracker`: [`Tracker`], who is in which swarm
//! - `content`: [`Content`], a torrent with its bytes
//! - `world`: [`World`], all of it with one clock
//! - `scenario`: [`Scenario`], a swarm to be played, and [`Outcome`], how it went
//! - `check`: what must be so after every step
//! - `log`: [`Log`], what happened, as lines whose digest is the same for the same seed
//! - `words`: inputs and outputs in short words, for the log

mod check;
mod clock;
mod content;
mod drive;
mod host;
mod link;
mod log;
pub mod scenario;
mod shelf;
#[cfg(test)]
mod tests;
mod tracker;
mod wires;
mod words;
mod world;

pub use clock::Clock;
pub use content::{Content, TRACKER};
pub use drive::{Drive, Speed};
pub use host::{FOLDER, Host, HostId, HostOptions, MOVED, Program, Vice};
pub use link::{Link, wire_bytes};
pub use log::{Detail, Log};
pub use scenario::{Outcome, Role, Scenario};
pub use shelf::Shelf;
pub use tracker::Tracker;
pub use world::World;
