//! The window driven by its accessible labels, against a played session; every settled frame is also checked for
//! inputs without a name.
//!
//! - `rig`: the window, the session behind it, and a hand on the mouse
//! - `upload`: from a file to a link
//! - `download`: from a link or file to an entry on the list
//! - `list`: sorting, filters, choosing, many rows, pause and remove
//! - `lab`: the experiments
//! - `panels`: the other panels, and windows of their own
//! - `whole`: keyboard, looks, drops, sizes, closing, idling

mod download;
mod lab;
mod list;
mod panels;
mod rig;
mod upload;
mod whole;
