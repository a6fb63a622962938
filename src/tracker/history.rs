//! The last hour, ten seconds a point, for the page that plots it.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use crate::tracker::{Counter, Gauges, Stats};

/// What a point holds, in the order of its numbers.
pub(crate) const SERIES: [&str; 4] = ["peers", "torrents", "announces", "scrapes"];

/// The last points, the oldest of which gives way to the next.
#[derive(Debug)]
pub(crate) struct History {
    points: Box<[[AtomicU32; SERIES.len()]]>,
    /// How many there ever were.
    noted: AtomicUsize,
    /// Announces and scrapes up to the last point.
    before: [AtomicUsize; 2],
    /// Announces, scrapes and refused queries since the start, up to each of the last minute's points.
    totals: [[AtomicU64; 3]; History::MINUTE],
}

impl History {
    /// Points of an hour.
    const POINTS: usize = 360;
    /// Points of a minute.
    const MINUTE: usize = 6;
    /// Seconds between two points.
    pub(crate) const STEP_SECS: u32 = 10;

    pub(crate) fn new() -> Self {
        let point = || [(); SERIES.len()].map(|()| AtomicU32::new(0));
        Self {
            points: (0..Self::POINTS).map(|_| point()).collect(),
            noted: AtomicUsize::new(0),
            before: [AtomicUsize::new(0), AtomicUsize::new(0)],
            totals: Default::default(),
        }
    }

    /// Notes how things stand; called every [`STEP_SECS`](Self::STEP_SECS) by one caller.
    pub(crate) fn note(&self, gauges: &Gauges, stats: &Stats) {
        let since = |before: &AtomicUsize, counter| {
            let now = stats.value(counter) as usize;
            now.saturating_sub(before.swap(now, Ordering::Relaxed)) as u64
        };
        let numbers = [
            gauges.peers(),
            gauges.torrents,
            since(&self.before[0], Counter::Announces) / u64::from(Self::STEP_SECS),
            since(&self.before[1], Counter::Scrapes) / u64::from(Self::STEP_SECS),
        ];
        let noted = self.noted.load(Ordering::Relaxed);
        for (cell, number) in self.points[noted % Self::POINTS].iter().zip(numbers) {
            cell.store(u32::try_from(number).unwrap_or(u32::MAX), Ordering::Relaxed);
        }
        for (cell, total) in self.totals[noted % Self::MINUTE].iter().zip(totals(stats)) {
            cell.store(total, Ordering::Relaxed);
        }
        self.noted.store(noted + 1, Ordering::Release);
    }

    /// Announces, scrapes and refused queries of the last minute, or of so long as it runs.
    pub(crate) fn last_minute(&self, stats: &Stats) -> [u64; 3] {
        let oldest = &self.totals[self.noted.load(Ordering::Acquire) % Self::MINUTE];
        let mut since = totals(stats);
        for (total, before) in since.iter_mut().zip(oldest) {
            *total = total.saturating_sub(before.load(Ordering::Relaxed));
        }
        since
    }

    /// One number of every point, the oldest first.
    pub(crate) fn series(&self, which: usize) -> Vec<u32> {
        let noted = self.noted.load(Ordering::Acquire);
        (noted.saturating_sub(Self::POINTS)..noted)
            .map(|at| self.points[at % Self::POINTS][which].load(Ordering::Relaxed))
            .collect()
    }
}

/// Announces, scrapes and refused queries since the start.
fn totals(stats: &Stats) -> [u64; 3] {
    let refused =
        [Counter::Rejected, Counter::InvalidQueries, Counter::FailedQueries, Counter::UnknownQueries];
    let refused = refused.map(|counter| stats.value(counter)).iter().sum();
    [stats.value(Counter::Announces), stats.value(Counter::Scrapes), refused]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_hour_is_kept() {
        let (history, stats) = (History::new(), Stats::default());
        for turn in 0..400 {
            stats.add(Counter::Announces, 50);
            history.note(&Gauges { torrents: turn, seeders: 1, leechers: 2 }, &stats);
        }
        let torrents = history.series(1);
        assert_eq!((torrents.len(), torrents[0], torrents[359]), (360, 40, 399));
        assert!(history.series(0).iter().all(|peers| *peers == 3));
        assert!(history.series(2).iter().all(|rate| *rate == 5), "a second, not a point");
    }

    #[test]
    fn the_last_minute_is_known_at_any_time() {
        let (history, stats) = (History::new(), Stats::default());
        stats.add(Counter::Announces, 7);
        assert_eq!(history.last_minute(&stats), [7, 0, 0], "before there is a point");
        for _ in 0..20 {
            history.note(&Gauges::default(), &stats);
            stats.add(Counter::Announces, 10);
            stats.add(Counter::Scrapes, 1);
            stats.count(Counter::Rejected);
            stats.count(Counter::InvalidQueries);
        }
        assert_eq!(history.last_minute(&stats), [60, 6, 12]);
        (0..6).for_each(|_| history.note(&Gauges::default(), &stats));
        assert_eq!(history.last_minute(&stats), [0; 3]);
    }
}
