//! The swarms in memory: who shares what, ready to be copied into answers.
//!
//! - `mark`: [`Mark`], when a peer was last heard and what else is known of it, in four bytes
//! - `few`: [`Few`], up to three peers without a byte outside their swarm
//! - `many`: [`Many`], any number of peers in columns
//! - `index`: [`Index`], where in its columns a large swarm keeps a peer
//! - `pick`: [`Picked`], the peers chosen for one answer
//! - `saved`: [`Saved`], a swarm as bytes that outlive the process
//! - `swarm`: [`Swarm`], the peers of one torrent over both address families
//! - `exchange`: [`Exchange`], what machines that share their swarms tell each other
//! - `room`: `Room`, what all shards hold together
//! - `shard`: [`Shard`], a part of all swarms behind one lock, with its limits
//!
//! Within a swarm seeds stand in front and downloaders behind, so that both can be counted without looking and copied as
//! runs of bytes. A peer is known by its address and port: nobody but who sends from that address can change or remove it.

mod exchange;
mod few;
mod index;
mod many;
mod mark;
mod pick;
mod room;
mod saved;
mod shard;
mod swarm;
#[cfg(test)]
mod tests;

pub use exchange::{Change, Exchange, SharedPeer};
use few::Few;
use index::Index;
use many::Many;
pub(crate) use mark::Mark;
pub use mark::State;
pub use pick::Found;
pub(crate) use pick::{For, Picked, Want};
use room::Room;
pub use saved::Saved;
pub(crate) use shard::Note;
pub use shard::{Limits, Shard, Shards, new_shards};
use swarm::Swarm;
pub use swarm::SwarmCounts;
