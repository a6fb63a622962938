//! Files that appear, grow, are good or bad, and go.

use std::fs;
use std::path::{Path, PathBuf};

use super::folder::Known;
use super::*;
use crate::api::Watch;

fn torrent(number: u32) -> Vec<u8> {
    let (name, hash) = (format!("file{number:04}"), "h".repeat(20));
    format!("d4:infod6:lengthi5e4:name8:{name}12:piece lengthi16384e6:pieces20:{hash}ee").into_bytes()
}

fn watch(folder: &Path) -> Watch {
    Watch {
        folder: folder.into(),
        target: Some(std::env::temp_dir()),
        label: "seen".into(),
        paused: true,
        ..Watch::default()
    }
}

/// Looks until nothing new can come of it, and answers for what was found: all of it is safe on the list.
fn looks(known: &mut Known, watch: &Watch) -> Vec<Found> {
    let mut all = Vec::new();
    for _ in 0..8 {
        for found in known.look(watch, &Settings::default()) {
            if let Found::Torrent { path, .. } = &found {
                assert!(path.exists(), "nothing is marked before it is safe");
                all.extend(known.added(path, std::slice::from_ref(watch)));
            }
            all.push(found);
        }
    }
    all
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn note(found: &[Found]) -> &str {
    match found {
        [Found::Note(text)] => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn fifty_good_and_bad_files_at_once_are_each_dealt_with_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: String, bytes: &[u8]| fs::write(folder.path().join(name), bytes).expect("written");
    for number in 0..50 {
        match number % 5 {
            0..=1 => put(format!("{number}.torrent"), &torrent(number)),
            2 => put(format!("{number}.MAGNET"), format!("magnet:?xt=urn:btih:{number:040x}\n").as_bytes()),
            3 => put(format!("{number}.torrent"), &torrent(number)[..60]),
            _ => put(format!("{number}.magnet"), &[0xff, 0xfe]),
        }
    }
    put("ignored.txt".into(), b"nothing");
    fs::create_dir(folder.path().join("folder.torrent")).expect("made");
    let mut known = Known::default();
    let found = looks(&mut known, &watch(folder.path()));
    let added: Vec<_> = found
        .iter()
        .filter_map(|it| match it {
            Found::Torrent { addition, .. } => Some(&addition.options),
            _ => None,
        })
        .collect();
    let notes = found.iter().filter(|it| matches!(it, Found::Note(_))).count();
    assert_eq!((added.len(), notes, found.len()), (30, 20, 50));
    assert!(added.iter().all(|it| it.paused && it.label == "seen"));
    assert!(added.iter().all(|it| it.folder == Some(std::env::temp_dir())));
    let there = names(folder.path());
    let ending = |end: &str| there.iter().filter(|name| name.ends_with(end)).count();
    assert_eq!((ending(".added"), ending(".bad"), ending(".bad.txt"), there.len()), (30, 20, 20, 72));
    let why = fs::read_to_string(folder.path().join("3.torrent.bad.txt")).expect("a reason");
    assert!(why.contains("3.torrent cannot be used: "), "{why}");
    // Looking again finds nothing new, but a new file of the same name is one.
    assert!(looks(&mut known, &watch(folder.path())).is_empty());
    put("0.torrent".into(), &torrent(0));
    assert_eq!(looks(&mut known, &watch(folder.path())).len(), 1);
    assert!(folder.path().join("0.torrent.2.added").exists());
}

#[test]
fn a_file_that_still_grows_is_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, whole) = (folder.path().join("a.torrent"), torrent(1));
    let mut known = Known::default();
    for length in [10, 40, 60, 80] {
        fs::write(&path, &whole[..length]).expect("written");
        for _ in 0..4 {
            assert!(known.look(&watch(folder.path()), &Settings::default()).is_empty());
        }
    }
    fs::write(&path, &whole).expect("written");
    assert!(matches!(looks(&mut known, &watch(folder.path()))[..], [Found::Torrent { .. }]));
}

#[test]
fn what_is_not_added_stays_and_is_tried_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.torrent");
    fs::write(&path, torrent(1)).expect("written");
    let (watch, mut known) = (watch(folder.path()), Known::default());
    let look = |known: &mut Known| known.look(&watch, &Settings::default());
    for said in [true, false, false] {
        look(&mut known);
        assert!(matches!(look(&mut known)[..], [Found::Torrent { .. }]));
        let told = known.refused(&path, "there are too many.");
        assert_eq!(told.is_some(), said, "it is said once");
        if let Some(told) = told {
            assert!(
                note(&[told]).ends_with("a.torrent was not added: there are too many. It is tried again.")
            );
        }
    }
    assert_eq!(names(folder.path()), ["a.torrent"]);
    // One that nobody answers for is asked for again.
    let asked: usize = (0..40).map(|_| look(&mut known).len()).sum();
    assert_eq!(asked, 2);
}

#[test]
fn the_folder_that_they_are_saved_into_is_made() {
    let home = tempfile::tempdir().expect("a folder");
    let (folder, target) = (home.path().join("watched"), home.path().join("a target/made"));
    fs::create_dir(&folder).expect("made");
    fs::write(folder.join("a.torrent"), torrent(1)).expect("written");
    let watch = Watch { target: Some(target.clone()), ..watch(&folder) };
    let mut known = Known::default();
    // A file lies where the folder is to be.
    fs::write(home.path().join("a target"), b"").expect("written");
    let found = looks(&mut known, &watch);
    let (why, end) = (note(&found), "is tried again.");
    assert!(
        why.contains(" was not added: ") && why.contains(" cannot be made: ") && why.ends_with(end),
        "{why}"
    );
    fs::remove_file(home.path().join("a target")).expect("removed");
    assert!(matches!(looks(&mut known, &watch)[..], [Found::Torrent { .. }]));
    assert!(target.is_dir());
}

#[test]
fn files_move_to_a_folder_where_that_is_wished() {
    let (folder, taken) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let move_to = taken.path().join("made/when needed");
    let watch = Watch { move_to: Some(move_to.clone()), ..watch(folder.path()) };
    let mut known = Known::default();
    for _ in 0..2 {
        fs::write(folder.path().join("a.torrent"), torrent(1)).expect("written");
        assert_eq!(looks(&mut known, &watch).len(), 1);
    }
    assert!(names(folder.path()).is_empty());
    assert_eq!(names(&move_to), ["a.torrent", "a.torrent.2"]);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_marked_is_added_once() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.torrent"), torrent(1)).expect("written");
    fs::write(folder.path().join("in the way"), b"").expect("written");
    let watch = Watch { move_to: Some(folder.path().join("in the way/at all")), ..watch(folder.path()) };
    let mut known = Known::default();
    let found = looks(&mut known, &watch);
    assert!(matches!(found[..], [Found::Note(_), Found::Torrent { .. }]), "{found:?}");
    assert!(note(&found[..1]).contains("a.torrent was added, and cannot be put aside: "), "{found:?}");
    assert!(looks(&mut known, &watch).is_empty());
}

#[test]
fn the_removal_of_a_file_stops_its_torrent_where_that_is_wished() {
    let home = tempfile::tempdir().expect("a folder");
    let (folder, away): (PathBuf, PathBuf) = (home.path().join("watched"), home.path().join("away"));
    fs::create_dir(&folder).expect("made");
    let path = folder.join("a.torrent");
    fs::write(&path, torrent(1)).expect("written");
    let watch = Watch { removal_stops: true, ..watch(&folder) };
    let mut known = Known::default();
    assert!(matches!(looks(&mut known, &watch)[..], [Found::Torrent { .. }]));
    assert!(path.exists(), "the file stays: it stands for the torrent");
    fs::remove_file(&path).expect("removed");
    assert!(matches!(looks(&mut known, &watch)[..], [Found::Gone(_)]));
    // A folder that is away, or hidden by another one, is not one that was emptied.
    fs::write(&path, torrent(1)).expect("written");
    assert_eq!(looks(&mut known, &watch).len(), 1);
    fs::rename(&folder, &away).expect("moved");
    assert!(note(&looks(&mut known, &watch)).contains("cannot be watched"));
    #[cfg(unix)]
    {
        fs::create_dir(&folder).expect("made");
        assert!(looks(&mut known, &watch).is_empty());
        fs::remove_dir(&folder).expect("removed");
    }
    fs::rename(&away, &folder).expect("moved");
    assert!(looks(&mut known, &watch).is_empty());
    fs::remove_file(&path).expect("removed");
    assert!(matches!(looks(&mut known, &watch)[..], [Found::Gone(_)]));
    // A folder that is not watched any more is forgotten.
    fs::write(&path, torrent(1)).expect("written");
    assert_eq!(looks(&mut known, &watch).len(), 1);
    known.forget_others(&[]);
    assert_eq!(looks(&mut known, &watch).len(), 1);
}

#[test]
fn what_goes_between_two_runs_is_missed_in_the_next() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("watched");
    fs::create_dir(&folder).expect("made");
    let watch = Watch { removal_stops: true, ..watch(&folder) };
    for number in 0..4 {
        fs::write(folder.join(format!("{number}.torrent")), torrent(number)).expect("written");
    }
    let mut kept = Kept::open(Some(home.path()));
    let mut known = Known::new(kept.entries());
    assert_eq!(looks(&mut known, &watch).len(), 4);
    kept.write(known.kept()).expect("written");
    let hash_of = |number: u32| crate::metainfo::Torrent::parse(&torrent(number)).expect("good").info_hash;
    let gone = |found: &[Found]| -> Vec<InfoHash> {
        let gone = |found: &Found| match found {
            Found::Gone(torrent) => Some(*torrent),
            _ => None,
        };
        found.iter().filter_map(gone).collect()
    };
    // One is removed while nothing runs, one is replaced by another, and two stay.
    fs::remove_file(folder.join("1.torrent")).expect("removed");
    fs::write(folder.join("2.torrent"), torrent(7)).expect("written");
    let mut kept = Kept::open(Some(home.path()));
    let mut known = Known::new(kept.entries());
    assert_eq!(known.kept(), kept.entries(), "what was not looked at yet is not forgotten");
    let found = looks(&mut known, &watch);
    assert_eq!(gone(&found), [hash_of(1), hash_of(2)]);
    kept.write(known.kept()).expect("written");
    assert_eq!(kept.entries().len(), 3);
    // Nor is it missed again, and a folder that is away, or another one, has lost nothing.
    let again = || Known::new(Kept::open(Some(home.path())).entries());
    assert_eq!(gone(&looks(&mut again(), &watch)), []);
    let aside = home.path().join("aside");
    fs::rename(&folder, &aside).expect("away");
    assert_eq!(gone(&looks(&mut again(), &watch)), []);
    fs::create_dir(&folder).expect("made");
    let mut known = again();
    if cfg!(unix) {
        assert_eq!(gone(&looks(&mut known, &watch)), []);
        assert_eq!(known.kept().len(), 3);
    }
    // Who does not want it is not told of it, and what does not read is nothing.
    fs::remove_dir(&folder).expect("empty");
    fs::rename(&aside, &folder).expect("back");
    fs::remove_file(folder.join("0.torrent")).expect("removed");
    assert_eq!(gone(&looks(&mut again(), &Watch { removal_stops: false, ..watch.clone() })), []);
    fs::write(home.path().join("watched.json"), b"[{}").expect("written");
    assert!(Kept::open(Some(home.path())).entries().is_empty());
    assert!(Kept::open(None).write(known.kept()).is_ok(), "without a state folder nothing is kept");
}
