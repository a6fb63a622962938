//! Swarms beyond the end of the process: written behind into an SQLite database by a thread of its own, read at the start.
//! Nobody who announces waits for it. What the last few seconds brought may be lost with the machine; clients announce again.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, params};

use crate::base::InfoHash;
use crate::net::tracker::admin::List;
use crate::net::tracker::behind::Behind;
use crate::net::tracker::shared::Shared;
use crate::tracker::Saved;

/// The layout that this program writes.
const LAYOUT: i64 = 1;

/// Why swarms cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    /// A newer program wrote it.
    #[error("a newer version of the program wrote it")]
    Newer,
    /// There is no thread to write with.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// Opens the database, puts back what it holds, and begins to save.
pub(super) fn start(path: &Path, shared: &Arc<Shared>) -> Result<Behind, KeepError> {
    let mut database = open(path)?;
    restore(&mut database, shared)?;
    let shared = Arc::clone(shared);
    let rules = Arc::clone(&shared);
    let period = move || Duration::from_secs(rules.config().state_interval.into());
    let mut failing = false;
    let turn = move || match save(&mut database, &shared) {
        Ok(()) => failing = false,
        // Once is enough in a log; what could not be written is tried again with the next change of it.
        Err(error) if !failing => {
            failing = true;
            tracing::error!(%error, "swarms could not be saved");
        }
        Err(_) => {}
    };
    Ok(Behind::start("tracker-store", period, turn)?)
}

fn open(path: &Path) -> Result<Connection, KeepError> {
    let database = Connection::open(path)?;
    database.busy_timeout(Duration::from_secs(5))?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    // Whole after a crash of the process at any moment, and after one of the machine but for the last few seconds.
    database.pragma_update(None, "synchronous", "NORMAL")?;
    let layout: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if layout > LAYOUT {
        return Err(KeepError::Newer);
    }
    database.execute_batch(
        "BEGIN;
         CREATE TABLE IF NOT EXISTS swarms (
             info_hash BLOB PRIMARY KEY, downloaded INTEGER NOT NULL, touched INTEGER NOT NULL, peers BLOB NOT NULL
         ) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS lists (
             list TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (list, value)
         ) WITHOUT ROWID;
         PRAGMA user_version = 1;
         COMMIT;",
    )?;
    Ok(database)
}

fn restore(database: &mut Connection, shared: &Shared) -> Result<(), KeepError> {
    let mut query = database.prepare("SELECT info_hash, downloaded, touched, peers FROM swarms")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let Ok(hash) = row.get_ref(0)?.as_blob().unwrap_or_default().try_into() else { continue };
        shared.tracker.restore(&Saved {
            info_hash: InfoHash(hash),
            downloaded: row.get(1)?,
            touched_secs: row.get::<_, i64>(2)?.max(0) as u64,
            peers: row.get(3)?,
        });
    }
    let mut query = database.prepare("SELECT list, value FROM lists")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (list, value): (String, String) = (row.get(0)?, row.get(1)?);
        if let Some(list) = List::named(&list)
            && let Err(error) = shared.change(list, &value, true)
        {
            tracing::warn!(list = list.name(), %error, "a kept entry was left out");
        }
    }
    // What fell silent while nothing ran goes at once.
    for turn in 0..shared.tracker.turns() {
        shared.tracker.clean(&shared.config(), turn, shared.now());
    }
    let gauges = shared.tracker.gauges();
    tracing::info!(torrents = gauges.torrents, peers = gauges.peers(), "swarms were put back");
    Ok(())
}

/// Keeps an entry of a list, or forgets it, before it returns.
pub(super) fn put(path: &Path, list: List, value: &str, add: bool) -> Result<(), KeepError> {
    let database = open(path)?;
    let change = match add {
        true => "INSERT OR IGNORE INTO lists (list, value) VALUES (?1, ?2)",
        false => "DELETE FROM lists WHERE list = ?1 AND value = ?2",
    };
    database.execute(change, [list.name(), value])?;
    Ok(())
}

/// Writes what has changed, a transaction a shard.
fn save(database: &mut Connection, shared: &Shared) -> Result<(), KeepError> {
    let mut changes = Vec::new();
    for at in 0..shared.tracker.turns() {
        let mut from = Some(0);
        let mut written = None;
        while let Some(position) = from {
            from = shared.tracker.changes(at, position, &mut changes);
            if changes.is_empty() {
                continue;
            }
            let transaction = match written.take() {
                Some(transaction) => transaction,
                None => database.unchecked_transaction()?,
            };
            write(&transaction, &changes)?;
            written = Some(transaction);
            changes.clear();
        }
        if let Some(transaction) = written {
            transaction.commit()?;
        }
    }
    Ok(())
}

fn write(database: &Connection, changes: &[Saved]) -> Result<(), KeepError> {
    let mut put = database.prepare_cached(
        "INSERT INTO swarms (info_hash, downloaded, touched, peers) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (info_hash) DO UPDATE SET downloaded = ?2, touched = ?3, peers = ?4",
    )?;
    let mut delete = database.prepare_cached("DELETE FROM swarms WHERE info_hash = ?1")?;
    for saved in changes {
        let hash = &saved.info_hash.0[..];
        if saved.is_gone() {
            delete.execute([hash])?;
        } else {
            put.execute(params![hash, saved.downloaded, saved.touched_secs as i64, saved.peers])?;
        }
    }
    Ok(())
}
