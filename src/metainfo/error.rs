//! Why a torrent is refused, in sentences for the person who opened it.

use crate::base::limits;
use crate::bencode;

/// Why a .torrent file, or metadata from peers, is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TorrentError {
    /// It is larger than any real one.
    #[error("this is no usable torrent: it is larger than {} MiB", limits::TORRENT_FILE_BYTES / (1024 * 1024))]
    TooBig,
    /// It is not bencoded.
    #[error("this is no torrent file: {0}")]
    Bencode(#[from] bencode::Error),
    /// The outermost value is no dictionary.
    #[error("this is no torrent file: its outermost value is not a dictionary")]
    NotDictionary,
    /// There is no `info` dictionary.
    #[error("this is no torrent file: it has no info dictionary")]
    NoInfo,
    /// It has nothing that BitTorrent v1 can work with (BEP 52).
    #[error(
        "this torrent is for BitTorrent v2 only, which is not supported yet; a v1 or hybrid torrent would work"
    )]
    V2Only,
    /// Its v1 and v2 parts tell of different files (BEP 52).
    #[error("this torrent contradicts itself: its v1 and v2 parts name different files")]
    Inconsistent,
    /// It has no name.
    #[error("this torrent has no name")]
    NoName,
    /// The piece length is missing or no number.
    #[error("this torrent has no piece length")]
    NoPieceLength,
    /// The piece length is zero, negative, or too large to be held in memory.
    #[error("this torrent's piece length of {0} bytes is not between 1 and {max}", max = limits::PIECE_LENGTH)]
    PieceLength(i64),
    /// The hashes are missing or no string.
    #[error("this torrent has no piece hashes")]
    NoPieces,
    /// The hashes are not a whole number of SHA-1 hashes.
    #[error("this torrent's piece hashes are {0} bytes long, which is not a multiple of 20")]
    HashLength(usize),
    /// There are not as many hashes as pieces.
    #[error("this torrent has {hashes} piece hashes for {pieces} pieces")]
    HashCount {
        /// Hashes there are.
        hashes: usize,
        /// Pieces that the files make.
        pieces: u32,
    },
    /// There are more pieces than can be worked with.
    #[error("this torrent has more than {} pieces", limits::PIECES)]
    TooManyPieces,
    /// Neither a length nor a list of files, or a list with none in it.
    #[error("this torrent has no files")]
    NoFiles,
    /// An entry of the list of files is no dictionary.
    #[error("file {0} of this torrent is not described by a dictionary")]
    FileEntry(usize),
    /// A length is missing or no number.
    #[error("file {0} of this torrent has no length")]
    NoLength(usize),
    /// A length is negative.
    #[error("file {0} of this torrent has a negative length")]
    NegativeLength(usize),
    /// The lengths together are beyond what can be counted.
    #[error("the files of this torrent are longer together than can be counted")]
    TotalLength,
    /// A path is missing, empty, or no list of strings.
    #[error("file {0} of this torrent has no path")]
    NoPath(usize),
    /// A file lies in too many folders.
    #[error("file {0} of this torrent lies in more than {max} folders", max = limits::PATH_DEPTH)]
    TooDeep(usize),
    /// A path is longer than systems can open.
    #[error("file {0} of this torrent has a path of more than {max} bytes", max = limits::PATH_BYTES)]
    PathLength(usize),
}
