//! What peers say to each other.
//!
//! - `message`: [`Message`], one after another once the handshake is done

mod message;

pub use message::Message;
