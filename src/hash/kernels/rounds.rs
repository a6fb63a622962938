//! SHA-1 and SHA-256 over vectors of words (FIPS 180-4, 6.1 and 6.2): each lane of a vector belongs to another message.

use std::array::from_fn;
use std::hint::black_box;

use crate::hash::Block;

/// One word of each of `LANES` messages.
///
/// A value exists only where the processor has the instructions that this type is made of, since the unsafe functions are
/// the only ways to a first one; so everything that is done with a value is safe.
pub(super) trait Words<const LANES: usize>: Copy {
    /// These words.
    ///
    /// # Safety
    /// The processor has the instructions of this type.
    unsafe fn new(words: [u32; LANES]) -> Self;

    /// The sixteen words of a block of each message.
    ///
    /// # Safety
    /// The processor has the instructions of this type.
    unsafe fn load(blocks: [&Block; LANES]) -> [Self; 16];

    /// The words, lane by lane.
    fn words(self) -> [u32; LANES];
    /// The sum.
    fn add(self, other: Self) -> Self;
    /// The sum with the same number in every lane.
    fn add_same(self, number: u32) -> Self;
    /// Bits that differ.
    fn xor(self, other: Self) -> Self;
    /// Bits that are one in one or three of three.
    fn xor3(self, b: Self, c: Self) -> Self;
    /// The bits of `b` where this has a one, those of `c` elsewhere.
    fn choose(self, b: Self, c: Self) -> Self;
    /// Bits that are one in two of three at least.
    fn majority(self, b: Self, c: Self) -> Self;
    /// Rotated left by `LEFT` bits, which with `RIGHT` make 32.
    fn rotate<const LEFT: i32, const RIGHT: i32>(self) -> Self;
    /// Shifted right by `BITS` bits.
    fn shift<const BITS: i32>(self) -> Self;
}

/// How the rest hashes with vectors that need instructions which not every processor has: `sha1` and `sha256` of a file
/// that has an `is_there`, compiled for those instructions.
#[cfg(target_arch = "x86_64")]
macro_rules! entries {
    ($features:literal, $lanes:literal, $Vector:ty) => {
        #[target_feature(enable = $features)]
        fn sha1_here(states: &mut [[u32; 5]], messages: &[&[Block]]) {
            // SAFETY: this function is compiled for the instructions, so whoever called it answered for them.
            unsafe { rounds::sha1::<$lanes, $Vector>(states, messages) }
        }

        #[target_feature(enable = $features)]
        fn sha256_here(states: &mut [[u32; 8]], messages: &[&[Block]]) {
            // SAFETY: this function is compiled for the instructions, so whoever called it answered for them.
            unsafe { rounds::sha256::<$lanes, $Vector>(states, messages) }
        }

        pub(super) fn sha1(states: &mut [[u32; 5]], messages: &[&[Block]]) {
            assert!(is_there());
            // SAFETY: the instructions are there.
            unsafe { sha1_here(states, messages) }
        }

        pub(super) fn sha256(states: &mut [[u32; 8]], messages: &[&[Block]]) {
            assert!(is_there());
            // SAFETY: the instructions are there.
            unsafe { sha256_here(states, messages) }
        }
    };
}
#[cfg(target_arch = "x86_64")]
pub(super) use entries;

/// Does a round for each of these numbers; they must be known to the compiler, so that words stay in registers.
macro_rules! rounds {
    ($round:ident, $state:ident, $words:ident, $added:ident: $($number:literal)*) => {
        $($round::<LANES, W, $number>(&mut $state, &mut $words, &$added);)*
    };
}

/// Hashes the blocks of each message into its state by SHA-1.
///
/// # Safety
/// The processor has the instructions of `W`.
#[inline(always)]
pub(super) unsafe fn sha1<const LANES: usize, W: Words<LANES>>(
    states: &mut [[u32; 5]],
    messages: &[&[Block]],
) {
    let Some((sources, count)) = sources::<LANES>(messages) else { return };
    // SAFETY: the caller answers for the instructions.
    let mut state: [W; 5] = from_fn(|word| unsafe { W::new(column(states, word)) });
    // What the compiler knows it adds last, and the next round would wait for that addition, too: an eighth longer on Zen 5.
    let added = black_box(SHA1_ADDED);
    for at in 0..count {
        // SAFETY: the caller answers for the instructions.
        let mut words = unsafe { W::load(row(&sources, at)) };
        let before = state;
        rounds!(sha1_round, state, words, added: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);
        rounds!(sha1_round, state, words, added: 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39);
        rounds!(sha1_round, state, words, added: 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59);
        rounds!(sha1_round, state, words, added: 60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76 77 78 79);
        for word in 0..5 {
            state[word] = state[word].add(before[word]);
        }
    }
    store(states, state);
}

/// Hashes the blocks of each message into its state by SHA-256.
///
/// # Safety
/// The processor has the instructions of `W`.
#[inline(always)]
pub(super) unsafe fn sha256<const LANES: usize, W: Words<LANES>>(
    states: &mut [[u32; 8]],
    messages: &[&[Block]],
) {
    let Some((sources, count)) = sources::<LANES>(messages) else { return };
    // SAFETY: the caller answers for the instructions.
    let mut state: [W; 8] = from_fn(|word| unsafe { W::new(column(states, word)) });
    // As above; here it would be a fifth.
    let added = black_box(SHA256_ADDED);
    for at in 0..count {
        // SAFETY: the caller answers for the instructions.
        let mut words = unsafe { W::load(row(&sources, at)) };
        let before = state;
        rounds!(sha256_round, state, words, added: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        rounds!(sha256_round, state, words, added: 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
        rounds!(sha256_round, state, words, added: 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47);
        rounds!(sha256_round, state, words, added: 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63);
        for word in 0..8 {
            state[word] = state[word].add(before[word]);
        }
    }
    store(states, state);
}

#[inline(always)]
fn sha1_round<const LANES: usize, W: Words<LANES>, const ROUND: usize>(
    state: &mut [W; 5],
    words: &mut [W; 16],
    added: &[u32; 4],
) {
    let word = &mut |back: usize| words[(ROUND + 16 - back) % 16];
    let word = match ROUND {
        0..16 => words[ROUND],
        // The oldest is of no more use, so three become one in its place; were it the last, a copy would be made of another.
        _ => word(8).xor3(word(14), word(16)).xor(word(3)).rotate::<1, 31>(),
    };
    words[ROUND % 16] = word;
    let [a, b, c, d, e] = *state;
    let mixed = match ROUND / 20 {
        0 => b.choose(c, d),
        2 => b.majority(c, d),
        _ => b.xor3(c, d),
    };
    let sum = e.add(word).add_same(added[ROUND / 20]).add(mixed).add(a.rotate::<5, 27>());
    *state = [sum, a, b.rotate::<30, 2>(), c, d];
}

#[inline(always)]
fn sha256_round<const LANES: usize, W: Words<LANES>, const ROUND: usize>(
    state: &mut [W; 8],
    words: &mut [W; 16],
    added: &[u32; 64],
) {
    let word = |back: usize| words[(ROUND + 16 - back) % 16];
    let word = match ROUND {
        0..16 => words[ROUND],
        _ => {
            let (early, late) = (word(15), word(2));
            let early = early.rotate::<25, 7>().xor3(early.rotate::<14, 18>(), early.shift::<3>());
            let late = late.rotate::<15, 17>().xor3(late.rotate::<13, 19>(), late.shift::<10>());
            word(16).add(word(7)).add(early).add(late)
        }
    };
    words[ROUND % 16] = word;
    let [a, b, c, d, e, f, g, h] = *state;
    let of_e = e.rotate::<26, 6>().xor3(e.rotate::<21, 11>(), e.rotate::<7, 25>());
    let of_a = a.rotate::<30, 2>().xor3(a.rotate::<19, 13>(), a.rotate::<10, 22>());
    let sum = h.add(word).add_same(added[ROUND]).add(e.choose(f, g)).add(of_e);
    *state = [sum.add(of_a).add(a.majority(b, c)), a, b, c, d.add(sum), e, f, g];
}

/// The blocks for each lane, and how many; lanes without a message do the first one's again.
#[inline(always)]
fn sources<'a, const LANES: usize>(messages: &[&'a [Block]]) -> Option<([&'a [Block]; LANES], usize)> {
    let count = messages.iter().map(|blocks| blocks.len()).min()?;
    let first = *messages.first()?;
    Some((from_fn(|lane| &messages.get(lane).unwrap_or(&first)[..count]), count))
}

/// One block of each source.
#[inline(always)]
fn row<'a, const LANES: usize>(sources: &[&'a [Block]; LANES], at: usize) -> [&'a Block; LANES] {
    let mut row = [&sources[0][at]; LANES];
    for lane in 1..LANES {
        row[lane] = &sources[lane][at];
    }
    row
}

/// One word of each state, for each lane.
#[inline(always)]
fn column<const WORDS: usize, const LANES: usize>(states: &[[u32; WORDS]], word: usize) -> [u32; LANES] {
    from_fn(|lane| states.get(lane).map_or(0, |state| state[word]))
}

#[inline(always)]
fn store<const WORDS: usize, const LANES: usize, W: Words<LANES>>(
    states: &mut [[u32; WORDS]],
    vectors: [W; WORDS],
) {
    let columns = vectors.map(W::words);
    for (lane, state) in states.iter_mut().enumerate().take(LANES) {
        *state = from_fn(|word| columns[word][lane]);
    }
}

/// What SHA-1 adds in each twenty of its rounds.
pub(super) const SHA1_ADDED: [u32; 4] = [0x5a82_7999, 0x6ed9_eba1, 0x8f1b_bcdc, 0xca62_c1d6];

/// What SHA-256 adds in each round.
pub(super) const SHA256_ADDED: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];
