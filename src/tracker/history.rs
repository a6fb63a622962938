//! The last hour, ten seconds a point, for the page that plots it.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

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
}

impl History {
    /// Points of an hour.
    const POINTS: usize = 360;
    /// Seconds between two points.
    pub(crate) const STEP_SECS: u32 = 10;

    pub(crate) fn new() -> Self {
        let point = || [(); SERIES.len()].map(|()| AtomicU32::new(0));
        Self {
            points: (0..Self::POINTS).map(|_| point()).collect(),
            noted: AtomicUsize::new(0),
            before: [AtomicUsize::new(0), AtomicUsize::new(0)],
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
        self.noted.store(noted + 1, Ordering::Release);
    }

    /// One number of every point, the oldest first.
    pub(crate) fn series(&self, which: usize) -> Vec<u32> {
        let noted = self.noted.load(Ordering::Acquire);
        (noted.saturating_sub(Self::POINTS)..noted)
            .map(|at| self.points[at % Self::POINTS][which].load(Ordering::Relaxed))
            .collect()
    }
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
}
