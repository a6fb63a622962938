//! Sockets: what stands between the machines and the network.
//!
//! - `tracker`: the sockets of the tracker in this program
//! - `trackers`: [`Trackers`], announces and scrapes over HTTP(S) and UDP
//! - `clock`: the one clock of a session
//! - `tcp`: one connection with a peer
//! - `buffers`: memory that sockets are read to
//! - `listen`: the sockets that peers connect to
//! - `lan`: this machine's addresses on its network
//! - `post`: what reaches the engine's loop, and how
//! - `jobs`: reading torrents and hashing shares, away from that loop

#[allow(dead_code)]
mod buffers;
#[allow(dead_code)]
mod clock;
#[allow(dead_code)]
mod jobs;
pub mod lan;
#[allow(dead_code)]
mod listen;
#[allow(dead_code)]
mod post;
#[allow(dead_code)]
mod tcp;
pub mod tracker;
mod trackers;

pub use trackers::Trackers;
