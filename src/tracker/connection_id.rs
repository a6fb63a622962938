//! Connection ids (BEP 15): keyed, stamped with their time, bound to the address they were sent to. Nothing is remembered.

use std::net::IpAddr;

use crate::base::Moment;
use crate::tracker::siphash::{Key, siphash};

/// Makes connection ids and knows its own again.
///
/// An id is the second of its making and a keyed hash of that second and the receiver's address, 32 bits each. Whoever holds
/// the key can check it without having made it.
#[derive(Clone)]
pub struct ConnectionIds {
    key: Key,
    former: Option<Key>,
}

impl std::fmt::Debug for ConnectionIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConnectionIds")
    }
}

impl ConnectionIds {
    /// Seconds for which an id is good: the minute that clients keep one (BEP 15), and what slow ones add to it.
    pub const LIFE_SECS: u32 = 150;
    /// Seconds by which the clock of another machine with the same key may be ahead.
    const AHEAD_SECS: u32 = 5;

    /// Ids under `key`, which must be secret.
    pub fn new(key: [u8; 16]) -> Self {
        Self { key, former: None }
    }

    /// Makes further ids under another key; those made under the present one stay good for their time.
    pub fn rotate(&mut self, key: [u8; 16]) {
        self.former = Some(std::mem::replace(&mut self.key, key));
    }

    /// An id for whoever receives datagrams at `ip`.
    pub fn issue(&self, ip: IpAddr, now: Moment) -> u64 {
        let stamp = stamp(now);
        u64::from(stamp) << 32 | u64::from(mac(&self.key, stamp, ip))
    }

    /// Whether `id` was made for `ip` lately.
    pub fn check(&self, id: u64, ip: IpAddr, now: Moment) -> bool {
        let (made, shown) = ((id >> 32) as u32, id as u32);
        let age = stamp(now).wrapping_sub(made);
        let fresh = age <= Self::LIFE_SECS || age.wrapping_neg() <= Self::AHEAD_SECS;
        // Whole words are compared, and both keys are always tried, so that time tells nothing about the right value.
        let mut wrong = mac(&self.key, made, ip) ^ shown;
        if let Some(former) = &self.former {
            wrong = wrong.min(mac(former, made, ip) ^ shown);
        }
        fresh & (wrong == 0)
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
    fn a_new_key_leaves_old_ids_good() {
        let mut ids = ConnectionIds::new([1; 16]);
        let old = ids.issue(ip("10.0.0.1"), at(50));
        ids.rotate([2; 16]);
        let new = ids.issue(ip("10.0.0.1"), at(50));
        assert_ne!(old, new);
        assert!(ids.check(old, ip("10.0.0.1"), at(60)) && ids.check(new, ip("10.0.0.1"), at(60)));
        ids.rotate([3; 16]);
        assert!(!ids.check(old, ip("10.0.0.1"), at(60)));
    }
}
