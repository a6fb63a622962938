//! SHA-1 and SHA-256, one message or many at once.
//!
//! - `stream`: [`Sha1`], [`sha1()`] and [`sha256`], one message at a time
//! - `many`: [`sha1_many`], [`sha256_many`] and [`update_many`], several messages side by side
//! - `feed`: the whole blocks of a message that comes in parts
//! - `kernels`: several blocks in one go, by what the processor can do

mod feed;
mod kernels;
mod many;
mod stream;

#[cfg(test)]
mod tests;

pub use many::{avoid_sha_instructions, lanes, sha1_many, sha256_many, update_many, way};
pub use stream::{Sha1, sha1, sha256};

/// What both algorithms take at a time.
type Block = [u8; 64];
