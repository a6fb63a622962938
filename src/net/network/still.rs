//! What stands still in a network: its view without what time alone moves on, so that a window that nothing happens in
//! is not drawn again.
//!
//! Members beat every other second, seeds stay longer by the second, and histories gain points where nothing has changed.

use crate::api::{NetworkStatistics, NetworkView, SeedTime, StatisticsPoint};

/// The view as far as two of them differ to a user. Who is silent drops out, so that everyone who is there was heard just
/// now; a mean stay has two digits; of a history the last point tells what is new.
pub(super) fn still(view: &NetworkView) -> NetworkView {
    let mut view = view.clone();
    view.registers.trackers.iter_mut().for_each(|tracker| tracker.heard_unix_millis = 0);
    view.registers.users.iter_mut().for_each(|user| user.heard_unix_millis = 0);
    let NetworkStatistics { time, users, trackers, torrents, history, .. } = &mut view.statistics;
    coarsen(time);
    users.iter_mut().for_each(|user| coarsen(&mut user.time));
    last(history);
    for part in trackers.iter_mut().chain(torrents) {
        coarsen(&mut part.time);
        last(&mut part.history);
    }
    view
}

fn coarsen(time: &mut SeedTime) {
    time.time_seed_secs = time.time_seed_secs.map(two_digits);
}

fn last(history: &mut Vec<StatisticsPoint>) {
    history.drain(..history.len().saturating_sub(1));
    for point in history {
        point.unix_secs = 0;
        point.time_seed_secs = two_digits(f64::from(point.time_seed_secs)) as f32;
    }
}

/// Seconds cut to two digits: 1 in 10 at the least.
fn two_digits(secs: f64) -> f64 {
    let secs = secs.max(0.0).floor();
    let step = 10f64.powf(secs.max(1.0).log10().floor() - 1.0).max(1.0);
    (secs / step).floor() * step
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::RegisteredUser;

    fn view(heard: u64, stay: f64, points: u64, seeds: u32) -> NetworkView {
        let mut view = NetworkView::default();
        view.registers.users.push(RegisteredUser {
            name: "one".into(),
            addr: ([127, 0, 0, 1], 6_881).into(),
            since_unix_millis: 5,
            heard_unix_millis: heard,
            seeding: seeds,
            downloading: 0,
        });
        view.statistics.time = SeedTime { time_seed_secs: Some(stay), finished: 0, running: 1 };
        let point =
            |at| StatisticsPoint { unix_secs: at, n_peers: 0, n_seeds: seeds, time_seed_secs: stay as f32 };
        view.statistics.history = (0..points).map(point).collect();
        view
    }

    #[test]
    fn time_alone_changes_nothing_and_all_else_does() {
        let before = still(&view(1_000, 123.0, 3, 1));
        assert_eq!(before, still(&view(3_000, 124.9, 4, 1)));
        assert_ne!(before, still(&view(3_000, 130.0, 4, 1)), "a stay that a user sees grow");
        assert_ne!(before, still(&view(1_000, 123.0, 3, 2)), "a seed more");
    }

    #[test]
    fn a_stay_has_two_digits() {
        let cut = [0.0, 0.7, 9.9, 10.2, 99.0, 101.0, 129.0, 3_599.0, 3_600.0].map(two_digits);
        assert_eq!(cut, [0.0, 0.0, 9.0, 10.0, 99.0, 100.0, 120.0, 3_500.0, 3_600.0]);
    }
}
