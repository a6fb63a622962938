//! One program a state folder: the lock that says so, and a line of text by which the next one finds the first.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::atomic;

/// Only ever locked, never read: on Windows nobody else could.
const LOCK: &str = "lock";

/// Who holds the lock: its process on the first line, its text after that.
const HOLDER: &str = "instance";

/// Text beyond this is nobody's that we know.
const LONGEST: u64 = 64 * 1024;

/// A state folder that is ours while this lives; the system gives it back when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
    holder: PathBuf,
}

/// Why a state folder is not ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// The process that has it, where that is known.
    pub pid: Option<u32>,
    /// What it left for others to read by [`Lock::write`]; empty where it left nothing.
    pub text: String,
    /// What went wrong, where nobody holds the folder and locking it failed all the same.
    pub fault: Option<String>,
}

impl std::error::Error for Held {}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.fault, self.pid) {
            (Some(fault), _) => write!(f, "the state folder cannot be used: {fault}"),
            (None, Some(pid)) => write!(f, "another Fyris (process {pid}) uses this state folder"),
            (None, None) => f.write_str("another Fyris uses this state folder"),
        }
    }
}

impl Lock {
    /// Takes the folder, which is made where there is none; never waits.
    ///
    /// # Errors
    /// Says who has it, or what went wrong.
    pub fn take(state: &Path) -> Result<Self, Held> {
        let holder = state.join(HOLDER);
        let fault = |path: &Path, error: io::Error| Held {
            fault: Some(format!("{}: {error}", path.display())),
            ..Held::default()
        };
        atomic::make_folder(state).map_err(|error| fault(state, error))?;
        let path = state.join(LOCK);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|error| fault(&path, error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(read_holder(&holder)),
            // Some network file systems have no locks at all. Going without is better than not starting: the database
            // has a lock of its own.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(fault(&path, error)),
        }
        let lock = Self { _file: file, holder };
        // Without it others cannot name the process or hand anything to it; that is no reason not to run.
        let _ = lock.write("");
        Ok(lock)
    }

    /// Leaves a text for others to read, in place of the one before; only this user can read it.
    ///
    /// # Errors
    /// As the system has them.
    pub fn write(&self, text: &str) -> io::Result<()> {
        atomic::write_private(&self.holder, format!("{}\n{text}", std::process::id()).as_bytes())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // What stays behind is overwritten by the next one. The lock itself is never removed: another process may have
        // opened it already, and would then hold a file that nobody else finds.
        let _ = fs::remove_file(&self.holder);
    }
}

fn read_holder(path: &Path) -> Held {
    let sane = fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() <= LONGEST);
    let text = if sane { fs::read_to_string(path).unwrap_or_default() } else { String::new() };
    let (pid, text) = text.split_once('\n').unwrap_or((&text, ""));
    Held { pid: pid.trim().parse().ok(), text: text.to_owned(), fault: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_belongs_to_one_and_the_next_learns_to_whom() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("state");
        let lock = Lock::take(&state).expect("nobody has it");
        let held = Lock::take(&state).expect_err("taken");
        assert_eq!(held, Held { pid: Some(std::process::id()), ..Held::default() });
        assert!(held.to_string().contains(&format!("process {}", std::process::id())));
        lock.write("http://127.0.0.1:5/\nsecret").expect("written");
        assert_eq!(Lock::take(&state).expect_err("taken").text, "http://127.0.0.1:5/\nsecret");
        drop(lock);
        let lock = Lock::take(&state).expect("free again");
        assert_eq!(Lock::take(&state).expect_err("taken").text, "");
        drop(lock);
    }

    #[test]
    fn nonsense_in_the_place_of_the_text_is_no_holder() {
        let folder = tempfile::tempdir().expect("a folder");
        let lock = Lock::take(folder.path()).expect("nobody has it");
        fs::write(folder.path().join(HOLDER), [0xff; 9]).expect("written");
        assert_eq!(Lock::take(folder.path()).expect_err("taken"), Held::default());
        fs::remove_file(folder.path().join(HOLDER)).expect("removed");
        assert_eq!(Lock::take(folder.path()).expect_err("taken"), Held::default());
        drop(lock);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_said_to_be() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("file"), b"").expect("written");
        let held = Lock::take(&folder.path().join("file/state")).expect_err("below a file");
        assert!(held.fault.is_some() && held.pid.is_none());
    }
}
