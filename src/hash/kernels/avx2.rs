//! Vectors of eight words: AVX2.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_loadu_si256, _mm256_or_si256,
    _mm256_permute2x128_si256, _mm256_set1_epi32, _mm256_setr_epi32, _mm256_shuffle_epi8, _mm256_slli_epi32,
    _mm256_srli_epi32, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi32,
    _mm256_unpacklo_epi64, _mm256_xor_si256,
};
use std::mem::transmute;

use super::rounds::{self, Words};
use crate::hash::Block;

/// Exists only where [`is_there`] is true.
#[derive(Clone, Copy)]
struct Eight(__m256i);

/// Whether the processor and the system have what this file needs.
pub(super) fn is_there() -> bool {
    is_x86_feature_detected!("avx2")
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
        // SAFETY: the caller answers for the instructions.
        unsafe { load(blocks, Self) }
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

    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        self.xor(b).xor(c)
    }

    #[inline(always)]
    fn choose(self, b: Self, c: Self) -> Self {
        // SAFETY: a value exists only where AVX2 does.
        c.xor(Self(unsafe { _mm256_and_si256(self.0, b.xor(c).0) }))
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        // SAFETY: a value exists only where AVX2 does.
        unsafe {
            let (both, either) = (_mm256_and_si256(self.0, b.0), _mm256_or_si256(self.0, b.0));
            Self(_mm256_or_si256(both, _mm256_and_si256(c.0, either)))
        }
    }

    #[inline(always)]
    fn rotate<const LEFT: i32, const RIGHT: i32>(self) -> Self {
        // SAFETY: a value exists only where AVX2 does.
        Self(unsafe {
            _mm256_or_si256(_mm256_slli_epi32::<LEFT>(self.0), _mm256_srli_epi32::<RIGHT>(self.0))
        })
    }

    #[inline(always)]
    fn shift<const BITS: i32>(self) -> Self {
        // SAFETY: a value exists only where AVX2 does.
        Self(unsafe { _mm256_srli_epi32::<BITS>(self.0) })
    }
}

/// A block of each message, turned so that each vector holds one word of all of them.
///
/// # Safety
/// The processor has AVX2.
// A call would carry all words through memory, so it is part of whoever calls it, and walks without iterators, which the
// compiler may leave as calls.
#[inline(always)]
pub(super) unsafe fn load<W: Copy>(blocks: [&Block; 8], wrap: impl Fn(__m256i) -> W) -> [W; 16] {
    let quarter = [0x0001_0203, 0x0405_0607, 0x0809_0a0b, 0x0c0d_0e0f];
    let [a, b, c, d] = quarter;
    // SAFETY: the caller answers for the instructions; half a block is 32 readable bytes, and the load asks for no alignment.
    unsafe {
        let swap = _mm256_setr_epi32(a, b, c, d, a, b, c, d);
        let mut words = [wrap(swap); 16];
        for half in 0..2 {
            let mut rows = [swap; 8];
            for row in 0..8 {
                let bytes = &blocks[row].as_chunks::<32>().0[half];
                rows[row] = _mm256_shuffle_epi8(_mm256_loadu_si256(bytes.as_ptr().cast()), swap);
            }
            // Squares of four by four words: `fours[group][n]` holds the words n and n + 4 of four messages.
            let mut fours = [[swap; 4]; 2];
            for group in 0..2 {
                let rows = [rows[group * 4], rows[group * 4 + 1], rows[group * 4 + 2], rows[group * 4 + 3]];
                let low = _mm256_unpacklo_epi32(rows[0], rows[1]);
                let high = _mm256_unpackhi_epi32(rows[0], rows[1]);
                let low2 = _mm256_unpacklo_epi32(rows[2], rows[3]);
                let high2 = _mm256_unpackhi_epi32(rows[2], rows[3]);
                fours[group] = [
                    _mm256_unpacklo_epi64(low, low2),
                    _mm256_unpackhi_epi64(low, low2),
                    _mm256_unpacklo_epi64(high, high2),
                    _mm256_unpackhi_epi64(high, high2),
                ];
            }
            for word in 0..4 {
                let [a, b] = [fours[0][word], fours[1][word]];
                words[half * 8 + word] = wrap(_mm256_permute2x128_si256::<0x20>(a, b));
                words[half * 8 + word + 4] = wrap(_mm256_permute2x128_si256::<0x31>(a, b));
            }
        }
        words
    }
}

rounds::entries!("avx2", 8, Eight);
