//! One connection with a peer, without its socket.
//!
//! - `item`: [`Item`], what is said on a connection, in either direction
//! - `conn`: [`Conn`] and [`Outbox`], bytes to items and items to bytes

mod conn;
mod item;

pub use conn::{Conn, Outbox};
pub use item::Item;
