//! What is said on a connection, in either direction.

use crate::wire::peer::{Handshake, Message};

/// One thing said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// The first 68 bytes, once from each side.
    Handshake(Handshake),
    /// A message after that.
    Message(Message),
}

impl Item {
    /// Bytes of payload in it: those of a block, otherwise none.
    pub fn block_bytes(&self) -> u64 {
        match self {
            Self::Message(Message::Piece { data, .. }) => data.len() as u64,
            _ => 0,
        }
    }
}

impl From<Message> for Item {
    fn from(message: Message) -> Self {
        Self::Message(message)
    }
}
