//! What a torrent is: its .torrent file, its magnet link, its files and pieces, and safe names for them.
//!
//! - `layout`: [`Layout`], which bytes of which file each piece is made of

mod layout;

pub use layout::{File, FileSpan, Layout};
