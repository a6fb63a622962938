//! Fyris, a desktop BitTorrent program, as a library: the map of its rooms.
//!
//! Imports point downwards in this list only, and a test holds the table.

// Values
pub mod base;
pub mod bencode;
pub mod hash;
pub mod metainfo;

// What the outside sees of a session
pub mod api;

// Bytes and typed messages
pub mod wire;

// Machines: time in, effects out
pub mod announce;
pub mod disk;
pub mod engine;
pub mod network;
pub mod peer;
pub mod swarm;
pub mod tracker;

// Shells
#[cfg(feature = "host")]
pub mod net;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(feature = "host")]
pub mod store;

// Application
#[cfg(feature = "host")]
pub mod app;
#[cfg(feature = "gui")]
pub mod gui;
#[cfg(feature = "sim")]
pub mod lab;
#[cfg(feature = "web")]
pub mod web;
