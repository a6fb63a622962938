//! The values that every room speaks of: moments, identities, bit sets, rates and limits.
//!
//! - `time`: [`Moment`] and [`Span`], integer microseconds that never come from a clock in here
//! - `rng`: [`Rng`], seeded randomness
//! - `ids`: [`InfoHash`], [`PeerId`], [`PieceIndex`], [`BlockRef`] and the keys of connections and torrents
//! - `bitfield`: [`Bitfield`], one bit a piece in wire order
//! - `rate`: [`RateMeter`] and [`TokenBucket`]
//! - `limits`: every fixed limit of the program, in one place

mod bitfield;
mod ids;
pub mod limits;
mod rate;
mod rng;
mod time;

pub use bitfield::Bitfield;
pub use ids::{BLOCK_SIZE, BlockRef, ConnKey, InfoHash, ParseHashError, PeerId, PieceIndex, TorrentKey};
pub use rate::{RateMeter, TokenBucket};
pub use rng::Rng;
pub use time::{Moment, Span};
