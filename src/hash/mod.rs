//! SHA-1 and SHA-256, one message or many at once.
//!
//! - `stream`: [`Sha1`], [`sha1`] and [`sha256`], one message at a time

mod stream;

pub use stream::{Sha1, sha1, sha256};

/// The SHA-1 digests of many messages, in their order.
pub fn sha1_many(messages: &[&[u8]]) -> Vec<[u8; 20]> {
    messages.iter().map(|message| sha1(message)).collect()
}
