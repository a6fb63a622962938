//! SHA-1 and SHA-256, one message or many at once.
//!
//! - `stream`: [`Sha1`], [`sha1`] and [`sha256`], one message at a time
//! - `many`: [`sha1_many`] and [`update_many`], several messages side by side

mod many;
mod stream;

pub use many::{lanes, sha1_many, update_many};
pub use stream::{Sha1, sha1, sha256};
