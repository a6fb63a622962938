//! Sockets: what stands between the machines and the network.
//!
//! - `session`: [`Session`], the engine on a thread of its own with everything around it
//! - `driver`: the loop that drives the engine
//! - `obey`: what a user asks of the session itself rather than of the engine
//! - `publish`: the view that users see
//! - `calm`: how often is looked at what changes by itself
//! - `post`: what reaches the loop, and how
//! - `jobs`: reading torrents and hashing shares, away from the loop
//! - `tcp`: one connection with a peer
//! - `buffers`: memory that sockets are read to
//! - `listen`: the sockets that peers connect to
//! - `serving`: what our servers have in common
//! - `pages`: [`pages::Pages`], a router of pages at an address
//! - `trackers`: [`Trackers`], announces and scrapes over HTTP(S) and UDP
//! - `tracker`: the sockets of a tracker
//! - `network`: the sockets of a network of coordinator, trackers and users
//! - `networking`: the session in its network
//! - `hosted`: the tracker in this program
//! - `lan`: this machine's addresses on its network
//! - `watch`: folders whose torrents are added by themselves
//! - `when_done`: the program that is run when a download is complete
//! - `memory`: what torrents at rest have left is given back to the system
//! - `clock`: the one clock of a session

mod buffers;
mod calm;
mod clock;
mod driver;
mod hosted;
mod jobs;
pub mod lan;
mod listen;
mod memory;
pub mod network;
mod networking;
mod obey;
#[cfg(feature = "web")]
pub mod pages;
mod post;
mod publish;
mod serving;
mod session;
mod tcp;
pub mod tracker;
mod trackers;
mod watch;
mod when_done;

pub use session::{Config, Session, SessionError, load_settings};
pub use trackers::Trackers;
