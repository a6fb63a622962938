//! The one owner of all decisions: inputs in, outputs out, no clock, socket or file.
//!
//! - `record`: [`Record`] and [`Change`], what survives of a torrent between two runs

mod record;

pub use record::{Change, Progress, Record};
