//! The one owner of all decisions: inputs in, outputs out, no clock, socket or file.
//!
//! - `io`: [`Input`] and [`Output`], all that passes between the engine and its shell
//! - `record`: [`Record`] and [`Change`], what survives of a torrent between two runs

mod io;
mod record;

pub use io::{Addition, End, Input, Output, Subject};
pub use record::{Change, Progress, Record};
