//! Several messages side by side.

use crate::hash::{Sha1, sha1};

/// How many messages are best hashed at once on this machine.
pub fn lanes() -> usize {
    1
}

/// The SHA-1 digests of many messages, in their order.
pub fn sha1_many(messages: &[&[u8]]) -> Vec<[u8; 20]> {
    messages.iter().map(|message| sha1(message)).collect()
}

/// Adds its next parts to each of several digests.
pub fn update_many<P: AsRef<[u8]>>(work: &mut [(Sha1, &[P])]) {
    for (digest, parts) in work {
        parts.iter().for_each(|part| digest.update(part.as_ref()));
    }
}
