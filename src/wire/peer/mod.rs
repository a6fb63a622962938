//! What peers say to each other.
//!
//! - `handshake`: [`Handshake`], the first 68 bytes, and the [`Reserved`] bits in it
//! - `message`: [`Message`], one after another once the handshake is done
//! - `codec`: [`decode`] and [`encode`], messages out of and into a buffer
//! - [`extended`]: the extension protocol and the messages in it
//! - `pex`: [`Added`], addresses of other peers
//! - `clients`: [`client_name`], which program a peer id belongs to

mod clients;
mod codec;
pub mod extended;
mod handshake;
mod message;
mod pex;

pub use clients::client_name;
pub use codec::{bytes_wanted, decode, encode, encode_piece_header};
pub use handshake::{HANDSHAKE_BYTES, Handshake, Reserved};
pub use message::Message;
pub use pex::Added;

/// What a peer sent that the protocol does not allow; its connection is closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The first bytes are not those of BitTorrent.
    #[error("it does not speak BitTorrent")]
    NotBitTorrent,
    /// A message is longer than any allowed one.
    #[error("message of {0} bytes is too long")]
    TooLong(u32),
    /// A message has another length than its kind has.
    #[error("message {id} cannot be {len} bytes long")]
    WrongLength {
        /// The kind of message.
        id: u8,
        /// Its length on the wire, kind included.
        len: u32,
    },
    /// An extension's message does not read.
    #[error("bad {0} message")]
    Extension(&'static str),
}
