//! The figures against hand-made cases, and against a naive model of who was where.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

struct NoNames;

impl Names for NoNames {
    fn user(&self, _: SocketAddr) -> Option<String> {
        None
    }

    fn torrent(&self, _: InfoHash) -> Option<String> {
        None
    }

    fn tracker(&self, _: MemberId) -> Option<String> {
        None
    }
}

fn at(secs: u64) -> Moment {
    Moment::ZERO + Span::from_secs(1_000 + secs)
}

fn addr(user: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, user], 6881))
}

fn torrent(number: u8) -> InfoHash {
    InfoHash([number; 20])
}

fn tracker(number: u8) -> Source {
    Source::Tracker(MemberId([number; 16]))
}

fn sees(torrent_number: u8, user: u8, seed_secs: Option<u64>) -> Sighting {
    let seed_for = seed_secs.map(Span::from_secs);
    Sighting { torrent: torrent(torrent_number), addr: addr(user), seed_for }
}

#[test]
fn a_user_counts_once_however_many_tell_of_it() {
    let mut statistics = Statistics::default();
    statistics.report(at(0), tracker(1), [sees(1, 1, Some(0)), sees(2, 1, Some(0)), sees(1, 2, None)]);
    statistics.report(at(0), tracker(2), [sees(1, 1, Some(0)), sees(1, 3, None)]);
    statistics.report(at(0), Source::User(MemberId([9; 16])), [sees(1, 1, Some(0)), sees(3, 1, None)]);
    assert_eq!(statistics.counts(), (3, 1), "user 1 seeds two torrents and downloads a third");
    assert_eq!(statistics.torrent(torrent(1)), (2, 1));
    assert_eq!(statistics.tracker(MemberId([1; 16])), (2, 1, 1));
    let users: Vec<_> = statistics.users_of(torrent(1)).collect();
    assert_eq!(users, [addr(1), addr(2), addr(3)], "the seed comes first");
}

#[test]
fn one_seed_report_outweighs_a_late_peer_report() {
    let mut statistics = Statistics::default();
    statistics.report(at(0), tracker(1), [sees(1, 1, None)]);
    statistics.report(at(1), Source::User(MemberId([9; 16])), [sees(1, 1, Some(0))]);
    assert_eq!(statistics.counts(), (0, 1));
    assert_eq!(statistics.torrent(torrent(1)), (0, 1));
    statistics.report(at(2), tracker(1), [sees(1, 1, Some(0))]);
    assert_eq!(statistics.counts(), (0, 1));
    assert_eq!(statistics.view(at(11), &NoNames).time.time_seed_secs, Some(10.0));
}

#[test]
fn finished_and_running_stays_make_the_mean() {
    let mut statistics = Statistics::default();
    assert_eq!(statistics.view(at(0), &NoNames).time, Default::default());
    // User 1 stays 30 s, user 2 has stayed 10 s when it is first told of and runs on.
    statistics.report(at(0), tracker(1), [sees(1, 1, Some(0))]);
    statistics.report(at(30), tracker(1), [sees(1, 2, Some(10))]);
    let time = statistics.view(at(40), &NoNames).time;
    assert_eq!((time.time_seed_secs, time.finished, time.running), (Some(25.0), 1, 1));
    // It comes back: a stay of its own, and its first hour is not counted again.
    statistics.report(at(60), tracker(1), [sees(1, 1, Some(0)), sees(1, 2, Some(40))]);
    let view = statistics.view(at(60), &NoNames);
    assert_eq!((view.time.finished, view.time.running), (1, 2));
    assert_eq!(view.time.time_seed_secs, Some((30.0 + 40.0) / 3.0));
    let of_one = view.users.iter().find(|user| user.addr == addr(1)).expect("known").time;
    assert_eq!((of_one.time_seed_secs, of_one.finished, of_one.running), (Some(15.0), 1, 1));
}

#[test]
fn a_stay_goes_on_when_a_user_changes_torrent_or_tracker() {
    let mut statistics = Statistics::default();
    statistics.report(at(0), tracker(1), [sees(1, 1, Some(0))]);
    statistics.report(at(10), tracker(1), [sees(2, 1, Some(0))]);
    statistics.report(at(20), tracker(2), [sees(2, 1, Some(10))]);
    statistics.withdraw(tracker(1), at(21));
    let view = statistics.view(at(30), &NoNames);
    assert_eq!((view.time.finished, view.time.running, view.time.time_seed_secs), (0, 1, Some(30.0)));
    let of = |name: &str| view.torrents.iter().find(|part| part.key == name).expect("a row").time;
    assert_eq!((of(&torrent(1).to_hex()).finished, of(&torrent(2).to_hex()).running), (1, 1));
}

#[test]
fn silence_counts_up_to_the_last_sign_and_not_twice() {
    let mut statistics = Statistics::default();
    statistics.report(at(0), tracker(1), [sees(1, 1, Some(0))]);
    statistics.withdraw(tracker(1), at(5));
    assert_eq!(statistics.view(at(50), &NoNames).time.time_seed_secs, Some(5.0));
    statistics.report(at(50), tracker(1), [sees(1, 1, Some(50))]);
    let time = statistics.view(at(50), &NoNames).time;
    assert_eq!((time.finished, time.running, time.time_seed_secs), (1, 1, Some(25.0)), "5 s and 45 s");
}

#[test]
fn who_has_left_is_not_seen_by_trackers_that_are_late() {
    let mut statistics = Statistics::default();
    let id = MemberId([9; 16]);
    statistics.user_came(addr(1), at(0));
    statistics.report(at(0), Source::User(id), [sees(1, 1, Some(0))]);
    statistics.report(at(2), tracker(1), [sees(1, 1, Some(2)), sees(1, 2, None)]);
    statistics.user_left(id, addr(1), at(10));
    assert_eq!(statistics.counts(), (1, 0));
    statistics.report(at(20), tracker(1), [sees(1, 1, Some(20)), sees(1, 2, None)]);
    assert_eq!((statistics.counts(), statistics.tracker(MemberId([1; 16]))), ((1, 0), (1, 1, 0)));
    assert_eq!(statistics.view(at(20), &NoNames).time.time_seed_secs, Some(10.0));
    // Back again, its stay begins anew, whatever the tracker thinks.
    statistics.user_came(addr(1), at(30));
    statistics.report(at(32), tracker(1), [sees(1, 1, Some(32)), sees(1, 2, None)]);
    statistics.report(at(32), Source::User(id), [sees(1, 1, Some(32))]);
    assert_eq!(statistics.counts(), (1, 1));
    let time = statistics.view(at(36), &NoNames).time;
    assert_eq!((time.time_seed_secs, time.finished, time.running), (Some(8.0), 1, 1), "10 and 6 seconds");
}

#[test]
fn histories_follow_the_counts_and_stay_small() {
    let mut statistics = Statistics::default();
    for secs in 0..20_000 {
        if secs == 100 {
            statistics.report(at(secs), tracker(1), [sees(1, 1, Some(0)), sees(1, 2, None)]);
        }
        statistics.tick(at(secs));
    }
    let view = statistics.view(at(20_000), &NoNames);
    assert!((100..=POINTS).contains(&view.history.len()), "{}", view.history.len());
    assert_eq!(view.history[0].n_seeds, 0);
    let last = view.history.last().expect("points");
    assert_eq!((last.n_peers, last.n_seeds), (1, 1));
    assert!(view.torrents[0].history.len() <= PART_POINTS && view.trackers[0].history.len() <= PART_POINTS);
}

/// One step of the property test: after `pause` seconds, a source reports these, or goes.
#[derive(Clone, Debug)]
struct Step {
    pause: u64,
    source: u8,
    /// Torrent, user, and whether it seeds; nothing where the source goes.
    sees: Option<Vec<(u8, u8, bool)>>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let sees = prop::option::weighted(0.9, prop::collection::vec((0..3u8, 0..4u8, any::<bool>()), 0..8));
    let step = (0..20u64, 0..3u8, sees).prop_map(|(pause, source, sees)| Step { pause, source, sees });
    prop::collection::vec(step, 0..40)
}

/// Torrents and users.
type Pairs = BTreeSet<(u8, u8)>;

/// Who seeds and who downloads what, from the last report of every source: recomputed whole each time.
fn naive(last: &BTreeMap<u8, Vec<(u8, u8, bool)>>) -> (Pairs, Pairs) {
    let all = || last.values().flatten();
    let seeds: Pairs = all().filter(|s| s.2).map(|s| (s.0, s.1)).collect();
    let peers = all().map(|s| (s.0, s.1)).filter(|key| !seeds.contains(key)).collect();
    (seeds, peers)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn counts_and_stays_agree_with_a_naive_model(steps in steps()) {
        let mut statistics = Statistics::default();
        let mut last: BTreeMap<u8, Vec<(u8, u8, bool)>> = BTreeMap::new();
        let (mut now, mut finished) = (0u64, Vec::new());
        let mut running: BTreeMap<u8, u64> = BTreeMap::new();
        for step in steps {
            now += step.pause;
            match step.sees {
                Some(list) => {
                    let sightings = list.iter().map(|(t, u, seed)| sees(*t, *u, seed.then_some(0)));
                    statistics.report(at(now), tracker(step.source), sightings);
                    last.insert(step.source, list);
                }
                None => {
                    statistics.withdraw(tracker(step.source), at(now));
                    last.remove(&step.source);
                }
            }
            let (seeds, peers) = naive(&last);
            let users = |set: &BTreeSet<(u8, u8)>| set.iter().map(|key| key.1).collect::<BTreeSet<_>>();
            let seeding = users(&seeds);
            running.retain(|user, since| {
                let stays = seeding.contains(user);
                if !stays {
                    finished.push(now - *since);
                }
                stays
            });
            for user in &seeding {
                running.entry(*user).or_insert(now);
            }
            prop_assert_eq!(statistics.counts(), (users(&peers).len() as u32, seeding.len() as u32));
            for number in 0..3u8 {
                let of = |set: &BTreeSet<(u8, u8)>| set.iter().filter(|key| key.0 == number).count() as u32;
                prop_assert_eq!(statistics.torrent(torrent(number)), (of(&peers), of(&seeds)));
            }
            let time = statistics.view(at(now), &NoNames).time;
            prop_assert_eq!((time.finished, time.running), (finished.len() as u64, running.len() as u64));
            let stays = finished.len() + running.len();
            let sum: u64 = finished.iter().sum::<u64>() + running.values().map(|since| now - since).sum::<u64>();
            let mean = (stays > 0).then(|| sum as f64 / stays as f64);
            match (mean, time.time_seed_secs) {
                (Some(a), Some(b)) => prop_assert!((a - b).abs() < 1e-6, "{} {}", a, b),
                (a, b) => prop_assert_eq!(a, b),
            }
        }
    }
}
