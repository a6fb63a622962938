//! Torrents at rest while a session ends, while they wait for a turn to download, and while many come and go.

use std::path::Path;
use std::sync::Arc;

use crate::api::{Command, Event, Queue, RequestId, Settings, State};
use crate::base::{Bitfield, Moment, PieceIndex};
use crate::engine::{Change, Input, Output, Progress, Record};

use super::rest::{resting, restored, secs, summarised, until};
use super::wire::{Pair, options, sample, whole};

#[test]
fn what_was_asked_of_one_that_is_waking_is_done_before_the_session_ends() {
    let (mut pair, torrent, _) = resting();
    let info_hash = torrent.info_hash;
    let record = pair.sides[0].changes.iter().rev().find_map(|change| match change {
        Change::Put(record) => Some(Record::clone(record)),
        _ => None,
    });
    let record = record.expect("it was written down");
    let now = pair.now;
    let engine = &mut pair.sides[0].engine;
    engine.handle(now, Input::Command(Command::Label { torrent: info_hash, label: "kept".into() }));
    engine.handle(now, Input::Command(Command::Pause(info_hash)));
    let outputs = until(engine, now, now);
    assert!(matches!(outputs[..], [(_, Output::Load(_))]), "{outputs:?}");
    engine.handle(now, Input::Command(Command::Shutdown));
    let outputs = until(engine, now, now);
    assert!(
        !outputs.iter().any(|(_, output)| matches!(output, Output::Event(Event::Stopped))),
        "it waits for it"
    );
    let loaded = Ok(Box::new((record, torrent)));
    engine.handle(now, Input::Loaded { torrent: info_hash, loaded });
    let mut written = None;
    let mut outputs = until(engine, now, now);
    let mut stopped = false;
    while !outputs.is_empty() {
        for (_, output) in std::mem::take(&mut outputs) {
            match output {
                Output::Store { seq, change } => {
                    if let Change::Put(record) = change {
                        written = Some(record);
                    }
                    engine.handle(now, Input::Stored { seq, result: Ok(()) });
                }
                Output::Event(Event::Stopped) => stopped = true,
                _ => {}
            }
        }
        outputs = until(engine, now, now);
    }
    let written = written.expect("what was asked is written down");
    assert!(stopped && written.paused && written.label == "kept", "{written:?}");
}

#[test]
fn nobody_waits_for_ever_for_one_that_does_not_wake() {
    let mut engine = restored(300, None);
    until(&mut engine, Moment::ZERO, secs(30));
    let info_hash = summarised(299, None).info_hash;
    engine.handle(secs(31), Input::Command(Command::Pause(info_hash)));
    engine.handle(secs(31), Input::Command(Command::Shutdown));
    let mut stopped = false;
    for second in 31..40 {
        for (_, output) in until(&mut engine, secs(second), secs(second)) {
            match output {
                Output::Store { seq, .. } => {
                    engine.handle(secs(second), Input::Stored { seq, result: Ok(()) });
                }
                Output::Event(Event::Stopped) => stopped = true,
                _ => {}
            }
        }
    }
    assert!(stopped);
}

#[test]
fn who_waits_for_a_turn_to_download_rests_and_wakes_when_it_comes() {
    let (torrent, bytes) = sample(500_000, 32_768);
    let mut pair = Pair::new();
    pair.sides[0].disk.put_file("/seed/sample", bytes.clone());
    pair.add(0, whole(&torrent), options(true, None));
    let queue = |downloads| {
        let queue = Queue { downloads: Some(downloads), seeds: None };
        Input::Settings(Arc::new(Settings { queue, download_folder: "/down".into(), ..Settings::default() }))
    };
    pair.sides[1].engine.let_rest();
    pair.tell(1, queue(0));
    let seed = pair.addr(0);
    pair.add(1, whole(&torrent), options(false, None));
    pair.run(|_| false);
    pair.run(|_| false);
    let info_hash = torrent.info_hash;
    assert!(pair.sides[1].engine.is_asleep(info_hash), "it has nothing to do yet");
    let row = pair.sides[1].engine.rows(pair.now)[0].clone();
    assert_eq!((row.state, row.done, row.size), (State::Queued, 0, 500_000));
    pair.tell(1, queue(1));
    pair.run(|pair| !pair.sides[1].engine.is_asleep(info_hash));
    pair.command(1, Command::AddPeers { torrent: info_hash, peers: vec![seed] });
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
    assert_eq!(pair.sides[1].disk.file(Path::new("/down/sample")), Some(bytes));
}

#[test]
fn of_the_queued_downloads_of_the_last_run_only_those_wake_whose_turn_it_is() {
    let mut have = Bitfield::new(4);
    have.insert(PieceIndex(1));
    let progress = Progress { have: Some(have), ..Progress::default() };
    let mut engine = restored(0, None);
    let queue = |downloads| {
        let queue = Queue { downloads: Some(downloads), seeds: None };
        Input::Settings(Arc::new(Settings { queue, ..Settings::default() }))
    };
    engine.handle(Moment::ZERO, queue(2));
    for number in 0..1_000 {
        let record = Record { progress: progress.clone(), ..summarised(number, Some("http://t.example/a")) };
        engine.handle(Moment::ZERO, Input::Restore(Box::new(record)));
    }
    let loads = |outputs: &[(Moment, Output)]| -> Vec<crate::base::InfoHash> {
        let load = |(_, output): &(Moment, Output)| match output {
            Output::Load(torrent) => Some(*torrent),
            _ => None,
        };
        outputs.iter().filter_map(load).collect()
    };
    let outputs = until(&mut engine, Moment::ZERO, secs(600));
    assert_eq!(loads(&outputs), [0, 1].map(|number| summarised(number, None).info_hash));
    assert_eq!(outputs.len(), 2, "and nobody is told of the others: {outputs:?}");
    let rows = engine.rows(secs(600));
    assert!(rows[2..].iter().all(|row| row.state == State::Queued && row.done == 16_384));
    engine.handle(secs(601), queue(3));
    let outputs = until(&mut engine, secs(601), secs(602));
    assert_eq!(loads(&outputs), [summarised(2, None).info_hash]);
}

#[test]
fn adding_and_removing_many_is_work_in_proportion() {
    let mut engine = restored(500, None);
    until(&mut engine, Moment::ZERO, secs(30));
    let before = engine.rows(secs(30));
    let mut records = Vec::new();
    for number in 0..100_usize {
        let torrent = sample(40_000 + number, 32_768).0;
        records.push(torrent.info_hash);
        let addition = crate::engine::Addition {
            subject: whole(&torrent),
            options: options(true, None),
            shared_here: false,
            incomplete: None,
        };
        let request = RequestId(number as u64);
        engine.handle(secs(31), Input::Add { request, addition: Box::new(addition) });
    }
    let outputs = until(&mut engine, secs(31), secs(31));
    let count = |of: &dyn Fn(&Output) -> bool| outputs.iter().filter(|(_, output)| of(output)).count();
    assert_eq!(count(&|output| matches!(output, Output::Store { change: Change::Put(_), .. })), 100);
    assert_eq!(count(&|output| matches!(output, Output::Disk(_))), 100, "each is opened once");
    assert_eq!(count(&|output| matches!(output, Output::Load(_))), 0, "nobody else is stirred");
    let rows = engine.rows(secs(31));
    assert_eq!(rows.len(), 600);
    assert!(rows.iter().zip(before.iter()).all(|(row, before)| Arc::ptr_eq(row, before)), "or shown anew");
    assert!(Arc::ptr_eq(&rows, &engine.rows(secs(31))), "what has not changed is the same list");
    for torrent in records {
        engine.handle(secs(32), Input::Command(Command::Remove { torrent, delete_data: false }));
    }
    for number in 0..100 {
        let torrent = summarised(number, None).info_hash;
        engine.handle(secs(32), Input::Command(Command::Remove { torrent, delete_data: false }));
    }
    let outputs = until(&mut engine, secs(32), secs(32));
    let count = |of: &dyn Fn(&Output) -> bool| outputs.iter().filter(|(_, output)| of(output)).count();
    assert_eq!(count(&|output| matches!(output, Output::Load(_))), 0, "nobody wakes for it");
    let removed = count(&|output| matches!(output, Output::Store { change: Change::Remove(_), .. }));
    assert!(removed >= 100, "those at rest are gone at once: {removed}");
    assert!(count(&|output| matches!(output, Output::Store { .. })) <= 200, "one word on each");
}

#[test]
fn who_asks_whether_it_is_done_hears_when_it_is_written_and_why_it_cannot_be() {
    let settled = |pair: &Pair, number| {
        let is_answer = |event: &&Event| event.answers() == Some(RequestId(number));
        pair.sides[0].events.iter().find(is_answer).cloned()
    };
    let settle = |pair: &mut Pair, number, torrent| {
        let torrents = vec![torrent];
        pair.command(0, Command::Settle { request: RequestId(number), torrents });
    };
    let (mut pair, torrent, _) = resting();
    let info_hash = torrent.info_hash;
    pair.command(0, Command::Label { torrent: info_hash, label: "told".into() });
    settle(&mut pair, 11, info_hash);
    assert_eq!(settled(&pair, 11), Some(Event::Settled { request: RequestId(11) }));
    let labelled = |change: &Change| matches!(change, Change::Put(record) if record.label == "told");
    assert!(pair.sides[0].changes.iter().any(labelled), "it had to wake for it");
    // What cannot be written is not done.
    pair.store_fault = Some("the disk is full".into());
    pair.command(0, Command::Pause(info_hash));
    settle(&mut pair, 12, info_hash);
    let Some(Event::Refused { reason, .. }) = settled(&pair, 12) else { panic!("{:?}", settled(&pair, 12)) };
    assert!(reason.contains("could not be written down: the disk is full"), "{reason}");
    pair.store_fault = None;
    pair.command(0, Command::Resume(info_hash));
    settle(&mut pair, 13, info_hash);
    assert_eq!(settled(&pair, 13), Some(Event::Settled { request: RequestId(13) }));
    // One that is gone is done with; one that cannot wake is not.
    pair.command(0, Command::Remove { torrent: info_hash, delete_data: true });
    settle(&mut pair, 14, info_hash);
    pair.run(|pair| settled(pair, 14).is_some());
    assert!(pair.sides[0].events.contains(&Event::Removed(info_hash)));
    assert_eq!(settled(&pair, 14), Some(Event::Settled { request: RequestId(14) }));
    let (mut pair, torrent, _) = resting();
    pair.sides[0].changes.clear();
    pair.command(0, Command::Pause(torrent.info_hash));
    settle(&mut pair, 15, torrent.info_hash);
    let Some(Event::Refused { reason, .. }) = settled(&pair, 15) else { panic!("{:?}", settled(&pair, 15)) };
    assert!(reason.contains("cannot be read"), "{reason}");
}
