//! Rates: how fast something went lately, and how much may go now.

use crate::base::{Moment, Span};

/// A moving average of bytes per second over the last few seconds.
///
/// Bytes are collected in slots of a quarter of a second, twenty of them, so that a figure settles within five seconds and
/// falls to zero within five seconds of silence.
#[derive(Clone, Debug)]
pub struct RateMeter {
    slots: [u32; Self::SLOTS],
    newest: u64,
    first: u64,
    sum: u64,
    total: u64,
}

impl Default for RateMeter {
    fn default() -> Self {
        Self { slots: [0; Self::SLOTS], newest: 0, first: u64::MAX, sum: 0, total: 0 }
    }
}

impl RateMeter {
    const SLOTS: usize = 20;
    const SLOT: u64 = 250_000;

    /// Counts `bytes` as having passed at `now`.
    pub fn add(&mut self, now: Moment, bytes: u64) {
        self.advance(now);
        if self.first == u64::MAX {
            self.first = self.newest;
        }
        let slot = &mut self.slots[(self.newest % Self::SLOTS as u64) as usize];
        let room = u64::from(u32::MAX - *slot).min(bytes);
        *slot += room as u32;
        self.sum += room;
        self.total += bytes;
    }

    /// Bytes per second over the window that ends at `now`.
    pub fn rate(&mut self, now: Moment) -> u64 {
        self.advance(now);
        if self.sum == 0 {
            return 0;
        }
        // A transfer younger than the window is averaged over its own age, so that its first figure is not far too low.
        let slots = (self.newest.saturating_sub(self.first) + 1).clamp(1, Self::SLOTS as u64);
        self.sum * 1_000_000 / (slots * Self::SLOT)
    }

    /// All bytes ever counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    fn advance(&mut self, now: Moment) {
        let slot = now.micros() / Self::SLOT;
        if slot <= self.newest {
            return;
        }
        let steps = (slot - self.newest).min(Self::SLOTS as u64);
        for step in 0..steps {
            let at = ((slot - step) % Self::SLOTS as u64) as usize;
            self.sum -= u64::from(std::mem::take(&mut self.slots[at]));
        }
        self.newest = slot;
        if self.sum == 0 {
            self.first = u64::MAX;
        }
    }
}

/// Permission to move bytes at a limited rate, with a short burst.
///
/// The bucket may go into debt: a whole block is let through as soon as the balance is positive and is paid for after, so
/// that the long-run rate is exact whatever the sizes are.
#[derive(Clone, Debug)]
pub struct TokenBucket {
    rate: Option<u64>,
    balance: i64,
    filled: Moment,
}

impl TokenBucket {
    /// A bucket that lets `rate` bytes through per second, or anything where there is no limit.
    pub fn new(rate: Option<u64>) -> Self {
        Self { rate, balance: 0, filled: Moment::ZERO }
    }

    /// Changes the limit from now on; debts made under the old one are forgiven.
    pub fn set_rate(&mut self, rate: Option<u64>) {
        if self.rate != rate {
            self.rate = rate;
            self.balance = self.balance.max(0);
        }
    }

    /// The limit in bytes per second, where there is one.
    pub fn rate(&self) -> Option<u64> {
        self.rate
    }

    /// Whether something may be taken at `now`.
    pub fn ready(&mut self, now: Moment) -> bool {
        self.fill(now);
        self.rate.is_none() || self.balance > 0
    }

    /// Takes `bytes`, into debt if need be.
    pub fn take(&mut self, now: Moment, bytes: u64) {
        self.fill(now);
        if self.rate.is_some() {
            self.balance = self.balance.saturating_sub_unsigned(bytes);
        }
    }

    /// The moment from which something may be taken again; nothing where it may be now.
    pub fn ready_at(&mut self, now: Moment) -> Option<Moment> {
        if self.ready(now) {
            return None;
        }
        let rate = self.rate?.max(1);
        let missing = self.balance.unsigned_abs() + 1;
        Some(now + Span::from_micros(missing.saturating_mul(1_000_000).div_ceil(rate)))
    }

    fn fill(&mut self, now: Moment) {
        let Some(rate) = self.rate else { return };
        let elapsed = now.since(self.filled).micros().min(3_600_000_000);
        let gained = u128::from(rate) * u128::from(elapsed) / 1_000_000;
        if gained == 0 {
            return;
        }
        // The burst: what a fiftieth of a second brings, at least one block, so that a limit stays smooth.
        let burst = (rate / 50).max(16 * 1024) as i64;
        let gained = i64::try_from(gained).unwrap_or(i64::MAX);
        if self.balance.saturating_add(gained) >= burst {
            self.balance = burst;
            self.filled = now;
        } else {
            self.balance += gained;
            self.filled += Span::from_micros((gained as u128 * 1_000_000 / u128::from(rate)) as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: f64) -> Moment {
        Moment::ZERO + Span::from_secs_f64(secs)
    }

    #[test]
    fn a_steady_flow_is_measured_and_forgotten() {
        let mut meter = RateMeter::default();
        for step in 0..100 {
            meter.add(at(f64::from(step) * 0.1), 1_000);
        }
        let rate = meter.rate(at(9.99));
        assert!((9_500..=10_500).contains(&rate), "{rate}");
        assert_eq!(meter.rate(at(16.0)), 0);
        assert_eq!(meter.total(), 100_000);
    }

    #[test]
    fn a_young_flow_is_averaged_over_its_age() {
        let mut meter = RateMeter::default();
        meter.add(at(100.0), 5_000);
        meter.add(at(100.3), 5_000);
        assert_eq!(meter.rate(at(100.4)), 20_000);
    }

    #[test]
    fn the_limit_is_exact_in_the_long_run() {
        let mut bucket = TokenBucket::new(Some(100_000));
        let (mut now, mut sent) = (at(1.0), 0);
        while now < at(61.0) {
            match bucket.ready_at(now) {
                Some(later) => now = later,
                None => {
                    bucket.take(now, 16_384);
                    sent += 16_384;
                }
            }
        }
        assert!((5_980_000..=6_050_000).contains(&sent), "{sent}");
    }

    #[test]
    fn no_limit_is_always_ready_and_a_zero_limit_never() {
        let mut free = TokenBucket::new(None);
        free.take(at(0.0), u64::MAX);
        assert!(free.ready(at(0.0)));
        let mut shut = TokenBucket::new(Some(0));
        assert!(!shut.ready(at(1e6)) && shut.ready_at(at(1e6)).is_some());
    }
}
