//! Sockets: what stands between the machines and the network.
//!
//! - `trackers`: [`Trackers`], announces and scrapes over HTTP(S) and UDP

mod trackers;

pub use trackers::Trackers;
