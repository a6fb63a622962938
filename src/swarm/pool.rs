//! How many copies of each piece there are, and the pieces not yet begun, ordered by how much and how badly they are needed.

use crate::base::{Bitfield, PieceIndex, Rng};

/// How much a piece is wanted: high, normal, low.
pub(in crate::swarm) const LEVELS: usize = 3;
/// Steps of rarity within a level; the common ones hold several counts each.
const STEPS: usize = 16;
/// The highest count that has a step of its own.
const EXACT: u16 = 7;
/// The place of a piece that is not in the pool.
const NOWHERE: u8 = u8::MAX;

/// Copies of all pieces among peers, and the pool of pieces that may be begun.
///
/// The pool is a bit set for each level and step of rarity, so that the pieces that one peer has of it are found 64 at a
/// time. Peers that have everything are only counted, for they change no order.
#[derive(Debug)]
pub(in crate::swarm) struct Pool {
    /// Copies of each piece, those of `seeds` left out.
    counts: Vec<u16>,
    /// How many pieces have that many copies.
    by_count: Vec<u32>,
    /// Copies of everything.
    seeds: u32,
    /// The bucket that each piece is in.
    place: Vec<u8>,
    buckets: Vec<Bucket>,
    size: usize,
}

/// What a bucket was like when a peer had nothing of it: it need not be searched again before one of them changes.
#[derive(Clone, Copy, Debug, Default)]
struct Barren {
    added: u64,
    theirs: usize,
}

/// The buckets that have nothing for one peer.
#[derive(Clone, Debug, Default)]
pub(in crate::swarm) struct Memory(Vec<Barren>);

/// How a piece is chosen among those that a peer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::swarm) enum Order {
    /// The one with the fewest copies, ties at random.
    Rarest,
    /// Any.
    Random,
    /// The one with the lowest number.
    First,
}

/// What a peer has and what is not wanted of it.
#[derive(Clone, Copy)]
pub(in crate::swarm) struct Offer<'a> {
    /// The pieces of the peer.
    pub(in crate::swarm) has: &'a Bitfield,
    /// Pieces had here.
    pub(in crate::swarm) have: &'a Bitfield,
    /// Pieces that the peer has but does not give.
    pub(in crate::swarm) refused: &'a [PieceIndex],
}

impl Pool {
    /// Nobody has anything, and nothing is in the pool.
    pub(in crate::swarm) fn new(pieces: usize) -> Self {
        Self {
            counts: vec![0; pieces],
            by_count: vec![pieces as u32],
            seeds: 0,
            place: vec![NOWHERE; pieces],
            buckets: vec![Bucket::default(); LEVELS * STEPS],
            size: 0,
        }
    }

    /// One more peer has those pieces.
    pub(in crate::swarm) fn add_peer(&mut self, has: &Bitfield) {
        if has.all() {
            self.seeds += 1;
        } else {
            has.iter().for_each(|piece| self.add(piece));
        }
    }

    /// One peer less has those pieces.
    pub(in crate::swarm) fn remove_peer(&mut self, has: &Bitfield) {
        if !has.all() {
            has.iter().for_each(|piece| self.remove(piece));
        } else if self.seeds > 0 {
            // It may have come without pieces and been counted one by one; the sums are the same.
            self.seeds -= 1;
        } else {
            (0..self.counts.len()).for_each(|at| self.recount(at, self.counts[at].saturating_sub(1)));
        }
    }

    /// One more peer has the piece.
    pub(in crate::swarm) fn add(&mut self, piece: PieceIndex) {
        if let Some(count) = self.counts.get(piece.at()) {
            self.recount(piece.at(), count.saturating_add(1));
        }
    }

    /// One peer less has the piece.
    pub(in crate::swarm) fn remove(&mut self, piece: PieceIndex) {
        let Some(count) = self.counts.get(piece.at()).copied() else { return };
        if count == 0 && self.seeds > 0 {
            self.seeds -= 1;
            (0..self.counts.len()).for_each(|at| self.recount(at, self.counts[at].saturating_add(1)));
        }
        self.recount(piece.at(), self.counts[piece.at()].saturating_sub(1));
    }

    /// Puts a piece into the pool, or moves it to another level.
    pub(in crate::swarm) fn put(&mut self, piece: PieceIndex, level: usize) {
        self.take(piece);
        let place = level * STEPS + step(self.counts[piece.at()]);
        self.place[piece.at()] = place as u8;
        self.buckets[place].insert(piece.at(), self.counts.len());
        self.size += 1;
    }

    /// Takes a piece out of the pool; true where it was in it.
    pub(in crate::swarm) fn take(&mut self, piece: PieceIndex) -> bool {
        let place = std::mem::replace(&mut self.place[piece.at()], NOWHERE);
        if place == NOWHERE {
            return false;
        }
        self.buckets[usize::from(place)].remove(piece.at());
        self.size -= 1;
        true
    }

    /// Whether a level of the pool is empty.
    pub(in crate::swarm) fn is_empty(&self, level: usize) -> bool {
        self.buckets[level * STEPS..][..STEPS].iter().all(|bucket| bucket.len == 0)
    }

    /// How many pieces of the pool somebody has.
    pub(in crate::swarm) fn reachable(&self) -> usize {
        let nobodys: usize = (0..LEVELS).map(|level| self.buckets[level * STEPS].len).sum();
        if self.seeds > 0 { self.size } else { self.size - nobodys }
    }

    /// Copies of the piece among peers.
    pub(in crate::swarm) fn availability(&self, piece: PieceIndex) -> u32 {
        self.counts.get(piece.at()).map_or(0, |count| u32::from(*count) + self.seeds)
    }

    /// Whole copies among peers, with the fraction of pieces that have one more.
    pub(in crate::swarm) fn copies(&self) -> f32 {
        let Some(least) = self.by_count.iter().position(|pieces| *pieces > 0) else { return 0.0 };
        let more = self.counts.len() as f32 - self.by_count[least] as f32;
        (least as u32 + self.seeds) as f32 + more / self.counts.len().max(1) as f32
    }

    /// A piece of that level which the peer has; it stays in the pool.
    pub(in crate::swarm) fn choose(
        &self,
        level: usize,
        offer: Offer<'_>,
        order: Order,
        memory: &mut Memory,
        rng: &mut Rng,
    ) -> Option<PieceIndex> {
        memory.0.resize(LEVELS * STEPS, Barren::default());
        let range = level * STEPS..(level + 1) * STEPS;
        let mut lowest: Option<usize> = None;
        let shift = if order == Order::Random { self.weighted(range.clone(), rng) } else { 0 };
        for turn in 0..STEPS {
            let at = range.start + (turn + shift) % STEPS;
            let bucket = &self.buckets[at];
            let now = Barren { added: bucket.added + 1, theirs: offer.has.count() };
            let then = memory.0[at];
            if bucket.len == 0 || (then.added, then.theirs) == (now.added, now.theirs) {
                continue;
            }
            let start = if order == Order::First { 0 } else { rng.below(bucket.words.len()) };
            let Some((word, bits)) = bucket.scan(start, offer) else {
                memory.0[at] = now;
                continue;
            };
            match order {
                Order::First => {
                    let piece = word * 64 + bits.leading_zeros() as usize;
                    lowest = Some(lowest.map_or(piece, |lowest| lowest.min(piece)));
                }
                Order::Random => return Some(nth(word, bits, rng.below(bits.count_ones() as usize))),
                Order::Rarest => return Some(self.rarest_of(word, bits, rng)),
            }
        }
        lowest.map(|piece| PieceIndex(piece as u32))
    }

    /// The piece with the fewest copies among those of one word of a bucket, ties at random.
    fn rarest_of(&self, word: usize, bits: u64, rng: &mut Rng) -> PieceIndex {
        let ones = bits.count_ones() as usize;
        let turn = rng.below(ones);
        let first = nth(word, bits, turn);
        if self.counts[first.at()] <= EXACT {
            return first;
        }
        let rarer = |a: PieceIndex, b: PieceIndex| {
            if self.counts[b.at()] < self.counts[a.at()] { b } else { a }
        };
        (1..ones).map(|more| nth(word, bits, (turn + more) % ones)).fold(first, rarer)
    }

    /// A step of the level, each as likely as it has pieces.
    fn weighted(&self, range: std::ops::Range<usize>, rng: &mut Rng) -> usize {
        let buckets = &self.buckets[range];
        let mut turn = rng.below(buckets.iter().map(|bucket| bucket.len).sum());
        for (step, bucket) in buckets.iter().enumerate() {
            if turn < bucket.len {
                return step;
            }
            turn -= bucket.len;
        }
        0
    }

    /// Panics where the books do not agree.
    #[cfg(test)]
    pub(in crate::swarm) fn check(&self) {
        let mut size = 0;
        for (place, bucket) in self.buckets.iter().enumerate() {
            let inside: Vec<usize> = (0..bucket.words.len() * 64).filter(|at| bucket.holds(*at)).collect();
            assert_eq!(inside.len(), bucket.len);
            for at in inside {
                assert_eq!((usize::from(self.place[at]), step(self.counts[at])), (place, place % STEPS));
            }
            for (at, word) in bucket.words.iter().enumerate() {
                assert_eq!(bucket.summary[at / 64] >> (at % 64) & 1 == 1, *word != 0);
            }
            size += bucket.len;
        }
        assert_eq!(size, self.size);
        assert_eq!(self.place.iter().filter(|place| **place != NOWHERE).count(), size);
        for (count, pieces) in self.by_count.iter().enumerate() {
            let found = self.counts.iter().filter(|other| usize::from(**other) == count).count();
            assert_eq!(found, *pieces as usize);
        }
    }

    fn recount(&mut self, at: usize, count: u16) {
        let before = std::mem::replace(&mut self.counts[at], count);
        self.by_count[usize::from(before)] -= 1;
        if self.by_count.len() <= usize::from(count) {
            self.by_count.resize(usize::from(count) + 1, 0);
        }
        self.by_count[usize::from(count)] += 1;
        let place = usize::from(self.place[at]);
        if self.place[at] != NOWHERE && step(before) != step(count) {
            let next = place / STEPS * STEPS + step(count);
            self.buckets[place].remove(at);
            self.buckets[next].insert(at, self.counts.len());
            self.place[at] = next as u8;
        }
    }
}

/// Pieces of one level and step of rarity.
#[derive(Clone, Debug, Default)]
struct Bucket {
    /// One bit a piece, the first in the highest bit, as on the wire.
    words: Vec<u64>,
    /// One bit a word that is not zero, the first in the lowest bit.
    summary: Vec<u64>,
    len: usize,
    /// How often something was put in.
    added: u64,
}

impl Bucket {
    fn insert(&mut self, at: usize, pieces: usize) {
        if self.words.is_empty() {
            self.words = vec![0; pieces.div_ceil(64)];
            self.summary = vec![0; self.words.len().div_ceil(64)];
        }
        let word = at / 64;
        self.words[word] |= mask(at);
        self.summary[word / 64] |= 1 << (word % 64);
        self.len += 1;
        self.added += 1;
    }

    #[cfg(test)]
    fn holds(&self, at: usize) -> bool {
        self.words[at / 64] & mask(at) != 0
    }

    fn remove(&mut self, at: usize) {
        let word = at / 64;
        self.words[word] &= !mask(at);
        if self.words[word] == 0 {
            self.summary[word / 64] &= !(1 << (word % 64));
        }
        self.len -= 1;
    }

    /// The first word from `start`, around the end, with pieces that are offered and not had, and those pieces.
    fn scan(&self, start: usize, offer: Offer<'_>) -> Option<(usize, u64)> {
        self.scan_range(start, self.words.len(), offer).or_else(|| self.scan_range(0, start, offer))
    }

    fn scan_range(&self, start: usize, end: usize, offer: Offer<'_>) -> Option<(usize, u64)> {
        let mut at = start;
        while at < end {
            let rest = self.summary[at / 64] >> (at % 64);
            if rest == 0 {
                at = (at / 64 + 1) * 64;
                continue;
            }
            at += rest.trailing_zeros() as usize;
            if at >= end {
                break;
            }
            let mut bits = self.words[at] & word(offer.has, at) & !word(offer.have, at);
            for piece in offer.refused.iter().filter(|piece| piece.at() / 64 == at) {
                bits &= !mask(piece.at());
            }
            if bits != 0 {
                return Some((at, bits));
            }
            at += 1;
        }
        None
    }
}

/// Fewer copies, lower step.
fn step(count: u16) -> usize {
    match count {
        0..=EXACT => usize::from(count),
        8..=9 => 8,
        10..=12 => 9,
        13..=16 => 10,
        17..=24 => 11,
        25..=32 => 12,
        33..=64 => 13,
        65..=128 => 14,
        _ => 15,
    }
}

fn mask(at: usize) -> u64 {
    1 << (63 - at % 64)
}

/// The 64 pieces from `at * 64`, the first in the highest bit.
fn word(field: &Bitfield, at: usize) -> u64 {
    let bytes = &field.as_bytes()[(at * 8).min(field.as_bytes().len())..];
    match bytes.first_chunk() {
        Some(eight) => u64::from_be_bytes(*eight),
        None => {
            let mut eight = [0; 8];
            eight[..bytes.len()].copy_from_slice(bytes);
            u64::from_be_bytes(eight)
        }
    }
}

/// The piece of the `turn`-th set bit, counted from the last piece of the word.
fn nth(word: usize, mut bits: u64, turn: usize) -> PieceIndex {
    for _ in 0..turn {
        bits &= bits - 1;
    }
    PieceIndex((word * 64 + 63 - bits.trailing_zeros() as usize) as u32)
}
