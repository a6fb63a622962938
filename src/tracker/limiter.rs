//! How often one address asks, in memory that no number of addresses makes larger.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::base::{Moment, Rng};
use crate::tracker::siphash::{Key, siphash};

/// Counts queries by address and minute, and says when there were too many.
///
/// Two tables of counters are indexed by two halves of a keyed hash of the address; the smaller counter is believed. An
/// address suffers for others only where both its places are shared with busy ones, which nobody can arrange without the key.
pub(crate) struct Limiter {
    key: Key,
    tables: [Box<[AtomicU32]>; 2],
}

impl std::fmt::Debug for Limiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Limiter")
    }
}

impl Limiter {
    const PLACES: usize = 1 << 16;
    /// A counter's lower bits; above them stands the minute that it is of.
    const COUNT: u32 = (1 << 20) - 1;

    pub(crate) fn new(rng: &mut Rng) -> Self {
        let mut key = [0; 16];
        rng.fill(&mut key);
        Self { key, tables: [(); 2].map(|()| (0..Self::PLACES).map(|_| AtomicU32::new(0)).collect()) }
    }

    /// Counts a query; whether it is within `limit` a minute. Whoever has an IPv6 address has a whole /64 of them.
    pub(crate) fn admits(&self, ip: IpAddr, limit: u32, now: Moment) -> bool {
        let hash = match ip {
            IpAddr::V4(ip) => siphash(&self.key, &ip.octets()),
            IpAddr::V6(ip) => siphash(&self.key, &ip.octets()[..8]),
        };
        let minute = (now.micros() / 60_000_000) as u32 & 0xfff;
        let count = |table: &[AtomicU32], place: u64| {
            let cell = &table[place as usize % Self::PLACES];
            let before = cell.load(Ordering::Relaxed);
            let counted = if before >> 20 == minute { before & Self::COUNT } else { 0 };
            let more = (counted + 1).min(Self::COUNT);
            // Two threads at once may lose one of two; a limit is not that exact.
            cell.store(minute << 20 | more, Ordering::Relaxed);
            more
        };
        count(&self.tables[0], hash).min(count(&self.tables[1], hash >> 32)) <= limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;

    #[test]
    fn one_address_is_limited_and_others_are_not() {
        let limiter = Limiter::new(&mut Rng::new(1));
        let mut now = Moment::ZERO + Span::from_secs(3_600);
        let one: IpAddr = [81, 2, 3, 4].into();
        let admitted = |now: Moment| (0..100).filter(|_| limiter.admits(one, 30, now)).count();
        assert_eq!(admitted(now), 30);
        for other in 0..20_000_u32 {
            assert!(limiter.admits(other.to_be_bytes().into(), 30, now), "{other}");
        }
        now += Span::from_secs(60);
        assert_eq!(admitted(now), 30, "a new minute");
        let six = |low: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, 1, 2, 3, low]);
        assert_eq!((0..100).filter(|low| limiter.admits(six(*low), 30, now)).count(), 30, "one network");
    }
}
