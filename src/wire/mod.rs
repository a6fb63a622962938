//! Bytes and typed messages: what client, tracker and simulator say to each other.
//!
//! - [`peer`]: handshake, messages and extensions between peers

pub mod peer;
