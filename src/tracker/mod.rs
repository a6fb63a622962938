//! A tracker without its sockets: swarms, who may announce, statistics.
//!
//! - `config`: [`Config`], what an operator may choose, by etracker's names
//! - `access`: [`Access`], which torrents and users are served
//! - `addresses`: [`Network`], and what proxies say of who asked
//! - `limiter`: how often one address asks
//! - `connection_id`: [`ConnectionIds`], the proof that a datagram's sender receives what is sent to it (BEP 15)
//! - `siphash`: the keyed hash behind them and behind every table that strangers fill
//! - `store`: [`Shard`] and [`Shards`], the swarms in memory
//! - `stats`: [`Stats`], what was counted since the start, and [`Gauges`], what is there now
//! - `service`: [`Tracker`], announces and scrapes on one store, whatever carries them
//! - `udp`: a datagram in, a datagram out
//! - `http`: a request's target in, a whole response out
//! - `history`: the last hour
//! - `pages`: the statistics as JSON, as HTML with the last hour plotted, and for Prometheus
//!
//! Life of an announce: a shell ([`net::tracker`](crate::net) in the program, a test here) takes bytes off a socket and hands
//! them over with the sender's address, the moment and a generator. They are parsed by [`wire`](crate::wire), checked, and
//! the shard of the info-hash is asked once: it notes the peer, picks others as runs of its ready compact form, and the
//! answer is copied into the shell's buffer.

mod access;
mod addresses;
mod config;
mod connection_id;
mod history;
mod http;
mod limiter;
mod pages;
mod service;
mod siphash;
mod stats;
mod store;
#[cfg(test)]
mod tests;
mod udp;

pub use access::{Access, ListError, parse_hashes, parse_keys};
pub use addresses::{Network, ParseNetworkError};
pub use config::{Config, ConfigError};
pub use connection_id::ConnectionIds;
pub use http::{Method, Request};
pub use service::{Announce, Asker, Refusal, Tracker};
pub use stats::{Counter, Gauges, Stats};
pub use store::{
    Change, Exchange, Found, Limits, Saved, Shard, Shards, SharedPeer, State, SwarmCounts, new_shards,
};
