//! Peers as a shared store keeps them: a compact address with a number that orders what is said of it by time.

use std::net::SocketAddr;

use crate::tracker::State;

/// When a peer was heard, by which tracker, and what it is: a number below 2^53, so that a floating-point one holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Seconds since 1970 by the store's clock.
    pub(super) secs: u64,
    /// Who heard it.
    pub(super) tag: u32,
    /// What it is; nothing where it has stopped.
    pub(super) state: Option<State>,
}

/// What has stopped stands above whatever was said in the same second.
const GONE: u64 = 3;
const TAG_BITS: u32 = 18;

impl Stamp {
    /// The part of a tag that is kept.
    pub(super) fn tag(tag: u32) -> u32 {
        tag & ((1 << TAG_BITS) - 1)
    }

    pub(super) fn score(self) -> u64 {
        let state = match self.state {
            Some(State::Leecher) => 0,
            Some(State::PartialSeed) => 1,
            Some(State::Seed) => 2,
            None => GONE,
        };
        Self::since(self.secs) | u64::from(Self::tag(self.tag)) << 2 | state
    }

    /// The lowest number of a second.
    pub(super) fn since(secs: u64) -> u64 {
        (secs & u64::from(u32::MAX)) << (TAG_BITS + 2)
    }

    /// What a number says; nothing where it is none of ours.
    pub(super) fn of(score: f64) -> Option<Self> {
        if !(0.0..9_007_199_254_740_992.0).contains(&score) {
            return None;
        }
        let score = score as u64;
        let state = match score & 3 {
            0 => Some(State::Leecher),
            1 => Some(State::PartialSeed),
            2 => Some(State::Seed),
            _ => None,
        };
        Some(Self { secs: score >> (TAG_BITS + 2), tag: Self::tag((score >> 2) as u32), state })
    }
}

/// A peer as its 6 or 18 bytes.
pub(super) fn member(addr: SocketAddr) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(18);
    crate::wire::tracker::put_compact(addr, &mut bytes);
    bytes
}

/// The peer behind them; nothing where it is none.
pub(super) fn peer(bytes: &[u8]) -> Option<SocketAddr> {
    let mut peers = Vec::new();
    match bytes.len() {
        6 => crate::wire::tracker::take_compact_v4(bytes, &mut peers),
        18 => crate::wire::tracker::take_compact_v6(bytes, &mut peers),
        _ => {}
    }
    peers.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_survives_as_a_number_of_the_store() {
        for secs in [0, 1_800_000_000, u64::from(u32::MAX)] {
            for state in [None, Some(State::Seed), Some(State::PartialSeed), Some(State::Leecher)] {
                let stamp = Stamp { secs, tag: 0x2_ffff, state };
                assert_eq!(Stamp::of(stamp.score() as f64), Some(stamp));
                assert!(
                    stamp.score() >= Stamp::since(secs) && stamp.score() < Stamp::since(secs) + (1 << 20)
                );
            }
        }
        for bad in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
            assert_eq!(Stamp::of(bad), None);
        }
    }

    #[test]
    fn later_words_stand_above_earlier_ones() {
        let stamp = |secs, tag, state| Stamp { secs, tag, state }.score();
        assert!(stamp(5, 9, None) < stamp(6, 1, Some(State::Leecher)));
        assert!(stamp(5, 9, None) > stamp(5, 9, Some(State::Seed)));
    }

    #[test]
    fn peers_survive_and_nonsense_is_left_out() {
        for addr in ["81.2.3.4:5", "[2001:db8::1]:6881"] {
            let addr: SocketAddr = addr.parse().expect("an address");
            assert_eq!(peer(&member(addr)), Some(addr));
        }
        for len in [0, 5, 7, 17, 19, 40] {
            assert_eq!(peer(&vec![1; len]), None);
        }
    }
}
