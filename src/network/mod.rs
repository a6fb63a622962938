//! The network between machines (the thesis's system): coordinator, index and statistics as pure machines, and what is said
//! to them.
//!
//! - `protocol`: every operation and its answer, as JSON objects
//! - `link`: [`JoinLink`], the address, secret and certificate that let a machine in
//! - `screen`: [`Screen`], what happened in sentences
//! - `coordinator`: [`Coordinator`], the registers of trackers and users, the rules, and whose turn it is
//! - `index`: [`Index`], the .torrent of every upload
//! - `member`: [`Member`], when a tracker or user registers and beats, and what the answers mean
//! - `telling`: [`Holdings`] and [`Swarms`], what a member has to tell and has told
//! - `service`: [`Network`], the three behind the operations
//! - `statistics`: [`Statistics`], who downloads, who seeds, and for how long seeds stay
//!
//! Moments in here count from 1970, so that what is shown needs no second clock; only differences decide anything.

mod coordinator;
mod index;
mod link;
mod member;
mod protocol;
mod screen;
mod service;
mod statistics;
mod telling;
#[cfg(test)]
mod tests;

pub use coordinator::{BEAT, Coordinator, Gone, SILENCE, Standing, Tracker, User};
pub use index::{Index, Kept, Note};
pub use link::{Fingerprint, JoinLink, LinkError, Place, Secret};
pub use member::{Call, CallError, Member, News, Reply};
pub use protocol::*;
pub use screen::Screen;
pub use service::{Effect, Network, Screens};
pub use statistics::{Names, Sighting, Source, Statistics};
pub use telling::{Holdings, Swarms};
