//! The session on real folders: what was said to be written is there after every kind of end.

use std::fs::{self, File};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Barrier, Mutex};

use rusqlite::Connection;

use super::database::Database;
use super::*;
use crate::api::{FilePriority, Goals, Limits};
use crate::base::{Bitfield, InfoHash, PieceIndex, Rng};
use crate::disk::FileStamp;
use crate::engine::{Counters, Enough, Progress, Summary};
use crate::metainfo::Torrent;

type Said = Receiver<(u64, Result<(), String>)>;

fn start(state: &Path) -> (Store, Opened, Said) {
    let (tell, said) = sync_channel(100_000);
    let done = move |seq, result| tell.send((seq, result)).unwrap_or_default();
    let (store, opened) = Store::open(state, Arc::new(done)).expect("a usable folder");
    (store, opened, said)
}

fn records(state: &Path) -> Vec<Record> {
    let (store, opened, _) = start(state);
    store.close();
    opened.records
}

/// A torrent of one file with a name of its own.
fn torrent(number: u64) -> Record {
    let name = format!("file {number:05}");
    let file = format!(
        "d4:infod6:lengthi5e4:name{}:{name}12:piece lengthi16384e6:pieces20:{}ee",
        name.len(),
        "h".repeat(20)
    );
    let info_hash = Torrent::parse(file.as_bytes()).expect("a torrent").info_hash;
    let folder = format!("/downloads/{number}").into();
    Record { info_hash, torrent: Some(file.into_bytes()), folder, added_unix: number, ..Record::default() }
}

/// One with a value in every field.
fn rich() -> Record {
    let mut have = Bitfield::new(11);
    have.insert(PieceIndex(3));
    Record {
        magnet: Some("magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567".to_owned()),
        paused: true,
        priorities: vec![FilePriority::High, FilePriority::Skip],
        sequential: true,
        shared_here: true,
        limits: Limits { down: Some(u64::MAX), up: Some(1) },
        completed_unix: Some(u64::MAX),
        target: Some("/downloads/whole".into()),
        label: "music".into(),
        title: Some("another name".into()),
        goals: Goals { ratio: Some(1.5), seed_secs: Some(9), idle_secs: None },
        place: 7,
        enough: Enough::GoOn,
        moving: Some(Path::new("/räksmörgås").to_path_buf()),
        progress: Progress {
            downloaded: u64::MAX,
            uploaded: 1 << 63,
            seeded_secs: 77,
            have: Some(have),
            suspect: vec![PieceIndex(1), PieceIndex(u32::MAX)],
            stamps: vec![FileStamp { exists: true, length: 5, modified_nanos: -7 }, FileStamp::default()],
        },
        ..torrent(0)
    }
}

fn put(record: &Record) -> Change {
    Change::Put(Box::new(record.clone()))
}

/// The list as it is after these changes.
fn model(changes: &[Change]) -> Vec<Record> {
    let mut list: Vec<Record> = Vec::new();
    for change in changes {
        let at = |hash: &InfoHash| list.iter().position(|record| record.info_hash == *hash);
        match change {
            Change::Put(record) => match at(&record.info_hash) {
                Some(at) => list[at] = (**record).clone(),
                None => list.push((**record).clone()),
            },
            Change::Progress(hash, progress) => {
                if let Some(at) = at(hash) {
                    list[at].progress = progress.clone();
                }
            }
            Change::Counters(hash, counters) => {
                if let Some(at) = at(hash) {
                    counters.give_to(&mut list[at].progress);
                }
            }
            Change::Suspect(hash, pieces) => {
                if let Some(at) = at(hash) {
                    list[at].progress.suspect.extend(pieces);
                }
            }
            Change::Remove(hash) => list.retain(|record| record.info_hash != *hash),
        }
    }
    for record in &mut list {
        record.progress.suspect.sort();
        record.progress.suspect.dedup();
    }
    list
}

/// Changes to few torrents, so that they meet.
fn changes(count: usize, rng: &mut Rng) -> Vec<Change> {
    let change = |_| {
        let record = torrent(rng.below(5) as u64);
        let pieces: Vec<PieceIndex> = (0..rng.below(4)).map(|_| PieceIndex(rng.below(9) as u32)).collect();
        let progress = Progress {
            downloaded: rng.below(1_000) as u64,
            have: (rng.below(3) > 0).then(|| Bitfield::full(rng.below(20))),
            suspect: pieces.clone(),
            ..Progress::default()
        };
        match rng.below(8) {
            0 | 1 => Change::Put(Box::new(Record { paused: rng.below(2) == 0, progress, ..record })),
            2 | 3 => Change::Progress(record.info_hash, progress),
            4 | 5 => Change::Suspect(record.info_hash, pieces),
            6 => Change::Counters(record.info_hash, Counters { downloaded: 7, uploaded: 8, seeded_secs: 9 }),
            _ => Change::Remove(record.info_hash),
        }
    };
    (0..count).map(change).collect()
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy_folder(&entry.path(), &target),
            false => fs::copy(entry.path(), target).map(|_| ()).expect("copied"),
        }
    }
}

#[test]
fn every_field_survives_and_the_end_is_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("new/state");
    let (store, opened, said) = start(&state);
    assert!(opened.clean && opened.records.is_empty() && opened.notes.is_empty(), "{opened:?}");
    let link = Record { magnet: Some("magnet:?xt=…".to_owned()), ..Record::default() };
    for (seq, record) in [&rich(), &torrent(1), &link].into_iter().enumerate() {
        store.apply(seq as u64, put(record));
    }
    store.close();
    assert_eq!(said.iter().collect::<Vec<_>>(), [(0, Ok(())), (1, Ok(())), (2, Ok(()))]);
    let (store, opened, _) = start(&state);
    assert!(opened.clean && opened.notes.is_empty(), "{:?}", opened.notes);
    assert_eq!(opened.records, [rich(), torrent(1), link]);
    assert_eq!(fs::read_dir(state.join("torrents")).expect("a folder").count(), 5);
    drop(store);
    let (store, opened, _) = start(&state);
    assert!(!opened.clean && opened.notes.is_empty() && opened.records.len() == 3);
    store.close();
}

#[test]
fn after_a_kill_at_any_change_everything_that_was_said_is_there() {
    for seed in 0..8 {
        let mut rng = Rng::new(seed);
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("state");
        let changes = changes(60, &mut rng);
        // A copy made from the store's own thread is what a kill at that moment leaves.
        let (from, to) = (state.clone(), folder.path().to_path_buf());
        let last = Arc::new(Mutex::new(None::<u64>));
        let told = Arc::clone(&last);
        let done = move |seq, _| {
            if seq % 7 == 0 {
                copy_folder(&from, &to.join(format!("killed {seq}")));
            }
            *told.lock().expect("whole") = Some(seq);
        };
        let (store, _) = Store::open(&state, Arc::new(done)).expect("a usable folder");
        for (seq, change) in changes.iter().enumerate() {
            store.apply(seq as u64, change.clone());
            if rng.below(3) == 0 {
                std::thread::yield_now();
            }
        }
        store.close();
        assert_eq!(*last.lock().expect("whole"), Some(59));
        assert_eq!(records(&state), model(&changes), "seed {seed}");
        for seq in (0..60).step_by(7) {
            let killed = folder.path().join(format!("killed {seq}"));
            let (store, opened, _) = start(&killed);
            assert!(!opened.clean && opened.notes.is_empty(), "seed {seed}: {:?}", opened.notes);
            // The rest of its batch is there as well.
            let fits = (seq..60).any(|last| opened.records == model(&changes[..=last]));
            assert!(fits, "seed {seed}, killed after {seq}");
            store.close();
        }
    }
}

#[test]
fn a_torn_journal_gives_an_earlier_list_and_never_half_of_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let (state, mut rng) = (folder.path().join("state"), Rng::new(5));
    records(&state);
    let changes = changes(40, &mut rng);
    let (from, to) = (state.clone(), folder.path().join("killed"));
    let done = move |seq, _| {
        if seq == 39 {
            copy_folder(&from, &to);
        }
    };
    let (store, _) = Store::open(&state, Arc::new(done)).expect("a usable folder");
    for (seq, change) in changes.iter().enumerate() {
        store.apply(seq as u64, change.clone());
    }
    store.close();
    let journal = folder.path().join("killed/session.db-wal");
    let whole = fs::metadata(&journal).expect("there").len();
    for round in 0..25 {
        let torn = folder.path().join(format!("torn {round}"));
        copy_folder(&folder.path().join("killed"), &torn);
        let kept = rng.below(whole as usize) as u64;
        let file = File::options().write(true).open(torn.join("session.db-wal")).expect("there");
        file.set_len(kept).expect("cut");
        let list = records(&torn);
        let fits = (0..=40).any(|last| list == model(&changes[..last]));
        assert!(fits, "{kept} of {whole} bytes");
    }
}

#[test]
fn a_damaged_database_is_kept_and_the_list_made_again() {
    let damages: [fn(&Path); 5] = [
        |path| fs::write(path, b"this is no database at all, whatever its name says").expect("written"),
        |path| fs::write(path, b"").expect("written"),
        |path| fs::remove_file(path).expect("removed"),
        |path| {
            let length = fs::metadata(path).expect("there").len();
            File::options().write(true).open(path).expect("there").set_len(length / 2).expect("cut");
        },
        |path| {
            let mut bytes = fs::read(path).expect("there");
            bytes[4096..].fill(0xa5);
            fs::write(path, bytes).expect("written");
        },
    ];
    for (number, damage) in damages.iter().enumerate() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path();
        let link = "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567";
        let magnet = Record {
            info_hash: link[20..].parse().expect("a hash"),
            magnet: Some(link.to_owned()),
            added_unix: 7,
            folder: "/m".into(),
            ..Record::default()
        };
        let (store, ..) = start(state);
        for (seq, record) in [&rich(), &torrent(2), &magnet, &torrent(9)].into_iter().enumerate() {
            store.apply(seq as u64, put(record));
        }
        store.apply(4, Change::Remove(torrent(9).info_hash));
        store.close();
        let path = state.join("session.db");
        damage(&path);
        let damaged = fs::read(&path).unwrap_or_default();
        let (store, opened, _) = start(state);
        let mut first = rich();
        first.progress = Progress::default();
        assert!(!opened.clean, "damage {number}");
        assert_eq!(opened.records, [first, torrent(2), magnet], "damage {number}: {:?}", opened.notes);
        assert!(opened.notes.iter().any(|note| note.contains("from the 3 copies")), "{:?}", opened.notes);
        if !damaged.is_empty() {
            assert_eq!(fs::read(state.join("session-damaged-1.db")).expect("kept"), damaged);
            assert!(opened.notes[0].contains("session-damaged-1.db"), "{:?}", opened.notes);
        }
        store.close();
        let (store, opened, _) = start(state);
        assert!(opened.clean && opened.notes.is_empty() && opened.records.len() == 3);
        store.close();
        fs::write(&path, b"damaged once more, by something else this time").expect("written");
        assert_eq!(records(state).len(), 3);
        assert_eq!(state.join("session-damaged-2.db").exists(), !damaged.is_empty());
    }
}

#[test]
fn copies_that_make_no_sense_are_named_and_the_others_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, ..) = start(folder.path());
    for number in 0..4 {
        store.apply(number, put(&torrent(number)));
    }
    store.close();
    fs::remove_file(folder.path().join("session.db")).expect("removed");
    let copy = |number, kind| folder.path().join(format!("torrents/{}.{kind}", torrent(number).info_hash));
    fs::write(copy(0, "torrent"), b"d4:info").expect("written");
    fs::copy(copy(2, "torrent"), copy(1, "torrent")).expect("copied");
    fs::write(copy(2, "json"), b"{").expect("written");
    fs::write(folder.path().join("torrents/readme.txt"), b"").expect("written");
    let (store, opened, _) = start(folder.path());
    store.close();
    assert_eq!(opened.records.len(), 2, "{:?}", opened.notes);
    assert!(opened.records.contains(&torrent(3)));
    let lost = opened.records.iter().find(|record| record.info_hash == torrent(2).info_hash);
    assert!(lost.is_some_and(|record| record.paused && record.added_unix > 0), "{lost:?}");
    assert_eq!(opened.notes.len(), 4, "{:?}", opened.notes);
}

#[test]
fn a_newer_session_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.db");
    records(folder.path());
    let conn = Connection::open(&path).expect("a database");
    conn.execute_batch("PRAGMA user_version = 99; CREATE TABLE future (x);").expect("changed");
    drop(conn);
    let before = fs::read(&path).expect("there");
    let error = Store::open(folder.path(), Arc::new(|_, _| {})).expect_err("newer");
    assert_eq!(error, StoreError::Newer { path: path.clone(), found: 99, known: STEPS.len() as i64 });
    assert!(error.to_string().contains("newer Fyris"), "{error}");
    assert_eq!(fs::read(&path).expect("there"), before);
}

/// The database of the version before labels, as it lies on users' disks, with two torrents.
const BEFORE_LABELS: &str = "
    CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
    CREATE TABLE torrents (
        id INTEGER PRIMARY KEY, info_hash BLOB NOT NULL UNIQUE, magnet TEXT, folder ANY NOT NULL, paused INTEGER NOT NULL,
        sequential INTEGER NOT NULL, shared_here INTEGER NOT NULL, limit_down INTEGER, limit_up INTEGER,
        added INTEGER NOT NULL, completed INTEGER, priorities BLOB NOT NULL
    ) STRICT;
    CREATE TABLE files (torrent INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
    CREATE TABLE progress (
        torrent INTEGER PRIMARY KEY, downloaded INTEGER NOT NULL, uploaded INTEGER NOT NULL, pieces INTEGER, have BLOB,
        stamps BLOB NOT NULL
    ) STRICT;
    CREATE TABLE suspect (
        torrent INTEGER NOT NULL, piece INTEGER NOT NULL, PRIMARY KEY (torrent, piece)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE gone (info_hash BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
    ALTER TABLE torrents ADD COLUMN more TEXT NOT NULL DEFAULT '{}';
    INSERT INTO meta VALUES ('running', 0), ('filled', 1);
    INSERT INTO torrents VALUES
        (4, x'0102030405060708090a0b0c0d0e0f1011121314', 'magnet:?xt=urn:btih:0102030405060708090a0b0c0d0e0f1011121314',
         '/downloads', 0, 1, 0, 5, NULL, 77, NULL, x'', '{\"target\":{\"text\":\"/whole\"}}'),
        (9, x'1102030405060708090a0b0c0d0e0f1011121314', 'magnet:?xt=urn:btih:1102030405060708090a0b0c0d0e0f1011121314',
         '/downloads', 1, 0, 0, NULL, NULL, 78, NULL, x'', '{}');
    INSERT INTO progress VALUES (4, 100, 200, NULL, NULL, x''), (9, 0, 0, NULL, NULL, x'');
    PRAGMA user_version = 2;
";

#[test]
fn the_session_of_the_version_before_labels_is_taken_over_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.db");
    Connection::open(&path).and_then(|conn| conn.execute_batch(BEFORE_LABELS)).expect("made");
    let (store, opened, _) = start(folder.path());
    assert!(opened.clean && opened.notes.is_empty(), "{:?}", opened.notes);
    let [first, second] = &opened.records[..] else { panic!("{:?}", opened.records) };
    assert_eq!(
        (first.progress.downloaded, first.progress.uploaded, first.progress.seeded_secs),
        (100, 200, 0)
    );
    assert_eq!((first.limits.down, first.sequential, first.added_unix), (Some(5), true, 77));
    assert_eq!(first.target.as_deref(), Some(Path::new("/whole")));
    assert!(second.paused && second.label.is_empty() && second.title.is_none());
    assert_eq!((second.goals, second.enough), (Goals::default(), Enough::NotYet));
    assert!(0 < first.place && first.place < second.place, "the queue is in the order of the list");
    let labelled = Record { label: "music".into(), ..second.clone() };
    store.apply(1, put(&labelled));
    store.close();
    assert_eq!(records(folder.path()), [first.clone(), labelled]);
}

#[test]
fn an_older_session_is_brought_forward_and_a_foreign_one_set_aside() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.db");
    let (store, ..) = start(folder.path());
    store.apply(1, put(&torrent(1)));
    store.close();
    let mut steps = STEPS.to_vec();
    steps.push("ALTER TABLE torrents ADD COLUMN colour TEXT;");
    let database = Database::open(&path, &steps).expect("one step further");
    assert_eq!(database.load().expect("readable").0, [torrent(1)]);
    database.close();
    assert!(matches!(Database::open(&path, STEPS), Err(Trouble::Newer(_))));
    fs::remove_file(&path).expect("removed");
    Connection::open(&path).and_then(|conn| conn.execute_batch("CREATE TABLE recipes (x);")).expect("made");
    let (store, opened, _) = start(folder.path());
    assert!(opened.notes[0].contains("something else"), "{:?}", opened.notes);
    assert_eq!(opened.records, [torrent(1)]);
    store.close();
}

#[test]
fn what_is_not_on_the_list_cannot_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, _, said) = start(folder.path());
    let hash = torrent(1).info_hash;
    store.apply(1, Change::Progress(hash, Progress::default()));
    store.apply(2, put(&torrent(1)));
    store.apply(3, Change::Suspect(hash, vec![PieceIndex(1)]));
    store.apply(4, Change::Remove(hash));
    store.apply(5, Change::Suspect(hash, vec![PieceIndex(1)]));
    store.apply(6, Change::Remove(hash));
    store.close();
    let fine: Vec<u64> = said.iter().filter(|(_, result)| result.is_ok()).map(|(seq, _)| seq).collect();
    assert_eq!(fine, [2, 3, 4, 6]);
    assert_eq!(fs::read_dir(folder.path().join("torrents")).expect("a folder").count(), 0);
    assert_eq!(records(folder.path()), []);
}

#[test]
fn a_copy_that_cannot_be_written_or_removed_is_no_harm_to_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, _, said) = start(folder.path());
    let copy = |number| folder.path().join(format!("torrents/{}.torrent", torrent(number).info_hash));
    fs::create_dir_all(copy(1).join("in the way")).expect("made");
    store.apply(1, put(&torrent(1)));
    store.apply(2, put(&torrent(2)));
    let first = said.recv().expect("an answer");
    assert!(first.1.as_ref().is_err_and(|why| why.contains("torrents")), "{first:?}");
    assert_eq!(said.recv(), Ok((2, Ok(()))));
    // With the obstacle gone, the first is written without being asked for once more.
    fs::remove_dir_all(copy(1)).expect("removed");
    store.apply(9, Change::Remove(torrent(9).info_hash));
    assert_eq!(said.recv(), Ok((9, Ok(()))));
    store.apply(10, Change::Suspect(torrent(1).info_hash, vec![PieceIndex(1)]));
    assert_eq!(said.recv(), Ok((10, Ok(()))));
    assert_eq!(fs::read(copy(1)).ok(), torrent(1).torrent);
    store.apply(11, Change::Remove(torrent(1).info_hash));
    assert_eq!(said.recv(), Ok((11, Ok(()))));
    fs::remove_file(copy(2)).expect("removed");
    fs::create_dir_all(copy(2).join("in the way")).expect("made");
    store.apply(3, Change::Remove(torrent(2).info_hash));
    assert_eq!(said.recv(), Ok((3, Ok(()))));
    store.close();
    fs::remove_dir_all(copy(2)).expect("removed");
    fs::write(copy(2), torrent(2).torrent.expect("its file")).expect("written");
    assert_eq!(records(folder.path()), []);
    assert!(!copy(2).exists(), "the next start removes what this one could not");
}

#[test]
fn more_changes_than_are_kept_are_left_out_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let (reached, gate) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (tell, said) = sync_channel(100_000);
    let theirs = (Arc::clone(&reached), Arc::clone(&gate));
    let done = move |seq, result: Result<(), String>| {
        if seq == 0 {
            theirs.0.wait();
            theirs.1.wait();
        }
        tell.send((seq, result)).unwrap_or_default();
    };
    let (store, _) = Store::open(folder.path(), Arc::new(done)).expect("a usable folder");
    store.apply(0, put(&torrent(0)));
    reached.wait();
    let room = writer::WAITING as u64;
    for seq in 1..=room + 3 {
        store.apply(seq, Change::Suspect(torrent(0).info_hash, vec![PieceIndex(1)]));
    }
    gate.wait();
    store.close();
    let said: Vec<_> = said.iter().collect();
    assert!(said.iter().map(|(seq, _)| *seq).eq(0..=room + 3));
    let left_out = said.iter().filter(|(_, result)| result.is_err()).map(|(seq, _)| *seq);
    assert!(left_out.eq(room + 1..=room + 3));
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("file"), b"").expect("written");
    let error =
        Store::open(&folder.path().join("file/state"), Arc::new(|_, _| {})).expect_err("below a file");
    assert!(error.to_string().contains("state"), "{error}");
    fs::create_dir_all(folder.path().join("state/session.db")).expect("made");
    let error = Store::open(&folder.path().join("state"), Arc::new(|_, _| {})).expect_err("a folder");
    assert!(error.to_string().contains("session.db"), "{error}");
    let state = folder.path().join("two");
    let (store, ..) = start(&state);
    assert!(Store::open(&state, Arc::new(|_, _| {})).is_err(), "one at a time");
    store.close();
}

#[test]
fn of_what_is_whole_the_summary_is_read_and_the_rest_on_demand() {
    let folder = tempfile::tempdir().expect("a folder");
    let summary = Summary {
        name: "file".into(),
        size: 5,
        piece_length: 16_384,
        private: true,
        trackers: vec![vec!["http://a/announce".into()], vec!["udp://b:1".into(), "udp://c:1".into()]],
        magnet: "magnet:?xt=urn:btih:1".into(),
    };
    let progress = Progress { have: Some(Bitfield::full(1)), ..Progress::default() };
    let record = Record { summary: Some(summary), progress, ..torrent(1) };
    let half = Record { progress: Progress::default(), ..record.clone() };
    let half = Record { info_hash: torrent(2).info_hash, torrent: torrent(2).torrent, ..half };
    let (store, ..) = start(folder.path());
    store.apply(1, put(&record));
    store.apply(2, put(&half));
    store.close();
    let (store, opened, _) = start(folder.path());
    assert_eq!(opened.records, [Record { torrent: None, ..record.clone() }, half]);
    // A record without its .torrent file does not take away the one that is there, and what is read is read after it.
    let record = Record { sequential: true, ..record };
    store.apply(1, put(&Record { torrent: None, ..record.clone() }));
    let (send, receive) = std::sync::mpsc::sync_channel(2);
    let other = send.clone();
    store.fetch(record.info_hash, move |found| send.send(found).expect("waited for"));
    store.fetch(torrent(9).info_hash, move |found| other.send(found).expect("waited for"));
    assert_eq!(receive.recv().expect("an answer"), Ok(record));
    let missing = receive.recv().expect("an answer").expect_err("not on the list");
    assert!(missing.contains("not on the list"), "{missing}");
    store.close();
}
