//! Every fault of a disk: what a user reads, what goes on meanwhile, and what happens once it is mended.

use std::path::Path;

use crate::api::{Command, Event, State};
use crate::base::Bitfield;
use crate::disk::DiskError;

use super::prepared;

/// Every fault, a word of what is to be done about it, and whether it passes by itself.
fn all() -> Vec<(DiskError, &'static str, bool)> {
    let path = || "/down/sample".into();
    vec![
        (DiskError::Full { path: path() }, "Make room; it goes on by itself", true),
        (DiskError::TooManyFiles, "goes on by itself when some are closed", true),
        (
            DiskError::Denied { path: path() },
            "Allow writing there or choose another folder, then resume",
            false,
        ),
        (
            DiskError::ReadOnly { path: path() },
            "Make it writable or choose another folder, then resume",
            false,
        ),
        (DiskError::Missing { path: path() }, "is the drive connected?", false),
        (DiskError::Changed { path: path() }, "Recheck to use it as it is now", false),
        (DiskError::TooLarge { path: path() }, "FAT32 ends at 4 GiB", false),
        (DiskError::LongName { path: path() }, "Choose a folder with a shorter path", false),
        (DiskError::InTheWay { path: path() }, "Move it away or choose another folder", false),
        (
            DiskError::Other { path: path(), message: "Input/output error".into() },
            "Check the disk, then resume",
            false,
        ),
    ]
}

#[test]
fn a_write_that_fails_is_told_and_the_download_goes_on_where_it_was_once_that_is_mended() {
    for (error, advice, passes) in all() {
        assert_eq!(error.passes(), passes, "{error}");
        let (mut pair, torrent, bytes) = prepared(3_000_000, 32_768);
        let torrent = torrent.info_hash;
        // Some of it is there and safe.
        let limits = crate::api::Limits { down: Some(400_000), up: None };
        pair.command(1, Command::Limit { torrent, limits });
        pair.command(1, Command::Resume(torrent));
        let some = |have: &Bitfield| have.count() >= 30;
        assert!(pair.run(|pair| pair.sides[1].engine.have(torrent).is_some_and(some)));
        pair.sides[1].disk.faults.writes = Some(error.clone());
        let failed = |event: &Event| matches!(event, Event::Failed { .. });
        assert!(pair.run(|pair| pair.sides[1].events.iter().any(failed)), "{error}");
        let row = pair.sides[1].engine.rows(pair.now)[0].clone();
        assert_eq!(row.state, State::Failed, "{error}");
        assert!(row.reason.contains(advice), "{}", row.reason);
        assert!(!row.reason.starts_with(char::is_lowercase), "{} is a sentence", row.reason);
        pair.run(|_| false);
        let told = pair.sides[1].events.iter().filter(|event| failed(event)).count();
        assert!((1..=8).contains(&told), "{error}: told {told} times in a minute");
        let sent = pair.sides[0].blocks();
        // Mended: it goes on by itself, or when the user says so.
        pair.sides[1].disk.faults.writes = None;
        if !passes {
            pair.run(|_| false);
            assert!(!pair.sides[1].has_completed(), "{error}: only the user can mend it");
            pair.command(1, Command::Resume(torrent));
        }
        pair.command(1, Command::Limit { torrent, limits: crate::api::Limits::default() });
        assert!(pair.run(|pair| pair.sides[1].has_completed()), "{error}");
        assert_eq!(pair.sides[1].disk.file(Path::new("/down/sample")), Some(bytes));
        // What was there was not fetched again.
        let again = pair.sides[0].blocks() - sent;
        assert!(again <= 3_000_000 / 16_384 - 40, "{error}: {again} blocks");
    }
}

#[test]
fn a_seed_whose_disk_cannot_be_read_says_so_and_gives_again_once_it_can() {
    // Those that pass are of writing.
    for (error, advice, _) in all().into_iter().filter(|(.., passes)| !passes) {
        let (mut pair, torrent, _) = prepared(500_000, 32_768);
        pair.sides[0].disk.faults.reads = Some(error.clone());
        pair.command(1, Command::Resume(torrent.info_hash));
        let failed = |event: &Event| matches!(event, Event::Failed { .. });
        assert!(pair.run(|pair| pair.sides[0].events.iter().any(failed)), "{error}");
        assert!(!pair.sides[1].has_completed());
        let row = pair.sides[0].engine.rows(pair.now)[0].clone();
        assert!(row.reason.contains(advice), "{}", row.reason);
        pair.sides[0].disk.faults.reads = None;
        pair.command(0, Command::Resume(torrent.info_hash));
        let done =
            pair.run(|pair| pair.sides[1].has_completed()) || pair.run(|pair| pair.sides[1].has_completed());
        assert!(done, "{error}");
    }
}
