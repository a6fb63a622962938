//! Bencode (BEP 3): a bounded iterative decoder that borrows from its input, and an encoder.
//!
//! - `decode`: [`decode()`] and [`decode_prefix`], one pass over the input into a flat table of tokens
//! - `node`: [`Document`] and [`Node`], reading that table without copying
//! - `encode`: [`Encoder`], writing straight into a buffer
//! - `value`: [`Value`], an owned tree for what has to be kept or changed

mod decode;
mod encode;
mod node;
#[cfg(test)]
mod tests;
mod value;

pub use decode::{Error, Fault, decode, decode_prefix};
pub use encode::{DictEncoder, Encoder};
pub use node::{Document, Node};
pub use value::Value;
