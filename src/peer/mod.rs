//! One connection with a peer, without its socket.
//!
//! - `item`: [`Item`], what is said on a connection, in either direction

mod item;

pub use item::Item;
