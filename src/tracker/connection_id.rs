//! Connection ids (BEP 15): keyed, stamped with their time, bound to the address they were sent to. Nothing is remembered of
//! whom they were given to.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::Moment;
use crate::tracker::siphash::{Key, siphash};

/// Makes connection ids and knows its own again.
///
/// An id is the second of its making and a keyed hash of that second and the receiver's address, 32 bits each. Every hour has
/// a key of its own, and the second says which. Whoever holds the keys can check an id without having made it.
pub struct ConnectionIds {
    /// The keys of as many hours in turn, in two halves.
    keys: [[AtomicU64; 2]; Self::HOURS],
}

impl std::fmt::Debug for ConnectionIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConnectionIds")
    }
}

impl ConnectionIds {
    /// Seconds for which an id is good: the minute that clients keep one (BEP 15), and what slow ones add to it.
    pub const LIFE_SECS: u32 = 150;
    /// Seconds by which the clock of another machine with the same keys may be ahead.
    const AHEAD_SECS: u32 = 5;
    /// Seconds for which a key makes ids.
    const HOUR_SECS: u32 = 3_600;
    /// Keys held at once: that of this hour, of the one before, of the next, and one to be replaced.
    const HOURS: usize = 4;

    /// Ids under keys made from `seed`, which must be secret, until others are set.
    pub fn new(seed: [u8; 16]) -> Self {
        let half = |hour: usize, half: usize| AtomicU64::new(siphash(&seed, &[hour as u8, half as u8]));
        Self { keys: std::array::from_fn(|hour| [half(hour, 0), half(hour, 1)]) }
    }

    /// Which hour it is; each has a key.
    pub fn hour(now: Moment) -> u32 {
        stamp(now) / Self::HOUR_SECS
    }

    /// Sets the key of an hour, which must be secret. Best done before the hour begins: ids made in it under another key are
    /// good no longer.
    pub fn set_key(&self, hour: u32, key: [u8; 16]) {
        let cells = &self.keys[hour as usize % Self::HOURS];
        let (front, back) = key.split_at(8);
        for (cell, half) in cells.iter().zip([front, back]) {
            cell.store(half.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), Ordering::Relaxed);
        }
    }

    /// An id for whoever receives datagrams at `ip`.
    pub fn issue(&self, ip: IpAddr, now: Moment) -> u64 {
        let stamp = stamp(now);
        u64::from(stamp) << 32 | u64::from(self.mac(stamp, ip))
    }

    /// Whether `id` was made for `ip` lately.
    pub fn check(&self, id: u64, ip: IpAddr, now: Moment) -> bool {
        let (made, shown) = ((id >> 32) as u32, id as u32);
        let age = stamp(now).wrapping_sub(made);
        let fresh = age <= Self::LIFE_SECS || age.wrapping_neg() <= Self::AHEAD_SECS;
        // Whole words are compared, whatever the age, so that time tells nothing about the right value.
        fresh & (self.mac(made, ip) == shown)
    }

    fn mac(&self, stamp: u32, ip: IpAddr) -> u32 {
        let cells = &self.keys[(stamp / Self::HOUR_SECS) as usize % Self::HOURS];
        let mut key: Key = [0; 16];
        for (half, cell) in key.chunks_exact_mut(8).zip(cells) {
            half.copy_from_slice(&cell.load(Ordering::Relaxed).to_be_bytes());
        }
        mac(&key, stamp, ip)
    }
}

fn stamp(now: Moment) -> u32 {
    (now.micros() / 1_000_000) as u32
}

fn mac(key: &Key, stamp: u32, ip: IpAddr) -> u32 {
    let mut text = [0; 20];
    text[..4].copy_from_slice(&stamp.to_le_bytes());
    let len = match ip.to_canonical() {
        IpAddr::V4(ip) => {
            text[4..8].copy_from_slice(&ip.octets());
            8
        }
        IpAddr::V6(ip) => {
            text[4..].copy_from_slice(&ip.octets());
            20
        }
    };
    siphash(key, &text[..len]) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Rng, Span};

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn at(secs: u64) -> Moment {
        Moment::ZERO + Span::from_secs(secs)
    }

    #[test]
    fn an_id_is_good_for_its_address_and_its_time_only() {
        let ids = ConnectionIds::new([7; 16]);
        for home in ["10.0.0.1", "2001:db8::1"] {
            let id = ids.issue(ip(home), at(1_000));
            for (secs, good) in [(1_000, true), (1_060, true), (1_150, true), (1_151, false), (994, false)] {
                assert_eq!(ids.check(id, ip(home), at(secs)), good, "{secs}");
            }
            for other in ["10.0.0.2", "10.0.0.0", "::", "2001:db8::2", "127.0.0.1"] {
                assert!(!ids.check(id, ip(other), at(1_000)), "{other}");
            }
            assert!(!ConnectionIds::new([8; 16]).check(id, ip(home), at(1_000)));
        }
        let id = ids.issue(ip("10.0.0.1"), at(5));
        assert!(ids.check(id, ip("::ffff:10.0.0.1"), at(5)), "the same address, written as IPv6");
    }

    #[test]
    fn no_changed_id_passes() {
        let ids = ConnectionIds::new([7; 16]);
        let id = ids.issue(ip("10.0.0.1"), at(1_000));
        for bit in 0..64 {
            assert!(!ids.check(id ^ 1 << bit, ip("10.0.0.1"), at(1_000)), "bit {bit}");
        }
        let mut rng = Rng::new(3);
        assert!(!(0..20_000).any(|_| ids.check(1_000 << 32 | rng.bits() >> 32, ip("10.0.0.1"), at(1_000))));
    }

    #[test]
    fn every_hour_has_its_key_and_ids_of_the_last_one_stay_good() {
        let ids = ConnectionIds::new([1; 16]);
        let (noon, home) = (12 * 3_600, ip("10.0.0.1"));
        let old = ids.issue(home, at(noon - 10));
        ids.set_key(12, [2; 16]);
        let new = ids.issue(home, at(noon));
        assert_ne!(old as u32, new as u32);
        assert!(ids.check(old, home, at(noon + 100)) && ids.check(new, home, at(noon + 100)));
        // Setting the key of an hour that is yet to come changes nothing now.
        ids.set_key(ConnectionIds::hour(at(noon)) + 1, [3; 16]);
        assert!(ids.check(old, home, at(noon + 100)) && ids.check(new, home, at(noon + 100)));
        ids.set_key(12, [4; 16]);
        assert!(!ids.check(new, home, at(noon + 100)));
    }

    #[test]
    fn machines_with_the_same_keys_know_each_others_ids() {
        let (one, other) = (ConnectionIds::new([1; 16]), ConnectionIds::new([2; 16]));
        let id = one.issue(ip("2001:db8::1"), at(7_000));
        assert!(!other.check(id, ip("2001:db8::1"), at(7_000)));
        for ids in [&one, &other] {
            ids.set_key(1, [9; 16]);
        }
        let id = one.issue(ip("2001:db8::1"), at(7_004));
        assert!(other.check(id, ip("2001:db8::1"), at(7_000)), "their clocks differ a little");
    }
}
