//! The window driven by its accessible labels, against a played session; every settled frame is also checked for
//! inputs without a name.
//!
//! - `rig`: the window, the session behind it, and a hand on the mouse
//! - `upload`: from a file to a link
//! - `download`: from a link or file to an entry on the list
//! - `list`: sorting, filters, choosing, many rows, pause and remove
//! - `network`: the five parts of the network, each in its panel and in a window of its own
//! - `session`: names, labels, limits, goals, turns, watched folders
//! - `panels`: the other panels, and the details
//! - `lab`: the experiments
//! - `whole`: keyboard, looks, drops, sizes, closing, idling

mod download;
mod lab;
mod list;
mod network;
mod panels;
mod rig;
mod session;
mod upload;
mod whole;
