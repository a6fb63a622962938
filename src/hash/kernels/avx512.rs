//! Vectors of sixteen words: AVX-512 with its byte instructions.

use std::arch::x86_64::{
    __m512i, _MM_HINT_T0, _mm_cvtsi32_si128, _mm_prefetch, _mm512_add_epi32, _mm512_loadu_si512,
    _mm512_rol_epi32, _mm512_set1_epi32, _mm512_set4_epi32, _mm512_shuffle_epi8, _mm512_shuffle_i32x4,
    _mm512_srl_epi32, _mm512_ternarylogic_epi32, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64,
    _mm512_unpacklo_epi32, _mm512_unpacklo_epi64, _mm512_xor_si512,
};
use std::mem::transmute;

use super::rounds::{self, Words};
use crate::hash::Block;

/// Blocks from the one that is hashed to the one that is fetched. Sixteen messages are more than some processors watch by
/// themselves: with this, what lies outside their caches is hashed a tenth faster on Zen 5, and as before on Zen 4.
const AHEAD: usize = 16;

/// Exists only where [`is_there`] is true.
#[derive(Clone, Copy)]
struct Sixteen(__m512i);

/// Whether the processor and the system have what this file needs.
pub(super) fn is_there() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
}

impl Words<16> for Sixteen {
    // SAFETY: any sixteen words are a vector; the caller answers for the instructions that a value stands for.
    #[inline(always)]
    unsafe fn new(words: [u32; 16]) -> Self {
        // SAFETY: both are 64 bytes of which any value is valid.
        Self(unsafe { transmute::<[u32; 16], __m512i>(words) })
    }

    // SAFETY: the caller answers for the instructions.
    #[inline(always)]
    unsafe fn load(blocks: [&Block; 16]) -> [Self; 16] {
        // SAFETY: the caller answers for the instructions.
        unsafe { load(blocks) }
    }

    #[inline(always)]
    fn words(self) -> [u32; 16] {
        // SAFETY: both are 64 bytes of which any value is valid.
        unsafe { transmute::<__m512i, [u32; 16]>(self.0) }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: a value exists only where AVX-512F does.
        Self(unsafe { _mm512_add_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn add_same(self, number: u32) -> Self {
        // SAFETY: a value exists only where AVX-512F does.
        Self(unsafe { _mm512_add_epi32(self.0, _mm512_set1_epi32(number.cast_signed())) })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: a value exists only where AVX-512F does.
        Self(unsafe { _mm512_xor_si512(self.0, other.0) })
    }

    // The number of a ternary operation is its table: bit 4a + 2b + c is what becomes of those three.

    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        // SAFETY: a value exists only where AVX-512F does.
        Self(unsafe { _mm512_ternarylogic_epi32::<0b1001_0110>(self.0, b.0, c.0) })
    }

    #[inline(always)]
    fn choose(self, b: Self, c: Self) -> Self {
        // SAFETY: a value exists only where AVX-512F does.
        Self(unsafe { _mm512_ternarylogic_epi32::<0b1100_1010>(self.0, b.0, c.0) })
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        // SAFETY: a value exists only where AVX-512F does.
        Self(unsafe { _mm512_ternarylogic_epi32::<0b1110_1000>(self.0, b.0, c.0) })
    }

    #[inline(always)]
    fn rotate<const LEFT: i32, const RIGHT: i32>(self) -> Self {
        // SAFETY: a value exists only where AVX-512F does.
        Self(unsafe { _mm512_rol_epi32::<LEFT>(self.0) })
    }

    #[inline(always)]
    fn shift<const BITS: i32>(self) -> Self {
        // SAFETY: a value exists only where AVX-512F does.
        Self(unsafe { _mm512_srl_epi32(self.0, _mm_cvtsi32_si128(BITS)) })
    }
}

/// A block of each message, turned so that each vector holds one word of all of them.
///
/// # Safety
/// The processor has AVX-512F and AVX-512BW.
// A call would carry all words through memory, so it is part of whoever calls it, and walks without iterators, which the
// compiler may leave as calls.
#[inline(always)]
unsafe fn load(blocks: [&Block; 16]) -> [Sixteen; 16] {
    // SAFETY: the caller answers for the instructions; a block is 64 readable bytes, and the load asks for no alignment.
    unsafe {
        let swap = _mm512_set4_epi32(0x0c0d_0e0f, 0x0809_0a0b, 0x0405_0607, 0x0001_0203);
        let mut rows = [swap; 16];
        for row in 0..16 {
            let block = blocks[row].as_ptr();
            // Of an address that is not there nothing is fetched.
            _mm_prefetch::<_MM_HINT_T0>(block.wrapping_add(AHEAD * size_of::<Block>()).cast());
            rows[row] = _mm512_shuffle_epi8(_mm512_loadu_si512(block.cast()), swap);
        }
        // Squares of four by four words: `fours[group][n]` holds the words n, n + 4, n + 8 and n + 12 of four messages.
        let mut fours = [[swap; 4]; 4];
        for group in 0..4 {
            let rows = [rows[group * 4], rows[group * 4 + 1], rows[group * 4 + 2], rows[group * 4 + 3]];
            let (low, high) =
                (_mm512_unpacklo_epi32(rows[0], rows[1]), _mm512_unpackhi_epi32(rows[0], rows[1]));
            let (low2, high2) =
                (_mm512_unpacklo_epi32(rows[2], rows[3]), _mm512_unpackhi_epi32(rows[2], rows[3]));
            fours[group] = [
                _mm512_unpacklo_epi64(low, low2),
                _mm512_unpackhi_epi64(low, low2),
                _mm512_unpacklo_epi64(high, high2),
                _mm512_unpackhi_epi64(high, high2),
            ];
        }
        let mut words = [Sixteen(swap); 16];
        for word in 0..4 {
            let [a, b, c, d] = [fours[0][word], fours[1][word], fours[2][word], fours[3][word]];
            let (even, odd) = (_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0xdd>(a, b));
            let (even2, odd2) = (_mm512_shuffle_i32x4::<0x88>(c, d), _mm512_shuffle_i32x4::<0xdd>(c, d));
            words[word] = Sixteen(_mm512_shuffle_i32x4::<0x88>(even, even2));
            words[word + 4] = Sixteen(_mm512_shuffle_i32x4::<0x88>(odd, odd2));
            words[word + 8] = Sixteen(_mm512_shuffle_i32x4::<0xdd>(even, even2));
            words[word + 12] = Sixteen(_mm512_shuffle_i32x4::<0xdd>(odd, odd2));
        }
        words
    }
}

rounds::entries!("avx512f,avx512bw", 16, Sixteen);
