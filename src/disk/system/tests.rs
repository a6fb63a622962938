//! Both ways to the system, asked the same questions.

use std::fs;

use super::*;

fn path(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}

fn both(test: impl Fn(System, &Path)) {
    for portable in [false, true] {
        let root = tempfile::tempdir().expect("a folder for a test");
        test(System::new(portable), root.path());
    }
}

#[test]
fn a_user_is_told_what_to_do_about_each_error_of_the_system() {
    let told = |code| disk_error(&io::Error::from_raw_os_error(code), Path::new("/d/f"));
    let path = || Path::new("/d/f").to_path_buf();
    #[cfg(unix)]
    for (code, error) in [
        (libc::ENOSPC, DiskError::Full { path: path() }),
        (libc::EDQUOT, DiskError::Full { path: path() }),
        (libc::EROFS, DiskError::ReadOnly { path: path() }),
        (libc::EACCES, DiskError::Denied { path: path() }),
        (libc::EPERM, DiskError::Denied { path: path() }),
        (libc::ENOENT, DiskError::Missing { path: path() }),
        (libc::EFBIG, DiskError::TooLarge { path: path() }),
        (libc::ENAMETOOLONG, DiskError::LongName { path: path() }),
        (libc::ENOTDIR, DiskError::InTheWay { path: path() }),
        (libc::ELOOP, DiskError::InTheWay { path: path() }),
        (libc::EMFILE, DiskError::TooManyFiles),
        (libc::ENFILE, DiskError::TooManyFiles),
    ] {
        assert_eq!(told(code), error);
    }
    #[cfg(unix)]
    assert!(matches!(told(libc::EIO), DiskError::Other { message, .. } if message.contains("nput/output")));
}

#[test]
fn threads_that_create_one_file_at_once_all_have_it() {
    both(|system, root| {
        for round in 0..50 {
            let name = path(&["a", &round.to_string(), "c.bin"]);
            let together = std::sync::Barrier::new(4);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        together.wait();
                        system.open(root, &name, Access::Create).expect("made here or by another");
                    });
                }
            });
        }
    });
}

#[test]
fn a_file_is_created_with_its_folders_and_holds_what_is_written() {
    both(|system, root| {
        let name = path(&["a", "b", "c.bin"]);
        for access in [Access::Read, Access::Write] {
            assert!(system.open(root, &name, access).is_err());
        }
        assert!(!root.join("a").exists());
        let (file, created) = system.open(root, &name, Access::Create).expect("created");
        assert!(created);
        let parts: Vec<Vec<u8>> = (0..3_000).map(|at| vec![at as u8; at % 7]).collect();
        let mut slices: Vec<_> = parts.iter().map(|part| IoSlice::new(part)).collect();
        system.write(&file, &mut slices, 100).expect("written");
        let whole = parts.concat();
        let mut out = vec![9];
        assert_eq!(system.read(&file, &mut out, whole.len() + 50, 100).expect("read"), whole.len());
        assert_eq!(out[1..], whole);
        let (_, created) = system.open(root, &name, Access::Create).expect("there");
        assert!(!created);
        let seen = system.look(root, &name).expect("there");
        assert_eq!(seen, stamp(&file.metadata().expect("open")));
        assert_eq!(seen.length, 100 + whole.len() as u64);
        system.sync_folder(root, &name[..2]).expect("synced");
        system.rename((root, &name), (root, &path(&["x", "y"]))).expect("renamed");
        assert_eq!(system.look(root, &name).expect("gone"), FileStamp::default());
        system.remove_file(root, &path(&["x", "y"])).expect("removed");
        assert!(system.remove_folder(root, &path(&["a"])).is_err());
        system.remove_folder(root, &path(&["a", "b"])).expect("empty");
    });
}

#[test]
fn what_stands_in_the_way_is_refused_and_left_alone() {
    both(|system, root| {
        fs::create_dir(root.join("folder")).expect("made");
        fs::write(root.join("file"), "x").expect("made");
        for bad in [&["folder"][..], &["file", "below"]] {
            for access in [Access::Read, Access::Write, Access::Create] {
                let error = system.open(root, &path(bad), access).expect_err("in the way");
                let seen = disk_error(&error, root);
                assert!(matches!(seen, DiskError::InTheWay { .. }), "{bad:?} {seen:?} {error:?}");
            }
        }
        assert!(system.remove_file(root, &path(&["folder"])).is_err());
        assert!(system.remove_folder(root, &path(&["file"])).is_err());
        let missing = system.open(&root.join("none"), &path(&["f"]), Access::Create).expect_err("no root");
        assert!(matches!(disk_error(&missing, root), DiskError::Missing { .. }));
    });
}

#[cfg(unix)]
#[test]
fn no_link_is_followed_anywhere_below_the_root() {
    both(|system, root| {
        let outside = tempfile::tempdir().expect("a folder for a test");
        fs::write(outside.path().join("secret"), "x").expect("made");
        std::os::unix::fs::symlink(outside.path(), root.join("link")).expect("made");
        std::os::unix::fs::symlink(outside.path().join("secret"), root.join("file")).expect("made");
        std::os::unix::fs::symlink(outside.path().join("new"), root.join("dangling")).expect("made");
        for bad in [&["link", "secret"][..], &["link", "new"], &["file"], &["dangling"], &["link"]] {
            for access in [Access::Read, Access::Write, Access::Create] {
                let error = system.open(root, &path(bad), access).expect_err("a link");
                let seen = disk_error(&error, root);
                assert!(matches!(seen, DiskError::InTheWay { .. }), "{bad:?} {seen:?}");
            }
            assert!(system.look(root, &path(bad)).is_err());
            assert!(system.remove_file(root, &path(bad)).is_err());
            assert!(system.remove_folder(root, &path(bad)).is_err());
        }
        let names: Vec<_> = fs::read_dir(outside.path()).expect("a folder").flatten().collect();
        assert_eq!(names.len(), 1);
    });
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_way_does_not_make_anybody_wait() {
    both(|system, root| {
        let name =
            std::ffi::CString::new(root.join("pipe").into_os_string().into_encoded_bytes()).expect("a name");
        // SAFETY: the name ends with a zero byte and outlives the call.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        for access in [Access::Read, Access::Write] {
            assert!(system.open(root, &path(&["pipe"]), access).is_err());
        }
    });
}
