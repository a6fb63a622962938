//! Vectors of four words: NEON, for ARM processors without SHA instructions.

use std::arch::aarch64::{
    uint32x4_t, vaddq_u32, vbslq_u32, vdupq_n_u32, veorq_u32, vld1q_u8, vorrq_u32, vreinterpretq_u32_u8,
    vreinterpretq_u32_u64, vreinterpretq_u64_u32, vrev32q_u8, vshlq_n_u32, vshrq_n_u32, vtrn1q_u32,
    vtrn1q_u64, vtrn2q_u32, vtrn2q_u64,
};
use std::mem::transmute;

use super::rounds::{self, Words};
use crate::hash::Block;

/// NEON is part of every processor that this is compiled for.
#[derive(Clone, Copy)]
struct Four(uint32x4_t);

impl Words<4> for Four {
    // SAFETY: any four words are a vector; NEON is part of the architecture.
    #[inline(always)]
    unsafe fn new(words: [u32; 4]) -> Self {
        // SAFETY: both are 16 bytes of which any value is valid.
        Self(unsafe { transmute::<[u32; 4], uint32x4_t>(words) })
    }

    // SAFETY: NEON is part of the architecture.
    #[inline(always)]
    unsafe fn load(blocks: [&Block; 4]) -> [Self; 16] {
        // SAFETY: NEON is part of the architecture.
        unsafe { load(blocks) }.map(Self)
    }

    #[inline(always)]
    fn words(self) -> [u32; 4] {
        // SAFETY: both are 16 bytes of which any value is valid.
        unsafe { transmute::<uint32x4_t, [u32; 4]>(self.0) }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: NEON is part of the architecture.
        Self(unsafe { vaddq_u32(self.0, other.0) })
    }

    #[inline(always)]
    fn add_same(self, number: u32) -> Self {
        // SAFETY: NEON is part of the architecture.
        Self(unsafe { vaddq_u32(self.0, vdupq_n_u32(number)) })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: NEON is part of the architecture.
        Self(unsafe { veorq_u32(self.0, other.0) })
    }

    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        self.xor(b).xor(c)
    }

    #[inline(always)]
    fn choose(self, b: Self, c: Self) -> Self {
        // SAFETY: NEON is part of the architecture.
        Self(unsafe { vbslq_u32(self.0, b.0, c.0) })
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        // Where the first two differ, the third decides.
        self.xor(b).choose(c, b)
    }

    #[inline(always)]
    fn rotate<const LEFT: i32, const RIGHT: i32>(self) -> Self {
        // SAFETY: NEON is part of the architecture.
        Self(unsafe { vorrq_u32(vshlq_n_u32::<LEFT>(self.0), vshrq_n_u32::<RIGHT>(self.0)) })
    }

    #[inline(always)]
    fn shift<const BITS: i32>(self) -> Self {
        // SAFETY: NEON is part of the architecture.
        Self(unsafe { vshrq_n_u32::<BITS>(self.0) })
    }
}

/// A block of each message, turned so that each vector holds one word of all of them.
#[inline]
#[target_feature(enable = "neon")]
fn load(blocks: [&Block; 4]) -> [uint32x4_t; 16] {
    let mut words = [vdupq_n_u32(0); 16];
    for (quarter, words) in words.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let mut rows = [vdupq_n_u32(0); 4];
        for (row, block) in rows.iter_mut().zip(blocks) {
            let bytes = &block.as_chunks::<16>().0[quarter];
            // SAFETY: these are 16 readable bytes, and this load asks for no alignment.
            let loaded = unsafe { vld1q_u8(bytes.as_ptr()) };
            *row = vreinterpretq_u32_u8(vrev32q_u8(loaded));
        }
        let [a, b, c, d] = rows;
        let even = |a, b| vreinterpretq_u64_u32(vtrn1q_u32(a, b));
        let odd = |a, b| vreinterpretq_u64_u32(vtrn2q_u32(a, b));
        *words = [
            vreinterpretq_u32_u64(vtrn1q_u64(even(a, b), even(c, d))),
            vreinterpretq_u32_u64(vtrn1q_u64(odd(a, b), odd(c, d))),
            vreinterpretq_u32_u64(vtrn2q_u64(even(a, b), even(c, d))),
            vreinterpretq_u32_u64(vtrn2q_u64(odd(a, b), odd(c, d))),
        ];
    }
    words
}

pub(super) fn sha1(states: &mut [[u32; 5]], messages: &[&[Block]]) {
    // SAFETY: NEON is part of the architecture.
    unsafe { rounds::sha1::<4, Four>(states, messages) }
}

pub(super) fn sha256(states: &mut [[u32; 8]], messages: &[&[Block]]) {
    // SAFETY: NEON is part of the architecture.
    unsafe { rounds::sha256::<4, Four>(states, messages) }
}
