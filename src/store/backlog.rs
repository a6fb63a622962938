//! What a user did and could not be written, until it can: at most one change for each torrent.

use std::collections::BTreeMap;

use crate::base::InfoHash;
use crate::engine::Change;

/// The last [`Change::Put`] or [`Change::Remove`] of each torrent for which it failed. Progress is not kept by itself: it
/// is said again before long, and what is missing of it is only checked once more.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    changes: BTreeMap<InfoHash, Change>,
}

impl Backlog {
    /// Takes in what became of a change.
    pub(super) fn note(&mut self, change: &Change, written: bool) {
        match change {
            Change::Put(record) => self.keep(record.info_hash, change, written),
            Change::Remove(torrent) => self.keep(*torrent, change, written),
            // Later, the record that is kept here must not bring an older state of progress back.
            Change::Progress(torrent, progress) => {
                if let Some(Change::Put(record)) = self.changes.get_mut(torrent) {
                    record.progress = progress.clone();
                }
            }
            Change::Counters(torrent, counters) => {
                if let Some(Change::Put(record)) = self.changes.get_mut(torrent) {
                    counters.give_to(&mut record.progress);
                }
            }
            Change::Suspect(torrent, pieces) => {
                if let Some(Change::Put(record)) = self.changes.get_mut(torrent) {
                    record.progress.suspect.extend(pieces);
                    record.progress.suspect.sort();
                    record.progress.suspect.dedup();
                }
            }
        }
    }

    /// What is to be tried again.
    pub(super) fn changes(&self) -> impl Iterator<Item = &Change> {
        self.changes.values()
    }

    /// Whether there is nothing to be tried again.
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    fn keep(&mut self, torrent: InfoHash, change: &Change, written: bool) {
        if written {
            self.changes.remove(&torrent);
        } else {
            self.changes.insert(torrent, change.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::PieceIndex;
    use crate::engine::{Progress, Record};

    #[test]
    fn the_last_word_on_each_torrent_is_kept_until_it_is_written() {
        let hash = |number| InfoHash([number; 20]);
        let put = |number, paused| {
            Change::Put(Box::new(Record { info_hash: hash(number), paused, ..Record::default() }))
        };
        let mut backlog = Backlog::default();
        backlog.note(&put(1, false), false);
        backlog.note(&put(1, true), false);
        backlog.note(&put(2, false), true);
        backlog.note(&Change::Progress(hash(2), Progress::default()), false);
        let progress = Progress { downloaded: 5, ..Progress::default() };
        backlog.note(&Change::Progress(hash(1), progress.clone()), true);
        backlog.note(&Change::Suspect(hash(1), vec![PieceIndex(3), PieceIndex(1), PieceIndex(3)]), false);
        let suspect = vec![PieceIndex(1), PieceIndex(3)];
        let record = Record {
            info_hash: hash(1),
            paused: true,
            progress: Progress { suspect, ..progress },
            ..Record::default()
        };
        assert!(backlog.changes().eq([&Change::Put(Box::new(record))]));
        backlog.note(&Change::Remove(hash(1)), false);
        assert!(backlog.changes().eq([&Change::Remove(hash(1))]));
        backlog.note(&put(1, false), true);
        assert!(backlog.is_empty());
    }
}
