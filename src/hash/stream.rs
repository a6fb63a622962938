//! One message at a time, through the `sha1` and `sha2` crates, which use the processor's own instructions where it has them.

use sha1::Digest as _;

use crate::hash::Block;

/// The SHA-1 digest of one message.
pub fn sha1(message: &[u8]) -> [u8; 20] {
    sha1::Sha1::digest(message).into()
}

/// The SHA-256 digest of one message.
pub fn sha256(message: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(message).into()
}

/// A SHA-1 digest of a message that comes in parts.
#[derive(Clone)]
pub struct Sha1(pub(super) Stream<5>);

impl Default for Sha1 {
    fn default() -> Self {
        Self(Stream::new(SHA1))
    }
}

impl Sha1 {
    /// A digest of nothing so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next part.
    pub fn update(&mut self, part: &[u8]) {
        let mut rest = part;
        while !rest.is_empty() {
            let blocks = self.0.take(&mut rest);
            sha1::block_api::compress(&mut self.0.state, blocks);
            if self.0.is_full() {
                let buffer = self.0.buffer;
                sha1::block_api::compress(&mut self.0.state, &[buffer]);
                self.0.empty();
            }
        }
    }

    /// The digest of all parts.
    pub fn finish(mut self) -> [u8; 20] {
        let (tail, count) = self.0.tail();
        sha1::block_api::compress(&mut self.0.state, &tail[..count]);
        bytes(self.0.state)
    }
}

/// Where SHA-1 starts (FIPS 180-4, 5.3.1).
pub(super) const SHA1: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

/// Where SHA-256 starts (FIPS 180-4, 5.3.3).
pub(super) const SHA256: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// A state of so many words as the bytes that both algorithms make of it.
pub(super) fn bytes<const WORDS: usize, const BYTES: usize>(state: [u32; WORDS]) -> [u8; BYTES] {
    let mut out = [0; BYTES];
    for (bytes, word) in out.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    out
}

/// What is kept of a message between its parts.
#[derive(Clone)]
pub(super) struct Stream<const WORDS: usize> {
    pub(super) state: [u32; WORDS],
    /// The beginning of a block whose end is still to come.
    pub(super) buffer: Block,
    filled: usize,
    length: u64,
}

impl<const WORDS: usize> Stream<WORDS> {
    pub(super) fn new(state: [u32; WORDS]) -> Self {
        Self { state, buffer: [0; 64], filled: 0, length: 0 }
    }

    /// Takes what is next: whole blocks, which are the answer, or what completes or begins the buffer's block.
    pub(super) fn take<'a>(&mut self, rest: &mut &'a [u8]) -> &'a [Block] {
        if self.filled == 0 {
            let (blocks, _) = rest.as_chunks::<64>();
            if !blocks.is_empty() {
                *rest = &rest[blocks.len() * 64..];
                self.length += blocks.len() as u64 * 64;
                return blocks;
            }
        }
        let (now, later) = rest.split_at(rest.len().min(64 - self.filled));
        self.buffer[self.filled..self.filled + now.len()].copy_from_slice(now);
        self.filled += now.len();
        self.length += now.len() as u64;
        *rest = later;
        &[]
    }

    /// Whether the buffer holds a whole block.
    pub(super) fn is_full(&self) -> bool {
        self.filled == 64
    }

    /// The buffer's block was dealt with.
    pub(super) fn empty(&mut self) {
        self.filled = 0;
    }

    /// What is in the buffer, a one bit, zeros, and the length in bits: one block or two.
    pub(super) fn tail(&self) -> ([Block; 2], usize) {
        let mut tail = [[0; 64]; 2];
        tail[0][..self.filled].copy_from_slice(&self.buffer[..self.filled]);
        tail[0][self.filled] = 0x80;
        let count = if self.filled < 56 { 1 } else { 2 };
        tail[count - 1][56..].copy_from_slice(&(self.length * 8).to_be_bytes());
        (tail, count)
    }
}
