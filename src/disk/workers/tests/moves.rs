//! Moving a torrent's files to another folder, on one drive and to another.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;

use super::*;
use crate::disk::Relocation;
use crate::disk::files::lock;
use crate::disk::system::drive_of;

impl Rig {
    fn relocate(&self, to: &Path, resumed: bool) -> Relocation {
        self.submit(Job::Move { torrent: KEY, to: to.to_path_buf(), resumed });
        loop {
            match self.next() {
                Done::Moving { done, total, .. } => assert!(done <= total),
                Done::Moved { outcome, .. } => return outcome,
                other => panic!("{other:?}"),
            }
        }
    }

    fn fill(&self) {
        self.open(&[]);
        for piece in 0..4 {
            assert_eq!(self.store(piece), Ok(Verdict::Good));
        }
        self.sync().expect("synced");
    }

    fn assert_in(&self, root: &Path) {
        let mut start = 0;
        for (name, len, pad) in FILES {
            let found = fs::read(root.join("t").join(name));
            match *pad || *len == 0 {
                true => assert!(found.is_err(), "{name}"),
                false => {
                    assert!(found.expect("there") == self.content[start..start + *len as usize], "{name}")
                }
            }
            start += *len as usize;
        }
    }

    fn assert_reads(&self) {
        for (piece, chunk) in self.content.chunks(PIECE as usize).enumerate() {
            assert_eq!(self.read(piece as u32, 0, chunk.len() as u32).expect("read"), chunk);
        }
    }
}

/// A folder on this drive, and one on another where the machine has one.
fn targets() -> Vec<tempfile::TempDir> {
    let here = tempfile::tempdir().expect("a folder");
    let other = tempfile::tempdir_in("/dev/shm").ok();
    let other = other.filter(|folder| drive_of(folder.path()) != drive_of(here.path()));
    std::iter::once(here).chain(other).collect()
}

#[test]
fn files_move_with_their_times_and_are_read_from_there() {
    both(|rig| {
        rig.fill();
        let old = rig.folder.path().to_path_buf();
        let before = rig.open(&[]);
        for target in targets() {
            let to = target.path().join("not/yet");
            assert_eq!(rig.relocate(&to, false), Relocation::Moved(before.clone()));
            rig.assert_in(&to);
            rig.assert_reads();
            assert!(!old.join("t").exists(), "nothing stays behind");
            // And back again, for the next one.
            assert_eq!(rig.relocate(&old, false), Relocation::Moved(before.clone()));
            rig.assert_in(&old);
            rig.assert_reads();
            assert_eq!(fs::read_dir(&to).expect("a folder").count(), 0);
        }
        rig.close(false);
    });
}

#[test]
fn what_is_in_the_way_stops_a_move_and_is_left_alone() {
    both(|rig| {
        rig.fill();
        for target in targets() {
            let theirs = target.path().join("t/sub/deep/c");
            fs::create_dir_all(theirs.parent().expect("a folder")).expect("made");
            fs::write(&theirs, "somebody else's").expect("written");
            let outcome = rig.relocate(target.path(), false);
            assert_eq!(outcome, Relocation::Undone(Some(DiskError::InTheWay { path: theirs.clone() })));
            rig.assert_in(rig.folder.path());
            rig.assert_reads();
            assert_eq!(fs::read(&theirs).expect("there"), b"somebody else's");
            assert!(!target.path().join("t/a").exists());
        }
    });
}

#[test]
fn one_folder_by_two_names_loses_nothing() {
    let rig = Rig::new(false);
    rig.fill();
    let to = rig.folder.path().join("t/..");
    assert!(matches!(rig.relocate(&to, true), Relocation::Moved(_)));
    rig.assert_in(rig.folder.path());
    rig.assert_reads();
}

#[test]
fn a_move_that_was_cut_short_is_brought_to_its_end() {
    both(|rig| {
        rig.fill();
        for target in targets() {
            // One file has moved, one is in both places, one is where it was, and one was being copied.
            let (old, new) = (rig.folder.path().to_path_buf(), target.path().to_path_buf());
            fs::create_dir_all(new.join("t/sub")).expect("made");
            fs::copy(old.join("t/a"), new.join("t/a")).expect("copied");
            let time = fs::metadata(old.join("t/a")).and_then(|it| it.modified()).expect("a time");
            fs::File::open(new.join("t/a")).and_then(|it| it.set_modified(time)).expect("set");
            fs::copy(old.join("t/sub/b"), new.join("t/sub/b")).expect("copied");
            fs::remove_file(old.join("t/sub/b")).expect("removed");
            assert!(matches!(rig.relocate(&new, true), Relocation::Moved(_)));
            rig.assert_in(&new);
            rig.assert_reads();
            assert!(!old.join("t").exists());
            assert!(matches!(rig.relocate(&old, false), Relocation::Moved(_)));
        }
        // A drive that is away is waited for, and not replaced by a new folder.
        let gone = rig.folder.path().join("unplugged");
        fs::create_dir(&gone).expect("made");
        assert!(matches!(rig.relocate(&gone, false), Relocation::Moved(_)));
        rig.close(false);
        rig.open(&[]);
        let away = Path::new("/nowhere/unplugged").to_path_buf();
        assert_eq!(rig.relocate(&away, true), Relocation::Stuck(DiskError::Missing { path: away.clone() }));
        assert!(!away.exists());
    });
}

/// A rig whose move stands still at its report of that number, of those where nothing is done yet: the first comes before
/// anything is touched, the second, on another drive, when copying begins. Heard there, it goes on when it is told.
fn held(report: usize) -> (Rig, Receiver<()>, SyncSender<()>) {
    let mut rig = Rig::new(false);
    let (reaches, reached) = sync_channel(1);
    let (go, goes) = sync_channel(1);
    let (goes, reports) = (Mutex::new(goes), AtomicUsize::new(0));
    rig.start_with(false, move |done| {
        if matches!(done, Done::Moving { done: 0, .. }) && reports.fetch_add(1, Ordering::Relaxed) == report {
            reaches.send(()).expect("the test waits for it");
            lock(&goes).recv().expect("the test lets it go on");
        }
    });
    (rig, reached, go)
}

#[test]
fn a_move_that_is_told_to_end_is_undone() {
    for (drive, target) in targets().iter().enumerate() {
        for report in 0..=drive {
            let (rig, reached, go) = held(report);
            rig.fill();
            rig.submit(Job::Move { torrent: KEY, to: target.path().to_path_buf(), resumed: false });
            reached.recv_timeout(Duration::from_secs(20)).expect("the move gets there");
            rig.submit(Job::StopMove { torrent: KEY });
            go.send(()).expect("the move waits");
            let outcome = loop {
                if let Done::Moved { outcome, .. } = rig.next() {
                    break outcome;
                }
            };
            assert_eq!(outcome, Relocation::Undone(None));
            rig.assert_in(rig.folder.path());
            rig.assert_reads();
            assert_eq!(fs::read_dir(target.path()).expect("a folder").count(), 0);
        }
    }
}
