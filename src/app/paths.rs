//! Where the program keeps what it keeps.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use directories::{ProjectDirs, UserDirs};

use crate::base::InfoHash;
use crate::hash;

/// The state folder of the app, where the command line names no other.
pub(super) fn state() -> Result<PathBuf> {
    let dirs = ProjectDirs::from("", "", "Fyris")
        .context("this user has no home folder; name a folder for the program's state with --state")?;
    Ok(dirs.data_local_dir().to_path_buf())
}

/// The state folder of one torrent in one folder. Each has its own, so that several `get` run side by side, each finds its
/// own pieces again when it is run again, and two in the same place meet at its lock.
pub(super) fn transfer(torrent: InfoHash, folder: &Path) -> Result<PathBuf> {
    let place = InfoHash(hash::sha1(real(folder).as_os_str().as_encoded_bytes())).to_hex();
    Ok(state()?.join("transfers").join(format!("{torrent}-{}", &place[..8])))
}

/// The one name of a folder among those that links give it, whether it is there yet or not.
pub(super) fn real(folder: &Path) -> PathBuf {
    for above in folder.ancestors() {
        if let (Ok(real), Ok(below)) = (above.canonicalize(), folder.strip_prefix(above)) {
            // Component by component: an empty rest would add a slash.
            return real.components().chain(below.components()).collect();
        }
    }
    folder.to_path_buf()
}

/// Where downloads go unless the user chose another folder.
pub(super) fn downloads() -> PathBuf {
    let user = UserDirs::new();
    let folder = user.as_ref().map(|user| user.download_dir().unwrap_or(user.home_dir()));
    folder.map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_the_same_name_before_and_after_it_is_made() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("a").join("b");
        let before = real(&folder);
        std::fs::create_dir_all(&folder).expect("made");
        assert_eq!((real(&folder), real(&folder.join("."))), (before.clone(), before));
    }
}
