//! Bytes and typed messages: what client, tracker and simulator say to each other.
//!
//! - [`peer`]: handshake, messages and extensions between peers
//! - [`tracker`]: what announces and scrapes say, whatever carries them
//! - [`tracker_http`]: the requests and bencoded answers of HTTP trackers
//! - [`tracker_udp`]: the datagrams of UDP trackers
//! - `text`: strangers' words made fit to be shown

pub mod peer;
pub(crate) mod text;
pub mod tracker;
pub mod tracker_http;
pub mod tracker_udp;
