//! Moving what is there, and what becomes complete, to another folder.

use std::path::{Path, PathBuf};

use crate::api::{AddOptions, Command, Event, JobKind, Label, Limits, RequestId, Settings, State};
use crate::disk::DiskError;
use crate::engine::{Addition, Change, Input};

use super::transfer;
use super::wire::{Pair, options, sample, whole};

fn move_to(pair: &mut Pair, torrent: &crate::metainfo::Torrent, folder: &str) {
    let command = Command::Move { request: RequestId(5), torrent: torrent.info_hash, folder: folder.into() };
    pair.command(1, command);
}

fn moved(pair: &Pair) -> Option<PathBuf> {
    let moved = |event: &Event| match event {
        Event::Moved { request: RequestId(5), folder, .. } => Some(folder.clone()),
        _ => None,
    };
    pair.sides[1].events.iter().find_map(moved)
}

fn refused(pair: &Pair) -> Option<String> {
    let refused = |event: &Event| match event {
        Event::Refused { reason, .. } => Some(reason.clone()),
        _ => None,
    };
    pair.sides[1].events.iter().find_map(refused)
}

/// What the store has of the only torrent.
fn record(pair: &Pair) -> crate::engine::Record {
    let put = |change: &Change| match change {
        Change::Put(record) => Some(Box::clone(record)),
        _ => None,
    };
    *pair.sides[1].changes.iter().rev().find_map(put).expect("a record")
}

#[test]
fn a_seed_moves_and_goes_on_seeding() {
    let (mut pair, torrent, bytes) = transfer(1_000_000, 65_536);
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
    move_to(&mut pair, &torrent, "/other");
    assert!(pair.run(|pair| moved(pair).is_some()));
    assert_eq!(pair.sides[1].disk.file(Path::new("/other/sample")), Some(bytes));
    assert_eq!(pair.sides[1].disk.file(Path::new("/down/sample")), None);
    let row = &pair.sides[1].engine.rows(pair.now)[0];
    assert_eq!((row.state, row.folder.as_path()), (State::Seeding, Path::new("/other")));
    let record = record(&pair);
    assert_eq!((record.folder.as_path(), record.moving), (Path::new("/other"), None));
    assert!(pair.sides[1].engine.jobs(pair.now).is_empty());
}

#[test]
fn a_download_moves_and_goes_on_downloading() {
    let (mut pair, torrent, bytes) = transfer(2_000_000, 65_536);
    let some =
        |pair: &Pair| pair.sides[1].engine.have(torrent.info_hash).is_some_and(|have| have.count() > 9);
    assert!(pair.run(some));
    move_to(&mut pair, &torrent, "/other");
    assert!(pair.run(|pair| moved(pair).is_some()));
    let seed = pair.addr(0);
    pair.command(1, Command::AddPeers { torrent: torrent.info_hash, peers: vec![seed] });
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
    assert_eq!(pair.sides[1].disk.file(Path::new("/other/sample")), Some(bytes));
    let fetched = pair.sides[0].blocks();
    assert!(fetched < 2_000_000_usize.div_ceil(16_384) + 40, "little is fetched twice: {fetched}");
}

#[test]
fn a_paused_torrent_that_was_never_opened_moves_too() {
    let (torrent, bytes) = sample(300_000, 32_768);
    let mut pair = Pair::new();
    pair.sides[1].disk.put_file("/down/sample", bytes.clone());
    pair.add(1, whole(&torrent), AddOptions { paused: true, ..options(false, None) });
    move_to(&mut pair, &torrent, "/other");
    assert!(pair.run(|pair| moved(pair).is_some()));
    assert_eq!(pair.sides[1].disk.file(Path::new("/other/sample")), Some(bytes));
    assert_eq!(pair.sides[1].engine.rows(pair.now)[0].state, State::Paused);
}

#[test]
fn what_cannot_move_stays_and_says_why() {
    let (mut pair, torrent, bytes) = transfer(300_000, 32_768);
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
    pair.sides[1].disk.put_file("/other/sample", bytes.slice(..10));
    move_to(&mut pair, &torrent, "/other");
    assert!(pair.run(|pair| refused(pair).is_some()));
    let reason = refused(&pair).expect("a reason");
    assert!(reason.contains("/other/sample is in the way"), "{reason}");
    assert_eq!(pair.sides[1].disk.file(Path::new("/down/sample")), Some(bytes));
    assert_eq!(record(&pair).moving, None);
    // So does what the user thinks better of.
    pair.sides[1].disk.remove_file(Path::new("/other/sample"));
    let engine = &mut pair.sides[1].engine;
    engine.handle(
        pair.now,
        Input::Command(Command::Move {
            request: RequestId(6),
            torrent: torrent.info_hash,
            folder: "/other".into(),
        }),
    );
    let rows = engine.jobs(pair.now);
    assert_eq!(
        (rows[0].kind, rows[0].request, rows[0].name.as_str()),
        (JobKind::Move, RequestId(6), "sample")
    );
    pair.command(1, Command::Cancel(RequestId(6)));
    assert!(pair.sides[1].engine.jobs(pair.now).is_empty());
    assert_eq!(pair.sides[1].engine.rows(pair.now)[0].folder, Path::new("/down"));
}

/// The second side downloads into the folder of what is incomplete.
fn incomplete() -> (Pair, crate::metainfo::Torrent, bytes::Bytes) {
    let (torrent, bytes) = sample(1_000_000, 65_536);
    let mut pair = Pair::new();
    pair.sides[0].disk.put_file("/seed/sample", bytes.clone());
    pair.add(0, whole(&torrent), options(true, None));
    let seed = pair.addr(0);
    let addition = Addition {
        subject: whole(&torrent),
        options: AddOptions { paused: true, ..options(false, Some(seed)) },
        shared_here: false,
        incomplete: Some("/temporal".into()),
    };
    pair.tell(1, Input::Add { request: RequestId(1), addition: Box::new(addition) });
    (pair, torrent, bytes)
}

#[test]
fn what_is_complete_moves_to_its_own_folder() {
    let (mut pair, torrent, bytes) = incomplete();
    let row = &pair.sides[1].engine.rows(pair.now)[0];
    assert_eq!(
        (row.folder.as_path(), row.target.as_deref()),
        (Path::new("/temporal"), Some(Path::new("/down")))
    );
    let limits = Limits { down: Some(400_000), up: None };
    pair.command(1, Command::Limit { torrent: torrent.info_hash, limits });
    pair.command(1, Command::Resume(torrent.info_hash));
    let half =
        |pair: &Pair| pair.sides[1].engine.have(torrent.info_hash).is_some_and(|have| have.count() > 7);
    assert!(pair.run(half));
    assert!(pair.sides[1].disk.file(Path::new("/temporal/sample")).is_some());
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
    assert_eq!(pair.sides[1].disk.file(Path::new("/down/sample")), Some(bytes));
    assert_eq!(pair.sides[1].disk.file(Path::new("/temporal/sample")), None);
    let row = &pair.sides[1].engine.rows(pair.now)[0];
    assert_eq!((row.state, row.folder.as_path()), (State::Seeding, Path::new("/down")));
    assert_eq!((&row.target, record(&pair).target), (&None, None));
}

#[test]
fn what_is_complete_moves_to_the_folder_of_the_settings_or_of_its_label() {
    for (label, at) in [("", "/done"), ("music", "/music"), ("other", "/done")] {
        let (mut pair, torrent, bytes) = incomplete();
        let labels = vec![
            Label { name: "music".into(), done_folder: Some("/music".into()), ..Label::default() },
            Label { name: "other".into(), ..Label::default() },
        ];
        let settings = Settings {
            download_folder: "/down".into(),
            done_folder: Some("/done".into()),
            labels,
            ..Settings::default()
        };
        pair.tell(1, Input::Settings(std::sync::Arc::new(settings)));
        pair.command(1, Command::Label { torrent: torrent.info_hash, label: label.into() });
        pair.command(1, Command::Resume(torrent.info_hash));
        assert!(pair.run(|pair| pair.sides[1].has_completed()));
        assert_eq!(pair.sides[1].disk.file(&Path::new(at).join("sample")), Some(bytes));
        let row = &pair.sides[1].engine.rows(pair.now)[0];
        assert_eq!((row.state, row.folder.as_path(), &row.target), (State::Seeding, Path::new(at), &None));
        // Who looks in after that finds that nothing moves any more.
        let count = pair.sides[1].changes.len();
        pair.run(|_| false);
        assert_eq!(
            pair.sides[1].changes.iter().skip(count).filter(|it| matches!(it, Change::Put(_))).count(),
            0
        );
    }
}

#[test]
fn what_cannot_move_when_complete_is_shared_from_where_it_is_and_tried_again() {
    let (mut pair, torrent, bytes) = incomplete();
    pair.sides[1].disk.put_file("/down/sample", bytes.slice(..3));
    pair.command(1, Command::Resume(torrent.info_hash));
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
    let row = &pair.sides[1].engine.rows(pair.now)[0];
    assert_eq!(row.state, State::Seeding);
    assert!(row.reason.contains("in the way"), "{}", row.reason);
    pair.sides[1].disk.remove_file(Path::new("/down/sample"));
    for _ in 0..6 {
        pair.run(|_| false);
    }
    assert_eq!(pair.sides[1].disk.file(Path::new("/down/sample")), Some(bytes));
}

#[test]
fn a_move_cut_short_by_the_end_is_taken_up() {
    for power in [false, true] {
        for seed in 0..20 {
            let (mut pair, torrent, bytes) = transfer(300_000, 32_768);
            assert!(pair.run(|pair| pair.sides[1].has_completed()));
            let mut record = record(&pair);
            let progress = pair.sides[1].changes.iter().rev().find_map(|change| match change {
                Change::Progress(_, progress) => Some(progress.clone()),
                _ => None,
            });
            record.progress = progress.expect("written");
            record.moving = Some("/other".into());
            let mut disk = std::mem::take(&mut pair.sides[1].disk);
            // The drive has begun, and then the program is gone.
            disk.submit(crate::disk::Job::Open {
                torrent: crate::base::TorrentKey(1),
                storage: std::sync::Arc::new(crate::disk::Storage {
                    root: "/down".into(),
                    layout: torrent.layout.clone(),
                    hashes: torrent.hashes.clone(),
                    priorities: Vec::new(),
                }),
            });
            disk.submit(crate::disk::Job::Move {
                torrent: crate::base::TorrentKey(1),
                to: "/other".into(),
                resumed: false,
            });
            while disk.poll().is_some_and(|done| !matches!(done, crate::disk::Done::Moving { .. })) {}
            match power {
                true => disk.crash(&mut crate::base::Rng::new(seed)),
                false => disk.kill(),
            }
            let mut again = Pair::new();
            again.sides[1].disk = disk;
            again.tell(1, Input::Restore(Box::new(record)));
            assert!(again.run(|pair| pair.sides[1].is_seeding()), "seed {seed}");
            assert_eq!(again.sides[1].disk.file(Path::new("/other/sample")), Some(bytes), "seed {seed}");
            assert_eq!(again.sides[1].disk.paths().count(), 1, "seed {seed}");
        }
    }
}

#[test]
fn a_session_that_ends_during_a_move_goes_on_with_it() {
    let (mut pair, torrent, _) = transfer(300_000, 32_768);
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
    let command =
        Command::Move { request: RequestId(5), torrent: torrent.info_hash, folder: "/other".into() };
    pair.sides[1].engine.handle(pair.now, Input::Command(command));
    pair.command(1, Command::Shutdown);
    assert!(pair.run(|pair| pair.sides[1].events.contains(&Event::Stopped)));
    let record = record(&pair);
    assert_eq!(record.moving.as_deref(), Some(Path::new("/other")));
}

#[test]
fn a_move_is_not_begun_before_it_is_written_down() {
    let (mut pair, torrent, bytes) = transfer(300_000, 32_768);
    assert!(pair.run(|pair| pair.sides[1].has_completed()));
    pair.store_fault = Some("no room".into());
    move_to(&mut pair, &torrent, "/other");
    assert!(pair.run(|pair| refused(pair).is_some()));
    assert!(refused(&pair).expect("a reason").contains("no room"));
    assert_eq!(pair.sides[1].disk.file(Path::new("/down/sample")), Some(bytes));
    let fault = DiskError::Full { path: "/other".into() };
    pair.store_fault = None;
    pair.sides[1].events.clear();
    pair.sides[1].disk.faults.writes = Some(fault);
    move_to(&mut pair, &torrent, "/other");
    assert!(pair.run(|pair| refused(pair).is_some()));
    assert!(refused(&pair).expect("a reason").contains("full"));
}
