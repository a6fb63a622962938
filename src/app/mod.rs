//! The program: what the command line asks for, and the way from there to a session and a window.
//!
//! - `cli`: [`Cli`], the command line
//! - `run`: what is started for it, and the exit code
//! - `torrents`: making, showing and verifying .torrent files
//! - `lab`: the thesis's experiments on the command line
//! - `tracker`: [`TrackerArgs`], a tracker without a window
//! - `network`: coordinating a network, sharing in it, and its index and statistics
//! - `transfer`: seeding or fetching one torrent
//! - `desktop`: the app and its window
//! - `daemon`: its session without a window
//! - `page`: its web page
//! - `control`: what runs already, listed and told what to do
//! - `running`: a session in this program, and what happens to it
//! - `instance`: handing arguments to the program that runs already
//! - `signals`: being asked to end
//! - `paths`: where things are kept
//! - `log`: what is written to standard error as it happens
//! - `say`: what goes to the terminal
//! - `bar`: a progress bar on it
//! - `clock`: this room's clock

mod bar;
mod cli;
mod clock;
mod control;
mod daemon;
mod desktop;
mod instance;
#[cfg(feature = "sim")]
mod lab;
mod log;
mod network;
#[cfg(feature = "web")]
mod page;
mod paths;
mod run;
mod running;
mod say;
mod signals;
mod torrents;
mod tracker;
mod transfer;

pub use cli::Cli;
pub use run::run;
pub use tracker::TrackerArgs;
