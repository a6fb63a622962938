//! Vectors of eight words with the rotations and three-way operations of AVX-512: nearly as fast as vectors of sixteen, for
//! half as many messages.

use std::arch::x86_64::{
    __m256i, _mm_cvtsi32_si128, _mm256_add_epi32, _mm256_rol_epi32, _mm256_set1_epi32, _mm256_srl_epi32,
    _mm256_ternarylogic_epi32, _mm256_xor_si256,
};
use std::mem::transmute;

use super::avx2;
use super::rounds::{self, Words};
use crate::hash::Block;

/// Exists only where [`is_there`] is true.
#[derive(Clone, Copy)]
struct Eight(__m256i);

/// Whether the processor and the system have what this file needs.
pub(super) fn is_there() -> bool {
    avx2::is_there() && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl")
}

impl Words<8> for Eight {
    // SAFETY: any eight words are a vector; the caller answers for the instructions that a value stands for.
    #[inline(always)]
    unsafe fn new(words: [u32; 8]) -> Self {
        // SAFETY: both are 32 bytes of which any value is valid.
        Self(unsafe { transmute::<[u32; 8], __m256i>(words) })
    }

    // SAFETY: the caller answers for the instructions.
    #[inline(always)]
    unsafe fn load(blocks: [&Block; 8]) -> [Self; 16] {
        // SAFETY: the caller answers for the instructions, AVX2 among them.
        unsafe { avx2::load(blocks, Self) }
    }

    #[inline(always)]
    fn words(self) -> [u32; 8] {
        // SAFETY: both are 32 bytes of which any value is valid.
        unsafe { transmute::<__m256i, [u32; 8]>(self.0) }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: a value exists only where AVX2 does.
        Self(unsafe { _mm256_add_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn add_same(self, number: u32) -> Self {
        // SAFETY: a value exists only where AVX2 does.
        Self(unsafe { _mm256_add_epi32(self.0, _mm256_set1_epi32(number.cast_signed())) })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: a value exists only where AVX2 does.
        Self(unsafe { _mm256_xor_si256(self.0, other.0) })
    }

    // The number of a ternary operation is its table: bit 4a + 2b + c is what becomes of those three.

    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        // SAFETY: a value exists only where AVX-512F and AVX-512VL do.
        Self(unsafe { _mm256_ternarylogic_epi32::<0b1001_0110>(self.0, b.0, c.0) })
    }

    #[inline(always)]
    fn choose(self, b: Self, c: Self) -> Self {
        // SAFETY: a value exists only where AVX-512F and AVX-512VL do.
        Self(unsafe { _mm256_ternarylogic_epi32::<0b1100_1010>(self.0, b.0, c.0) })
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        // SAFETY: a value exists only where AVX-512F and AVX-512VL do.
        Self(unsafe { _mm256_ternarylogic_epi32::<0b1110_1000>(self.0, b.0, c.0) })
    }

    #[inline(always)]
    fn rotate<const LEFT: i32, const RIGHT: i32>(self) -> Self {
        // SAFETY: a value exists only where AVX-512F and AVX-512VL do.
        Self(unsafe { _mm256_rol_epi32::<LEFT>(self.0) })
    }

    #[inline(always)]
    fn shift<const BITS: i32>(self) -> Self {
        // SAFETY: a value exists only where AVX2 does.
        Self(unsafe { _mm256_srl_epi32(self.0, _mm_cvtsi32_si128(BITS)) })
    }
}

rounds::entries!("avx2,avx512f,avx512vl", 8, Eight);
