//! The messages between peers (BEP 3, 5, 6, 10) as values that cannot hold nonsense.

use bytes::Bytes;

use crate::base::{BlockRef, PieceIndex};

/// One message after the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Nothing; keeps the connection open (BEP 3).
    KeepAlive,
    /// No more requests are served (BEP 3).
    Choke,
    /// Requests are served (BEP 3).
    Unchoke,
    /// The other side has something wanted (BEP 3).
    Interested,
    /// The other side has nothing wanted (BEP 3).
    NotInterested,
    /// One more piece is there (BEP 3).
    Have(PieceIndex),
    /// All pieces that are there, still to be measured against the piece count (BEP 3).
    Bitfield(Bytes),
    /// A block is asked for (BEP 3).
    Request(BlockRef),
    /// A block (BEP 3).
    Piece {
        /// The piece it lies in.
        piece: PieceIndex,
        /// Its first byte within the piece.
        begin: u32,
        /// Its bytes, at most one block.
        data: Bytes,
    },
    /// A request is taken back (BEP 3).
    Cancel(BlockRef),
    /// The UDP port of the sender's DHT node (BEP 5).
    Port(u16),
    /// A piece worth asking for (BEP 6).
    Suggest(PieceIndex),
    /// Every piece is there (BEP 6).
    HaveAll,
    /// No piece is there (BEP 6).
    HaveNone,
    /// A request will not be served (BEP 6).
    Reject(BlockRef),
    /// A piece that is served even while choked (BEP 6).
    AllowedFast(PieceIndex),
    /// An extension's message under the number the receiver gave it; 0 is the extended handshake (BEP 10).
    Extended {
        /// The receiver's number.
        id: u8,
        /// What the extension makes of it.
        payload: Bytes,
    },
}
