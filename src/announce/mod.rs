//! When to tell which tracker what: tiers, intervals, back-off and scrapes (BEP 3, 12, 31, 48).
//!
//! - `announcer`: [`Announcer`], the trackers of one torrent
//! - `tracker`: one of them: what it has been told, when it is due, how it stands
//! - `request`: [`AnnounceRequest`], [`Facts`], [`Stats`] and [`Failure`], what goes out and comes back
//! - `url`: which trackers are supported, and which are close by

mod announcer;
mod request;
#[cfg(test)]
mod tests;
mod tracker;
mod url;

pub use announcer::Announcer;
pub use request::{AnnounceRequest, Facts, Failure, Kind, Stats};
pub use url::is_local;

pub use crate::wire::tracker::Answer;
