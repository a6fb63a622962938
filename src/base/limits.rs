//! The fixed limits of the program, with the reason for each.
//!
//! What a user may want to change is a setting (`api::Settings`); what stands here protects against hostile or broken input.

/// Nesting of lists and dictionaries in bencoded input; real files need about six.
pub const BENCODE_DEPTH: usize = 100;
/// Values in one bencoded input; three million is a torrent of about a million files.
pub const BENCODE_TOKENS: usize = 3_000_000;
/// Bytes of a .torrent file; the hashes of as many pieces as there may be take 40 MiB.
pub const TORRENT_FILE_BYTES: u64 = 48 * 1024 * 1024;
/// Bytes of an `info` dictionary fetched from peers (BEP 9).
pub const METADATA_BYTES: u32 = 30 * 1024 * 1024;
/// Pieces in one torrent.
pub const PIECES: u32 = 2_097_152;
/// Bytes of one piece; larger ones would hold a piece's memory for too long.
pub const PIECE_LENGTH: u32 = 512 * 1024 * 1024;
/// Folders above one file.
pub const PATH_DEPTH: usize = 100;
/// Bytes of one path component, below the 255 that file systems allow so that a suffix still fits.
pub const COMPONENT_BYTES: usize = 240;
/// Trackers kept from one torrent or magnet link.
pub const TRACKERS: usize = 256;
/// Bytes of one URL.
pub const URL_BYTES: usize = 2_048;
/// Bytes of one wire message that carries no block.
pub const MESSAGE_BYTES: usize = 1024 * 1024;
/// Requests of one peer that wait here; told to it as `reqq` (BEP 10).
pub const REQUESTS_IN: usize = 2_000;
/// Requests waiting at one peer.
pub const REQUESTS_OUT: usize = 2_000;
/// Known peers of one torrent.
pub const KNOWN_PEERS: usize = 3_000;
/// Decoded bytes of a tracker's answer.
pub const TRACKER_ANSWER_BYTES: usize = 1024 * 1024;
/// Magnet links and other texts from a user or another program.
pub const MAGNET_BYTES: usize = 64 * 1024;
/// Bytes of one whole path below the folder chosen for saving; with that folder it stays below the 4,096 of Linux.
pub const PATH_BYTES: usize = 3_000;
/// Bytes of a comment and the other free texts of a torrent.
pub const TEXT_BYTES: usize = 64 * 1024;
/// Peers and file ranges kept from one magnet link.
pub const MAGNET_ITEMS: usize = 256;
