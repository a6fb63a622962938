//! Torrents made of real files, and verified against them.

use std::sync::atomic::AtomicU64;

use super::*;
use crate::base::{PieceIndex, Rng};
use crate::disk::verify::{VerifyError, verify};
use crate::hash::sha1;

fn folder(files: &[(&str, usize)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder for a test");
    let mut rng = Rng::new(11);
    for (name, length) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
        let mut bytes = vec![0; *length];
        rng.fill(&mut bytes);
        fs::write(path, bytes).expect("written");
    }
    folder
}

fn make(path: &Path) -> Result<Torrent, CreateError> {
    let bytes = create(path, &CreateOptions::default(), &|_, _| {}, &AtomicBool::new(false))?;
    Ok(Torrent::parse(&bytes).expect("what was made is read"))
}

#[test]
fn a_folder_becomes_a_torrent_that_its_files_fulfil() {
    let made = folder(&[("t/b/2", 70_000), ("t/a", 0), ("t/b/10", 1), ("t/c.d", 16_384), ("t/b.x", 300_000)]);
    let seen = AtomicU64::new(0);
    let options = CreateOptions { piece_length: Some(16_384), ..CreateOptions::default() };
    let progress = |done, total| {
        assert!(done <= total && total == 386_385);
        seen.fetch_max(done, Ordering::Relaxed);
    };
    let bytes = create(&made.path().join("t"), &options, &progress, &AtomicBool::new(false)).expect("made");
    assert_eq!(seen.load(Ordering::Relaxed), 386_385);
    let torrent = Torrent::parse(&bytes).expect("what was made is read");
    let names: Vec<String> = torrent.layout.files().iter().map(|file| file.path.join("/")).collect();
    assert_eq!(names, ["t/a", "t/b/10", "t/b/2", "t/b.x", "t/c.d"]);
    let whole: Vec<u8> =
        names.iter().flat_map(|name| fs::read(made.path().join(name)).expect("there")).collect();
    let hashes: Vec<u8> = whole.chunks(16_384).flat_map(sha1).collect();
    assert_eq!(torrent.hashes[..], hashes[..]);
    let check = |torrent: &Torrent| verify(torrent, made.path(), &|_, _| {}, &AtomicBool::new(false));
    assert!(check(&torrent).expect("verified").all());
    fs::write(made.path().join("t/b/10"), "?").expect("written");
    fs::remove_file(made.path().join("t/c.d")).expect("removed");
    let good = check(&torrent).expect("verified");
    assert_eq!(good.len() - good.count(), 3);
    assert!(!good.contains(PieceIndex(0)) && good.contains(PieceIndex(1)));
    let cancelled = verify(&torrent, made.path(), &|_, _| {}, &AtomicBool::new(true));
    assert_eq!(cancelled, Err(VerifyError::Cancelled));
    let missing = verify(&torrent, &made.path().join("none"), &|_, _| {}, &AtomicBool::new(false));
    assert!(matches!(missing, Err(VerifyError::Disk(DiskError::Missing { .. }))));
}

#[test]
fn more_files_than_one_thread_looks_at() {
    let names: Vec<String> = (0..2_345).map(|number| format!("t/{}/{number}", number % 7)).collect();
    let made = folder(&names.iter().map(|name| (&name[..], 9)).collect::<Vec<_>>());
    let torrent = make(&made.path().join("t")).expect("made");
    assert_eq!((torrent.layout.files().len(), torrent.layout.total_length()), (2_345, 9 * 2_345));
    let check = || verify(&torrent, made.path(), &|_, _| {}, &AtomicBool::new(false)).expect("verified");
    assert!(check().all());
    // What the last of the threads looks at.
    let last = torrent.layout.files().last().expect("many").path.join("/");
    fs::remove_file(made.path().join(last)).expect("removed");
    let good = check();
    assert_eq!(good.len() - good.count(), 1);
    assert!(!good.contains(PieceIndex(good.len() as u32 - 1)));
}

#[test]
fn single_files_of_awkward_lengths() {
    for length in [0, 1, 16_383, 16_384, 16_385, 1_000_000] {
        let made = folder(&[("f", length)]);
        let torrent = make(&made.path().join("f")).expect("made");
        assert_eq!((torrent.layout.total_length(), torrent.layout.files().len()), (length as u64, 1));
        let good = verify(&torrent, made.path(), &|_, _| {}, &AtomicBool::new(false)).expect("verified");
        assert!(good.all());
    }
}

#[test]
fn what_cannot_be_shared_is_refused_by_name() {
    let made = folder(&[("t/a", 5)]);
    let at = |name: &str| made.path().canonicalize().expect("there").join(name);
    assert!(matches!(make(&at("none")), Err(CreateError::Unreadable { path, .. }) if path.ends_with("none")));
    fs::create_dir_all(at("empty/below")).expect("made");
    assert_eq!(make(&at("empty")), Err(CreateError::Empty { path: at("empty") }));
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt as _;
        std::os::unix::fs::symlink("a", at("t/link")).expect("made");
        assert_eq!(make(&at("t")), Err(CreateError::Link { path: at("t/link") }));
        fs::remove_file(at("t/link")).expect("removed");
        let odd = at("t").join(std::ffi::OsString::from_vec(vec![b'x', 0xff]));
        fs::write(&odd, "x").expect("written");
        assert_eq!(make(&at("t")), Err(CreateError::Name { path: odd.clone() }));
        fs::remove_file(odd).expect("removed");
        std::os::unix::fs::symlink("t", at("linked")).expect("made");
        assert_eq!(make(&at("linked")).expect("the path itself may be a link").name, "t");
    }
    for length in [0, 1, 20_000, 8_192, 1 << 31] {
        let options = CreateOptions { piece_length: Some(length), ..CreateOptions::default() };
        let refused = create(&at("t"), &options, &|_, _| {}, &AtomicBool::new(false));
        assert_eq!(refused, Err(CreateError::PieceLength(length)));
    }
}

#[test]
fn a_change_or_a_cancel_on_the_way_ends_it() {
    let made = folder(&[("f", 4_000_000)]);
    let path = made.path().join("f");
    let cancel = AtomicBool::new(false);
    let progress = |_, _| cancel.store(true, Ordering::Relaxed);
    assert_eq!(create(&path, &CreateOptions::default(), &progress, &cancel), Err(CreateError::Cancelled));
    let append = |done, _| {
        if done > 0 {
            use std::io::Write as _;
            let mut file = fs::OpenOptions::new().append(true).open(&path).expect("opened");
            file.write_all(b"more").expect("written");
        }
    };
    let changed = create(&path, &CreateOptions::default(), &append, &AtomicBool::new(false));
    assert!(matches!(changed, Err(CreateError::Changed { .. })), "{changed:?}");
}
