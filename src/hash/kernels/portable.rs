//! Vectors of four words in plain Rust, which compilers turn into whatever vectors the processor is sure to have.

use std::array::from_fn;

use super::rounds::{self, Words};
use crate::hash::Block;

#[derive(Clone, Copy)]
struct Four([u32; 4]);

impl Words<4> for Four {
    // SAFETY: needs no particular instruction.
    #[inline(always)]
    unsafe fn new(words: [u32; 4]) -> Self {
        Self(words)
    }

    // SAFETY: needs no particular instruction.
    #[inline(always)]
    unsafe fn load(blocks: [&Block; 4]) -> [Self; 16] {
        let words = blocks.map(|block| block.as_chunks::<4>().0);
        from_fn(|word| Self(from_fn(|lane| u32::from_be_bytes(words[lane][word]))))
    }

    #[inline(always)]
    fn words(self) -> [u32; 4] {
        self.0
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(from_fn(|lane| self.0[lane].wrapping_add(other.0[lane])))
    }

    #[inline(always)]
    fn add_same(self, number: u32) -> Self {
        Self(self.0.map(|word| word.wrapping_add(number)))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Self(from_fn(|lane| self.0[lane] ^ other.0[lane]))
    }

    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        self.xor(b).xor(c)
    }

    #[inline(always)]
    fn choose(self, b: Self, c: Self) -> Self {
        Self(from_fn(|lane| c.0[lane] ^ (self.0[lane] & (b.0[lane] ^ c.0[lane]))))
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        Self(from_fn(|lane| (self.0[lane] & b.0[lane]) | (c.0[lane] & (self.0[lane] | b.0[lane]))))
    }

    #[inline(always)]
    fn rotate<const LEFT: i32, const RIGHT: i32>(self) -> Self {
        Self(self.0.map(|word| word << LEFT | word >> RIGHT))
    }

    #[inline(always)]
    fn shift<const BITS: i32>(self) -> Self {
        Self(self.0.map(|word| word >> BITS))
    }
}

pub(super) fn sha1(states: &mut [[u32; 5]], messages: &[&[Block]]) {
    // SAFETY: needs no particular instruction.
    unsafe { rounds::sha1::<4, Four>(states, messages) }
}

pub(super) fn sha256(states: &mut [[u32; 8]], messages: &[&[Block]]) {
    // SAFETY: needs no particular instruction.
    unsafe { rounds::sha256::<4, Four>(states, messages) }
}
