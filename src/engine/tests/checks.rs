//! Checks that do not come to their end, and what is believed afterwards.

use std::path::Path;

use crate::api::{AddOptions, Command, State};
use crate::base::Bitfield;
use crate::disk::{DiskError, Done};
use crate::engine::{Change, Input, Output, Record};

use super::wire::{Pair, options, sample, whole};

/// A torrent whose data is there without being known to be right, while its pieces are being hashed.
fn under_check() -> (Pair, crate::metainfo::Torrent, bytes::Bytes) {
    let (torrent, bytes) = sample(100 * 16_384, 16_384);
    let mut pair = Pair::new();
    pair.sides[0].disk.put_file("/down/sample", bytes.clone());
    let side = &mut pair.sides[0];
    let addition = crate::engine::Addition {
        subject: whole(&torrent),
        options: options(false, None),
        shared_here: false,
        incomplete: None,
    };
    let request = crate::api::RequestId(1);
    side.engine.handle(pair.now, Input::Add { request, addition: Box::new(addition) });
    // Until the first of two steps is done.
    loop {
        while let Some(output) = side.engine.poll(pair.now) {
            match output {
                Output::Disk(job) => side.disk.submit(job),
                Output::Store { change, .. } => side.changes.push(change),
                _ => {}
            }
        }
        let done = side.disk.poll().expect("the disk is at work");
        let half = matches!(done, Done::Checking { .. });
        side.engine.handle(pair.now, Input::Disk(done));
        if half {
            return (pair, torrent, bytes);
        }
    }
}

/// The last that was written down of the only torrent.
fn record(changes: &[Change]) -> Record {
    let mut last = Record::default();
    for change in changes {
        match change {
            Change::Put(record) => last = Record::clone(record),
            Change::Progress(_, progress) => last.progress = progress.clone(),
            _ => {}
        }
    }
    last
}

/// The same disk, and the record of the last run.
fn next_run(mut pair: Pair, record: Record) -> Pair {
    let mut next = Pair::new();
    std::mem::swap(&mut next.sides[0].disk, &mut pair.sides[0].disk);
    next.sides[0].disk.kill();
    next.tell(0, Input::Restore(Box::new(record)));
    next
}

#[test]
fn a_session_that_ends_during_a_check_begins_it_again() {
    let (mut pair, torrent, bytes) = under_check();
    pair.command(0, Command::Shutdown);
    let record = record(&pair.sides[0].changes);
    let mut next = next_run(pair, record);
    assert!(next.run(|pair| pair.sides[0].is_seeding()), "what is there is found");
    assert!(next.sides[0].engine.have(torrent.info_hash).is_some_and(Bitfield::all));
    assert_eq!(next.sides[0].disk.file(Path::new("/down/sample")), Some(bytes));
}

#[test]
fn what_is_written_during_a_check_says_nothing_of_the_pieces() {
    let (mut pair, torrent, _) = under_check();
    pair.sides[0].engine.handle(pair.now, Input::Command(Command::Pause(torrent.info_hash)));
    while let Some(output) = pair.sides[0].engine.poll(pair.now) {
        if let Output::Store { change, .. } = output {
            pair.sides[0].changes.push(change);
        }
    }
    let record = Record { paused: false, ..record(&pair.sides[0].changes) };
    assert_eq!(record.progress.have, None);
    let mut next = next_run(pair, record);
    assert!(next.run(|pair| pair.sides[0].is_seeding()));
}

#[test]
fn a_check_that_a_failing_disk_cuts_short_takes_nothing_for_missing() {
    let (mut pair, torrent, _) = under_check();
    pair.sides[0].disk.faults.unplugged = true;
    assert!(!pair.run(|pair| pair.sides[0].is_seeding()));
    let row = pair.sides[0].engine.rows(pair.now)[0].clone();
    assert_eq!(row.state, State::Failed);
    assert!(row.reason.contains("is the drive connected"), "{}", row.reason);
    pair.sides[0].disk.faults.unplugged = false;
    pair.command(0, Command::Resume(torrent.info_hash));
    assert!(pair.run(|pair| pair.sides[0].is_seeding()), "all of it is looked at");
}

#[test]
fn a_recheck_that_fails_is_not_believed_either() {
    let (torrent, bytes) = sample(100 * 16_384, 16_384);
    let mut pair = Pair::new();
    pair.sides[0].disk.put_file("/seed/sample", bytes);
    pair.add(0, whole(&torrent), AddOptions { folder: Some("/seed".into()), ..options(true, None) });
    assert!(pair.run(|pair| pair.sides[0].is_seeding()));
    let error = DiskError::Other { path: "/seed/sample".into(), message: "input/output error".into() };
    pair.sides[0].disk.faults.reads = Some(error);
    pair.command(0, Command::Recheck(torrent.info_hash));
    pair.run(|_| false);
    assert_eq!(pair.sides[0].engine.rows(pair.now)[0].state, State::Failed);
    assert!(pair.sides[0].engine.rows(pair.now)[0].reason.contains("Check the disk, then resume"));
    pair.sides[0].disk.faults.reads = None;
    pair.sides[0].events.clear();
    pair.command(0, Command::Resume(torrent.info_hash));
    assert!(pair.run(|pair| pair.sides[0].is_seeding()));
}
