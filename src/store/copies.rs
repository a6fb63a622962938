//! The copies beside the database: each .torrent as it came, and what the user chose for it, so that the list can be
//! made again without the database.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::UNIX_EPOCH;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::more::More;
use super::{atomic, rows};
use crate::api::Limits;
use crate::base::{InfoHash, limits};
use crate::engine::Record;
use crate::metainfo::{Magnet, Torrent};

/// Bytes of what a user chose for one torrent; there may be a million files.
const CHOICE_BYTES: u64 = 4 * 1024 * 1024;

/// Copies that are written at the same time.
const SIDE_BY_SIDE: usize = 16;

/// Sentences on single copies; a folder full of nonsense is to fill nobody's log.
const NOTES: usize = 20;

/// The folder with the copies: `HEX.torrent` and `HEX.json`.
#[derive(Debug)]
pub(super) struct Copies {
    folder: PathBuf,
}

/// What the user chose for one torrent, in words that are read back by later versions too.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Choice {
    folder: Option<String>,
    /// The folder in the system's own bytes, hexadecimal, where its name is no text.
    folder_bytes: Option<String>,
    magnet: Option<String>,
    paused: bool,
    sequential: bool,
    shared_here: bool,
    limits: Limits,
    added_unix: u64,
    completed_unix: Option<u64>,
    /// A digit a file, from 0 for skipped to 3 for high.
    priorities: String,
    #[serde(flatten)]
    more: More,
}

/// What could be made again from the copies.
#[derive(Debug, Default)]
pub(super) struct Rebuilt {
    /// Records without progress.
    pub(super) records: Vec<Record>,
    /// Sentences on what could not be.
    pub(super) notes: Vec<String>,
}

/// One file to be written.
#[derive(Debug)]
struct Job<'a> {
    hash: InfoHash,
    path: PathBuf,
    bytes: Cow<'a, [u8]>,
}

impl Copies {
    /// Opens the folder, which is made where there is none.
    pub(super) fn open(folder: PathBuf) -> io::Result<Self> {
        atomic::make_folder(&folder)?;
        Ok(Self { folder })
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes what differs from the copies there are, durably; answers with what could not be written and why. Of several
    /// records of one torrent only the last counts.
    pub(super) fn put(&self, records: &BTreeMap<InfoHash, &Record>) -> BTreeMap<InfoHash, String> {
        let mut jobs = Vec::new();
        for (hash, record) in records {
            if let Some(torrent) = &record.torrent {
                jobs.push(Job { hash: *hash, path: self.path(*hash, "torrent"), bytes: Cow::from(torrent) });
            }
            let choice = serde_json::to_vec_pretty(&Choice::of(record)).unwrap_or_default();
            jobs.push(Job { hash: *hash, path: self.path(*hash, "json"), bytes: Cow::from(choice) });
        }
        jobs.retain(|job| !holds(&job.path, &job.bytes));
        if jobs.is_empty() {
            return BTreeMap::new();
        }
        let failures = Mutex::new(BTreeMap::new());
        let work = |part: &[Job<'_>]| {
            for job in part {
                if let Err(error) = atomic::place(&job.path, &job.bytes, true) {
                    let why = format!("{} could not be written: {error}", job.path.display());
                    failures.lock().unwrap_or_else(PoisonError::into_inner).insert(job.hash, why);
                }
            }
        };
        // File systems make what several wait for durable in one go.
        thread::scope(|scope| {
            for part in jobs.chunks(jobs.len().div_ceil(SIDE_BY_SIDE)) {
                let thread = thread::Builder::new().name("store-copy".to_owned());
                if thread.spawn_scoped(scope, || work(part)).is_err() {
                    work(part);
                }
            }
        });
        let mut failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.settle() {
            let why = format!("{} could not be written: {error}", self.folder.display());
            failures.extend(jobs.iter().map(|job| (job.hash, why.clone())));
        }
        failures
    }

    /// Makes names durable, and that there are none any more.
    pub(super) fn settle(&self) -> io::Result<()> {
        atomic::sync_folder(&self.folder)
    }

    /// Removes the copies of one torrent; true where there are none afterwards.
    pub(super) fn remove(&self, torrent: InfoHash) -> bool {
        ["torrent", "json"].iter().all(|kind| match fs::remove_file(self.path(torrent, kind)) {
            Ok(()) => true,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        })
    }

    /// The list as the copies have it, in the order in which it came about.
    pub(super) fn rebuild(&self) -> io::Result<Rebuilt> {
        let mut found: BTreeSet<InfoHash> = BTreeSet::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = PathBuf::from(entry?.file_name());
            let known = name.extension().is_some_and(|kind| kind == "torrent" || kind == "json");
            let stem = name.file_stem().and_then(|stem| stem.to_str()).filter(|stem| stem.len() == 40);
            if let (true, Some(Ok(hash))) = (known, stem.map(str::parse)) {
                found.insert(hash);
            }
        }
        let mut rebuilt = Rebuilt::default();
        for hash in found {
            match self.rebuild_one(hash) {
                Ok((record, note)) => {
                    rebuilt.records.push(record);
                    rebuilt.notes.extend(note);
                }
                Err(why) => {
                    rebuilt.notes.push(format!("torrent {hash} could not be put on the list again: {why}"))
                }
            }
        }
        let more = rebuilt.notes.len().saturating_sub(NOTES);
        rebuilt.notes.truncate(NOTES);
        rebuilt.notes.extend((more > 0).then(|| format!("the same is true of {more} more")));
        rebuilt.records.sort_by_key(|record| (record.added_unix, record.info_hash));
        Ok(rebuilt)
    }

    fn rebuild_one(&self, info_hash: InfoHash) -> Result<(Record, Option<String>), String> {
        let path = self.path(info_hash, "torrent");
        let torrent = match read(&path, limits::TORRENT_FILE_BYTES) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(format!("{}: {error}", path.display())),
        };
        let name = match torrent.as_deref().map(Torrent::parse) {
            Some(Ok(parsed)) if parsed.info_hash == info_hash => Some(parsed.name),
            Some(Ok(_)) => return Err(format!("{} is another torrent", path.display())),
            Some(Err(error)) => return Err(format!("{}: {error}", path.display())),
            None => None,
        };
        let chosen = self.path(info_hash, "json");
        let choice = read(&chosen, CHOICE_BYTES).ok();
        let choice = choice.and_then(|bytes| serde_json::from_slice::<Choice>(&bytes).ok());
        let Some(choice) = choice else {
            let name = name.ok_or_else(|| format!("{} cannot be read", chosen.display()))?;
            let note = format!(
                "where “{name}” is saved is not known any more; it is paused until you choose its folder"
            );
            let added_unix = modified_unix(&path);
            return Ok((
                Record { info_hash, torrent, paused: true, added_unix, ..Record::default() },
                Some(note),
            ));
        };
        if torrent.is_none() && choice.magnet.as_deref().is_none_or(|link| link.parse::<Magnet>().is_err()) {
            return Err("neither its .torrent file nor its magnet link is left".to_owned());
        }
        Ok((choice.into_record(info_hash, torrent), None))
    }

    fn path(&self, torrent: InfoHash, kind: &str) -> PathBuf {
        self.folder.join(format!("{torrent}.{kind}"))
    }
}

impl Choice {
    fn of(record: &Record) -> Self {
        let text = record.folder.to_str().map(str::to_owned);
        Self {
            folder_bytes: text.is_none().then(|| HEXLOWER.encode(&rows::system_bytes(&record.folder))),
            folder: text,
            magnet: record.magnet.clone(),
            paused: record.paused,
            sequential: record.sequential,
            shared_here: record.shared_here,
            limits: record.limits,
            added_unix: record.added_unix,
            completed_unix: record.completed_unix,
            priorities: rows::priorities(&record.priorities)
                .iter()
                .map(|byte| char::from(b'0' + byte))
                .collect(),
            more: More::of(record).without_summary(),
        }
    }

    fn into_record(self, info_hash: InfoHash, torrent: Option<Vec<u8>>) -> Record {
        let bytes = self.folder_bytes.and_then(|hex| HEXLOWER.decode(hex.as_bytes()).ok());
        let digits: Vec<u8> = self.priorities.bytes().map(|digit| digit.wrapping_sub(b'0')).collect();
        let folder = self.folder.map(PathBuf::from).or_else(|| rows::system_path(&bytes?));
        let mut record = Record {
            info_hash,
            torrent,
            magnet: self.magnet,
            // Without a folder there is nothing that may be written to.
            paused: self.paused || folder.is_none(),
            folder: folder.unwrap_or_default(),
            priorities: rows::to_priorities(&digits).unwrap_or_default(),
            sequential: self.sequential,
            shared_here: self.shared_here,
            limits: self.limits,
            added_unix: self.added_unix,
            completed_unix: self.completed_unix,
            ..Record::default()
        };
        self.more.give_to(&mut record);
        record
    }
}

/// Whether the file holds exactly these bytes.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    let same = fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() == bytes.len() as u64);
    same && fs::read(path).is_ok_and(|found| found == bytes)
}

fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.len() > most {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is larger than any real one"));
    }
    fs::read(path)
}

fn modified_unix(path: &Path) -> u64 {
    let modified = fs::metadata(path).and_then(|found| found.modified()).ok();
    modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |time| time.as_secs())
}
