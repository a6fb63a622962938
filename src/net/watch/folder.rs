//! The files of watched folders: which are new, what they say, and what becomes of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::api::{AddOptions, Settings, Watch};
use crate::base::InfoHash;
use crate::engine::Subject;
use crate::metainfo::{Magnet, Torrent};
use crate::net::jobs::{addition, read_file};

use super::kept::Entry;
use super::{ASKED, Found};

/// Files of one folder that are looked at.
const FILES: usize = 10_000;
/// Looks at which a file must be the same before it is taken.
const STEADY: u32 = 1;
/// Looks at which it must be the same before it is set aside: who writes it may only be slow.
const BAD: u32 = 5;
/// Looks after which a file that nobody has answered for is asked for again.
const UNANSWERED: u32 = 30;

/// The files that were seen, and what became of them.
#[derive(Debug, Default)]
pub(super) struct Known {
    files: BTreeMap<PathBuf, Seen>,
    /// Those of the last run that have not been seen, or not been added again, in this one.
    former: BTreeMap<PathBuf, Entry>,
    /// What was said of a file or a folder, so that it is said once.
    said: BTreeMap<PathBuf, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    /// It was this long and this old at so many looks in a row.
    Waiting(Look, u32),
    /// What it says is given to the engine, so many looks ago.
    Asked(InfoHash, u32),
    /// It was added and stays where it is, in the folder of this identity.
    Kept(InfoHash, Identity),
    /// It can be neither used nor set aside.
    Bad(Look),
}

/// How a file looks from outside.
type Look = (u64, Option<SystemTime>);

/// What tells a folder from another one of the same name: a drive may have been taken away from under it.
type Identity = Option<(u64, u64)>;

impl Known {
    /// Nothing but what the last run left.
    pub(super) fn new(former: &[Entry]) -> Self {
        let former = former.iter().map(|entry| (entry.path.clone(), entry.clone())).collect();
        Self { former, ..Self::default() }
    }

    /// The files that stay because their removal means something, for the next run.
    pub(super) fn kept(&self) -> Vec<Entry> {
        let kept = self.files.iter().filter_map(|(path, seen)| match seen {
            Seen::Kept(torrent, identity) => {
                Some(Entry { path: path.clone(), torrent: *torrent, inode: identity.map(|it| it.1) })
            }
            _ => None,
        });
        kept.chain(self.former.values().cloned()).collect()
    }

    /// That could not be written.
    pub(super) fn cannot_be_kept(&mut self, error: &io::Error) -> Option<Found> {
        self.say(Path::new(""), format!("What stays in watched folders could not be written down: {error}."))
    }

    /// Forgets the files of folders that are not watched.
    pub(super) fn forget_others(&mut self, watches: &[Watch]) {
        let watched = |path: &Path| watches.iter().any(|watch| path.starts_with(&watch.folder));
        self.files.retain(|path, _| watched(path));
        self.former.retain(|path, _| watched(path));
        self.said.retain(|path, _| watched(path));
    }

    /// Looks at one folder.
    pub(super) fn look(&mut self, watch: &Watch, settings: &Settings) -> Vec<Found> {
        let mut found = Vec::new();
        let paths = match list(&watch.folder) {
            Ok(paths) => paths,
            Err(error) => {
                // A folder that is away has not lost its files.
                let text = format!("{} cannot be watched: {error}.", watch.folder.display());
                found.extend(self.say(&watch.folder, text));
                return found;
            }
        };
        self.said.remove(&watch.folder);
        let asked = self.files.values().filter(|seen| matches!(seen, Seen::Asked(..))).count();
        let mut room = ASKED.saturating_sub(asked);
        for path in &paths {
            self.look_at(path, watch, settings, &mut room, &mut found);
        }
        let here = identity(&watch.folder);
        // Of a folder with too many files not all are listed.
        let gone = |path: &PathBuf| {
            path.parent() == Some(&watch.folder)
                && !paths.contains(path)
                && path.try_exists().is_ok_and(|exists| !exists)
        };
        let gone: Vec<PathBuf> = self.files.keys().filter(|path| gone(path)).cloned().collect();
        for path in gone {
            match self.files.get(&path) {
                // Another folder stands where the file was; it may come back.
                Some(Seen::Kept(_, identity)) if *identity != here => continue,
                Some(Seen::Kept(torrent, _) | Seen::Asked(torrent, _)) if watch.removal_stops => {
                    found.push(Found::Gone(*torrent));
                }
                _ => {}
            }
            self.files.remove(&path);
            self.said.remove(&path);
        }
        self.miss(watch, &paths, here, &mut found);
        found
    }

    /// Finds what has gone since the last run.
    fn miss(&mut self, watch: &Watch, paths: &BTreeSet<PathBuf>, here: Identity, found: &mut Vec<Found>) {
        if paths.len() >= FILES {
            // What was not listed may be there.
            return;
        }
        let is_gone = |path: &Path, entry: &Entry| {
            let same_folder = entry.inode == here.map(|(_, inode)| inode);
            path.parent() == Some(&watch.folder) && same_folder && !paths.contains(path)
        };
        for (_, entry) in self.former.extract_if(.., |path, entry| is_gone(path, entry)) {
            if watch.removal_stops {
                found.push(Found::Gone(entry.torrent));
            }
        }
    }

    fn look_at(
        &mut self,
        path: &Path,
        watch: &Watch,
        settings: &Settings,
        room: &mut usize,
        found: &mut Vec<Found>,
    ) {
        let Ok(about) = fs::metadata(path) else { return };
        let look = (about.len(), about.modified().ok());
        let steady = match self.files.get_mut(path) {
            Some(Seen::Kept(..)) => return,
            Some(Seen::Asked(_, looks)) if *looks < UNANSWERED => return *looks += 1,
            Some(Seen::Bad(before)) if *before == look => return,
            Some(Seen::Waiting(before, looks)) if *before == look => {
                *looks += 1;
                *looks
            }
            _ => {
                self.files.insert(path.to_owned(), Seen::Waiting(look, 0));
                return;
            }
        };
        if steady < STEADY || *room == 0 {
            return;
        }
        match read(path) {
            Ok(subject) => {
                let info_hash = match &subject {
                    Subject::Torrent(torrent) => torrent.info_hash,
                    Subject::Magnet(magnet) => magnet.info_hash,
                };
                let (options, incomplete) = (options(watch, settings), settings.incomplete_folder.clone());
                match addition(subject, options, incomplete) {
                    Ok(addition) => {
                        *room -= 1;
                        self.files.insert(path.to_owned(), Seen::Asked(info_hash, 0));
                        found.push(Found::Torrent { path: path.to_owned(), addition: Box::new(addition) });
                    }
                    Err(why) => found.extend(self.refused(path, &why)),
                }
            }
            Err(why) if steady >= BAD => {
                let mut text = format!("{} cannot be used: {why}.", path.display());
                match set_aside(path, path.parent().unwrap_or(path), "bad", Some(&text)) {
                    Ok(()) => _ = self.files.remove(path),
                    Err(error) => {
                        text += &format!(" It cannot be set aside either: {error}.");
                        self.files.insert(path.to_owned(), Seen::Bad(look));
                    }
                }
                found.push(Found::Note(text));
            }
            Err(_) => {}
        }
    }

    /// What a file says is safely on the list: the file is marked or moved, or stays as it is.
    pub(super) fn added(&mut self, path: &Path, watches: &[Watch]) -> Option<Found> {
        let Some(Seen::Asked(torrent, _)) = self.files.get(path) else { return None };
        let torrent = *torrent;
        let replaced = self.former.remove(path).filter(|entry| entry.torrent != torrent);
        let folder = path.parent()?;
        let watch = watches.iter().find(|watch| watch.folder == folder)?;
        let failed = if watch.removal_stops {
            None
        } else {
            let to = watch.move_to.as_deref().unwrap_or(folder);
            let ending = if watch.move_to.is_some() { "" } else { "added" };
            match set_aside(path, to, ending, None) {
                Ok(()) => {
                    self.files.remove(path);
                    self.said.remove(path);
                    return None;
                }
                Err(error) => Some(error),
            }
        };
        self.files.insert(path.to_owned(), Seen::Kept(torrent, identity(folder)));
        let Some(error) = failed else {
            // Another torrent's file stood there in the last run.
            return replaced.map(|entry| Found::Gone(entry.torrent));
        };
        self.say(path, format!("{} was added, and cannot be put aside: {error}.", path.display()))
    }

    /// What a file says is not on the list; it is tried again.
    pub(super) fn refused(&mut self, path: &Path, reason: &str) -> Option<Found> {
        self.files.remove(path)?;
        let reason = reason.trim_end_matches('.');
        self.say(path, format!("{} was not added: {reason}. It is tried again.", path.display()))
    }

    fn say(&mut self, about: &Path, text: String) -> Option<Found> {
        let before = self.said.insert(about.to_owned(), text.clone());
        (before.as_ref() != Some(&text)).then_some(Found::Note(text))
    }
}

/// The torrents and links in a folder.
fn list(folder: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let mut paths = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let kind = path.extension().and_then(|kind| kind.to_str()).map(str::to_ascii_lowercase);
        if matches!(kind.as_deref(), Some("torrent" | "magnet")) && path.is_file() {
            paths.insert(path);
        }
        if paths.len() == FILES {
            break;
        }
    }
    Ok(paths)
}

#[cfg(unix)]
fn identity(folder: &Path) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(folder).ok().map(|about| (about.dev(), about.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Path) -> Identity {
    None
}

fn read(path: &Path) -> Result<Subject, String> {
    let bytes = read_file(path)?;
    if path.extension().is_some_and(|kind| kind.eq_ignore_ascii_case("magnet")) {
        let text = String::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
        let magnet: Magnet = text.trim().parse().map_err(|error| format!("{error}"))?;
        return Ok(Subject::Magnet(Box::new(magnet)));
    }
    Ok(Subject::Torrent(Box::new(Torrent::parse(&bytes).map_err(|error| error.to_string())?)))
}

/// How what appears in a folder is to be added.
fn options(watch: &Watch, settings: &Settings) -> AddOptions {
    let folder = watch.target.clone().unwrap_or_else(|| settings.download_folder.clone());
    AddOptions {
        folder: Some(folder),
        paused: watch.paused,
        label: watch.label.clone(),
        ..AddOptions::default()
    }
}

/// Moves a file into a folder, with another ending and over no other file; the reason stands in a text beside it.
fn set_aside(path: &Path, to: &Path, ending: &str, reason: Option<&str>) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let name = path.file_name().unwrap_or_default();
    let named = |number: u32| {
        let mut name = name.to_owned();
        if number > 1 {
            name.push(format!(".{number}"));
        }
        if !ending.is_empty() {
            name.push(format!(".{ending}"));
        }
        to.join(name)
    };
    let free = (1..1_000).map(named).find(|path| !path.exists());
    let to = free.ok_or(io::ErrorKind::AlreadyExists)?;
    match fs::rename(path, &to) {
        // On another drive.
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            fs::copy(path, &to)?;
            fs::remove_file(path)?;
        }
        moved => moved?,
    }
    if let Some(reason) = reason {
        let mut beside = to.into_os_string();
        beside.push(".txt");
        // The reason is in the log as well.
        let _ = fs::write(beside, format!("{reason}\n"));
    }
    Ok(())
}
