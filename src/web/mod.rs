//! The web page of a session and the API behind it: from a request to its answer over a [`Handle`](crate::api::Handle).
//! Sockets are the business of `net`; the program brings the two together.
//!
//! - `site`: [`router`], what answers, and the way of each request
//! - `door`: who may ask
//! - `reach`: what may be asked for
//! - `commands`: commands, and what becomes of them
//! - `list`: what is told
//! - `changes`: what has changed since when
//! - `fault`: refusals
//! - `page`: the files of the page

mod changes;
mod commands;
mod door;
mod fault;
mod list;
mod page;
mod reach;
mod site;
#[cfg(test)]
mod tests;

pub use site::router;
