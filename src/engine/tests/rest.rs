//! Torrents that have nothing to do, and what wakes them.

use std::path::Path;
use std::sync::Arc;

use crate::api::{Command, Event, FilePriority, Goals, Queue, RequestId, Settings, State};
use crate::base::{Bitfield, ConnKey, InfoHash, Moment, PeerId, PieceIndex, Rng, Span, TorrentKey};
use crate::engine::{Change, Counters, Engine, Input, Output, Progress, Record, Summary};
use crate::peer::Item;
use crate::wire::peer::{Handshake, Message, Reserved};
use crate::wire::tracker::{Answer, Event as TrackerEvent};

use super::wire::{Pair, options, sample, whole};

/// A seed that has gone to rest.
pub(super) fn resting() -> (Pair, crate::metainfo::Torrent, bytes::Bytes) {
    let (torrent, bytes) = sample(500_000, 32_768);
    let mut pair = Pair::new();
    pair.sides[0].engine.let_rest();
    pair.sides[0].disk.put_file("/seed/sample", bytes.clone());
    pair.add(0, whole(&torrent), options(true, None));
    assert!(!pair.sides[0].engine.is_asleep(torrent.info_hash));
    pair.run(|_| false);
    pair.run(|_| false);
    assert!(pair.sides[0].engine.is_asleep(torrent.info_hash));
    assert_eq!(pair.sides[0].engine.next_deadline(), Moment::NEVER, "nothing is due at rest");
    (pair, torrent, bytes)
}

#[test]
fn a_seed_at_rest_shows_what_it_showed_and_wakes_for_a_peer() {
    let (mut pair, torrent, bytes) = resting();
    let row = pair.sides[0].engine.rows(pair.now)[0].clone();
    assert_eq!(
        (row.name.as_str(), row.state, row.done, row.size),
        ("sample", State::Seeding, 500_000, 500_000)
    );
    assert_eq!(pair.sides[0].engine.magnet(torrent.info_hash), Some(row.magnet.clone()));
    let seed = pair.addr(0);
    pair.add(1, whole(&torrent), options(false, Some(seed)));
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
    assert_eq!(pair.sides[1].disk.file(Path::new("/down/sample")), Some(bytes));
    assert_eq!(pair.sides[0].engine.totals(pair.now).uploaded, 500_000);
    // And it goes to rest again once nobody is there and its figures are written.
    pair.command(1, Command::Remove { torrent: torrent.info_hash, delete_data: false });
    for _ in 0..5 {
        pair.run(|_| false);
    }
    assert!(pair.sides[0].engine.is_asleep(torrent.info_hash));
    assert_eq!(pair.sides[0].engine.totals(pair.now).uploaded, 500_000);
    let seedings = pair.sides[0].events.iter().filter(|event| matches!(event, Event::Seeding { .. })).count();
    assert_eq!(seedings, 1, "the user is not told again");
}

#[test]
fn commands_reach_what_is_at_rest() {
    let (mut pair, torrent, _) = resting();
    let info_hash = torrent.info_hash;
    pair.command(0, Command::Pause(info_hash));
    let put =
        |change: &Change| matches!(change, Change::Put(record) if record.paused && record.torrent.is_some());
    assert!(pair.run(|pair| pair.sides[0].changes.iter().any(put)));
    pair.run(|_| false);
    pair.run(|_| false);
    assert!(pair.sides[0].engine.is_asleep(info_hash), "what is paused rests too");
    assert_eq!(pair.sides[0].engine.rows(pair.now)[0].state, State::Paused);
    pair.command(0, Command::ResumeAll);
    assert!(pair.run(|pair| !pair.sides[0].engine.is_asleep(info_hash)));
    pair.run(|_| false);
    pair.run(|_| false);
    let command = Command::Move { request: RequestId(3), torrent: info_hash, folder: "/other".into() };
    pair.command(0, command);
    assert!(pair.run(|pair| pair.sides[0].disk.file(Path::new("/other/sample")).is_some()));
    pair.run(|_| false);
    pair.run(|_| false);
    assert!(pair.sides[0].engine.is_asleep(info_hash));
    pair.command(0, Command::Remove { torrent: info_hash, delete_data: true });
    assert!(pair.run(|pair| pair.sides[0].events.contains(&Event::Removed(info_hash))));
    assert_eq!(pair.sides[0].disk.paths().count(), 0);
}

#[test]
fn all_of_them_are_stopped_and_written_down() {
    let (mut pair, torrent, _) = resting();
    let request = RequestId(7);
    let all = Command::StopAndSerialize { request, torrent: None };
    let told = |pair: &Pair| {
        let event = Event::Serialized { request, torrents: vec![torrent.info_hash] };
        pair.sides[0].events.contains(&event)
    };
    pair.command(0, all.clone());
    assert!(pair.run(told));
    let put =
        |change: &Change| matches!(change, Change::Put(record) if record.paused && record.torrent.is_some());
    assert!(pair.sides[0].changes.iter().any(put));
    pair.run(|_| false);
    pair.run(|_| false);
    assert!(pair.sides[0].engine.is_asleep(torrent.info_hash));
    // It stands still already, and all that is known of it is written.
    pair.sides[0].events.clear();
    pair.command(0, all);
    assert!(told(&pair) && pair.sides[0].engine.is_asleep(torrent.info_hash));
}

#[test]
fn what_is_at_rest_is_removed_without_waking() {
    let (mut pair, torrent, _) = resting();
    pair.command(0, Command::Remove { torrent: torrent.info_hash, delete_data: false });
    assert!(pair.run(|pair| pair.sides[0].events.contains(&Event::Removed(torrent.info_hash))));
    assert!(pair.sides[0].changes.contains(&Change::Remove(torrent.info_hash)));
    assert!(pair.sides[0].engine.rows(pair.now).is_empty());
}

#[test]
fn a_file_that_went_while_its_torrent_was_at_rest_is_not_claimed() {
    let (mut pair, torrent, bytes) = resting();
    pair.sides[0].disk.truncate_file(Path::new("/seed/sample"), 100_000);
    let seed = pair.addr(0);
    pair.add(1, whole(&torrent), options(false, Some(seed)));
    assert!(!pair.run(|pair| pair.sides[1].has_completed()));
    let have = pair.sides[0].engine.have(torrent.info_hash).expect("awake").clone();
    assert!(have.count() < have.len() && have.count() >= 3, "{have:?}");
    drop(bytes);
}

#[test]
fn what_cannot_be_read_again_says_so() {
    let (mut pair, torrent, _) = resting();
    pair.sides[0].changes.clear();
    pair.command(0, Command::Watch(Some(torrent.info_hash)));
    pair.run(|_| false);
    let row = &pair.sides[0].engine.rows(pair.now)[0];
    assert_eq!(row.state, State::Failed);
    assert!(row.reason.contains("cannot be read"), "{}", row.reason);
}

/// A record of something complete, as the store gives it at the start: without its .torrent file.
pub(super) fn summarised(number: u32, tracker: Option<&str>) -> Record {
    let mut info_hash = crate::base::InfoHash::default();
    info_hash.0[..4].copy_from_slice(&number.to_be_bytes());
    let summary = Summary {
        name: format!("file {number}"),
        size: 65_000,
        piece_length: 16_384,
        private: false,
        trackers: tracker.into_iter().map(|url| vec![url.to_owned()]).collect(),
        magnet: format!("magnet:?xt=urn:btih:{info_hash}&dn=file+{number}"),
    };
    let progress = Progress { have: Some(Bitfield::full(4)), uploaded: 5, ..Progress::default() };
    Record { info_hash, folder: "/seed".into(), summary: Some(summary), progress, ..Record::default() }
}

/// An engine with so many of them.
pub(super) fn restored(count: u32, tracker: Option<&str>) -> Engine {
    let mut engine = Engine::new(Moment::ZERO, 1_000_000, Arc::default(), Rng::new(1));
    engine.let_rest();
    engine.handle(Moment::ZERO, Input::Listening(vec!["10.0.0.1:6881".parse().expect("an address")]));
    for number in 0..count {
        engine.handle(Moment::ZERO, Input::Restore(Box::new(summarised(number, tracker))));
    }
    engine
}

/// Everything it wants until then, with the moments.
pub(super) fn until(engine: &mut Engine, from: Moment, end: Moment) -> Vec<(Moment, Output)> {
    let mut now = from;
    let mut outputs = Vec::new();
    while now <= end {
        while let Some(output) = engine.poll(now) {
            outputs.push((now, output));
        }
        engine.assert_sound();
        now = engine.next_deadline().max(now + Span::from_micros(1));
    }
    outputs
}

pub(super) fn secs(secs: u64) -> Moment {
    Moment::ZERO + Span::from_secs(secs)
}

#[test]
fn ten_thousand_of_the_last_run_are_there_at_once_and_do_nothing() {
    let mut engine = restored(10_000, None);
    let rows = engine.rows(Moment::ZERO);
    assert_eq!((rows.len(), engine.asleep()), (10_000, 10_000));
    assert!(rows.iter().zip(0..).all(|(row, number)| row.name == format!("file {number}")));
    assert_eq!(engine.totals(Moment::ZERO).uploaded, 50_000);
    // A few are looked at soon after the start; after that nothing is due.
    let outputs = until(&mut engine, Moment::ZERO, secs(600));
    let loads = outputs.iter().filter(|(_, output)| matches!(output, Output::Load(_))).count();
    assert_eq!((loads, outputs.len()), (256, 256));
    assert!(outputs.iter().all(|(at, _)| *at < secs(20)));
    assert_eq!(engine.next_deadline(), Moment::NEVER);
}

#[test]
fn trackers_of_what_is_at_rest_are_told_in_turns_without_waking_it() {
    let mut engine = restored(1_000, Some("http://tracker.example/announce"));
    let outputs = until(&mut engine, Moment::ZERO, secs(70));
    let told: Vec<&(Moment, Output)> =
        outputs.iter().filter(|(_, output)| matches!(output, Output::Announce { .. })).collect();
    assert_eq!(told.len(), 1_000, "each says that it is there, once");
    for second in 0..60 {
        let in_it = told.iter().filter(|(at, _)| (secs(second)..secs(second + 1)).contains(at)).count();
        assert!(in_it <= 20, "{in_it} in second {second}");
    }
    for (_, output) in &told {
        let Output::Announce { request, .. } = output else { continue };
        assert_eq!((request.stats.left, request.stats.partial_seed), (0, false));
    }
    // Beyond those that are looked at once, nobody has woken.
    let loads = outputs.iter().filter(|(_, output)| matches!(output, Output::Load(_))).count();
    assert_eq!(loads, 256);
}

#[test]
fn a_tracker_that_names_downloaders_wakes_it_and_one_that_names_none_does_not() {
    for (incomplete, peers, wakes) in [(0, 0, false), (0, 1, false), (1, 1, true), (1, 0, false)] {
        let mut engine = restored(257, Some("http://tracker.example/announce"));
        let outputs = until(&mut engine, Moment::ZERO, secs(30));
        // The last is not among those that are looked at.
        let announce = |(_, output): &(Moment, Output)| match output {
            Output::Announce { torrent, request, .. } if *torrent == TorrentKey(257) => Some(request.id),
            _ => None,
        };
        let id = outputs.iter().find_map(announce).expect("it announces");
        let peers = vec!["10.0.0.9:6881".parse().expect("an address"); peers];
        let answer = Answer { incomplete: Some(incomplete), complete: Some(1), peers, ..Answer::default() };
        let answered = Input::Announced { torrent: TorrentKey(257), id, answer: Ok(answer) };
        engine.handle(secs(31), answered);
        let outputs = until(&mut engine, secs(31), secs(32));
        let load = |(_, output): &(Moment, Output)| matches!(output, Output::Load(_));
        assert_eq!(outputs.iter().any(load), wakes, "{incomplete} downloaders");
        let row = engine.rows(secs(32))[256].clone();
        assert_eq!(row.swarm, Some((incomplete, 1)), "the row tells the counts");
    }
}

#[test]
fn who_disconnects_or_ends_tells_trackers_of_what_is_at_rest() {
    let answer_all = |engine: &mut Engine, outputs: Vec<(Moment, Output)>, at: Moment| {
        let mut events = Vec::new();
        for (_, output) in outputs {
            if let Output::Store { seq, .. } = output {
                engine.handle(at, Input::Stored { seq, result: Ok(()) });
                continue;
            }
            // The first are being looked at.
            if let Output::Announce { torrent, request, .. } = output
                && torrent > TorrentKey(256)
            {
                events.push(request.event);
                let answer = Ok(Answer { complete: Some(1), incomplete: Some(0), ..Answer::default() });
                engine.handle(at, Input::Announced { torrent, id: request.id, answer });
            }
        }
        events
    };
    let stopped = |events: &[TrackerEvent]| events.iter().all(|event| *event == TrackerEvent::Stopped);
    let mut engine = restored(276, Some("http://tracker.example/announce"));
    let outputs = until(&mut engine, Moment::ZERO, secs(30));
    assert_eq!(answer_all(&mut engine, outputs, secs(30)).len(), 20);
    engine.handle(secs(33), Input::Rest(true));
    assert!(engine.rows(secs(33))[275].reason.contains("You are disconnected"));
    let outputs = until(&mut engine, secs(33), secs(36));
    let events = answer_all(&mut engine, outputs, secs(36));
    assert!(events.len() == 20 && stopped(&events), "{events:?}");
    engine.handle(secs(37), Input::Rest(false));
    assert!(engine.rows(secs(37))[275].reason.contains("Sharing"));
    let outputs = until(&mut engine, secs(37), secs(40));
    let events = answer_all(&mut engine, outputs, secs(40));
    assert_eq!(events, vec![TrackerEvent::Started; 20]);
    engine.handle(secs(41), Input::Command(Command::Shutdown));
    let outputs = until(&mut engine, secs(41), secs(41));
    let events = answer_all(&mut engine, outputs, secs(41));
    assert!(events.len() == 20 && stopped(&events), "all at once: {events:?}");
    let outputs = until(&mut engine, secs(41), secs(45));
    assert!(outputs.iter().any(|(_, output)| matches!(output, Output::Event(Event::Stopped))));
}

#[test]
fn what_is_paused_rests_however_little_of_it_is_there() {
    let mut have = Bitfield::new(4);
    have.insert(PieceIndex(0));
    have.insert(PieceIndex(3));
    let progress = Progress { have: Some(have), ..Progress::default() };
    let record = Record { paused: true, progress, ..summarised(1, Some("http://tracker.example/announce")) };
    let mut engine = restored(0, None);
    engine.handle(Moment::ZERO, Input::Restore(Box::new(record.clone())));
    let row = engine.rows(Moment::ZERO)[0].clone();
    assert_eq!((row.state, row.done, row.size), (State::Paused, 16_384 + 65_000 - 3 * 16_384, 65_000));
    assert_eq!(row.reason, "Paused.");
    assert!(until(&mut engine, Moment::ZERO, secs(600)).is_empty(), "nobody is told of it");
    // Nobody who connects wakes it.
    let conn = ConnKey::incoming(1);
    let addr = "10.0.0.9:5000".parse().expect("an address");
    engine.handle(secs(601), Input::Accepted { conn, addr });
    let peer_id = PeerId([7; 20]);
    let hello = Handshake { info_hash: record.info_hash, peer_id, reserved: Reserved::ours() };
    engine.handle(secs(601), Input::Received { conn, items: vec![Item::Handshake(hello)] });
    let outputs = until(&mut engine, secs(601), secs(602));
    assert!(matches!(outputs[..], [(_, Output::Close { conn: closed })] if closed == conn), "{outputs:?}");
    // One of which files are skipped is not summed up: what is wanted of it is not known without its metadata.
    assert!(!Record { priorities: vec![FilePriority::Skip], ..record.clone() }.needs_no_metadata());
    assert!(!Record { paused: false, ..record }.needs_no_metadata());
}

#[test]
fn a_peer_that_says_too_much_before_it_is_answered_is_sent_away() {
    let mut engine = restored(300, None);
    until(&mut engine, Moment::ZERO, secs(30));
    let conn = ConnKey::incoming(1);
    engine.handle(secs(31), Input::Accepted { conn, addr: "10.0.0.9:5000".parse().expect("an address") });
    let info_hash = summarised(299, None).info_hash;
    let hello = Handshake { info_hash, peer_id: PeerId([7; 20]), reserved: Reserved::ours() };
    engine.handle(secs(31), Input::Received { conn, items: vec![Item::Handshake(hello)] });
    let outputs = until(&mut engine, secs(31), secs(31));
    assert!(matches!(outputs[..], [(_, Output::Load(torrent))] if torrent == info_hash));
    let more = || Input::Received { conn, items: vec![Item::Message(Message::Interested); 40] };
    engine.handle(secs(31), more());
    assert!(until(&mut engine, secs(31), secs(31)).is_empty());
    engine.handle(secs(31), more());
    let outputs = until(&mut engine, secs(31), secs(31));
    assert!(matches!(outputs[..], [(_, Output::Close { .. })]));
    // And it can be taken off the list while it is being read.
    let remove = Command::Remove { torrent: info_hash, delete_data: false };
    engine.handle(secs(32), Input::Command(remove));
    let outputs = until(&mut engine, secs(32), secs(33));
    assert!(outputs.iter().any(|(_, output)| matches!(output, Output::Event(Event::Removed(_)))));
    let loaded = Err("gone".into());
    engine.handle(secs(34), Input::Loaded { torrent: info_hash, loaded });
    assert_eq!(engine.rows(secs(34)).len(), 299);
}

#[test]
fn what_is_looked_at_in_full_stays_awake() {
    let (mut pair, torrent, _) = resting();
    pair.command(0, Command::Watch(Some(torrent.info_hash)));
    for _ in 0..4 {
        pair.run(|_| false);
    }
    let detail = pair.sides[0].engine.detail(pair.now).expect("it is watched");
    assert_eq!((detail.files.len(), detail.piece_count), (1, 16));
    pair.command(0, Command::Watch(None));
    for _ in 0..3 {
        pair.run(|_| false);
    }
    assert!(pair.sides[0].engine.is_asleep(torrent.info_hash));
}

#[test]
fn what_is_asked_for_in_full_wakes_for_that_and_rests_again() {
    let (mut pair, torrent, _) = resting();
    let request = RequestId(5);
    pair.command(0, Command::Describe { request, torrent: torrent.info_hash });
    let described = |event: &Event| match event {
        Event::Described { request: RequestId(5), detail } => Some(detail.clone()),
        _ => None,
    };
    let mut detail = None;
    pair.run(|pair| {
        detail = pair.sides[0].events.iter().find_map(described);
        detail.is_some()
    });
    let detail = detail.expect("an answer");
    assert_eq!((detail.info_hash, detail.files.len(), detail.piece_count), (torrent.info_hash, 1, 16));
    for _ in 0..3 {
        pair.run(|_| false);
    }
    assert!(pair.sides[0].engine.is_asleep(torrent.info_hash));
    pair.command(0, Command::Describe { request, torrent: InfoHash([9; 20]) });
    let unknown = pair.sides[0]
        .events
        .iter()
        .any(|event| matches!(event, Event::Refused { request: RequestId(5), .. }));
    assert!(unknown);
}

#[test]
fn a_recheck_wakes_and_hashes_everything() {
    let (mut pair, torrent, bytes) = resting();
    // The length and the time of the file are as they were.
    let mut wrong = bytes.to_vec();
    wrong[40_000] ^= 1;
    pair.sides[0].disk.spoil_file(Path::new("/seed/sample"), wrong.into());
    pair.command(0, Command::Recheck(torrent.info_hash));
    let lacks_one = |pair: &Pair| {
        pair.sides[0].engine.have(torrent.info_hash).is_some_and(|have| have.count() == have.len() - 1)
    };
    assert!(pair.run(lacks_one), "the piece that is wrong is found");
}

#[test]
fn what_cannot_wake_can_be_taken_off_the_list() {
    let (mut pair, torrent, _) = resting();
    pair.sides[0].changes.clear();
    let command = Command::Move { request: RequestId(3), torrent: torrent.info_hash, folder: "/x".into() };
    pair.command(0, command);
    let refused = |event: &Event| matches!(event, Event::Refused { request: RequestId(3), .. });
    assert!(pair.sides[0].events.iter().any(refused));
    assert_eq!(pair.sides[0].engine.rows(pair.now)[0].state, State::Failed);
    pair.command(0, Command::Remove { torrent: torrent.info_hash, delete_data: true });
    assert!(pair.sides[0].events.contains(&Event::Removed(torrent.info_hash)));
    assert_eq!(pair.sides[0].disk.paths().count(), 1, "its files stay");
    assert!(!pair.sides[0].changes.iter().any(|change| matches!(change, Change::Put(_))));
}

#[test]
fn what_is_at_rest_takes_its_turn_in_the_queue() {
    let mut engine = restored(0, None);
    let queue = Queue { downloads: None, seeds: Some(2) };
    let settings = |queue| Input::Settings(Arc::new(Settings { queue, ..Settings::default() }));
    engine.handle(Moment::ZERO, settings(queue));
    for number in 0..300 {
        let record = summarised(number, Some("http://tracker.example/announce"));
        engine.handle(Moment::ZERO, Input::Restore(Box::new(record)));
    }
    let outputs = until(&mut engine, Moment::ZERO, secs(30));
    let told = |outputs: &[(Moment, Output)]| {
        outputs.iter().filter(|(_, output)| matches!(output, Output::Announce { .. })).count()
    };
    let rows = engine.rows(secs(30));
    assert!(rows.iter().zip(1..).all(|(row, place)| row.queue == place));
    assert!(rows[2..].iter().all(|row| row.state == State::Queued));
    // One of the two may just be looked at.
    assert!((1..=2).contains(&told(&outputs)), "who waits for its turn tells nobody that it is there");
    // The turn of the last, which nobody has woken.
    let last = summarised(299, None).info_hash;
    assert!(engine.is_asleep(last) && !engine.is_loading(last));
    engine.handle(secs(31), settings(Queue::default()));
    let outputs = until(&mut engine, secs(31), secs(60));
    assert_eq!(engine.rows(secs(60))[299].state, State::Seeding);
    assert!(engine.is_asleep(last) && !engine.is_loading(last));
    assert!(told(&outputs) >= 44, "those that were not looked at tell it now");
    // One is taken off the list; nobody wakes for that, and the order stays.
    let remove = Command::Remove { torrent: summarised(260, None).info_hash, delete_data: false };
    engine.handle(secs(61), Input::Command(remove));
    let outputs = until(&mut engine, secs(61), secs(70));
    assert!(!outputs.iter().any(|(_, output)| matches!(output, Output::Load(_))));
    let rows = engine.rows(secs(70));
    assert_eq!(rows.len(), 299);
    assert!(rows.windows(2).all(|two| two[0].queue < two[1].queue));
}

#[test]
fn the_time_of_seeding_goes_on_at_rest_and_is_written_down() {
    let mut engine = restored(257, None);
    let goals = Goals { seed_secs: Some(3_600 * 5), ..Goals::default() };
    let settings = Settings { goals, ..Settings::default() };
    engine.handle(Moment::ZERO, Input::Settings(Arc::new(settings)));
    let last = summarised(256, None).info_hash;
    let outputs = until(&mut engine, Moment::ZERO, secs(3_600 * 4 + 60));
    let counters = |outputs: &[(Moment, Output)]| -> Vec<Counters> {
        let of_last = |(_, output): &(Moment, Output)| match output {
            Output::Store { change: Change::Counters(torrent, counters), .. } if *torrent == last => {
                Some(*counters)
            }
            _ => None,
        };
        outputs.iter().filter_map(of_last).collect()
    };
    let written = counters(&outputs);
    assert_eq!(written.len(), 4, "every hour");
    assert_eq!(written[3], Counters { downloaded: 0, uploaded: 5, seeded_secs: 3_600 * 4 });
    let load = |(_, output): &(Moment, Output)| matches!(output, Output::Load(torrent) if *torrent == last);
    assert!(!outputs.iter().any(load));
    // It wakes to be paused.
    let outputs = until(&mut engine, secs(3_600 * 4 + 60), secs(3_600 * 5 + 10));
    assert!(outputs.iter().any(load));
    // A session that ends has written it.
    let mut engine = restored(257, None);
    until(&mut engine, Moment::ZERO, secs(100));
    engine.handle(secs(100), Input::Command(Command::Shutdown));
    let outputs = until(&mut engine, secs(100), secs(100));
    assert_eq!(counters(&outputs), [Counters { downloaded: 0, uploaded: 5, seeded_secs: 100 }]);
}
