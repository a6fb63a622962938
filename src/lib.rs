//! Fyris, a desktop BitTorrent program, as a library: the map of its rooms and the life of a block.
//!
//! # The rooms
//!
//! Each module is a room with one purpose, told by the first lines of its `mod.rs`. Imports point downwards in this table
//! only, and a test holds it. The word of the BEPs is used for everything that has one.
//!
//! | rooms | what they are |
//! |---|---|
//! | [`base`], [`bencode`], [`hash`], [`metainfo`] | values: identities, time, torrents, magnet links, safe file names |
//! | [`api`] | what a user of a session sees: commands, events, views, settings; plain data |
//! | [`wire`] | bytes to typed messages and back, for peers and trackers |
//! | [`peer`], [`swarm`], [`announce`], [`tracker`], [`network`], [`engine`] | machines: time and inputs in, outputs out |
//! | `disk`, `store`, `net` | shells: files, the session database, sockets |
//! | `sim`, `lab` | simulated time, links and disks; the thesis's experiments |
//! | `web`, `gui`, `app` | the web page with its API, the window, the program |
//!
//! Values and machines know no clock, socket, file, lock or thread. [`engine::Engine`] owns every decision; two drivers call
//! the same four functions of it: `net`, on tokio, and `sim`, in simulated time. Features choose the shells: `host` (sockets,
//! files, the command line), `web`, `gui`, all of them on unless turned off, and `sim`.
//!
//! # The life of a block
//!
//! 1. [`swarm::Picker`] chooses it for a peer that has it, is not choking us and has room in its [`peer::Pipeline`].
//! 2. [`engine`] has it recorded as suspect (once a piece) and puts a request into the peer's batch; `net` writes the batch.
//! 3. The peer's bytes are read into one buffer, of which [`peer::Conn`] splits the block off without copying it. All that
//!    came at once goes to the engine as one [`engine::Input`].
//! 4. The engine asks the picker what the block is, notes with [`swarm::Trust`] who sent it, and gives runs of blocks that
//!    follow each other to the disk as [`disk::Job::Store`].
//! 5. A thread of the disk hashes the run while it is hot and writes it. The last run of a piece brings the verdict.
//! 6. A good piece is offered to all peers at once; a bad one is fetched again and compared, to find who lied.
//! 7. Every few seconds the files are synced, and what is safe then is recorded as had; nothing is claimed before.
//! 8. For a peer that asks, [`disk::Job::Read`] reads the run around the block once for all who ask, and the block goes out in
//!    a vectored write, still uncopied, as far as [`swarm::Choker`] and the limits allow.

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
