//! Which block to ask of which peer next.
//!
//! - `choose`: [`Picker`], what to ask for
//! - `answer`: what came, what will not come, and what became of a piece
//! - `endgame`: the last blocks, asked of several peers
//! - `open`: the pieces that are begun, block by block
//! - `asked`: what each peer was asked for

mod answer;
mod asked;
mod choose;
mod endgame;
mod open;
#[cfg(test)]
mod tests;

pub use answer::Received;
pub use choose::{Picker, Speed};
