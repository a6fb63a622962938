//! The real files of a torrent.
//!
//! - `pool`: open files of all torrents within one limit
//! - `parts`: bytes of skipped files that a shared piece brought along, kept in one hidden file
//! - `torrent`: [`Files`], one torrent: reading, writing, making durable, deleting

mod parts;
mod pool;
mod torrent;

pub(super) use pool::{Disk, lock};
pub(super) use torrent::Files;
