//! How the simulated disk ends in the middle of something: killed programs leave half a job, lost power less than that.

use bytes::Bytes;

use super::{Extents, MemoryDisk};
use crate::base::Rng;
use crate::disk::{Job, Verdict};

impl MemoryDisk {
    /// The program ends while it does these things: of `job` some bytes are written, of a move some files have new names.
    /// Nobody is told.
    pub fn cut_short(&mut self, job: Option<Job>, rng: &mut Rng) {
        if let Some(Job::Store { torrent, piece, begin, blocks, last }) = job
            && let Some(known) = self.torrents.get(&torrent)
        {
            let storage = std::sync::Arc::clone(&known.storage);
            let wrong =
                begin == 0 && last && matches!(self.verdict(&storage, piece, &blocks), Verdict::Bad { .. });
            let blocks = if wrong { Vec::new() } else { some_of(blocks, rng) };
            // What does not fit is not there either.
            _ = self.write(torrent, &storage, piece, begin, &blocks);
        }
        self.cut_moves_short(rng);
    }

    /// The power fails: the programs on this machine are gone, and of every write that was not synced any part may be lost,
    /// in any order.
    pub fn crash(&mut self, rng: &mut Rng) {
        self.kill();
        self.lose_names(rng);
        let mut lost = Vec::new();
        for (path, file) in &mut self.files {
            rng.shuffle(&mut file.pending);
            if file.durable.is_none() && rng.below(2) == 0 {
                lost.push(path.clone());
                continue;
            }
            let mut left = file.durable.take().unwrap_or_default();
            for (offset, bytes) in std::mem::take(&mut file.pending) {
                match rng.below(3) {
                    0 => {}
                    1 => left.write(offset, bytes),
                    _ => tear(&mut left, offset, &bytes, rng),
                }
            }
            file.now = left.clone();
            file.durable = Some(left);
        }
        for path in lost {
            self.files.remove(&path);
        }
    }

    /// The program is killed, the machine goes on: everything written stays.
    pub fn kill(&mut self) {
        self.torrents.clear();
        self.checks.clear();
        self.moves.clear();
        self.done.clear();
    }
}

/// The beginning of a run, as a program leaves it that is killed while it writes.
fn some_of(blocks: Vec<Bytes>, rng: &mut Rng) -> Vec<Bytes> {
    let total: usize = blocks.iter().map(Bytes::len).sum();
    let mut left = rng.below(total + 1);
    let mut some = Vec::new();
    for mut block in blocks {
        block.truncate(left);
        left -= block.len();
        some.push(block);
    }
    some
}

/// Keeps some pages of a write, as a disk does that loses power in the middle.
fn tear(left: &mut Extents, offset: u64, bytes: &Bytes, rng: &mut Rng) {
    const PAGE: usize = 4096;
    for from in (0..bytes.len()).step_by(PAGE) {
        let to = bytes.len().min(from + PAGE);
        let to = if rng.below(8) == 0 { from + rng.below(to - from) } else { to };
        if rng.below(2) == 0 && from < to {
            left.write(offset + from as u64, bytes.slice(from..to));
        }
    }
}
