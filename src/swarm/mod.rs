//! One torrent's swarm: which pieces are there, which to ask for, whom to serve, whom to trust.
//!
//! - `pieces`: [`Pieces`], what is had and what is wanted
//! - `picker`: [`Picker`], which block to ask of which peer next

mod picker;
mod pieces;

pub use crate::api::FilePriority as Priority;
pub use picker::{Picker, Received, Speed};
pub use pieces::Pieces;
