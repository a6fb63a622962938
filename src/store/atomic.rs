//! Files that are either the old or the new, whatever happens in between: temporary file, fsync, rename, fsync of the
//! folder.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// How the names of files begin that are not in their place yet.
pub(super) const UNFINISHED: &str = ".new-";

/// Replaces the file at `path`, or creates it; after a crash it is the old one or the new one, and durable once this returns.
///
/// # Errors
/// As the system has them; the old file is then untouched.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    sync_folder(folder_of(&place(path, bytes, false)?))
}

/// The same for what is nobody else's business: on Unix only the user can read the file. On Windows it has the rights of
/// its folder, which within a user's profile come to the same.
///
/// # Errors
/// As the system has them; the old file is then untouched.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    sync_folder(folder_of(&place(path, bytes, true)?))
}

/// Puts a file with these bytes in its place without making its name durable; answers with where it lies.
pub(super) fn place(path: &Path, bytes: &[u8], private: bool) -> io::Result<PathBuf> {
    // Where the user put a link to a file kept elsewhere, that file is the one to replace.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    #[cfg(unix)]
    if !private {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&target).map_or(0o666, |found| found.permissions().mode() & 0o777);
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = private;
    let mut file = builder.tempfile_in(folder_of(&target))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    Ok(target)
}

/// Makes the names in a folder durable; on Windows they are with the rename itself.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Makes a folder and those above it; on Unix nobody but the user can look into one that is new.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// Removes what a crash left unfinished in a folder.
pub(super) fn remove_unfinished(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(UNFINISHED)) {
            // One that stays is in nobody's way.
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.txt");
        write_atomically(&path, b"first").expect("written");
        write_atomically(&path, b"second").expect("replaced");
        assert_eq!(fs::read(&path).expect("there"), b"second");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        assert!(write_atomically(&folder.path().join("no/such.txt"), b"").is_err());
        fs::create_dir(folder.path().join("b")).expect("made");
        assert!(write_atomically(&folder.path().join("b"), b"a folder is no file").is_err());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
    }

    #[test]
    fn what_is_unfinished_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(".new-abc"), b"half").expect("written");
        fs::write(folder.path().join("whole"), b"whole").expect("written");
        remove_unfinished(folder.path());
        assert!(!folder.path().join(".new-abc").exists() && folder.path().join("whole").exists());
    }

    #[cfg(unix)]
    #[test]
    fn rights_are_kept_and_secrets_are_secret() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        fs::write(&path, b"").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("set");
        write_atomically(&path, b"again").expect("written");
        assert_eq!(mode(&path), 0o640);
        write_private(&path, b"secret").expect("written");
        assert_eq!(mode(&path), 0o600);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).expect("linked");
        write_atomically(&link, b"through").expect("written");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(fs::read(&path).expect("there"), b"through");
        make_folder(&folder.path().join("x/y")).expect("made");
        assert_eq!(mode(&folder.path().join("x/y")), 0o700);
    }
}
