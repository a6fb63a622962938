//! The sockets of a [network](crate::network): a coordinator that answers over HTTPS, and members that ask it.
//!
//! - `host`: [`Host`], a coordinator with its index and statistics, what it keeps, and where it is found
//! - `server`: its connections, with their limits and deadlines
//! - `door`: who may come in, and how often somebody may be wrong
//! - `http`: heads of requests, and answers
//! - `tls`: the certificate that is shown, and the only one that is accepted
//! - `identity`: [`Identity`], certificate, secret and member ids, kept in a file
//! - `keep`: index and rules in a database
//! - `client`: [`Client`], the operations as a member asks for them
//! - `member`: a tracker or user at work, [`TrackerRole`] and [`UserRole`]
//! - `desk`: the network of a session, on a thread of its own, and what passes between the two
//! - `hears`: what its members hear from their coordinator
//! - `orders`: what a user asks of it
//! - `asked`: what it is asking of the coordinator
//! - `look`: what the window shows of it
//! - `still`: what of that a user would see changed

mod asked;
mod client;
mod desk;
mod door;
mod hears;
mod host;
mod http;
mod identity;
mod keep;
mod look;
mod member;
mod orders;
mod server;
mod still;
#[cfg(test)]
mod tests;
mod tls;

pub use client::Client;
pub use desk::Begin;
pub(super) use desk::{Desk, Order, Word};
pub use host::{Host, HostConfig, HostError, folder_in};
pub use identity::{Identity, IdentityError, new_secret};
pub use keep::KeepError;
pub use member::{LEAVING, Role, TrackerRole, UserFacts, UserRole, Wish, attend};
