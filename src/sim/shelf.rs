//! A host's session database: changes become durable one after the other, a moment after they were given.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::base::{InfoHash, PieceIndex};
use crate::engine::{Change, Record};
use crate::metainfo::Torrent;

/// What survives of a host's program.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    /// Why nothing can be written, where it cannot.
    pub fault: Option<String>,
    records: BTreeMap<InfoHash, Record>,
    waiting: VecDeque<(u64, Change)>,
    last_seq: u64,
    writes: u64,
}

impl Shelf {
    /// Takes a change, to be written in a moment.
    pub fn take(&mut self, seq: u64, change: Change) {
        assert!(seq > self.last_seq, "changes are numbered in order");
        self.last_seq = seq;
        self.waiting.push_back((seq, change));
    }

    /// Writes everything that waits; returns the number of the last change and whether it could be written.
    pub fn write(&mut self) -> Option<(u64, Result<(), String>)> {
        let (seq, _) = self.waiting.back()?;
        let seq = *seq;
        let result = self.fault.clone().map_or(Ok(()), Err);
        for (_, change) in std::mem::take(&mut self.waiting) {
            if result.is_ok() {
                self.apply(change);
            }
        }
        Some((seq, result))
    }

    /// The program is gone, with the first `written` of the changes that wait written nevertheless.
    pub fn crash(&mut self, written: usize) {
        for (at, (_, change)) in std::mem::take(&mut self.waiting).into_iter().enumerate() {
            if at < written {
                self.apply(change);
            }
        }
        self.last_seq = 0;
    }

    /// How many changes wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// What is kept of a torrent, and what it is made of.
    pub fn load(&self, torrent: InfoHash) -> Result<Box<(Record, Torrent)>, String> {
        let record = self.records.get(&torrent).ok_or("it is not on the list")?;
        let bytes = record.torrent.as_deref().ok_or("its metadata is not known")?;
        let torrent = Torrent::parse(bytes).map_err(|error| error.to_string())?;
        Ok(Box::new((record.clone(), torrent)))
    }

    /// What is kept, in order of info-hash.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// Changes written so far.
    pub fn writes(&self) -> u64 {
        self.writes
    }

    /// The pieces that are suspect once all that waits is written.
    pub fn suspects(&self, torrent: InfoHash) -> BTreeSet<PieceIndex> {
        let mut all = self.clone();
        all.crash(usize::MAX);
        let record = all.records.remove(&torrent);
        record.map(|record| record.progress.suspect.into_iter().collect()).unwrap_or_default()
    }

    fn apply(&mut self, change: Change) {
        self.writes += 1;
        match change {
            Change::Put(mut record) => {
                // Metadata that was known once stays known, as in the real one.
                let before = self.records.remove(&record.info_hash).and_then(|before| before.torrent);
                record.torrent = record.torrent.or(before);
                self.records.insert(record.info_hash, *record);
            }
            Change::Progress(torrent, progress) => {
                if let Some(record) = self.records.get_mut(&torrent) {
                    record.progress = progress;
                }
            }
            Change::Counters(torrent, counters) => {
                if let Some(record) = self.records.get_mut(&torrent) {
                    counters.give_to(&mut record.progress);
                }
            }
            Change::Suspect(torrent, pieces) => {
                if let Some(record) = self.records.get_mut(&torrent) {
                    let suspect = &mut record.progress.suspect;
                    let new: Vec<PieceIndex> =
                        pieces.into_iter().filter(|piece| !suspect.contains(piece)).collect();
                    suspect.extend(new);
                }
            }
            Change::Remove(torrent) => _ = self.records.remove(&torrent),
        }
    }
}
