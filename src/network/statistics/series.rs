//! A history for plots that never grows: when it is full, every second point goes and the steps become twice as long.

use crate::api::StatisticsPoint;
use crate::base::{Moment, Span};

/// Points at even steps, from the first one to now.
#[derive(Clone, Debug)]
pub(super) struct Series {
    points: Vec<StatisticsPoint>,
    room: usize,
    step: Span,
    next: Moment,
}

impl Series {
    /// An empty history of at most `room` points (at least 2), the first of them `step` apart.
    pub(super) fn new(room: usize, step: Span) -> Self {
        Self { points: Vec::new(), room: room.max(2), step, next: Moment::ZERO }
    }

    /// Whether a point is due.
    pub(super) fn due(&self, now: Moment) -> bool {
        now >= self.next
    }

    /// Adds a point where one is due. Time that stood still, or a machine that slept, leaves a gap and no flood.
    pub(super) fn add(&mut self, now: Moment, point: StatisticsPoint) {
        if !self.due(now) {
            return;
        }
        if self.points.len() == self.room {
            let mut at = 0;
            self.points.retain(|_| {
                at += 1;
                at % 2 == 1
            });
            self.step = self.step.times(2);
        }
        self.points.push(point);
        self.next = now + self.step;
    }

    /// Whether the last point says that nobody was there.
    pub(super) fn rests(&self) -> bool {
        self.points.last().is_none_or(|last| last.n_peers == 0 && last.n_seeds == 0)
    }

    /// The points, oldest first.
    pub(super) fn points(&self) -> &[StatisticsPoint] {
        &self.points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_history_grows_coarser_and_keeps_its_beginning() {
        let mut series = Series::new(10, Span::from_secs(1));
        for secs in 0..1_000u64 {
            let now = Moment::ZERO + Span::from_secs(secs);
            let point = StatisticsPoint { unix_secs: secs, n_peers: 0, n_seeds: 0, time_seed_secs: 0.0 };
            series.add(now, point);
            series.add(now, point);
            assert!(series.points().len() <= 10);
            assert_eq!(series.points()[0].unix_secs, 0);
            assert!(series.points().windows(2).all(|pair| pair[0].unix_secs < pair[1].unix_secs));
        }
        let last = series.points().last().expect("points").unix_secs;
        assert!(last > 750, "the newest point is recent: {last}");
    }
}
