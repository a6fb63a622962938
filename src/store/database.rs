//! The database: its tables, reading all of them at the start, writing batches of changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row, Transaction, params};

use super::copies::Copies;
use super::more::More;
use super::rows;
use crate::base::{InfoHash, PieceIndex};
use crate::engine::{Change, Counters, Progress, Record};

/// What makes a database of version N one of version N + 1, from the first on; a step is never changed once released.
pub(super) const STEPS: &[&str] = &[
    "
    CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
    CREATE TABLE torrents (
        id INTEGER PRIMARY KEY,
        info_hash BLOB NOT NULL UNIQUE,
        magnet TEXT,
        folder ANY NOT NULL,
        paused INTEGER NOT NULL,
        sequential INTEGER NOT NULL,
        shared_here INTEGER NOT NULL,
        limit_down INTEGER,
        limit_up INTEGER,
        added INTEGER NOT NULL,
        completed INTEGER,
        priorities BLOB NOT NULL
    ) STRICT;
    CREATE TABLE files (torrent INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
    CREATE TABLE progress (
        torrent INTEGER PRIMARY KEY,
        downloaded INTEGER NOT NULL,
        uploaded INTEGER NOT NULL,
        pieces INTEGER,
        have BLOB,
        stamps BLOB NOT NULL
    ) STRICT;
    CREATE TABLE suspect (
        torrent INTEGER NOT NULL, piece INTEGER NOT NULL, PRIMARY KEY (torrent, piece)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE gone (info_hash BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
",
    "
    ALTER TABLE torrents ADD COLUMN more TEXT NOT NULL DEFAULT '{}';
",
    // The queue is in the order in which they were added; there is room in front of the first.
    "
    ALTER TABLE progress ADD COLUMN seeded INTEGER NOT NULL DEFAULT 0;
    UPDATE torrents SET more = json_set(more, '$.place', (1 << 40) + id);
",
];

/// Every column of a record but the .torrent file.
const COLUMNS: &str =
    "SELECT id, info_hash, magnet, folder, paused, sequential, shared_here, limit_down, limit_up, added,
         completed, priorities, downloaded, uploaded, pieces, have, stamps, more, seeded
     FROM torrents LEFT JOIN progress ON progress.torrent = id";

/// Torrents whose copies are removed in one go; some file systems take milliseconds for each.
const SWEPT: i64 = 32;

/// Why a database cannot be used.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It is none, or parts of it are wrong.
    Damaged(String),
    /// A later version of the program made it.
    Newer(i64),
    /// The system does not let us.
    System(String),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        match error.sqlite_error_code() {
            // Tables or columns that are not as they should be have no code of their own.
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown) => {
                Self::Damaged(text)
            }
            Some(_) => Self::System(text),
            None => Self::Damaged(text),
        }
    }
}

/// An open database.
#[derive(Debug)]
pub(super) struct Database {
    conn: Connection,
    /// Whether the last run ended properly, or there was none.
    pub(super) clean: bool,
    /// Whether the list was never put into it.
    pub(super) unfilled: bool,
    /// Whether all that was to be written is.
    pub(super) whole: bool,
}

impl Database {
    /// Opens the database, making it or bringing it to this version, and notes that a run has begun.
    pub(super) fn open(path: &Path, steps: &[&str]) -> Result<Self, Trouble> {
        let mut conn = Connection::open(path)?;
        // Exclusive: nobody else writes here, and no memory has to be shared, which network folders cannot.
        conn.execute_batch(
            "PRAGMA busy_timeout = 3000;
             PRAGMA locking_mode = EXCLUSIVE;
             PRAGMA trusted_schema = OFF;
             PRAGMA cell_size_check = ON;
             PRAGMA fullfsync = ON;
             PRAGMA checkpoint_fullfsync = ON;
             PRAGMA journal_size_limit = 67108864;",
        )?;
        let version: i64 = conn.query_row("PRAGMA user_version", (), |row| row.get(0))?;
        let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
        let fresh = version == 0 && tables == 0;
        if version > steps.len() as i64 {
            return Err(Trouble::Newer(version));
        }
        if version == 0 && !fresh {
            return Err(Trouble::Damaged("it has tables of something else".to_owned()));
        }
        // A file system that cannot do this leaves the rollback journal in place, which is as safe, only slower.
        conn.query_row("PRAGMA journal_mode = WAL", (), |_| Ok(()))?;
        conn.execute_batch("PRAGMA synchronous = FULL;")?;
        let clean = fresh || value(&conn, "running")? == Some(0);
        if !clean {
            check(&conn)?;
        }
        let tx = conn.transaction()?;
        for step in steps.iter().skip(usize::try_from(version).unwrap_or(0)) {
            tx.execute_batch(step)?;
        }
        tx.pragma_update(None, "user_version", steps.len() as i64)?;
        tx.execute("INSERT OR REPLACE INTO meta VALUES ('running', 1)", ())?;
        tx.commit()?;
        let filled = value(&conn, "filled")?;
        Ok(Self { conn, clean, unfilled: filled.is_none(), whole: true })
    }

    /// Every record, in the order in which they were added, and a sentence on each that makes no sense.
    pub(super) fn load(&self) -> Result<(Vec<Record>, Vec<String>), Trouble> {
        let mut suspects: BTreeMap<i64, Vec<PieceIndex>> = BTreeMap::new();
        let mut query = self.conn.prepare("SELECT torrent, piece FROM suspect")?;
        let mut found = query.query(())?;
        while let Some(row) = found.next()? {
            suspects.entry(row.get(0)?).or_default().push(PieceIndex(row.get(1)?));
        }
        // What each is made of comes after all that is small, and only where it is needed.
        let mut query = self.conn.prepare(&format!("{COLUMNS} ORDER BY id"))?;
        let mut bytes = self.conn.prepare("SELECT bytes FROM files WHERE torrent = ?1")?;
        let (mut records, mut notes) = (Vec::new(), Vec::new());
        let mut found = query.query(())?;
        while let Some(row) = found.next()? {
            let id: i64 = row.get(0)?;
            let suspect = suspects.remove(&id).unwrap_or_default();
            let mut record = record(row, suspect, &mut notes)?;
            if !record.needs_no_metadata() {
                record.torrent = bytes.query_row([id], |row| row.get(0)).optional()?;
            }
            records.push(record);
        }
        Ok((records, notes))
    }

    /// Everything that is kept of one torrent.
    pub(super) fn fetch(&self, torrent: InfoHash) -> Result<Record, String> {
        let why = |trouble: Trouble| match trouble {
            Trouble::Damaged(why) | Trouble::System(why) => why,
            Trouble::Newer(_) => "another version has it".to_owned(),
        };
        self.fetch_one(torrent).map_err(why)?.ok_or_else(|| unknown(torrent))
    }

    fn fetch_one(&self, torrent: InfoHash) -> Result<Option<Record>, Trouble> {
        let mut query = self.conn.prepare_cached(&format!("{COLUMNS} WHERE info_hash = ?1"))?;
        let mut found = query.query([torrent.0])?;
        let Some(row) = found.next()? else { return Ok(None) };
        let id: i64 = row.get(0)?;
        let mut pieces =
            self.conn.prepare_cached("SELECT piece FROM suspect WHERE torrent = ?1 ORDER BY piece")?;
        let suspect = pieces.query_map([id], |row| row.get(0).map(PieceIndex))?.collect::<Result<_, _>>()?;
        let mut record = record(row, suspect, &mut Vec::new())?;
        let mut bytes = self.conn.prepare_cached("SELECT bytes FROM files WHERE torrent = ?1")?;
        record.torrent = bytes.query_row([id], |row| row.get(0)).optional()?;
        Ok(Some(record))
    }

    /// Puts the list into a database that has none, as a whole or not at all.
    pub(super) fn fill(&mut self, records: &[Record]) -> Result<(), Trouble> {
        let tx = self.conn.transaction()?;
        for record in records {
            put(&tx, record)?;
        }
        tx.execute("INSERT OR REPLACE INTO meta VALUES ('filled', 1)", ())?;
        Ok(tx.commit()?)
    }

    /// Writes a batch of changes in one transaction; the results are durable and in order.
    pub(super) fn write(
        &mut self,
        batch: &[(u64, Option<Change>)],
        copies: &Copies,
    ) -> Vec<Result<(), String>> {
        match self.attempt(batch, copies) {
            Ok(results) => results,
            Err(trouble) => {
                let text = match trouble {
                    Trouble::Damaged(text) => {
                        self.whole = false;
                        format!(
                            "the session database is damaged ({text}); start the program again to have it repaired"
                        )
                    }
                    Trouble::System(text) => format!("the session could not be written: {text}"),
                    Trouble::Newer(_) => {
                        "the session could not be written: another version has it".to_owned()
                    }
                };
                batch.iter().map(|_| Err(text.clone())).collect()
            }
        }
    }

    fn attempt(
        &mut self,
        batch: &[(u64, Option<Change>)],
        copies: &Copies,
    ) -> Result<Vec<Result<(), String>>, Trouble> {
        let mut records = BTreeMap::new();
        for (_, change) in batch {
            if let Some(Change::Put(record)) = change {
                records.insert(record.info_hash, &**record);
            }
        }
        // The copies first: a row is never without them.
        let failures = copies.put(&records);
        let tx = self.conn.transaction()?;
        let mut results = Vec::with_capacity(batch.len());
        for (_, change) in batch {
            results.push(match change {
                Some(change) => apply(&tx, change, &failures)?,
                None => Err("more changes wait for the disk than are kept; this one was left out".to_owned()),
            });
        }
        tx.commit()?;
        Ok(results)
    }

    /// Removes copies of what is off the list, a few at a time; true where there may be more. What fails, or is cut short
    /// by the end of the program, is done after the next start.
    pub(super) fn sweep(&mut self, copies: &Copies) -> bool {
        self.sweep_some(copies).unwrap_or(false)
    }

    fn sweep_some(&mut self, copies: &Copies) -> Result<bool, Trouble> {
        let mut query = self.conn.prepare_cached("SELECT info_hash FROM gone LIMIT ?1")?;
        let gone: Vec<Vec<u8>> = query.query_map([SWEPT], |row| row.get(0))?.collect::<Result<_, _>>()?;
        drop(query);
        let removable = |bytes: &&Vec<u8>| rows::to_info_hash(bytes).is_none_or(|hash| copies.remove(hash));
        let removed: Vec<&Vec<u8>> = gone.iter().filter(removable).collect();
        if removed.is_empty() || copies.settle().is_err() {
            return Ok(false);
        }
        let tx = self.conn.transaction()?;
        for bytes in &removed {
            tx.prepare_cached("DELETE FROM gone WHERE info_hash = ?1")?.execute([bytes])?;
        }
        tx.commit()?;
        Ok(gone.len() as i64 == SWEPT)
    }

    /// Notes that the run ended properly and puts everything into the one file.
    pub(super) fn close(self) {
        if self.whole {
            // Where this fails the next start only looks more closely.
            let _ = self.conn.execute("UPDATE meta SET value = 0 WHERE key = 'running'", ());
        }
        let _ = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()));
    }
}

/// Moves a damaged database out of the way under the first name with a free number, and answers with that name.
pub(super) fn set_aside(path: &Path) -> std::io::Result<PathBuf> {
    let with = |path: &Path, end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let mut number = 1_u32;
    let mut aside = path.with_file_name("session-damaged-1.db");
    while aside.exists() {
        number += 1;
        aside = path.with_file_name(format!("session-damaged-{number}.db"));
    }
    std::fs::rename(path, &aside)?;
    for end in ["-wal", "-journal", "-shm"] {
        match std::fs::rename(with(path, end), with(&aside, end)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}

fn value(conn: &Connection, key: &str) -> rusqlite::Result<Option<i64>> {
    conn.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).optional()
}

fn check(conn: &Connection) -> Result<(), Trouble> {
    let verdict: String = conn.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(Trouble::Damaged(verdict)) }
}

fn apply(
    tx: &Transaction<'_>,
    change: &Change,
    failures: &BTreeMap<InfoHash, String>,
) -> rusqlite::Result<Result<(), String>> {
    match change {
        Change::Put(record) => match failures.get(&record.info_hash) {
            Some(why) => return Ok(Err(why.clone())),
            None => put(tx, record)?,
        },
        Change::Progress(hash, progress) => match id(tx, *hash)? {
            Some(id) => put_progress(tx, id, progress)?,
            None => return Ok(Err(unknown(*hash))),
        },
        Change::Counters(hash, counters) => match id(tx, *hash)? {
            Some(id) => put_counters(tx, id, *counters)?,
            None => return Ok(Err(unknown(*hash))),
        },
        Change::Suspect(hash, pieces) => match id(tx, *hash)? {
            Some(id) => put_suspect(tx, id, pieces)?,
            None => return Ok(Err(unknown(*hash))),
        },
        Change::Remove(hash) => {
            if let Some(id) = id(tx, *hash)? {
                for table in ["files", "progress", "suspect"] {
                    tx.prepare_cached(&format!("DELETE FROM {table} WHERE torrent = ?1"))?.execute([id])?;
                }
                tx.prepare_cached("DELETE FROM torrents WHERE id = ?1")?.execute([id])?;
            }
            tx.prepare_cached("INSERT OR IGNORE INTO gone VALUES (?1)")?.execute([hash.0])?;
        }
    }
    Ok(Ok(()))
}

fn unknown(hash: InfoHash) -> String {
    format!("torrent {hash} is not on the list")
}

fn id(tx: &Transaction<'_>, hash: InfoHash) -> rusqlite::Result<Option<i64>> {
    let mut query = tx.prepare_cached("SELECT id FROM torrents WHERE info_hash = ?1")?;
    query.query_row([hash.0], |row| row.get(0)).optional()
}

fn put(tx: &Transaction<'_>, record: &Record) -> rusqlite::Result<()> {
    let mut query = tx.prepare_cached(
        "INSERT INTO torrents (info_hash, magnet, folder, paused, sequential, shared_here, limit_down, limit_up, added,
             completed, priorities, more)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT (info_hash) DO UPDATE SET magnet = ?2, folder = ?3, paused = ?4, sequential = ?5, shared_here = ?6,
             limit_down = ?7, limit_up = ?8, added = ?9, completed = ?10, priorities = ?11, more = ?12
         RETURNING id",
    )?;
    // Whole 64-bit numbers go in and out as the same bits, also those that SQLite would show as negative.
    let cells = params![
        record.info_hash.0,
        record.magnet,
        rows::path(&record.folder),
        record.paused,
        record.sequential,
        record.shared_here,
        record.limits.down.map(u64::cast_signed),
        record.limits.up.map(u64::cast_signed),
        record.added_unix.cast_signed(),
        record.completed_unix.map(u64::cast_signed),
        rows::priorities(&record.priorities),
        More::of(record).to_text(),
    ];
    let id: i64 = query.query_row(cells, |row| row.get(0))?;
    // Metadata that was known once stays known.
    if let Some(bytes) = &record.torrent {
        let mut query = tx.prepare_cached(
            "INSERT INTO files VALUES (?1, ?2)
             ON CONFLICT (torrent) DO UPDATE SET bytes = ?2 WHERE bytes <> ?2",
        )?;
        query.execute(params![id, bytes])?;
    }
    tx.prepare_cached("DELETE FROM gone WHERE info_hash = ?1")?.execute([record.info_hash.0])?;
    put_progress(tx, id, &record.progress)
}

fn put_counters(tx: &Transaction<'_>, id: i64, counters: Counters) -> rusqlite::Result<()> {
    let Counters { downloaded, uploaded, seeded_secs } = counters;
    tx.prepare_cached("UPDATE progress SET downloaded = ?2, uploaded = ?3, seeded = ?4 WHERE torrent = ?1")?
        .execute(params![id, downloaded.cast_signed(), uploaded.cast_signed(), seeded_secs.cast_signed()])?;
    Ok(())
}

fn put_progress(tx: &Transaction<'_>, id: i64, progress: &Progress) -> rusqlite::Result<()> {
    let have = progress.have.as_ref();
    tx.prepare_cached("INSERT OR REPLACE INTO progress VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?.execute(
        params![
            id,
            progress.downloaded.cast_signed(),
            progress.uploaded.cast_signed(),
            have.map(|have| have.len() as i64),
            have.map(|have| have.as_bytes()),
            rows::stamps(&progress.stamps),
            progress.seeded_secs.cast_signed(),
        ],
    )?;
    tx.prepare_cached("DELETE FROM suspect WHERE torrent = ?1")?.execute([id])?;
    put_suspect(tx, id, &progress.suspect)
}

fn put_suspect(tx: &Transaction<'_>, id: i64, pieces: &[PieceIndex]) -> rusqlite::Result<()> {
    let mut query = tx.prepare_cached("INSERT OR IGNORE INTO suspect VALUES (?1, ?2)")?;
    for piece in pieces {
        query.execute([id, i64::from(piece.0)])?;
    }
    Ok(())
}

/// One row as a record. Progress that makes no sense is left out, so that the files are looked at again.
fn record(row: &Row<'_>, suspect: Vec<PieceIndex>, notes: &mut Vec<String>) -> Result<Record, Trouble> {
    let nonsense = |what: &str| Trouble::Damaged(format!("torrent {}: {what}", row.get(0).unwrap_or(0_i64)));
    let hash: Vec<u8> = row.get(1)?;
    let info_hash =
        rows::to_info_hash(&hash).ok_or_else(|| nonsense("its info-hash has the wrong length"))?;
    let number = |cell: Option<i64>| cell.map(i64::cast_unsigned);
    let mut record = Record {
        info_hash,
        magnet: row.get(2)?,
        folder: rows::to_path(row.get_ref(3)?).ok_or_else(|| nonsense("its folder is no path"))?,
        paused: row.get(4)?,
        sequential: row.get(5)?,
        shared_here: row.get(6)?,
        added_unix: row.get::<_, i64>(9)?.cast_unsigned(),
        completed_unix: number(row.get(10)?),
        priorities: rows::to_priorities(row.get_ref(11)?.as_bytes().unwrap_or_default())
            .ok_or_else(|| nonsense("its priorities make no sense"))?,
        ..Record::default()
    };
    let more: String = row.get(17)?;
    More::from_text(&more)
        .ok_or_else(|| nonsense("what was chosen for it makes no sense"))?
        .give_to(&mut record);
    record.limits.down = number(row.get(7)?);
    record.limits.up = number(row.get(8)?);
    record.progress.downloaded = number(row.get(12)?).unwrap_or(0);
    record.progress.uploaded = number(row.get(13)?).unwrap_or(0);
    record.progress.seeded_secs = number(row.get(18)?).unwrap_or(0);
    let pieces: Option<i64> = row.get(14)?;
    let blob = |column| row.get_ref(column).ok().and_then(|cell| cell.as_blob().ok());
    let have = pieces.map(|pieces| blob(15).and_then(|bytes| rows::to_have(bytes, pieces)));
    match (have, rows::to_stamps(blob(16).unwrap_or_default())) {
        (Some(None), _) | (_, None) => {
            notes.push(format!("the progress of torrent {info_hash} makes no sense; its files are checked"));
        }
        (have, Some(stamps)) => {
            record.progress = Progress { have: have.flatten(), stamps, suspect, ..record.progress }
        }
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_leaves_what_was_there_and_goes_on_when_there_is_room() {
        let folder = tempfile::tempdir().expect("a folder");
        let copies = Copies::open(folder.path().join("torrents")).expect("a folder");
        let mut database = Database::open(&folder.path().join("session.db"), STEPS).expect("a database");
        let record = |number: u8, length: usize| Record {
            info_hash: InfoHash([number; 20]),
            torrent: Some(vec![number; length]),
            ..Record::default()
        };
        let batch = |records: &[Record]| -> Vec<(u64, Option<Change>)> {
            records.iter().map(|record| (0, Some(Change::Put(Box::new(record.clone()))))).collect()
        };
        let small = record(1, 10);
        assert_eq!(database.write(&batch(std::slice::from_ref(&small)), &copies), [Ok(())]);
        let pages = |database: &Database, most: u32| {
            let set = format!("PRAGMA max_page_count = {most}");
            database.conn.query_row(&set, (), |_| Ok(())).expect("set");
        };
        pages(&database, 20);
        let both = batch(&[record(2, 10), record(3, 1_000_000)]);
        let failed = database.write(&both, &copies);
        assert!(
            failed.iter().all(|result| result.as_ref().is_err_and(|why| why.contains("full"))),
            "{failed:?}"
        );
        assert_eq!(database.load().expect("readable").0, [small]);
        pages(&database, 1_000_000);
        assert_eq!(database.write(&both, &copies), [Ok(()), Ok(())]);
        assert_eq!(database.load().expect("readable").0.len(), 3);
    }
}
