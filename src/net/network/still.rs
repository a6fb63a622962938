//! What stands still in a network: its view without what time alone moves on, so that a window that nothing happens in
//! is not drawn again.
//!
//! Members beat every other second, seeds stay longer by the second, and histories gain points where nothing has changed.

use crate::api::{NetworkStatistics, NetworkView, SeedTime, StatisticsPoint};

/// The view as far as two of them differ to a user. Who is silent drops out, so that everyone who is there was heard just
/// now; stays run like a clock, which whoever shows them draws by himself; of a history the last point tells what is new.
pub(super) fn still(view: &NetworkView) -> NetworkView {
    let mut view = view.clone();
    view.registers.trackers.iter_mut().for_each(|tracker| tracker.heard_unix_millis = 0);
    view.registers.users.iter_mut().for_each(|user| user.heard_unix_millis = 0);
    let NetworkStatistics { time, users, trackers, torrents, history, .. } = &mut view.statistics;
    forget(time);
    users.iter_mut().for_each(|user| forget(&mut user.time));
    last(history);
    for part in trackers.iter_mut().chain(torrents) {
        forget(&mut part.time);
        last(&mut part.history);
    }
    view
}

fn forget(time: &mut SeedTime) {
    time.time_seed_secs = time.time_seed_secs.map(|_| 0.0);
}

fn last(history: &mut Vec<StatisticsPoint>) {
    history.drain(..history.len().saturating_sub(1));
    for point in history {
        (point.unix_secs, point.time_seed_secs) = (0, 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{PartStatistics, RegisteredUser};

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
        assert_eq!(before, still(&view(3_000, 4_000.0, 4, 1)));
        assert_ne!(before, still(&view(1_000, 123.0, 3, 2)), "a seed more");
    }

    #[test]
    fn nor_do_the_stays_of_parts() {
        let with = |stay| {
            let mut view = view(1_000, 123.0, 3, 1);
            let time = SeedTime { time_seed_secs: Some(stay), finished: 0, running: 1 };
            let history = view.statistics.history.clone();
            view.statistics.torrents = vec![PartStatistics { time, history, ..PartStatistics::default() }];
            still(&view)
        };
        assert_eq!(with(100.0), with(200.0));
        let mut none = view(1_000, 123.0, 3, 1);
        none.statistics.time.time_seed_secs = None;
        assert_ne!(still(&none), still(&view(1_000, 123.0, 3, 1)), "the first stay");
    }
}
