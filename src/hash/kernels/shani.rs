//! Two messages through the SHA instructions of x86 processors: while one's rounds wait for each other, the other's go on.

use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_loadu_si128, _mm_set_epi64x, _mm_setr_epi32,
    _mm_sha1msg1_epu32, _mm_sha1msg2_epu32, _mm_sha1nexte_epu32, _mm_sha1rnds4_epu32, _mm_sha256msg1_epu32,
    _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8, _mm_shuffle_epi32, _mm_xor_si128,
};
use std::mem::transmute;

use super::rounds::SHA256_ADDED;
use crate::hash::Block;

/// Whether the processor has what this file needs.
pub(super) fn is_there() -> bool {
    !super::avoids_sha()
        && is_x86_feature_detected!("sha")
        && is_x86_feature_detected!("ssse3")
        && is_x86_feature_detected!("sse4.1")
}

pub(super) fn sha1(states: &mut [[u32; 5]], messages: &[&[Block]]) {
    assert!(is_there());
    if let ([first, second], [a, b]) = (states, messages) {
        // SAFETY: the instructions are there.
        unsafe { sha1_here([first, second], [a, b]) }
    }
}

pub(super) fn sha256(states: &mut [[u32; 8]], messages: &[&[Block]]) {
    assert!(is_there());
    if let ([first, second], [a, b]) = (states, messages) {
        // SAFETY: the instructions are there.
        unsafe { sha256_here([first, second], [a, b]) }
    }
}

/// Four words of a block, the earliest lowest.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn load(block: &Block, quarter: usize) -> __m128i {
    let bytes = &block.as_chunks::<16>().0[quarter];
    // SAFETY: these are 16 readable bytes, and this load asks for no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

/// The same with each word's bytes in this machine's order.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn load_words(block: &Block, quarter: usize) -> __m128i {
    let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    _mm_shuffle_epi8(load(block, quarter), swap)
}

fn to_words(vector: __m128i) -> [u32; 4] {
    // SAFETY: both are 16 bytes of which any value is valid.
    unsafe { transmute::<__m128i, [u32; 4]>(vector) }
}

fn from_words(words: [u32; 4]) -> __m128i {
    // SAFETY: both are 16 bytes of which any value is valid.
    unsafe { transmute::<[u32; 4], __m128i>(words) }
}

/// Four rounds of SHA-1; `KIND` is which twenty they are of.
macro_rules! sha1_rounds {
    ($state:ident, $before:ident, $words:ident, $kind:literal: $($group:literal)*) => {$(
        for lane in 0..2 {
            let words = &mut $words[lane];
            if $group >= 4 {
                let early = _mm_sha1msg1_epu32(words[$group % 4], words[($group + 1) % 4]);
                let early = _mm_xor_si128(early, words[($group + 2) % 4]);
                words[$group % 4] = _mm_sha1msg2_epu32(early, words[($group + 3) % 4]);
            }
            let added = match $group {
                0 => _mm_add_epi32($before[lane], words[0]),
                _ => _mm_sha1nexte_epu32($before[lane], words[$group % 4]),
            };
            $before[lane] = $state[lane];
            $state[lane] = _mm_sha1rnds4_epu32::<$kind>($state[lane], added);
        }
    )*};
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
fn sha1_here(states: [&mut [u32; 5]; 2], messages: [&[Block]; 2]) {
    // The instructions count words from the top.
    let turn = _mm_set_epi64x(0x0001_0203_0405_0607, 0x0809_0a0b_0c0d_0e0f);
    let mut state = [&states[0], &states[1]].map(|[a, b, c, d, _]| from_words([*d, *c, *b, *a]));
    // What the fifth word comes from: the first four as they were four rounds ago.
    let mut fifth = [&states[0], &states[1]].map(|state| from_words([0, 0, 0, state[4]]));
    for (first, second) in messages[0].iter().zip(messages[1]) {
        let (state_before, fifth_before) = (state, fifth);
        let mut words = [[turn; 4]; 2];
        for (words, block) in words.iter_mut().zip([first, second]) {
            for (quarter, word) in words.iter_mut().enumerate() {
                *word = _mm_shuffle_epi8(load(block, quarter), turn);
            }
        }
        sha1_rounds!(state, fifth, words, 0: 0 1 2 3 4);
        sha1_rounds!(state, fifth, words, 1: 5 6 7 8 9);
        sha1_rounds!(state, fifth, words, 2: 10 11 12 13 14);
        sha1_rounds!(state, fifth, words, 3: 15 16 17 18 19);
        for lane in 0..2 {
            fifth[lane] = _mm_sha1nexte_epu32(fifth[lane], fifth_before[lane]);
            state[lane] = _mm_add_epi32(state[lane], state_before[lane]);
        }
    }
    for (lane, out) in states.into_iter().enumerate() {
        let [d, c, b, a] = to_words(state[lane]);
        *out = [a, b, c, d, to_words(fifth[lane])[3]];
    }
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
fn sha256_here(states: [&mut [u32; 8]; 2], messages: [&[Block]; 2]) {
    let both = [&states[0], &states[1]];
    let mut outer = both.map(|[a, b, _, _, e, f, _, _]| from_words([*f, *e, *b, *a]));
    let mut inner = both.map(|[_, _, c, d, _, _, g, h]| from_words([*h, *g, *d, *c]));
    for (first, second) in messages[0].iter().zip(messages[1]) {
        let (outer_before, inner_before) = (outer, inner);
        let mut words = [[outer[0]; 4]; 2];
        for (words, block) in words.iter_mut().zip([first, second]) {
            for (quarter, word) in words.iter_mut().enumerate() {
                *word = load_words(block, quarter);
            }
        }
        for (group, added) in SHA256_ADDED.as_chunks::<4>().0.iter().enumerate() {
            let added = added.map(u32::cast_signed);
            let added = _mm_setr_epi32(added[0], added[1], added[2], added[3]);
            for lane in 0..2 {
                let [a, b, c, d] = words[lane];
                let sum = _mm_add_epi32(a, added);
                inner[lane] = _mm_sha256rnds2_epu32(inner[lane], outer[lane], sum);
                let sum = _mm_shuffle_epi32::<0b1110>(sum);
                outer[lane] = _mm_sha256rnds2_epu32(outer[lane], inner[lane], sum);
                if group < 12 {
                    let early = _mm_add_epi32(_mm_sha256msg1_epu32(a, b), _mm_alignr_epi8::<4>(d, c));
                    words[lane] = [b, c, d, _mm_sha256msg2_epu32(early, d)];
                } else {
                    words[lane] = [b, c, d, a];
                }
            }
        }
        for lane in 0..2 {
            outer[lane] = _mm_add_epi32(outer[lane], outer_before[lane]);
            inner[lane] = _mm_add_epi32(inner[lane], inner_before[lane]);
        }
    }
    for (lane, out) in states.into_iter().enumerate() {
        let ([f, e, b, a], [h, g, d, c]) = (to_words(outer[lane]), to_words(inner[lane]));
        *out = [a, b, c, d, e, f, g, h];
    }
}
