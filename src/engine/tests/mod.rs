//! The engine against a second one, on a virtual wire and a virtual clock.
//!
//! - `checks`: checks that do not come to their end
//! - `choices`: queue, goals, labels, names, other limits
//! - `doors`: further connections of a peer that takes faster than a gigabit
//! - `faults`: every fault of a disk
//! - `moves`: files that move to another folder
//! - `rest`: torrents that have nothing to do
//! - `stopping`: stopping in order
//! - `turns`: torrents at rest while a session ends, while they wait for a turn, and while many come and go
//! - `twins`: a second connection to a peer that gives faster than a gigabit
//! - `wire`: two engines whose words reach each other at once

mod checks;
mod choices;
mod doors;
mod faults;
mod moves;
mod rest;
mod stopping;
mod turns;
mod twins;
mod wire;

use std::path::Path;

use crate::api::{AddOptions, Command, Event, FilePriority, Limits, State};
use crate::base::{Moment, Span};
use crate::disk::DiskError;
use crate::engine::{Change, Input};
use crate::peer::Item;
use crate::wire::peer::Message;

use wire::{Pair, link, options, sample, whole};

/// A seed with its data, and a download that knows it and waits for a resume.
fn prepared(length: usize, piece_length: u32) -> (Pair, crate::metainfo::Torrent, bytes::Bytes) {
    let (torrent, bytes) = sample(length, piece_length);
    (waiting(&torrent, &bytes), torrent, bytes)
}

/// The same of a torrent that is there already.
fn waiting(torrent: &crate::metainfo::Torrent, bytes: &bytes::Bytes) -> Pair {
    let mut pair = Pair::new();
    pair.sides[0].disk.put_file("/seed/sample", bytes.clone());
    pair.add(0, whole(torrent), options(true, None));
    let seed = pair.addr(0);
    pair.add(1, whole(torrent), AddOptions { paused: true, ..options(false, Some(seed)) });
    pair
}

/// The same, under way.
fn transfer(length: usize, piece_length: u32) -> (Pair, crate::metainfo::Torrent, bytes::Bytes) {
    let (mut pair, torrent, bytes) = prepared(length, piece_length);
    pair.command(1, Command::Resume(torrent.info_hash));
    (pair, torrent, bytes)
}

#[test]
fn a_file_goes_from_one_to_the_other() {
    let (mut pair, torrent, bytes) = transfer(3_000_001, 65_536);
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
    assert!(pair.sides[0].is_seeding());
    assert_eq!(pair.sides[1].disk.file(Path::new("/down/sample")), Some(bytes));
    assert!(pair.sides[1].engine.have(torrent.info_hash).expect("known").all());
    assert_eq!(pair.sides[0].blocks(), 3_000_001_usize.div_ceil(16_384), "no block is sent twice");
    let row = &pair.sides[1].engine.rows(pair.now)[0];
    assert_eq!((row.state, row.done, row.downloaded), (State::Seeding, 3_000_001, 3_000_001));
}

#[test]
fn a_magnet_link_fetches_the_metadata_first() {
    let (torrent, bytes) = sample(500_000, 16_384);
    let mut pair = Pair::new();
    pair.sides[0].disk.put_file("/seed/sample", bytes.clone());
    pair.add(0, whole(&torrent), options(true, None));
    let seed = pair.addr(0);
    pair.add(1, link(&torrent, seed), options(false, None));
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
    assert_eq!(pair.sides[1].disk.file(Path::new("/down/sample")), Some(bytes));
    let named = |event: &Event| matches!(event, Event::Named { name, .. } if name == "sample");
    assert!(pair.sides[1].events.iter().any(named));
}

#[test]
fn wrong_blocks_are_found_and_their_sender_is_banned() {
    let (mut pair, torrent, _) = prepared(300_000, 32_768);
    pair.meddle = |side, item| {
        if let (0, Item::Message(Message::Piece { data, .. })) = (side, item) {
            *data = data.iter().map(|byte| !byte).collect::<Vec<u8>>().into();
        }
    };
    pair.command(1, Command::Resume(torrent.info_hash));
    assert!(!pair.run(|pair| pair.sides[1].has_completed()));
    assert!(pair.sides[1].engine.have(torrent.info_hash).expect("known").none());
    assert!(pair.sides[0].blocks() < 40, "a liar is asked for no more");
}

#[test]
fn pause_stops_and_resume_goes_on() {
    let (mut pair, torrent, _) = prepared(4_000_000, 65_536);
    let limits = Limits { down: Some(400_000), up: None };
    pair.command(1, Command::Limit { torrent: torrent.info_hash, limits });
    pair.command(1, Command::Resume(torrent.info_hash));
    let some =
        |pair: &Pair| pair.sides[1].engine.have(torrent.info_hash).is_some_and(|have| have.count() > 4);
    assert!(pair.run(some));
    pair.command(1, Command::Pause(torrent.info_hash));
    let before = pair.sides[0].blocks();
    pair.run(|_| false);
    assert_eq!(pair.sides[0].blocks(), before, "a paused torrent is sent nothing");
    assert_eq!(pair.sides[1].engine.rows(pair.now)[0].state, State::Paused);
    pair.command(1, Command::Resume(torrent.info_hash));
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
}

#[test]
fn limits_hold_over_the_whole_transfer() {
    let (mut pair, torrent, _) = prepared(4_000_000, 65_536);
    let start = pair.now;
    let limits = Limits { down: None, up: Some(400_000) };
    pair.command(0, Command::Limit { torrent: torrent.info_hash, limits });
    pair.command(1, Command::Resume(torrent.info_hash));
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
    let took = pair.now.since(start).secs_f64();
    assert!((7.5..12.0).contains(&took), "4 MB at 400 kB/s take 10 s, not {took}");
}

#[test]
fn a_full_disk_waits_and_goes_on_when_there_is_room() {
    let (mut pair, torrent, bytes) = prepared(2_000_000, 65_536);
    pair.sides[1].disk.faults.writes = Some(DiskError::Full { path: "/down/sample".into() });
    pair.command(1, Command::Resume(torrent.info_hash));
    assert!(pair.run(|pair| pair.sides[1].events.iter().any(|event| matches!(event, Event::Failed { .. }))));
    let row = pair.sides[1].engine.rows(pair.now)[0].clone();
    assert_eq!(row.state, State::Failed);
    assert!(row.reason.contains("full"), "{}", row.reason);
    pair.sides[1].disk.faults.writes = None;
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
    assert_eq!(pair.sides[1].disk.file(Path::new("/down/sample")), Some(bytes));
    assert!(pair.sides[1].engine.have(torrent.info_hash).expect("known").all());
}

#[test]
fn nothing_is_recorded_as_had_before_it_is_synced() {
    let (mut pair, torrent, _) = prepared(2_000_000, 65_536);
    pair.sides[1].disk.faults.syncs = Some(DiskError::Other { path: "/down".into(), message: "EIO".into() });
    pair.command(1, Command::Resume(torrent.info_hash));
    pair.run(|pair| pair.sides[1].has_completed());
    assert!(!pair.sides[1].has_completed());
    for change in &pair.sides[1].changes {
        if let Change::Progress(_, progress) = change {
            assert!(progress.have.as_ref().is_none_or(crate::base::Bitfield::none));
        }
    }
    pair.sides[1].disk.faults.syncs = None;
    pair.command(1, Command::Resume(torrent.info_hash));
    // What the failed sync covered is hashed again, and found right.
    assert!(pair.run(|pair| pair.sides[1].is_seeding()));
}

#[test]
fn the_end_leaves_everything_written() {
    let (mut pair, torrent, bytes) = prepared(2_000_000, 65_536);
    let limits = Limits { down: Some(500_000), up: None };
    pair.command(1, Command::Limit { torrent: torrent.info_hash, limits });
    pair.command(1, Command::Resume(torrent.info_hash));
    let some =
        |pair: &Pair| pair.sides[1].engine.have(torrent.info_hash).is_some_and(|have| have.count() > 4);
    assert!(pair.run(some));
    pair.command(1, Command::Shutdown);
    assert!(pair.run(|pair| pair.sides[1].events.contains(&Event::Stopped)));
    // What was written down is enough to go on with another engine on the same disk.
    let mut record = None;
    for change in std::mem::take(&mut pair.sides[1].changes) {
        match (change, &mut record) {
            (Change::Put(put), record) => *record = Some(put),
            (Change::Progress(_, progress), Some(record)) => record.progress = progress,
            _ => {}
        }
    }
    let record = record.expect("a record");
    let had = record.progress.have.clone().expect("progress");
    assert!(had.count() > 4 && record.progress.suspect.len() < 20, "{had:?}");
    let disk = std::mem::take(&mut pair.sides[1].disk);
    let mut again = Pair::new();
    again.sides[1].disk = disk;
    again.sides[0].disk.put_file("/seed/sample", bytes.clone());
    again.add(0, whole(&torrent), options(true, None));
    again.tell(1, Input::Restore(record));
    let seed = again.addr(0);
    again.command(1, Command::Limit { torrent: torrent.info_hash, limits: Limits::default() });
    again.command(1, Command::AddPeers { torrent: torrent.info_hash, peers: vec![seed] });
    assert!(again.run(|pair| pair.sides[1].has_completed()));
    assert_eq!(again.sides[1].disk.file(Path::new("/down/sample")), Some(bytes));
    let fetched = again.sides[0].blocks();
    assert!(fetched * 16_384 <= 2_000_000 - (had.count() - 1) * 65_536 + 65_536, "{fetched} blocks");
}

#[test]
fn removal_deletes_only_when_told_to() {
    for delete_data in [false, true] {
        let (mut pair, torrent, _) = transfer(200_000, 32_768);
        assert!(pair.run(|pair| pair.sides[1].has_completed()));
        pair.command(1, Command::Remove { torrent: torrent.info_hash, delete_data });
        assert!(pair.run(|pair| pair.sides[1].events.contains(&Event::Removed(torrent.info_hash))));
        assert_eq!(pair.sides[1].disk.file(Path::new("/down/sample")).is_none(), delete_data);
        assert!(!pair.sides[1].engine.knows(torrent.info_hash));
        assert!(pair.sides[1].changes.contains(&Change::Remove(torrent.info_hash)));
    }
}

#[test]
fn a_recheck_finds_what_is_missing_and_fetches_it() {
    let (mut pair, torrent, bytes) = transfer(400_000, 32_768);
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
    pair.sides[1].disk.truncate_file(Path::new("/down/sample"), 100_000);
    pair.sides[1].events.clear();
    pair.command(1, Command::Recheck(torrent.info_hash));
    // The seed has let go of another seed; it is tried again after a rest.
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
    assert_eq!(pair.sides[1].disk.file(Path::new("/down/sample")), Some(bytes));
}

#[test]
fn a_skipped_file_is_not_fetched() {
    let (mut pair, torrent, _) = transfer(200_000, 32_768);
    pair.command(
        1,
        Command::Prioritise {
            torrent: torrent.info_hash,
            files: vec![(0, FilePriority::Skip), (7, FilePriority::High)],
        },
    );
    pair.run(|_| false);
    let row = &pair.sides[1].engine.rows(pair.now)[0];
    assert_eq!((row.wanted, row.progress), (0, 1.0));
}

#[test]
fn an_idle_engine_has_nothing_due() {
    let mut pair = Pair::new();
    assert_eq!(pair.sides[0].engine.next_deadline(), Moment::NEVER);
    let (torrent, bytes) = sample(200_000, 32_768);
    pair.sides[0].disk.put_file("/seed/sample", bytes);
    pair.add(0, whole(&torrent), options(true, None));
    pair.run(|_| false);
    let due = pair.sides[0].engine.next_deadline();
    assert!(due == Moment::NEVER || due.since(pair.now) > Span::from_secs(1), "{due:?}");
}
