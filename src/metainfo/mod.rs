//! What a torrent is: its .torrent file, its magnet link, its files and pieces, and safe names for them.
//!
//! - `layout`: [`Layout`], which bytes of which file each piece is made of
//! - `torrent`: [`Torrent`], everything that a .torrent file says
//! - `parse`: reading one, from a file or from peers
//! - `error`: [`TorrentError`], why one is refused
//! - `hybrid`: whether the two halves of a v1 and v2 torrent tell of the same files
//! - `names`: [`safe_name`], one path component that is safe on every system
//! - `paths`: all paths of a torrent, so that no two of them meet on any system
//! - `urls`: trackers and web seeds, trimmed, bounded and without repetition
//! - `magnet`: [`Magnet`], the link that stands for a torrent
//! - `create`: the bytes of a new .torrent file
//! - `show`: [`Shown`], a torrent as it is shown to people and programs

pub mod create;
mod error;
mod hybrid;
mod layout;
mod magnet;
mod names;
mod parse;
mod paths;
mod show;
mod torrent;
mod urls;

pub use error::TorrentError;
pub use layout::{File, FileSpan, Layout};
pub use magnet::{Magnet, MagnetError};
pub use names::safe_name;
pub use show::{Shown, ShownFile};
pub use torrent::Torrent;
