//! What a coordinator keeps beyond the end of the process: the index and the rules, in an SQLite database. A change is on the
//! disk when the call returns.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::api::NetworkRules;
use crate::base::InfoHash;
use crate::network::{Effect, Fingerprint, Network, Note};

/// The layout that this program writes.
const LAYOUT: i64 = 1;

/// The database of one coordinator.
#[derive(Debug)]
pub(super) struct Keeper(Connection);

/// Why a coordinator's index cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct KeepError {
    path: PathBuf,
    why: String,
}

impl Keeper {
    /// Opens the database of a folder, made where there is none.
    pub(super) fn open(folder: &Path) -> Result<Self, KeepError> {
        let path = folder.join("index.db");
        Self::try_open(&path).map_err(|why| KeepError { path, why })
    }

    fn try_open(path: &Path) -> Result<Self, String> {
        let text = |error: rusqlite::Error| error.to_string();
        let database = Connection::open(path).map_err(text)?;
        database.pragma_update(None, "journal_mode", "WAL").map_err(text)?;
        database.pragma_update(None, "synchronous", "FULL").map_err(text)?;
        let layout: i64 =
            database.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(text)?;
        if layout > LAYOUT {
            return Err(
                "a newer Fyris wrote this; start that one, or choose another folder with --state".into()
            );
        }
        let made = database.execute_batch(
            "BEGIN;
             CREATE TABLE IF NOT EXISTS torrents (
                 info_hash BLOB PRIMARY KEY, torrent BLOB NOT NULL, note TEXT NOT NULL
             ) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS rules (one INTEGER PRIMARY KEY CHECK (one = 1), rules TEXT NOT NULL);
             CREATE TABLE IF NOT EXISTS uploads (
                 network BLOB NOT NULL, info_hash BLOB NOT NULL, PRIMARY KEY (network, info_hash)
             ) WITHOUT ROWID;
             PRAGMA user_version = 1;
             COMMIT;",
        );
        made.map_err(text)?;
        Ok(Self(database))
    }

    /// The rules that were kept last.
    pub(super) fn rules(&self) -> Option<NetworkRules> {
        let found = self.0.query_row("SELECT rules FROM rules", [], |row| row.get::<_, String>(0));
        serde_json::from_str(&found.optional().ok()??).ok()
    }

    /// Keeps the rules.
    pub(super) fn keep_rules(&self, rules: &NetworkRules) -> Result<(), String> {
        let text = serde_json::to_string(rules).map_err(|error| error.to_string())?;
        self.run("INSERT OR REPLACE INTO rules (one, rules) VALUES (1, ?1)", params![text])
    }

    /// Puts the index back into a network; gives a sentence for each torrent that was left out.
    pub(super) fn restore(&self, network: &mut Network) -> Result<Vec<String>, String> {
        let text = |error: rusqlite::Error| error.to_string();
        let mut left_out = Vec::new();
        let mut query = self.0.prepare("SELECT info_hash, torrent, note FROM torrents").map_err(text)?;
        let mut rows = query.query([]).map_err(text)?;
        while let Some(row) = rows.next().map_err(text)? {
            let (torrent, note): (Vec<u8>, String) = (row.get(1).map_err(text)?, row.get(2).map_err(text)?);
            let restored = serde_json::from_str::<Note>(&note)
                .map_err(|error| error.to_string())
                .and_then(|note| network.restore(&torrent, note).map_err(|error| error.to_string()));
            if let Err(why) = restored {
                left_out.push(format!("a torrent of the index was left out: {why}"));
            }
        }
        Ok(left_out)
    }

    /// Does what has to last.
    pub(super) fn apply(&self, effect: &Effect) -> Result<(), String> {
        match effect {
            Effect::Keep { torrent, now, .. } => self.put(*torrent, &now.torrent, &now.note),
            Effect::Drop { torrent, .. } => {
                self.run("DELETE FROM torrents WHERE info_hash = ?1", params![&torrent.0[..]])
            }
        }
    }

    /// Notes that this machine's user has uploaded a torrent to a network.
    pub(super) fn keep_upload(&self, network: Fingerprint, torrent: InfoHash) -> Result<(), String> {
        let row = params![&network.0[..], &torrent.0[..]];
        self.run("INSERT OR IGNORE INTO uploads (network, info_hash) VALUES (?1, ?2)", row)
    }

    /// Forgets that.
    pub(super) fn drop_upload(&self, network: Fingerprint, torrent: InfoHash) -> Result<(), String> {
        let row = params![&network.0[..], &torrent.0[..]];
        self.run("DELETE FROM uploads WHERE network = ?1 AND info_hash = ?2", row)
    }

    /// What this machine's user has uploaded to a network.
    pub(super) fn uploads(&self, network: Fingerprint) -> Vec<InfoHash> {
        let found = || -> rusqlite::Result<Vec<Vec<u8>>> {
            let mut query = self.0.prepare("SELECT info_hash FROM uploads WHERE network = ?1")?;
            query.query_map(params![&network.0[..]], |row| row.get(0))?.collect()
        };
        let hashes = found().unwrap_or_default().into_iter();
        hashes.filter_map(|hash| hash.try_into().ok().map(InfoHash)).collect()
    }

    fn put(&self, hash: InfoHash, torrent: &Bytes, note: &Note) -> Result<(), String> {
        let note = serde_json::to_string(note).map_err(|error| error.to_string())?;
        let row = params![&hash.0[..], &torrent[..], note];
        self.run("INSERT OR REPLACE INTO torrents (info_hash, torrent, note) VALUES (?1, ?2, ?3)", row)
    }

    fn run(&self, change: &str, values: impl rusqlite::Params) -> Result<(), String> {
        self.0.execute(change, values).map(|_| ()).map_err(|error| error.to_string())
    }
}
