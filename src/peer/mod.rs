//! One connection with a peer, without its socket.
//!
//! - `item`: [`Item`], what is said on a connection, in either direction
//! - `conn`: [`Conn`], bytes in and items out; [`Outbox`], items in and chunks for a vectored write out
//! - `pipeline`: [`Pipeline`], how many blocks to have asked for at once
//! - `uploads`: [`Uploads`], what the peer has asked for
//! - `metadata`: [`MetadataFetch`], the `info` dictionary put together from peers (BEP 9)
//! - `fast`: [`allowed_fast_set`], the pieces a newcomer may have while choked (BEP 6)

mod conn;
mod fast;
mod item;
mod metadata;
mod pipeline;
mod uploads;

pub use conn::{Conn, Outbox};
pub use fast::allowed_fast_set;
pub use item::Item;
pub use metadata::{Fetched, MetadataFetch};
pub use pipeline::Pipeline;
pub use uploads::{Asked, Uploads};
