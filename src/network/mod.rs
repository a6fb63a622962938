//! The network between machines (the thesis's system): coordinator, index and statistics as pure machines, and what is said
//! to them.
//!
//! - `protocol`: every operation and its answer, as JSON objects
//! - `link`: [`JoinLink`], the address, secret and certificate that let a machine in
//! - `screen`: [`Screen`], what happened in sentences
//! - `statistics`: [`Statistics`], who downloads, who seeds, and for how long seeds stay
//!
//! Moments in here count from 1970, so that what is shown needs no second clock; only differences decide anything.

mod link;
mod protocol;
mod screen;
mod statistics;

pub use link::{Fingerprint, JoinLink, LinkError, Place, Secret};
pub use protocol::*;
pub use screen::Screen;
pub use statistics::{Names, Sighting, Source, Statistics};
