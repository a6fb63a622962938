//! The window: it draws the newest view of a session and turns what the user does into commands; nothing in it waits.
//!
//! - `start`: opening the window, with one renderer or the other
//! - `app`: one frame: take in what happened, draw, carry out what was asked for
//! - `scene`: what panels are given, and what they may ask for
//! - `panels`: one file for each panel of the navigation
//! - `list`, `details`: the torrents, and all about one of them
//! - `upload`, `download`: the ways from a file to people, and back
//! - `keys`: the keyboard
//! - `pick`, `errand`: file dialogs and the disk, on threads of their own
//! - `desktop`: whether the desktop is light or dark
//! - `notify`: notifications of the desktop
//! - `trial`: an experiment on a thread of its own
//! - `news`: the log and the rates that were seen
//! - `gauge`: what a frame costs
//! - `state`: what the window remembers of itself
//! - `theme`, `widgets`: colours, measures, parts
//! - `clock`: the window's clock
//! - `demo`: a session that is played, for tests, benchmarks and pictures

mod app;
mod clock;
pub mod demo;
mod desktop;
mod details;
mod download;
mod errand;
mod gauge;
mod keys;
mod list;
mod news;
mod notify;
mod panels;
mod pick;
mod scene;
mod start;
mod state;
#[cfg(all(test, feature = "window-tests"))]
mod tests;
mod theme;
mod trial;
mod upload;
mod widgets;

pub use start::{Error, Inbox, Opener, Renderer, Start, inbox, run};
