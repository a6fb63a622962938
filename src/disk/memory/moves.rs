//! Moving a torrent's simulated files: in two steps, between which a crash finds some here and some there.

use std::path::PathBuf;
use std::sync::Arc;

use super::{MemoryDisk, hidden_folder, not_open, real_paths};
use crate::base::{Rng, TorrentKey};
use crate::disk::{DiskError, Done, Relocation, Storage};

/// A move under way.
pub(super) struct Move {
    torrent: TorrentKey,
    to: PathBuf,
    resumed: bool,
    total: u64,
    /// Whether the files have their new names, which a crash may still take back.
    renamed: bool,
}

impl MemoryDisk {
    pub(super) fn begin_move(&mut self, torrent: TorrentKey, to: PathBuf, resumed: bool) {
        self.moves.push_back(Move { torrent, to, resumed, total: 0, renamed: false });
    }

    /// Ends a move whose files have not been renamed yet; the others are as good as done.
    pub(super) fn stop_move(&mut self, torrent: TorrentKey) {
        let stopped = |it: &Move| it.torrent == torrent && !it.renamed;
        if let Some(at) = self.moves.iter().position(stopped) {
            self.moves.remove(at);
            self.done.push_back(Done::Moved { torrent, outcome: Relocation::Undone(None) });
        }
    }

    pub(super) fn step_move(&mut self) {
        let Some(mut step) = self.moves.pop_front() else { return };
        let torrent = step.torrent;
        if !step.renamed {
            match self.rename(&step, usize::MAX) {
                Ok(total) => {
                    (step.renamed, step.total) = (true, total);
                    self.done.push_back(Done::Moving { torrent, done: total, total });
                    self.moves.push_front(step);
                }
                Err(error) if step.resumed => {
                    self.done.push_back(Done::Moved { torrent, outcome: Relocation::Stuck(error) });
                }
                Err(error) => {
                    self.done.push_back(Done::Moved { torrent, outcome: Relocation::Undone(Some(error)) });
                }
            }
            return;
        }
        self.renamed.retain(|(_, to)| !to.starts_with(&step.to));
        let outcome = match self.torrents.get(&torrent).map(|known| Arc::clone(&known.storage)) {
            Some(storage) => match self.stamps(&storage) {
                Ok(stamps) => Relocation::Moved(stamps),
                Err(error) => Relocation::Stuck(error),
            },
            None => Relocation::Stuck(not_open()),
        };
        self.done.push_back(Done::Moved { torrent, outcome });
    }

    /// The program ends while it renames.
    pub(super) fn cut_moves_short(&mut self, rng: &mut Rng) {
        for step in std::mem::take(&mut self.moves).into_iter().filter(|step| !step.renamed) {
            let files = self.torrents.get(&step.torrent).map_or(0, |it| it.storage.layout.files().len());
            // One that cannot be done has done nothing.
            _ = self.rename(&step, rng.below(files + 1));
        }
    }

    /// Gives the first `most` of the files their new names.
    fn rename(&mut self, step: &Move, most: usize) -> Result<u64, DiskError> {
        let known = self.torrents.get(&step.torrent).ok_or_else(not_open)?;
        let old = Arc::clone(&known.storage);
        if self.faults.unplugged {
            return Err(DiskError::Missing { path: step.to.clone() });
        }
        if let Some(error) = &self.faults.writes {
            return Err(error.clone());
        }
        let new = Arc::new(Storage { root: step.to.clone(), ..Storage::clone(&old) });
        let mut pairs: Vec<(PathBuf, PathBuf)> = real_paths(&old).zip(real_paths(&new)).collect();
        let (hidden, new_hidden) = (hidden_folder(&old), hidden_folder(&new));
        let parts =
            self.files.keys().filter_map(|path| Some((path.clone(), path.strip_prefix(&hidden).ok()?)));
        pairs.extend(parts.map(|(path, rest)| (path.clone(), new_hidden.join(rest))));
        pairs.retain(|(from, to)| from != to && self.files.contains_key(from));
        if let Some((_, path)) = pairs.iter().find(|(_, to)| self.files.contains_key(to)) {
            return Err(DiskError::InTheWay { path: path.clone() });
        }
        let mut total = 0;
        for (from, to) in pairs.into_iter().take(most) {
            let Some(file) = self.files.remove(&from) else { continue };
            total += file.now.len();
            self.files.insert(to.clone(), file);
            self.renamed.push((from, to));
        }
        if let Some(known) = self.torrents.get_mut(&step.torrent) {
            known.touched = std::mem::take(&mut known.touched)
                .into_iter()
                .map(|path| path.strip_prefix(&old.root).map_or(path.clone(), |rest| step.to.join(rest)))
                .collect();
            known.storage = new;
        }
        Ok(total)
    }

    /// A power cut takes some of the new names back.
    pub(super) fn lose_names(&mut self, rng: &mut Rng) {
        for (from, to) in std::mem::take(&mut self.renamed) {
            if rng.below(2) == 0
                && let Some(file) = self.files.remove(&to)
            {
                self.files.insert(from, file);
            }
        }
    }
}
