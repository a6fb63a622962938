//! The real files of a torrent.
//!
//! - `pool`: open files of all torrents within one limit
//! - `parts`: bytes of skipped files that a shared piece brought along, kept in one hidden file
//! - `torrent`: [`Files`] and [`Writer`], one torrent: reading, writing, making durable, deleting
//! - `relocate`: moving its files to another folder

mod parts;
mod pool;
mod relocate;
mod torrent;

pub(super) use pool::{Disk, lock};
pub(super) use torrent::{Files, Reader, Writer};
