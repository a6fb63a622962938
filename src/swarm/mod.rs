//! One torrent's swarm: which pieces are there, which to ask for, whom to serve, whom to trust.
//!
//! - `pieces`: [`Pieces`], what is had and what is wanted
//! - `picker`: [`Picker`], which block to ask of which peer next
//! - `choker`: [`Choker`], whom to let download
//! - `roster`: [`Roster`], at which addresses peers may be
//! - `trust`: [`Trust`], who sent which block, and who lied
//! - `superseed`: [`SuperSeed`], what the only seed shows to whom
//! - `pool`: pieces by level and rarity, for the picker and the only seed

mod choker;
mod picker;
mod pieces;
mod pool;
mod roster;
mod superseed;
mod trust;

pub use crate::api::FilePriority as Priority;
pub use choker::{Candidate, Changes, Choker, Upload};
pub use picker::{Picker, Received, Speed};
pub use pieces::Pieces;
pub use roster::{Found, Roster, Why};
pub use superseed::SuperSeed;
pub use trust::{Blame, Digest, Sender, Trust};
