//! What several panels of the network show.
//!
//! - `announcing`: the two announcing windows
//! - `breakdown`: statistics by user, tracker and torrent
//! - `entries`: what the index keeps
//! - `figures`: the three figures over time
//! - `hosting`: letting others in, and joining others
//! - `listing`: tables drawn and sorted by values
//! - `members`: the lists of the tracker on this machine
//! - `picture`: who sends to whom, drawn
//! - `registers`: the tables of trackers, users and assigned uploads
//! - `rules`: what everyone applies
//! - `screen`: the log of one part of the network, in sentences
//! - `standing`: connected or not, and the room that a screen takes
//! - `tiles`: values with their names below

mod announcing;
mod breakdown;
mod entries;
mod figures;
mod hosting;
mod listing;
mod members;
mod picture;
mod registers;
mod rules;
mod screen;
mod standing;
mod tiles;

pub(super) use announcing::announcing;
pub(super) use breakdown::{ByPart, by_user};
pub(super) use entries::Entries;
pub(super) use figures::{figures, history};
pub(super) use hosting::{Hosting, start_button};
pub(super) use listing::{Entry, Listing, Value, hash_key};
pub(super) use members::{count as member_count, members};
pub(super) use picture::picture;
pub(super) use registers::{assigned, trackers, users};
pub(super) use rules::Rules;
pub(super) use screen::{ScreenPane, ask};
pub(super) use standing::{Mood, below, connecting, copied, row, standing, tabs, unread};
pub(super) use tiles::tiles;
