//! Bencode (BEP 3): a bounded iterative decoder that borrows from its input, and an encoder.
