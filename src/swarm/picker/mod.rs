//! Which block to ask of which peer next.
//!
//! - `choose`: [`Picker`], what to ask for
//! - `answer`: what came, what will not come, and what became of a piece
//! - `endgame`: the last blocks, asked of several peers
//! - `pool`: copies of each piece, and the pieces not yet begun by rarity
//! - `open`: the pieces that are begun, block by block
//! - `asked`: what each peer was asked for

mod answer;
mod asked;
mod choose;
mod endgame;
mod open;
mod pool;
#[cfg(test)]
mod tests;

pub use answer::Received;
pub use choose::{Picker, Speed};
