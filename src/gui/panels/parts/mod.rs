//! What several panels of the network show.
//!
//! - `entries`: what the index keeps
//! - `screen`: the log of one part of the network, in sentences
//! - `registers`: the tables of trackers and users
//! - `picture`: who sends to whom, drawn
//! - `figures`: the three figures over time

mod entries;
mod figures;
mod picture;
mod registers;
mod screen;

pub(super) use entries::Entries;
pub(super) use figures::{figures, history};
pub(super) use picture::picture;
pub(super) use registers::{trackers, users};
pub(super) use screen::ScreenPane;
