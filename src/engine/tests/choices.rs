//! What a user chooses: turns in the queue, goals, labels, names, other limits.

use std::sync::Arc;

use crate::api::{
    AddOptions, Alternative, Command, Day, Goals, Label, Queue, Settings, State, TorrentRow, Turn,
};
use crate::base::{InfoHash, Moment, Rng, Span};
use crate::disk::DiskError;
use crate::engine::{Change, Engine, Input, Output, Record};

use super::wire::{Pair, options, sample, whole};

fn settings(pair: &mut Pair, side: usize, change: impl FnOnce(&mut Settings)) {
    let mut settings = Settings { download_folder: "/down".into(), ..Settings::default() };
    change(&mut settings);
    pair.tell(side, Input::Settings(Arc::new(settings)));
}

fn row(pair: &mut Pair, side: usize) -> TorrentRow {
    let now = pair.now;
    TorrentRow::clone(&pair.sides[side].engine.rows(now)[0])
}

fn states(pair: &mut Pair) -> Vec<State> {
    let now = pair.now;
    pair.sides[1].engine.rows(now).iter().map(|row| row.state).collect()
}

fn positions(pair: &mut Pair) -> Vec<u32> {
    let now = pair.now;
    pair.sides[1].engine.rows(now).iter().map(|row| row.queue).collect()
}

/// The second side has three downloads that nobody gives.
fn three(pair: &mut Pair) -> Vec<InfoHash> {
    let lengths = [100_000, 100_001, 100_002];
    let add = |length| {
        let torrent = sample(length, 32_768).0;
        pair.add(1, whole(&torrent), options(false, None));
        torrent.info_hash
    };
    lengths.map(add).into()
}

/// What the store has of each torrent, in the order in which they were added.
fn records(pair: &Pair) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    for change in &pair.sides[1].changes {
        if let Change::Put(record) = change {
            match records.iter_mut().find(|known| known.info_hash == record.info_hash) {
                Some(known) => *known = Record::clone(record),
                None => records.push(Record::clone(record)),
            }
        }
    }
    records
}

#[test]
fn so_many_downloads_at_once_and_the_others_in_their_turn() {
    use State::{Downloading, Paused, Queued};
    let mut pair = Pair::new();
    settings(&mut pair, 1, |it| it.queue = Queue { downloads: Some(1), seeds: None });
    let torrents = three(&mut pair);
    assert_eq!((states(&mut pair), positions(&mut pair)), (vec![Downloading, Queued, Queued], vec![1, 2, 3]));
    pair.command(1, Command::Queue { torrent: torrents[2], turn: Turn::First });
    assert_eq!((states(&mut pair), positions(&mut pair)), (vec![Queued, Queued, Downloading], vec![2, 3, 1]));
    pair.command(1, Command::Queue { torrent: torrents[2], turn: Turn::First });
    pair.command(1, Command::Queue { torrent: torrents[2], turn: Turn::Sooner });
    assert_eq!(positions(&mut pair), [2, 3, 1], "the first can come no sooner");
    pair.command(1, Command::Queue { torrent: torrents[2], turn: Turn::Later });
    assert_eq!((states(&mut pair), positions(&mut pair)), (vec![Downloading, Queued, Queued], vec![1, 3, 2]));
    pair.command(1, Command::Queue { torrent: torrents[1], turn: Turn::Sooner });
    assert_eq!(positions(&mut pair), [1, 2, 3]);
    pair.command(1, Command::Queue { torrent: torrents[2], turn: Turn::Sooner });
    pair.command(1, Command::Pause(torrents[0]));
    assert_eq!(states(&mut pair), [Paused, Queued, Downloading]);
    pair.command(1, Command::Queue { torrent: torrents[2], turn: Turn::Last });
    assert_eq!(states(&mut pair), [Paused, Downloading, Queued]);
    pair.command(1, Command::Remove { torrent: torrents[1], delete_data: false });
    assert_eq!((states(&mut pair), positions(&mut pair)), (vec![Paused, Downloading], vec![1, 2]));
    pair.command(1, Command::Resume(torrents[0]));
    assert_eq!(states(&mut pair), [Downloading, Queued]);
    settings(&mut pair, 1, |it| it.queue = Queue::default());
    assert_eq!(states(&mut pair), [Downloading, Downloading]);
}

#[test]
fn the_order_of_the_queue_survives() {
    let mut pair = Pair::new();
    let torrents = three(&mut pair);
    pair.command(1, Command::Queue { torrent: torrents[2], turn: Turn::First });
    pair.command(1, Command::Queue { torrent: torrents[0], turn: Turn::Last });
    assert_eq!(positions(&mut pair), [3, 2, 1]);
    let records = records(&pair);
    let again = |records: &[Record]| {
        let mut engine = Engine::new(Moment::ZERO, 0, Arc::default(), Rng::new(1));
        for record in records {
            engine.handle(Moment::ZERO, Input::Restore(Box::new(record.clone())));
        }
        while engine.poll(Moment::ZERO).is_some() {}
        engine
    };
    let order =
        |engine: &mut Engine| -> Vec<u32> { engine.rows(Moment::ZERO).iter().map(|row| row.queue).collect() };
    assert_eq!(order(&mut again(&records)), [3, 2, 1]);
    // Written in part, or made again from old copies: those of one place, or of none, keep the order of the list.
    for places in [[7, 7, 7], [0, 0, 0]] {
        let mut same = records.clone();
        same.iter_mut().zip(places).for_each(|(record, place)| record.place = place);
        let mut engine = again(&same);
        assert_eq!(order(&mut engine), [1, 2, 3]);
        let sooner = Command::Queue { torrent: torrents[2], turn: Turn::Sooner };
        engine.handle(Moment::ZERO, Input::Command(sooner));
        while engine.poll(Moment::ZERO).is_some() {}
        assert_eq!(order(&mut engine), [1, 3, 2]);
    }
}

#[test]
fn whoever_waits_touches_neither_files_nor_trackers() {
    let (mut torrent, bytes) = sample(100_000, 32_768);
    torrent.trackers = vec![vec!["http://a.example/announce".into()]];
    let settings = Settings { queue: Queue { downloads: Some(0), seeds: Some(0) }, ..Settings::default() };
    let mut engine = Engine::new(Moment::ZERO, 0, Arc::new(settings), Rng::new(1));
    let addition = crate::engine::Addition {
        subject: whole(&torrent),
        options: options(false, None),
        shared_here: false,
        incomplete: None,
    };
    let add = Input::Add { request: crate::api::RequestId(1), addition: Box::new(addition) };
    engine.handle(Moment::ZERO, add);
    let mut out = Vec::new();
    out.extend(std::iter::from_fn(|| engine.poll(Moment::ZERO)));
    let quiet = |output: &Output| matches!(output, Output::Event(_) | Output::Store { .. });
    assert!(out.iter().all(quiet), "{out:?}");
    drop(bytes);
    engine.handle(Moment::ZERO, Input::Settings(Arc::default()));
    assert!(std::iter::from_fn(|| engine.poll(Moment::ZERO)).any(|output| matches!(output, Output::Disk(_))));
}

#[test]
fn seeds_have_their_turns_and_one_that_failed_for_good_takes_none() {
    let mut pair = Pair::new();
    settings(&mut pair, 1, |it| it.queue = Queue { downloads: None, seeds: Some(1) });
    for length in [100_000, 100_001] {
        let (torrent, bytes) = sample(length, 32_768);
        let folder = format!("/seed/{length}");
        pair.sides[1].disk.put_file(format!("{folder}/sample"), bytes);
        let options = AddOptions { folder: Some(folder.into()), ..options(true, None) };
        pair.add(1, whole(&torrent), options);
    }
    assert_eq!(states(&mut pair), [State::Seeding, State::Queued]);
    let first = row(&mut pair, 1).info_hash;
    pair.sides[1].disk.faults.reads = Some(DiskError::Denied { path: "/seed".into() });
    pair.command(1, Command::Recheck(first));
    pair.sides[1].disk.faults.reads = None;
    assert_eq!(states(&mut pair), [State::Failed, State::Seeding]);
}

/// A seed on the first side and a download on the second, both with that label.
fn slow(pair: &mut Pair, length: usize, label: &str) -> InfoHash {
    let (torrent, bytes) = sample(length, 32_768);
    let folder = format!("/seed/{length}");
    pair.sides[0].disk.put_file(format!("{folder}/sample"), bytes);
    let given = AddOptions { label: label.into(), folder: Some(folder.into()), ..options(true, None) };
    pair.add(0, whole(&torrent), given);
    let seed = pair.addr(0);
    let folder = Some(format!("/down/{length}").into());
    let options = AddOptions { label: label.into(), folder, ..options(false, Some(seed)) };
    pair.add(1, whole(&torrent), options);
    torrent.info_hash
}

/// Seconds that the download takes.
fn takes(pair: &mut Pair) -> f64 {
    let begun = pair.now;
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
    pair.now.since(begun).secs_f64()
}

#[test]
fn a_label_limits_all_that_have_it() {
    for (label, limited) in [("music", true), ("other", false), ("", false)] {
        let mut pair = Pair::new();
        let labels = vec![Label { name: "music".into(), down: Some(100_000), ..Label::default() }];
        settings(&mut pair, 1, |it| it.labels = labels);
        slow(&mut pair, 1_000_000, label);
        let secs = takes(&mut pair);
        assert_eq!((7.5..12.0).contains(&secs), limited, "{label} takes {secs} s");
        assert_eq!(row(&mut pair, 1).label, label);
    }
}

#[test]
fn torrents_of_a_label_share_its_limit() {
    for up in [false, true] {
        let mut pair = Pair::new();
        let rate = Some(200_000);
        let label = Label { name: "music".into(), ..Label::default() };
        let label = if up { Label { up: rate, ..label } } else { Label { down: rate, ..label } };
        let side = usize::from(!up);
        settings(&mut pair, side, |it| it.labels = vec![label]);
        slow(&mut pair, 2_000_000, "music");
        slow(&mut pair, 2_000_001, "music");
        pass(&mut pair, 8);
        let now = pair.now;
        let got: Vec<u64> = pair.sides[1].engine.rows(now).iter().map(|row| row.downloaded).collect();
        let sum: u64 = got.iter().sum();
        assert!((1_500_000..1_700_000).contains(&sum), "{got:?}");
        assert!(got.iter().all(|bytes| *bytes > sum * 2 / 5), "each has a part of it: {got:?}");
    }
}

#[test]
fn other_limits_hold_at_their_hours_and_by_hand() {
    // The world begins on a Monday at 13:46:40 UTC.
    let hours = |from, until| Alternative { down: Some(100_000), from, until, ..Alternative::default() };
    let on = Alternative { on: true, down: Some(100_000), ..Alternative::default() };
    let cases = [
        (hours(Some(13 * 60), Some(14 * 60)), 0, true),
        (hours(Some(60), Some(120)), 0, false),
        (Alternative { days: vec![Day::Monday], ..hours(Some(13 * 60), Some(14 * 60)) }, 0, true),
        (Alternative { days: vec![Day::Tuesday], ..hours(Some(13 * 60), Some(14 * 60)) }, 0, false),
        (on, 0, true),
        // Where clocks on the wall show 01:46:40.
        (hours(Some(60), Some(120)), 12, true),
        (hours(Some(13 * 60), Some(14 * 60)), 12, false),
    ];
    for (alternative, ahead_hours, limited) in cases {
        let mut pair = Pair::new();
        let local = 1_000_000 + ahead_hours * 3_600;
        pair.sides[1].engine.set_local_time(Moment::ZERO, local);
        settings(&mut pair, 1, |it| it.alternative = alternative.clone());
        slow(&mut pair, 1_000_000, "");
        let secs = takes(&mut pair);
        assert_eq!(secs >= 7.5, limited, "{alternative:?}, {ahead_hours} h ahead: {secs} s");
    }
}

#[test]
fn other_limits_begin_and_end_at_their_minute() {
    let minute = 13 * 60 + 47;
    // They begin at 13:47:00, 20 s after the start, and end a minute later.
    let alternative = Alternative {
        down: Some(10_000),
        from: Some(minute),
        until: Some(minute + 1),
        ..Alternative::default()
    };
    let mut pair = Pair::new();
    settings(&mut pair, 1, |it| {
        it.limits.down = Some(100_000);
        it.alternative = alternative;
    });
    slow(&mut pair, 30_000_000, "");
    let mut got = Vec::new();
    for until in [20, 80, 100] {
        let end = Moment::ZERO + Span::from_secs(until);
        while pair.now < end {
            pair.run(|pair| pair.now >= end);
        }
        got.push(row(&mut pair, 1).downloaded);
    }
    let parts = [got[0], got[1] - got[0], got[2] - got[1]];
    assert!((1_900_000..2_100_000).contains(&parts[0]), "{parts:?}");
    assert!((550_000..700_000).contains(&parts[1]), "{parts:?}");
    assert!((1_900_000..2_100_000).contains(&parts[2]), "{parts:?}");
}

/// Lets time pass.
fn pass(pair: &mut Pair, secs: u64) {
    let end = pair.now + Span::from_secs(secs);
    while pair.now < end {
        pair.run(|pair| pair.now >= end);
    }
}

/// A seed that has given everything once, to which `change` was done before.
fn given(pair: &mut Pair, change: impl FnOnce(&mut Pair, InfoHash)) -> InfoHash {
    let (torrent, bytes) = sample(1_000_000, 32_768);
    pair.sides[0].disk.put_file("/seed/sample", bytes);
    pair.add(0, whole(&torrent), options(true, None));
    change(pair, torrent.info_hash);
    let seed = pair.addr(0);
    pair.add(1, whole(&torrent), options(false, Some(seed)));
    pair.run(|pair| pair.sides[1].has_completed());
    pass(pair, 2);
    torrent.info_hash
}

#[test]
fn a_torrent_that_has_given_enough_is_paused() {
    let mut pair = Pair::new();
    settings(&mut pair, 0, |it| it.goals.ratio = Some(1.0));
    let torrent = given(&mut pair, |_, _| {});
    let paused = row(&mut pair, 0);
    assert_eq!((paused.state, paused.ratio), (State::Paused, 1.0));
    assert_eq!(paused.reason, "Paused: it has given what it was to give.");
    // All are resumed, and those that have given enough rest on; one that is meant goes on, also the next time.
    pair.command(0, Command::ResumeAll);
    assert_eq!(row(&mut pair, 0).state, State::Paused);
    for _ in 0..2 {
        pair.command(0, Command::Resume(torrent));
        pass(&mut pair, 5);
        assert_eq!(row(&mut pair, 0).state, State::Seeding);
        pair.command(0, Command::Pause(torrent));
        assert_eq!(row(&mut pair, 0).reason, "Paused.");
    }
    // Another goal counts again.
    pair.command(0, Command::Resume(torrent));
    pair.command(0, Command::Goals { torrent, goals: Goals { ratio: Some(0.5), ..Goals::default() } });
    assert_eq!(row(&mut pair, 0).state, State::Paused);
    pair.command(0, Command::Goals { torrent, goals: Goals { ratio: Some(f32::NAN), ..Goals::default() } });
    assert_eq!(row(&mut pair, 0).goals, Goals::default());
}

#[test]
fn a_torrents_own_goals_come_before_its_labels_and_those_before_all() {
    let ratio = |ratio| Goals { ratio: Some(ratio), ..Goals::default() };
    for (label, own, state) in [
        ("", Goals::default(), State::Paused),
        ("generous", Goals::default(), State::Seeding),
        ("generous", ratio(0.5), State::Paused),
        ("", ratio(3.0), State::Seeding),
    ] {
        let mut pair = Pair::new();
        settings(&mut pair, 0, |it| {
            it.goals = ratio(1.0);
            it.labels = vec![Label { name: "generous".into(), goals: ratio(2.0), ..Label::default() }];
        });
        given(&mut pair, |pair, torrent| {
            pair.command(0, Command::Label { torrent, label: label.into() });
            pair.command(0, Command::Goals { torrent, goals: own });
        });
        assert_eq!(row(&mut pair, 0).state, state, "{label} {own:?}");
    }
}

#[test]
fn time_brings_a_goal_too() {
    for goals in
        [Goals { seed_secs: Some(90), ..Goals::default() }, Goals { idle_secs: Some(90), ..Goals::default() }]
    {
        // A download that took long has not been idle: that counts from when it is complete.
        let mut pair = Pair::new();
        settings(&mut pair, 1, |it| {
            it.goals = goals;
            it.limits.down = Some(25_000);
        });
        slow(&mut pair, 3_000_000, "");
        pass(&mut pair, 130);
        assert!(pair.sides[1].has_completed());
        assert_eq!(row(&mut pair, 1).state, State::Seeding, "{goals:?}");
        pass(&mut pair, 80);
        let paused = row(&mut pair, 1);
        assert_eq!(paused.state, State::Paused, "{goals:?}");
        assert!((85..=95).contains(&paused.seeded_secs), "{}", paused.seeded_secs);
        assert_eq!(paused.seeding_since_unix, None);
        let written = pair.sides[1].changes.iter().rev().find_map(|change| match change {
            Change::Put(record) => Some(record.progress.seeded_secs),
            Change::Progress(_, progress) => Some(progress.seeded_secs),
            _ => None,
        });
        assert_eq!(written, Some(paused.seeded_secs));
    }
}

#[test]
fn names_and_labels_are_kept_and_can_be_taken_back() {
    let mut pair = Pair::new();
    let (torrent, _) = sample(100_000, 32_768);
    pair.add(1, whole(&torrent), AddOptions { paused: true, ..options(false, None) });
    let torrent = torrent.info_hash;
    pair.command(1, Command::Rename { torrent, name: " My\u{7} files ".into() });
    pair.command(1, Command::Label { torrent, label: "x".repeat(900) });
    let named = row(&mut pair, 1);
    assert_eq!((named.name.as_str(), named.label.len()), ("My files", 240));
    assert_eq!(named.name_on_disk.as_deref(), Some("sample"));
    assert_eq!(records(&pair)[0].title.as_deref(), Some("My files"));
    pair.command(1, Command::Rename { torrent, name: String::new() });
    let named = row(&mut pair, 1);
    assert_eq!((named.name.as_str(), named.name_on_disk), ("sample", None));
}
