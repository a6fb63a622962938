//! The program: what the command line asks for, and the way from there to a session and a window.
//!
//! - `cli`: [`Cli`], the command line
//! - `run`: what is started for it, and the exit code
//! - `torrents`: making, showing and verifying .torrent files
//! - `tracker`: [`TrackerArgs`], a tracker without a window
//! - `say`: what goes to the terminal
//! - `bar`: a progress bar on it
//! - `clock`: this room's clock

mod bar;
mod cli;
mod clock;
mod run;
mod say;
mod torrents;
mod tracker;

pub use cli::Cli;
pub use run::run;
pub use tracker::TrackerArgs;
